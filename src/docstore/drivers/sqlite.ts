import { resolve } from 'node:path'
import { chunked, extent, toStream } from '../body'
import { type ChangeLog, type Entry, follow, Pulse, tooOld } from '../changes'
import type {
  Can,
  Change,
  DeleteOptions,
  Doc,
  Driver,
  DriverListOptions,
  DriverOp,
  DriverPutOptions,
  DriverQuery,
  GetOptions,
  Listing,
  Meta,
  QueryPage,
  WatchOptions,
} from '../driver'
import { Sequence } from '../sequence'
import { SqliteClient } from '../sqlite-client'
import type { SqliteSettings, SqliteWrite, WriteResult } from '../sqlite-protocol'
import { SqliteReader } from '../sqlite-reader'
import { toItems, toOwnMeta, toRev } from '../sqlite-rows'
import { chunkLength } from '../sqlite-schema'

/** Where an SQLite store is, and how it is bounded. */
export interface SqliteOptions {
  /** The file; made where it is missing, its directory is not. Any number of processes of one host may share it. */
  readonly file: string
  /** Bytes of the largest body. Default: no bound but the disk's. */
  readonly maxBody?: number
  /** Changes that are kept for watchers who resume. Default 10,000. */
  readonly log?: number
  /** Members of JSON documents that queries find and sort by: `author.name`. An index is never taken away again. Default none. */
  readonly index?: readonly string[]
  /** Age in milliseconds at which what a crashed writer left is removed, at open. Default one hour. */
  readonly sweepAfter?: number
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * A driver that keeps documents in an SQLite file, through the package libsql, or the SQLite of Node where it has one.
 *
 * @param options the file, bounds, indexes, clock
 * @throws Error at the first call, where there is neither of the two
 *
 * @example
 * const store = docstore(sqlite({ file: './data/documents.db', index: ['author'] }))
 */
export function sqlite(options: SqliteOptions): Driver {
  return new SqliteDriver(options)
}

/** Bodies above this are written ahead in pieces, so that others may write in between. */
const wholeLength = 1024 * 1024

/** How often the changes of other processes are looked for while somebody watches, in milliseconds. */
const pollEvery = 100

/**
 * The thread behind it does the work; whatever is asked in one turn is one message, and its writes one transaction. Only
 * small documents, and short pages of them, are read here, which takes less time than to ask for them.
 */
class SqliteDriver implements Driver, ChangeLog {
  readonly name = 'sqlite'
  readonly can: Can
  readonly #client: SqliteClient
  readonly #settings: SqliteSettings
  readonly #now: () => number
  readonly #pulse = new Pulse(0)
  #reader: Promise<SqliteReader | undefined> | undefined
  #epoch = ''
  #reclaimedAt = 0
  #watchers = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ file, maxBody = Infinity, log = 10_000, index = [], sweepAfter, now = Date.now }: SqliteOptions) {
    this.can = {
      order: true,
      ttl: 'ms',
      watch: 'resume',
      batch: true,
      stream: true,
      maxBody,
      reach: 'host',
      durable: 'power',
    }
    this.#now = now
    this.#settings = {
      file: resolve(file),
      log,
      sweepAfter: sweepAfter ?? 3_600_000,
      index: index.map((name) => name.split('.')),
    }
    this.#client = new SqliteClient(this.#settings)
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    const near = (await this.#near())?.find(key, { body, range }, this.#now())
    if (near) return near.doc
    const found = await this.#client.call('get', { key, body, range, now: this.#now() })
    if (!found) return undefined
    const { meta, bytes = new Uint8Array(0), reader } = found
    if (reader === undefined) return { ...meta, body: bytes }
    const read = (position: number, end: number): Promise<Uint8Array> =>
      this.#client.call('read', { reader, position, end })
    // A store that is closed has let go of it already.
    const release = (): Promise<void> => this.#client.call('release', { reader }).catch(() => undefined)
    return { ...meta, body: toStream(extent(meta.size, range), read, release) }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    const isWhole = body instanceof Uint8Array && body.byteLength <= wholeLength
    const { metas } = isWhole
      ? await this.#write([{ op: 'put', key, options, bytes: toOwn(body) }])
      : await this.#putStaged(key, body, options)
    return metas[0]!
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    return (await this.#write([{ op: 'delete', key, options }])).removed > 0
  }

  async list(options: DriverListOptions): Promise<Listing> {
    const { items, next } = await this.#client.call('list', { ...options, now: this.#now() })
    const listed = Array.from(items, toOwnMeta)
    return next === undefined ? { items: listed } : { items: listed, next }
  }

  async batch(ops: readonly DriverOp[]): Promise<readonly Meta[]> {
    const writes = ops.map((op): SqliteWrite => (op.op === 'put' ? toWrite(op) : op))
    return (await this.#write(writes)).metas
  }

  async query(query: DriverQuery): Promise<QueryPage> {
    const near = (await this.#near())?.query(query, this.#now())
    if (near) return near
    const { epoch, items, total } = await this.#client.call('query', { query, now: this.#now() })
    const found = Array.from(items).flatMap((json) => toItems(epoch, json))
    const page = { items: found.slice(0, query.limit), more: found.length > query.limit }
    return total === undefined ? page : { ...page, total }
  }

  async ping(): Promise<void> {
    await this.#client.call('state', {})
  }

  watch({ since, ...options }: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    // Asked now, not when the first change is: what is written in between is seen.
    const start = this.#startOf(since)
    start.catch(() => undefined)
    return this.#follow(start, options)
  }

  async read(after: number, limit: number): Promise<readonly Entry[] | undefined> {
    const { entries } = await this.#client.call('changes', { after, limit })
    return entries?.map(({ number, op, key }) => {
      const seq = toRev(this.#epoch, number)
      return op === 'put' ? { number, seq, op, key, rev: seq } : { number, seq, op, key }
    })
  }

  changed(after: number, signal: AbortSignal): Promise<void> {
    return this.#pulse.passed(after, signal)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const reader = await this.#reader?.catch(() => undefined)
    reader?.close()
    await this.#client.close()
  }

  /** The worker goes first, for it makes the tables. What it fails with is told; what only this thread cannot open, it can. */
  #near(): Promise<SqliteReader | undefined> {
    return (this.#reader ??= this.#openReader())
  }

  async #openReader(): Promise<SqliteReader | undefined> {
    try {
      const { epoch } = await this.#client.call('state', {})
      return openQuietly(() => new SqliteReader(this.#settings, epoch))
    } catch (error) {
      this.#reader = undefined
      throw error
    }
  }

  async #startOf(since: string | undefined): Promise<number | undefined> {
    const { epoch, last } = await this.#client.call('state', {})
    this.#epoch = epoch
    return since === undefined ? last : new Sequence(epoch, last).parse(since)
  }

  async *#follow(
    start: Promise<number | undefined>,
    options: { readonly prefix?: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Change> {
    const after = await start.catch((error: unknown) => {
      if (options.signal.aborted) return undefined
      throw error
    })
    if (options.signal.aborted) return
    if (after === undefined) throw tooOld()
    this.#watchers++
    this.#timer ??= setInterval(() => void this.#look(), pollEvery).unref()
    try {
      yield* follow(this, after, options)
    } finally {
      if (--this.#watchers === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  /** Looks for what other processes have written; expiry is seen by whoever comes by, so this comes by. */
  async #look(): Promise<void> {
    try {
      this.#reclaimSoon()
      this.#pulse.reach((await this.#client.call('state', {})).last)
    } catch {
      // The watchers read next, and are told what is wrong.
      this.#pulse.reach(Infinity)
    }
  }

  async #putStaged(
    key: string,
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: DriverPutOptions,
  ): Promise<WriteResult> {
    // What is large is written first and holds nobody up, unless its condition fails already.
    await this.#client.call('check', { key, options, now: this.#now() })
    let body: number | undefined
    let size = 0
    let number = 0
    try {
      let first: Uint8Array | undefined
      for await (const chunk of chunked(source, chunkLength)) {
        size += chunk.byteLength
        if (number === 0) first = chunk
        if (number === 1) body = await this.#client.call('stage', { number: 0, bytes: first! })
        if (number > 0) await this.#client.call('stage', { body, number, bytes: chunk })
        number++
      }
      if (body !== undefined) return await this.#write([{ op: 'put', key, options, staged: { body, size } }])
      return await this.#write([{ op: 'put', key, options, bytes: toOwn(first ?? new Uint8Array(0)) }])
    } catch (error) {
      if (body !== undefined) await this.#client.call('discard', { body }).catch(() => undefined)
      throw error
    }
  }

  async #write(writes: readonly SqliteWrite[]): Promise<WriteResult> {
    const { metas, removed, last } = await this.#client.call('write', { writes, now: this.#now() })
    this.#pulse.reach(last)
    this.#reclaimSoon()
    return { metas: Array.from(metas, toOwnMeta), removed, last }
  }

  /** Lets go of some of what has expired, in the background, once a second at the most. */
  #reclaimSoon(): void {
    const now = performance.now()
    if (now - this.#reclaimedAt < 1000) return
    this.#reclaimedAt = now
    this.#client.call('reclaim', { now: this.#now() }).then(
      ({ last }) => this.#pulse.reach(last),
      // Nobody waits for it: what fails now is tried again, and a database that is broken tells those who write.
      () => undefined,
    )
  }
}

function openQuietly<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch {
    return undefined
  }
}

function toWrite({ op, key, body, options }: Extract<DriverOp, { readonly op: 'put' }>): SqliteWrite {
  return { op, key, options, bytes: toOwn(body) }
}

/** A copy as large as the bytes: a view would take all that is behind it along to the other thread. */
function toOwn(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
