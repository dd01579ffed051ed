import { Readable } from 'node:stream'
import { types } from 'node:util'
import { NoSuchResource, PreconditionFailed } from '../errors'
import { evaluate, formatETag, formatHttpDate } from '../http/conditional'
import type { Awaitable, HeaderMap } from '../types'
import { events, isAcceptable, isLines, menuOf, notAcceptable, notPlain, withCharset, type Choose } from './negotiation'
import type { Context, RoutePlan, Settings } from './plan'
import { conditionsOf } from './precondition'
import { FileReply, Reply, Slice, Tagged } from './replies'

/** The answering side of one route. */
export interface ReplyWriter {
  /** Refuses what cannot be answered acceptably, before the handler runs. */
  check(ctx: Context): void
  /** Writes what the handler returned. */
  write(ctx: Context, value: unknown): Awaitable<void>
}

/** What the reply step needs of the application. */
export type ReplySettings = Pick<Settings, 'codecs' | 'toPlain' | 'negotiation' | 'envelope' | 'stopping'>

/** Statuses whose answers have no content, and so no length (RFC 9110 §8.6). */
const bodiless = new Set([204, 205, 304])

/**
 * The writer of a route's answers, specialised at start; the only one that sets `ctx.body` of an answer that succeeds.
 *
 * @param plan the route
 * @param settings codecs, serialiser and negotiation of the application
 */
