import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { BadRequest } from '../errors'
import { refusal } from '../http/refusal'
import type { KeyValue, SortKey } from './plan'

/** What a cursor holds good for: one list in one order under one filter. */
export interface CursorScope {
  /** The list: the range unit. */
  readonly unit: string
  /** Signs the cursor; without it a cursor is only checked for its shape. */
  readonly secret?: string
  /** The whole order, the names that break ties included. */
  readonly order: readonly SortKey[]
  /** What {@link fingerprintOf} made of the filters. */
  readonly filter: string
}

const version = 1
// A cursor travels in a link and in a query: servers and proxies bound both to some kilobytes.
const longest = 4096
const macBytes = 16
const base64url = /^[A-Za-z0-9_-]+$/

/**
 * Makes an opaque cursor that stands behind a row.
 *
 * @param values the row's values of the scope's order, one each
 * @param scope the list, its order and its filter
 * @throws BadRequest `cursor` where a value is too long to travel in a cursor
 *
 * @example
 * encodeCursor(['Ada', 7], { unit: 'people', order: [{ name: 'name', descending: false }, { name: 'id', descending: false }], filter: '' })
 */
export function encodeCursor(values: readonly KeyValue[], scope: CursorScope): string {
  const content = JSON.stringify([version, orderText(scope.order), scope.filter, values.map(toWire)])
  const payload = Buffer.from(content, 'utf8').toString('base64url')
  const cursor = scope.secret === undefined ? payload : `${payload}.${sign(payload, scope).toString('base64url')}`
  if (cursor.length > longest) throw refused('In this order the list cannot be paged by cursor: a value is too long')
  return cursor
}

/**
 * Reads a cursor back.
 *
 * @param cursor what {@link encodeCursor} made
 * @param scope the scope that it was made for
 * @returns the values of the order, one each
 * @throws BadRequest `cursor` for anything that was not made for this scope
 *
 * @example
 * decodeCursor(encodeCursor([7], scope), scope) // [7]
 */
export function decodeCursor(cursor: string, scope: CursorScope): readonly KeyValue[] {
  const values = cursor.length <= longest ? open(cursor, scope) : undefined
  if (!values) throw refused('The cursor does not belong to this list, order and filter')
  return values
}

function open(cursor: string, scope: CursorScope): readonly KeyValue[] | undefined {
  let payload = cursor
  if (scope.secret !== undefined) {
    const dot = cursor.indexOf('.')
    const mac = cursor.slice(dot + 1)
    payload = cursor.slice(0, Math.max(0, dot))
    if (!base64url.test(payload) || !base64url.test(mac)) return undefined
    const given = Buffer.from(mac, 'base64url')
    if (given.length !== macBytes || !timingSafeEqual(given, sign(payload, scope))) return undefined
  }
  if (!base64url.test(payload)) return undefined
  const content = parseJson(Buffer.from(payload, 'base64url').toString('utf8'))
  if (!Array.isArray(content) || content.length !== 4) return undefined
  const [made, order, filter, wire] = content as unknown[]
  if (made !== version || order !== orderText(scope.order) || filter !== scope.filter) return undefined
  if (!Array.isArray(wire) || wire.length !== scope.order.length) return undefined
  const values = wire.map(fromWire)
  return values.includes(undefined) ? undefined : (values as KeyValue[])
}

function sign(payload: string, scope: CursorScope): Buffer {
  return createHmac('sha256', scope.secret!).update(`${scope.unit}\n${payload}`).digest().subarray(0, macBytes)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function orderText(order: readonly SortKey[]): string {
  return order.map((key) => (key.descending ? `-${key.name}` : key.name)).join(',')
}

function toWire(value: KeyValue): unknown {
  if (value instanceof Date) return ['d', value.getTime()]
  if (typeof value === 'bigint') return ['n', String(value)]
  return value
}

function fromWire(wire: unknown): KeyValue | undefined {
  if (!Array.isArray(wire)) return wire === null || toKeyValue(wire) !== null ? (wire as KeyValue) : undefined
  const [tag, value, ...rest] = wire as unknown[]
  if (rest.length > 0) return undefined
  if (tag === 'd' && typeof value === 'number') return toKeyValue(new Date(value)) ?? undefined
  if (tag === 'n' && typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value)
  return undefined
}

/**
 * Sums up the filters of a request, so that a cursor is not used under others.
 *
 * @param where the values each name may have; their order does not matter
 * @returns nothing, as an empty text, where there is no filter
 */
export function fingerprintOf(where: Readonly<Record<string, readonly KeyValue[]>>): string {
  const names = Object.keys(where).sort()
  if (names.length === 0) return ''
  const content = names.map((name) => [name, where[name]!.map((value) => JSON.stringify(toWire(value))).sort()])
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 16)
}

/**
 * What a value counts as in an order: itself where it is a string, a finite number, a bigint, a boolean or a valid date,
 * else `null`.
 *
 * @param value any value of a row
 */
export function toKeyValue(value: unknown): KeyValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return value
    case 'number':
      return Number.isFinite(value) ? value : null
    default:
      return value instanceof Date && !Number.isNaN(value.getTime()) ? value : null
  }
}

/**
 * Compares two rows by their values of an order: numbers, then strings by code unit, then dates, then booleans; `null`
 * is last in either direction.
 *
 * @param left values of one row
 * @param right values of the other
 * @param order the names that the values belong to
 * @returns below zero where the left row comes first, zero where neither does
 */
export function compareKeys(left: readonly KeyValue[], right: readonly KeyValue[], order: readonly SortKey[]): number {
  for (let at = 0; at < order.length; at++) {
    const a = left[at]!
    const b = right[at]!
    if (a === b) continue
    if (a === null) return 1
    if (b === null) return -1
    const difference = rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0)
    if (difference !== 0) return order[at]!.descending ? -difference : difference
  }
  return 0
}

function rank(value: KeyValue): number {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return 0
    case 'string':
      return 1
    case 'object':
      return 2
    default:
      return 3
  }
}

function refused(detail: string): BadRequest {
  return refusal('query', '/cursor', 'cursor', detail)
}
