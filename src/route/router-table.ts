import type Router from '@koa/router'
import { ConfigurationError } from '../errors'
import type { Awaitable } from '../types'
import { answerError } from './answer-error'
import { PathIndex, type CompiledPattern } from './path-index'
import { shapesOf } from './pattern'
import type { Context, Middleware, RoutePlan, Settings } from './plan'
import { isPromise } from './promise'
import { chain, createHandler, type Handle } from './run'

/** A route of `@koa/router`'s stack. */
export type Layer = Router['stack'][number]

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
export class Entry {
  #handle: Handle | undefined
  #straight: Handle | undefined

  constructor(
    readonly plan: RoutePlan,
    readonly init: RouterInit,
  ) {}

  run(ctx: Context): Awaitable<void> {
    return (this.#handle ??= this.#make())(ctx)
  }

  /** The same where nobody stands around the route: it may write to the response by itself. */
  runStraight(ctx: Context): Awaitable<void> {
    return (this.#straight ??= createHandler(this.plan, this.init.settings, true))(ctx)
  }

  #make(): Handle {
    const { settings, answersErrors } = this.init
    const handle = createHandler(this.plan, settings)
    return answersErrors ? guard(handle, settings) : handle
  }
}

/** On a handler of a layer's stack: the plan that it came from. It survives the cloning that nesting does. */
export const entryOf = Symbol('kumu.entry')

interface Marked {
  readonly [entryOf]?: Entry
}

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

// --- The table -------------------------------------------------------------------------------------------------------------------

/** A plan where it is served. Few patterns need their layer's regular expression: it is asked for where one does. */
export class Route implements CompiledPattern {
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
export function underPrefix(
  prefix: string | undefined,
  { path }: RoutePlan,
  { strictSlash }: RouterInit,
): string | RegExp {
  if (prefix === undefined || path instanceof RegExp) return path
  return path === '/' && !strictSlash ? prefix : prefix + path
}

/** What a dispatch finds its way by. */
export interface Table {
  /** Layers of the stack it was made of; -1: it was made of the plans. */
  readonly size: number
  readonly prefix: string | undefined
  readonly indexes: ReadonlyMap<string, PathIndex<Route>>
  /** Layers that are none of ours: middleware of `use`, plain routes, routers of others. */
  readonly others: readonly Layer[]
}

/** What a table is made for. */
interface Tabled {
  readonly init: RouterInit
  readonly opts: { readonly prefix?: string }
}

/** The table of a stack, which others may have added to. */
export function createTable(router: Tabled, stack: readonly Layer[], size: number): Table {
  const others: Layer[] = []
  const routes: Route[] = []
  for (const layer of stack) {
    const route = toRoute(layer)
    if (route) routes.push(route)
    else others.push(layer)
  }
  return tableOf(router, routes, others, size)
}

/** The table of these routes. */
export function tableOf(router: Tabled, routes: readonly Route[], others: readonly Layer[], size: number): Table {
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

/** A route where nesting has put it. */
export function toServed(layer: Layer): Array<Pick<RoutePlan, 'id' | 'method' | 'path'>> {
  const route = toRoute(layer)
  return route ? [{ id: route.plan.id, method: route.plan.method, path: layer.path }] : []
}

/** One text for the shapes of a path. */
export function shapeOf(path: string | RegExp): string {
  return path instanceof RegExp ? String(path) : shapesOf(path).join('|')
}

/** Refuses two routes of one method and shape. */
export function refuseDuplicates(
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
export function wholePath(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''))
}
