import { collect, extent } from '../body'
import { conflict, holds } from '../check'
import type {
  Can,
  DeleteOptions,
  Doc,
  Driver,
  DriverListOptions,
  DriverPutOptions,
  GetOptions,
  Listing,
  Meta,
} from '../driver'
import { StoreError } from '../errors'
import { KeyLocks } from '../key-locks'
import { formatEntry, parseEntry } from '../keyv-entry'
import { entriesOf, type KeyvStorage } from '../keyv-storage'
import { Sequence } from '../sequence'

export { keyvAdapter, type KeyvAdapter, type KeyvAdapterOptions } from '../keyv-adapter'
export type { KeyvStorage } from '../keyv-storage'

/** How documents are kept in a storage of Keyv's. */
export interface KeyvDriverOptions {
  /** What the storage's keys begin with, as Keyv's option of that name. Default `kumu`. */
  readonly namespace?: string
  /** Bytes of the largest body; the storage gets a third more. Default 1 MiB. */
  readonly maxBody?: number
  /** What an acknowledged write survives in this storage: it cannot be asked. Default `memory`. */
  readonly durable?: Can['durable']
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * A driver over a storage adapter of Keyv's, or a `Map`. Conditions hold between the writers of this process alone, lists have
 * no promised order, and each reads the whole storage; without an iterator there are none.
 *
 * The adapter must reject where it fails; one that only emits `error` loses writes in silence.
 *
 * @param storage what Keyv takes as `store`
 * @param options namespace, bounds, clock
 *
 * @example
 * const store = docstore(keyv(new Map()))
 */
export function keyv(storage: KeyvStorage, options: KeyvDriverOptions = {}): Driver {
  return new KeyvDriver(storage, options)
}

/** One for each storage, however many drivers are made over it: together they are this process. */
const allLocks = new WeakMap<KeyvStorage, KeyLocks>()

/** Adapters round what they are told, some to seconds: the time in the entry is the one that counts. */
const rounding = 1000

class KeyvDriver implements Driver {
  readonly name = 'keyv'
  readonly can: Can
  readonly #storage: KeyvStorage
  readonly #namespace: string
  readonly #locks: KeyLocks
  readonly #sequence = new Sequence(Sequence.createEpoch())
  readonly #now: () => number

  constructor(
    storage: KeyvStorage,
    { namespace = 'kumu', maxBody = 1024 * 1024, durable = 'memory', now = Date.now }: KeyvDriverOptions,
  ) {
    this.can = {
      order: false,
      ttl: 'ms',
      watch: false,
      batch: false,
      stream: false,
      maxBody,
      reach: 'process',
      durable,
    }
    this.#storage = storage
    this.#namespace = namespace
    this.#now = now
    this.#locks = allLocks.get(storage) ?? new KeyLocks()
    allLocks.set(storage, this.#locks)
    // As Keyv does: adapters that keep their namespaces apart look here.
    if (!(storage instanceof Map)) storage.namespace = namespace
    // Without a listener an error event would end the process; the calls fail by themselves.
    storage.on?.('error', () => undefined)
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    const found = parseEntry(key, await this.#storage.get(this.#nameOf(key)))
    if (!found) return undefined
    if (this.#isExpired(found.meta)) {
      await this.#reclaim(key)
      return undefined
    }
    const { start, end } = extent(body ? found.meta.size : 0, range)
    return { ...found.meta, body: start === end ? new Uint8Array(0) : found.toBytes().subarray(start, end) }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    const bytes = body instanceof Uint8Array ? body : await collect(body)
    const { type, expires, if: condition } = options
    // The caller may use its bytes otherwise before it is this write's turn.
    const text = Buffer.from(bytes).toString('base64')
    const size = bytes.byteLength
    return this.#locks.run(key, async () => {
      const current = condition === undefined ? undefined : (await this.#read(key))?.meta
      if (!holds(condition, current)) throw conflict(key, current)
      const modified = this.#now()
      const known = { key, rev: this.#sequence.format(this.#sequence.next()), type, size, modified }
      const meta: Meta = expires === undefined ? known : { ...known, expires }
      const ttl = expires === undefined ? undefined : Math.max(1, expires - modified) + rounding
      const done = await this.#storage.set(this.#nameOf(key), formatEntry(meta, text), ttl)
      if (done === false) throw new Error('The Keyv storage did not take the document')
      return meta
    })
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    return this.#locks.run(key, async () => {
      const current = (await this.#read(key))?.meta
      if (!holds(options.if, current)) throw conflict(key, current)
      await this.#storage.delete(this.#nameOf(key))
      return current !== undefined
    })
  }

  async list({ prefix, after, limit }: DriverListOptions): Promise<Listing> {
    const entries = entriesOf(this.#storage, this.#namespace)
    if (!entries) throw new StoreError('unsupported', 'This Keyv storage has no iterator, so it has no list')
    const start = this.#nameOf(prefix)
    const expired: string[] = []
    let items: Meta[] = []
    for await (const [name, value] of entries) {
      if (typeof name !== 'string' || !name.startsWith(start)) continue
      const key = name.slice(this.#nameOf('').length)
      if (after !== undefined && key <= after) continue
      const meta = parseEntry(key, value)?.meta
      if (!meta) continue
      if (this.#isExpired(meta)) {
        if (expired.length < 100) expired.push(key)
        continue
      }
      items.push(meta)
      // No more than some pages at a time, however much there is.
      if (items.length > 4 * limit + 1000) items = sorted(items).slice(0, limit + 1)
    }
    for (const key of expired) await this.#reclaim(key)
    const page = sorted(items).slice(0, limit)
    return items.length > limit ? { items: page, next: page.at(-1)!.key } : { items: page }
  }

  async close(): Promise<void> {
    await this.#storage.disconnect?.()
  }

  async #read(key: string): Promise<ReturnType<typeof parseEntry>> {
    const entry = parseEntry(key, await this.#storage.get(this.#nameOf(key)))
    return entry && !this.#isExpired(entry.meta) ? entry : undefined
  }

  /** Not every storage lets go of what has expired. */
  #reclaim(key: string): Promise<void> {
    return this.#locks.run(key, async () => {
      const entry = parseEntry(key, await this.#storage.get(this.#nameOf(key)))
      if (entry && this.#isExpired(entry.meta)) await this.#storage.delete(this.#nameOf(key))
    })
  }

  #isExpired({ expires }: Meta): boolean {
    return expires !== undefined && expires <= this.#now()
  }

  #nameOf(key: string): string {
    return `${this.#namespace}:${key}`
  }
}

function sorted(items: readonly Meta[]): Meta[] {
  return [...items].sort((left, right) => (left.key < right.key ? -1 : 1))
}
