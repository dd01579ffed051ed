import type { ClassicLevel } from 'classic-level'
import { extent, toStream } from '../body'
import { follow, tooOld } from '../changes'
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
import { StoreError } from '../errors'
import { KeyLocks } from '../key-locks'
import { discardBody, readChunk, type StagedBody, stageBody, sweepBodies } from '../level-bodies'
import { Journal, type LevelWrite } from '../level-journal'
import { bodyOf, chunkLength, expiryKey, fromValue, keyOfExpiry, metaKey, type Stored, toMeta } from '../level-layout'
import { isCode } from '../system-error'

/** Where a level store is, and how it is bounded. */
export interface LevelOptions {
  /** The directory; made where it is missing. One process at a time may have it open. */
  readonly dir: string
  /** Bytes of the largest body. Default: no bound but the disk's. */
  readonly maxBody?: number
  /** Changes that are kept for watchers who resume. Default 10,000. */
  readonly log?: number
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
}

type Database = ClassicLevel<string, Buffer>

interface Opened {
  readonly db: Database
  readonly journal: Journal
}

/**
 * A driver that keeps documents in LevelDB, through the package classic-level 3.
 *
 * @param options the directory, bounds, clock
 * @throws Error at the first call, where classic-level is not installed or the directory is open already
 *
 * @example
 * const store = docstore(level({ dir: './data/level' }))
 */
export function level(options: LevelOptions): Driver {
  return new LevelDriver(options)
}

/** A key's lock makes one step of a check and its write; the database belongs to one process, so that is enough. */
class LevelDriver implements Driver {
  readonly name = 'level'
  readonly can: Can
  readonly #dir: string
  readonly #logSize: number
  readonly #now: () => number
  readonly #locks = new KeyLocks()
  #opening: Promise<Opened> | undefined
  #reclaiming: Promise<void> | undefined
  #reclaimedAt = 0
  #watchers = 0
  #timer: NodeJS.Timeout | undefined

  constructor({ dir, maxBody = Infinity, log = 10_000, now = Date.now }: LevelOptions) {
    this.can = {
      order: true,
      ttl: 'ms',
      watch: 'resume',
      batch: true,
      stream: true,
      maxBody,
      reach: 'process',
      durable: 'power',
    }
    this.#dir = dir
    this.#logSize = log
    this.#now = now
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    const { db } = await this.#open()
    // In this thread: to hand a single small read to another one takes longer than to do it.
    const value = db.getSync(metaKey(key))
    const stored = value && fromValue<Stored>(value)
    if (!stored) return undefined
    if (this.#isExpired(stored)) {
      await this.#expire(key)
      return undefined
    }
    const { start, end } = extent(body ? stored.size : 0, range)
    if (start === end) return { ...toMeta(key, stored), body: new Uint8Array(0) }
    if (stored.body === undefined) return { ...toMeta(key, stored), body: bodyOf(value).subarray(start, end) }
    return this.#getChunks(db, key, range)
  }

