import Router from '@koa/router'
import { ConfigurationError, BadRequest, MethodNotAllowed, NotImplemented } from '../errors'
import { checkHost } from '../http/host'
import type { Awaitable } from '../types'
import { answerError } from './answer-error'
import { checkPattern } from './compile-facts'
import { PathIndex, type CompiledPattern, type Found } from './path-index'
import { compareShapes, isPlain, shapesOf } from './pattern'
import type { Context, Middleware, RoutePlan, Settings } from './plan'
import { isPromise } from './promise'
import { chain, createHandler, type Handle } from './run'

type Layer = Router['stack'][number]
type Next = () => Promise<unknown>

/** How a router of plans is made. */
export interface RouterInit {
  readonly plans: readonly RoutePlan[]
  readonly settings: Settings
  readonly prefix?: string
  readonly caseSensitive: boolean
  readonly strictSlash: boolean
  /** Whether resources answer their errors themselves: in an application that may have no error middleware. */
  readonly answersErrors: boolean
  /** Methods known beside those of the plans: 405 where they are not allowed, not 501. */
  readonly methods?: ReadonlySet<string>
}

/** A plan with its handler, which is made at its first request: what can be wrong with a plan was found before. */
class Entry {
  #handle: Handle | undefined

  constructor(
    readonly plan: RoutePlan,
    readonly init: RouterInit,
  ) {}

  run(ctx: Context): Awaitable<void> {
    return (this.#handle ??= this.#make())(ctx)
  }

  #make(): Handle {
    const { settings, answersErrors } = this.init
    const handle = createHandler(this.plan, settings)
    return answersErrors ? guard(handle, settings) : handle
  }
}

/** On a handler of a layer's stack: the plan that it came from. It survives the cloning that nesting does. */
const entryOf = Symbol('kumu.entry')

interface Marked {
  readonly [entryOf]?: Entry
}

/** Methods that the routers on the way allowed for a request's path, and all that they know. */
const refusals = new WeakMap<
  object,
  { readonly allow: Set<string>; readonly known: Set<string>; readonly plans: Set<RoutePlan> }
>()

/**
 * A `@koa/router` whose resource routes are found by an index: `stack`, `url`, `prefix`, `use`, `param`, nesting and plain
 * routes beside the resources work as they do there.
 */
export class PlanRouter extends Router {
  readonly #entries: readonly Entry[]
  #layered = false

  constructor(readonly init: RouterInit) {
    super({ prefix: toPrefix(init.prefix), sensitive: init.caseSensitive, strict: init.strictSlash })
    const odd = init.plans.filter(({ path }) => path instanceof RegExp || !isPlain(path))
    for (const { id, path } of init.plans) if (typeof path === 'string') checkPattern(id, path)
    refuseDuplicates(init.plans, init)
    this.#entries = init.plans.map((plan) => new Entry(plan, init))
    // Other patterns may be refused by @koa/router, and that at start.
    if (odd.length === 0) this.#layerLater()
    else this.#layer()
  }

