import { irregularity } from './query-sql'
import type { SqliteDatabase } from './sqlite-database'
import { sqliteDialect } from './sqlite-schema'

/** A statement and its parameters. */
export type Call = [text: string, ...values: ReadonlyArray<string | number>]

/** Whether nothing but single values stands at a path, so that its index tells all. */
export type IsRegular = (path: readonly string[]) => boolean

/** JSON has no word for the mark, with which documents may begin all the same. */
export const byteOrderMark = 0xfeff

/** How many documents take part in queries: all but those that have expired and are not removed yet, which an index knows. */
export const countOfAll = `SELECT counted - (
  SELECT count(*) FROM kumu_documents WHERE expires IS NOT NULL AND expires <= ? AND tokens IS NOT NULL) AS total FROM kumu_info`

/**
 * An item up to its value, the value, and in place of a large one the number of its body. The head is made where that costs
 * least, which is in the database. Keys need no escape.
 */
export function itemColumns(owner: string): readonly string[] {
  const head = [
    `'{"meta":{"key":"' || ${owner}key || '","rev":' || ${owner}rev || ',"type":' || json_quote(${owner}type)`,
    `',"size":' || ${owner}size || ',"modified":' || ${owner}modified`,
    `coalesce(',"expires":' || ${owner}expires, '') || '},"value":'`,
  ].join(' || ')
  return [`${head} AS c0`, `CAST(${owner}content AS TEXT) AS c1`, `${owner}body AS c2`]
}

/** What is so of the indexed paths at this moment; each is looked at once. */
export function regularity(db: SqliteDatabase, indexed: ReadonlySet<string>): IsRegular {
  const known = new Map<string, boolean>()
  return (path) => {
    const name = path.join('.')
    const answer = known.get(name) ?? (indexed.has(name) && isRegular(db, path))
    known.set(name, answer)
    return answer
  }
}

function isRegular(db: SqliteDatabase, path: readonly string[]): boolean {
  return db.get(`SELECT ${irregularity(sqliteDialect, path)} AS odd`)!.odd === 0
}
