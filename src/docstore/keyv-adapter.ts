import { json } from './body'
import { assertPrefix } from './check'
import type { Meta } from './driver'
import { decodeName, isHashed, shortName, shortPrefix } from './keyv-names'
import type { Store } from './store'

/** How Keyv's entries are kept in a store. */
export interface KeyvAdapterOptions {
  /** What the keys of the store begin with, 100 characters at the most. Default `keyv-`. */
  readonly prefix?: string
}

/** A storage adapter of Keyv's. */
export interface KeyvAdapter {
  /** Keyv asks adapters of known names alone for an iterator. */
  readonly opts: { readonly dialect: string }
  /** What `clear` clears; all there is where it is undefined. Keyv sets it. */
  namespace: string | undefined
  get<Value>(key: string): Promise<Value | undefined>
  has(key: string): Promise<boolean>
  /** @param ttl milliseconds */
  set(key: string, value: unknown, ttl?: number): Promise<boolean>
  delete(key: string): Promise<boolean>
  clear(): Promise<void>
  iterator<Value>(namespace?: string): AsyncGenerator<[string, Value | undefined], void>
  /** Nothing is emitted: calls that fail reject. */
  on(event: string, listener: (...values: never[]) => void): this
}

/**
 * A store as a storage adapter of Keyv's. The store stays its owner's: Keyv's `disconnect` does not close it.
 *
 * @param store any store; expiry works without its help too
 * @param options what its keys begin with
 * @throws StoreError bad-key where the prefix is no beginning of a key, RangeError where it is too long
 *
 * @example
 * const cache = new Keyv({ store: keyvAdapter(docstore(memory())) })
 */
export function keyvAdapter(store: Store, options: KeyvAdapterOptions = {}): KeyvAdapter {
  return new StoreAdapter(store, options)
}

/** Tells entries from other documents of the store. */
const entryType = 'application/vnd.kumu.keyv+json'

interface Entry {
  /** A name that is a hash does not say it. */
  readonly key: string
  readonly value?: unknown
  readonly expires?: number
}

class StoreAdapter implements KeyvAdapter {
  readonly opts = { dialect: 'redis' }
  namespace: string | undefined
  readonly #store: Store
  readonly #prefix: string
  readonly #length: number

  constructor(store: Store, { prefix = 'keyv-' }: KeyvAdapterOptions) {
    assertPrefix(prefix, 'prefix')
    if (prefix.length > 100) throw new RangeError('prefix takes 100 characters at the most')
    this.#store = store
    this.#prefix = prefix
    this.#length = 255 - prefix.length
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.#read(this.#nameOf(key)))?.value as Value | undefined
  }

  async has(key: string): Promise<boolean> {
    return (await this.#read(this.#nameOf(key))) !== undefined
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const expires = ttl === undefined || ttl === Infinity ? undefined : Math.max(0, Math.ceil(Date.now() + ttl))
    const entry: Entry = { key, value, expires }
    // A store without expiry keeps it for good; it is absent all the same.
    const options = this.#store.can.ttl ? { expires } : {}
    await this.#store.put(this.#nameOf(key), JSON.stringify(entry), { type: entryType, ...options })
    return true
  }

  async delete(key: string): Promise<boolean> {
    return this.#store.delete(this.#nameOf(key))
  }

  async clear(): Promise<void> {
    const start = this.namespace === undefined ? '' : `${this.namespace}:`
    for await (const { key: name } of this.#names(start)) {
      const key = isHashed(name) ? (await this.#read(name))?.key : decodeName(name.slice(this.#prefix.length))
      if (key?.startsWith(start)) await this.#store.delete(name)
    }
  }

  async *iterator<Value>(namespace?: string): AsyncGenerator<[string, Value | undefined], void> {
    const start = namespace === undefined ? '' : `${namespace}:`
    for await (const { key: name } of this.#names(start)) {
      const entry = await this.#read(name)
      if (entry?.key.startsWith(start)) yield [entry.key, entry.value as Value | undefined]
    }
  }

  on(): this {
    return this
  }

  async *#names(start: string): AsyncGenerator<Meta> {
    const prefix = this.#prefix + shortPrefix(start, this.#length)
    let after: string | undefined
    do {
      const page = await this.#store.list({ prefix, after, limit: 1000 })
      yield* page.items.filter(({ type }) => type === entryType)
      after = page.next
    } while (after !== undefined)
  }

  async #read(name: string): Promise<Entry | undefined> {
    const doc = await this.#store.get(name)
    if (doc?.type !== entryType) return undefined
    const entry = await json<Entry>(doc)
    return entry.expires !== undefined && entry.expires <= Date.now() ? undefined : entry
  }

  #nameOf(key: string): string {
    return this.#prefix + shortName(key, this.#length)
  }
}