  /** The index alone serves plain paths: their layers are made when somebody asks for the stack. */
  #layerLater(): void {
    const define = (descriptor: PropertyDescriptor): void => {
      Object.defineProperty(this, 'stack', { configurable: true, enumerable: true, ...descriptor })
    }
    define({
      get: () => {
        define({ value: [], writable: true })
        this.#layer()
        return this.stack
      },
      set: (stack: Layer[]) => define({ value: stack, writable: true }),
    })
  }

  #layer(): void {
    this.#layered = true
    for (const entry of this.#entries) this.#add(entry)
  }

  /** What the dispatch finds its way by; another one where layers came or the prefix changed. */
  tableFor(known: Table | undefined): Table {
    const size = this.#layered ? this.stack.length : -1
    const { prefix } = this.opts
    if (known && known.size === size && known.prefix === prefix) return known
    if (this.#layered) return createTable(this, this.stack, size)
    const routes = this.#entries.map((entry) => new Route(entry, underPrefix(prefix, entry.plan, this.init)))
    return tableOf(this, routes, [], size)
  }

  /** The plans of this router. */
  get plans(): readonly RoutePlan[] {
    return this.init.plans
  }

  #add(entry: Entry): void {
    const { plan } = entry
    const handler = Object.assign((ctx: Context): Awaitable<void> => entry.run(ctx), { [entryOf]: entry })
    const path = plan.path instanceof RegExp ? wholePath(plan.path) : plan.path
    try {
      this.register(path, [plan.method], [handler as never], { name: plan.id, pathAsRegExp: path instanceof RegExp })
    } catch (error) {
      throw new ConfigurationError(
        plan.id,
        `@koa/router does not take the path "${String(plan.path)}" (${error instanceof Error ? error.message : String(error)})`,
        'Write parameters as :name, wildcards as *name, optional parts in braces',
      )
    }
  }

  /** The dispatch: index first, the layers that others added in their order. */
  override middleware(): ReturnType<Router['middleware']> {
    const { answersErrors, plans, settings } = this.init
    // Nesting may have brought routes of others along.
    if (this.#layered && this.stack.length > plans.length) refuseDuplicates(this.stack.flatMap(toServed), this.init)
    const dispatch = createDispatch(this)
    const middleware = answersErrors ? guardRouting(dispatch, settings) : dispatch
    return Object.assign(middleware, { router: this })
  }

  override prefix(path: string): ReturnType<Router['prefix']> {
    // Layers that are not made yet would be given the new prefix, and then given it again.
    return this.stack ? super.prefix(path) : this
  }

  override routes(): ReturnType<Router['middleware']> {
    return this.middleware()
  }

  /** OPTIONS, 405 and 501 are answered by {@link PlanRouter.routes}: this leaves them to it, unless it is told to throw. */
  override allowedMethods(options?: Parameters<Router['allowedMethods']>[0]): ReturnType<Router['allowedMethods']> {
    const answer = super.allowedMethods(options)
    return async function allowedMethods(ctx, next) {
      await (refusals.has(ctx.req) && !options?.throw ? next() : answer(ctx, next))
    }
  }
}

// --- The table that dispatch reads -------------------------------------------------------------------------------------------

/** A plan where it is served. Few patterns need their layer's regular expression: it is asked for where one does. */
class Route implements CompiledPattern {
  readonly plan: RoutePlan

  constructor(
    readonly entry: Entry,
    readonly path: string | RegExp,
    readonly layer?: Layer,
    /** Middleware of router.param() around the handler. */
    readonly chained?: Handle,
  ) {
    this.plan = entry.plan
  }

  run(ctx: Context): Awaitable<void> {
    return this.chained ? this.chained(ctx) : this.entry.run(ctx)
  }

  get regexp(): RegExp {
    if (!this.layer) throw new Error(`${this.plan.id} has no layer yet`)
    return this.layer.regexp
  }

  get names(): readonly string[] {
    return this.layer?.paramNames.map(({ name }) => String(name)) ?? []
  }
}

/** The path of a plan as its layer would have it. */
function underPrefix(prefix: string | undefined, { path }: RoutePlan, { strictSlash }: RouterInit): string | RegExp {
  if (prefix === undefined || path instanceof RegExp) return path
  return path === '/' && !strictSlash ? prefix : prefix + path
}

interface Table {
  /** Layers of the stack it was made of; -1: it was made of the plans. */
  readonly size: number
  readonly prefix: string | undefined
  readonly indexes: ReadonlyMap<string, PathIndex<Route>>
  /** Layers that are none of ours: middleware of `use`, plain routes, routers of others. */
  readonly others: readonly Layer[]
}

function createTable(router: PlanRouter, stack: readonly Layer[], size: number): Table {
  const others: Layer[] = []
  const routes: Route[] = []
  for (const layer of stack) {
    const route = toRoute(layer)
    if (route) routes.push(route)
    else others.push(layer)
  }
  return tableOf(router, routes, others, size)
}

function tableOf(router: PlanRouter, routes: readonly Route[], others: readonly Layer[], size: number): Table {
  const { caseSensitive, strictSlash } = router.init
  const indexes = new Map<string, PathIndex<Route>>()
  const heads = new Set<string>()
  for (const { plan, path } of routes) if (plan.method === 'HEAD') heads.add(shapeOf(path))
  for (const route of routes) {
    const { plan, path } = route
    const both = plan.method === 'GET' && heads.size > 0 && !heads.has(shapeOf(path))
    for (const method of both ? ['GET', 'HEAD'] : [plan.method]) {
      let index = indexes.get(method)
      if (!index) indexes.set(method, (index = new PathIndex({ caseSensitive, ignoreTrailingSlash: !strictSlash })))
      index.add(path, route, route)
    }
  }
  const get = indexes.get('GET')
  if (get && heads.size === 0) indexes.set('HEAD', get)
  return { size, prefix: router.opts.prefix, indexes, others }
}

