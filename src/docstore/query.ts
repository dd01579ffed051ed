import type { DriverQuery, Query, QuerySort, QueryValue } from './driver'

/** Names of one path, and names of one order, at the most. */
export const deepest = 32

/** Bytes of a JSON document at the most: a larger one takes no part in queries, it would have to be parsed whole. */
export const queryBound = 16 * 1024 * 1024

// RFC 8259, RFC 6839 §3.1. Parameters do not matter: JSON has none.
const jsonType = /^(?:application\/json|[^;\s]+\+json)[ \t]*(?:;|$)/i

/** Whether documents of this type take part in queries: `application/json` and whatever ends with `+json`. */
export function isJsonType(type: string): boolean {
  return jsonType.test(type)
}

/** The value of a JSON document, or nothing where it holds none: a store takes any bytes under any type. */
export function parseDocument(body: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown }
  } catch {
    return undefined
  }
}

/** What a member counts as: itself where it is a text, a finite number or a boolean, else `null`. */
export function toQueryValue(value: unknown): QueryValue {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  return typeof value === 'string' || typeof value === 'boolean' ? value : null
}

/** The member that a path leads to: through objects only, by names of their own. */
export function readMember(value: unknown, path: readonly string[]): unknown {
  let member = value
  for (const name of path) {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return undefined
    member = Object.hasOwn(member, name) ? (member as Record<string, unknown>)[name] : undefined
  }
  return member
}

/** Whether a document has one of the values under each name; of a list one element is enough. */
export function hasValues(value: unknown, where: DriverQuery['where']): boolean {
  for (const { path, values } of where) {
    const member = readMember(value, path)
    const found = Array.isArray(member)
      ? member.some((element) => values.includes(toQueryValue(element)))
      : values.includes(toQueryValue(member))
    if (!found) return false
  }
  return true
}

/** The values that an order goes by. */
export function sortValues(value: unknown, sort: DriverQuery['sort']): readonly QueryValue[] {
  return sort.map(({ path }) => toQueryValue(readMember(value, path)))
}

/**
 * Compares two documents by their values of an order: numbers, then texts by UTF-16 code unit, then `false` and `true`;
 * `null` is last in either direction.
 *
 * @returns below zero where the left one comes first, zero where neither does
 */
export function compareSortValues(
  left: readonly QueryValue[],
  right: readonly QueryValue[],
  sort: ReadonlyArray<Pick<QuerySort, 'descending'>>,
): number {
  for (let at = 0; at < sort.length; at++) {
    const [a, b] = [left[at] ?? null, right[at] ?? null]
    if (a === b) continue
    if (a === null) return 1
    if (b === null) return -1
    const difference = rankOf(a) - rankOf(b) || (a < b ? -1 : a > b ? 1 : 0)
    if (difference !== 0) return sort[at]!.descending ? -difference : difference
  }
  return 0
}

function rankOf(value: string | number | boolean): number {
  return typeof value === 'number' ? 0 : typeof value === 'string' ? 1 : 2
}

/**
 * A query with its defaults filled in and its names taken apart.
 *
 * @param prefix checked already
 * @throws TypeError, RangeError where it makes no sense
 */
export function checkQuery(query: Query, prefix: string): DriverQuery {
  const { where = {}, sort = [], offset = 0, limit, after, count = false } = query
  for (const [name, value] of Object.entries({ limit, offset })) {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} takes a whole number from 0`)
  }
  if (sort.length > deepest) throw new RangeError(`sort takes ${deepest} names at the most`)
  return {
    prefix,
    where: Object.entries(where).map(([name, values]) => ({
      path: toPath(name),
      values: [...new Set(values.map(checkValue))],
    })),
    sort: sort.map(({ name, descending }) => ({ path: toPath(name), descending: descending === true })),
    offset,
    limit,
    after: after && checkPlace(after, sort.length),
    count: count === true,
  }
}

function checkPlace({ values, key }: NonNullable<Query['after']>, length: number): NonNullable<Query['after']> {
  if (typeof key !== 'string') throw new TypeError('after.key takes a key')
  if (values.length !== length) throw new TypeError('after.values takes one value for each name of sort')
  return { values: values.map(checkValue), key }
}

function checkValue(value: unknown): QueryValue {
  if (value !== null && toQueryValue(value) === null) {
    throw new TypeError('A query compares with texts, finite numbers, booleans and null')
  }
  // Zero has one place in an order, and `-0` is equal to it.
  return value === 0 ? 0 : (value as QueryValue)
}

function toPath(name: unknown): readonly string[] {
  if (typeof name !== 'string') throw new TypeError('A query names members by text')
  const path = name.split('.')
  if (path.length > deepest || name.length > 1000) {
    throw new RangeError(`A query reaches ${deepest} members deep, by a name of 1,000 characters at the most`)
  }
  return path
}
