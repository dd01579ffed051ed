import { AsyncResource } from 'node:async_hooks'
import type { IncomingMessage } from 'node:http'
import { BadRequest, ContentTooLarge } from '../errors'

/** What {@link readChunks} does with a request. */
export interface ChunkReader<T> {
  /** Bytes at the most. */
  readonly limit: number
  /** Takes one chunk; what it throws ends the reading. */
  readonly take: (chunk: Buffer) => void
  /** Makes the result, at the end of the request. */
  readonly done: () => T | Promise<T>
  /** Ends the reading early, with its reason. */
  readonly signal?: AbortSignal
}

/**
 * Reads a request chunk by chunk. Where that fails, the rest is dropped as it comes; the request is never destroyed,
 * so the answer can still be sent.
 *
 * @param req the request, unread
 * @param reader what is done with its chunks
 * @throws ContentTooLarge beyond the limit, BadRequest `aborted` where the client leaves
 */
export function readChunks<T>(req: IncomingMessage, { limit, take, done, signal }: ChunkReader<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let size = 0
    // The parser of the connection tells of the end, outside the asynchronous context of the request.
    const finish = AsyncResource.bind(done)

    function onData(chunk: Buffer): void {
      size += chunk.length
      if (size > limit) return fail(tooLarge(limit))
      try {
        take(chunk)
      } catch (error) {
        fail(error as Error)
      }
    }
    function onEnd(): void {
      detach()
      try {
        resolve(finish())
      } catch (error) {
        fail(error as Error)
      }
    }
    function onGone(): void {
      fail(new BadRequest('The request was not sent to its end', { code: 'aborted' }))
    }
    function onSignal(): void {
      fail(new Error('Nobody reads on', { cause: signal?.reason }))
    }
    function fail(error: Error): void {
      detach()
      // What still comes is dropped: Node does that by itself only for requests of which nothing was read, and the next
      // request of the connection waits behind it.
      req.resume()
      reject(error)
    }
    function detach(): void {
      req.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
      signal?.removeEventListener('abort', onSignal)
    }

    if (req.destroyed) return onGone()
    req.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone)
    signal?.addEventListener('abort', onSignal)
    if (req.isPaused()) req.resume()
  })
}

/**
 * Reads all bytes of a request, and hands them on.
 *
 * @param req the request, unread
 * @param limit bytes at the most
 * @param use makes the result of them
 * @throws as {@link readChunks}, and what `use` throws
 */
export function readBytes<T>(req: IncomingMessage, limit: number, use: (bytes: Buffer) => T | Promise<T>): Promise<T> {
  const chunks: Buffer[] = []
  return readChunks<T>(req, {
    limit,
    take: (chunk) => void chunks.push(chunk),
    done: () => use(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
  })
}

/**
 * Refuses a request by the length it announces, before a byte is read (RFC 9110 §8.6).
 *
 * @throws ContentTooLarge where that is beyond the limit
 */
export function checkLength(req: IncomingMessage, limit: number): void {
  const length = req.headers['content-length']
  if (length !== undefined && Number(length) > limit) throw tooLarge(limit)
}

/**
 * Whether a request can have a body (RFC 9112 §6.3): in HTTP/1.1 its headers say so, above that only its stream does.
 */
export function mayHaveBody(req: IncomingMessage): boolean {
  const length = req.headers['content-length']
  if (length !== undefined) return length !== '0'
  return req.headers['transfer-encoding'] !== undefined || req.httpVersionMajor > 1
}

/** The 413 of something beyond a limit in bytes. */
export function tooLarge(limit: number, subject = 'The body'): ContentTooLarge {
  return new ContentTooLarge(`${subject} is larger than ${limit} bytes`, { code: 'too-large' })
}
