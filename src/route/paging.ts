import { BadRequest, ConfigurationError, RangeNotSatisfiable, type ValueSource } from '../errors'
import { formatLink, type Link } from '../http/link'
import { formatPreferenceApplied, parsePrefer } from '../http/prefer'
import { formatQuery, type QueryMap } from '../http/query'
import { formatContentRange, formatUnsatisfied, parseRange, type RangeSpec } from '../http/range'
import { parseBoolean, parseDate, parseInteger, parseNumber } from '../http/scalar'
import type { Awaitable, HeaderMap } from '../types'
import { decodeCursor, encodeCursor, fingerprintOf, type CursorScope, type KeyValue, type SortKey } from './cursor'
import {
  isRowSource,
  keysOf,
  parseFields,
  project,
  selectRows,
  toRowFilter,
  type PageRows,
  type RowFilter,
  type RowSource,
} from './page-rows'
import type { Context, FilterPlan, Interceptor, PagingPlan } from './plan'
import { queryOf } from './query'
import { Reply, Slice, Tagged } from './replies'

export { parseFields, project }
export type { KeyValue, SortKey }

/** The values that a filter lets pass, each of the declared type. */
export type WhereValue = readonly (string | number | boolean | Date)[]

/** One name of a cursor's order, with the value that the last row seen had there. */
export interface KeysetValue extends SortKey {
  readonly value: KeyValue
}

/** Where the page before this one ended. */
export interface PageCursor {
  /** The cursor as it was sent; empty: the first page. A store with cursors of its own reads this. */
  readonly raw: string
  /**
   * What Kumu's own cursor says: the order, names that break ties included, and the last row's values in it. The page
   * holds the rows behind those. None: the first page.
   *
   * @throws BadRequest where the cursor is not one of Kumu's for this list, order and filter
   */
  readonly values?: readonly KeysetValue[]
}

/** The part of a list that a client asked for. Every number is bounded and every value has its declared type. */
export interface PageRequest {
  /** Rows to pass over. */
  readonly offset: number
  /** Rows at the most. */
  readonly limit: number
  /** So many rows at the end of the list, instead of those from `offset` on. */
  readonly last?: number
  /** The rows behind a cursor, instead of those from `offset` on. */
  readonly cursor?: PageCursor
  /** Names to show; empty: all. Kumu drops the others from what the handler returns. */
  readonly fields: readonly string[]
  /** The order; empty: the list's own. */
  readonly sort: readonly SortKey[]
  /** Equality filters: each name with the values that pass. Has no prototype. */
  readonly where: Readonly<Record<string, WhereValue>>
  /** How much the total is wanted: `none` where counting is a waste. Default `exact`. */
  readonly count?: PagingPlan['count']
}

/** Both sides of the paging of one route. */
export interface Paging {
  /** Reads the page that is asked for, once a request. @throws BadRequest where it is malformed */
  read(ctx: Context): PageRequest
  /** Turns the handler's rows into the page's answer. */
  readonly around: Interceptor
  /** The query parameters it reads. */
  readonly names: readonly string[]
}

/** A request for a page, with what only the answer needs to know. */
interface Asked {
  readonly page: PageRequest
  /** Whether a `Range` header asked, and not the query. */
  readonly byHeader: boolean
  /** The count preference, where one was sent. */
  readonly preference?: PagingPlan['count']
}

const ownNames: readonly string[] = ['range', 'offset', 'limit', 'cursor', 'fields', 'sort']
const placeNames: ReadonlySet<string> = new Set(['range', 'offset', 'limit', 'cursor'])
const mostSortKeys = 32
const noFields: readonly string[] = Object.freeze([])
const noSort: readonly SortKey[] = Object.freeze([])
const noWhere = Object.freeze(Object.create(null) as Record<string, WhereValue>)

/**
 * Makes both sides of a route's paging: what reads the page asked for, and what answers with it.
 *
 * @param plan the route's paging
 * @param toPlain class instances to plain data, asked of each row where the client chose fields
 * @throws ConfigurationError where the unit is no token, or a filter has the name of a paging parameter
 * @see RFC 9110 §14, RFC 8288, RFC 7240
 *
 * @example
 * const paging = createPaging({ unit: 'rows', limit: 10, max: 100, status: 206, count: 'exact', sort: [], filter: [] }, (row) => row)
 * paging.names // ['range', 'offset', 'limit', 'cursor', 'fields', 'sort']
 */
