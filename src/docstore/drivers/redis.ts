import { extent, toStream } from '../body'
import { conflict, holds } from '../check'
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
  GetOptions,
  Listing,
  Meta,
  WatchOptions,
} from '../driver'
import { Gathering, type Outcome } from '../gathering'
import { chunkLength, grace, RedisBodies, type StagedBody } from '../redis-bodies'
import { type RedisAddress, RedisConnection, type RedisReply, type RedisValue } from '../redis-connection'
import { durabilityOf } from '../redis-durability'
import { RedisFeed } from '../redis-feed'
import { listScript, readScript, reclaimScript, type RedisScript, startScript, writeScript } from '../redis-scripts'

/** Where a Redis store is, and how it is bounded. */
export interface RedisOptions extends RedisAddress {
  /** What all its names begin with; stores of different prefixes share a database. Default `kumu`. */
  readonly prefix?: string
  /** Bytes of the largest body; the server keeps it in memory. Default 64 MiB. */
  readonly maxBody?: number
  /** Changes that are kept for watchers who resume, and some more. Default 10,000. */
  readonly log?: number
  /** The clock, in milliseconds since the epoch, the same for all who use the prefix. Default: the server's. */
  readonly now?: () => number
}

/**
 * A driver that keeps documents in Redis 6.2 or later, through the package ioredis 5.
 *
 * `can.durable` is `memory` until the first call has asked the server how it keeps what it was given.
 *
 * @param options the server, prefix, bounds, clock
 * @throws TypeError where the prefix is none; Error at the first call, where ioredis is not installed
 *
 * @example
 * const store = docstore(redis({ url: 'redis://127.0.0.1:6379', prefix: 'notes' }))
 */
export function redis(options: RedisOptions = {}): Driver {
  return new RedisDriver(options)
}

/** A write of a caller, its body staged. */
type Write =
  | { readonly op: 'put'; readonly key: string; readonly options: DriverPutOptions; readonly staged: StagedBody }
  | { readonly op: 'delete'; readonly key: string; readonly options: DeleteOptions }

/** What a write came to: the metadata of what was put; whether there was something to delete. */
type Written = Meta | boolean

/**
 * One script decides the conditions of some writes and carries them out; Redis runs one script at a time. What waits for
 * one another is gathered into one.
 *
 * All names hold the prefix in braces, which puts them on one node of a cluster: `{kumu}:d:<key>` a document, `:b:<id>:<n>`
 * a chunk of its body, `:i` the index of the keys, `:x` when they expire, `:l` the log of the changes, `:n` the last number.
 */
class RedisDriver implements Driver {
  readonly name = 'redis'
  readonly #redis: RedisConnection
  readonly #waiting: RedisConnection
  readonly #bodies: RedisBodies
  readonly #feed: RedisFeed
  readonly #keys: readonly string[]
  readonly #docs: string
  readonly #log: number
  readonly #maxBody: number
  readonly #now: (() => number) | undefined
  readonly #writing: Gathering<Write, Written>
  readonly #reading: Gathering<string, Doc | undefined>
  #durable: Can['durable'] = 'memory'
  #reclaiming: Promise<unknown> | undefined

