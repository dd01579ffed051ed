import type { Link } from '../http/link'
import { formatQuery } from '../http/query'
import type { PageRows } from './page-sinks'
import type { Context, PageRequest } from './plan'
import { queryOf } from './query'

const placeNames: ReadonlySet<string> = new Set(['range', 'offset', 'limit', 'cursor'])

/**
 * The links to the pages around one (RFC 8288); other parameters of the query are kept.
 *
 * @param ctx the request
 * @param page the page asked for
 * @param found its rows, and whether others follow
 * @param total rows of the whole list, where that is said
 * @param cursor that of the page behind this one
 */
export function linksOf(
  ctx: Context,
  page: PageRequest,
  found: PageRows,
  total: number | undefined,
  cursor: string | undefined,
): Link[] {
  const { limit } = page
  const { rows, first, more } = found
  if (limit === 0) return []
  const base = targetBase(ctx)
  const at = (rel: string, offset: number): Link => ({ href: `${base}offset=${offset}&limit=${limit}`, rel })
  const links: Link[] = page.cursor ? [{ href: `${base}cursor=&limit=${limit}`, rel: 'first' }] : [at('first', 0)]
  const placed = page.cursor || first === undefined ? undefined : first
  if (placed !== undefined && placed > 0) links.push(at('prev', Math.max(0, placed - limit)))
  if (cursor !== undefined) {
    links.push({ href: `${base}${formatQuery([['cursor', cursor]])}&limit=${limit}`, rel: 'next' })
  } else if (placed !== undefined && more && rows.length > 0) {
    links.push(at('next', placed + rows.length))
  }
  if (placed !== undefined && total !== undefined) {
    const phase = placed % limit
    links.push(at('last', phase + Math.max(0, Math.floor((total - 1 - phase) / limit)) * limit))
  }
  return links
}

/** The request's own target without its place in the list: a relative reference that a parameter can be put behind. */
function targetBase(ctx: Context): string {
  const url = ctx.originalUrl
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const kept: [string, string][] = []
  for (const [name, values] of mark < 0 ? [] : queryOf(ctx)) {
    if (!placeNames.has(name)) for (const value of values) kept.push([name, value])
  }
  // An absolute-form target names a host, and two slashes would: the reference is to stay on this one (RFC 3986 §4.2).
  const own = !path.startsWith('/') ? ctx.path : path
  return `${own.startsWith('//') ? `/.${own}` : own}?${kept.length > 0 ? `${formatQuery(kept)}&` : ''}`
}
