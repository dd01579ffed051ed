import { MethodNotAllowed, NotImplemented } from '../errors'
import type { Awaitable } from '../types'
import type { Context, RoutePlan } from './plan'
import type { Layer, RouterInit, Table } from './router-table'

type Next = () => Promise<unknown>

/** Methods that the routers on the way allowed for a request's path, and all that they know. */
export const refusals = new WeakMap<
  object,
  { readonly allow: Set<string>; readonly known: Set<string>; readonly plans: Set<RoutePlan> }
>()

/** The router that found nothing. */
interface Missing {
  readonly init: RouterInit
  readonly stack: readonly Layer[]
}

/**
 * No route of ours takes this method on this path. Where a path is known, whoever comes after may still take it; else it
 * is answered here: OPTIONS with `Allow`, 405, or 501 for a method nobody knows.
 */
export function miss(router: Missing, table: Table, ctx: Context, next: Next, path: string): Awaitable<unknown> {
  const plans = new Set<RoutePlan>()
  const allow = new Set<string>()
  for (const [method, index] of table.indexes) {
    const found = index.find(path)
    if (!found) continue
    allow.add(method)
    plans.add(found.value.plan)
  }
  for (const layer of table.others) {
    if (layer.methods.length > 0 && layer.match(path)) for (const method of layer.methods) allow.add(method)
  }
  if (allow.size === 0) return next()
  const known = refusals.get(ctx.req) ?? {
    allow: new Set<string>(),
    known: new Set<string>(),
    plans: new Set<RoutePlan>(),
  }
  refusals.set(ctx.req, known)
  for (const method of allow) known.allow.add(method)
  for (const plan of plans) known.plans.add(plan)
  for (const layer of router.stack) for (const method of layer.methods) known.known.add(method)
  for (const method of router.init.methods ?? []) known.known.add(method)
  ctx.matched = router.stack.filter((layer) => layer.match(path))
  return refuseMethod(ctx, next, known)
}

async function refuseMethod(
  ctx: Context,
  next: Next,
  { allow, known, plans }: { allow: Set<string>; known: Set<string>; plans: Set<RoutePlan> },
): Promise<void> {
  try {
    await next()
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  if (ctx.status !== 404 || ctx.respond === false || ctx.res.headersSent) return
  const methods = [...allow, ...(allow.has('OPTIONS') ? [] : ['OPTIONS'])].sort((a, b) => order(a) - order(b))
  const headers: Record<string, string> = { Allow: methods.join(', '), ...acceptHeaders(plans) }
  if (ctx.method === 'OPTIONS') {
    ctx.body = null
    ctx.status = 204
    for (const [name, value] of Object.entries(headers)) ctx.res.setHeader(name, value)
    return
  }
  if (known.has(ctx.method) || ctx.method === 'HEAD') {
    throw new MethodNotAllowed(`${ctx.method} is not for this resource: it takes ${headers.Allow}`, {
      code: 'method-not-allowed',
      headers,
    })
  }
  throw new NotImplemented(undefined, { code: 'method-unknown', headers })
}

const usual = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function order(method: string): number {
  const at = usual.indexOf(method)
  return at < 0 ? usual.length : at
}

/** `Accept-Post` (W3C LDP §7.1) and `Accept-Patch` (RFC 5789 §3.1). */
function acceptHeaders(plans: ReadonlySet<RoutePlan>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { method, body } of plans) {
    const types = body?.consumes.filter((type) => !type.startsWith('+')).join(', ')
    if (!types) continue
    if (method === 'POST') headers['Accept-Post'] = types
    if (method === 'PATCH') headers['Accept-Patch'] = types
  }
  return headers
}

function isNotFound(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'status' in error && error.status === 404
}
