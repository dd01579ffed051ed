import { randomUUID } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { constants } from 'node:http2'
import { types } from 'node:util'
import { HttpError, type Violation } from '../errors'
import { negotiate } from '../http/accept'
import {
  escapeMarkup,
  formatProblemHtml,
  formatProblemText,
  formatProblemXml,
  statusPhrase,
  toProblem,
} from '../http/problem'
import type { HeaderMap } from '../types'
import { discard, isDestroyable } from './discard'
import type { Context, ErrorFormat, ErrorHandlerPlan, Middleware, Settings, StatusRule } from './plan'
import { Reply } from './replies'

/** What answering errors needs of the settings; `toPlain` also serves what handlers and an own format return. */
export type CatchSettings = Pick<Settings, 'errors' | 'logger' | 'envelope' | 'development'> &
  Partial<Pick<Settings, 'toPlain'>>

/**
 * The outermost step: every error becomes an answer. Where there is none, it does nothing.
 *
 * @param settings format, status rules, handlers, and where failures are reported
 *
 * @example
 * app.use(createCatch(settings))
 */
export function createCatch(settings: CatchSettings): Middleware {
  return async function catchErrors(ctx, next) {
    try {
      await next()
    } catch (error) {
      await answerError(error, ctx as Context, settings)
    }
  }
}

/**
 * Answers an error, and reports it where it is a failure of ours. Never rejects.
 *
 * Headers of the failed answer's content go, all others stay. Where it is too late to answer, the connection is cut, so
 * that the client cannot take a part for the whole (RFC 9112 §8).
 *
 * @param error anything that was thrown
 * @param ctx the request
 * @param settings as of {@link createCatch}
 *
 * @example
 * try { await next() } catch (error) { await answerError(error, ctx, settings) }
 */
export async function answerError(error: unknown, ctx: Context, settings: CatchSettings): Promise<void> {
  try {
    await answer(error, ctx, settings)
  } catch (failure) {
    report(failure, ctx, settings)
    answerPlainly(ctx)
  }
}

async function answer(original: unknown, ctx: Context, settings: CatchSettings): Promise<void> {
  const { error, unexpected } = toHttpError(original, settings.errors.status)
  if (isGone(ctx)) {
    if (unexpected || error.status >= 500) report(original, ctx, settings)
    abandon(ctx)
    return
  }
  ctx.respond = true
  clearContent(ctx)
  ctx.set('X-Request-Id', requestIdOf(ctx))
  const failed = unexpected || isOurs(error, original)
  if (failed) report(original, ctx, settings)
  const handler = settings.errors.handlers.find(({ on }) => isHandledBy(on, error.status, original))
  if (!handler) return writeError(error, ctx, settings)
  try {
    await answerByHandler(handler, original, error, ctx, settings)
  } catch (broken) {
    if (!failed) report(original, ctx, settings)
    report(broken, ctx, settings)
    if (isGone(ctx)) abandon(ctx)
    else writeError(new HttpError(500), ctx, settings)
  }
}

// --- Any error -> HttpError ------------------------------------------------------------------------------------------

/**
 * Gives any thrown value its HTTP status.
 *
 * An HttpError stays as it is. A status rule comes next: below 500 the error's message becomes the detail, unless its
 * `expose` is false. Then a `status` or `statusCode` with a boolean `expose` counts, as Koa's `ctx.throw` and http-errors
 * make them. What is left is a 500 that holds nothing of the error.
 *
 * @param error anything that was thrown
 * @param rules asked in turn; one that throws, or answers with no status from 400 to 599, is passed over
 * @returns `unexpected` where nobody gave the error a status
 *
 * @example
 * toHttpError(new NotInStock(), [(error) => (error instanceof NotInStock ? 409 : undefined)]).error.status // 409
 */
export function toHttpError(error: unknown, rules: readonly StatusRule[]): { error: HttpError; unexpected: boolean } {
  try {
    if (error instanceof HttpError) return { error, unexpected: false }
    const known = fromRules(error, rules) ?? fromStatus(error)
    if (known) return { error: known, unexpected: false }
  } catch {
    // A getter or a proxy of the error threw: it tells us nothing.
  }
  return { error: new HttpError(500), unexpected: true }
}

function fromRules(error: unknown, rules: readonly StatusRule[]): HttpError | undefined {
  for (const rule of rules) {
    let status: number | undefined
    try {
      status = rule(error)
    } catch {
      continue
    }
    if (!isErrorStatus(status)) continue
    const { message, expose } = toFacts(error)
    return new HttpError(status, status < 500 && expose !== false ? message : undefined, { cause: error })
  }
  return undefined
}

