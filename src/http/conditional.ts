/** One entity tag of a condition. */
export interface EntityTag {
  /** The opaque tag with its quotes, as {@link formatETag} writes it. */
  readonly tag: string
  readonly weak: boolean
}

/** The validators of what a resource holds now. */
export interface Validators {
  /** As it is sent: `"7"`, weak ones `W/"7"`. */
  readonly etag?: string
  /** For `Last-Modified`; compared by whole seconds, for a header holds no more. */
  readonly modified?: Date
}

/** The method of a request and its conditions, as the headers hold them. */
export interface Conditions {
  readonly method: string
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
  readonly ifModifiedSince?: string
  readonly ifUnmodifiedSince?: string
}

/**
 * The strong entity tag of a revision. Revisions that differ have tags that differ.
 *
 * @param rev any string; what an entity tag cannot hold is escaped
 * @see RFC 9110 §8.8.3
 *
 * @example
 * formatETag('7') // '"7"'
 */
export function formatETag(rev: string): string {
  return `"${rev.replace(/[^!#$&-[\]-~]/g, escapeUnit)}"`
}

// The percent sign is escaped as well, for else '%41' and 'A' could meet; the backslash because old clients unescape it.
function escapeUnit(char: string): string {
  const code = char.charCodeAt(0)
  return code < 256 ? `%${code.toString(16).padStart(2, '0')}` : `%u${code.toString(16).padStart(4, '0')}`
}

/**
 * The revision that {@link formatETag} made a tag of.
 *
 * @param tag an opaque tag with its quotes
 * @returns undefined where `formatETag` never writes such a tag
 *
 * @example
 * parseETag('"7"') // '7'
 */
export function parseETag(tag: string): string | undefined {
  const rev = tag.slice(1, -1).replace(/%(?:u([0-9a-f]{4})|([0-9a-f]{2}))/g, (_, wide?: string, narrow?: string) => {
    return String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16))
  })
  return formatETag(rev) === tag ? rev : undefined
}

/**
 * The value of `If-Match` or `If-None-Match`.
 *
 * @param header the header's value
 * @returns `*`, the tags, or undefined where it is malformed
 * @see RFC 9110 §8.8.3, §13.1.1
 *
 * @example
 * parseETags('"1", W/"2"') // [{ tag: '"1"', weak: false }, { tag: '"2"', weak: true }]
 */
export function parseETags(header: string): '*' | EntityTag[] | undefined {
  const text = header.trim()
  if (text === '*') return '*'
  const tags: EntityTag[] = []
  let at = 0
  while (at < text.length) {
    element.lastIndex = at
    const found = element.exec(text)
    if (!found) return undefined
    at = element.lastIndex
    if (found[2] !== undefined) tags.push({ tag: found[2], weak: found[1] !== undefined })
  }
  return tags.length > 0 ? tags : undefined
}

