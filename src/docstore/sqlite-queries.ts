import type { DriverQuery } from './driver'
import { QuerySql } from './query-sql'
import type { SqliteDatabase } from './sqlite-database'
import { byteOrderMark, type Call, countOfAll, type IsRegular, itemColumns, regularity } from './sqlite-items'
import type { SqliteCalls, SqliteSettings } from './sqlite-protocol'
import { readWhole } from './sqlite-rows'
import { sqliteDialect } from './sqlite-schema'

type ItemRow = readonly [head: string, text: string, body: number | null]

/** Queries, asked of the file. What they find goes from thread to thread as JSON, which is one piece and parsed at once. */
export class SqliteQueries {
  readonly #db: SqliteDatabase
  readonly #indexed: ReadonlySet<string>
  readonly #epoch: string

  constructor(db: SqliteDatabase, { index }: Pick<SqliteSettings, 'index'>, epoch: string) {
    this.#db = db
    this.#indexed = new Set(index.map((path) => path.join('.')))
    this.#epoch = epoch
  }

  run({ query, now }: SqliteCalls['query']['input']): SqliteCalls['query']['output'] {
    return this.#atOnce(() => {
      const isRegular = regularity(this.#db, this.#indexed)
      const items = this.#items(pageOf(query, now, isRegular))
      const found = { epoch: this.#epoch, items }
      return query.count ? { ...found, total: this.#total(query, now, isRegular) } : found
    })
  }

  /** The items as JSON. The database joins them where each is a small body that is JSON to the letter. */
  #items([text, ...values]: Call): readonly string[] {
    const joined = `SELECT group_concat(c0 || c1 || '}'), max(c2 IS NOT NULL OR unicode(c1) = ${byteOrderMark}) FROM (${text})`
    const [[json, isOther] = []] = this.#db.allValues(joined, ...values)
    if (isOther !== 1) return [(json as string | null) ?? '']
    return toLists(this.#db.allValues(text, ...values).map((row) => this.#toItem(row as unknown as ItemRow)))
  }

  #toItem([head, text, body]: ItemRow): string {
    const whole = body === null ? text : readWhole(this.#db, body).toString()
    return `${head}${whole.codePointAt(0) === byteOrderMark ? whole.slice(1) : whole}}`
  }

  #total(query: DriverQuery, now: number, isRegular: IsRegular): number {
    if (query.prefix !== '' || query.where.length > 0) {
      const { text, values } = new QuerySql(sqliteDialect, query, now, isRegular).count()
      return this.#db.get(text, ...values)!.total as number
    }
    return this.#db.get(countOfAll, now)!.total as number
  }

  #atOnce<T>(work: () => T): T {
    this.#db.exec('BEGIN')
    try {
      return work()
    } finally {
      this.#db.exec('COMMIT')
    }
  }
}

/** The rows of a page: an item up to its value, the value, and in place of a large one the number of its body. */
function pageOf(query: DriverQuery, now: number, isRegular: IsRegular): Call {
  const page = new QuerySql(sqliteDialect, query, now, isRegular)
  if (query.sort.every(({ path }) => isRegular(path))) {
    const { text, values } = page.page(itemColumns(''))
    return [`SELECT c0, c1, c2 FROM (${text})`, ...values]
  }
  // What has to be sorted is no more than the keys; the documents come afterwards.
  const { text, values } = page.page(['id'])
  const documents = `(${text}) AS found CROSS JOIN kumu_documents AS d ON d.id = found.id`
  return [`SELECT ${itemColumns('d.').join(', ')} FROM ${documents} ORDER BY ${page.order('found')}`, ...values]
}

/** Characters of a text after which another one begins: there is a bound to their length. */
const longestText = 1024 * 1024

/** Elements as JSON, a few texts of them. */
function toLists(elements: readonly string[]): readonly string[] {
  const lists: string[] = []
  let list: string[] = []
  let length = 0
  for (const element of elements) {
    list.push(element)
    length += element.length
    if (length < longestText) continue
    lists.push(list.join())
    list = []
    length = 0
  }
  return [...lists, list.join()]
}
