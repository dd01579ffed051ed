import { parseDate } from '../http/scalar'
import type { Awaitable } from '../types'
import { compareKeys, toKeyValue, type KeyValue, type SortKey } from './cursor'
import type { FilterPlan, TypePlan } from './plan'

/** One equality filter of one request, ready to be asked of every row. */
export interface RowFilter {
  readonly path: readonly string[]
  readonly kind: TypePlan['kind']
  readonly wanted: ReadonlySet<unknown>
}

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

/** A list of rows in any form that can be walked. */
export type RowSource = Iterable<unknown> | AsyncIterable<unknown>

/**
 * Whether a value is a list of rows: an array or any other iterable that is neither text, bytes nor a map.
 *
 * @param value what a handler returned
 */
export function isRowSource(value: unknown): value is RowSource {
  if (Array.isArray(value)) return true
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Map) return false
  if (Symbol.iterator in value) return true
  // A stream is a body of bytes unless it was made for objects (node:stream, WHATWG Streams §4.2).
  return Symbol.asyncIterator in value && !('getReader' in value) && !('pipe' in value && !isOfObjects(value))
}

function isOfObjects(stream: object): boolean {
  return 'readableObjectMode' in stream && stream.readableObjectMode === true
}

/**
 * Filters, sorts, counts and slices a list, in that order, and keeps no more rows than the page needs.
 *
 * @param source the whole list; an array that is neither filtered nor sorted is only sliced
 * @param query which rows are wanted
 */
export function selectRows(source: RowSource, query: RowQuery): Awaitable<PageRows> {
  if (Array.isArray(source) && query.filters.length === 0 && query.order.length === 0) return sliceArray(source, query)
  const sink = createSink(query)
  if (!(Symbol.iterator in source)) return drain(source, query.filters, sink)
  for (const row of source) {
    if (matches(row, query.filters) && !sink.take(row)) break
  }
  return sink.page()
}

async function drain(source: AsyncIterable<unknown>, filters: readonly RowFilter[], sink: RowSink): Promise<PageRows> {
  for await (const row of source) {
    if (matches(row, filters) && !sink.take(row)) break
  }
  return sink.page()
}

function sliceArray(source: readonly unknown[], { offset, limit, last }: RowQuery): PageRows {
  const total = source.length
  const first = last === undefined ? offset : Math.max(0, total - last)
  const rows = source.slice(first, last === undefined ? first + limit : total)
  return { rows, first, total, more: first + rows.length < total }
}

/** Takes rows one by one, keeps those of the page. */
interface RowSink {
  /** @returns false where no further row is needed */
  take(row: unknown): boolean
  page(): PageRows
}

