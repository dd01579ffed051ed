import { ConfigurationError } from '../errors'
import { formatQuery } from '../http/query'
import { formatValue } from './content'

/** Values of a query, by their names: lists are repeated, `undefined` and `null` are left out. */
export type QueryValues = Readonly<Record<string, unknown>>

/**
 * The address that the paths of a client stand behind.
 *
 * @param address an absolute URL; in a browser also one relative to the page
 * @returns it, without a slash at its end
 * @throws ConfigurationError where it is no URL of HTTP, or has credentials, a query or a fragment
 */
export function toBase(address: string | URL): string {
  const text = String(address)
  const { location } = globalThis as { readonly location?: { readonly href: string } }
  if (!URL.canParse(text, location?.href)) throw refuse(text, 'is no absolute URL', "Write 'https://host/path'")
  const url = new URL(text, location?.href)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw refuse(text, 'is no URL of HTTP', "Write 'https://host/path'")
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse(url.host, 'has credentials before it', 'Give them as username and password')
  }
  if (url.search !== '' || url.hash !== '') {
    throw refuse(url.origin + url.pathname, 'has a query or a fragment behind it', 'Give a query with each call')
  }
  return url.href.replace(/\/+$/, '')
}

function refuse(address: string, what: string, cure: string): ConfigurationError {
  return new ConfigurationError('createClient', `the address "${address}" ${what}`, cure)
}

/**
 * The URL of a path: joined to the address' own path, whether it begins with a slash or not.
 *
 * @param base what {@link toBase} made
 * @param path relative to it; it may have a query already
 * @param query what is added to that
 * @throws TypeError where a value has no form in a query
 *
 * @example
 * joinUrl('http://host/api', '/rows?a=1', { b: [2, 3] }) // 'http://host/api/rows?a=1&b=2&b=3'
 */
export function joinUrl(base: string, path: string, query?: QueryValues): string {
  let rest = path
  while (rest.startsWith('/')) rest = rest.slice(1)
  const url = rest === '' || rest.startsWith('?') ? base + rest : `${base}/${rest}`
  if (!query) return url
  const pairs = toPairs(query)
  if (pairs.length === 0) return url
  const separator = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&'
  return url + separator + formatQuery(pairs)
}

function toPairs(query: QueryValues): Array<readonly [string, string]> {
  const pairs: Array<readonly [string, string]> = []
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (each !== undefined && each !== null) pairs.push([name, formatValue(name, each)])
    }
  }
  return pairs
}

/**
 * A path with its parameters filled in, each as one segment; a list as several.
 *
 * @param template a path with names in braces
 * @param values by name
 * @throws TypeError where a value is missing, empty, or a dot segment, which would name another resource (RFC 3986 §5.2.4)
 *
 * @example
 * fillPath('/fruits/{name}', { name: 'a/b' }) // '/fruits/a%2Fb'
 */
export function fillPath(template: string, values: QueryValues = {}): string {
  if (!template.includes('{')) return template
  const parts = partsOf(template)
  let path = parts[0]!
  for (let at = 1; at < parts.length; at += 2) path += toSegments(parts[at]!, values) + parts[at + 1]!
  return path
}

// Templates stand in the code of an application, so they are few; paths made at run time must not pile up here.
const mostTemplates = 1000
const templates = new Map<string, readonly string[]>()

/** Texts and names in turn, a text first and last. */
function partsOf(template: string): readonly string[] {
  const known = templates.get(template)
  if (known) return known
  const parts = template.split(/\{([^{}]+)\}/)
  if (templates.size < mostTemplates) templates.set(template, parts)
  return parts
}

function toSegments(name: string, values: QueryValues): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  if (!Array.isArray(value)) return toSegment(name, value)
  return value.map((each: unknown) => toSegment(name, each)).join('/')
}

const plain = /^[\w-]+$/

function toSegment(name: string, value: unknown): string {
  if (value === undefined || value === null) throw new TypeError(`The path needs a value for {${name}}`)
  const text = formatValue(name, value)
  if (text === '') throw new TypeError(`The value for {${name}} of the path is empty`)
  if (text === '.' || text === '..') throw new TypeError(`The value for {${name}} of the path is a dot segment`)
  return plain.test(text) ? text : encodeURIComponent(text)
}
