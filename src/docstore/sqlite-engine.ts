import { StoreError } from './errors'
import type { SqliteDatabase } from './sqlite-database'
import { SqliteDatabase as Database } from './sqlite-database'
import type { SqliteCall, SqliteCalls, SqliteRequest, SqliteSettings } from './sqlite-protocol'
import { SqliteQueries } from './sqlite-queries'
import { SqliteReads } from './sqlite-reads'
import { prepareSchema } from './sqlite-schema'
import { SqliteWrites } from './sqlite-writes'

/** What a request came to. */
export type Outcome = { readonly output: unknown } | { readonly error: unknown }

type Handlers = { readonly [Call in SqliteCall]: (input: SqliteCalls[Call]['input']) => SqliteCalls[Call]['output'] }

const writing: ReadonlySet<SqliteCall> = new Set(['stage', 'discard', 'write', 'reclaim'])

/** An open file, and all that is done with it. It blocks its thread. */
export class SqliteEngine {
  readonly #db: SqliteDatabase
  readonly #reads: SqliteReads
  readonly #writes: SqliteWrites
  readonly #handlers: Handlers

  constructor(settings: SqliteSettings) {
    this.#db = new Database(settings.file)
    try {
      const epoch = prepareSchema(this.#db, settings.index)
      const reads = (this.#reads = new SqliteReads(this.#db, settings, epoch))
      const queries = new SqliteQueries(this.#db, settings, epoch)
      const writes = (this.#writes = new SqliteWrites(this.#db, settings, epoch))
      this.#handlers = {
        get: (input) => reads.get(input),
        check: ({ key, options, now }) => void writes.check(key, options, now),
        list: (input) => reads.list(input),
        query: (input) => queries.run(input),
        read: (input) => reads.read(input),
        release: ({ reader }) => reads.release(reader),
        changes: (input) => reads.changes(input),
        state: () => ({ epoch, last: reads.last() }),
        stage: (input) => writes.stage(input),
        discard: ({ body }) => writes.discard(body),
        write: (input) => writes.write(input),
        reclaim: ({ now }) => writes.reclaim(now),
      }
      this.#transact(() => writes.sweep())
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** Does all that is asked at a time. Its writes are one transaction, synced once: that is where the time goes. */
  run(requests: readonly SqliteRequest[]): readonly Outcome[] {
    const outcomes = new Array<Outcome>(requests.length)
    const writes: number[] = []
    requests.forEach(({ call }, index) => {
      if (writing.has(call)) writes.push(index)
      else outcomes[index] = attempt(() => this.#handle(requests[index]!))
    })
    const written = this.#runWrites(writes.map((index) => requests[index]!))
    writes.forEach((index, place) => (outcomes[index] = written[place]!))
    return outcomes
  }

  close(): void {
    this.#reads.close()
    this.#db.close()
  }

  /** All in one transaction. Where one breaks it (a conflict does not), nothing has happened, and each has its own. */
  #runWrites(requests: readonly SqliteRequest[]): readonly Outcome[] {
    if (requests.length === 0) return []
    let broken = false
    const result = attempt(() =>
      this.#transact(() =>
        requests.map((request): Outcome => {
          try {
            return { output: this.#handle(request) }
          } catch (error) {
            // Thrown before anything was written.
            if (error instanceof StoreError) return { error }
            broken = true
            throw error
          }
        }),
      ),
    )
    if ('output' in result) return result.output
    if (broken && requests.length > 1) return requests.flatMap((request) => this.#runWrites([request]))
    return requests.map(() => result)
  }

  #transact<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      this.#writes.begin()
      const result = work()
      this.#writes.finish()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // SQLite rolls back by itself where the disk is full or broken.
    }
  }

  #handle<Call extends SqliteCall>({ call, input }: SqliteRequest<Call>): unknown {
    return this.#handlers[call](input)
  }
}

function attempt<T>(work: () => T): { readonly output: T } | { readonly error: unknown } {
  try {
    return { output: work() }
  } catch (error) {
    return { error }
  }
}
