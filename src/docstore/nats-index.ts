import type { Listing, Meta } from './driver'
import { ConnectionLost, persist } from './link'
import { type Bucket, type NatsLink, toLost } from './nats-connection'
import { isKey, type NatsMessage } from './nats-message'
import { SortedSet } from './sorted-set'

/** Milliseconds to wait for the index to be as new as the bucket before it is made anew. */
const patience = 5000

/**
 * The metadata of all documents in order of their keys, followed from the stream: a bucket has no order of its own.
 *
 * It is complete up to a number when all messages up to there have been seen. A message that is missing in between was
 * overtaken by a later one of its key; then the index is complete no earlier than at the last number of that moment.
 */
export class NatsIndex {
  readonly #link: NatsLink
  readonly #known = new Map<string, NatsMessage>()
  #keys = new SortedSet()
  /** `<time> <key>`, the soonest first. */
  #expiries = new SortedSet()
  #position = -1
  #horizon = 0
  #waiting: Array<() => void> = []
  #ending: AbortController | undefined
  #failure: unknown

  constructor(link: NatsLink) {
    this.#link = link
  }

  /** Begins to follow. */
  start(): void {
    if (this.#ending) return
    this.#ending = new AbortController()
    void this.#run(this.#ending.signal)
  }

  stop(): void {
    this.#ending?.abort()
    this.#ending = undefined
    this.#position = -1
    this.#wake()
  }

  /** A page that shows all that was acknowledged before the call. */
  async page(prefix: string, after: string | undefined, limit: number, reverse: boolean): Promise<Listing> {
    for (let attempt = 0; attempt < 3; attempt++) {
      this.start()
      const { last } = await this.#link.use((bucket) => bucket.state())
      const isIn = await this.#reaches(last)
      // Looked at again, and read in the same turn: a connection may have been lost meanwhile, and all begun anew.
      if (isIn && this.#knows(last)) return this.#page(prefix, after, limit, reverse)
      // Messages may have been removed by hand, and then never come.
      if (!isIn) this.stop()
    }
    throw new ConnectionLost('The index of the NATS bucket does not keep up with its writers')
  }

  #page(prefix: string, after: string | undefined, limit: number, reverse: boolean): Listing {
    const keys = this.#keys.page(prefix, after, limit, reverse)
    const more = keys.length > limit
    if (more) keys.pop()
    const items = keys.flatMap((key) => this.#known.get(key)?.meta ?? [])
    return more ? { items, next: keys.at(-1) } : { items }
  }

  #knows(last: number): boolean {
    return this.#position >= Math.max(last, this.#horizon)
  }

  /** Documents that have expired by now, some of them. */
  due(now: number): readonly NatsMessage[] {
    const soon = this.#expiries.page('', undefined, 100, false).filter((text) => Number(text.slice(0, 16)) <= now)
    return soon.flatMap((text) => this.#known.get(text.slice(17)) ?? [])
  }

  /** Deletions before a time: nobody needs them any longer. */
  *removedBefore(time: number): Generator<NatsMessage> {
    for (const message of this.#known.values()) if (message.op !== 'put' && message.time < time) yield message
  }

  /** Takes a deletion that the bucket has forgotten out of the index. */
  forget({ key, seq }: NatsMessage): void {
    if (this.#known.get(key)?.seq === seq) this.#known.delete(key)
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await persist(() => this.#follow(signal), signal).catch(async (error: unknown) => {
        this.#failure = error
        if (this.#ending?.signal === signal) this.stop()
      })
    }
  }

  /** Returns, or throws, where the connection ends: what is missed then is seen by beginning again. */
  async #follow(signal: AbortSignal): Promise<never> {
    const bucket = await this.#link.bucket()
    this.#known.clear()
    this.#keys = new SortedSet()
    this.#expiries = new SortedSet()
    this.#position = -1
    this.#horizon = 0
    try {
      const { last, messages } = await bucket.state()
      if (messages > 0) await this.#readAll(bucket, last, signal)
      // What was overtaken before the reading came to it stands behind: up to here.
      this.#horizon = (await bucket.state()).last
      this.#reach(last)
      for await (const message of bucket.messages(last + 1, signal)) {
        if (message.seq > this.#position + 1) this.#recover(bucket)
        this.#apply(message)
        this.#reach(message.seq)
      }
    } catch (error) {
      throw toLost(error) ?? error
    }
    throw new ConnectionLost('The feed of the NATS bucket has ended')
  }

  async #readAll(bucket: Bucket, last: number, signal: AbortSignal): Promise<void> {
    for await (const message of bucket.messages('last', signal)) {
      if (this.#isNews(message)) this.#known.set(message.key, message)
      if (message.pending === 0 || message.seq >= last) break
    }
    // Sorted at once: one by one would move half of them with each.
    const metas = [...this.#known.values()].flatMap(({ meta }) => meta ?? [])
    this.#keys = new SortedSet(metas.map(({ key }) => key))
    this.#expiries = new SortedSet(metas.filter(({ expires }) => expires !== undefined).map(expiryOf))
  }

  /** Something was overtaken before it was seen. */
  #recover(bucket: Bucket): void {
    this.#horizon = Infinity
    bucket
      .state()
      .then(({ last }) => (this.#horizon = last))
      // Without an answer the connection is lost, and all begins again.
      .catch(() => undefined)
      .finally(() => this.#wake())
  }

  #apply(message: NatsMessage): void {
    if (!this.#isNews(message)) return
    const { key, meta } = message
    const before = this.#known.get(key)
    if (before?.meta?.expires !== undefined) this.#expiries.delete(expiryOf(before.meta))
    this.#known.set(key, message)
    if (!meta) {
      this.#keys.delete(key)
      return
    }
    this.#keys.add(key)
    if (meta.expires !== undefined) this.#expiries.add(expiryOf(meta))
  }

  #isNews({ key, seq }: NatsMessage): boolean {
    return isKey(key) && (this.#known.get(key)?.seq ?? 0) < seq
  }

  #reach(seq: number): void {
    this.#position = seq
    this.#wake()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  async #reaches(last: number): Promise<boolean> {
    const deadline = performance.now() + patience
    while (!this.#knows(last)) {
      const rest = deadline - performance.now()
      if (!this.#ending && this.#failure) throw this.#takeFailure()
      if (!this.#ending || rest <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, rest)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return true
  }

  #takeFailure(): unknown {
    const failure = this.#failure
    this.#failure = undefined
    return failure
  }
}

function expiryOf({ key, expires = 0 }: Meta): string {
  return `${String(expires).padStart(16, '0')} ${key}`
}
