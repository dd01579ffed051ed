import type { RoutePlan } from '../route/plan'
import type { PlanRouter } from '../route/router'
import { underPrefix } from '../route/router-table'
import { findModule, loadModule } from './load-module'

/** One operation where it is served. */
export interface Route {
  readonly plan: RoutePlan
  /** Its path under the prefix. */
  readonly path: string | RegExp
  readonly router: PlanRouter
}

/** An application, of Kumu or of Koa with routers of Kumu. */
export interface Service {
  /** The module that it came from. */
  readonly file: string
  readonly app: object
  readonly routes: readonly Route[]
}

/**
 * Loads an application. It is made, and not started.
 *
 * @param name a module, or `FILE#NAME` for an export of it
 * @throws Error where there is no such module or export, or what it exports is no application; whatever making it throws
 */
export async function loadApp(name: string): Promise<Service> {
  const { file: path, wanted } = splitName(name)
  const file = findModule(path)
  const { exports } = await loadModule(file)
  const app = await make(pick(exports, wanted, path), wanted ?? 'the function', path)
  const routers = routersOf(app)
  if (routers.length === 0) {
    throw new Error(`${name} is no application: it is ${describe(app)}. Name the export that is one: ${path}#app`)
  }
  return { file, app: app as object, routes: routers.flatMap(routesOf) }
}

/** The module of a name, and the export where one is named. */
export function splitName(name: string): { readonly file: string; readonly wanted?: string } {
  const at = name.lastIndexOf('#')
  return at <= 0 ? { file: name } : { file: name.slice(0, at), wanted: name.slice(at + 1) }
}

/** The operations of a router where it serves them. */
export function routesOf(router: PlanRouter): Route[] {
  const { prefix } = router.opts
  return router.plans.map((plan) => ({ plan, path: underPrefix(prefix, plan, router.init), router }))
}

// --- What a module exports ----------------------------------------------------------------------------------------------------

/** The export that is named, else `default`, else `app`; a module may be the application itself. */
function pick(exports: unknown, wanted: string | undefined, path: string): unknown {
  const spaces = [exports, memberOf(exports, 'default')].filter((space) => space !== undefined)
  const names = wanted === undefined ? ['default', 'app'] : [wanted]
  for (const name of names) {
    for (const space of spaces) {
      const found = memberOf(space, name)
      // What a compiler makes of `export default` comes as a default of its own.
      if (found !== undefined)
        return name === 'default' ? (memberOf(found, 'default') ?? memberOf(found, 'app') ?? found) : found
    }
  }
  if (wanted === undefined && isUsable(exports)) return exports
  const known = Object.keys(Object(exports) as object).filter(
    (each) => each !== '__esModule' && each !== 'module.exports',
  )
  throw new Error(
    `${path} has no export ${names.map((each) => `"${each}"`).join(' or ')}; it has ${known.join(', ') || 'none'}${
      wanted === undefined && known[0] !== undefined ? `: name one, ${path}#${known[0]}` : ''
    }`,
  )
}

function memberOf(space: unknown, name: string): unknown {
  const isSpace = (typeof space === 'object' || typeof space === 'function') && space !== null
  return isSpace && name in space ? (space as Record<string, unknown>)[name] : undefined
}

function isUsable(value: unknown): boolean {
  return typeof value === 'function' || routersOf(value).length > 0
}

/** Calls what makes an application, and waits for one that is promised. */
async function make(value: unknown, name: string, path: string): Promise<unknown> {
  if (typeof value !== 'function' || routersOf(value).length > 0) return value
  try {
    return await (value as () => unknown)()
  } catch (error) {
    if (value.length === 0 || !(error instanceof TypeError)) throw error
    throw new Error(
      `${name} of ${path} wants ${value.length} argument${value.length > 1 ? 's' : ''} and gets none: ${error.message}`,
      { cause: error },
    )
  }
}

/** The routers of Kumu in a value: itself, or those that are mounted in an application. */
function routersOf(value: unknown): PlanRouter[] {
  if (isPlanRouter(value)) return [value]
  const mounted = memberOf(value, 'middleware')
  return Array.isArray(mounted) ? mounted.map((each) => memberOf(each, 'router')).filter(isPlanRouter) : []
}

function isPlanRouter(value: unknown): value is PlanRouter {
  return Array.isArray(memberOf(value, 'plans')) && memberOf(value, 'init') !== undefined
}

function describe(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : `a ${typeof value}`
  return `an object of the class ${value.constructor?.name ?? 'Object'}`
}
