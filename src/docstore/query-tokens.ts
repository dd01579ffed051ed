import type { QueryValue } from './driver'
import { deepest, isJsonType, parseDocument, queryBound, toQueryValue } from './query'

/**
 * Databases disagree with each other, and with JavaScript, on numbers, on the order of texts, on doubled names and on which
 * texts they take at all. What they compare is therefore made here: beside each JSON document stands the same tree of
 * objects and lists with a token in place of each value. Tokens are plain text that is in order byte by byte.
 */
const nothing = 'z'

/** Stands for `null` where an order rises; it is above every token. */
export const lastToken = nothing

/** Stands for `null` where an order falls; it is below every token. */
export const firstToken = ''

/**
 * The token of a value: numbers first, then texts, then booleans, each in their order.
 *
 * @returns nothing (`undefined`) for null
 */
export function toToken(value: QueryValue): string | undefined {
  if (typeof value === 'number') return `n${orderedHex(value)}`
  if (typeof value === 'string') return `s${toOrderedText(value)}`
  return value === null ? undefined : `t${value ? 1 : 0}`
}

/** A name as it stands in a tree of tokens: safe inside a quoted path of any SQL, and never a number. */
export function toMemberName(name: string): string {
  return `m${name.replace(/[^A-Za-z0-9_-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}`
}

/** The tree of tokens of a document, as JSON text; nothing (`null`) where it takes no part in queries. */
export function toTokens(type: string, body: Uint8Array): string | null {
  if (!takesPart(type, body.byteLength)) return null
  const parsed = parseDocument(body)
  return parsed ? (treeOf(parsed.value, deepest) ?? '{}') : null
}

/** Whether a document of this type and size is to be looked at for queries. */
export function takesPart(type: string, size: number): boolean {
  return size <= queryBound && isJsonType(type)
}

function treeOf(value: unknown, depth: number): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return undefined
  const members: string[] = []
  for (const [name, member] of Object.entries(value)) {
    const text = Array.isArray(member) ? listOf(member) : (treeOf(member, depth - 1) ?? tokenText(member))
    if (text !== undefined) members.push(`"${toMemberName(name)}":${text}`)
  }
  return `{${members.join(',')}}`
}

function listOf(list: readonly unknown[]): string {
  const tokens = new Set(list.map((element) => tokenText(element) ?? `"${nothing}"`))
  return `[${[...tokens].join(',')}]`
}

function tokenText(value: unknown): string | undefined {
  const token = toToken(toQueryValue(value))
  return token === undefined ? undefined : JSON.stringify(token)
}

const view = new DataView(new ArrayBuffer(8))

/** The bits of a number (IEEE 754), turned so that they rise with it. */
function orderedHex(value: number): string {
  view.setFloat64(0, value === 0 ? 0 : value)
  const [high, low] = [view.getUint32(0), view.getUint32(4)]
  const isNegative = high >= 0x8000_0000
  const turned = isNegative ? [~high >>> 0, ~low >>> 0] : [(high | 0x8000_0000) >>> 0, low]
  return turned.map((half) => half.toString(16).padStart(8, '0')).join('')
}

/**
 * A text whose UTF-8 bytes are in the order of the UTF-16 code units of another, without what PostgreSQL refuses (U+0000,
 * single surrogates). Most texts are their own.
 */
function toOrderedText(text: string): string {
  // eslint-disable-next-line no-control-regex -- two of the characters that are meant
  return text.replace(/[\0\x01\ud800-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0)
    if (code < 2) return `\x01${String.fromCharCode(code + 1)}`
    if (code < 0xe000) return String.fromCharCode(0xe000 + code - 0xd800)
    return String.fromCodePoint(0x1_0000 + code - 0xe000)
  })
}
