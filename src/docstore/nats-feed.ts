import { tooOld } from './changes'
import type { Change, WatchOptions } from './driver'
import { ConnectionLost, pause, persist } from './link'
import { type NatsLink, toLost } from './nats-connection'
import { isKey, type NatsMessage } from './nats-message'

/** Where a feed stands: in which stream, and behind which message. */
interface Place {
  readonly epoch: string
  readonly seq: number
}

/**
 * The changes of a bucket. Its stream counts without a gap, and keeps some messages of each key: where a number is missing,
 * a change was forgotten before the watcher came to it.
 */
export class NatsFeed {
  readonly #link: NatsLink
  readonly #reclaim: () => Promise<void>
  readonly #starting = new Set<Promise<unknown>>()
  #watchers = 0
  #timer: NodeJS.Timeout | undefined

  /** @param reclaim lets go of what has expired; called once a second while somebody watches */
  constructor(link: NatsLink, reclaim: () => Promise<void>) {
    this.#link = link
    this.#reclaim = reclaim
  }

  watch({ since, ...options }: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change> {
    // Taken now, not when the first change is asked for: what is written in between is seen.
    const start = since === undefined ? persist(() => this.#end(), options.signal) : Promise.resolve(parse(since))
    this.#starting.add(start)
    const forget = (): unknown => this.#starting.delete(start)
    start.then(forget, forget)
    return this.#follow(start, options)
  }

  /** Settles when all feeds know where they begin: a server may take a write before an earlier question. */
  async started(): Promise<void> {
    if (this.#starting.size > 0) await Promise.allSettled(this.#starting)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async *#follow(
    start: Promise<Place | undefined>,
    { prefix = '', signal }: { readonly prefix?: string; readonly signal: AbortSignal },
  ): AsyncGenerator<Change> {
    let place = await start
    if (signal.aborted) return
    if (!place) throw tooOld()
    const leave = this.#join(signal)
    try {
      for (let attempt = 0; !signal.aborted; attempt++) {
        try {
          for await (const message of this.#read(place, signal)) {
            attempt = 0
            place = { ...place, seq: message.seq }
            if (signal.aborted) return
            if (isKey(message.key) && message.key.startsWith(prefix)) yield toChange(message, place)
          }
        } catch (error) {
          if (signal.aborted) return
          const lost = toLost(error) ?? error
          if (!(lost instanceof ConnectionLost)) throw error
          // Wait, then go on from where it stood.
          await pause(attempt, signal)
        }
      }
    } finally {
      leave()
    }
  }

  /** The messages behind a place, none left out. @throws StoreError gone */
  async *#read({ epoch, seq }: Place, signal: AbortSignal): AsyncGenerator<NatsMessage> {
    const bucket = await this.#link.bucket()
    const { first, last } = await bucket.state()
    if (epoch !== bucket.epoch || seq > last || first > seq + 1) throw tooOld()
    let position = seq
    for await (const message of bucket.messages(seq + 1, signal)) {
      if (message.seq !== position + 1) throw tooOld()
      position = message.seq
      yield message
    }
    if (!signal.aborted) throw new ConnectionLost('The feed of the NATS bucket has ended')
  }

  async #end(): Promise<Place> {
    return this.#link.use(async (bucket) => ({ epoch: bucket.epoch, seq: (await bucket.state()).last }))
  }

  /** The way out, which may be taken twice. */
  #join(signal: AbortSignal): () => void {
    let isIn = true
    const leave = (): void => {
      if (isIn && --this.#watchers === 0) this.stop()
      isIn = false
    }
    this.#watchers++
    // What fails now is tried again.
    this.#timer ??= setInterval(() => void this.#reclaim().catch(() => undefined), 1000).unref()
    // Nobody may ask an aborted feed for its end.
    signal.addEventListener('abort', leave, { once: true })
    return leave
  }
}

function toChange({ key, op, meta }: NatsMessage, place: Place): Change {
  const seq = `${place.epoch}-${place.seq}`
  return meta ? { seq, op, key, rev: meta.rev } : { seq, op, key }
}

function parse(since: string): Place | undefined {
  const [, epoch, digits] = /^([0-9a-z]{1,12})-([0-9]{1,16})$/.exec(since) ?? []
  const seq = Number(digits)
  return epoch !== undefined && Number.isSafeInteger(seq) ? { epoch, seq } : undefined
}