export function createPaging(plan: PagingPlan, toPlain: (value: unknown) => unknown): Paging {
  checkPlan(plan)
  const names = Object.freeze([...ownNames, ...plan.filter.map((filter) => filter.name)])
  const known = new WeakMap<object, Asked>()
  const plainRequest: Asked = Object.freeze({
    byHeader: false,
    page: Object.freeze({
      offset: 0,
      limit: Math.min(plan.limit, plan.max),
      fields: noFields,
      sort: noSort,
      where: noWhere,
      count: plan.count,
    }),
  })

  function askedBy(ctx: Context): Asked {
    const { url, headers } = ctx.req
    if (headers.range === undefined && headers.prefer === undefined && !url?.includes('?')) return plainRequest
    let asked = known.get(ctx.req)
    if (!asked) known.set(ctx.req, (asked = readRequest(ctx, plan)))
    return asked
  }

  async function page(ctx: Context, next: () => Promise<unknown>): Promise<unknown> {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next()
    // Read first: a malformed request is refused before the handler runs, and whether or not the handler reads it.
    const asked = askedBy(ctx)
    const result = await next()
    const wrapped = result instanceof Reply
    if (wrapped && result.status !== 200 && result.status !== 206) return result
    const given: unknown = wrapped ? result.body : result
    // A list may have a revision: its pages have the same.
    const tagged = given instanceof Tagged ? given : undefined
    const body: unknown = tagged ? tagged.value : given
    let rows: PageRows
    let cursor: string | undefined
    if (body instanceof Slice) {
      rows = await fromSlice(body, asked.page)
      cursor = plan.cursor && body.next
    } else {
      if (!isRowSource(body)) return result
      const selected = fromList(body, asked.page, plan)
      rows = selected instanceof Promise ? await selected : selected
      if (asked.page.cursor && rows.more && rows.rows.length > 0) cursor = cursorAfter(asked.page, rows.rows.at(-1))
    }
    const reply = answer(ctx, plan, asked, rows, cursor, wrapped ? result.headers : undefined)
    const { fields } = asked.page
    if (fields.length === 0 && !tagged) return reply
    const shown = fields.length === 0 ? reply.body : rows.rows.map((row) => project(toPlain(row), fields))
    return new Reply(reply.status, tagged ? new Tagged(shown, tagged.rev, tagged.modified) : shown, reply.headers)
  }

  return Object.freeze({ read: (ctx: Context) => askedBy(ctx).page, around: page, names })
}

function checkPlan(plan: PagingPlan): void {
  const where = `@Paged of "${plan.unit}"`
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(plan.unit)) {
    throw new ConfigurationError(where, 'the range unit is no token', 'Write letters, digits and dashes')
  }
  for (const { name } of plan.filter) {
    if (ownNames.includes(name)) {
      throw new ConfigurationError(where, `"${name}" is a parameter of paging itself`, 'Give the filter another name')
    }
  }
}

// --- Reading ----------------------------------------------------------------------------------------------------------

function readRequest(ctx: Context, plan: PagingPlan): Asked {
  const query = queryOf(ctx)
  const sort = readSort(query, plan)
  const where = readWhere(query, plan.filter)
  const fields = query.get('fields')
  const preference = readPreference(ctx)
  const ranged = readRangeHeader(ctx, plan.unit)
  const { cursor, ...place } = readPlace(query, plan, ranged)
  const page: PageRequest = {
    ...place,
    ...(cursor !== undefined && { cursor: readCursor(cursor, plan, sort, where) }),
    fields: fields ? parseFields(fields.join(',')) : noFields,
    sort,
    where,
    count: preference ?? plan.count,
  }
  return { page, byHeader: ranged !== undefined, preference }
}

type Place = Pick<PageRequest, 'offset' | 'limit' | 'last'> & { readonly cursor?: string }

function readPlace(query: QueryMap, plan: PagingPlan, ranged: RangeSpec | undefined): Place {
  const range = single(query, 'range')
  const offset = single(query, 'offset')
  const limit = single(query, 'limit')
  const cursor = single(query, 'cursor')
  const others = offset !== undefined || limit !== undefined || cursor !== undefined
  if (ranged && (range !== undefined || others)) {
    throw refusal('header', 'range', 'conflict', 'A Range header and paging in the query exclude each other')
  }
  if (range !== undefined && others) {
    throw refusal('query', 'range', 'conflict', '"range" goes without "offset", "limit" and "cursor"')
  }
  if (cursor !== undefined && offset !== undefined) {
    throw refusal('query', 'cursor', 'conflict', '"cursor" and "offset" exclude each other')
  }
  if (ranged) return fromSpec(ranged, plan.max)
  if (range !== undefined) return fromSpec(readRangeText(range, plan.unit), plan.max)
  const rows = Math.min(limit === undefined ? plan.limit : readCount('limit', limit), plan.max)
  if (cursor === undefined) return { offset: offset === undefined ? 0 : readCount('offset', offset), limit: rows }
  if (!plan.cursor) throw refusal('query', 'cursor', 'cursor', 'This list is not paged by cursor')
  return { offset: 0, limit: rows, cursor }
}

