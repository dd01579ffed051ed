import type { Awaitable } from '../types'
import { answerPage } from './page-answer'
import { cursorAfter } from './page-cursor'
import { plainRequest, readRequest, type Asked } from './page-request'
import { isRowSource } from './page-rows'
import type { PageRows } from './page-sinks'
import { fromList, fromSlice } from './page-source'
import { pagingNames, type Context, type PageRequest, type PagingPlan } from './plan'
import { project } from './projection'
import { isPromise } from './promise'
import { Reply, Slice, Tagged } from './replies'

/** Both sides of the paging of one route. */
export interface Paging {
  /** Reads the page that is asked for, once a request. @throws BadRequest where it is malformed */
  read(ctx: Context): PageRequest
  /** Calls the handler and turns its rows into the page's answer; what is no list passes. */
  around(ctx: Context, call: (ctx: Context, args: unknown[]) => unknown, args: unknown[]): Awaitable<unknown>
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
  const memory = Symbol('kumu.page')
  const plain = plainRequest(plan)

  function askedBy(ctx: Context & { [memory]?: Asked }): Asked {
    const { url, headers } = ctx.req
    if (headers.range === undefined && headers.prefer === undefined && !url?.includes('?')) return plain
    return (ctx[memory] ??= readRequest(ctx, plan))
  }

  function answer(ctx: Context, result: unknown): Awaitable<unknown> {
    const wrapped = result instanceof Reply
    if (wrapped && result.status !== 200 && result.status !== 206) return result
    const given: unknown = wrapped ? result.body : result
    // A list may have a revision: its pages have the same.
    const tagged = given instanceof Tagged ? given : undefined
    const body: unknown = tagged ? tagged.value : given
    const asked = askedBy(ctx)
    if (body instanceof Slice) {
      const rows = fromSlice(body, asked.page)
      return then(rows, (page) => reply(ctx, asked, page, plan.cursor && body.next, result, tagged))
    }
    if (!isRowSource(body)) return result
    return then(fromList(body, asked.page, plan), (page) => {
      const last = page.more && page.rows.length > 0 ? asked.page.cursor : undefined
      return reply(ctx, asked, page, last && cursorAfter(asked.page, page.rows.at(-1)), result, tagged)
    })
  }

  function reply(
    ctx: Context,
    asked: Asked,
    found: PageRows,
    cursor: string | undefined,
    result: unknown,
    tagged: Tagged | undefined,
  ): Reply {
    const page = answerPage(ctx, plan, asked, found, cursor, result instanceof Reply ? result.headers : undefined)
    const { fields } = asked.page
    if (fields.length === 0 && !tagged) return page
    const shown = fields.length === 0 ? page.body : found.rows.map((row) => project(toPlain(row), fields))
    return new Reply(page.status, tagged ? new Tagged(shown, tagged.rev, tagged.modified) : shown, page.headers)
  }

  function around(ctx: Context, call: (ctx: Context, args: unknown[]) => unknown, args: unknown[]): Awaitable<unknown> {
    const { method } = ctx.req
    if (method !== 'GET' && method !== 'HEAD') return call(ctx, args)
    // Read first: a malformed request is refused before the handler runs, and whether or not the handler reads it.
    askedBy(ctx)
    const result = call(ctx, args)
    return isPromise(result) ? result.then((value) => answer(ctx, value)) : answer(ctx, result)
  }

  return Object.freeze({ read: (ctx: Context) => askedBy(ctx).page, around, names })
}

function then<T, R>(value: Awaitable<T>, use: (value: T) => R): Awaitable<R> {
  return isPromise(value) ? value.then(use) : use(value)
}