function fromStatus(error: unknown): HttpError | undefined {
  const { status, statusCode, expose, message, headers } = toFacts(error)
  const code = isErrorStatus(status) ? status : statusCode
  if (!isErrorStatus(code) || typeof expose !== 'boolean') return undefined
  return new HttpError(code, isSaying(message, code) && expose ? message : undefined, { headers, cause: error })
}

function isErrorStatus(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599
}

/** `ctx.throw(404)` says "Not Found": no detail, the title has it. */
function isSaying(message: string | undefined, status: number): boolean {
  return message !== undefined && message.toLowerCase() !== statusPhrase(status).toLowerCase()
}

interface ErrorFacts {
  readonly status?: unknown
  readonly statusCode?: unknown
  readonly expose?: unknown
  readonly message?: string
  readonly headers?: HeaderMap
}

function toFacts(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) return {}
  const { status, statusCode, expose, message, headers } = error as Record<string, unknown>
  return {
    status,
    statusCode,
    expose,
    message: typeof message === 'string' && message !== '' ? message : undefined,
    headers: typeof headers === 'object' && headers !== null ? toHeaderMap(headers) : undefined,
  }
}

function toHeaderMap(headers: object): HeaderMap {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : `${value}`]),
  )
}

// --- Handlers of the application --------------------------------------------------------------------------------------

function isHandledBy(on: ErrorHandlerPlan['on'], status: number, original: unknown): boolean {
  if (typeof on === 'number') return on === status
  if (typeof on === 'function') return original instanceof on
  const digits = String(status)
  return on.length === 3 && [...on.toLowerCase()].every((digit, at) => digit === 'x' || digit === digits[at])
}

async function answerByHandler(
  handler: ErrorHandlerPlan,
  original: unknown,
  error: HttpError,
  ctx: Context,
  settings: CatchSettings,
): Promise<void> {
  const result = await handler.call(original, ctx)
  // It has answered by itself, or the client has left meanwhile.
  if (isGone(ctx) || ctx.respond === false) return
  if (result === undefined) {
    clearContent(ctx)
    return writeError(error, ctx, settings)
  }
  const reply = result instanceof Reply ? result : new Reply(error.status, result)
  const body = toBody(reply.body, settings)
  const headers = toCheckedHeaders({ ...(reply.status === error.status && error.headers), ...reply.headers })
  if (reply.status >= 500 || reply.status === 401) ctx.set('Cache-Control', 'no-store')
  setHeaders(ctx, headers)
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  write(
    ctx,
    reply.status,
    type === undefined ? ctx.response.get('Content-Type') || body.type : String(type),
    body.content,
  )
}

/** What a handler returned, as Koa writes it. */
function toBody(value: unknown, settings: CatchSettings): { type: string; content: unknown } {
  if (value === undefined) return { type: '', content: null }
  if (typeof value === 'string') return { type: 'text/plain; charset=utf-8', content: value }
  if (value instanceof Uint8Array) {
    return { type: 'application/octet-stream', content: Buffer.from(value.buffer, value.byteOffset, value.byteLength) }
  }
  if (isDestroyable(value) && 'pipe' in value) return { type: 'application/octet-stream', content: value }
  return { type: 'application/json', content: toJson(value, settings) }
}

function toJson(value: unknown, settings: CatchSettings): string {
  const text = JSON.stringify(settings.toPlain ? settings.toPlain(value) : value) as string | undefined
  if (text === undefined) throw new TypeError('The body of an error cannot be written as JSON')
  return text
}

// --- Formats ----------------------------------------------------------------------------------------------------------

/** A shape of error answers. */
interface ErrorRendering {
  /** The status sent, where it is not the error's own. */
  status?(error: HttpError): number
  /** The content type; where it depends on the request, `Vary` says so. */
  type(ctx: Context): string
  body(error: HttpError, ctx: Context, type: string): string
  readonly negotiated?: true
}

const json = 'application/json'
const text = 'text/plain; charset=utf-8'
const html = 'text/html; charset=utf-8'

/** What a client may ask for, and what it gets. */
const problemTypes = new Map([
  ['application/problem+json', 'application/problem+json'],
  ['application/json', 'application/problem+json'],
  ['application/problem+xml', 'application/problem+xml'],
  ['application/xml', 'application/problem+xml'],
  ['text/html', html],
  ['text/plain', text],
  ['text/xml', 'application/problem+xml'],
])
const problemOffers = [...problemTypes.keys()]
const urestOffers = ['application/json', 'application/xml', 'text/xml']

