import { isToken } from './token'

/**
 * Parses a `Prefer` header. Parameters of a preference are passed over, and so is a preference that is malformed.
 *
 * @param header the header's value, several fields joined with commas
 * @returns each preference by its lower-case name; the first of a name counts, a bare one has an empty value
 * @see RFC 7240 §2
 *
 * @example
 * parsePrefer('return=minimal, wait=10') // Map { 'return' => 'minimal', 'wait' => '10' }
 */
export function parsePrefer(header: string): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>()
  let at = 0
  while (at < header.length) {
    const end = preferenceEnd(header, at)
    const own = header.slice(at, parametersStart(header, at, end))
    const equals = own.indexOf('=')
    const name = (equals < 0 ? own : own.slice(0, equals)).trim().toLowerCase()
    const value = equals < 0 ? '' : readWord(own.slice(equals + 1).trim())
    if (value !== undefined && isToken(name) && !preferences.has(name)) preferences.set(name, value)
    at = end + 1
  }
  return preferences
}

/**
 * Formats `Preference-Applied`.
 *
 * @param preferences names and values of the preferences that were honoured; an empty value stands for a bare name
 * @throws TypeError where a name is no token, or a value is not plain ASCII
 * @see RFC 7240 §3
 *
 * @example
 * formatPreferenceApplied([['return', 'minimal']]) // 'return=minimal'
 */
export function formatPreferenceApplied(preferences: Iterable<readonly [string, string]>): string {
  const parts: string[] = []
  for (const [name, value] of preferences) {
    if (!isToken(name)) throw new TypeError(`"${name}" cannot name a preference`)
    if (!/^[\x20-\x7e]*$/.test(value)) throw new TypeError(`The value of the preference "${name}" is not plain ASCII`)
    if (value === '') parts.push(name)
    else parts.push(isToken(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '\\$&')}"`)
  }
  return parts.join(', ')
}

function preferenceEnd(text: string, start: number): number {
  return scan(text, start, text.length, ',')
}

function parametersStart(text: string, start: number, end: number): number {
  return scan(text, start, end, ';')
}

/** Finds a delimiter outside quoted strings. */
function scan(text: string, start: number, end: number, delimiter: string): number {
  let quoted = false
  for (let at = start; at < end; at++) {
    const char = text[at]
    if (quoted && char === '\\') at++
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === delimiter) return at
  }
  return end
}

function readWord(word: string): string | undefined {
  if (!word.startsWith('"')) return word === '' || isToken(word) ? word : undefined
  let value = ''
  for (let at = 1; at < word.length; at++) {
    if (word[at] === '"') return at === word.length - 1 ? value : undefined
    if (word[at] === '\\') at++
    value += word[at] ?? ''
  }
  return undefined
}