function createSink(query: RowQuery): RowSink {
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

/**
 * The values of a row that an order goes by.
 *
 * @param row any row
 * @param order the names, dotted ones reach into members
 */
export function keysOf(row: unknown, order: readonly SortKey[]): readonly KeyValue[] {
  return order.map((key) => toKeyValue(readPath(row, key.name.split('.'))))
}

/**
 * Makes a filter ready to be asked of every row.
 *
 * @param plan the name and the type
 * @param values the values that pass, of that type
 */
export function toRowFilter(plan: FilterPlan, values: readonly KeyValue[]): RowFilter {
  const { kind } = plan.type
  return { path: plan.name.split('.'), kind, wanted: new Set(values.map((value) => toComparable(value, kind))) }
}

function matches(row: unknown, filters: readonly RowFilter[]): boolean {
  for (const { path, kind, wanted } of filters) {
    const value = readPath(row, path)
    const found = Array.isArray(value)
      ? value.some((element) => wanted.has(toComparable(element, kind)))
      : wanted.has(toComparable(value, kind))
    if (!found) return false
  }
  return true
}

// Stored rows often hold dates as text, and an untyped filter is itself text: both sides meet in one primitive.
function toComparable(value: unknown, kind: TypePlan['kind']): unknown {
  const key = toKeyValue(value)
  if (key instanceof Date) return kind === 'date' ? key.getTime() : key.toISOString()
  if (key === null) return undefined
  if (kind === 'date') return typeof key === 'string' ? parseDate(key)?.getTime() : undefined
  if (kind === 'any' || kind === 'class') return String(key)
  return typeof key === 'bigint' ? Number(key) : key
}

/**
 * Reads a member of a row: an own property, or what a getter of its class gives. Methods and what every object inherits
 * are no members.
 */
function readMember(row: unknown, name: string): unknown {
  if (typeof row !== 'object' || row === null) return undefined
  if (Object.hasOwn(row, name)) return (row as Record<string, unknown>)[name]
  if (name === '__proto__') return undefined
  for (let holder: unknown = Object.getPrototypeOf(row); holder; holder = Object.getPrototypeOf(holder)) {
    const member = Object.getOwnPropertyDescriptor(holder, name)
    if (member) return member.get ? (member.get.call(row) as unknown) : undefined
  }
  return undefined
}

function readPath(row: unknown, path: readonly string[]): unknown {
  let value = row
  for (const name of path) value = readMember(value, name)
  return value
}

// --- Projection -------------------------------------------------------------------------------------------------------

/** Names to keep, each with the names to keep below it; none below: all of it. */
type FieldTree = Map<string, FieldTree | undefined>

/**
 * Parses a list of fields.
 *
 * @param text names with commas between, dotted ones reach into members
 * @returns the names, each once
 *
 * @example
 * parseFields('id,address.city') // ['id', 'address.city']
 */
export function parseFields(text: string): readonly string[] {
  if (text === '') return []
  const names = new Set<string>()
  for (const part of text.split(',')) {
    const name = part.trim()
    if (name !== '' && !name.split('.').includes('__proto__')) names.add(name)
  }
  return [...names]
}

const trees = new WeakMap<readonly string[], FieldTree>()

/**
 * Picks fields out of plain data; lists are gone through, names that are not there are passed over.
 *
 * @param value plain data
 * @param fields names as {@link parseFields} returns them; none: everything
 *
 * @example
 * project({ id: 1, address: { city: 'Kyoto', zip: '600' } }, ['address.city']) // { address: { city: 'Kyoto' } }
 */
export function project(value: unknown, fields: readonly string[]): unknown {
  if (fields.length === 0) return value
  let tree = trees.get(fields)
  if (!tree) trees.set(fields, (tree = toTree(fields)))
  return pick(value, tree)
}

function toTree(fields: readonly string[]): FieldTree {
  const root: FieldTree = new Map()
  for (const field of fields) {
    const path = field.split('.')
    const leaf = path.pop()!
    let tree: FieldTree | undefined = root
    for (const name of path) {
      // A shorter name keeps all that lies below it.
      if (tree.has(name) && tree.get(name) === undefined) tree = undefined
      if (!tree) break
      const known: FieldTree = tree.get(name) ?? new Map<string, FieldTree | undefined>()
      tree.set(name, known)
      tree = known
    }
    tree?.set(leaf, undefined)
  }
  return root
}

function pick(value: unknown, tree: FieldTree): unknown {
  if (Array.isArray(value)) return value.map((element) => pick(element, tree))
  if (!isRecord(value)) return value
  const picked: Record<string, unknown> = {}
  for (const [name, below] of tree) {
    if (name === '__proto__' || !Object.hasOwn(value, name)) continue
    const member = value[name]
    if (below === undefined) picked[name] = member
    else if (Array.isArray(member) || isRecord(member)) picked[name] = pick(member, below)
  }
  return picked
}

function isRecord(value: unknown): value is Record<string, unknown> {
  // Dates, buffers and their kin say themselves how they are written: they have no members to pick.
  return typeof value === 'object' && value !== null && !('toJSON' in value && typeof value.toJSON === 'function')
}
