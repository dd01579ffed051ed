import { tooOld } from './changes'
import type { Change, WatchOptions } from './driver'
import { isConnectionError, type Listener, type PostgresPool } from './postgres-pool'
import type { PostgresLayout } from './postgres-schema'

/** Where a feed stands: behind this change. */
export interface FeedPosition {
  readonly xid: string
  readonly seq: string
  /** What was visible when it began; that is not told again. */
  readonly snapshot?: string
}

type FeedOptions = Omit<WatchOptions, 'since'> & { readonly signal: AbortSignal }

interface Read {
  readonly epoch: string
  readonly changes: ReadonlyArray<{
    readonly xid: string
    readonly seq: string
    readonly op: Change['op']
    readonly key: string
  }>
}

/** Milliseconds between two looks: at first where something is known to be coming, and at the most. */
const [shortest, longest] = [10, 1000]

const pageOfChanges = 256

/**
 * The change feed. Sequence numbers are handed out before they are committed, so a number may turn up after a higher one;
 * what goes by them alone loses changes. A change is told once no transaction that began earlier is under way, in the order
 * of the transactions.
 */
export class PostgresFeed {
  readonly #pool: PostgresPool
  readonly #waiting = new Set<() => void>()
  #followers = 0
  #wakes = 0
  #listening: Promise<Listener | undefined> | undefined
  #relisten: NodeJS.Timeout | undefined

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  /** Something was written. */
  wake(): void {
    this.#wakes++
    for (const settle of [...this.#waiting]) settle()
  }

  /** Where to begin; nothing where the sequence is unknown. */
  async start({ info }: PostgresLayout, since: string | undefined): Promise<FeedPosition | undefined> {
    const [row] = await this.#pool.query(`SELECT epoch, pg_current_snapshot()::text AS snapshot FROM ${info}`)
    const { epoch, snapshot } = row as { readonly epoch: string; readonly snapshot: string }
    const [xmin = '0', xmax = '0'] = snapshot.split(':')
    if (since === undefined) return { xid: xmin, seq: '0', snapshot }
    const position = parseSeq(epoch, since)
    return position && BigInt(position.xid) < BigInt(xmax) ? position : undefined
  }

  async *follow(layout: PostgresLayout, start: FeedPosition, options: FeedOptions): AsyncGenerator<Change> {
    const { prefix = '', signal } = options
    let position = start
    let delay = shortest
    if (this.#followers++ === 0) this.#listen(layout.channel)
    try {
      while (!signal.aborted) {
        const seen = this.#wakes
        const page = await this.#readPatiently(layout, position, signal)
        if (signal.aborted) return
        for (const { xid, seq, op, key } of page?.changes ?? []) {
          if (signal.aborted) return
          position = { ...position, xid, seq }
          if (key.startsWith(prefix)) yield toChange(page!.epoch, xid, seq, op, key)
        }
        if (page && page.changes.length > 0) {
          delay = shortest
          continue
        }
        const woken = await this.#pause(page ? delay : longest, seen, signal)
        delay = woken ? shortest : Math.min(2 * delay, longest)
      }
    } finally {
      if (--this.#followers === 0) this.#unlisten()
    }
  }

  /** Waits for the connection that listens to end. */
  async end(): Promise<void> {
    const listening = this.#listening
    this.#unlisten()
    await (await listening?.catch(() => undefined))?.end()
  }

  /** The next changes; nothing where the database cannot be reached at the moment. @throws StoreError gone */
  async #readPatiently(
    { info, changes }: PostgresLayout,
    { xid, seq, snapshot }: FeedPosition,
    signal: AbortSignal,
  ): Promise<Read | undefined> {
    const text = `SELECT i.epoch, (i.trimmed_xid, i.trimmed_seq) > ($1::xid8, $2::bigint) AS gone, c.xid::text AS xid, c.seq, c.op, c.key
      FROM ${info} i LEFT JOIN LATERAL (
        SELECT xid, seq, op, key FROM ${changes}
        WHERE (xid, seq) > ($1::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
          AND ($3::text IS NULL OR NOT pg_visible_in_snapshot(xid, $3::text::pg_snapshot))
        ORDER BY xid, seq LIMIT ${pageOfChanges}) c ON true ORDER BY c.xid, c.seq`
    try {
      const rows = await this.#pool.query(text, [xid, seq, snapshot ?? null], { prepared: true })
      if (rows[0]?.gone === true) throw tooOld()
      const found = rows.filter((row) => row.xid !== null) as unknown as Read['changes']
      return { epoch: rows[0]!.epoch as string, changes: found }
    } catch (error) {
      // Reading again does no harm, and what was written meanwhile is in the log.
      if (signal.aborted || isConnectionError(error)) return undefined
      throw error
    }
  }

  /** Until something was written since, the time is over or the feed ends; whether something was written. */
  async #pause(duration: number, seen: number, signal: AbortSignal): Promise<boolean> {
    if (this.#wakes === seen && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const settle = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(settle)
          signal.removeEventListener('abort', settle)
          resolve()
        }
        const timer = setTimeout(settle, duration).unref()
        this.#waiting.add(settle)
        signal.addEventListener('abort', settle)
      })
    }
    return this.#wakes !== seen
  }

  /** Listening only wakes: what was missed while there was no connection is in the log. */
  #listen(channel: string): void {
    let isOver = false
    // A connection that is lost while it is made is told of twice: by the call that fails, and by its event.
    const again = (): void => {
      if (isOver) return
      isOver = true
      if (this.#followers > 0) this.#relisten = setTimeout(() => this.#listen(channel), longest).unref()
      this.wake()
    }
    this.#listening = this.#pool
      .listen(channel, () => this.wake(), again)
      .catch(() => {
        again()
        return undefined
      })
  }

  #unlisten(): void {
    clearTimeout(this.#relisten)
    const listening = this.#listening
    this.#listening = undefined
    listening?.then((listener) => listener?.end()).catch(() => undefined)
  }
}

function toChange(epoch: string, xid: string, seq: string, op: Change['op'], key: string): Change {
  const place = `${epoch}-${BigInt(xid).toString(36)}-${BigInt(seq).toString(36)}`
  return op === 'put' ? { seq: place, op, key, rev: toRev(epoch, seq) } : { seq: place, op, key }
}

export function toRev(epoch: string, number: string): string {
  return `${epoch}-${BigInt(number).toString(36)}`
}

function parseSeq(epoch: string, text: string): FeedPosition | undefined {
  const match = /^([0-9a-f]{12})-([0-9a-z]{1,13})-([0-9a-z]{1,12})$/.exec(text)
  if (match?.[1] !== epoch) return undefined
  return { xid: String(fromDigits(match[2]!)), seq: String(fromDigits(match[3]!)) }
}

/** A number in base 36. */
export function fromDigits(digits: string): bigint {
  let number = 0n
  for (const digit of digits) number = number * 36n + BigInt(Number.parseInt(digit, 36))
  return number
}
