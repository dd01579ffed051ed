/** The kinds of values that have one text. */
export type Scalar = 'string' | 'number' | 'integer' | 'boolean' | 'date'

/** What a sentence about a value calls its kind. */
export const scalarNouns: Readonly<Record<Scalar, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  date: 'a date (ISO 8601)',
}

const words: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['t', true],
  ['y', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
  ['f', false],
  ['n', false],
])

const number = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const date = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-](\d\d):(\d\d)))?$/

/**
 * Reads a boolean: `true 1 yes on t y` and `false 0 no off f n`, in any case.
 *
 * @param text the text, nothing around it
 * @returns nothing where it is another word
 *
 * @example
 * parseBoolean('Off') // false
 */
export function parseBoolean(text: string): boolean | undefined {
  return text.length > 5 ? undefined : words.get(text.toLowerCase())
}

/**
 * Reads a finite decimal number, as JSON writes one (RFC 8259 §6).
 *
 * @param text the text, nothing around it
 * @returns nothing for anything else: empty text, hexadecimal, `NaN`, `1e999`
 *
 * @example
 * parseNumber('-1.5e3') // -1500
 */
export function parseNumber(text: string): number | undefined {
  if (!number.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

/**
 * Reads a whole number that a double holds exactly.
 *
 * @param text a number as {@link parseNumber} takes it
 * @returns nothing where it has a fraction or lies outside ±(2⁵³−1)
 *
 * @example
 * parseInteger('42') // 42
 */
export function parseInteger(text: string): number | undefined {
  const value = parseNumber(text)
  // Adding zero makes minus zero an ordinary one.
  return value !== undefined && Number.isSafeInteger(value) ? value + 0 : undefined
}

/**
 * Reads a date: `2024-02-29`, taken as UTC, or with a time and its offset, `2024-02-29T12:30:00+01:00`.
 *
 * A time without offset is refused: it would mean another moment on another server.
 *
 * @param text the text, nothing around it
 * @returns nothing where it has another form or the day does not exist
 * @see ISO 8601, RFC 3339 §5.6
 *
 * @example
 * parseDate('2024-02-29')?.getTime() // 1709164800000
 */
export function parseDate(text: string): Date | undefined {
  const match = date.exec(text)
  if (!match) return undefined
  const parts = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number, ...number[]]
  const [year, month, day, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] = parts
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined
  return new Date(text)
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/**
 * Reads a text as a value of a kind; text itself is taken as it is.
 *
 * @param text the text, nothing around it
 * @param kind what it is to be
 * @returns nothing where the text is none of that kind
 *
 * @example
 * parseScalar('7', 'integer') // 7
 */
export function parseScalar(text: string, kind: Scalar): string | number | boolean | Date | undefined {
  switch (kind) {
    case 'string':
      return text
    case 'number':
      return parseNumber(text)
    case 'integer':
      return parseInteger(text)
    case 'boolean':
      return parseBoolean(text)
    case 'date':
      return parseDate(text)
  }
}