// One list element with its comma; an empty one is allowed (RFC 9110 §5.6.1).
const element = /[ \t]*(?:(W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y

/**
 * Whether a request may go on, in the order of precedence that the standard sets.
 *
 * A condition on tags that cannot be parsed fails a write: the client wanted it guarded. Dates that cannot be parsed are
 * ignored, as the standard demands. To be asked once the answer without conditions is known to be a success.
 *
 * @param request its method and conditions
 * @param current the validators of the selected representation; undefined: there is none
 * @returns `not-modified` is 304, `failed` is 412
 * @see RFC 9110 §13.1, §13.2.2
 *
 * @example
 * evaluate({ method: 'GET', ifNoneMatch: '"7"' }, { etag: '"7"' }) // 'not-modified'
 */
export function evaluate(request: Conditions, current: Validators | undefined): 'proceed' | 'not-modified' | 'failed' {
  const { method, ifMatch, ifNoneMatch } = request
  // RFC 9110 §13.2.1: methods that neither select nor change a representation have no conditions.
  if (method === 'OPTIONS' || method === 'TRACE' || method === 'CONNECT') return 'proceed'
  const reads = method === 'GET' || method === 'HEAD'
  if (ifMatch !== undefined) {
    if (!matches(parseETags(ifMatch), current, strongly)) return 'failed'
  } else if (isAfter(current?.modified, request.ifUnmodifiedSince)) {
    return 'failed'
  }
  if (ifNoneMatch !== undefined) {
    const tags = parseETags(ifNoneMatch)
    if (tags === undefined) return reads ? 'proceed' : 'failed'
    if (matches(tags, current, weakly)) return reads ? 'not-modified' : 'failed'
  } else if (reads && isAfter(current?.modified, request.ifModifiedSince) === false) {
    return 'not-modified'
  }
  return 'proceed'
}

/**
 * Whether a `Range` header counts: without `If-Range` always, with it where the representation is still the same.
 *
 * @param header the `If-Range` header: one strong entity tag, or the exact date of `Last-Modified`
 * @param current the validators of the selected representation
 * @see RFC 9110 §13.1.5
 *
 * @example
 * ifRange('"7"', { etag: '"8"' }) // false: send all of it
 */
export function ifRange(header: string | undefined, current: Validators): boolean {
  if (header === undefined) return true
  const date = parseHttpDate(header.trim())
  if (date) return current.modified !== undefined && seconds(current.modified) === seconds(date)
  const tags = parseETags(header)
  return Array.isArray(tags) && tags.length === 1 && strongly(tags[0]!, current.etag)
}

type Compare = (tag: EntityTag, etag: string | undefined) => boolean

function strongly(tag: EntityTag, etag: string | undefined): boolean {
  return !tag.weak && tag.tag === etag
}

function weakly(tag: EntityTag, etag: string | undefined): boolean {
  return etag !== undefined && tag.tag === (etag.startsWith('W/') ? etag.slice(2) : etag)
}

function matches(tags: ReturnType<typeof parseETags>, current: Validators | undefined, compare: Compare): boolean {
  if (!tags || !current) return false
  return tags === '*' || tags.some((tag) => compare(tag, current.etag))
}

/** Undefined where there is nothing to compare: then the condition is ignored (RFC 9110 §13.1.3, §13.1.4). */
function isAfter(modified: Date | undefined, header: string | undefined): boolean | undefined {
  const date = header === undefined ? undefined : parseHttpDate(header.trim())
  return modified && date && seconds(modified) > seconds(date)
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = `(${months.join('|')})`
const time = '(\\d\\d):(\\d\\d):(\\d\\d)'
const short = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const long = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)'
const imfDate = new RegExp(`^${short}, (\\d\\d) ${month} (\\d{4}) ${time} GMT$`)
const rfc850Date = new RegExp(`^${long}, (\\d\\d)-${month}-(\\d\\d) ${time} GMT$`)
const asctimeDate = new RegExp(`^${short} ${month} ([ \\d]\\d) ${time} (\\d{4})$`)

/**
 * A date of HTTP in any of its three formats.
 *
 * @param text the header's value
 * @param now settles the century of two-digit years: none lies more than 50 years ahead; default: the present
 * @returns undefined where it is malformed or no day of the calendar
 * @see RFC 9110 §5.6.7
 *
 * @example
 * parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT')?.toISOString() // '1994-11-06T08:49:37.000Z'
 */
export function parseHttpDate(text: string, now: Date = new Date()): Date | undefined {
  const asctime = asctimeDate.exec(text)
  if (asctime) {
    const [, name, day, hour, minute, second, year] = asctime
    return toDate(Number(year), name, Number(day), hour, minute, second)
  }
  const imf = imfDate.exec(text)
  const found = imf ?? rfc850Date.exec(text)
  if (!found) return undefined
  const [, day, name, year, hour, minute, second] = found
  if (imf) return toDate(Number(year), name, Number(day), hour, minute, second)
  const thisYear = now.getUTCFullYear()
  const guess = thisYear - (thisYear % 100) + Number(year)
  for (const full of [guess + 100, guess, guess - 100]) {
    const date = toDate(full, name, Number(day), hour, minute, second)
    if (date && date.getTime() <= new Date(now).setUTCFullYear(thisYear + 50)) return date
  }
  return undefined
}

function toDate(year: number, name = '', day: number, hour = '', minute = '', second = ''): Date | undefined {
  const index = months.indexOf(name)
  // 60 is a leap second (RFC 9110 §5.6.7 by way of RFC 5322 §3.3).
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, index, day)
  if (date.getUTCMonth() !== index || date.getUTCDate() !== day) return undefined
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  return date
}

/**
 * A date as `Last-Modified`, `Date` and `Expires` hold it; parts of a second are dropped.
 *
 * @param date a date of the years 0 to 9999
 * @throws RangeError where it is invalid or out of that range
 * @see RFC 9110 §5.6.7
 *
 * @example
 * formatHttpDate(new Date(0)) // 'Thu, 01 Jan 1970 00:00:00 GMT'
 */
export function formatHttpDate(date: Date): string {
  const year = date.getUTCFullYear()
  if (!(year >= 0 && year <= 9999)) throw new RangeError('A date of HTTP has a year from 0 to 9999')
  return date.toUTCString()
}