export function createReply(plan: RoutePlan, settings: ReplySettings): ReplyWriter {
  const { reply, method } = plan
  // Bytes of any type are for who asks for any type: nothing is negotiated.
  const open = reply.produces.includes('*/*')
  const produces = open ? [] : reply.produces
  const { toPlain, stopping } = settings
  const lenient = settings.negotiation === 'lenient'
  const safe = method === 'GET' || method === 'HEAD'

  const menu = menuOf(produces, settings.codecs)
  const { structured, choosePlain, chooseList, chooseStream, streamTypes, textType, textual } = menu
  const encodeJson = (value: unknown): string => JSON.stringify(toPlain(value)) ?? 'null'
  // What a read answers with is only known once it has run, and nothing is lost by that. A write is refused before.
  const checksLate = safe && !lenient && !open && produces.length === 0
  const guard = lenient || open || checksLate ? undefined : menu.guard
  const wrap = settings.envelope === 'urest' ? (result: unknown) => ({ success: true, result }) : undefined

  /** Status and headers that every answer of this route has. */
  function begin(ctx: Context, status: number, headers: HeaderMap | undefined): void {
    ctx.status = status
    for (const [name, value] of reply.headers) addHeader(ctx, name, value)
    if (headers) setHeaders(ctx, headers)
  }

  /** Refuses a text, bytes or a file of a type that the client does not take. */
  function checkType(ctx: Context): void {
    const type = ctx.res.getHeader('Content-Type')
    if (typeof type !== 'string' || isAcceptable(ctx.req.headers.accept, type)) return
    throw notAcceptable(type)
  }

  function writeEmpty(ctx: Context, status: number, headers: HeaderMap | undefined): void {
    // Koa turns an empty body into 204 unless the status is set after it.
    ctx.body = null
    begin(ctx, status, headers)
    // The answer to HEAD tells the length of what GET would send (RFC 9110 §9.3.2).
    const isTold = ctx.method === 'HEAD' && ctx.res.hasHeader('Content-Length')
    if (!bodiless.has(status) && !isTold) ctx.res.setHeader('Content-Length', '0')
  }

  function writePlain(ctx: Context, value: unknown, status: number, headers: HeaderMap | undefined): void {
    const accept = ctx.req.headers.accept
    const choose = Array.isArray(value) ? chooseList : choosePlain
    const offer = choose(accept) ?? (lenient || !safe ? structured[0] : undefined)
    vary(ctx)
    if (!offer) {
      if (structured.length > 0) throw notAcceptable(structured.map(({ type }) => type).join(', '))
      throw new TypeError(`${plan.id} returned an object, and no codec encodes ${produces.join(', ')}`)
    }
    const plain = toPlain(value)
    const body = offer.encode(wrap ? wrap(plain) : plain)
    begin(ctx, status, headers)
    if (!ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', offer.contentType)
    ctx.body = typeof body === 'string' || Buffer.isBuffer(body) ? body : Buffer.from(body)
  }

  function writeText(ctx: Context, text: string, status: number, headers: HeaderMap | undefined): void {
    if (!isTyped(headers) && (!textual || wrap)) return writePlain(ctx, text, status, headers)
    begin(ctx, status, headers)
    if (!ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', withCharset(textType))
    if (checksLate) checkType(ctx)
    ctx.body = text
  }

  function writeBytes(
    ctx: Context,
    bytes: Buffer | Readable,
    status: number,
    headers: HeaderMap | undefined,
  ): Awaitable<void> {
    begin(ctx, status, headers)
    if (!ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', produces[0] ?? 'application/octet-stream')
    ctx.body = bytes
    if (checksLate) checkType(ctx)
    if (bytes instanceof Readable) return ready(bytes)
  }

  function writeStream(
    ctx: Context,
    source: AsyncIterable<unknown>,
    status: number,
    headers: HeaderMap | undefined,
  ): Awaitable<void> {
    const type = typeOf(headers) ?? streamType(ctx, chooseStream, lenient ? streamTypes[0] : undefined)
    if (isDocument(type)) return gather(source, ctx).then((values) => writePlain(ctx, values, status, headers))
    begin(ctx, status, headers)
    vary(ctx)
    const isStream = type === events || isLines(type)
    if (!ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', isStream ? type : withCharset(type))
    if (type === events && !ctx.res.hasHeader('Cache-Control')) ctx.res.setHeader('Cache-Control', 'no-cache')
    // Proxies that buffer would hold events back.
    if (type === events) ctx.res.setHeader('X-Accel-Buffering', 'no')
    const { toChunks, toEvents, toLines } = streams()
    const toStream = type === events ? toEvents : toLines
    const stream = isStream ? toStream(source, ctx, encodeJson, stopping) : toChunks(source, ctx, stopping)
    ctx.body = stream
    return ready(stream)
  }

  /** Whether values of a stream are written as one document of this type. */
  function isDocument(type: string): boolean {
    return !isLines(type) && !notPlain.has(type) && structured.some((offer) => offer.type === type)
  }

  function writeTagged(ctx: Context, tagged: Tagged, status: number, headers: HeaderMap | undefined): Awaitable<void> {
    const etag = formatETag(tagged.rev)
    const validators: Record<string, string> = { ETag: etag }
    if (tagged.modified) validators['Last-Modified'] = formatHttpDate(tagged.modified)
    if (safe) {
      const verdict = evaluate(conditionsOf(ctx), { etag, modified: tagged.modified })
      if (verdict === 'failed')
        throw new PreconditionFailed('The resource has another revision', { headers: { ETag: etag } })
      if (verdict === 'not-modified') {
        vary(ctx)
        const { 'Content-Range': _range, ...kept } = headers ?? {}
        return writeEmpty(ctx, 304, { ...kept, ...validators })
      }
    }
    const all = { ...headers, ...validators }
    if (tagged.value === undefined) return writeEmpty(ctx, status === 200 ? 204 : status, all)
    return writeValue(ctx, tagged.value, status, all)
  }

  function writeNull(ctx: Context, status: number, headers: HeaderMap | undefined): Awaitable<void> {
    if (status === 404) throw new NoSuchResource()
    if (status === 204 || status === 205 || status === 304) return writeEmpty(ctx, status, headers)
    return writePlain(ctx, null, status, headers)
  }

  function writeValue(ctx: Context, value: unknown, status: number, headers: HeaderMap | undefined): Awaitable<void> {
    if (typeof value === 'string') return writeText(ctx, value, status, headers)
    if (typeof value !== 'object' || value === null) return writePlain(ctx, value, status, headers)
    if (value instanceof Tagged) return writeTagged(ctx, value, status, headers)
    if (value instanceof FileReply) {
      begin(ctx, status, headers)
      const sent = (require('./send-file') as typeof import('./send-file')).sendFile(ctx, value)
      return checksLate ? sent.then(() => checkType(ctx)) : sent
    }
    if (value instanceof Slice) return writeRows(ctx, value.items, status, headers)
    if (value instanceof Blob) return writeBlob(ctx, value, status, headers)
    const bytes = toBytes(value)
    if (bytes) return writeBytes(ctx, bytes, status, headers)
    if (isAsyncIterable(value)) return writeStream(ctx, value, status, headers)
    return writePlain(ctx, isLooseIterable(value) ? [...value] : value, status, headers)
  }

  function writeBlob(ctx: Context, blob: Blob, status: number, headers: HeaderMap | undefined): Awaitable<void> {
    const type: HeaderMap = produces.length === 0 && blob.type !== '' ? { 'Content-Type': blob.type } : {}
    const bytes = Readable.fromWeb(blob.stream())
    return writeBytes(ctx, bytes, status, { 'Content-Length': String(blob.size), ...type, ...headers })
  }

  /** The rows of a slice that no `@Paged` takes up. */
  function writeRows(
    ctx: Context,
    rows: Slice['items'],
    status: number,
    headers: HeaderMap | undefined,
  ): Awaitable<void> {
    return isAsyncIterable(rows) ? writeStream(ctx, rows, status, headers) : writePlain(ctx, [...rows], status, headers)
  }

  return {
    check(ctx) {
      guard?.(ctx.req.headers.accept)
    },
    write(ctx, value) {
      if (ctx.respond === false || ctx.res.headersSent) return
      if (value instanceof Reply) {
        const { status, body, headers } = value as Reply
        if (body === undefined) return writeEmpty(ctx, status, headers)
        return body === null ? writePlain(ctx, null, status, headers) : writeValue(ctx, body, status, headers)
      }
      if (reply.redirect) {
        return writeEmpty(ctx, reply.redirect.status, {
          Location: typeof value === 'string' ? value : reply.redirect.to,
        })
      }
      // The handler has written the answer by itself, as Koa's own do.
      if (value === undefined && ctx.body !== undefined) return
      if (value === undefined) return writeEmpty(ctx, reply.explicitStatus ? reply.status : 204, undefined)
      if (value === null) {
        return writeNull(
          ctx,
          reply.explicitStatus && reply.nullStatus === 204 ? reply.status : reply.nullStatus,
          undefined,
        )
      }
      return writeValue(ctx, value, reply.status, undefined)
    },
  }
}

/** Loaded at the first stream. */
function streams(): typeof import('./stream') {
  return require('./stream') as typeof import('./stream')
}

/** Whether the author says of what type a text is: then it is written as it stands. */
function isTyped(headers: HeaderMap | undefined): boolean {
  return typeOf(headers) !== undefined
}

/** The media type that the author says, without parameters. */
function typeOf(headers: HeaderMap | undefined): string | undefined {
  const name = headers && Object.keys(headers).find((each) => each.toLowerCase() === 'content-type')
  return name === undefined ? undefined : String(headers?.[name]).split(';', 1)[0]?.trim().toLowerCase()
}

function streamType(ctx: Context, choose: Choose, fallback: string | undefined): string {
  const type = choose(ctx.req.headers.accept)?.type ?? fallback
  if (type === undefined) throw notAcceptable('a stream of application/x-ndjson or text/event-stream')
  return type
}

function vary(ctx: Context): void {
  if (ctx.res.hasHeader('Vary')) ctx.vary('Accept')
  else ctx.res.setHeader('Vary', 'Accept')
}

function setHeaders(ctx: Context, headers: HeaderMap): void {
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined) ctx.res.setHeader(name, value)
  }
}

/** Link and Vary hold lists: what an earlier middleware set stays. */
function addHeader(ctx: Context, name: string, value: string): void {
  const lower = name.toLowerCase()
  if ((lower === 'link' || lower === 'vary') && ctx.res.hasHeader(name)) ctx.append(name, value)
  else ctx.res.setHeader(name, value)
}

/** Buffers, typed arrays, Node's streams and web streams; `undefined` for all else. */
function toBytes(value: object): Buffer | Readable | undefined {
  if (Buffer.isBuffer(value)) return value
  if (value instanceof Readable) return value.readableObjectMode ? streams().toByteStream(value) : value
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value)
  if (value instanceof ReadableStream) return Readable.fromWeb(value)
  // Streams of other makes: readable-stream and its kin.
  if ('pipe' in value && typeof value.pipe === 'function' && 'on' in value)
    return new Readable().wrap(value as NodeJS.ReadableStream)
  return undefined
}

/** Waits until a stream gives its first bytes, ends or fails: a failure can still become an error's answer. */
function ready(stream: Readable): Promise<void> | undefined {
  if (stream.readableLength > 0 || stream.readableEnded) return undefined
  if (stream.errored) return Promise.reject(stream.errored)
  if (stream.destroyed) return Promise.reject(new Error('The stream of the answer was destroyed before it was sent'))
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      stream.off('readable', settled).off('end', settled).off('close', settled).off('error', settle)
      if (error) reject(error)
      else resolve()
    }
    const settled = (): void => settle()
    stream.once('readable', settled).once('end', settled).once('close', settled).once('error', settle)
  })
}

/** All values of a stream, as far as somebody waits for them. */
async function gather(source: AsyncIterable<unknown>, ctx: Context): Promise<unknown[]> {
  const values: unknown[] = []
  for await (const value of source) {
    if (ctx.res.destroyed) break
    values.push(value)
  }
  return values
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value
}

/** An iterable that is no data of its own: a generator or an iterator, not an array, a map or a set. */
function isLooseIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && 'next' in value && !Array.isArray(value)
}
