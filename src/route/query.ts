import { parseQuery, type QueryMap } from '../http/query'
import type { Context } from './plan'

const parsed = new WeakMap<object, QueryMap>()

/**
 * The query of a request, parsed once and bounded.
 *
 * @param ctx the request
 * @param keys pairs at the most; default 1,000
 * @throws BadRequest where there are more, or an escape is malformed
 */
export function queryOf(ctx: Context, keys = 1000): QueryMap {
  const known = parsed.get(ctx.req)
  if (known) return known
  const url = ctx.req.url ?? ''
  const mark = url.indexOf('?')
  const query = parseQuery(mark < 0 ? '' : url.slice(mark + 1), { keys })
  parsed.set(ctx.req, query)
  return query
}