function fromSpec(spec: RangeSpec, max: number): Place {
  if ('suffix' in spec) {
    const last = Math.min(spec.suffix, max)
    return { offset: 0, limit: last, last }
  }
  return { offset: spec.first, limit: spec.last === undefined ? max : Math.min(spec.last - spec.first + 1, max) }
}

function readRangeHeader(ctx: Context, unit: string): RangeSpec | undefined {
  const { range, 'if-range': condition } = ctx.req.headers
  // A list has no validator that a condition could name: the condition is false (RFC 9110 §13.1.5).
  if (range === undefined || condition !== undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD'))
    return undefined
  if (range.slice(0, range.indexOf('=')).trim().toLowerCase() !== unit.toLowerCase()) return undefined
  const parsed = parseRange(range)
  if (parsed) return parsed.ranges.length === 1 ? parsed.ranges[0] : undefined
  if (range.includes(',')) return undefined
  throw refusal('header', 'range', 'range', `A range of ${unit} is "first-last", "first-" or "-count"`)
}

function readRangeText(text: string, unit: string): RangeSpec {
  const parsed = parseRange(text.includes('=') ? text : `${unit}=${text}`)
  if (!parsed || parsed.unit.toLowerCase() !== unit.toLowerCase() || text.includes(',')) {
    throw refusal('query', 'range', 'range', '"range" is one "first-last", "first-" or "-count"')
  }
  return parsed.ranges[0]!
}

function readCount(name: string, text: string): number {
  const value = text.startsWith('-') ? undefined : parseInteger(text)
  if (value === undefined) throw refusal('query', name, 'type', `"${name}" is a whole number from zero on`)
  return value
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
      throw refusal('query', 'sort', 'unknown', sortAdvice(plan.sort))
    }
    if (!keys.has(name)) keys.set(name, { name, descending })
    if (keys.size > mostSortKeys)
      throw refusal('query', 'sort', 'limit', `"sort" takes ${mostSortKeys} names at the most`)
  }
  return [...keys.values()]
}

function sortAdvice(allowed: PagingPlan['sort']): string {
  if (allowed === true) return '"sort" takes names with commas between, a dash before a descending one'
  return allowed.length === 0 ? 'This list cannot be sorted' : `"sort" takes ${allowed.join(', ')}`
}

function readWhere(query: QueryMap, filters: readonly FilterPlan[]): PageRequest['where'] {
  let where: Record<string, WhereValue> | undefined
  for (const filter of filters) {
    const texts = query.get(filter.name)
    if (!texts) continue
    where ??= Object.create(null) as Record<string, WhereValue>
    where[filter.name] = texts.map((text) => readFilterValue(filter, text))
  }
  return where ?? noWhere
}

function readFilterValue({ name, type: { kind } }: FilterPlan, text: string): WhereValue[number] {
  const value = readScalar(kind, text)
  if (value === undefined) throw refusal('query', name, 'type', `"${name}" is not a valid ${kind}`)
  return value
}

function readScalar(kind: FilterPlan['type']['kind'], text: string): WhereValue[number] | undefined {
  switch (kind) {
    case 'number':
      return parseNumber(text)
    case 'integer':
      return parseInteger(text)
    case 'boolean':
      return parseBoolean(text)
    case 'date':
      return parseDate(text)
    default:
      return text
  }
}

function readPreference(ctx: Context): PagingPlan['count'] | undefined {
  const { prefer } = ctx.req.headers
  const count = prefer === undefined ? undefined : parsePrefer(String(prefer)).get('count')
  return count === 'none' || count === 'exact' || count === 'estimated' ? count : undefined
}

function single(query: QueryMap, name: string): string | undefined {
  const values = query.get(name)
  if (values && values.length > 1) throw refusal('query', name, 'type', `"${name}" is given more than once`)
  return values?.[0]
}

function refusal(source: ValueSource, name: string, code: string, detail: string): BadRequest {
  const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  return new BadRequest(detail, { code, errors: [{ in: source, pointer, code, detail }] })
}

// --- Cursors ----------------------------------------------------------------------------------------------------------

