import { isToken } from './token'

/** A media type taken apart (RFC 9110 §8.3.1). */
export interface MediaType {
  /** Type and subtype, lower case: `application/problem+json`. */
  readonly essence: string
  readonly type: string
  readonly subtype: string
  /** The structured syntax suffix with its plus (RFC 6838 §4.2.8): `+json`. */
  readonly suffix?: string
  /** Lower-case names, values as they stood; without a prototype, so any name is safe. Of a repeated name the first counts. */
  readonly parameters: Readonly<Record<string, string>>
}

/** A place in a header's text. The `read*` functions move it behind what they read, and read every character once. */
export interface Cursor {
  readonly text: string
  at: number
}

/**
 * Takes a media type apart.
 *
 * @param text the value of a `Content-Type` header
 * @returns undefined where it is malformed or a range (`text/*`)
 * @see RFC 9110 §8.3.1
 *
 * @example
 * parseMediaType('text/HTML; Charset="utf-8"')?.parameters.charset // 'utf-8'
 */
export function parseMediaType(text: string): MediaType | undefined {
  const cursor: Cursor = { text, at: 0 }
  skipSpace(cursor)
  const pair = readTypes(cursor)
  if (!pair || pair[0] === '*' || pair[1] === '*') return undefined
  const parameters = readParameters(cursor)
  if (!parameters || cursor.at < text.length) return undefined
  const [type, subtype] = pair
  const plus = subtype.lastIndexOf('+')
  const suffix = plus < 0 || plus === subtype.length - 1 ? undefined : subtype.slice(plus)
  return { essence: `${type}/${subtype}`, type, subtype, ...(suffix && { suffix }), parameters }
}

/**
 * Writes a media type, quoting the values that are no tokens.
 *
 * @param essence type and subtype
 * @param parameters written in their order; default: none
 * @throws TypeError where a header cannot hold it (control characters, characters above U+00FF, names that are no tokens)
 * @see RFC 9110 §8.3.1, §5.6.4
 *
 * @example
 * formatMediaType('text/plain', { charset: 'utf-8' }) // 'text/plain;charset=utf-8'
 */
export function formatMediaType(essence: string, parameters: Readonly<Record<string, string>> = {}): string {
  if (!parseMediaType(essence)) throw new TypeError(`"${essence}" is no media type`)
  let text = essence
  for (const [name, value] of Object.entries(parameters)) {
    if (!isToken(name)) throw new TypeError(`"${name}" cannot be the name of a parameter`)
    text += `;${name}=${isToken(value) ? value : quote(value)}`
  }
  return text
}

/**
 * Whether a media type falls under a pattern.
 *
 * @param pattern `application/json`, `text/*`, a star for both, or a suffix, `+json`; parameters play no part
 * @param mediaType the type asked about
 *
 * @example
 * matchesMediaType('+json', parseMediaType('application/problem+json')!) // true
 */
export function matchesMediaType(pattern: string, mediaType: Pick<MediaType, 'essence' | 'type' | 'suffix'>): boolean {
  const wanted = pattern.toLowerCase()
  if (wanted.startsWith('+')) return wanted === mediaType.suffix
  if (wanted === '*/*') return true
  if (wanted.endsWith('/*')) return wanted.slice(0, -2) === mediaType.type
  return wanted === mediaType.essence
}

/** Reads `type/subtype`, lower case; stars are tokens too. */
export function readTypes(cursor: Cursor): readonly [type: string, subtype: string] | undefined {
  const type = readToken(cursor)
  if (type === undefined || cursor.text[cursor.at] !== '/') return undefined
  cursor.at += 1
  const subtype = readToken(cursor)
  return subtype === undefined ? undefined : [type.toLowerCase(), subtype.toLowerCase()]
}

/** Reads parameters as far as they go, and the space behind them; undefined where one is malformed. */
export function readParameters(cursor: Cursor): Record<string, string> | undefined {
  const parameters = Object.create(null) as Record<string, string>
  for (;;) {
    skipSpace(cursor)
    if (cursor.text[cursor.at] !== ';') return parameters
    cursor.at += 1
    skipSpace(cursor)
    const name = readToken(cursor)?.toLowerCase()
    if (name === undefined) continue // RFC 9110 §5.6.6: an empty parameter is none
    if (cursor.text[cursor.at] !== '=') return undefined
    cursor.at += 1
    const value = cursor.text[cursor.at] === '"' ? readQuoted(cursor) : readToken(cursor)
    if (value === undefined) return undefined
    parameters[name] ??= value
  }
}

/** Moves behind optional white space (RFC 9110 §5.6.3). */
export function skipSpace(cursor: Cursor): void {
  while (cursor.text[cursor.at] === ' ' || cursor.text[cursor.at] === '\t') cursor.at += 1
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y

function readToken(cursor: Cursor): string | undefined {
  token.lastIndex = cursor.at
  const found = token.exec(cursor.text)?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

// By hand and not by a pattern: a pattern with escapes in it backtracks over a string that nobody closes.
function readQuoted(cursor: Cursor): string | undefined {
  const { text } = cursor
  let value = ''
  let from = cursor.at + 1
  for (let at = from; at < text.length; at += 1) {
    const char = text[at]!
    if (char === '"') {
      cursor.at = at + 1
      return value + text.slice(from, at)
    }
    if (char === '\\') {
      value += text.slice(from, at)
      at += 1
      from = at
    }
    if (at < text.length && !isQuotable(text.charCodeAt(at))) return undefined
  }
  return undefined
}

function quote(value: string): string {
  for (let at = 0; at < value.length; at += 1) {
    if (!isQuotable(value.charCodeAt(at))) throw new TypeError('A parameter holds a character that no header can')
  }
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

function isQuotable(code: number): boolean {
  return code === 9 || (code >= 32 && code <= 255 && code !== 127)
}
