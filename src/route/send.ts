import { ServerResponse } from 'node:http'
import type { HeaderMap } from '../types'
import type { Context } from './plan'

/**
 * Sends an answer whose parts are all known: its body a text or bytes, or none.
 *
 * @param type the content type, unless the headers or the handler have one
 * @param negotiated whether the answer hangs on `Accept`
 */
export type Send = (
  ctx: Context,
  status: number,
  body: string | Buffer | undefined,
  type: string | undefined,
  negotiated: boolean,
  headers: HeaderMap | undefined,
) => void

/** Headers that every answer of a route has. */
export type FixedHeaders = ReadonlyArray<readonly [name: string, value: string]>

/** Statuses whose answers have no content, and so no length (RFC 9110 §8.6). */
const bodiless = new Set([204, 205, 304])

/**
 * Sends through Koa's response, where middleware may still look at the answer and change it.
 *
 * @param fixed headers that every answer has
 */
export function sendByKoa(fixed: FixedHeaders): Send {
  return function send(ctx, status, body, type, negotiated, headers) {
    // Koa turns an empty body into 204 unless the status is set after it.
    if (body === undefined) ctx.body = null
    if (negotiated) varyByAccept(ctx)
    begin(ctx, status, fixed, headers)
    if (body === undefined) {
      // The answer to HEAD tells the length of what GET would send (RFC 9110 §9.3.2).
      const isTold = ctx.method === 'HEAD' && ctx.res.hasHeader('Content-Length')
      if (!bodiless.has(status) && !isTold) ctx.res.setHeader('Content-Length', '0')
      return
    }
    if (type !== undefined && !ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', type)
    ctx.body = body
  }
}

/** Headers that are put together of several sources, or frame the content: with those an answer takes Koa's way. */
const joined = new Set(['link', 'vary', 'content-type', 'content-length', 'transfer-encoding'])

/**
 * Sends with one call of Node's, where no middleware stands around the route. What a handler did to the response by itself
 * (a header, a status, a body) takes Koa's way, and so does what is to be seen by those who listen to the response.
 *
 * @param fixed headers that every answer has
 * @param stopping the connection ends with the answer once this has fired
 */
export function sendStraight(fixed: FixedHeaders, stopping: AbortSignal | undefined): Send {
  const byKoa = sendByKoa(fixed)
  const fixedNames = fixed.map(([name]) => name.toLowerCase())
  if (fixedNames.some((name) => joined.has(name)) || hasTwice(fixedNames)) return byKoa
  const always = fixed.flat()

  const isSimple = always.length === 0

  return function send(ctx, status, body, type, negotiated, headers) {
    if (isSimple && !headers && body !== undefined && negotiated && !stopping?.aborted && !bodiless.has(status)) {
      if (isTouched(ctx)) return byKoa(ctx, status, body, type, negotiated, headers)
      const size = lengthOf(body)
      const { res } = ctx
      res.writeHead(status, ['Content-Type', type ?? '', 'Vary', 'Accept', 'Content-Length', `${size}`])
      return end(ctx, body, size)
    }
    const given = headers ? readHeaders(headers, fixedNames) : noHeaders
    if (!given || isTouched(ctx) || status === 205) return byKoa(ctx, status, body, type, negotiated, headers)
    const { res } = ctx
    const isHead = ctx.req.method === 'HEAD'
    const isBare = bodiless.has(status)
    const content = isBare ? undefined : body
    const length = content === undefined ? 0 : lengthOf(content)
    const list: Array<string | readonly string[]> = [...always, ...given.list]
    if (!isBare) {
      if (given.type) list.push(...given.type)
      else if (content !== undefined && type !== undefined) list.push('Content-Type', type)
    }
    const vary = negotiated ? (given.vary === undefined ? 'Accept' : `Accept, ${given.vary}`) : given.vary
    if (vary !== undefined) list.push('Vary', vary)
    // Only the answer to HEAD may tell a length that is not that of its body (RFC 9110 §9.3.2).
    if (isHead && !isBare && content === undefined && given.length) list.push(...given.length)
    else if (!isBare) list.push('Content-Length', String(length))
    if (stopping?.aborted) list.push('Connection', 'close')
    res.writeHead(status, list as string[])
    if (content === undefined) res.end()
    else end(ctx, content, length)
  }
}

/** Sends the content of an answer whose headers stand. */
export function end({ req, res }: Context, content: string | Buffer, length: number): void {
  if (req.method === 'HEAD') res.end()
  // A text of as many bytes as characters is ASCII, which is written as it stands.
  else if (length === content.length) res.end(content, 'latin1')
  else res.end(content)
}

/** Headers of one answer, those that are joined with others apart. */
interface GivenHeaders {
  readonly list: ReadonlyArray<string | readonly string[]>
  readonly type?: readonly [name: string, value: string]
  readonly length?: readonly [name: string, value: string]
  readonly vary?: string
}

const noHeaders: GivenHeaders = { list: [] }

/** The headers of an answer as Node takes them; nothing where only Koa's way puts them together rightly. */
function readHeaders(headers: HeaderMap, fixed: readonly string[]): GivenHeaders | undefined {
  const list: Array<string | readonly string[]> = []
  const names: string[] = []
  let type: GivenHeaders['type']
  let length: GivenHeaders['length']
  let vary: string | undefined
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    const lower = name.toLowerCase()
    if (names.includes(lower) || fixed.includes(lower)) return undefined
    names.push(lower)
    if (!joined.has(lower) || lower === 'link') list.push(name, value)
    // Who varies by everything, or by what is in it already, leaves nothing to add.
    else if (typeof value !== 'string' || lower === 'transfer-encoding' || value === '*') return undefined
    else if (lower === 'content-type') type = [name, value]
    else if (lower === 'content-length') length = [name, value]
    else if (/accept(?:,|$)/i.test(value)) return undefined
    else vary = value
  }
  return { list, type, length, vary }
}

