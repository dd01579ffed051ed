import type { Awaitable } from '../types'
import { createSink, type PageRows, type RowQuery, type RowSink } from './page-sinks'
import { matches, type RowFilter } from './row-values'

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
