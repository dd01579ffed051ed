import type { ValueSource } from '../errors'
import { escapePointer } from './pointer'
import { refusal } from './refusal'

/** The parameters of a query or form: each name with its values, in the order they came. */
export type QueryMap = ReadonlyMap<string, readonly string[]>

/** Bounds on a query or form, and what to call it in errors. */
export interface QueryLimits {
  /** Pairs at the most. Default 1,000. */
  readonly keys?: number
  /** Characters of the whole text at the most. Default 16,384. */
  readonly length?: number
  /** What violations say they are in. Default `query`. */
  readonly in?: ValueSource
}

/** Bounds on what {@link expandQuery} builds. */
export interface ExpandLimits {
  /** Bracketed segments of one name at the most. Default 5. */
  readonly depth?: number
  /** Names at the most, and so members of any object built. Default 1,000. */
  readonly keys?: number
  /** What violations say they are in. Default `query`. */
  readonly in?: ValueSource
}

const AMPERSAND = 0x26
const PLUS = 0x2b
const PERCENT = 0x25
const EQUALS = 0x3d

/**
 * Parses `application/x-www-form-urlencoded` text: the query of a URL without its mark, or a form.
 *
 * A plus is a space, escapes are strict UTF-8, blank values are kept, a semicolon separates nothing.
 *
 * @param text the text, undecoded
 * @param limits bounds: 1,000 pairs and 16,384 characters unless told
 * @throws BadRequest `encoding` where an escape is malformed, `limit` where a bound is exceeded
 * @see WHATWG URL §5.1
 *
 * @example
 * parseQuery('tag=a&tag=b+c&q=') // Map { 'tag' => ['a', 'b c'], 'q' => [''] }
 */
export function parseQuery(text: string, limits: QueryLimits = {}): QueryMap {
  const map = new Map<string, string[]>()
  const { keys = 1000, length = 16384, in: source = 'query' } = limits
  if (text.length > length) throw refusal(source, '', 'limit', `The ${source} is longer than ${length} characters`)
  let pairs = 0
  let start = 0
  let equals = -1
  let nameCoded = false
  let valueCoded = false
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : AMPERSAND
    if (code === EQUALS) {
      if (equals < 0) equals = at
    } else if (code === PERCENT || code === PLUS) {
      if (equals < 0) nameCoded = true
      else valueCoded = true
    } else if (code === AMPERSAND) {
      if (at > start) {
        if (++pairs > keys) throw refusal(source, '', 'limit', `The ${source} has more than ${keys} parameters`)
        const nameEnd = equals < 0 ? at : equals
        const rawName = text.slice(start, nameEnd)
        const name = nameCoded ? decode(rawName, source, '') : rawName
        const rawValue = equals < 0 ? '' : text.slice(equals + 1, at)
        const value = valueCoded ? decode(rawValue, source, name) : rawValue
        const values = map.get(name)
        if (values) values.push(value)
        else map.set(name, [value])
      }
      start = at + 1
      equals = -1
      nameCoded = false
      valueCoded = false
    }
  }
  return map
}

function decode(text: string, source: ValueSource, name: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  try {
    // decodeURIComponent refuses overlong forms, surrogates and cut sequences: strict UTF-8 (RFC 3629 §4).
    return decodeURIComponent(spaced)
  } catch {
    throw refusal(source, `/${escapePointer(name)}`, 'encoding', 'A percent-escape is malformed or is not UTF-8')
  }
}

type Expanded = { [name: string]: string | string[] | Expanded }

/**
 * Turns names with brackets into nested values: `a=1` a string, `a=1&a=2` and `a[]=1` lists, `a[b]=1` an object.
 *
 * Objects have no prototype. A name whose brackets do not pair up is taken literally.
 *
 * @param map what {@link parseQuery} returned
 * @param limits bounds: five bracketed segments and 1,000 names unless told
 * @throws BadRequest `conflict` where one name is two kinds of value, `limit` beyond a bound, `unknown` for a segment that
 * names part of a prototype
 *
 * @example
 * expandQuery(parseQuery('where[city]=Berlin&id[]=7')) // { where: { city: 'Berlin' }, id: ['7'] }
 */
export function expandQuery(map: QueryMap, limits: ExpandLimits = {}): Record<string, unknown> {
  const { depth = 5, keys = 1000, in: source = 'query' } = limits
  if (map.size > keys) throw refusal(source, '', 'limit', `The ${source} has more than ${keys} names`)
  const root: Expanded = emptyObject()
  for (const [name, values] of map) {
    const path = segments(name)
    const asList = path.length > 1 && path[path.length - 1] === ''
    if (asList) path.pop()
    if (path.length - 1 > depth) {
      throw refusal(source, pointerOf(path), 'limit', `A name is nested deeper than ${depth} levels`)
    }
    place(root, path, asList || values.length > 1 ? [...values] : values[0]!, source)
  }
  return root
}

function place(root: Expanded, path: readonly string[], leaf: string | string[], source: ValueSource): void {
  let target = root
  for (const [level, segment] of path.entries()) {
    if (segment === '__proto__' || segment === 'constructor' || segment === 'prototype') {
      throw refusal(source, pointerOf(path), 'unknown', 'There is no parameter of this name')
    }
    const known = target[segment]
    const isLast = level === path.length - 1
    if (isLast && known === undefined) {
      target[segment] = leaf
      return
    }
    if (isLast || typeof known === 'string' || Array.isArray(known) || (level > 0 && segment === '')) {
      throw refusal(source, pointerOf(path), 'conflict', 'One name is given as two kinds of value')
    }
    target = known ?? (target[segment] = emptyObject())
  }
}

function segments(name: string): string[] {
  const open = name.indexOf('[')
  if (open <= 0 || !name.endsWith(']')) return [name]
  const inner = name.slice(open + 1, -1).split('][')
  return inner.some((segment) => segment.includes('[') || segment.includes(']'))
    ? [name]
    : [name.slice(0, open), ...inner]
}

function emptyObject(): Expanded {
  return Object.create(null) as Expanded
}

/**
 * Formats pairs as `application/x-www-form-urlencoded` text, the inverse of {@link parseQuery}.
 *
 * @param pairs names and values; a lone surrogate becomes U+FFFD
 *
 * @example
 * formatQuery([['q', 'a b'], ['n', '1']]) // 'q=a+b&n=1'
 */
export function formatQuery(pairs: Iterable<readonly [string, string]>): string {
  let text = ''
  for (const [name, value] of pairs) {
    text += `${text === '' ? '' : '&'}${encode(name)}=${encode(value)}`
  }
  return text
}

const plain = /^[A-Za-z0-9_.*-]*$/

function encode(text: string): string {
  return plain.test(text) ? text : new URLSearchParams([['', text]]).toString().slice(1)
}

function pointerOf(path: readonly string[]): string {
  return path.map((segment) => `/${escapePointer(segment)}`).join('')
}