/** Reads its values when asked: a store that has cursors of its own never asks. */
class RequestCursor implements PageCursor {
  constructor(
    readonly raw: string,
    readonly scope: CursorScope,
    private readonly hasKey: boolean,
  ) {}

  get values(): readonly KeysetValue[] | undefined {
    if (!this.hasKey) throw refusal('query', 'cursor', 'cursor', 'This list is not paged by cursor')
    if (this.raw === '') return undefined
    const { order } = this.scope
    return decodeCursor(this.raw, this.scope).map((value, index) => ({ ...order[index]!, value }))
  }
}

function readCursor(raw: string, plan: PagingPlan, sort: readonly SortKey[], where: PageRequest['where']): PageCursor {
  const { key, secret } = plan.cursor!
  const ties = key.filter((name) => !sort.some((sorted) => sorted.name === name))
  const order = [...sort, ...ties.map((name) => ({ name, descending: false }))]
  const scope: CursorScope = { unit: plan.unit, secret, order, filter: fingerprintOf(where) }
  return new RequestCursor(raw, scope, key.length > 0)
}

/**
 * The cursor that stands behind a row, for a handler that pages by {@link PageCursor.values} itself.
 *
 * @param page the request, made by a `cursor` parameter
 * @param row the last row of the page
 * @returns nothing where the page was not asked for by cursor
 * @throws BadRequest where a value is too long to travel in a cursor
 *
 * @example
 * return slice(rows, undefined, rows.length === page.limit ? cursorAfter(page, rows.at(-1)) : undefined)
 */
export function cursorAfter(page: PageRequest, row: unknown): string | undefined {
  if (!(page.cursor instanceof RequestCursor)) return undefined
  const { scope } = page.cursor
  return encodeCursor(keysOf(row, scope.order), scope)
}

// --- Answering --------------------------------------------------------------------------------------------------------

function fromList(source: RowSource, page: PageRequest, plan: PagingPlan): Awaitable<PageRows> {
  const { cursor } = page
  return selectRows(source, {
    offset: page.offset,
    limit: page.limit,
    last: page.last,
    after: cursor?.values?.map((key) => key.value),
    filters: page.where === noWhere ? [] : toFilters(page.where, plan.filter),
    order: cursor instanceof RequestCursor ? cursor.scope.order : page.sort,
    countAll: page.count === 'exact',
  })
}

function toFilters(where: PageRequest['where'], plans: readonly FilterPlan[]): RowFilter[] {
  const filters: RowFilter[] = []
  for (const plan of plans) {
    const values = where[plan.name]
    if (values) filters.push(toRowFilter(plan, values))
  }
  return filters
}

/** Takes a handler's own slice, and no more of it than the page may hold. */
async function fromSlice(slice: Slice, page: PageRequest): Promise<PageRows> {
  const { rows, cut } = await take(slice.items, page.limit)
  let total =
    slice.total !== undefined && Number.isSafeInteger(slice.total) && slice.total >= 0 ? slice.total : undefined
  const first = firstOfSlice(page, rows.length, total)
  // Rows that came in between counting and reading, or an estimate: then the total is not known (RFC 9110 §14.4).
  if (total !== undefined && rows.length > 0 && total < (first ?? 0) + rows.length) total = undefined
  if (total === undefined && rows.length === 0 && first === 0 && page.limit > 0) total = 0
  if (page.cursor) return { rows, first, total, more: slice.next !== undefined || cut }
  const more =
    total !== undefined && first !== undefined
      ? first + rows.length < total
      : cut || slice.next !== undefined || rows.length >= page.limit
  return { rows, first, total, more }
}

function firstOfSlice(page: PageRequest, rows: number, total: number | undefined): number | undefined {
  if (page.last !== undefined) return total === undefined ? undefined : Math.max(0, total - rows)
  if (page.cursor) return page.cursor.raw === '' ? 0 : undefined
  return page.offset
}

async function take(
  items: Slice['items'],
  limit: number,
): Promise<{ readonly rows: readonly unknown[]; readonly cut: boolean }> {
  if (Array.isArray(items))
    return { rows: items.length > limit ? items.slice(0, limit) : items, cut: items.length > limit }
  const rows: unknown[] = []
  for await (const row of items) {
    if (rows.length >= limit) return { rows, cut: true }
    rows.push(row)
  }
  return { rows, cut: false }
}

