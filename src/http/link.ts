import { isToken } from './token'

/** A web link: its target, its relation type or types, and any further attributes by their lower-case names. */
export interface Link {
  /** A URI reference. */
  readonly href: string
  /** One relation type, or several with spaces between. */
  readonly rel: string
  readonly [attribute: string]: string
}

const visible = /^[\x20-\x7e]*$/
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Formats a `Link` header.
 *
 * Characters that no URI has are escaped in the target; an attribute that is not plain ASCII is sent in its extended
 * form, `title*` say.
 *
 * @param links targets with their attributes
 * @throws TypeError where an attribute's name is no token, or a relation type is not plain ASCII
 * @see RFC 8288 §3, RFC 8187 §3.2
 *
 * @example
 * formatLink([{ href: '/rows?offset=10', rel: 'next' }]) // '</rows?offset=10>; rel="next"'
 */
export function formatLink(links: readonly Link[]): string {
  let text = ''
  for (const link of links) {
    text += `${text === '' ? '' : ', '}<${escapeTarget(link.href)}>`
    for (const name in link) {
      if (name !== 'href' && Object.hasOwn(link, name)) text += `; ${formatAttribute(name, link[name]!)}`
    }
  }
  return text
}

function formatAttribute(name: string, value: string): string {
  if (!isToken(name) || name.endsWith('*')) throw new TypeError(`"${name}" cannot name an attribute of a link`)
  if (visible.test(value)) return `${name}="${quotable(value)}"`
  if (name === 'rel') throw new TypeError('A relation type of a link is plain ASCII')
  return `${name}*=UTF-8''${escapeExtended(value)}`
}

function quotable(value: string): string {
  return value.includes('"') || value.includes('\\') ? value.replace(/["\\]/g, '\\$&') : value
}

// What stands between the angle brackets must not end them, nor the header (RFC 3986 §2).
const unfit = /[^\x21\x23-\x3b\x3d\x3f-\x5b\x5d\x5f\x61-\x7a\x7e]+/g

function escapeTarget(href: string): string {
  return href.replace(unfit, (part) => encodeURIComponent(wellFormed(part)))
}

function escapeExtended(value: string): string {
  return encodeURIComponent(wellFormed(value)).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}

function wellFormed(text: string): string {
  return text.replace(loneSurrogate, '\ufffd')
}

/**
 * Parses a `Link` header, leniently: a link without a target in angle brackets ends the reading.
 *
 * @param header the header's value, several fields joined with commas
 * @returns the links; names of attributes in lower case, the first of a name counts, an extended value before a plain
 * one; `rel` is empty where none was sent
 * @see RFC 8288 §3, appendix B.3
 *
 * @example
 * parseLink('</rows?offset=10>; rel="next"') // [{ href: '/rows?offset=10', rel: 'next' }]
 */
export function parseLink(header: string): Link[] {
  const links: Link[] = []
  let at = 0
  while (at < header.length) {
    at = skip(header, at, ' \t,')
    if (header[at] !== '<') break
    const close = header.indexOf('>', at)
    if (close < 0) break
    const plain = emptyAttributes()
    const extended = emptyAttributes()
    const href = header.slice(at + 1, close)
    at = skip(header, close + 1, ' \t')
    while (header[at] === ';') {
      const nameStart = skip(header, at + 1, ' \t')
      const nameEnd = find(header, nameStart, ' \t=;,')
      const name = header.slice(nameStart, nameEnd).toLowerCase()
      at = skip(header, nameEnd, ' \t')
      let value = ''
      if (header[at] === '=') {
        const read = readValue(header, skip(header, at + 1, ' \t'))
        value = read.value
        at = skip(header, read.end, ' \t')
      }
      if (name === '') continue
      if (name.endsWith('*')) extended[name.slice(0, -1)] ??= readExtended(value)
      else plain[name] ??= value
    }
    for (const name in extended) if (extended[name] !== undefined) plain[name] = extended[name]
    links.push(Object.assign(emptyAttributes(), { rel: '' }, plain, { href }) as Link)
    at = find(header, at, ',')
  }
  return links
}

function readValue(text: string, start: number): { readonly value: string; readonly end: number } {
  if (text[start] !== '"') {
    const end = find(text, start, ' \t;,')
    return { value: text.slice(start, end), end }
  }
  let value = ''
  let at = start + 1
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === '\\' && at + 1 < text.length) at++
    value += text[at]
  }
  return { value, end: at + 1 }
}

function readExtended(value: string): string | undefined {
  const [charset, , coded] = value.split("'", 3)
  if (coded === undefined || charset!.toLowerCase() !== 'utf-8') return undefined
  try {
    return decodeURIComponent(coded)
  } catch {
    return undefined
  }
}

function emptyAttributes(): Record<string, string | undefined> {
  return Object.create(null) as Record<string, string | undefined>
}

function skip(text: string, start: number, set: string): number {
  let at = start
  while (at < text.length && set.includes(text[at]!)) at++
  return at
}

function find(text: string, start: number, set: string): number {
  let at = start
  while (at < text.length && !set.includes(text[at]!)) at++
  return at
}
