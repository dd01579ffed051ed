import { randomBytes } from 'node:crypto'
import { chunked } from './body'
import type { RedisConnection } from './redis-connection'
import { chunkScript } from './redis-scripts'

/** Bytes of a chunk: every one but the last of a body has this length. A body that fits one stays with its metadata. */
export const chunkLength = 256 * 1024

/** Milliseconds that the chunks of a replaced or deleted body stay for those who read it. Reading prolongs it. */
export const grace = 60_000

/** Milliseconds that a staged chunk stays by itself: what a crashed writer left goes away without a sweep. */
const stagingTime = 3_600_000

/** A body that is written, or small enough to be written with its metadata; nothing refers to it yet. */
export interface StagedBody {
  readonly size: number
  readonly id: string
  readonly chunks: number
  /** The whole of it, where there are no chunks. */
  readonly bytes: Buffer
}

const none: Buffer = Buffer.alloc(0)

/** Writes chunks of large bodies as they come; one or two of them are in memory at a time. */
export class RedisBodies {
  readonly #redis: Pick<RedisConnection, 'send' | 'run'>
  /** What the names of chunks begin with. */
  readonly #name: string

  constructor(redis: Pick<RedisConnection, 'send' | 'run'>, name: string) {
    this.#redis = redis
    this.#name = name
  }

  async stage(body: Uint8Array | AsyncIterable<Uint8Array>): Promise<StagedBody> {
    if (body instanceof Uint8Array && body.byteLength <= chunkLength) {
      return { size: body.byteLength, id: '', chunks: 0, bytes: toBuffer(body) }
    }
    const id = randomBytes(12).toString('hex')
    let first = none
    let size = 0
    let chunks = 0
    let touched = Date.now()
    try {
      for await (const chunk of chunked(body, chunkLength)) {
        if (chunks === 0) first = toBuffer(chunk)
        if (chunks === 1) await this.#set(id, 0, first)
        if (chunks > 0) await this.#set(id, chunks, toBuffer(chunk))
        chunks++
        size += chunk.byteLength
        if (chunks > 1 && Date.now() - touched > stagingTime / 4) {
          touched = Date.now()
          await this.#touch(id, chunks)
        }
      }
    } catch (error) {
      if (chunks > 1) await this.discard({ id, chunks })
      throw error
    }
    return chunks > 1 ? { size, id, chunks, bytes: none } : { size, id, chunks: 0, bytes: first }
  }

  /** Removes the chunks of a body that nothing refers to, as far as the server can be reached: they expire anyway. */
  async discard({ id, chunks }: Pick<StagedBody, 'id' | 'chunks'>): Promise<void> {
    if (chunks === 0) return
    const names = Array.from({ length: chunks }, (_, index) => this.#nameOf(id, index))
    await this.#redis.send('UNLINK', ...names).catch(() => undefined)
  }

  /** Bytes from a position to an end, at most to the end of the chunk that holds the position. */
  async read({ id, chunks }: Pick<StagedBody, 'id' | 'chunks'>, start: number, end: number): Promise<Uint8Array> {
    const index = Math.floor(start / chunkLength)
    const from = index * chunkLength
    const last = Math.min(end - from, chunkLength) - 1
    const args = [index, start - from, last, chunks, grace]
    const bytes = await this.#redis.run(chunkScript, [`${this.#name}${id}:`], args)
    if (Buffer.isBuffer(bytes)) return bytes
    throw new Error(`The document was replaced or deleted, and its old body not read on for ${grace / 1000} s`)
  }

  #set(id: string, index: number, chunk: Buffer): Promise<unknown> {
    return this.#redis.send('SET', this.#nameOf(id, index), chunk, 'PX', stagingTime)
  }

  async #touch(id: string, chunks: number): Promise<void> {
    const names = Array.from({ length: chunks }, (_, index) => this.#nameOf(id, index))
    await Promise.all(names.map((name) => this.#redis.send('PEXPIRE', name, stagingTime)))
  }

  #nameOf(id: string, index: number): string {
    return `${this.#name}${id}:${index}`
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
