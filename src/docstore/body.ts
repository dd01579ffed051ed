import { ReadableStream } from 'node:stream/web'
import type { Doc, GetOptions } from './driver'
import { StoreError } from './errors'

/** What `put` takes as a body. A Node `Readable` is an async iterable. */
export type BodyInput = string | Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>

const encoder = new TextEncoder()

/** The error of a body above the bound. */
export function tooLarge(max: number): StoreError {
  return new StoreError('too-large', `The body is larger than the ${max} bytes this store takes`)
}

/**
 * A body as bytes, or as pieces of bytes that stop with an error above the bound.
 *
 * @param max bytes at the most
 * @throws StoreError too-large, TypeError where it is no body
 */
export function fromInput(body: BodyInput, max: number): Uint8Array | AsyncIterable<Uint8Array> {
  if (typeof body === 'string' || body instanceof Uint8Array) {
    const bytes = typeof body === 'string' ? encoder.encode(body) : body
    if (bytes.byteLength > max) throw tooLarge(max)
    return bytes
  }
  if (typeof body === 'object' && body !== null && typeof body[Symbol.asyncIterator] === 'function') {
    return pieces(body, max)
  }
  throw new TypeError('A body is a string, a Uint8Array, a ReadableStream or an async iterable of them')
}

async function* pieces(source: AsyncIterable<Uint8Array | string>, max: number): AsyncGenerator<Uint8Array> {
  let size = 0
  for await (const piece of source) {
    if (typeof piece !== 'string' && !(piece instanceof Uint8Array)) {
      throw new TypeError('A streamed body is made of Uint8Array or string')
    }
    const bytes = typeof piece === 'string' ? encoder.encode(piece) : piece
    size += bytes.byteLength
    if (size > max) throw tooLarge(max)
    if (bytes.byteLength > 0) yield bytes
  }
}

/** All pieces as one. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  const only = parts.length === 1 ? parts[0] : undefined
  return only ?? Buffer.concat(parts)
}

/** The same bytes in pieces of exactly `size`, the last one excepted; none for an empty source. */
export async function* chunked(
  source: Uint8Array | AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const piece of source instanceof Uint8Array ? [source] : source) {
    let rest = piece
    while (length + rest.byteLength >= size) {
      const cut = size - length
      yield Buffer.concat([...held, rest.subarray(0, cut)])
      held = []
      length = 0
      rest = rest.subarray(cut)
    }
    if (rest.byteLength > 0) held.push(rest)
    length += rest.byteLength
  }
  if (length > 0) yield Buffer.concat(held)
}

/** Where a read begins and ends, the end exclusive, inside a body of this size. */
export function extent(size: number, range: GetOptions['range']): { readonly start: number; readonly end: number } {
  if (!range) return { start: 0, end: size }
  const start = Math.min(range[0], size)
  return { start, end: Math.max(start, Math.min(range[1] + 1, size)) }
}

/**
 * A body that is read piece by piece as its reader asks, and lets go of its source at the end, on an error or a cancel.
 *
 * @param read the bytes from a position, at most up to the end
 * @param release closes the file or snapshot behind it; called once
 */
export function toStream(
  { start, end }: { readonly start: number; readonly end: number },
  read: (position: number, end: number) => Promise<Uint8Array>,
  release: () => Promise<void>,
): ReadableStream<Uint8Array> {
  let position = start
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const piece = await read(position, end)
          if (piece.byteLength === 0) throw new Error('A stored body is shorter than its metadata says')
          position += piece.byteLength
          controller.enqueue(piece)
        } catch (error) {
          await release()
          throw error
        }
        if (position < end) return
        await release()
        controller.close()
      },
      cancel: release,
    },
    // Nothing is read ahead: a body that nobody reads costs an open file and no more.
    { highWaterMark: 0 },
  )
}

/**
 * The whole body of a document.
 *
 * @param doc what `get` returned; a streamed body can be read once
 *
 * @example
 * const logo = await bytes((await store.get('logo'))!)
 */
export async function bytes(doc: Pick<Doc, 'body'>): Promise<Uint8Array> {
  return doc.body instanceof Uint8Array ? doc.body : collect(doc.body)
}

/**
 * The whole body of a document as UTF-8 text.
 *
 * @param doc what `get` returned
 * @throws TypeError where the body is not UTF-8
 *
 * @example
 * const note = await text((await store.get('note'))!)
 */
export async function text(doc: Pick<Doc, 'body'>): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true }).decode(await bytes(doc))
}

/**
 * The whole body of a document, parsed as JSON (RFC 8259).
 *
 * @param doc what `get` returned
 * @throws SyntaxError where the body is not JSON, TypeError where it is not UTF-8
 *
 * @example
 * const settings = await json<{ theme: string }>((await store.get('settings'))!)
 */
export async function json<T = unknown>(doc: Pick<Doc, 'body'>): Promise<T> {
  return JSON.parse(await text(doc)) as T
}
