import type { IncomingMessage } from 'node:http'
import { BadRequest, ContentTooLarge } from '../errors'

/** What {@link readChunks} does with a request. */
export interface ChunkReader {
  /** Bytes at the most. */
  readonly limit: number
  /** Takes one chunk; what it throws ends the reading. */
  readonly take: (chunk: Buffer) => void
  /** Ends the reading early, with its reason. */
  readonly signal?: AbortSignal
}

/** {@link ChunkReader}, with what is made of the chunks at the end. */
interface WholeReader<T> extends ChunkReader {
  readonly done: () => T
}

/**
 * Reads a request chunk by chunk, to its end. Where that fails, the rest is dropped as it comes; the request is never
 * destroyed, so the answer can still be sent.
 *
 * @param req the request, unread
 * @param reader what is done with its chunks
 * @throws ContentTooLarge beyond the limit, BadRequest `aborted` where the client leaves
 */
export function readChunks(req: IncomingMessage, reader: ChunkReader): Promise<void> {
  return readWhole(req, { ...reader, done: () => undefined })
}

function readWhole<T>(req: IncomingMessage, { limit, take, signal, done }: WholeReader<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let size = 0
    let isOver = false

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
      isOver = true
      signal?.removeEventListener('abort', onSignal)
      resolve(done())
    }
    function onClose(): void {
      if (!isOver) fail(new BadRequest('The request was not sent to its end', { code: 'aborted' }))
    }
    function onSignal(): void {
      fail(new Error('Nobody reads on', { cause: signal?.reason }))
    }
    function fail(error: Error): void {
      if (isOver) return
      isOver = true
      req.off('data', onData).off('end', onEnd).off('close', onClose)
      signal?.removeEventListener('abort', onSignal)
      // What still comes is dropped: Node does that by itself only for requests of which nothing was read, and the next
      // request of the connection waits behind it.
      req.resume()
      reject(error)
    }

    if (req.destroyed) return onClose()
    // Without a listener for its errors a request that breaks off only closes.
    req.on('data', onData).on('end', onEnd).on('close', onClose)
    signal?.addEventListener('abort', onSignal)
    if (req.isPaused()) req.resume()
  })
}

/**
 * Reads all bytes of a request.
 *
 * @param req the request, unread
 * @param limit bytes at the most
 * @throws as {@link readChunks}
 */
export function readBytes(req: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  return readWhole(req, {
    limit,
    take: (chunk) => void chunks.push(chunk),
    done: () => (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)),
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
