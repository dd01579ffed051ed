import { compareKeys, toKeyValue } from './cursor'
import type { KeyValue, SortKey } from './plan'
import { readPath, type RowFilter } from './row-values'

/** Which rows of a list make the page. */
export interface RowQuery {
  readonly offset: number
  readonly limit: number
  /** So many rows at the end instead. */
  readonly last?: number
  /** The rows behind these values of the order instead. */
  readonly after?: readonly KeyValue[]
  readonly filters: readonly RowFilter[]
  readonly order: readonly SortKey[]
  /** Whether to read on to the end for the sake of the count. */
  readonly countAll: boolean
}

/** A page of rows, and what is known of the list it is from. */
export interface PageRows {
  readonly rows: readonly unknown[]
  /** The position of the first row; none: unknown. */
  readonly first?: number
  /** Rows of the whole list; none: unknown. */
  readonly total?: number
  /** Whether rows follow, or may. */
  readonly more: boolean
}

/** Takes rows one by one, keeps those of the page. */
export interface RowSink {
  /** @returns false where no further row is needed */
  take(row: unknown): boolean
  page(): PageRows
}

/** The sink that keeps the rows of one query, and no more of them than its page needs. */
export function createSink(query: RowQuery): RowSink {
  if (query.order.length > 0) return new OrderedSink(query)
  return query.last === undefined ? new PageSink(query) : new TailSink(query.last)
}

class PageSink implements RowSink {
  private readonly rows: unknown[] = []
  private count = 0
  private stopped = false

  constructor(private readonly query: RowQuery) {}

  take(row: unknown): boolean {
    const { offset, limit, countAll } = this.query
    const position = this.count++
    if (position >= offset && position - offset < limit) this.rows.push(row)
    this.stopped = !countAll && position >= offset && position - offset >= limit
    return !this.stopped
  }

  page(): PageRows {
    const { rows, count, stopped } = this
    const first = this.query.offset
    return stopped ? { rows, first, more: true } : { rows, first, total: count, more: first + rows.length < count }
  }
}

class TailSink implements RowSink {
  private readonly ring: unknown[] = []
  private count = 0

  constructor(private readonly size: number) {}

  take(row: unknown): boolean {
    if (this.size > 0) this.ring[this.count % this.size] = row
    this.count++
    return true
  }

  page(): PageRows {
    const { ring, count, size } = this
    const oldest = count > size && size > 0 ? count % size : 0
    const rows = [...ring.slice(oldest), ...ring.slice(0, oldest)]
    return { rows, first: count - rows.length, total: count, more: false }
  }
}

interface Entry {
  readonly row: unknown
  readonly keys: readonly KeyValue[]
  readonly position: number
}

class OrderedSink implements RowSink {
  /** A heap of the rows kept, the one to give up first on top. */
  private readonly heap: Entry[] = []
  private readonly paths: readonly (readonly string[])[]
  private readonly size: number
  private count = 0
  private before = 0

  constructor(private readonly query: RowQuery) {
    this.paths = query.order.map((key) => key.name.split('.'))
    const skipped = query.after ? 0 : query.offset
    this.size = query.last ?? (query.limit === 0 ? 0 : skipped + query.limit)
  }

  take(row: unknown): boolean {
    const keys = this.paths.map((path) => toKeyValue(readPath(row, path)))
    const entry = { row, keys, position: this.count++ }
    const { after, order } = this.query
    if (after && compareKeys(keys, after, order) <= 0) this.before++
    else if (this.heap.length < this.size) this.rise(entry)
    else if (this.size > 0 && this.compare(entry, this.heap[0]!) < 0) this.sink(entry)
    return true
  }

  page(): PageRows {
    const { count, heap, query } = this
    const sorted = heap.sort((a, b) => this.compare(a, b)).map((entry) => entry.row)
    if (query.last !== undefined) {
      return { rows: sorted.reverse(), first: count - sorted.length, total: count, more: false }
    }
    const first = query.after ? this.before : query.offset
    const rows = query.after ? sorted : sorted.slice(query.offset)
    return { rows, first, total: count, more: first + rows.length < count }
  }

  /** The order of the list; turned round where its end is wanted. Positions keep equal rows as they came. */
  private compare(a: Entry, b: Entry): number {
    const difference = compareKeys(a.keys, b.keys, this.query.order) || a.position - b.position
    return this.query.last === undefined ? difference : -difference
  }

  private rise(entry: Entry): void {
    const { heap } = this
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.compare(heap[parent]!, entry) >= 0) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  private sink(entry: Entry): void {
    const { heap } = this
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.compare(heap[child + 1]!, heap[child]!) > 0) child++
      if (this.compare(heap[child]!, entry) <= 0) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = entry
  }
}
