import type { IncomingMessage } from 'node:http'
import Router from '@koa/router'
import { BadRequest, ConfigurationError } from '../errors'
import { checkHost } from '../http/host'
import type { Awaitable } from '../types'
import { answerError } from './answer-error'
import { checkPattern } from './compile-facts'
import type { Found } from './path-index'
import { compareShapes, isPlain } from './pattern'
import type { Context, Middleware, RoutePlan, Settings } from './plan'
import { miss, refusals } from './router-refusal'
import {
  createTable,
  Entry,
  entryOf,
  refuseDuplicates,
  Route,
  shapeOf,
  tableOf,
  toServed,
  underPrefix,
  wholePath,
  type Layer,
  type RouterInit,
  type Table,
} from './router-table'
import { chain } from './run'

type Next = () => Promise<unknown>

const slash = 0x2f

/**
 * A `@koa/router` whose resource routes are found by an index: `stack`, `url`, `prefix`, `use`, `param`, nesting and plain
 * routes beside the resources work as they do there.
 */
export class PlanRouter extends Router {
  readonly #entries: readonly Entry[]
  #layered = false
  #table: Table | undefined

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

  /**
   * The route of a request that the index alone finds, with its parameters. Whatever else there is to be done (other layers,
   * middleware, escapes, an answer that there is none) is the business of the dispatch.
   */
  routeOf({ method, url = '' }: IncomingMessage): Found<Route> | undefined {
    const table = (this.#table = this.tableFor(this.#table))
    if (table.others.length > 0 || this.host || this.opts.routerPath || url.charCodeAt(0) !== slash) return undefined
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    if (path.includes('%')) return undefined
    const found = table.indexes.get(method as string)?.find(path)
    return found && !found.value.chained && found.value.plan.use.length === 0 ? found : undefined
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

/** `/api/` is `/api`, and `/` is none. */
function toPrefix(prefix: string | undefined): string | undefined {
  if (prefix === undefined || prefix === '' || prefix === '/') return undefined
  if (!prefix.startsWith('/')) {
    throw new ConfigurationError('prefix', `"${prefix}" does not start with a slash`, `Write "/${prefix}"`)
  }
  checkPattern('prefix', prefix)
  return prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
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
export function enter(router: PlanRouter, ctx: Context, { path, plan }: Route, params: Record<string, string>): void {
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

// --- Errors in an application of somebody else -----------------------------------------------------------------------------------

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
