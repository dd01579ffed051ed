import { collect, extent, tooLarge } from '../body'
import { conflict, holds } from '../check'
import type {
  Can,
  Change,
  DeleteOptions,
  Doc,
  Driver,
  DriverListOptions,
  DriverPutOptions,
  GetOptions,
  Listing,
  Meta,
  WatchOptions,
} from '../driver'
import { type NatsAddress, NatsLink } from '../nats-connection'
import { NatsFeed } from '../nats-feed'
import { NatsIndex } from '../nats-index'
import { describeDocument, describeRemoval, type NatsMessage } from '../nats-message'

/** Where a NATS store is, and how it is bounded. */
export interface NatsOptions extends NatsAddress {
  /** Bytes of the largest body. Default: the server's `max_payload`, less 4 KiB for the headers; never more. */
  readonly maxBody?: number
  /** Milliseconds that a deletion stays in the bucket, for watchers who resume. Default 3,600,000. */
  readonly tombstones?: number
  /** The clock, in milliseconds since the epoch; those of all hosts should agree. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * A driver that keeps documents in a JetStream key/value bucket of NATS 2.9 or later, through the packages
 * @nats-io/transport-node, @nats-io/jetstream and @nats-io/kv 3.
 *
 * `can.durable` is `memory` and `can.maxBody` no more than a guess until the first call has asked the server.
 *
 * @param options the servers, bucket, bounds, clock
 * @throws TypeError where the bucket's name is none; Error at the first call, where a package is not installed
 *
 * @example
 * const store = docstore(nats({ servers: 'nats://127.0.0.1:4222', bucket: 'notes' }))
 */
export function nats(options: NatsOptions = {}): Driver {
  return new NatsDriver(options)
}

/** Bytes of a message that are not the body: our description, the largest type in it, and what NATS adds. */
const overhead = 4096

/** What no server exceeds. */
const maxPayload = 64 * 1024 * 1024

/**
 * A key is a subject of the stream, its last message the document. A write names the number of the message that it was
 * decided upon; the server refuses it where that is no longer the last one, and it is decided anew.
 */
class NatsDriver implements Driver {
  readonly name = 'nats'
  readonly #link: NatsLink
  readonly #index: NatsIndex
  readonly #feed: NatsFeed
  readonly #maxBody: number
  readonly #tombstones: number
  readonly #now: () => number
  #bound = maxPayload
  #durable: Can['durable'] = 'memory'
  #sweeping: Promise<void> | undefined
  #sweptAt = -Infinity

