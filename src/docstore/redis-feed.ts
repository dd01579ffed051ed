import { setTimeout as delay } from 'node:timers/promises'
import { type ChangeLog, type Entry, follow, Pulse, tooOld } from './changes'
import type { Change, WatchOptions } from './driver'
import { persist } from './link'
import type { RedisConnection, RedisReply } from './redis-connection'

/** What a feed needs of its driver. */
export interface RedisFeedSource {
  /** For quick questions. */
  readonly redis: RedisConnection
  /** For waiting: a connection of its own, which is blocked most of the time. */
  readonly waiting: RedisConnection
  /** The name of the log. */
  readonly log: string
  /** The number that a feed from now on starts behind. */
  readonly start: () => Promise<number>
  /** Lets go of what has expired; called once a second while somebody watches. */
  readonly reclaim: () => Promise<unknown>
}

/** Milliseconds that the server holds a question for changes; less than a silence that counts as a lost connection. */
const patience = 5000

/** The changes of a store, for all its watchers: they share one waiting connection, which exists while there are any. */
export class RedisFeed implements ChangeLog {
  readonly #source: RedisFeedSource
  readonly #pulse = new Pulse(0)
  readonly #watchers = new Set<() => void>()
  #ending = new AbortController()

  constructor(source: RedisFeedSource) {
    this.#source = source
  }

  watch({ since, ...options }: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    // Taken now, not when the first change is asked for: what is written in between is seen.
    const start = since === undefined ? persist(this.#source.start, options.signal) : Promise.resolve(parse(since))
    start.catch(() => undefined)
    return this.#follow(start, options)
  }

  /**
   * A feed stands on an entry of the log. As long as that entry is there when the ones behind it have been read, none
   * between them is missing: entries go in order, and never come back.
   */
  async read(after: number, limit: number): Promise<readonly Entry[] | undefined> {
    const { redis, log } = this.#source
    const id = `${after}-0`
    const [entries, standing] = await Promise.all([
      redis.send('XRANGE', log, `(${id}`, '+', 'COUNT', limit),
      redis.send('XRANGE', log, id, id),
    ])
    return listOf(standing).length > 0 ? listOf(entries).map(toEntry) : undefined
  }

  changed(after: number, signal: AbortSignal): Promise<void> {
    return this.#pulse.passed(after, signal)
  }

  async *#follow(
    start: Promise<number | undefined>,
    options: { readonly prefix?: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Change> {
    const { signal } = options
    const after = await start
    if (signal.aborted) return
    if (after === undefined) throw tooOld()
    const leave = this.#join(after, signal)
    try {
      yield* follow(
        {
          read: (position, limit) =>
            persist(() => this.read(position, limit).then((entries) => ({ entries })), signal).then((result) =>
              result ? result.entries : [],
            ),
          changed: (position, ending) => this.changed(position, ending),
        },
        after,
        options,
      )
    } finally {
      leave()
    }
  }

  /** The way out, which may be taken twice. */
  #join(after: number, signal: AbortSignal): () => void {
    const leave = (): void => {
      if (!this.#watchers.delete(leave) || this.#watchers.size > 0) return
      this.#ending.abort()
      void this.#source.waiting.drop()
    }
    if (this.#watchers.size === 0) this.#listen(after)
    this.#watchers.add(leave)
    // Nobody may ask an aborted feed for its end.
    signal.addEventListener('abort', leave, { once: true })
    return leave
  }

  #listen(after: number): void {
    this.#ending = new AbortController()
    const { signal } = this.#ending
    // Expiry is seen by whoever comes by; while somebody watches, somebody comes by. What fails now is tried again.
    const timer = setInterval(() => void this.#source.reclaim().catch(() => undefined), 1000).unref()
    signal.addEventListener('abort', () => clearInterval(timer))
    void this.#wakeUp(after, signal)
  }

  async #wakeUp(after: number, signal: AbortSignal): Promise<void> {
    let at = after
    while (!signal.aborted) {
      try {
        const answer = await persist(() => this.#wait(at), signal)
        const last = listOf(listOf(listOf(answer)[0])[1]).at(-1)
        if (last) at = toEntry(last).number
        if (last) this.#pulse.reach(at)
      } catch {
        // Whatever is wrong: those who watch ask for themselves, and are told.
        this.#pulse.reach(at)
        await delay(1000, undefined, { signal, ref: false }).catch(() => undefined)
      }
    }
  }

  #wait(at: number): Promise<RedisReply> {
    const { waiting, log } = this.#source
    return waiting.send('XREAD', 'COUNT', 1000, 'BLOCK', patience, 'STREAMS', log, `${at}-0`)
  }
}

function parse(since: string): number | undefined {
  const number = /^[1-9][0-9]{0,15}$/.test(since) ? Number(since) : NaN
  return Number.isSafeInteger(number) ? number : undefined
}

/** `[ '<number>-0', [ 'o', op, 'k', key ] ]` */
function toEntry(reply: RedisReply): Entry {
  const [id, fields] = listOf(reply)
  const seq = String(id).slice(0, -2)
  const [, op, , key] = listOf(fields).map(String) as [string, Change['op'], string, string]
  const number = Number(seq)
  return op === 'put' ? { number, seq, op, key, rev: seq } : { number, seq, op, key }
}

function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
}