function toRoute(layer: Layer): Route | undefined {
  const entry = layer.methods.length > 0 ? (layer.stack.at(-1) as Marked | undefined)?.[entryOf] : undefined
  if (!entry) return undefined
  // Middleware of router.param() stands before the handler.
  const before = (layer.stack.length > 1 ? layer.stack.slice(0, -1) : []) as unknown as Middleware[]
  const chained = before.length > 0 ? chain(before, (ctx) => entry.run(ctx)) : undefined
  return new Route(entry, layer.path, layer, chained)
}

/** `/api/` is `/api`, and `/` is none. */
function toPrefix(prefix: string | undefined): string | undefined {
  if (prefix === undefined || prefix === '' || prefix === '/') return undefined
  if (!prefix.startsWith('/')) {
    throw new ConfigurationError('prefix', `"${prefix}" does not start with a slash`, `Write "/${prefix}"`)
  }
  checkPattern('prefix', prefix)
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
}

/** A route where nesting has put it. */
function toServed(layer: Layer): Array<Pick<RoutePlan, 'id' | 'method' | 'path'>> {
  const route = toRoute(layer)
  return route ? [{ id: route.plan.id, method: route.plan.method, path: layer.path }] : []
}

function shapeOf(path: string | RegExp): string {
  return path instanceof RegExp ? String(path) : shapesOf(path).join('|')
}

function refuseDuplicates(
  routes: ReadonlyArray<Pick<RoutePlan, 'id' | 'method' | 'path'>>,
  { caseSensitive, strictSlash }: RouterInit,
): void {
  const owners = new Map<string, string>()
  for (const { id, method, path: pattern } of routes) {
    const shapes = pattern instanceof RegExp ? [String(pattern)] : shapesOf(pattern)
    for (const shape of shapes) {
      const path = strictSlash || shape === '/' || !shape.endsWith('/') ? shape : shape.slice(0, -1)
      const key = `${method} ${caseSensitive ? path : path.toLowerCase()}`
      const owner = owners.get(key)
      if (owner !== undefined) {
        throw new ConfigurationError(
          id,
          `${method} ${String(pattern)} is served by ${owner} already`,
          'Change the path or the method of one of them',
        )
      }
      owners.set(key, id)
    }
  }
}

/** A RegExp path speaks of the whole path, whether or not it is anchored. */
function wholePath(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''))
}

/** The way of a request through a router; its table is made at the first one, and again where routes were added. */
function createDispatch(router: PlanRouter): (ctx: Context, next: Next) => Awaitable<unknown> {
  let table: Table | undefined
  return function dispatch(ctx, next) {
    if (router.host && !router.matchHost(ctx.host)) return next()
    table = router.tableFor(table)
    const path = pathOf(ctx, router)
    if (path.includes('%')) refuseBrokenEscape(path)
    const found = table.indexes.get(ctx.req.method as string)?.find(path)
    if (table.others.length > 0) {
      const others = table.others.filter((layer) => layer.match(path) && takes(layer, ctx.method))
      if (others.length > 0) return runTogether(router, table, ctx, next, path, others, found)
    }
    if (!found) return miss(router, table, ctx, next, path)
    enter(router, ctx, found.value, found.params)
    return found.value.run(ctx)
  }
}

// --- One request ----------------------------------------------------------------------------------------------------------------

/** The path to be matched, without the query; @koa/router's own ways to set another one hold. */
function pathOf(ctx: Context, router: PlanRouter): string {
  const other = (router.opts.routerPath ?? (ctx as { newRouterPath?: string }).newRouterPath) || undefined
  if (other !== undefined) return other
  const url = ctx.req.url as string
  if (!url.startsWith('/')) return ctx.path || '/'
  const mark = url.indexOf('?')
  return mark < 0 ? url : url.slice(0, mark)
}

