import { type Cursor, type MediaType, parseMediaType, readParameters, readTypes, skipSpace } from './media-type'

/** One media range of an `Accept` header. */
export interface AcceptRange {
  /** Lower case; a star for any. */
  readonly type: string
  /** Lower case; a star for any. */
  readonly subtype: string
  /** Lower-case names, without a prototype; the weight is not among them. */
  readonly parameters: Readonly<Record<string, string>>
  /** The weight, 0 to 1; 0 refuses. */
  readonly q: number
}

/**
 * The media ranges of an `Accept` header, in its order. Malformed ones are left out.
 *
 * @param header the header's value; every character is read at most twice
 * @see RFC 9110 §12.5.1
 *
 * @example
 * parseAccept('text/*;q=0.5')[0]?.q // 0.5
 */
export function parseAccept(header: string): AcceptRange[] {
  const ranges: AcceptRange[] = []
  const cursor: Cursor = { text: header, at: 0 }
  while (cursor.at < header.length) {
    const start = cursor.at
    const range = readRange(cursor)
    if (range) ranges.push(range)
    else skipElement(cursor, start)
    cursor.at += 1 // the comma
  }
  return ranges
}

/**
 * Picks the offer that a client likes best.
 *
 * For each offer the most specific range that fits decides; equal weights go by the order of the offers. A header that is
 * absent, empty or malformed from end to end expresses no wish.
 *
 * @param accept the `Accept` header
 * @param offered media types, the preferred one first; all are taken to be UTF-8 where they name no charset
 * @returns undefined where the client refuses them all
 * @see RFC 9110 §12.4, §12.5.1
 *
 * @example
 * negotiate('application/xml, application/json;q=0.9', ['application/json', 'application/xml']) // 'application/xml'
 */
export function negotiate(accept: string | undefined, offered: readonly string[]): string | undefined {
  if (accept === undefined || accept === '' || accept === '*/*') return offered[0]
  const ranges = parseAccept(accept)
  if (ranges.length === 0) return offered[0]
  let best: string | undefined
  let highest = 0
  for (const offer of offered) {
    const mediaType = parseMediaType(offer)
    const weight = mediaType ? weigh(mediaType, ranges) : 0
    if (weight > highest) {
      highest = weight
      best = offer
    }
  }
  return best
}

function weigh(offer: MediaType, ranges: readonly AcceptRange[]): number {
  let weight = 0
  let closest = -1
  for (const range of ranges) {
    const closeness = fit(offer, range)
    if (closeness > closest) {
      closest = closeness
      weight = range.q
    }
  }
  return weight
}

/** How closely a range describes an offer, -1 where it does not: first the names count, then the number of parameters. */
function fit(offer: MediaType, range: AcceptRange): number {
  let closeness: number
  if (range.type === '*') closeness = 0
  else if (range.type !== offer.type) return -1
  else if (range.subtype === '*') closeness = 1
  else if (range.subtype !== offer.subtype) return -1
  else closeness = 2
  closeness *= 1000
  for (const name in range.parameters) {
    // Clients ask for "application/json; charset=utf-8" although JSON has no such parameter (RFC 8259 §11).
    const value = offer.parameters[name] ?? (name === 'charset' ? 'utf-8' : undefined)
    if (value?.toLowerCase() !== range.parameters[name]?.toLowerCase()) return -1
    closeness += 1
  }
  return closeness
}

// RFC 9110 §12.4.2 asks for a leading digit and three more at most; Java's HttpURLConnection sends ".2", others "0.3333".
const weight = /^(?:0?\.\d+|0\.?|1(?:\.0*)?)$/

function readRange(cursor: Cursor): AcceptRange | undefined {
  skipSpace(cursor)
  const pair = readTypes(cursor)
  if (!pair || (pair[0] === '*' && pair[1] !== '*')) return undefined
  const parameters = readParameters(cursor)
  if (!parameters || (cursor.at < cursor.text.length && cursor.text[cursor.at] !== ',')) return undefined
  const { q = '1' } = parameters
  if (!weight.test(q)) return undefined
  delete parameters['q']
  return { type: pair[0], subtype: pair[1], parameters, q: Number(q) }
}

/** Moves to the comma behind an element, past those in quoted strings. */
function skipElement(cursor: Cursor, start: number): void {
  const { text } = cursor
  let quoted = false
  let at = start
  for (; at < text.length; at += 1) {
    const char = text[at]
    if (char === '"') quoted = !quoted
    else if (quoted && char === '\\') at += 1
    else if (!quoted && char === ',') break
  }
  cursor.at = at
}
