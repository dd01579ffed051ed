import { pipeline, Readable, Transform } from 'node:stream'
import type { Context } from './plan'

/** One event of a server-sent stream with its name and id; a plain value is sent as an event's data alone. */
export class StreamEvent {
  constructor(
    readonly data: unknown,
    readonly fields: { readonly event?: string; readonly id?: string; readonly retry?: number } = {},
  ) {}
}

/**
 * An event of a server-sent stream (WHATWG HTML §9.2).
 *
 * @param data sent as JSON, a string as it is
 * @param fields `event` its name, `id` for `Last-Event-ID`, `retry` in milliseconds
 *
 * @example
 * async function* news() { yield event({ title: 'Hello' }, { event: 'post', id: '7' }) }
 */
export function event(data: unknown, fields?: StreamEvent['fields']): StreamEvent {
  return new StreamEvent(data, fields)
}

/** Milliseconds between the comments that keep an idle event stream open. */
const heartbeat = 15_000

/** A value as text on the wire. */
export type Encode = (value: unknown) => string

/** Lines of JSON. */
export function toLines(
  source: AsyncIterable<unknown>,
  ctx: Context,
  encode: Encode,
  stopping?: AbortSignal,
): Readable {
  return stream(source, ctx, (value) => `${encode(value)}\n`, stopping)
}

/** Texts and bytes as they are: for a declared type that has a form of its own. */
export function toChunks(source: AsyncIterable<unknown>, ctx: Context, stopping?: AbortSignal): Readable {
  return stream(source, ctx, toChunk, stopping)
}

/** A stream made for objects as one of bytes: what is no bytes fails it, where Node would throw beside every handler. */
export function toByteStream(source: Readable): Readable {
  const bytes = new Transform({
    writableObjectMode: true,
    transform(chunk, _encoding, done) {
      try {
        done(null, toChunk(chunk))
      } catch (error) {
        done(error as Error)
      }
    },
  })
  // What ends or fails the one does so to the other, and whoever reads hears of it there.
  pipeline(source, bytes, () => undefined)
  return bytes
}

function toChunk(value: unknown): string | Uint8Array {
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  throw new TypeError('The stream gave what is neither text nor bytes')
}

/** Server-sent events, with a comment at once (so that headers reach the client) and whenever nothing happens. */
export function toEvents(
  source: AsyncIterable<unknown>,
  ctx: Context,
  encode: Encode,
  stopping?: AbortSignal,
): Readable {
  const readable = stream(source, ctx, (value) => formatEvent(value, encode), stopping)
  if (stopping?.aborted) return readable
  readable.push(':\n\n')
  const timer = setInterval(() => {
    if (readable.readableLength === 0 && !readable.readableEnded) readable.push(':\n\n')
  }, heartbeat)
  readable.once('close', () => clearInterval(timer))
  return readable
}

function formatEvent(value: unknown, encode: Encode): string {
  const { data, fields } = value instanceof StreamEvent ? value : new StreamEvent(value)
  const text = typeof data === 'string' ? data : encode(data)
  let block = ''
  if (fields.event !== undefined) block += `event: ${oneLine(fields.event)}\n`
  if (fields.id !== undefined) block += `id: ${oneLine(fields.id)}\n`
  if (fields.retry !== undefined) block += `retry: ${Math.trunc(fields.retry)}\n`
  for (const line of text.split(/\r\n|\r|\n/)) block += `data: ${line}\n`
  return `${block}\n`
}

/** A field of an event ends at its line's end, and an id may hold no NUL. */
function oneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ')
}

/**
 * Pulls one value at a time, as fast as the client takes them; returns the iterator as soon as the client has gone, even
 * while its next value is awaited, and ends when the application stops.
 */
function stream(
  source: AsyncIterable<unknown>,
  ctx: Context,
  format: (value: unknown) => string | Uint8Array,
  stopping: AbortSignal | undefined,
): Readable {
  const iterator = source[Symbol.asyncIterator]()
  let pulling = false
  let over = false

  const readable = new Readable({
    highWaterMark: 16_384,
    read() {
      if (!pulling && !over) void pull()
    },
    destroy(error, done) {
      finish()
      done(error)
    },
  })

  async function pull(): Promise<void> {
    pulling = true
    try {
      for (;;) {
        const { done, value } = (await iterator.next()) as IteratorResult<unknown, unknown>
        if (over) return
        if (done) {
          over = true
          stopping?.removeEventListener('abort', end)
          readable.push(null)
          return
        }
        if (!readable.push(format(value))) return
      }
    } catch (error) {
      if (!over) readable.destroy(error instanceof Error ? error : new Error('The stream failed', { cause: error }))
    } finally {
      pulling = false
    }
  }

  /** Lets the source clean up; what it throws at that has nobody left to hear it but the log. */
  function finish(): void {
    stopping?.removeEventListener('abort', end)
    if (over) return
    over = true
    const returned = new Promise((resolve) => resolve(iterator.return?.()))
    returned.catch((error: unknown) => {
      ctx.app.emit('error', error instanceof Error ? error : new Error(String(error)), ctx)
    })
  }

  function end(): void {
    finish()
    readable.push(null)
  }

  if (stopping?.aborted) end()
  else stopping?.addEventListener('abort', end, { once: true })
  return readable
}