  constructor({ prefix = 'kumu', maxBody = 64 * 1024 * 1024, log = 10_000, now, ...address }: RedisOptions) {
    if (!/^[^{}\s]{1,100}$/.test(prefix)) throw new TypeError('prefix takes 1 to 100 characters, no braces or spaces')
    const name = (part: string): string => `{${prefix}}:${part}`
    this.#redis = new RedisConnection(address, async (send) => {
      this.#durable = await durabilityOf(send)
    })
    this.#waiting = new RedisConnection(address)
    this.#docs = name('d:')
    this.#keys = [name('n'), name('i'), name('x'), name('l'), this.#docs, name('b:')]
    this.#bodies = new RedisBodies(this.#redis, name('b:'))
    this.#feed = new RedisFeed({
      redis: this.#redis,
      waiting: this.#waiting,
      log: name('l'),
      // In full: an order by its hash may have to be repeated, and then comes behind what is written meanwhile.
      start: async () =>
        Number(
          String(
            await this.#redis.send('EVAL', startScript.text, this.#keys.length, ...this.#keys, ...this.#common([])),
          ),
        ),
      reclaim: () => this.#reclaim(),
    })
    this.#log = Math.max(1, log)
    this.#maxBody = maxBody
    this.#now = now
    const bounds = { lanes: 2, most: 32, heaviest: 1024 * 1024 }
    this.#writing = new Gathering({ ...bounds, weigh: weightOf, keyOf: ({ key }) => key }, (writes) =>
      this.#write(writes, false),
    )
    // What a document weighs is known when it is there: a few large ones delay each other.
    this.#reading = new Gathering({ lanes: 2, most: 32 }, (keys) => this.#readGroup(keys))
  }

  get can(): Can {
    return {
      order: true,
      ttl: 'ms',
      watch: 'resume',
      batch: true,
      stream: true,
      maxBody: this.#maxBody,
      reach: 'cluster',
      durable: this.#durable,
    }
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    if (body && !range) return this.#reading.call(key)
    const fields = ['rev', 'type', 'size', 'modified', 'expires', ...(body ? ['id', 'chunks', 'body'] : [])]
    const reply = await this.#redis.send('HMGET', this.#docs + key, ...fields)
    return this.#toDoc(key, reply as readonly RedisReply[], { body, range })
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    if (!(body instanceof Uint8Array) || body.byteLength > chunkLength) {
      // What is large is written first, unless its condition fails already.
      const current = options.if === undefined ? undefined : await this.get(key, { body: false })
      if (!holds(options.if, current && withoutBody(current))) throw conflict(key, current && withoutBody(current))
    }
    const staged = await this.#bodies.stage(body)
    return (await this.#writing.call({ op: 'put', key, options, staged })) as Meta
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    return (await this.#writing.call({ op: 'delete', key, options })) as boolean
  }

  async list({ prefix, after, limit, reverse }: DriverListOptions): Promise<Listing> {
    const [low, high] = rangeOf(prefix, after, reverse)
    const reply = await this.#run(listScript, [low, high, reverse ? 1 : 0, limit + 1])
    const [next, ...docs] = reply as readonly RedisReply[]
    const items = docs.map((doc) => {
      const [key, ...fields] = doc as readonly RedisReply[]
      return toMeta(String(key), fields)!
    })
    return String(next) === '' ? { items } : { items, next: String(next) }
  }

  async batch(ops: readonly DriverOp[]): Promise<readonly Meta[]> {
    if (ops.length === 0) return []
    const writes: Write[] = []
    try {
      for (const op of ops) {
        writes.push(op.op === 'put' ? { ...op, staged: await this.#bodies.stage(op.body) } : op)
      }
    } catch (error) {
      await this.#discard(writes)
      throw error
    }
    const written = (await this.#write(writes, true)).map((outcome) => {
      if ('error' in outcome) throw outcome.error
      return outcome.output
    })
    return written.filter((meta) => typeof meta === 'object')
  }

  watch(options: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    return this.#feed.watch(options)
  }

  async ping(): Promise<void> {
    await this.#redis.send('PING')
  }

  async close(): Promise<void> {
    await this.#reclaiming
    await Promise.all([this.#redis.close(), this.#waiting.close()])
  }

  async #readGroup(keys: readonly string[]): Promise<ReadonlyArray<Outcome<Doc | undefined>>> {
    const replies = (await this.#run(readScript, keys)) as ReadonlyArray<readonly RedisReply[]>
    return keys.map((key, index) => ({ output: this.#toDoc(key, replies[index]!, { body: true }) }))
  }

  /** `rev type size modified expires id chunks body`, the last three where the body is wanted. */
  #toDoc(key: string, reply: readonly RedisReply[], { body, range }: GetOptions): Doc | undefined {
    const meta = toMeta(key, reply)
    if (!meta || this.#isExpired(meta)) return undefined
    const [id, chunks, bytes] = reply.slice(5)
    const { start, end } = extent(body ? meta.size : 0, range)
    if (start === end) return { ...meta, body: new Uint8Array(0) }
    if (Buffer.isBuffer(bytes)) return { ...meta, body: bytes.subarray(start, end) }
    const stored = { id: String(id), chunks: Number(String(chunks)) }
    const readOn = (from: number, to: number): Promise<Uint8Array> => this.#bodies.read(stored, from, to)
    return { ...meta, body: toStream({ start, end }, readOn, () => Promise.resolve()) }
  }

  /** @param whole whether nothing is done where one of them is refused: then the outcomes end with it */
  async #write(writes: readonly Write[], whole: boolean): Promise<ReadonlyArray<Outcome<Written>>> {
    const bodies = writes.map((write) => (write.op === 'put' ? write.staged.bytes : ''))
    const args = [whole ? 1 : 0, JSON.stringify(writes.map(toHead)), ...bodies]
    const [modified, ...answers] = (await this.#run(writeScript, args)) as readonly RedisReply[]
    const outcomes = answers.map((answer, index) => toOutcome(writes[index]!, answer, Number(String(modified))))
    const isRefused = outcomes.some((outcome) => 'error' in outcome)
    if (isRefused) await this.#discard(writes.filter((_, index) => whole || 'error' in outcomes[index]!))
    return outcomes
  }

  async #discard(writes: readonly Write[]): Promise<void> {
    for (const write of writes) if (write.op === 'put') await this.#bodies.discard(write.staged)
  }

  #reclaim(): Promise<unknown> {
    this.#reclaiming ??= this.#run(reclaimScript, [1000])
      // Whoever comes by next tries again.
      .catch(() => undefined)
      .finally(() => (this.#reclaiming = undefined))
    return this.#reclaiming
  }

  #run(script: RedisScript, args: readonly RedisValue[]): Promise<RedisReply> {
    return this.#redis.run(script, this.#keys, this.#common(args))
  }

  #common(args: readonly RedisValue[]): RedisValue[] {
    return [this.#now?.() ?? '', this.#log, grace, ...args]
  }

  #isExpired({ expires }: Meta): boolean {
    // By the server's clock the server decides: what has expired is not found.
    return this.#now !== undefined && expires !== undefined && expires <= this.#now()
  }
}

function toOutcome(write: Write, answer: RedisReply, modified: number): Outcome<Written> {
  const { key } = write
  if (Array.isArray(answer)) {
    const [what, ...current] = answer as readonly RedisReply[]
    if (String(what) === 'conflict') return { error: conflict(key, toMeta(key, current)) }
    return { error: new Error(`The body of ${key} came so slowly that its beginning is gone: nothing was written`) }
  }
  const rev = String(answer)
  if (write.op === 'delete') return { output: rev !== '' }
  const { type, expires } = write.options
  const meta = { key, rev, type, size: write.staged.size, modified }
  return { output: expires === undefined ? meta : { ...meta, expires } }
}

function weightOf(write: Write): number {
  return write.op === 'put' ? write.staged.bytes.byteLength : 0
}

/** What the script is told of a write besides its body. */
function toHead(write: Write): ReadonlyArray<string | number> {
  const start = [write.op, write.key, ...toCondition(write.options.if)]
  if (write.op === 'delete') return [...start, '', '', '', '', 0]
  const { type, expires } = write.options
  const { size, id, chunks } = write.staged
  return [...start, type, String(size), expires === undefined ? '' : String(expires), id, chunks]
}

/** The kind of a condition, and its revision. */
function toCondition(condition: Cond): [kind: string, rev: string] {
  if (condition === undefined) return ['any', '']
  if (condition === null) return ['absent', '']
  return condition === '*' ? ['present', ''] : ['rev', condition]
}

/** `rev type size modified expires`, as HMGET gives them. */
function toMeta(key: string, [rev, type, size, modified, expires]: readonly RedisReply[]): Meta | undefined {
  if (!rev) return undefined
  const meta = {
    key,
    rev: String(rev),
    type: String(type),
    size: Number(String(size)),
    modified: Number(String(modified)),
  }
  return expires ? { ...meta, expires: Number(String(expires)) } : meta
}

function withoutBody({ body: _, ...meta }: Doc): Meta {
  return meta
}

/** The lowest and the highest name of a page. `~` is above every character of a key. */
function rangeOf(prefix: string, after: string | undefined, reverse: boolean): [low: string, high: string] {
  const [low, high] = [`[${prefix}`, `(${prefix}~`]
  if (after === undefined) return [low, high]
  if (reverse) return [low, after < `${prefix}~` ? `(${after}` : high]
  return [after >= prefix ? `(${after}` : low, high]
}