  constructor({ maxBody = Infinity, tombstones = 3_600_000, now = Date.now, ...address }: NatsOptions) {
    const { bucket = 'kumu', history = 16 } = address
    if (!/^[A-Za-z0-9_-]{1,100}$/.test(bucket)) {
      throw new TypeError('bucket takes 1 to 100 of the characters A-Z a-z 0-9 _ -')
    }
    if (!Number.isInteger(history) || history < 1 || history > 64) throw new RangeError('history takes 1 to 64')
    this.#maxBody = maxBody
    this.#tombstones = tombstones
    this.#now = now
    this.#link = new NatsLink(address, ({ maxPayload: payload, isFile }) => {
      this.#bound = payload - overhead
      this.#durable = isFile ? 'crash' : 'memory'
    })
    this.#index = new NatsIndex(this.#link)
    this.#feed = new NatsFeed(this.#link, () => this.#reclaim())
  }

  get can(): Can {
    return {
      order: true,
      ttl: 'ms',
      watch: 'resume',
      batch: false,
      stream: false,
      maxBody: Math.min(this.#maxBody, this.#bound),
      reach: 'cluster',
      durable: this.#durable,
    }
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    const found = await this.#link.use((bucket) => bucket.last(key))
    const meta = found && this.#live(found.message)
    if (!meta) {
      if (found?.message.meta) await this.#expire(found.message)
      return undefined
    }
    const { start, end } = extent(body ? meta.size : 0, range)
    return { ...meta, body: found.body.subarray(start, end) }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    const bytes = body instanceof Uint8Array ? body : await collect(body)
    await this.#feed.started()
    await this.#link.bucket()
    if (bytes.byteLength > this.can.maxBody) throw tooLarge(this.can.maxBody)
    const { type, expires } = options
    for (;;) {
      const expected = options.if === undefined ? undefined : await this.#decide(key, options)
      const known = {
        type,
        size: bytes.byteLength,
        modified: this.#now(),
        ...(expires === undefined ? {} : { expires }),
      }
      const { headers, toMeta } = describeDocument(key, known)
      const seq = await this.#link.use((bucket) => bucket.append(key, bytes, headers, expected?.seq))
      if (seq !== undefined) return toMeta(seq)
    }
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    await this.#feed.started()
    for (;;) {
      const { seq, message } = await this.#decide(key, options)
      if (!message?.meta) return false
      const live = this.#live(message) !== undefined
      if (await this.#remove(key, seq, live ? 'delete' : 'expire')) return live
    }
  }

  async list({ prefix, after, limit, reverse }: DriverListOptions): Promise<Listing> {
    const { items, next } = await this.#index.page(prefix, after, limit, reverse)
    const now = this.#now()
    this.#sweepSoon()
    const live = items.filter(({ expires }) => expires === undefined || expires > now)
    return next === undefined ? { items: live } : { items: live, next }
  }

  watch(options: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    // It knows what expires; while somebody watches, somebody looks.
    this.#index.start()
    return this.#feed.watch(options)
  }

  async ping(): Promise<void> {
    await this.#link.use((bucket) => bucket.state())
  }

  async close(): Promise<void> {
    this.#index.stop()
    this.#feed.stop()
    await this.#sweeping
    await this.#link.close()
  }

  /** What is there, expired or not, with its number. @throws StoreError where the condition does not hold */
  async #decide(key: string, options: DeleteOptions): Promise<{ seq: number; message?: NatsMessage }> {
    const message = (await this.#link.use((bucket) => bucket.last(key)))?.message
    const current = message && this.#live(message)
    if (!holds(options.if, current)) throw conflict(key, current)
    return { seq: message?.seq ?? 0, message }
  }

  /** Whether the message was still the last one of the key. */
  async #remove(key: string, seq: number, op: 'delete' | 'expire'): Promise<boolean> {
    const headers = describeRemoval(op)
    const done = await this.#link.use((bucket) => bucket.append(key, new Uint8Array(0), headers, seq))
    return done !== undefined
  }

  #live({ meta }: NatsMessage): Meta | undefined {
    return meta && (meta.expires === undefined || meta.expires > this.#now()) ? meta : undefined
  }

  async #expire({ key, seq }: NatsMessage): Promise<void> {
    // Where it is no longer the last one, somebody else was here.
    await this.#remove(key, seq, 'expire')
  }

  async #reclaim(): Promise<void> {
    for (const message of this.#index.due(this.#now())) await this.#expire(message)
  }

  /** Frees what has expired and forgets old deletions, in the background, once a minute at the most. */
  #sweepSoon(): void {
    if (this.#sweeping || performance.now() - this.#sweptAt < 60_000) return
    this.#sweptAt = performance.now()
    this.#sweeping = this.#sweep()
      // Nobody waits for it, and the next one tries again.
      .catch(() => undefined)
      .finally(() => (this.#sweeping = undefined))
  }

  async #sweep(): Promise<void> {
    await this.#reclaim()
    // By the server's clock, which stamped the deletions; a minute more or less does not matter here.
    for (const message of this.#index.removedBefore(Date.now() - this.#tombstones)) {
      await this.#link.use((bucket) => bucket.forget(message.key, message.seq))
      this.#index.forget(message)
    }
  }
}