function refuseBrokenEscape(path: string): void {
  try {
    decodeURIComponent(path)
  } catch {
    throw new BadRequest('The path has a malformed escape', {
      code: 'encoding',
      errors: [
        {
          in: 'path',
          pointer: '',
          code: 'encoding',
          detail: 'a percent sign is followed by two hexadecimal digits of UTF-8',
        },
      ],
    })
  }
}

/** Leaves on the context what @koa/router leaves there. */
function enter(router: PlanRouter, ctx: Context, { path, plan }: Route, params: Record<string, string>): void {
  ctx.params = params
  ctx.routerPath = path
  ctx._matchedRoute = path
  ctx._matchedRouteName = plan.id
  ctx.router = router
}

function takes(layer: Layer, method: string): boolean {
  return layer.methods.length === 0 || layer.methods.includes(method.toUpperCase())
}

/** Middleware and plain routes of the same router, and the resource's route, in the order of the stack. */
function runTogether(
  router: PlanRouter,
  table: Table,
  ctx: Context,
  next: Next,
  path: string,
  others: readonly Layer[],
  found: Found<Route> | undefined,
): Awaitable<unknown> {
  const route = found?.value
  // Middleware alone answers nothing: it runs where a route does.
  if (!route && !others.some((layer) => layer.methods.length > 0)) return miss(router, table, ctx, next, path)
  const layers = route ? inOrder(router, others, route) : others
  ctx.matched = [...((ctx.matched as Layer[] | undefined) ?? []), ...layers]
  const steps: Middleware[] = []
  for (const layer of layers) {
    if (layer === route?.layer) {
      steps.push((each) => {
        enter(router, each as Context, route, found?.params ?? {})
        return route.run(each as Context)
      })
      continue
    }
    steps.push(
      (each, go) => {
        const foreign = each as Context
        foreign.captures = layer.captures(path)
        foreign.params = layer.params(path, foreign.captures as string[], foreign.params ?? {})
        Object.assign(foreign.request, { params: foreign.params })
        foreign.routerPath = layer.path
        foreign._matchedRoute = layer.path
        foreign.router = router
        return go()
      },
      ...(layer.stack as unknown as Middleware[]),
    )
  }
  return chain(steps, () => next() as Promise<void>)(ctx)
}

/** A plain route that is more specific than the resource's comes before it; middleware stays where it is. */
function inOrder(router: PlanRouter, others: readonly Layer[], route: Route): Layer[] {
  const shape = shapeOf(route.path)
  const stronger = others.filter(
    (layer) =>
      layer.methods.length > 0 && typeof layer.path === 'string' && compareShapes(shapeOf(layer.path), shape) < 0,
  )
  const matched = new Set<Layer | undefined>([...others, route.layer])
  const rest = router.stack.filter((layer) => matched.has(layer) && !stronger.includes(layer))
  const at = rest.findIndex((layer) => layer.methods.length > 0)
  return [...rest.slice(0, at), ...stronger, ...rest.slice(at)]
}

/**
 * No route of ours takes this method on this path. Where a path is known, whoever comes after may still take it; else it
 * is answered here: OPTIONS with `Allow`, 405, or 501 for a method nobody knows.
 */
function miss(router: PlanRouter, table: Table, ctx: Context, next: Next, path: string): Awaitable<unknown> {
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

// --- Errors in an application of somebody else -----------------------------------------------------------------------------------

function guard(handle: Handle, settings: Settings): Handle {
  return function answering(ctx) {
    try {
      const done = handle(ctx)
      return isPromise(done) ? done.catch((error: unknown) => answerError(error, ctx, settings)) : done
    } catch (error) {
      return answerError(error, ctx, settings)
    }
  }
}

/** Errors of the routing itself (405, 501, a bad path) are answered as well; those of other middleware are the host's. */
function guardRouting(dispatch: (ctx: Context, next: Next) => Awaitable<unknown>, settings: Settings) {
  return async function answering(ctx: Context, next: Next): Promise<void> {
    let foreign: { readonly error: unknown } | undefined
    const watched: Next = async () => {
      try {
        return await next()
      } catch (error) {
        foreign = { error }
        throw error
      }
    }
    try {
      checkHost(ctx.req.headers, ctx.app.proxy)
      await dispatch(ctx, watched)
    } catch (error) {
      if (foreign?.error === error) throw error
      await answerError(error, ctx, settings)
    }
  }
}
