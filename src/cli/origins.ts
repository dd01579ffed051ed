import { relative } from 'node:path'
import type { RouterOptions } from '../app'
import { isPlanSet } from '../route/compile'
import { mergeFacts } from '../route/compile-facts'
import type { RoutePlan } from '../route/plan'
import type { Constructor } from '../types'

/** The method that a plan was made of. */
export interface Origin {
  readonly target: Constructor
  readonly method: string
}

/**
 * The methods behind plans: those of the classes among the resources, whose names plans have in the order of declaration.
 *
 * @param options what the application was made of
 */
export function originsOf(plans: readonly RoutePlan[], options: RouterOptions): ReadonlyMap<RoutePlan, Origin> {
  const origins = new Map<RoutePlan, Origin>()
  const byId = new Map<string, RoutePlan[]>()
  for (const plan of plans) byId.set(plan.id, [...(byId.get(plan.id) ?? []), plan])
  for (const target of new Set((options.resources ?? []).flatMap(classOf))) {
    const { resource, methods } = mergeFacts(target)
    for (const [method, { routes }] of methods) {
      for (const index of routes.keys()) {
        const id = `${resource?.options.id ?? target.name}.${method}${index === 0 ? '' : `.${index + 1}`}`
        const plan = byId.get(id)?.shift()
        if (plan) origins.set(plan, { target, method })
      }
    }
  }
  return origins
}

function classOf(resource: object): Constructor[] {
  if (typeof resource === 'function') return [resource as Constructor]
  return isPlanSet(resource) ? [] : [resource.constructor as Constructor]
}

/**
 * What the application's own modules export, as far as they are CommonJS: classes and functions, each with its file. A door
 * is loaded before what it exports, so the file that declares a class is the one that stays.
 */
export function readExports(): ReadonlyMap<unknown, string> {
  const files = new Map<unknown, string>()
  for (const [file, module] of Object.entries(require.cache)) {
    if (/[\\/]node_modules[\\/]/.test(file)) continue
    for (const value of exportsOf(module?.exports)) if (typeof value === 'function') files.set(value, file)
  }
  return files
}

function exportsOf(exported: unknown): unknown[] {
  if (typeof exported !== 'object' || exported === null) return [exported]
  return Object.keys(exported).map((name) => {
    try {
      return (exported as Readonly<Record<string, unknown>>)[name]
    } catch {
      // A module that failed has exports that are not there yet.
      return undefined
    }
  })
}

/**
 * Tells the files of classes, relative to the working directory.
 *
 * @param fallback the file of those that no module exports
 */
export function createFiles(fallback: string): (target: object | undefined) => string {
  const files = readExports()
  return (target) => {
    const file = files.get(target) ?? files.get(target?.constructor) ?? fallback
    const path = relative(process.cwd(), file)
    return path.startsWith('..') ? file : path
  }
}
