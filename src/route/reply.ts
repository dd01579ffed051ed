import { Readable } from 'node:stream'
import { types } from 'node:util'
import { NoSuchResource, PreconditionFailed } from '../errors'
import { evaluate, formatETag, formatHttpDate } from '../http/conditional'
import type { Awaitable, HeaderMap } from '../types'
import {
  events,
  isAcceptable,
  isLines,
  menuOf,
  notAcceptable,
  notPlain,
  withCharset,
  type Choose,
  type Offer,
} from './negotiation'
import type { Context, RoutePlan, Settings } from './plan'
import { conditionsOf } from './precondition'
import { FileReply, Reply, Slice, Tagged } from './replies'
import { begin, sendByKoa, sendStraight, varyByAccept } from './send'

/** The answering side of one route. */
export interface ReplyWriter {
  /** Refuses what cannot be answered acceptably, before the handler runs. */
  check(ctx: Context): void
  /** Writes what the handler returned. */
  write(ctx: Context, value: unknown): Awaitable<void>
}

/** What the reply step needs of the application. */
export type ReplySettings = Pick<
  Settings,
  'codecs' | 'toPlain' | 'createJsonWriter' | 'negotiation' | 'envelope' | 'stopping'
>

/**
 * The writer of a route's answers, specialised at start; the only one that sends an answer that succeeds.
 *
 * @param plan the route
 * @param settings codecs, serialiser and negotiation of the application
 * @param straight whether no middleware stands around the route, so that nobody could see `ctx.body`
 */
