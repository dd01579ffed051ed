import type { DriverQuery, QueryPage } from './driver'
import type { PostgresBodies } from './postgres-bodies'
import { toMeta } from './postgres-calls'
import type { PostgresPool } from './postgres-pool'
import { type PostgresLayout, postgresDialect } from './postgres-schema'
import { parseDocument } from './query'
import { irregularity, QuerySql } from './query-sql'

/** Queries, asked of the database. */
export class PostgresQueries {
  readonly #pool: PostgresPool
  readonly #bodies: PostgresBodies
  readonly #indexed: ReadonlySet<string>

  constructor(pool: PostgresPool, bodies: PostgresBodies, index: ReadonlyArray<readonly string[]>) {
    this.#pool = pool
    this.#bodies = bodies
    this.#indexed = new Set(index.map((path) => path.join('.')))
  }

  /** @param now the time in milliseconds, or SQL for it */
  async run(layout: PostgresLayout, epoch: string, query: DriverQuery, now: number | string): Promise<QueryPage> {
    const dialect = postgresDialect(layout)
    const regular = await this.#regularPaths(layout, query)
    const isRegular = (path: readonly string[]): boolean => regular.has(path.join('.'))
    const page = new QuerySql(dialect, query, now, isRegular)
    const keys = page.keys()
    const rows = await this.#pool.query(
      `SELECT d.key, d.rev, d.type, d.size, d.modified, d.expires, d.body, d.content
       FROM (${keys.text}) AS found JOIN ${layout.documents} d USING (key) ORDER BY ${page.order}`,
      keys.values,
    )
    const items: Array<QueryPage['items'][number]> = []
    for (const row of rows.slice(0, query.limit)) {
      const { body, content } = row as { readonly body: string | null; readonly content: Uint8Array }
      const bytes = body === null ? content : await this.#bodies.whole(layout, body)
      items.push({ meta: toMeta(epoch, row), value: parseDocument(bytes)?.value })
    }
    const more = rows.length > query.limit
    if (!query.count) return { items, more }
    const count = new QuerySql(dialect, query, now, isRegular).count()
    const [counted] = await this.#pool.query(count.text, count.values)
    return { items, more, total: Number(counted!.total) }
  }

  /** The indexed paths of a query at which no document has more than a short single value. */
  async #regularPaths(layout: PostgresLayout, { where, sort }: DriverQuery): Promise<ReadonlySet<string>> {
    const used = [...where, ...sort].map(({ path }) => path).filter((path) => this.#indexed.has(path.join('.')))
    if (used.length === 0) return new Set()
    const dialect = postgresDialect(layout)
    const odd = used.map((path) => irregularity(dialect, path))
    const [row] = await this.#pool.query(`SELECT ARRAY[${odd.join(', ')}] AS odd`)
    const isOdd = row!.odd as readonly boolean[]
    return new Set(used.filter((_, index) => !isOdd[index]).map((path) => path.join('.')))
  }
}
