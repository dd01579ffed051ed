import type { PostgresBodies } from './postgres-bodies'
import type { PostgresPool } from './postgres-pool'
import type { PostgresLayout } from './postgres-schema'

/** What the chores have to know of their store. */
export interface ChoreSettings {
  readonly open: () => Promise<PostgresLayout>
  /** The time in milliseconds, or nothing for that of the server. */
  readonly clock: () => number | null
  /** Something has expired, and the feed says so. */
  readonly onExpired: () => void
  /** Changes to keep. */
  readonly log: number
  /** Milliseconds for which unused bodies are kept. */
  readonly sweepAfter: number
}

/** What a store does besides its calls, in the background, as calls come by. */
export class PostgresChores {
  readonly #pool: PostgresPool
  readonly #bodies: PostgresBodies
  readonly #settings: ChoreSettings
  #background: Promise<unknown> = Promise.resolve()
  #reclaimedAt = 0
  #sweptAt = 0
  #untrimmed = 0
  #notifying: NodeJS.Timeout | undefined

  constructor(pool: PostgresPool, bodies: PostgresBodies, settings: ChoreSettings) {
    this.#pool = pool
    this.#bodies = bodies
    this.#settings = settings
  }

  /** Waits for what is under way, and begins nothing more on its own. */
  async end(): Promise<void> {
    clearTimeout(this.#notifying)
    await this.#background
  }

  /**
   * Wakes the watchers of other processes, once for many writes. Not in the writes' own transactions: notifying commits
   * wait for one another.
   */
  notifySoon(): void {
    this.#notifying ??= setTimeout(() => {
      this.#notifying = undefined
      this.#inBackground(async (layout) => {
        await this.#pool.query('SELECT pg_notify($1, $2)', [layout.channel, ''])
      })
    }, 20).unref()
  }

  /** Lets go of some of what has expired, once a second at the most, of old changes and unused bodies where it is time. */
  tidySoon(writes: number): void {
    const now = performance.now()
    this.#untrimmed += writes
    if (now - this.#reclaimedAt >= 1000) {
      this.#reclaimedAt = now
      this.#inBackground(async (layout) => {
        const [row] = await this.#pool.query(`SELECT ${layout.reclaim}($1) AS freed`, [this.#settings.clock()], {
          prepared: true,
        })
        if (Number(row!.freed) > 0) this.#settings.onExpired()
      })
    }
    if (this.#untrimmed >= Math.max(1, this.#settings.log / 2)) {
      this.#untrimmed = 0
      this.#inBackground((layout) => this.#trim(layout))
    }
    if (now - this.#sweptAt >= Math.min(60_000, this.#settings.sweepAfter)) {
      this.#sweptAt = now
      this.#inBackground((layout) => this.#bodies.sweep(layout, this.#settings.sweepAfter))
    }
  }

  /** Keeps the newest changes. What a transaction that is still under way may come before is kept as well. */
  async #trim({ changes, info }: PostgresLayout): Promise<void> {
    await this.#pool.query(
      `WITH last AS (
         SELECT xid, seq FROM ${changes} WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
         ORDER BY xid DESC, seq DESC OFFSET $1 LIMIT 1),
       gone AS (DELETE FROM ${changes} c USING last WHERE (c.xid, c.seq) <= (last.xid, last.seq))
       UPDATE ${info} i SET trimmed_xid = last.xid, trimmed_seq = last.seq FROM last
       WHERE (i.trimmed_xid, i.trimmed_seq) < (last.xid, last.seq)`,
      [this.#settings.log],
    )
  }

  /** Nobody waits for it: what fails now is tried again, and a server that is away tells those who write. */
  #inBackground(work: (layout: PostgresLayout) => Promise<void>): void {
    this.#background = Promise.all([
      this.#background,
      this.#settings
        .open()
        .then(work)
        .catch(() => undefined),
    ])
  }
}
