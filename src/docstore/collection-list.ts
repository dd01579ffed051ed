import { refusal } from '../http/refusal'
import { cursorAfter } from '../route/page-cursor'
import type { KeyValue, PageRequest, SortKey, WhereValue } from '../route/plan'
import { Slice } from '../route/replies'
import { isRecord, type Form } from './collection-form'
import type { Query, QuerySort, QueryValue } from './driver'
import type { Store } from './store'

/** A page of the documents, found by the store. */
export async function listPage(
  store: Store,
  form: Form,
  page: PageRequest,
  toPlain: (value: unknown) => unknown,
): Promise<Slice> {
  const where = toWhere(page.where)
  const order = orderOf(page.sort, form.keyName)
  const base = { where, sort: order }
  // The last rows lie before the end: where that is has to be known first.
  const known = page.last === undefined ? undefined : (await store.query({ where, limit: 0, count: true })).total
  const offset = known === undefined ? page.offset : Math.max(0, known - (page.last ?? 0))
  const query: Query = page.cursor
    ? { ...base, after: placeOf(page, order.length, form.keyName), limit: page.limit }
    : { ...base, offset, limit: page.limit }
  const counted = page.count !== 'none' || page.limit === 0
  const found = await store.query({ ...query, count: known === undefined && counted })
  const rows = found.items.map(({ meta, value }) => form.show(meta.key, isRecord(value) ? value : {}, toPlain))
  const last = found.items.at(-1)
  if (page.cursor) {
    const next = found.more && last ? cursorAfter(page, storedRow(last, form.keyName)) : undefined
    return new Slice(rows, found.total, next)
  }
  // Where nothing follows the number is known without counting.
  const reached = found.more || (rows.length === 0 && offset > 0) ? undefined : offset + rows.length
  return new Slice(rows, known ?? found.total ?? reached)
}

/** What a cursor is made of: the values that the store sorted by, not those that are shown. */
function storedRow({ meta, value }: { meta: { key: string }; value: unknown }, keyName: string): object {
  return { ...(isRecord(value) ? value : {}), [keyName]: meta.key }
}

/** The order up to the key, which is unique: nothing behind it matters, and the store breaks ties by it. */
function orderOf(sort: readonly SortKey[], keyName: string): QuerySort[] {
  const at = sort.findIndex(({ name }) => name === keyName)
  if (at < 0) return [...sort]
  return sort.slice(0, sort[at]?.descending ? at + 1 : at)
}

/** The place behind which a page by cursor starts; none: at the beginning. */
function placeOf({ cursor }: PageRequest, length: number, keyName: string): Query['after'] {
  const values = cursor?.values
  if (!values) return undefined
  const key = values.find(({ name }) => name === keyName)?.value
  if (typeof key !== 'string' || !/^[A-Za-z0-9_-]{1,255}$/.test(key)) {
    throw refusal('query', '/cursor', 'cursor', 'The cursor does not belong to this list, order and filter')
  }
  return { values: values.slice(0, length).map(({ value }) => toQueryValue(value)), key }
}

function toWhere(where: PageRequest['where']): Record<string, readonly QueryValue[]> {
  const entries = Object.entries<readonly WhereValue[]>(where)
  return Object.fromEntries(entries.map(([name, values]) => [name, values.map(toQueryValue)]))
}

/** As it stands in JSON. */
function toQueryValue(value: KeyValue): QueryValue {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'bigint' ? Number(value) : value
}