export function createReply(plan: RoutePlan, settings: ReplySettings, straight = false): ReplyWriter {
  const { reply, method } = plan
  // Bytes of any type are for who asks for any type: nothing is negotiated.
  const open = reply.produces.includes('*/*')
  const produces = open ? [] : reply.produces
  const { toPlain, stopping } = settings
  const lenient = settings.negotiation === 'lenient'
  const safe = method === 'GET' || method === 'HEAD'

  const menu = menuOf(produces, settings.codecs)
  const { structured, choosePlain, chooseList, chooseStream, streamTypes, textType, textual } = menu
  // What a client chooses of the rows, and what stands in a stream, has other shapes than the replies have.
  const writeJson = settings.createJsonWriter()
  const writeItem = settings.createJsonWriter()
  // What a read answers with is only known once it has run, and nothing is lost by that. A write is refused before.
  const checksLate = safe && !lenient && !open && produces.length === 0
  const guard = lenient || open || checksLate ? undefined : menu.guard
  const wrap = settings.envelope === 'urest'

  const send = straight ? sendStraight(reply.headers, stopping) : sendByKoa(reply.headers)

  /** Refuses a text, bytes or a file of a type that the client does not take. */
  function checkType(ctx: Context, headers: HeaderMap | undefined, type: string): void {
    const { accept } = ctx.req.headers
    if (accept === undefined || accept === '*/*') return
    const given = typeOf(headers) ?? ctx.res.getHeader('Content-Type')
    const actual = typeof given === 'string' ? given : type
    if (!isAcceptable(accept, actual)) throw notAcceptable(actual)
  }

  function writeEmpty(ctx: Context, status: number, headers: HeaderMap | undefined): void {
    send(ctx, status, undefined, undefined, false, headers)
  }

  function writePlain(ctx: Context, value: unknown, status: number, headers: HeaderMap | undefined): void {
    const accept = ctx.req.headers.accept
    const choose = Array.isArray(value) ? chooseList : choosePlain
    const offer = choose(accept) ?? (lenient || !safe ? structured[0] : undefined)
    if (!offer) {
      if (structured.length > 0) throw notAcceptable(structured.map(({ type }) => type).join(', '))
      throw new TypeError(`${plan.id} returned an object, and no codec encodes ${produces.join(', ')}`)
    }
    const body = offer.isJson ? toJson(ctx, value) : encode(offer, value)
    send(
      ctx,
      status,
      typeof body === 'string' || Buffer.isBuffer(body) ? body : Buffer.from(body),
      offer.contentType,
      true,
      headers,
    )
  }

  function toJson(ctx: Context, value: unknown): string {
    const write = plan.paging && ctx.req.url?.includes('fields=') ? writeItem : writeJson
    return wrap ? `{"success":true,"result":${write(value)}}` : write(value)
  }

  function encode(offer: Offer, value: unknown): string | Uint8Array {
    const plain = toPlain(value)
    return offer.encode(wrap ? { success: true, result: plain } : plain)
  }

  function writeText(ctx: Context, text: string, status: number, headers: HeaderMap | undefined): void {
    if (!isTyped(headers) && (!textual || wrap)) return writePlain(ctx, text, status, headers)
    const type = withCharset(textType)
    if (checksLate) checkType(ctx, headers, type)
    send(ctx, status, text, type, false, headers)
  }

  function writeBytes(
    ctx: Context,
    bytes: Buffer | Readable,
    status: number,
    headers: HeaderMap | undefined,
  ): Awaitable<void> {
    const type = produces[0] ?? 'application/octet-stream'
    if (!(bytes instanceof Readable)) {
      if (checksLate) checkType(ctx, headers, type)
      return send(ctx, status, bytes, type, false, headers)
    }
    begin(ctx, status, reply.headers, headers)
    if (!ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', type)
    ctx.body = bytes
    if (checksLate) checkType(ctx, headers, type)
    return ready(bytes)
  }

  function writeStream(
    ctx: Context,
    source: AsyncIterable<unknown>,
    status: number,
    headers: HeaderMap | undefined,
  ): Awaitable<void> {
    const type = typeOf(headers) ?? streamType(ctx, chooseStream, lenient ? streamTypes[0] : undefined)
    if (isDocument(type)) return gather(source, ctx).then((values) => writePlain(ctx, values, status, headers))
    begin(ctx, status, reply.headers, headers)
    varyByAccept(ctx)
    const isStream = type === events || isLines(type)
    if (!ctx.res.hasHeader('Content-Type')) ctx.res.setHeader('Content-Type', isStream ? type : withCharset(type))
    if (type === events && !ctx.res.hasHeader('Cache-Control')) ctx.res.setHeader('Cache-Control', 'no-cache')
    // Proxies that buffer would hold events back.
    if (type === events) ctx.res.setHeader('X-Accel-Buffering', 'no')
    const { toChunks, toEvents, toLines } = streams()
    const toStream = type === events ? toEvents : toLines
    const stream = isStream ? toStream(source, ctx, writeItem, stopping) : toChunks(source, ctx, stopping)
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
        const { 'Content-Range': _range, ...kept } = headers ?? {}
        return send(ctx, 304, undefined, undefined, true, { ...kept, ...validators })
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

  /** Where a handler has sent the headers by itself, what it returns is still the body. */
  function writeLate(ctx: Context, value: unknown): void {
    const content: unknown = value instanceof Reply ? value.body : value
    if (content === undefined || ctx.res.writableEnded || ctx.body !== undefined) return
    const bytes = typeof content === 'object' && content !== null ? toBytes(content) : undefined
    ctx.body = bytes ?? (typeof content === 'string' ? content : writeItem(content))
  }

  function writeValue(ctx: Context, value: unknown, status: number, headers: HeaderMap | undefined): Awaitable<void> {
    if (typeof value === 'string') return writeText(ctx, value, status, headers)
    if (typeof value !== 'object' || value === null || isData(value)) return writePlain(ctx, value, status, headers)
    if (value instanceof Tagged) return writeTagged(ctx, value, status, headers)
    if (value instanceof FileReply) {
      begin(ctx, status, reply.headers, headers)
      const sent = (require('./send-file') as typeof import('./send-file')).sendFile(ctx, value)
      return checksLate ? sent.then(() => checkType(ctx, undefined, 'application/octet-stream')) : sent
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
      if (ctx.respond === false) return
      if (ctx.res.headersSent) return writeLate(ctx, value)
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

/** What is data at a glance: most answers need no further question. */
function isData(value: object): boolean {
  if (Array.isArray(value)) return true
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  return !('pipe' in value || 'next' in value || Symbol.asyncIterator in value)
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
