import { conflict, holds } from '../check'
import { tooOld } from '../changes'
import type {
  Can,
  Change,
  Cond,
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
import { PostgresBodies } from '../postgres-bodies'
import { metaColumns, type PostgresWrite, toMeta } from '../postgres-calls'
import { PostgresChores } from '../postgres-chores'
import { type FeedPosition, PostgresFeed } from '../postgres-feed'
import { PostgresPool } from '../postgres-pool'
import { PostgresQueries } from '../postgres-query'
import { PostgresReads } from '../postgres-reads'
import { clockOf, layoutOf, type PostgresOpened, prepareSchema } from '../postgres-schema'
import { PostgresWrites } from '../postgres-writes'

/** Where a PostgreSQL store is, and how it is bounded. */
export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`. Default: what `pool` says, else the `PG…` variables of the environment. */
  readonly url?: string
  /** More options of the `Pool` of pg: `max` (connections, default 10), `ssl`, `connectionTimeoutMillis` (default 10,000). */
  readonly pool?: Readonly<Record<string, unknown>>
  /** The table, `name` or `schema.name`, in lower case; the names of all that belongs to it begin so. Default `kumu_documents`. */
  readonly table?: string
  /** Bytes of the largest body. Default: no bound but the disk's. */
  readonly maxBody?: number
  /** Changes that are kept, at the least, for watchers who resume. Default 10,000. */
  readonly log?: number
  /** Members of JSON documents that queries find and sort by: `author.name`. An index is never taken away again. Default none. */
  readonly index?: readonly string[]
  /** Milliseconds for which a replaced body above 64 KiB, and what a crashed writer left, are kept. Default one hour. */
  readonly sweepAfter?: number
  /** The clock, in milliseconds since the epoch. Default: that of the server. */
  readonly now?: () => number
}

/**
 * A driver that keeps documents in PostgreSQL 13 or later, through the package pg 8. Any number of processes on any number
 * of hosts may share a table; it is made, with all that belongs to it, at the first call.
 *
 * @param options the server, the table, bounds, indexes
 * @throws TypeError where the table is no plain name; Error at the first call, where pg is not installed
 *
 * @example
 * const store = docstore(postgres({ url: 'postgres://127.0.0.1/app', index: ['author'] }))
 */
export function postgres(options: PostgresOptions = {}): Driver {
  return new PostgresDriver(options)
}

const tableRule = /^(?:([a-z_][a-z0-9_]{0,62})\.)?([a-z_][a-z0-9_]{0,39})$/

/** Conditions, writes and log entries are one call of a function in the database, so one statement and one transaction. */
class PostgresDriver implements Driver {
  readonly name = 'postgres'
  readonly can: Can
  readonly #pool: PostgresPool
  readonly #bodies: PostgresBodies
  readonly #feed: PostgresFeed
  readonly #reads: PostgresReads
  readonly #writes: PostgresWrites
  readonly #queries: PostgresQueries
  readonly #schema: string | undefined
  readonly #table: string
  readonly #index: ReadonlyArray<readonly string[]>
  readonly #chores: PostgresChores
  readonly #now: (() => number) | undefined
  /** Watchers whose beginning is being asked for: a write of this process that comes later has to wait for it. */
  readonly #starting = new Set<Promise<unknown>>()
  #opening: Promise<PostgresOpened> | undefined
  #watchers = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: PostgresOptions) {
    const { url, pool, table = 'kumu_documents', maxBody = Infinity, log = 10_000, index = [], now } = options
    const names = tableRule.exec(table)
    if (!names) throw new TypeError('table takes a name, or schema.name, of a-z, 0-9 and _, 40 characters at the most')
    this.can = {
      order: true,
      ttl: 'ms',
      watch: 'resume',
      batch: true,
      stream: true,
      maxBody,
      reach: 'cluster',
      durable: 'power',
    }
    this.#schema = names[1]
    this.#table = names[2]!
    this.#index = index.map((name) => name.split('.'))
    this.#now = now
    this.#pool = new PostgresPool({ ...(url === undefined ? {} : { connectionString: url }), ...pool })
    this.#bodies = new PostgresBodies(this.#pool)
    this.#feed = new PostgresFeed(this.#pool)
    this.#queries = new PostgresQueries(this.#pool, this.#bodies, this.#index)
    const moment = { open: () => this.#open(), clock: () => this.#clock() }
    this.#reads = new PostgresReads(this.#pool, this.#bodies, moment)
    this.#writes = new PostgresWrites(this.#pool, this.#bodies, moment)
    this.#chores = new PostgresChores(this.#pool, this.#bodies, {
      open: async () => (await this.#open()).layout,
      clock: () => this.#clock(),
      onExpired: () => this.#feed.wake(),
      log,
      sweepAfter: options.sweepAfter ?? 3_600_000,
    })
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    return this.#reads.get(key, body, range)
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    const { layout } = await this.#open()
    // What is large is written first and holds nobody up, unless its condition fails already.
    if (!(body instanceof Uint8Array) && options.if !== undefined) await this.#check(key, options.if)
    const ready = await this.#bodies.stage(layout, body, options.type)
    return (await this.#write(() => this.#writes.one({ op: 'put', key, options, ready }))) as Meta
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    return (await this.#write(() => this.#writes.one({ op: 'delete', key, options }))) as boolean
  }

  async list({ prefix, after, limit, reverse }: DriverListOptions): Promise<Listing> {
    const { layout, epoch } = await this.#open()
    // `~` is above every character of a key.
    const end = `${prefix}~`
    const low = !reverse && after !== undefined && after >= prefix ? after : undefined
    const high = reverse && after !== undefined && after < end ? after : end
    const text = `SELECT ${metaColumns} FROM ${layout.documents}
      WHERE key ${low === undefined ? '>=' : '>'} $1 AND key < $2 AND (expires IS NULL OR expires > ${clockOf('$3')})
      ORDER BY key ${reverse ? 'DESC' : 'ASC'} LIMIT $4`
    const rows = await this.#pool.query(text, [low ?? prefix, high, this.#clock(), limit + 1], { prepared: true })
    const items = rows.slice(0, limit).map((row) => toMeta(epoch, row))
    return rows.length > limit ? { items, next: items.at(-1)!.key } : { items }
  }

  async batch(ops: readonly DriverOp[]): Promise<readonly Meta[]> {
    const { layout } = await this.#open()
    if (ops.length === 0) return []
    const writes: PostgresWrite[] = []
    try {
      for (const op of ops) {
        const ready = op.op === 'put' ? await this.#bodies.stage(layout, op.body, op.options.type) : undefined
        writes.push(op.op === 'put' ? { ...op, ready: ready! } : op)
      }
    } catch (error) {
      await this.#writes.discard(writes)
      throw error
    }
    const written = await this.#write(() => this.#writes.all(writes))
    return written.filter((meta) => typeof meta === 'object')
  }

  async query(query: DriverQuery): Promise<QueryPage> {
    const { layout, epoch } = await this.#open()
    const now = this.#now ? this.#now() : clockOf('NULL')
    return this.#queries.run(layout, epoch, query, now)
  }

  async ping(): Promise<void> {
    await this.#open()
    await this.#pool.query('SELECT 1')
  }

  watch({ since, ...options }: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    // Asked now, not when the first change is: what is written in between is seen.
    const start = this.#open().then(({ layout }) => this.#feed.start(layout, since))
    this.#starting.add(start)
    start.catch(() => undefined).finally(() => this.#starting.delete(start))
    return this.#follow(start, options)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#opening?.catch(() => undefined)
    await this.#chores.end()
    await this.#feed.end()
    await this.#pool.end()
  }

  async *#follow(
    start: Promise<FeedPosition | undefined>,
    options: { readonly prefix?: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Change> {
    if (options.signal.aborted) return
    const position = await start
    if (!position) throw tooOld()
    const { layout } = await this.#open()
    this.#watchers++
    // Expiry is seen by whoever comes by; while somebody watches, somebody comes by.
    this.#timer ??= setInterval(() => this.#chores.tidySoon(0), 1000).unref()
    try {
      yield* this.#feed.follow(layout, position, options)
    } finally {
      if (--this.#watchers === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  #open(): Promise<PostgresOpened> {
    this.#opening ??= this.#prepare().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #prepare(): Promise<PostgresOpened> {
    const schema = this.#schema ?? (await this.#currentSchema())
    const layout = layoutOf(schema, this.#table)
    await this.#pool.transact((client) =>
      prepareSchema({ query: (text, values = []) => client.query(text, [...values]) }, layout, this.#index),
    )
    const [info] = await this.#pool.query(`SELECT epoch FROM ${layout.info}`)
    return { layout, epoch: info!.epoch as string }
  }

  async #currentSchema(): Promise<string> {
    const [row] = await this.#pool.query('SELECT current_schema() AS name')
    if (!row?.name) throw new Error('There is no schema to make tables in: name one, as in table: "app.documents"')
    return row.name as string
  }

  /** Fails early where the condition does not hold: what follows takes time. */
  async #check(key: string, condition: Cond): Promise<void> {
    const current = await this.get(key, { body: false })
    if (holds(condition, current)) return
    if (!current) throw conflict(key, undefined)
    const { body: _, ...meta } = current
    throw conflict(key, meta)
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    while (this.#starting.size > 0) await Promise.allSettled([...this.#starting])
    const result = await work()
    this.#feed.wake()
    this.#chores.notifySoon()
    this.#chores.tidySoon(1)
    return result
  }

  #clock(): number | null {
    return this.#now ? this.#now() : null
  }
}
