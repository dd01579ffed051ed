import { parseDate } from '../http/scalar'
import { toKeyValue } from './cursor'
import type { FilterPlan, KeyValue, SortKey, TypePlan } from './plan'

/** One equality filter of one request, ready to be asked of every row. */
export interface RowFilter {
  readonly path: readonly string[]
  readonly kind: TypePlan['kind']
  readonly wanted: ReadonlySet<unknown>
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

/** Whether a row passes all filters; of a list in it one element is enough. */
export function matches(row: unknown, filters: readonly RowFilter[]): boolean {
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

/** The value that a path leads to in a row. */
export function readPath(row: unknown, path: readonly string[]): unknown {
  let value = row
  for (const name of path) value = readMember(value, name)
  return value
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
