import { type BodyInput, collect, fromInput } from './body'
import { assertCondition, assertKey, assertPrefix, isMediaType } from './check'
import type {
  Can,
  Change,
  DeleteOptions,
  Doc,
  Driver,
  DriverOp,
  DriverPutOptions,
  GetOptions,
  Listing,
  ListOptions,
  Meta,
  Op,
  PutOptions,
  Query,
  QueryPage,
  WatchOptions,
} from './driver'
import { StoreError } from './errors'
import { checkQuery } from './query'
import { scan } from './query-scan'

/** Documents by key. Every method throws {@link StoreError} `closed` after `close`, and `bad-key` before any I/O. */
export interface Store {
  /** The driver's name. */
  readonly name: string
  readonly can: Can
  /** The metadata alone, or nothing. */
  get(key: string, options: GetOptions & { readonly body: false }): Promise<Meta | undefined>
  /** The document, or nothing. An expired one is not there. */
  get(key: string, options?: GetOptions): Promise<Doc | undefined>
  /** Writes, if the condition holds, in one atomic step. @throws StoreError conflict, unsupported, too-large */
  put(key: string, body: BodyInput, options?: PutOptions): Promise<Meta>
  /** Deletes, if the condition holds; whether there was something. @throws StoreError conflict */
  delete(key: string, options?: DeleteOptions): Promise<boolean>
  /** One page of the metadata, in byte order of the keys. Complete if, and only if, `next` is undefined. */
  list(options?: ListOptions): Promise<Listing>
  /** All writes or none; the metadata of what was put, in the order of the puts. @throws StoreError conflict, unsupported */
  batch(ops: readonly Op[]): Promise<readonly Meta[]>
  /** Follows the changes: at least once each, in order for each key. @throws StoreError gone, unsupported */
  watch(options?: WatchOptions): AsyncIterable<Change>
  /**
   * Finds documents by what is in them. Only those of a JSON type (`application/json`, `…+json`) that hold JSON and are
   * 16 MiB at the most take part. Some drivers ask their database, all others read every document: O(stored).
   */
  query(query: Query): Promise<QueryPage>
  /** Asks whether the backend answers; throws what is wrong with it. */
  ping(): Promise<void>
  /** Ends the feeds, waits for calls in flight, lets go of the backend. Any number of times. */
  close(): Promise<void>
}

const defaultLimit = 100
const maximalLimit = 1000
const maximalBatch = 1000

/**
 * A store over a driver: it checks what is asked, the driver does it.
 *
 * @param driver `memory()`, `file({ dir })`, `level({ dir })` and so on; opened at the first call
 *
 * @example
 * const store = docstore(memory())
 * const { rev } = await store.put('greeting', 'hello', { type: 'text/plain', if: null })
 * await store.put('greeting', 'good morning', { type: 'text/plain', if: rev })
 */
export function docstore(driver: Driver): Store {
  return new CheckedStore(driver)
}

