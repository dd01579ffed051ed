import { createRouter, type RouterOptions } from '../app'
import { ConfigurationError } from '../errors'
import { classFacts } from '../resource/metadata'
import { isPlanSet, type ResourceLike } from '../route/compile'
import { mergeFacts, type MergedFacts } from '../route/compile-facts'
import type { RoutePlan } from '../route/plan'
import type { PlanRouter } from '../route/router'
import { refuseDuplicates, shapeOf } from '../route/router-table'
import type { Constructor } from '../types'
import type { Finding } from './finding'

/** What can be told of an application that does not come about. */
export interface Survey {
  readonly findings: readonly Finding[]
  /** The plans that could be made. */
  readonly plans: readonly RoutePlan[]
  /** A router of all that is in order by itself; none where no router can be made with these options at all. */
  readonly router?: PlanRouter
}

/**
 * Finds all that keeps an application from starting, and not only what comes first: each method, each plan and each handler
 * of errors is tried by itself, in a router of its own.
 *
 * @param options those of the application
 */
export function surveyApp(options: RouterOptions): Survey {
  const { handlers = [], ...errors } = options.errors ?? {}
  const bare: RouterOptions = { ...options, resources: [], plans: [], errors }
  const findings: Finding[] = []

  function attempt(part: RouterOptions, target?: object): PlanRouter | undefined {
    try {
      return createRouter({ ...bare, ...part })
    } catch (error) {
      findings.push(toFinding(error, target))
      return undefined
    }
  }

  const empty = attempt({})
  if (!empty) return { findings, plans: [] }
  for (const handler of handlers) attempt({ errors: { ...errors, handlers: [handler] } }, handler)
  const tried = new Set<unknown>()
  const plans = (options.resources ?? []).flatMap((resource) => {
    const Class = classOf(resource) ?? resource
    if (tried.has(Class)) return []
    tried.add(Class)
    return tryResource(resource, bare, attempt)
  })
  plans.push(...(options.plans ?? []).flatMap((plan) => attempt({ plans: [plan] })?.plans ?? []))
  const single = withoutDuplicates(plans, empty.init, findings)
  return { findings, plans, router: attempt({ plans: single }) }
}

/** A router of a part of it; none where that is not in order. */
type Attempt = (part: RouterOptions, target?: object) => PlanRouter | undefined

/** The plans of a resource; where it has any that fail, those of its other methods. */
function tryResource(resource: ResourceLike, bare: RouterOptions, attempt: Attempt): readonly RoutePlan[] {
  try {
    return createRouter({ ...bare, resources: [resource] }).plans
  } catch (error) {
    const Class = classOf(resource)
    const facts = Class && mergeFacts(Class)
    const names = facts ? [...facts.methods].filter(([, { routes }]) => routes.length > 0).map(([name]) => name) : []
    if (!Class || !facts?.resource || names.length === 0) return attempt({ resources: [resource] }, Class)?.plans ?? []
    const base = typeof resource === 'function' ? instantiate(Class, resource, bare, attempt) : resource
    return names.flatMap((name) => attempt({ resources: [alone(Class, base, facts, name)] }, Class)?.plans ?? [])
  }
}

/** An instance to ask; where none can be made that is one thing wrong, and its methods are asked all the same. */
function instantiate(Class: Constructor, resource: ResourceLike, bare: RouterOptions, attempt: Attempt): object {
  try {
    const made = bare.resolve ? bare.resolve(Class) : Class.length > 0 ? undefined : (new Class() as object)
    if (made) return made
  } catch {
    // What it says is found by the attempt.
  }
  attempt({ resources: [resource] }, Class)
  return Object.create(Class.prototype as object) as object
}

/** A resource with one of the methods: the same facts, types and names. */
function alone(Class: Constructor, base: object, facts: MergedFacts, name: string): object {
  const Alone = { [Class.name]: class {} }[Class.name] as Constructor
  const method = facts.methods.get(name)
  Object.assign(classFacts(Alone), facts.shared, { resource: facts.resource })
  classFacts(Alone).methods = new Map(method && [[name, method]])
  return Object.create(base, { constructor: { value: Alone } }) as object
}

function classOf(resource: ResourceLike): Constructor | undefined {
  if (typeof resource === 'function') return resource as Constructor
  return isPlanSet(resource) || resource.constructor === Object ? undefined : (resource.constructor as Constructor)
}

/** Routes of one method and shape: the first stays. The router is asked, and only of routes that look alike. */
function withoutDuplicates(
  plans: readonly RoutePlan[],
  init: PlanRouter['init'],
  findings: Finding[],
): readonly RoutePlan[] {
  const alike = new Map<string, RoutePlan[]>()
  return plans.filter((plan) => {
    const shapes = shapeOf(plan.path).split('|')
    const keys = shapes.map((shape) => `${plan.method} ${shape.replace(/(?<=.)\/$/, '').toLowerCase()}`)
    for (const known of new Set(keys.flatMap((key) => alike.get(key) ?? []))) {
      try {
        refuseDuplicates([known, plan], init)
      } catch (error) {
        findings.push(toFinding(error))
        return false
      }
    }
    for (const key of keys) alike.set(key, [...(alike.get(key) ?? []), plan])
    return true
  })
}

/** A failure at start as a finding. */
export function toFinding(error: unknown, target?: object): Finding {
  if (error instanceof ConfigurationError) {
    const { where, what, cure } = error
    return { code: 'start', level: 'error', where, what, cure, target }
  }
  const name = (target as { readonly name?: unknown } | undefined)?.name
  return {
    code: 'start',
    level: 'error',
    where: typeof name === 'string' ? name : 'createApp',
    what: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    cure: 'Mend it, or run with --verbose for its stack',
    target,
  }
}
