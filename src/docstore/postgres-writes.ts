import { Gathering, type Outcome } from './gathering'
import type { PostgresBodies } from './postgres-bodies'
import { type PostgresWrite, toWritten, writeCall, type Written } from './postgres-calls'
import { isRefusal, type PostgresPool, type PostgresRow } from './postgres-pool'
import type { PostgresMoment } from './postgres-schema'

/**
 * Writes, gathered: of those that wait for one another, each has its own condition and its own answer, and all together one
 * transaction, hence one sync.
 */
export class PostgresWrites {
  readonly #pool: PostgresPool
  readonly #bodies: PostgresBodies
  readonly #moment: PostgresMoment
  readonly #gathering: Gathering<PostgresWrite, Written>

  constructor(pool: PostgresPool, bodies: PostgresBodies, moment: PostgresMoment) {
    this.#pool = pool
    this.#bodies = bodies
    this.#moment = moment
    this.#gathering = new Gathering(
      { lanes: 2, most: 64, heaviest: 1024 * 1024, weigh: weightOf, keyOf: ({ key }) => key },
      (writes) => this.#runGroup(writes),
    )
  }

  /** Does a write with whatever others wait. @throws StoreError conflict */
  async one(write: PostgresWrite): Promise<Written> {
    try {
      return await this.#gathering.call(write)
    } catch (error) {
      await this.discard([write])
      throw error
    }
  }

  /** Does all of them or none. @throws StoreError conflict */
  async all(writes: readonly PostgresWrite[]): Promise<readonly Written[]> {
    try {
      const { epoch, rows } = await this.#ask(writes, true)
      const refused = rows.findIndex(({ done }) => done !== true)
      if (refused >= 0) toWritten(epoch, writes[refused]!, rows[refused]!)
      return writes.map((write, index) => toWritten(epoch, write, rows[index]!))
    } catch (error) {
      await this.discard(writes)
      throw error
    }
  }

  async #runGroup(writes: readonly PostgresWrite[]): Promise<ReadonlyArray<Outcome<Written>>> {
    try {
      const { epoch, rows } = await this.#ask(writes, false)
      return writes.map((write, index) => outcomeOf(epoch, write, rows[index]!))
    } catch (error) {
      // A lost connection tells nothing, and what is written may not be written again. What the server refused has not
      // happened: whose fault it was comes out when each goes alone.
      if (writes.length === 1 || !isRefusal(error)) return writes.map(() => ({ error }))
      return (await Promise.all(writes.map((write) => this.#runGroup([write])))).flat()
    }
  }

  async #ask(
    writes: readonly PostgresWrite[],
    whole: boolean,
  ): Promise<{ readonly epoch: string; readonly rows: readonly PostgresRow[] }> {
    const { layout, epoch } = await this.#moment.open()
    const call = writeCall(layout, epoch, writes, whole, this.#moment.clock())
    return { epoch, rows: await this.#pool.query(...call, { prepared: true, writes: true }) }
  }

  /** Removes the bodies that writes did not take. Where it is not known whether they did, a sweep finds out later. */
  async discard(writes: readonly PostgresWrite[]): Promise<void> {
    const bodies = writes.flatMap((write) => (write.op === 'put' ? (write.ready.body ?? []) : []))
    if (bodies.length === 0) return
    const { layout } = await this.#moment.open()
    for (const body of bodies) await this.#bodies.discard(layout, body)
  }
}

function weightOf(write: PostgresWrite): number {
  if (write.op === 'delete') return 0
  const { content, tokens } = write.ready
  return (content?.byteLength ?? 0) + (tokens?.length ?? 0)
}

function outcomeOf(epoch: string, write: PostgresWrite, row: PostgresRow): Outcome<Written> {
  try {
    return { output: toWritten(epoch, write, row) }
  } catch (error) {
    return { error }
  }
}
