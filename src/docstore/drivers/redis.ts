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
import { chunkLength, grace, RedisBodies, type StagedBody } from '../redis-bodies'
import { type RedisAddress, RedisConnection, type RedisReply, type RedisValue } from '../redis-connection'
import { durabilityOf } from '../redis-durability'
import { RedisFeed } from '../redis-feed'
import { listScript, reclaimScript, type RedisScript, startScript, writeScript } from '../redis-scripts'

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

/**
 * One script decides all conditions of a write and carries it out; Redis runs one script at a time.
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
    const fields = ['rev', 'type', 'size', 'modified', 'expires', ...(body ? ['id', 'chunks', 'body'] : [])]
    const reply = (await this.#redis.send('HMGET', this.#docs + key, ...fields)) as readonly RedisReply[]
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

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    if (!(body instanceof Uint8Array) || body.byteLength > chunkLength) {
      // What is large is written first, unless its condition fails already.
      const current = options.if === undefined ? undefined : await this.get(key, { body: false })
      if (!holds(options.if, current && withoutBody(current))) throw conflict(key, current && withoutBody(current))
    }
    const staged = await this.#bodies.stage(body)
    const [meta] = await this.#write([{ op: 'put', key, options, staged }])
    return meta as Meta
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    const [done] = await this.#write([{ op: 'delete', key, options }])
    return done === true
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
    return (await this.#write(writes)).filter((meta) => typeof meta === 'object')
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

  /** For a put its metadata, for a deletion whether there was something. */
  async #write(writes: readonly Write[]): Promise<Array<Meta | boolean>> {
    const [outcome, ...answers] = (await this.#run(writeScript, writes.flatMap(toArguments))) as readonly RedisReply[]
    if (String(outcome) === 'conflict') {
      await this.#discard(writes)
      const [key, ...current] = answers
      throw conflict(String(key), toMeta(String(key), current))
    }
    if (String(outcome) === 'lost') {
      await this.#discard(writes)
      throw new Error(
        `The body of ${String(answers[0])} came so slowly that its beginning is gone: nothing was written`,
      )
    }
    const [modified, ...revs] = answers
    return writes.map((write, index) => {
      const rev = String(revs[index])
      if (write.op === 'delete') return rev !== ''
      const { type, expires } = write.options
      const meta = { key: write.key, rev, type, size: write.staged.size, modified: Number(String(modified)) }
      return expires === undefined ? meta : { ...meta, expires }
    })
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

function toArguments(write: Write): RedisValue[] {
  const start = [write.op, write.key, ...toCondition(write.options.if)]
  if (write.op === 'delete') return [...start, '', '', '', '', '', '']
  const { type, expires } = write.options
  const { size, id, chunks, bytes } = write.staged
  return [...start, type, size, expires ?? '', id, chunks, bytes]
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