function hasTwice(names: readonly string[]): boolean {
  return new Set(names).size < names.length
}

function lengthOf(body: string | Buffer): number {
  return typeof body === 'string' ? Buffer.byteLength(body) : body.length
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- only compared with
const { writeHead } = ServerResponse.prototype

/**
 * Whether somebody has done something to the response by itself, or will look at it when it is sent: what `writeHead` is
 * given at once, `getHeader` does not tell. Node itself listens once for the end of a response.
 */
export function isTouched(ctx: Context): boolean {
  const { res } = ctx
  return (
    res.statusMessage !== undefined ||
    res.getHeaderNames().length > 0 ||
    res.writeHead !== writeHead ||
    res.listenerCount('finish') > 1 ||
    ctx.body !== undefined
  )
}

/** Status and headers through Koa. */
export function begin(ctx: Context, status: number, fixed: FixedHeaders, headers: HeaderMap | undefined): void {
  ctx.status = status
  for (const [name, value] of fixed) addHeader(ctx, name, value)
  if (!headers) return
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value === undefined) continue
    if (name.toLowerCase() === 'vary') ctx.vary([value].flat().join(', '))
    else ctx.res.setHeader(name, value)
  }
}

/** Says that the answer hangs on `Accept`, beside what it hangs on already. */
export function varyByAccept(ctx: Context): void {
  if (ctx.res.hasHeader('Vary')) ctx.vary('Accept')
  else ctx.res.setHeader('Vary', 'Accept')
}

/** Link and Vary hold lists: what an earlier middleware set stays. */
function addHeader(ctx: Context, name: string, value: string): void {
  const lower = name.toLowerCase()
  if ((lower === 'link' || lower === 'vary') && ctx.res.hasHeader(name)) ctx.append(name, value)
  else ctx.res.setHeader(name, value)
}