  async #getChunks(db: Database, key: string, range: GetOptions['range']): Promise<Doc | undefined> {
    // Metadata and chunks as of one moment, however long the reading takes.
    const snapshot = db.snapshot()
    let held = false
    try {
      const value = await db.get(metaKey(key), { snapshot })
      const stored = value && fromValue<Stored>(value)
      if (!stored) return undefined
      const { start, end } = extent(stored.size, range)
      const meta = toMeta(key, stored)
      const { body: id } = stored
      if (id === undefined) return { ...meta, body: bodyOf(value).subarray(start, end) }
      if (start === end) return { ...meta, body: new Uint8Array(0) }
      if (stored.size <= chunkLength) return { ...meta, body: await readChunk(db, id, start, end, snapshot) }
      held = true
      const readOn = (from: number, to: number): Promise<Uint8Array> =>
        readChunk(db, id, from, to, snapshot).catch(toClosed)
      return { ...meta, body: toStream({ start, end }, readOn, () => snapshot.close()) }
    } finally {
      if (!held) await snapshot.close()
    }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    const { db } = await this.#open()
    // What is large is written first and holds nobody up, unless its condition fails already.
    if (!(body instanceof Uint8Array) || body.byteLength > chunkLength) await this.#check(db, key, options)
    const staged = await stageBody(db, body)
    const [meta] = await this.#write([{ op: 'put', key, options, staged }])
    return meta!
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    const { db, journal } = await this.#open()
    return this.#locks.run(key, async () => {
      const previous = await this.#check(db, key, options)
      if (!previous) return false
      const live = !this.#isExpired(previous)
      await journal.append([{ op: live ? 'delete' : 'expire', key, previous }])
      return live
    })
  }

  async list({ limit, ...options }: DriverListOptions): Promise<Listing> {
    const { db } = await this.#open()
    const items: Meta[] = []
    for await (const [name, value] of db.iterator(rangeOf(options))) {
      const stored = fromValue<Stored>(value)
      if (this.#isExpired(stored)) continue
      if (items.length === limit) return { items, next: items.at(-1)!.key }
      items.push(toMeta(name.slice(2), stored))
    }
    return { items }
  }

  async batch(ops: readonly DriverOp[]): Promise<readonly Meta[]> {
    const { db } = await this.#open()
    const writes: Write[] = []
    try {
      for (const op of ops) writes.push(op.op === 'put' ? { ...op, staged: await stageBody(db, op.body) } : op)
    } catch (error) {
      await this.#discard(db, writes)
      throw error
    }
    return this.#write(writes)
  }

  watch({ since, ...options }: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    const opening = this.#open()
    // Taken now, not when the first change is asked for: what is written in between is seen.
    const start = opening.then(({ journal }) => (since === undefined ? journal.last : journal.parse(since)))
    start.catch(() => undefined)
    return this.#follow(opening, start, options)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#reclaiming
    const opened = await this.#opening?.catch(() => undefined)
    await opened?.db.close()
  }

  async *#follow(
    opening: Promise<Opened>,
    start: Promise<number | undefined>,
    options: { readonly prefix?: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Change> {
    const after = await start
    const { journal } = await opening
    if (after === undefined) throw tooOld()
    this.#watchers++
    // Expiry is seen by whoever comes by; while somebody watches, somebody comes by.
    this.#timer ??= setInterval(() => this.#reclaimSoon(), 1000).unref()
    try {
      yield* follow(journal, after, options)
    } finally {
      if (--this.#watchers === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  #open(): Promise<Opened> {
    this.#opening ??= this.#prepare().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #prepare(): Promise<Opened> {
    const Level = load()
    const db: Database = new Level(this.#dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' })
    await db.open()
    await sweepBodies(db)
    return { db, journal: await Journal.open(db, this.#logSize) }
  }

  /** What is stored, expired or not. @throws StoreError where the condition does not hold */
  async #check(db: Database, key: string, options: DeleteOptions): Promise<Stored | undefined> {
    const value = await db.get(metaKey(key))
    const stored = value && fromValue<Stored>(value)
    const live = stored && !this.#isExpired(stored) ? toMeta(key, stored) : undefined
    if (!holds(options.if, live)) throw conflict(key, live)
    return stored
  }

  /** Writes what is staged, all or nothing. */
  async #write(writes: readonly Write[]): Promise<readonly Meta[]> {
    const { db, journal } = await this.#open()
    const keys = writes.map(({ key }) => key)
    try {
      return await this.#locks.runAll(keys, async () => {
        const previous = await Promise.all(writes.map(({ key, options }) => this.#check(db, key, options)))
        const modified = this.#now()
        const steps = writes.map((write, index) => toStep(write, previous[index], modified))
        const needed = steps.filter(({ op, previous: before }) => op === 'put' || before)
        const revs = needed.length > 0 ? await journal.append(needed) : []
        return needed.flatMap(({ key, next }, index) => (next ? toMeta(key, { ...next, rev: revs[index]! }) : []))
      })
    } catch (error) {
      // Where the database failed, nobody knows whether it happened: the next sweep does.
      if (error instanceof StoreError) await this.#discard(db, writes)
      throw error
    } finally {
      this.#reclaimSoon()
    }
  }

  async #discard(db: Database, writes: readonly Write[]): Promise<void> {
    for (const write of writes) {
      // A small body is not in the database yet.
      const { id, size } = write.op === 'put' ? write.staged : { size: 0 }
      if (id !== undefined && size > chunkLength) await discardBody(db, id)
    }
  }

  #expire(key: string): Promise<void> {
    return this.#locks.run(key, async () => {
      const { db, journal } = await this.#open()
      const previous = await this.#check(db, key, {})
      if (previous && this.#isExpired(previous)) await journal.append([{ op: 'expire', key, previous }])
    })
  }

  /** Lets go of some of what has expired, in the background, once a second at the most. */
  #reclaimSoon(): void {
    const now = performance.now()
    if (this.#reclaiming || now - this.#reclaimedAt < 1000) return
    this.#reclaimedAt = now
    this.#reclaiming = this.#reclaim()
      // Nobody waits for it: what fails now is tried again, and a database that is broken tells those who write.
      .catch(() => undefined)
      .finally(() => (this.#reclaiming = undefined))
  }

  async #reclaim(): Promise<void> {
    const { db } = await this.#open()
    const due = await db.keys({ gte: expiryKey(0, ''), lt: expiryKey(this.#now() + 1, ''), limit: 1000 }).all()
    for (const name of due) await this.#expire(keyOfExpiry(name))
  }

  #isExpired({ expires }: Stored): boolean {
    return expires !== undefined && expires <= this.#now()
  }
}

/** A write of a caller, its body staged. */
type Write =
  | { readonly op: 'put'; readonly key: string; readonly options: DriverPutOptions; readonly staged: StagedBody }
  | { readonly op: 'delete'; readonly key: string; readonly options: DeleteOptions }

function toStep(write: Write, previous: Stored | undefined, modified: number): LevelWrite {
  if (write.op === 'delete') return { op: 'delete', key: write.key, previous }
  const { type, expires } = write.options
  const { id, size, content, ops } = write.staged
  const next = { type, size, modified, body: id, ...(expires === undefined ? {} : { expires }) }
  return { op: 'put', key: write.key, previous, next, content, ops }
}

/** The names of the documents to list. `~` is above every character of a key, `!` below. */
function rangeOf({ prefix, after, reverse }: Omit<DriverListOptions, 'limit'>): {
  readonly gte: string
  readonly lt: string
  readonly reverse: boolean
} {
  const [low, high] = [metaKey(prefix), metaKey(`${prefix}~`)]
  if (after === undefined) return { gte: low, lt: high, reverse }
  const [behind, before] = [`${metaKey(after)}!`, metaKey(after)]
  return reverse
    ? { gte: low, lt: before < high ? before : high, reverse }
    : { gte: behind > low ? behind : low, lt: high, reverse }
}

function load(): typeof ClassicLevel {
  try {
    // A call of `require`, not an import: the package is optional, and here is where it is missed.
    return (require('classic-level') as typeof import('classic-level')).ClassicLevel
  } catch (cause) {
    if (!isCode(cause, 'MODULE_NOT_FOUND')) throw cause
    throw new Error('The level driver needs the package classic-level: npm install classic-level', { cause })
  }
}

function toClosed(error: unknown): never {
  if (isCode(error, 'LEVEL_DATABASE_NOT_OPEN')) throw new StoreError('closed', 'The store is closed')
  throw error
}
