import type { DriverQuery, QueryPage } from './driver'
import type { PostgresBodies } from './postgres-bodies'
import { toMeta } from './postgres-calls'
import type { PostgresPool, PostgresRow } from './postgres-pool'
import { type PostgresLayout, postgresDialect } from './postgres-schema'
import { parseDocument } from './query'
import { irregularity, QuerySql, type Statement } from './query-sql'

const documentColumns = ['rev', 'type', 'size', 'modified', 'expires', 'body', 'content']

/** Texts of queries that are kept prepared in each connection: they are as many as callers can think of. */
const maximalPrepared = 50

/**
 * Queries, asked of the database. Whether the indexes tell all of a path is asked in the same statement, which goes by what
 * was so before: where that is no longer so, it is asked again.
 */
export class PostgresQueries {
  readonly #pool: PostgresPool
  readonly #bodies: PostgresBodies
  readonly #indexed: ReadonlySet<string>
  /** Indexed paths at which some document had a list or an overlong text. */
  readonly #irregular = new Set<string>()
  readonly #prepared = new Set<string>()

  constructor(pool: PostgresPool, bodies: PostgresBodies, index: ReadonlyArray<readonly string[]>) {
    this.#pool = pool
    this.#bodies = bodies
    this.#indexed = new Set(index.map((path) => path.join('.')))
  }

  /** @param now the time in milliseconds, or SQL for it */
  async run(layout: PostgresLayout, epoch: string, query: DriverQuery, now: number | string): Promise<QueryPage> {
    const [rows, total] = await Promise.all([
      this.#rows(layout, query, now),
      query.count ? this.#total(layout, query, now) : undefined,
    ])
    const items: Array<QueryPage['items'][number]> = []
    for (const row of rows.slice(0, query.limit)) {
      const { body, content } = row as { readonly body: string | null; readonly content: Uint8Array }
      const bytes = body === null ? content : await this.#bodies.whole(layout, body)
      items.push({ meta: toMeta(epoch, row), value: parseDocument(bytes)?.value })
    }
    const more = rows.length > query.limit
    return total === undefined ? { items, more } : { items, more, total }
  }

  #rows(layout: PostgresLayout, query: DriverQuery, now: number | string): Promise<readonly PostgresRow[]> {
    return this.#regularly(layout, query, (check, isRegular) => {
      const columns = check === undefined ? documentColumns : [...documentColumns, `${check} AS fits`]
      return new QuerySql(postgresDialect(layout), query, now, isRegular).page(columns)
    })
  }

  async #total(layout: PostgresLayout, query: DriverQuery, now: number | string): Promise<number> {
    if (query.prefix === '' && query.where.length === 0) return this.#all(layout, now)
    const rows = await this.#regularly(layout, { ...query, sort: [] }, (check, isRegular) => {
      const { text, values } = new QuerySql(postgresDialect(layout), query, now, isRegular).count()
      return check === undefined
        ? { text, values }
        : { text: `SELECT total, ${check} AS fits FROM (${text}) AS counted`, values }
    })
    return Number(rows[0]!.total)
  }

  /** Of all documents the number is known; those that have expired and are not removed yet stand in an index. */
  async #all({ documents, counts }: PostgresLayout, now: number | string): Promise<number> {
    const expired = `SELECT count(*) FROM ${documents} WHERE expires <= ${typeof now === 'number' ? '$1' : now} AND tokens IS NOT NULL`
    const text = `SELECT (SELECT sum(number) FROM ${counts}) - (${expired}) AS total`
    const [row] = await this.#ask({ text, values: typeof now === 'number' ? [now] : [] })
    return Number(row!.total)
  }

  /** Asks by what is known of the indexed paths, and once more where that was wrong. */
  async #regularly(
    layout: PostgresLayout,
    { where, sort }: DriverQuery,
    toStatement: (check: string | undefined, isRegular: (path: readonly string[]) => boolean) => Statement,
  ): Promise<readonly PostgresRow[]> {
    const dialect = postgresDialect(layout)
    const used = [...where, ...sort].map(({ path }) => path).filter((path) => this.#indexed.has(path.join('.')))
    const isRegular = (path: readonly string[]): boolean =>
      this.#indexed.has(path.join('.')) && !this.#irregular.has(path.join('.'))
    for (;;) {
      const checks = used.map((path) => `${isRegular(path) ? 'NOT ' : ''}(${irregularity(dialect, path)})`)
      const rows = await this.#ask(
        toStatement(checks.length > 0 ? `(SELECT ${checks.join(' AND ')})` : undefined, isRegular),
      )
      // An empty page tells nothing of it: where nothing but the index was asked, that is asked for itself.
      if (checks.length === 0 || rows[0]?.fits === true) return rows
      if (!(await this.#learn(layout, used)) && rows.length === 0) return rows
    }
  }

  /** Looks at what stands at the paths now; whether that is news. */
  async #learn(layout: PostgresLayout, paths: ReadonlyArray<readonly string[]>): Promise<boolean> {
    const odd = paths.map((path) => irregularity(postgresDialect(layout), path))
    const [row] = await this.#pool.query(`SELECT ARRAY[${odd.join(', ')}] AS odd`)
    const isOdd = row!.odd as readonly boolean[]
    let isNews = false
    for (const [index, path] of paths.entries()) {
      const name = path.join('.')
      if (this.#irregular.has(name) === isOdd[index]) continue
      isNews = true
      if (isOdd[index]) this.#irregular.add(name)
      else this.#irregular.delete(name)
    }
    return isNews
  }

  #ask({ text, values }: Statement): Promise<readonly PostgresRow[]> {
    const prepared = this.#prepared.has(text) || this.#prepared.size < maximalPrepared
    if (prepared) this.#prepared.add(text)
    return this.#pool.query(text, values, { prepared })
  }
}