const renderings: Readonly<Record<ErrorFormat, ErrorRendering>> = {
  problem: {
    negotiated: true,
    type: (ctx) => problemTypes.get(negotiate(ctx.get('Accept'), problemOffers) ?? '') ?? 'application/problem+json',
    body(error, ctx, type) {
      const { status, detail, type: uri, code, errors } = error
      const instance = pathOf(ctx)
      const problem = toProblem({ status, detail, type: uri, code, instance, requestId: requestIdOf(ctx), errors })
      if (type === 'application/problem+xml') return formatProblemXml(problem)
      if (type === html) return formatProblemHtml(problem)
      return type === text ? formatProblemText(problem) : JSON.stringify(problem)
    },
  },
  text: {
    type: () => text,
    body: ({ status, detail }) => `${detail ?? `${status} - ${statusPhrase(status)}`}\n`,
  },
  pyrest: {
    type: () => json,
    body: ({ status }) => JSON.stringify({ error: status, status: statusPhrase(status) }),
  },
  urest: {
    negotiated: true,
    type: (ctx) => negotiate(ctx.get('Accept'), urestOffers) ?? json,
    body(error, _ctx, type) {
      const exception = `${toUrestName(error)}: ${error.detail ?? statusPhrase(error.status)}`
      if (type === json) return JSON.stringify({ success: false, exception })
      const members = `<success>false</success><exception>${escapeMarkup(exception)}</exception>`
      return `<?xml version="1.0" encoding="UTF-8"?>\n<response>${members}</response>`
    },
  },
  docstore: {
    type: () => 'text/html',
    body: ({ status }) => statusPhrase(status).toLowerCase(),
  },
  'rest-tools': {
    status: unprocessableIsBad,
    type: () => json,
    body: (error) => JSON.stringify({ code: unprocessableIsBad(error), error: toRestToolsText(error) }),
  },
  apiphant: {
    status: unprocessableIsBad,
    type: () => json,
    body: (error) => JSON.stringify({ error: toApiphantError(error) }),
  },
}

function unprocessableIsBad({ status }: HttpError): number {
  return status === 422 ? 400 : status
}

// Errors that a status rule or Koa gave their status have no class of ours: they get the name of ours for that status.
const urestNames: Readonly<Record<number, string>> = {
  404: 'NoSuchResource',
  409: 'ResourceExists',
  422: 'ValidationError',
}

function toUrestName({ name, status }: HttpError): string {
  if (status >= 500) return 'Error'
  return name === HttpError.name ? (urestNames[status] ?? statusPhrase(status).replace(/[^A-Za-z]/g, '')) : name
}

function toRestToolsText(error: HttpError): string {
  const violations = error.errors ?? []
  if (violations.length === 0) return error.detail ?? statusPhrase(unprocessableIsBad(error))
  const namesOf = (code: string) => violations.filter((violation) => violation.code === code).map(nameOf)
  const missing = namesOf('required')
  const unknown = namesOf('unknown')
  const lines: string[] = []
  if (missing.length > 0) lines.push(`the following arguments are required: ${missing.join(', ')}`)
  if (unknown.length > 0) lines.push(`unrecognized arguments: ${unknown.join(', ')}`)
  for (const violation of violations) {
    const { code } = violation
    if (code !== 'required' && code !== 'unknown') lines.push(`argument ${nameOf(violation)}: ${toFault(violation)}`)
  }
  return lines.join('; ')
}

/** What is wrong, in rest-tools' words where it has some, and without the name that stands before it already. */
function toFault({ pointer, code, detail }: Violation): string {
  const subject = /^\S+(?= )/.exec(detail)?.[0]
  const said = subject && pointer.split('/').includes(subject) ? detail.slice(subject.length + 1) : detail
  // A converter that threw nothing of its own is to rest-tools a type that does not fit.
  if (code === 'type' || (code === 'convert' && said === 'is not valid')) return 'invalid type'
  return code === 'choices' ? `invalid choice (${said})` : said
}

function toApiphantError(error: HttpError): unknown {
  const violation = error.errors?.[0]
  const status = unprocessableIsBad(error)
  // What is wrong with a body as a whole has no field to name.
  if (!violation || violation.pointer === '') return error.detail ?? `${status} ${statusPhrase(status)}`
  const state = violation.code === 'required' ? 'missing' : 'invalid'
  return { field: nameOf(violation), state, ...(violation.detail && { explain: violation.detail }) }
}

/** `/address/zip` is `address.zip` (RFC 6901 §4 for the escapes); the whole of a body is named by its source. */
function nameOf({ pointer, in: source }: Violation): string {
  const tokens = pointer.split('/').slice(1)
  const name = tokens.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~')).join('.')
  return name === '' ? source : name
}

// --- Writing ----------------------------------------------------------------------------------------------------------

