import { refusal } from '../http/refusal'
import type { QueryMap } from '../http/query'
import { parseRange, type RangeSpec } from '../http/range'
import { parseInteger } from '../http/scalar'
import type { Context, PageRequest, PagingPlan } from './plan'

/** Where in the list the page is. */
export type Place = Pick<PageRequest, 'offset' | 'limit' | 'last'> & { readonly cursor?: string }

/**
 * Reads where in the list the page is: from a `Range` header, `?range=`, `?offset=&limit=` or `?cursor=&limit=`.
 *
 * @param query the parameters
 * @param plan defaults and bounds
 * @param ranged what {@link readRangeHeader} found
 * @throws BadRequest where two of these are mixed, or one is malformed
 */
export function readPlace(query: QueryMap, plan: PagingPlan, ranged: RangeSpec | undefined): Place {
  const range = single(query, 'range')
  const offset = single(query, 'offset')
  const limit = single(query, 'limit')
  const cursor = single(query, 'cursor')
  const others = offset !== undefined || limit !== undefined || cursor !== undefined
  if (ranged && (range !== undefined || others)) {
    throw refusal('header', '/range', 'conflict', 'A Range header and paging in the query exclude each other')
  }
  if (range !== undefined && others) {
    throw refusal('query', '/range', 'conflict', '"range" goes without "offset", "limit" and "cursor"')
  }
  if (cursor !== undefined && offset !== undefined) {
    throw refusal('query', '/cursor', 'conflict', '"cursor" and "offset" exclude each other')
  }
  if (ranged) return fromSpec(ranged, plan.max)
  if (range !== undefined) return fromSpec(readRangeText(range, plan.unit), plan.max)
  const rows = Math.min(limit === undefined ? plan.limit : readCount('limit', limit), plan.max)
  if (cursor === undefined) return { offset: offset === undefined ? 0 : readCount('offset', offset), limit: rows }
  if (!plan.cursor) throw refusal('query', '/cursor', 'cursor', 'This list is not paged by cursor')
  return { offset: 0, limit: rows, cursor }
}

function fromSpec(spec: RangeSpec, max: number): Place {
  if ('suffix' in spec) {
    const last = Math.min(spec.suffix, max)
    return { offset: 0, limit: last, last }
  }
  return { offset: spec.first, limit: spec.last === undefined ? max : Math.min(spec.last - spec.first + 1, max) }
}

/**
 * Reads a `Range` header of the list's own unit (RFC 9110 §14.2).
 *
 * @returns nothing where it is to be ignored: another unit, several parts, under a condition
 * @throws BadRequest where it is malformed
 */
export function readRangeHeader(ctx: Context, unit: string): RangeSpec | undefined {
  const { range, 'if-range': condition } = ctx.req.headers
  // A list has no validator that a condition could name: the condition is false (RFC 9110 §13.1.5).
  if (range === undefined || condition !== undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD'))
    return undefined
  if (range.slice(0, range.indexOf('=')).trim().toLowerCase() !== unit.toLowerCase()) return undefined
  const parsed = parseRange(range)
  if (parsed) return parsed.ranges.length === 1 ? parsed.ranges[0] : undefined
  if (range.includes(',')) return undefined
  throw refusal('header', '/range', 'range', `A range of ${unit} is "first-last", "first-" or "-count"`)
}

function readRangeText(text: string, unit: string): RangeSpec {
  const parsed = parseRange(text.includes('=') ? text : `${unit}=${text}`)
  if (!parsed || parsed.unit.toLowerCase() !== unit.toLowerCase() || text.includes(',')) {
    throw refusal('query', '/range', 'range', '"range" is one "first-last", "first-" or "-count"')
  }
  return parsed.ranges[0]!
}

function readCount(name: string, text: string): number {
  const value = text.startsWith('-') ? undefined : parseInteger(text)
  if (value === undefined) throw refusal('query', `/${name}`, 'type', `"${name}" is a whole number from zero on`)
  return value
}

function single(query: QueryMap, name: string): string | undefined {
  const values = query.get(name)
  if (values && values.length > 1) throw refusal('query', `/${name}`, 'type', `"${name}" is given more than once`)
  return values?.[0]
}
