import { refusal } from '../http/refusal'
import { decodeCursor, encodeCursor, fingerprintOf, type CursorScope } from './cursor'
import type { KeysetValue, PageCursor, PageRequest, PagingPlan, SortKey } from './plan'
import { keysOf } from './row-values'

/** Reads its values when asked: a store that has cursors of its own never asks. */
class RequestCursor implements PageCursor {
  constructor(
    readonly raw: string,
    readonly scope: CursorScope,
    private readonly hasKey: boolean,
  ) {}

  get values(): readonly KeysetValue[] | undefined {
    if (!this.hasKey) throw refusal('query', '/cursor', 'cursor', 'This list is not paged by cursor')
    if (this.raw === '') return undefined
    const { order } = this.scope
    return decodeCursor(this.raw, this.scope).map((value, index) => ({ ...order[index]!, value }))
  }
}

/**
 * The cursor of a request, and the order that it goes by: the one asked for, ties broken by the list's key.
 *
 * @param raw the cursor as it was sent
 * @param plan the list; it has cursors
 * @param sort the order asked for
 * @param where the filters asked for
 */
export function readCursor(
  raw: string,
  plan: PagingPlan,
  sort: readonly SortKey[],
  where: PageRequest['where'],
): PageCursor {
  const { key, secret } = plan.cursor!
  const ties = key.filter((name) => !sort.some((sorted) => sorted.name === name))
  const order = [...sort, ...ties.map((name) => ({ name, descending: false }))]
  const scope: CursorScope = { unit: plan.unit, secret, order, filter: fingerprintOf(where) }
  return new RequestCursor(raw, scope, key.length > 0)
}

/** The order that a page goes by: of one asked for by cursor the names that break ties belong to it. */
export function orderOf({ cursor, sort }: PageRequest): readonly SortKey[] {
  return cursor instanceof RequestCursor ? cursor.scope.order : sort
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
