import { escapePointer } from '../http/pointer'
import { parsePrefer } from '../http/prefer'
import type { QueryMap } from '../http/query'
import { refusal } from '../http/refusal'
import { parseScalar } from '../http/scalar'
import { readCursor } from './page-cursor'
import { readPlace, readRangeHeader } from './page-place'
import type { Context, FilterPlan, PageCursor, PageRequest, PagingPlan, SortKey, WhereValue } from './plan'
import { parseFields } from './projection'
import { queryOf } from './query'

/** A request for a page, with what only the answer needs to know. */
export interface Asked {
  readonly page: PageRequest
  /** Whether a `Range` header asked, and not the query. */
  readonly byHeader: boolean
  /** The count preference, where one was sent. */
  readonly preference?: PagingPlan['count']
}

const mostSortKeys = 32
const noFields: readonly string[] = Object.freeze([])
const noSort: readonly SortKey[] = Object.freeze([])

/** Of a request without filters. */
export const noWhere = Object.freeze(Object.create(null) as Record<string, readonly WhereValue[]>)

/** What a request without query, `Range` and `Prefer` asks for. */
export function plainRequest(plan: PagingPlan): Asked {
  const page: PageRequest = Object.freeze({
    offset: 0,
    limit: Math.min(plan.limit, plan.max),
    fields: noFields,
    sort: noSort,
    where: noWhere,
    count: plan.count,
  })
  return Object.freeze({ byHeader: false, page })
}

/**
 * Reads the page that a request asks for.
 *
 * @param ctx the request
 * @param plan names and bounds
 * @throws BadRequest where any of it is malformed
 */
export function readRequest(ctx: Context, plan: PagingPlan): Asked {
  const query = queryOf(ctx)
  const sort = readSort(query, plan)
  const where = readWhere(query, plan.filter)
  const fields = query.get('fields')
  const preference = readPreference(ctx)
  const ranged = readRangeHeader(ctx, plan.unit)
  const { offset, limit, last, cursor } = readPlace(query, plan, ranged)
  // Put together member by member: what V8 makes of spread objects outlives many requests.
  const page: Asked['page'] & { last?: number; cursor?: PageCursor } = {
    offset,
    limit,
    fields: fields ? parseFields(fields.join(',')) : noFields,
    sort,
    where,
    count: preference ?? plan.count,
  }
  if (last !== undefined) page.last = last
  if (cursor !== undefined) page.cursor = readCursor(cursor, plan, sort, where)
  return { page, byHeader: ranged !== undefined, preference }
}

function readSort(query: QueryMap, plan: PagingPlan): readonly SortKey[] {
  const texts = query.get('sort')
  if (!texts) return noSort
  const keys = new Map<string, SortKey>()
  for (const part of texts.join(',').split(',')) {
    const text = part.trim()
    if (text === '') continue
    const descending = text.startsWith('-')
    const name = descending ? text.slice(1) : text
    if (name === '' || (plan.sort !== true && !plan.sort.includes(name))) {
      throw refusal('query', '/sort', 'unknown', sortAdvice(plan.sort))
    }
    if (!keys.has(name)) keys.set(name, { name, descending })
    if (keys.size > mostSortKeys)
      throw refusal('query', '/sort', 'limit', `"sort" takes ${mostSortKeys} names at the most`)
  }
  return [...keys.values()]
}

function sortAdvice(allowed: PagingPlan['sort']): string {
  if (allowed === true) return '"sort" takes names with commas between, a dash before a descending one'
  return allowed.length === 0 ? 'This list cannot be sorted' : `"sort" takes ${allowed.join(', ')}`
}

function readWhere(query: QueryMap, filters: readonly FilterPlan[]): PageRequest['where'] {
  let where: Record<string, readonly WhereValue[]> | undefined
  for (const filter of filters) {
    const texts = query.get(filter.name)
    if (!texts) continue
    where ??= Object.create(null) as Record<string, readonly WhereValue[]>
    where[filter.name] = texts.map((text) => readFilterValue(filter, text))
  }
  return where ?? noWhere
}

function readFilterValue({ name, type: { kind } }: FilterPlan, text: string): WhereValue {
  const value = kind === 'any' || kind === 'class' || kind === 'schema' ? text : parseScalar(text, kind)
  if (value === undefined) throw refusal('query', `/${escapePointer(name)}`, 'type', `"${name}" is not a valid ${kind}`)
  return value
}

function readPreference(ctx: Context): PagingPlan['count'] | undefined {
  const { prefer } = ctx.req.headers
  const count = prefer === undefined ? undefined : parsePrefer(String(prefer)).get('count')
  return count === 'none' || count === 'exact' || count === 'estimated' ? count : undefined
}
