import { validateHeaderName, validateHeaderValue } from 'node:http'
import { HttpError } from '../errors'
import type { HeaderMap } from '../types'
import { isGone } from './connection'
import { discard } from './discard'
import { renderAs, type RenderedError } from './error-formats'
import { toHeaderMap } from './error-status'
import type { Context, Settings } from './plan'
import { report, requestIdOf } from './report'
import { end, isTouched } from './send'

/** What answering errors needs of the settings; `toPlain` also serves what handlers and an own format return. */
export type CatchSettings = Pick<Settings, 'errors' | 'logger' | 'envelope' | 'development'> &
  Partial<Pick<Settings, 'toPlain' | 'stopping'>>

/**
 * Answers with an error, in the format of the settings; what of the failed answer's content is left goes.
 *
 * @param error the error with its status
 * @param ctx the request, not answered yet
 * @param settings format, and whether details of 5xx errors are sent
 */
export function writeError(error: HttpError, ctx: Context, settings: CatchSettings): void {
  let sent = toSendable(error, settings)
  let headers: HeaderMap = {}
  try {
    headers = toCheckedHeaders(sent.headers)
  } catch (broken) {
    report(broken, ctx, settings)
    sent = new HttpError(500)
  }
  const { status, type, content, negotiated } = render(sent, ctx, settings)
  clearContent(ctx)
  if (negotiated) ctx.vary('Accept')
  if (status >= 500 || status === 401) ctx.set('Cache-Control', 'no-store')
  setHeaders(ctx, headers)
  ctx.remove('Content-Encoding')
  write(ctx, status, type, content)
}

/**
 * Answers a refusal with one call of Node's, where nobody has done anything to the response and nobody else has a say.
 *
 * @returns false where that is not so: nothing has happened then
 */
export function refuseStraight(error: unknown, ctx: Context, settings: CatchSettings): boolean {
  const { format, handlers } = settings.errors
  if (!(error instanceof HttpError) || error.status >= 500 || handlers.length > 0 || typeof format === 'function') {
    return false
  }
  if (ctx.respond === false || isTouched(ctx) || isGone(ctx)) return false
  const own = error.headers ? toHeaderList(error.headers) : []
  if (!own) return false
  const { res } = ctx
  const { status, type, content, negotiated } = render(error, ctx, settings)
  const length = Buffer.byteLength(content)
  const list = ['X-Request-Id', requestIdOf(ctx), 'Content-Type', type, 'Content-Length', `${length}`]
  if (negotiated) list.push('Vary', 'Accept')
  if (status === 401) list.push('Cache-Control', 'no-store')
  if (settings.stopping?.aborted) list.push('Connection', 'close')
  for (const each of own) list.push(each)
  res.writeHead(status, list)
  end(ctx, content, length)
  return true
}

/** The headers of an error as a list; none where they are to be checked, or joined with others. */
function toHeaderList(headers: HeaderMap): string[] | undefined {
  const list: string[] = []
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (typeof value !== 'string' || framing.has(lower) || lower === 'vary' || lower === 'cache-control')
      return undefined
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch {
      return undefined
    }
    list.push(name, value)
  }
  return list
}

function render(error: HttpError, ctx: Context, settings: CatchSettings): RenderedError {
  const { format } = settings.errors
  if (typeof format === 'function') {
    try {
      return {
        status: error.status,
        type: 'application/json',
        content: toJson(format(error), settings),
        negotiated: false,
      }
    } catch (broken) {
      report(broken, ctx, settings)
      return renderAs('problem', new HttpError(500), ctx)
    }
  }
  return renderAs(format === 'problem' && settings.envelope === 'urest' ? 'urest' : format, error, ctx)
}

export function toJson(value: unknown, settings: CatchSettings): string {
  const text = JSON.stringify(settings.toPlain ? settings.toPlain(value) : value) as string | undefined
  if (text === undefined) throw new TypeError('The body of an error cannot be written as JSON')
  return text
}

/** Below 500 the error itself; else a copy without what only the log may hold. */
function toSendable(error: HttpError, { errors }: CatchSettings): HttpError {
  if (error.status < 500 || errors.expose) return error
  const { status, code, type, headers } = error
  return new HttpError(status, undefined, { code, type, headers })
}

/** Gives an answer its status, type and content; `null` is none. */
export function write(ctx: Context, status: number, type: string, content: unknown): void {
  ctx.status = status
  if (content === null) {
    ctx.body = null
    ctx.status = status // Koa made it 204
    return
  }
  if (type !== '') ctx.set('Content-Type', type)
  ctx.body = content
}

/** What describes the content of the failed answer (RFC 9110 §8, RFC 9530), or how long that may be kept. */
const contentHeaders = [
  'Content-Type',
  'Content-Length',
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-Disposition',
  'Content-Range',
  'Content-Digest',
  'Repr-Digest',
  'Transfer-Encoding',
  'Trailer',
  'Accept-Ranges',
  'ETag',
  'Last-Modified',
  'Cache-Control',
  'Expires',
]

/** Takes what describes content from the answer, and its body. */
export function clearContent(ctx: Context): void {
  discard(ctx.body)
  for (const name of contentHeaders) ctx.remove(name)
}

/** What frames the content is ours to set. */
const framing = new Set(['content-type', 'content-length', 'transfer-encoding'])

/** These are lists: an error adds to what is there. */
const lists = new Set(['set-cookie'])

/** Sets the headers of an error beside those that stand. */
export function setHeaders(ctx: Context, headers: HeaderMap): void {
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (framing.has(lower)) continue
    const values = typeof value === 'string' ? value : [...value]
    if (lower === 'vary') ctx.vary([values].flat().join(', '))
    else if (lists.has(lower)) ctx.append(name, values)
    else ctx.set(name, values)
  }
}

/** Throws before the first header is set, and not between two: a line break in a value is no header (RFC 9110 §5.5). */
export function toCheckedHeaders(headers: object = {}): HeaderMap {
  const checked = toHeaderMap(headers)
  for (const [name, value] of Object.entries(checked)) {
    validateHeaderName(name)
    for (const one of typeof value === 'string' ? [value] : value) validateHeaderValue(name, one)
  }
  return checked
}

/** The last resort, where something in the answer itself failed: a plain 500. */
export function writePlainly(ctx: Context): void {
  for (const name of contentHeaders) ctx.remove(name)
  write(ctx, 500, 'text/plain; charset=utf-8', '500 - Internal Server Error\n')
}
