import type { Awaitable } from '../types'
import { orderOf } from './page-cursor'
import { noWhere } from './page-request'
import { selectRows, type RowSource } from './page-rows'
import type { PageRows } from './page-sinks'
import type { FilterPlan, PageRequest, PagingPlan } from './plan'
import type { Slice } from './replies'
import { toRowFilter, type RowFilter } from './row-values'

/** Takes the page's rows from a whole list. */
export function fromList(source: RowSource, page: PageRequest, plan: PagingPlan): Awaitable<PageRows> {
  return selectRows(source, {
    offset: page.offset,
    limit: page.limit,
    last: page.last,
    after: page.cursor?.values?.map((key) => key.value),
    filters: page.where === noWhere ? [] : toFilters(page.where, plan.filter),
    order: orderOf(page),
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
export function fromSlice(slice: Slice, page: PageRequest): Awaitable<PageRows> {
  const { items } = slice
  if (!Array.isArray(items)) return take(items, page.limit).then(({ rows, cut }) => placeSlice(slice, page, rows, cut))
  const cut = items.length > page.limit
  return placeSlice(slice, page, cut ? items.slice(0, page.limit) : items, cut)
}

function placeSlice(slice: Slice, page: PageRequest, rows: readonly unknown[], cut: boolean): PageRows {
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
  const rows: unknown[] = []
  for await (const row of items) {
    if (rows.length >= limit) return { rows, cut: true }
    rows.push(row)
  }
  return { rows, cut: false }
}
