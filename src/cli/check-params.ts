import { pathNames } from '../route/compile-facts'
import { createAtomic } from '../route/atomic'
import { parsePattern } from '../route/pattern'
import type { ParamPlan, RoutePlan } from '../route/plan'
import { createTimeout } from '../route/timeout'
import type { Finding } from './finding'
import type { Route } from './load-app'

/** Parameters of paths that nobody reads, and readers of parameters that a form of their path lacks. */
export function findParameters(routes: readonly Route[]): Finding[] {
  return [...routes.flatMap((route) => [...findUnread(route), ...findMissing(route)]), ...findUnreadPrefixes(routes)]
}

// --- Unread ---------------------------------------------------------------------------------------------------------------------

/** What the route's own path names. Who is given the context may read all of it, so such a route is left alone. */
function findUnread({ plan }: Route): Finding[] {
  if (seesContext(plan)) return []
  const read = readNames(plan)
  return namesOf(plan.path)
    .filter((name) => !read.has(name))
    .map((name) => ({
      code: 'unread-parameter',
      level: 'warning',
      where: plan.id,
      what: `nobody reads the parameter "${name}" of the path "${String(plan.path)}"`,
      cure: `Read it with @Param('${name}'), or take it out of the path`,
    }))
}

/** Parameters of a prefix are for all routes: one that reads them is enough. */
function findUnreadPrefixes(routes: readonly Route[]): Finding[] {
  return [...new Set(routes.map(({ router }) => router))].flatMap((router): Finding[] => {
    const { prefix = '' } = router.opts
    if (router.plans.some(seesContext)) return []
    const read = new Set(router.plans.flatMap((plan) => [...readNames(plan)]))
    return pathNames(prefix)
      .filter((name) => !read.has(name))
      .map((name) => ({
        code: 'unread-parameter',
        level: 'warning',
        where: 'prefix',
        what: `no route reads the parameter "${name}" of the prefix "${prefix}"`,
        cure: `Read it with @Param('${name}'), or take it out of the prefix`,
      }))
  })
}

function allParams({ params }: RoutePlan): ParamPlan[] {
  return params.flatMap((param) => param.members ?? [param])
}

function readNames(plan: RoutePlan): Set<string> {
  return new Set(allParams(plan).flatMap(({ source, name }) => (source === 'path' && name !== undefined ? [name] : [])))
}

const ours = new Set([createTimeout(1), createAtomic({ wait: 0, readers: [] }, new Map())].map(String))

/** Whether anybody but the readers of parameters is given the context, and so the parameters of the path. */
function seesContext(plan: RoutePlan): boolean {
  return (
    plan.use.length > 0 ||
    plan.around.some((interceptor) => !ours.has(String(interceptor))) ||
    plan.access?.rule !== undefined ||
    allParams(plan).some(
      ({ source, convert }) => source === 'context' || source === 'custom' || (convert?.length ?? 0) > 1,
    )
  )
}

// --- Missing --------------------------------------------------------------------------------------------------------------------

function findMissing({ plan, path }: Route): Finding[] {
  const required = allParams(plan).filter(({ source, required }) => source === 'path' && required)
  return required.flatMap(({ name = '', where }): Finding[] => {
    const form = formsOf(path).find(({ names }) => !names.has(name))
    if (!form) return []
    const isOptional = namesOf(path).includes(name)
    return [
      {
        code: 'missing-parameter',
        level: 'error',
        where,
        what: isOptional
          ? `it is required, and ${form.text} is a form of the path "${String(path)}" without "${name}": it would always be 400`
          : `the path ${String(path)} has no parameter "${name}"`,
        cure: isOptional
          ? 'Give it `required: false` or a default'
          : `Put "${name}" into the path: ${example(path, name)}`,
      },
    ]
  })
}

function example(path: string | RegExp, name: string): string {
  return path instanceof RegExp ? `(?<${name}>…)` : `/:${name}`
}

/** The names of the parameters in a path: of a RegExp those of its groups, which have numbers where they have no name. */
function namesOf(path: string | RegExp): string[] {
  if (typeof path === 'string') return pathNames(path)
  return Object.keys(groupsOf(path).groups ?? {})
}

interface Form {
  readonly text: string
  readonly names: ReadonlySet<string>
}

/** The forms of a path: several where parts of it are optional. */
function formsOf(path: string | RegExp): Form[] {
  if (path instanceof RegExp) {
    const match = groupsOf(path)
    const numbers = [...match.slice(1).keys()].map(String)
    return [{ text: String(path), names: new Set([...numbers, ...Object.keys(match.groups ?? {})]) }]
  }
  const all = new Set(pathNames(path))
  return parsePattern(path).map(({ segments, shape, mixed }) => {
    // A segment of text and parameters tells no names: with one of those a name that is anywhere is taken to be there.
    if (!segments || mixed) return { text: shape, names: all }
    return { text: shape, names: new Set(segments.flatMap((segment) => ('name' in segment ? [segment.name] : []))) }
  })
}

/** A match of nothing, which has all groups of the expression. */
function groupsOf({ source, flags }: RegExp): RegExpExecArray {
  return new RegExp(`(?:${source})|`, flags.replace(/[gy]/g, '')).exec('') as RegExpExecArray
}