class CheckedStore implements Store {
  readonly #driver: Driver
  readonly #ending = new AbortController()
  #inFlight = 0
  #onIdle: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(driver: Driver) {
    this.#driver = driver
  }

  get name(): string {
    return this.#driver.name
  }

  get can(): Can {
    return this.#driver.can
  }

  get(key: string, options: GetOptions & { readonly body: false }): Promise<Meta | undefined>
  get(key: string, options?: GetOptions): Promise<Doc | undefined>
  async get(key: string, options: GetOptions = {}): Promise<Meta | undefined> {
    this.#assertOpen()
    assertKey(key)
    if (options.range) assertRange(options.range)
    const doc = await this.#run(() => this.#driver.get(key, options))
    return doc && options.body === false ? toMeta(doc) : doc
  }

  async put(key: string, body: BodyInput, options: PutOptions = {}): Promise<Meta> {
    this.#assertOpen()
    assertKey(key)
    const checked = this.#putOptions(options)
    const input = fromInput(body, this.can.maxBody)
    return this.#run(async () => {
      const ready = input instanceof Uint8Array || this.can.stream ? input : await collect(input)
      return this.#driver.put(key, ready, checked)
    })
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    this.#assertOpen()
    assertKey(key)
    assertCondition(options.if)
    return this.#run(() => this.#driver.delete(key, options))
  }

  async list(options: ListOptions = {}): Promise<Listing> {
    this.#assertOpen()
    const { prefix = '', after, limit = defaultLimit, reverse = false } = options
    assertPrefix(prefix, 'prefix')
    if (after !== undefined) assertPrefix(after, 'after')
    if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError('limit takes a whole number from 1')
    if (reverse && !this.can.order) throw this.#unsupported('reverse')
    return this.#run(() => this.#driver.list({ prefix, after, limit: Math.min(limit, maximalLimit), reverse }))
  }

  async batch(ops: readonly Op[]): Promise<readonly Meta[]> {
    this.#assertOpen()
    const driver = this.#driver
    if (!this.can.batch || !hasBatch(driver)) throw this.#unsupported('batch')
    if (ops.length > maximalBatch) throw new RangeError(`A batch takes ${maximalBatch} writes at the most`)
    const checked = ops.map((op) => this.#batchOp(op))
    if (new Set(ops.map(({ key }) => key)).size < ops.length) throw new TypeError('A batch names each key once')
    return this.#run(() => driver.batch(checked))
  }

  watch(options: WatchOptions = {}): AsyncIterable<Change> {
    this.#assertOpen()
    const driver = this.#driver
    const { since, prefix, signal } = options
    if (!this.can.watch || !hasWatch(driver)) throw this.#unsupported('watch')
    if (since !== undefined && this.can.watch !== 'resume') throw this.#unsupported('since')
    if (since !== undefined && typeof since !== 'string') throw new TypeError('since takes a sequence')
    if (prefix !== undefined) assertPrefix(prefix, 'prefix')
    const ending = this.#ending.signal
    return driver.watch({ since, prefix, signal: signal ? AbortSignal.any([signal, ending]) : ending })
  }

  async query(query: Query): Promise<QueryPage> {
    this.#assertOpen()
    const { prefix = '', after } = query
    assertPrefix(prefix, 'prefix')
    if (after) assertPrefix(after.key, 'after.key')
    const checked = checkQuery(query, prefix)
    const driver = this.#driver
    return this.#run(() => (hasQuery(driver) ? driver.query(checked) : scan(driver, checked)))
  }

  async ping(): Promise<void> {
    this.#assertOpen()
    const driver = this.#driver
    await this.#run<unknown>(() => (hasPing(driver) ? driver.ping() : driver.get('ping', { body: false })))
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#ending.abort()
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    await this.#driver.close()
  }

  #assertOpen(): void {
    if (this.#ending.signal.aborted) throw new StoreError('closed', 'The store is closed')
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#inFlight++
    try {
      return await work()
    } finally {
      this.#inFlight--
      if (this.#inFlight === 0) this.#onIdle?.()
    }
  }

  #putOptions(options: PutOptions): DriverPutOptions {
    const { type = 'application/octet-stream', expires, if: condition } = options
    if (!isMediaType(type)) throw new TypeError('type takes a media type of at most 255 characters')
    if (expires !== undefined) {
      if (!Number.isSafeInteger(expires) || expires < 0)
        throw new RangeError('expires takes milliseconds since the epoch')
      if (!this.can.ttl) throw this.#unsupported('expires')
    }
    assertCondition(condition)
    return { type, expires, if: condition }
  }

  #batchOp(op: Op): DriverOp {
    assertKey(op.key)
    if (op.op === 'delete') {
      assertCondition(op.if)
      return { op: 'delete', key: op.key, options: { if: op.if } }
    }
    if (op.op !== 'put') throw new TypeError('A batch takes put and delete')
    const body = fromInput(op.body, this.can.maxBody)
    if (!(body instanceof Uint8Array)) throw new TypeError('A body in a batch is a string or a Uint8Array')
    return { op: 'put', key: op.key, body, options: this.#putOptions(op) }
  }

  #unsupported(option: string): StoreError {
    return new StoreError('unsupported', `The ${this.name} store has no ${option}`)
  }
}

function hasBatch(driver: Driver): driver is Driver & Required<Pick<Driver, 'batch'>> {
  return driver.batch !== undefined
}

function hasWatch(driver: Driver): driver is Driver & Required<Pick<Driver, 'watch'>> {
  return driver.watch !== undefined
}

function hasQuery(driver: Driver): driver is Driver & Required<Pick<Driver, 'query'>> {
  return driver.query !== undefined
}

function hasPing(driver: Driver): driver is Driver & Required<Pick<Driver, 'ping'>> {
  return driver.ping !== undefined
}

function assertRange(range: readonly [number, number]): void {
  const [first, last] = range
  if (Number.isSafeInteger(first) && Number.isSafeInteger(last) && first >= 0 && first <= last) return
  throw new RangeError('range takes the first and the last byte, whole numbers from 0')
}

function toMeta({ key, rev, type, size, modified, expires }: Doc): Meta {
  return expires === undefined ? { key, rev, type, size, modified } : { key, rev, type, size, modified, expires }
}
