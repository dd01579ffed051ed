import { RangeNotSatisfiable } from '../errors'
import { formatLink } from '../http/link'
import { formatPreferenceApplied } from '../http/prefer'
import { formatContentRange, formatUnsatisfied } from '../http/range'
import type { HeaderMap } from '../types'
import { linksOf } from './page-links'
import type { Asked } from './page-request'
import type { PageRows } from './page-sinks'
import type { Context, PageRequest, PagingPlan } from './plan'
import { Reply } from './replies'

/**
 * The answer with a page: its status and headers (RFC 9110 §14.4, §15.3.7).
 *
 * @param ctx the request
 * @param plan the list
 * @param asked the page asked for
 * @param found the rows, and what is known of the list
 * @param cursor that of the page behind this one
 * @param given headers of the handler's own
 * @throws RangeNotSatisfiable where the page lies outside the list
 */
export function answerPage(
  ctx: Context,
  plan: PagingPlan,
  asked: Asked,
  found: PageRows,
  cursor: string | undefined,
  given: HeaderMap | undefined,
): Reply {
  const { page, byHeader, preference } = asked
  const { rows, first, total } = found
  const isAll = total === 0 || (first === 0 && !found.more && rows.length > 0)
  const shown = page.count === 'none' ? undefined : total
  const range = contentRange(plan.unit, page, found, shown)
  let status: 200 | 206 = isAll ? 200 : byHeader ? 206 : plan.status
  if (rows.length === 0 && total !== 0) refuseBeyond(plan.unit, asked, total)
  // Without the position of its rows a part cannot be a 206 (RFC 9110 §15.3.7.1); limit=0 has no rows to have one.
  if (range === undefined && page.limit > 0) {
    if (byHeader) throw unsatisfied(plan.unit, total)
    status = 200
  }
  const headers: Record<string, string> = { 'Accept-Ranges': plan.unit, Vary: 'Prefer' }
  if (range !== undefined) headers['Content-Range'] = range
  const links = total === 0 ? [] : linksOf(ctx, page, found, shown, cursor)
  if (links.length > 0) headers.Link = formatLink(links)
  if (preference !== undefined) headers['Preference-Applied'] = formatPreferenceApplied([['count', preference]])
  return new Reply(status, rows, given ? mergeHeaders(given, headers) : headers)
}

function contentRange(
  unit: string,
  page: PageRequest,
  { rows, first, total }: PageRows,
  shown: number | undefined,
): string | undefined {
  if (total === 0) return formatUnsatisfied(unit, 0)
  if (rows.length > 0 && first !== undefined) return formatContentRange(unit, first, first + rows.length - 1, shown)
  return shown === undefined ? undefined : formatUnsatisfied(unit, shown)
}

function refuseBeyond(unit: string, { page, byHeader }: Asked, total: number | undefined): void {
  if (page.cursor) return
  if (page.last === 0 || (page.last === undefined && total !== undefined && page.offset >= total)) {
    throw unsatisfied(unit, total)
  }
  if (byHeader && total === undefined) throw unsatisfied(unit, total)
}

function unsatisfied(unit: string, total: number | undefined): RangeNotSatisfiable {
  return new RangeNotSatisfiable(`There are no ${unit} in this range`, {
    code: 'range',
    headers: {
      'Accept-Ranges': unit,
      ...(total !== undefined && { 'Content-Range': formatUnsatisfied(unit, total) }),
    },
  })
}

/** A handler's own headers, and those of the page, which win; links are joined. */
function mergeHeaders(given: HeaderMap, own: Readonly<Record<string, string>>): HeaderMap {
  const merged: Record<string, string | readonly string[]> = { ...own }
  const taken = new Set(Object.keys(own).map((name) => name.toLowerCase()))
  for (const [name, value] of Object.entries(given)) {
    const lower = name.toLowerCase()
    if (lower === 'link' && own.Link !== undefined) merged.Link = [own.Link, ...[value].flat()].join(', ')
    else if (lower === 'vary') merged.Vary = [own.Vary, ...[value].flat()].join(', ')
    else if (!taken.has(lower)) merged[name] = value
  }
  return merged
}
