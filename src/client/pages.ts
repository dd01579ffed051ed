import { parseLink } from '../http/link'
import { sendFull, toDraft, type CallBase } from './call'
import type { PagesOptions } from './calls'
import type { Draft } from './draft'
import { PagingError, toResponseError } from './errors'
import type { FullAnswer } from './paths'

type Page = FullAnswer<number, boolean, unknown>

/** Where the next page is. */
interface Place {
  readonly draft: Draft
  /** The first row of the page, where pages are counted. */
  readonly offset: number
}

/**
 * The rows of a list, page after page: by the cursor in the body, by the link `next`, or by the end of `Content-Range`.
 *
 * @throws ResponseError where a page is refused, PagingError where one leads to another server or back
 * @see RFC 8288, RFC 9110 §14.4
 */
export async function* readPages<Row>(
  base: CallBase,
  path: string,
  options: PagesOptions<Row>,
): AsyncGenerator<Row, void> {
  const seen = new Set<string>()
  let place: Place | undefined = firstPlace(base, path, options)
  while (place) {
    const { draft } = place
    const mark = `${draft.url} ${draft.headers['range'] ?? ''}`
    if (seen.has(mark)) throw new PagingError(draft, 'the pages lead back to this one')
    seen.add(mark)
    const page = await sendFull(base, draft)
    // The list has become shorter in the meantime: this page was one of the rows that are gone.
    if (page.status === 416 && seen.size > 1) return
    assertPage(draft, page)
    const rows = options.rows ? options.rows(page.body) : toRows(draft, page.body)
    yield* rows as readonly Row[]
    place = nextPlace(base, path, options, place, page, rows.length)
  }
}

function firstPlace(base: CallBase, path: string, options: PagesOptions): Place {
  const { limit, by = 'query', headers } = options
  const query = {
    ...options.query,
    ...(by === 'cursor' && { cursor: '' }),
    ...(typeof by === 'string' && limit !== undefined && { limit }),
  }
  const range = typeof by === 'object' ? { range: formatRange(by.range, 0, limit) } : undefined
  return { draft: toDraft(base, 'GET', path, { ...options, query, headers: { ...headers, ...range } }), offset: 0 }
}

function formatRange(unit: string, first: number, limit: number | undefined): string {
  return `${unit}=${first}-${limit === undefined ? '' : first + limit - 1}`
}

function assertPage(draft: Draft, { ok, status, headers, body }: Page): void {
  if (!ok) throw toResponseError(draft, { status, statusText: '', headers, body })
}

function toRows(draft: Draft, body: unknown): readonly unknown[] {
  if (Array.isArray(body)) return body
  throw new PagingError(draft, 'the page is no list: say by `rows` where its rows are')
}

function nextPlace(
  base: CallBase,
  path: string,
  options: PagesOptions,
  place: Place,
  page: Page,
  count: number,
): Place | undefined {
  const { limit, by = 'query', next } = options
  const ask = (query: object): Draft =>
    toDraft(base, 'GET', path, { ...options, query: { ...options.query, ...query } })
  if (next) {
    const cursor = next(page.body)
    return cursor === null || cursor === undefined ? undefined : { ...place, draft: ask({ cursor, limit }) }
  }
  const link = typeof by === 'string' ? readNextLink(page.headers) : undefined
  if (link !== undefined) return { ...place, draft: follow(base, place.draft, link) }
  const offset = readNextOffset(page.headers, place.offset, count, limit)
  if (offset === undefined) return undefined
  if (typeof by === 'string') return { draft: ask({ offset, limit }), offset }
  const headers = { ...place.draft.headers, range: formatRange(by.range, offset, limit) }
  return { draft: { ...place.draft, headers }, offset }
}

function readNextLink(headers: Headers): string | undefined {
  const header = headers.get('link')
  if (header === null) return undefined
  return parseLink(header).find(({ rel }) => rel.toLowerCase().split(/\s+/).includes('next'))?.href
}

/** The token goes with the request: to the server of the client, and to no other. */
function follow({ base }: CallBase, draft: Draft, href: string): Draft {
  const url = URL.canParse(href, draft.url) ? new URL(href, draft.url) : undefined
  if (url?.origin !== new URL(base).origin) throw new PagingError(draft, 'the next page is on another server')
  return { ...draft, url: url.href }
}

const contentRange = /^\S+ \d+-(\d+)\/(\d+|\*)$/

/** The offset behind a page; nothing where it is the last, or where nobody says which it is. */
function readNextOffset(headers: Headers, offset: number, count: number, limit = 1): number | undefined {
  const [, last, total] = contentRange.exec(headers.get('content-range') ?? '') ?? []
  if (last === undefined || count === 0 || Number(last) < offset) return undefined
  // Without a total, a page that is not full is the last one.
  const isLast = total === '*' ? count < limit : Number(last) + 1 >= Number(total)
  return isLast ? undefined : Number(last) + 1
}
