import { parseQuery, type QueryMap } from '../http/query'
import type { Context } from './plan'

const parsed = Symbol('kumu.query')

/**
 * The query of a request, parsed once and bounded.
 *
 * @param ctx the request
 * @param keys pairs at the most; default 1,000
 * @throws BadRequest where there are more, or an escape is malformed
 */
export function queryOf(ctx: Context & { [parsed]?: QueryMap }, keys = 1000): QueryMap {
  const known = ctx[parsed]
  if (known) return known
  const url = ctx.req.url ?? ''
  const mark = url.indexOf('?')
  return (ctx[parsed] = parseQuery(mark < 0 ? '' : url.slice(mark + 1), { keys }))
}