function writeError(error: HttpError, ctx: Context, settings: CatchSettings): void {
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

function render(error: HttpError, ctx: Context, settings: CatchSettings) {
  const { format } = settings.errors
  if (typeof format === 'function') {
    try {
      return { status: error.status, type: json, content: toJson(format(error), settings), negotiated: false }
    } catch (broken) {
      report(broken, ctx, settings)
      return renderAs('problem', new HttpError(500), ctx)
    }
  }
  return renderAs(format === 'problem' && settings.envelope === 'urest' ? 'urest' : format, error, ctx)
}

function renderAs(format: ErrorFormat, error: HttpError, ctx: Context) {
  const rendering = renderings[format]
  const type = rendering.type(ctx)
  const status = rendering.status?.(error) ?? error.status
  return { status, type, content: rendering.body(error, ctx, type), negotiated: rendering.negotiated === true }
}

/** Below 500 the error itself; else a copy without what only the log may hold. */
function toSendable(error: HttpError, { errors }: CatchSettings): HttpError {
  if (error.status < 500 || errors.expose) return error
  const { status, code, type, headers } = error
  return new HttpError(status, undefined, { code, type, headers })
}

function write(ctx: Context, status: number, type: string, content: unknown): void {
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

function clearContent(ctx: Context): void {
  discard(ctx.body)
  for (const name of contentHeaders) ctx.remove(name)
}

/** What frames the content is ours to set. */
const framing = new Set(['content-type', 'content-length', 'transfer-encoding'])

/** These are lists: an error adds to what is there. */
const lists = new Set(['set-cookie'])

function setHeaders(ctx: Context, headers: HeaderMap): void {
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
function toCheckedHeaders(headers: object = {}): HeaderMap {
  const checked = toHeaderMap(headers)
  for (const [name, value] of Object.entries(checked)) {
    validateHeaderName(name)
    for (const one of typeof value === 'string' ? [value] : value) validateHeaderValue(name, one)
  }
  return checked
}

/** The last resort: something in the answer itself failed. */
function answerPlainly(ctx: Context): void {
  try {
    if (isGone(ctx)) return abandon(ctx)
    for (const name of contentHeaders) ctx.remove(name)
    write(ctx, 500, text, '500 - Internal Server Error\n')
  } catch {
    abandon(ctx)
  }
}

function isGone(ctx: Context): boolean {
  // A response without a socket belongs to a transport in process, and Koa calls it writable.
  return ctx.headerSent || !ctx.writable || ctx.res.destroyed || Boolean(ctx.req.socket?.destroyed)
}

function abandon(ctx: Context): void {
  ctx.respond = false
  const { body, res } = ctx
  discard(body)
  // An answer that has ended is whole, though it may still be on its way.
  if (res.writableEnded) return
  // Over HTTP/2 only a stream that is reset tells the client that something is missing (RFC 9113 §8.1).
  const { stream } = res as { stream?: { close(code: number): void } }
  if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else res.destroy()
}

// --- Reporting --------------------------------------------------------------------------------------------------------

/** A 503 or 501 that the application throws is its answer; a 500, or a 5xx that a rule makes of an error, is a failure. */
function isOurs(error: HttpError, original: unknown): boolean {
  return error.status === 500 || (error.status > 500 && error !== original && !fromStatus(original))
}

/**
 * Reports a failure: to the logger, or as the application's `error` event. Never throws.
 *
 * @param error anything that was thrown
 * @param ctx the request that it broke
 * @param settings where the logger is
 */
export function report(error: unknown, ctx: Context, settings: Pick<CatchSettings, 'logger'>): void {
  try {
    const err = isError(error) ? error : new Error('Something that is no Error was thrown', { cause: error })
    if (!settings.logger) ctx.app.emit('error', err, ctx)
    else settings.logger.error({ err, requestId: requestIdOf(ctx), method: ctx.method, path: ctx.path }, err.message)
  } catch {
    // A log that fails must not fail the answer.
  }
}

function isError(error: unknown): error is Error {
  try {
    return error instanceof Error || types.isNativeError(error)
  } catch {
    // A revoked proxy: to be logged like anything else that is no Error.
    return false
  }
}

const requestIds = new WeakMap<object, string>()

/**
 * The id under which a request is logged and answered: one that a middleware has set, else the client's, else a new one.
 *
 * @param ctx the request
 */
export function requestIdOf(ctx: Context): string {
  const known = requestIds.get(ctx.req)
  if (known !== undefined) return known
  const candidates = [ctx.res.getHeader('X-Request-Id'), ctx.req.headers['x-request-id']]
  const id = candidates.find(isRequestId) ?? randomUUID()
  requestIds.set(ctx.req, id)
  return id
}

function isRequestId(given: unknown): given is string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)
}

/** The path of the request, of an absolute target too (RFC 9112 §3.2.2); never its query. */
function pathOf(ctx: Context): string {
  const target = ctx.originalUrl.replace(/[?#].*$/s, '')
  return target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '') || '/'
}