function answer(
  ctx: Context,
  plan: PagingPlan,
  asked: Asked,
  found: PageRows,
  cursor: string | undefined,
  given: HeaderMap | undefined,
): Reply {
  const { page, byHeader, preference } = asked
  const { rows, first, total } = found
  const isAll = total === 0 || (first === 0 && !found.more && rows.length > 0)
  const shown = page.count === 'none' ? undefined : total
  const range = contentRange(plan.unit, page, found, shown)
  let status: 200 | 206 = isAll ? 200 : byHeader ? 206 : plan.status
  if (rows.length === 0 && total !== 0) refuseBeyond(plan.unit, asked, total)
  // Without the position of its rows a part cannot be a 206 (RFC 9110 §15.3.7.1); limit=0 has no rows to have one.
  if (range === undefined && page.limit > 0) {
    if (byHeader) throw unsatisfied(plan.unit, total)
    status = 200
  }
  ctx.vary('Prefer')
  const headers: Record<string, string> = { 'Accept-Ranges': plan.unit }
  if (range !== undefined) headers['Content-Range'] = range
  const links = total === 0 ? [] : linksOf(ctx, page, found, shown, cursor)
  if (links.length > 0) headers.Link = formatLink(links)
  if (preference !== undefined) headers['Preference-Applied'] = formatPreferenceApplied([['count', preference]])
  return new Reply(status, rows, given ? mergeHeaders(given, headers) : headers)
}

function contentRange(
  unit: string,
  page: PageRequest,
  { rows, first, total }: PageRows,
  shown: number | undefined,
): string | undefined {
  if (total === 0) return formatUnsatisfied(unit, 0)
  if (rows.length > 0 && first !== undefined) return formatContentRange(unit, first, first + rows.length - 1, shown)
  return shown === undefined ? undefined : formatUnsatisfied(unit, shown)
}

function refuseBeyond(unit: string, { page, byHeader }: Asked, total: number | undefined): void {
  if (page.cursor) return
  if (page.last === 0 || (page.last === undefined && total !== undefined && page.offset >= total)) {
    throw unsatisfied(unit, total)
  }
  if (byHeader && total === undefined) throw unsatisfied(unit, total)
}

function unsatisfied(unit: string, total: number | undefined): RangeNotSatisfiable {
  return new RangeNotSatisfiable(`There are no ${unit} in this range`, {
    code: 'range',
    headers: {
      'Accept-Ranges': unit,
      ...(total !== undefined && { 'Content-Range': formatUnsatisfied(unit, total) }),
    },
  })
}

/** A handler's own headers, and those of the page, which win; links are joined. */
function mergeHeaders(given: HeaderMap, own: Readonly<Record<string, string>>): HeaderMap {
  const merged: Record<string, string | readonly string[]> = { ...own }
  const taken = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase()
    if (lower === 'link' && own.Link !== undefined) merged.Link = [own.Link, ...[value].flat()].join(', ')
    else if (!taken.has(lower)) merged[name] = value
  }
  return merged
}

function linksOf(
  ctx: Context,
  page: PageRequest,
  { rows, first, more }: PageRows,
  total: number | undefined,
  cursor: string | undefined,
): Link[] {
  const { limit } = page
  if (limit === 0) return []
  const base = targetBase(ctx)
  const at = (rel: string, offset: number): Link => ({ href: `${base}offset=${offset}&limit=${limit}`, rel })
  const links: Link[] = page.cursor ? [{ href: `${base}cursor=&limit=${limit}`, rel: 'first' }] : [at('first', 0)]
  const placed = page.cursor || first === undefined ? undefined : first
  if (placed !== undefined && placed > 0) links.push(at('prev', Math.max(0, placed - limit)))
  if (cursor !== undefined) {
    links.push({ href: `${base}${formatQuery([['cursor', cursor]])}&limit=${limit}`, rel: 'next' })
  } else if (placed !== undefined && more && rows.length > 0) {
    links.push(at('next', placed + rows.length))
  }
  if (placed !== undefined && total !== undefined) {
    const phase = placed % limit
    links.push(at('last', phase + Math.max(0, Math.floor((total - 1 - phase) / limit)) * limit))
  }
  return links
}

/** The request's own target without its place in the list: a relative reference that a parameter can be put behind. */
function targetBase(ctx: Context): string {
  const url = ctx.originalUrl
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const kept: [string, string][] = []
  for (const [name, values] of mark < 0 ? [] : queryOf(ctx)) {
    if (!placeNames.has(name)) for (const value of values) kept.push([name, value])
  }
  // An absolute-form target names a host, and two slashes would: the reference is to stay on this one (RFC 3986 §4.2).
  const own = !path.startsWith('/') ? ctx.path : path
  return `${own.startsWith('//') ? `/.${own}` : own}?${kept.length > 0 ? `${formatQuery(kept)}&` : ''}`
}
