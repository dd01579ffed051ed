import type { DriverQuery } from './driver'
import { falling, indexesOf, rising } from './query-sql'
import { lastToken, toToken } from './query-tokens'
import { byteOrderMark, type Call, type IsRegular, itemColumns } from './sqlite-items'
import { sqliteDialect } from './sqlite-schema'

/** Documents of a page that is read in the calling thread. */
const longestPage = 128

/**
 * The statement of a page that is one short range of one index: it looks at one row more than the page has, whatever is
 * stored. Its answer is the items that take part as JSON, how many rows it looked at, and whether one of them is special.
 *
 * @returns nothing where a page may take longer
 */
export function rangeOf(query: DriverQuery, now: number, isRegular: IsRegular): Call | undefined {
  const { where, sort, offset, limit, after, prefix } = query
  const [path, ...others] = [...where, ...sort].map((each) => each.path)
  if (offset > 0 || limit > longestPage || others.length > 0) return undefined
  if (where.some(({ values }) => values.length !== 1) || (sort.length > 0 && (after || prefix !== ''))) return undefined
  if (path && !isRegular(path)) return undefined
  const values: Array<string | number> = [now]
  const conditions = path ? ['tokens IS NOT NULL'] : ['true']
  for (const each of where) {
    conditions.push(`${rising(sqliteDialect, each.path, true)} = ?`)
    values.push(toToken(each.values[0] ?? null) ?? lastToken)
  }
  if (prefix !== '') {
    conditions.push('key >= ?', 'key < ?')
    values.push(prefix, `${prefix}~`)
  }
  if (after) {
    conditions.push('key > ?')
    values.push(after.key)
  }
  const [table, order] = path ? byIndex(path, sort) : ['kumu_documents', 'key']
  const part = '(tokens IS NOT NULL AND (expires IS NULL OR expires > ?)) AS c3'
  const rows = `SELECT ${[...itemColumns(''), part].join(', ')} FROM ${table}
    WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ${limit + 1}`
  return [
    `SELECT group_concat(c0 || c1 || '}') FILTER (WHERE c3), count(*), sum(c3),
      max(c3 AND (c2 IS NOT NULL OR unicode(c1) = ${byteOrderMark})) FROM (${rows})`,
    ...values,
  ]
}

/** The index is named: without it the statement fails, and is left to the thread that may take its time. */
function byIndex(path: readonly string[], [order]: DriverQuery['sort']): readonly [table: string, order: string] {
  const [up, down] = indexesOf(sqliteDialect, path)
  if (!order) return [`kumu_documents INDEXED BY kumu_${up!.suffix}`, 'key']
  return order.descending
    ? [`kumu_documents INDEXED BY kumu_${down!.suffix}`, `${falling(sqliteDialect, path, true)} DESC, key`]
    : [`kumu_documents INDEXED BY kumu_${up!.suffix}`, `${rising(sqliteDialect, path, true)}, key`]
}
