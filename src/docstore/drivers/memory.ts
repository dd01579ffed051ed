import { collect, extent } from '../body'
import { type ChangeLog, type Entry, follow, Pulse, tooOld } from '../changes'
import { conflict, holds } from '../check'
import type {
  Can,
  Change,
  DeleteOptions,
  Doc,
  Driver,
  DriverListOptions,
  DriverOp,
  DriverPutOptions,
  GetOptions,
  Listing,
  Meta,
  WatchOptions,
} from '../driver'
import { Sequence } from '../sequence'
import { SortedSet } from '../sorted-set'

/** How a memory store is bounded. */
export interface MemoryOptions {
  /** Bytes of the largest body. Default 64 MiB. */
  readonly maxBody?: number
  /** Changes that are kept for watchers who resume. Default 1,000. */
  readonly log?: number
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

interface Stored {
  readonly meta: Meta
  readonly body: Uint8Array
}

/**
 * A driver that keeps documents in the memory of this process.
 *
 * @param options bounds and clock
 *
 * @example
 * const store = docstore(memory({ log: 100 }))
 */
export function memory(options: MemoryOptions = {}): Driver {
  return new MemoryDriver(options)
}

/** Every step from a check to its write is synchronous: that alone makes conditions and batches atomic. */
class MemoryDriver implements Driver, ChangeLog {
  readonly name = 'memory'
  readonly can: Can
  readonly #docs = new Map<string, Stored>()
  readonly #keys = new SortedSet()
  /** `<time> <key>`, the soonest first. */
  readonly #expiries = new SortedSet()
  readonly #sequence = new Sequence(Sequence.createEpoch())
  readonly #pulse = new Pulse(0)
  readonly #now: () => number
  readonly #logSize: number
  #log: Entry[] = []
  #watchers = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ maxBody = 64 * 1024 * 1024, log = 1000, now = Date.now }: MemoryOptions) {
    this.can = {
      order: true,
      ttl: 'ms',
      watch: 'resume',
      batch: true,
      stream: false,
      maxBody,
      reach: 'process',
      durable: 'memory',
    }
    this.#logSize = log
    this.#now = now
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    this.#reclaim()
    const stored = this.#live(key)
    if (!stored) return undefined
    const { start, end } = extent(body ? stored.meta.size : 0, range)
    // A copy: what a caller does to its bytes is not done to the store.
    return { ...stored.meta, body: stored.body.slice(start, end) }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    const bytes = body instanceof Uint8Array ? body : await collect(body)
    this.#reclaim()
    this.#assertHolds(key, options)
    return this.#write(key, bytes, options)
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    this.#reclaim()
    this.#assertHolds(key, options)
    return this.#live(key) !== undefined && this.#remove(key, 'delete')
  }

  async list({ prefix, after, limit, reverse }: DriverListOptions): Promise<Listing> {
    this.#reclaim()
    const keys = this.#keys.page(prefix, after, limit, reverse)
    const more = keys.length > limit
    if (more) keys.pop()
    const items = keys.flatMap((key) => this.#live(key)?.meta ?? [])
    return more ? { items, next: keys.at(-1) } : { items }
  }

  async batch(ops: readonly DriverOp[]): Promise<readonly Meta[]> {
    this.#reclaim()
    for (const { key, options } of ops) this.#assertHolds(key, options)
    return ops.flatMap((op) => {
      if (op.op === 'put') return this.#write(op.key, op.body, op.options)
      if (this.#live(op.key)) this.#remove(op.key, 'delete')
      return []
    })
  }

  watch({ since, ...options }: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    return this.#follow(since === undefined ? this.#sequence.last : this.#sequence.parse(since), options)
  }

  read(after: number, limit: number): readonly Entry[] | undefined {
    const oldest = this.#log[0]?.number ?? this.#sequence.last + 1
    if (after < oldest - 1) return undefined
    return this.#log.slice(after - oldest + 1, after - oldest + 1 + limit)
  }

  changed(after: number, signal: AbortSignal): Promise<void> {
    return this.#pulse.passed(after, signal)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#docs.clear()
  }

  async *#follow(
    after: number | undefined,
    options: { readonly prefix?: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Change> {
    if (after === undefined) throw tooOld()
    this.#watchers++
    // Expiry is seen by whoever comes by; while somebody watches, somebody comes by.
    this.#timer ??= setInterval(() => this.#reclaim(), 1000).unref()
    try {
      yield* follow(this, after, options)
    } finally {
      if (--this.#watchers === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  #live(key: string): Stored | undefined {
    const stored = this.#docs.get(key)
    return stored && isExpired(stored.meta, this.#now()) ? undefined : stored
  }

  #assertHolds(key: string, options: DeleteOptions): void {
    const current = this.#live(key)?.meta
    if (!holds(options.if, current)) throw conflict(key, current)
  }

  #write(key: string, body: Uint8Array, { type, expires }: DriverPutOptions): Meta {
    const rev = this.#append('put', key)
    const known = { key, rev, type, size: body.byteLength, modified: this.#now() }
    const meta: Meta = Object.freeze(expires === undefined ? known : { ...known, expires })
    this.#forgetExpiry(key)
    // A copy, as in get; `slice` of a Buffer would be a view.
    this.#docs.set(key, { meta, body: new Uint8Array(body) })
    this.#keys.add(key)
    if (expires !== undefined) this.#expiries.add(expiryOf(meta, expires))
    return meta
  }

  #remove(key: string, op: 'delete' | 'expire'): true {
    this.#forgetExpiry(key)
    this.#docs.delete(key)
    this.#keys.delete(key)
    this.#append(op, key)
    return true
  }

  #append(op: Change['op'], key: string): string {
    const number = this.#sequence.next()
    const seq = this.#sequence.format(number)
    this.#log.push(op === 'put' ? { number, seq, op, key, rev: seq } : { number, seq, op, key })
    // Cut in strides: one by one would move the whole log with every write.
    if (this.#log.length >= 2 * this.#logSize + 1) this.#log = this.#log.slice(this.#log.length - this.#logSize)
    this.#pulse.reach(number)
    return seq
  }

  #forgetExpiry(key: string): void {
    const meta = this.#docs.get(key)?.meta
    if (meta?.expires !== undefined) this.#expiries.delete(expiryOf(meta, meta.expires))
  }

  /** Lets go of some of what has expired: a bounded piece of work for every call. */
  #reclaim(): void {
    for (let freed = 0; freed < 100; freed++) {
      const soonest = this.#expiries.first
      if (soonest === undefined) return
      const key = soonest.slice(soonest.indexOf(' ') + 1)
      const meta = this.#docs.get(key)?.meta
      if (!meta || !isExpired(meta, this.#now())) return
      this.#remove(key, 'expire')
    }
  }
}

function isExpired({ expires }: Meta, now: number): boolean {
  return expires !== undefined && expires <= now
}

function expiryOf({ key }: Meta, expires: number): string {
  return `${String(expires).padStart(16, '0')} ${key}`
}
