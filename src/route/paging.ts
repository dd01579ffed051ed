import { answerPage } from './page-answer'
import { cursorAfter } from './page-cursor'
import { plainRequest, readRequest, type Asked } from './page-request'
import { isRowSource } from './page-rows'
import type { PageRows } from './page-sinks'
import { fromList, fromSlice } from './page-source'
import { pagingNames, type Context, type Interceptor, type PageRequest, type PagingPlan } from './plan'
import { project } from './projection'
import { Reply, Slice, Tagged } from './replies'

/** Both sides of the paging of one route. */
export interface Paging {
  /** Reads the page that is asked for, once a request. @throws BadRequest where it is malformed */
  read(ctx: Context): PageRequest
  /** Turns the handler's rows into the page's answer. */
  readonly around: Interceptor
  /** The query parameters it reads. */
  readonly names: readonly string[]
}

/**
 * Makes both sides of a route's paging: what reads the page asked for, and what answers with it.
 *
 * @param plan the route's paging
 * @param toPlain class instances to plain data, asked of each row where the client chose fields
 * @see RFC 9110 §14, RFC 8288, RFC 7240
 *
 * @example
 * const paging = createPaging({ unit: 'rows', limit: 10, max: 100, status: 206, count: 'exact', sort: [], filter: [] }, (row) => row)
 * paging.names // ['range', 'offset', 'limit', 'cursor', 'fields', 'sort']
 */
export function createPaging(plan: PagingPlan, toPlain: (value: unknown) => unknown): Paging {
  const names = Object.freeze([...pagingNames, ...plan.filter.map((filter) => filter.name)])
  const known = new WeakMap<object, Asked>()
  const plain = plainRequest(plan)

  function askedBy(ctx: Context): Asked {
    const { url, headers } = ctx.req
    if (headers.range === undefined && headers.prefer === undefined && !url?.includes('?')) return plain
    let asked = known.get(ctx.req)
    if (!asked) known.set(ctx.req, (asked = readRequest(ctx, plan)))
    return asked
  }

  async function page(ctx: Context, next: () => Promise<unknown>): Promise<unknown> {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next()
    // Read first: a malformed request is refused before the handler runs, and whether or not the handler reads it.
    const asked = askedBy(ctx)
    const result = await next()
    const wrapped = result instanceof Reply
    if (wrapped && result.status !== 200 && result.status !== 206) return result
    const given: unknown = wrapped ? result.body : result
    // A list may have a revision: its pages have the same.
    const tagged = given instanceof Tagged ? given : undefined
    const body: unknown = tagged ? tagged.value : given
    let rows: PageRows
    let cursor: string | undefined
    if (body instanceof Slice) {
      rows = await fromSlice(body, asked.page)
      cursor = plan.cursor && body.next
    } else {
      if (!isRowSource(body)) return result
      const selected = fromList(body, asked.page, plan)
      rows = selected instanceof Promise ? await selected : selected
      if (asked.page.cursor && rows.more && rows.rows.length > 0) cursor = cursorAfter(asked.page, rows.rows.at(-1))
    }
    const reply = answerPage(ctx, plan, asked, rows, cursor, wrapped ? result.headers : undefined)
    const { fields } = asked.page
    if (fields.length === 0 && !tagged) return reply
    const shown = fields.length === 0 ? reply.body : rows.rows.map((row) => project(toPlain(row), fields))
    return new Reply(reply.status, tagged ? new Tagged(shown, tagged.rev, tagged.modified) : shown, reply.headers)
  }

  return Object.freeze({ read: (ctx: Context) => askedBy(ctx).page, around: page, names })
}
