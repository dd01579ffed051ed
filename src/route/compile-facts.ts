import { ConfigurationError } from '../errors'
import { ownFacts, type ClassFacts, type MethodFacts, type SharedFacts } from '../resource/metadata'
import type { Constructor } from '../types'
import { isPlain } from './pattern'

/** The facts of a class with those of its ancestors under them. */
export interface MergedFacts {
  readonly shared: SharedFacts
  readonly resource?: ClassFacts['resource']
  readonly methods: ReadonlyMap<string, MethodFacts>
}

/**
 * Reads the facts of a class and its ancestors: what a subclass says of itself wins, lists add up (the ancestor's first),
 * a redecorated method replaces the inherited one, an overriding method without decorators inherits them.
 */
export function mergeFacts(Class: Constructor): MergedFacts {
  const [first, ...others] = lineage(Class)
  if (!first) return { shared: { use: [], around: [], tags: [], headers: [], throws: [] }, methods: new Map() }
  if (others.length === 0) return { shared: first, resource: first.resource, methods: first.methods }
  let shared: SharedFacts = first
  let { resource } = first
  const methods = new Map(first.methods)
  for (const facts of others) {
    resource = facts.resource ?? resource
    shared = mergeShared(shared, facts)
    for (const [name, own] of facts.methods) {
      const inherited = methods.get(name)
      methods.set(name, inherited ? mergeMethod(inherited, own) : own)
    }
  }
  return { shared, resource, methods }
}

/** The facts of the class and of its ancestors, the eldest first. */
function lineage(Class: Constructor): ClassFacts[] {
  const all: ClassFacts[] = []
  let each: object | null = Class
  while (each && each !== Function.prototype) {
    const facts = ownFacts(each)
    if (facts) all.unshift(facts)
    each = Object.getPrototypeOf(each) as object | null
  }
  return all
}

/** What both say together, the second on top. */
export function mergeShared(under: SharedFacts, over: SharedFacts): SharedFacts {
  if (isSilent(over)) return under
  return {
    use: joinLists(under.use, over.use),
    around: joinLists(under.around, over.around),
    tags: joinLists(under.tags, over.tags),
    headers: joinLists(under.headers, over.headers),
    throws: joinLists(under.throws, over.throws),
    access: over.access ?? under.access,
    version: over.version ?? under.version,
    produces: over.produces ?? under.produces,
    consumes: over.consumes ?? under.consumes,
    atomic: over.atomic ?? under.atomic,
    limits: over.limits ? { ...under.limits, ...over.limits } : under.limits,
    deprecated: over.deprecated ?? under.deprecated,
    timeout: over.timeout ?? under.timeout,
    requireMatch: over.requireMatch ?? under.requireMatch,
    unknownQuery: over.unknownQuery ?? under.unknownQuery,
  }
}

/** Whether nothing is said: most methods say no more than their route. */
function isSilent(facts: SharedFacts): boolean {
  return (
    facts.use.length + facts.around.length + facts.tags.length + facts.headers.length + facts.throws.length === 0 &&
    (facts.access ?? facts.version ?? facts.produces ?? facts.consumes ?? facts.atomic ?? facts.limits) === undefined &&
    (facts.deprecated ?? facts.timeout ?? facts.requireMatch ?? facts.unknownQuery) === undefined
  )
}

/** Both lists; where one is empty the other itself, for most facts are not there. */
function joinLists<T>(under: readonly T[], over: readonly T[]): readonly T[] {
  if (over.length === 0) return under
  return under.length === 0 ? over : [...under, ...over]
}

/** A method's own routes replace what it inherits; without routes of its own it only adds to that. */
function mergeMethod(inherited: MethodFacts, own: MethodFacts): MethodFacts {
  if (own.routes.length > 0) return own.params.length > 0 ? own : { ...own, params: inherited.params }
  return {
    ...inherited,
    ...mergeShared(inherited, own),
    routes: inherited.routes,
    params: own.params.length > 0 ? own.params : inherited.params,
    answers: own.answers.length > 0 ? own.answers : inherited.answers,
    errorOf: own.errorOf.length > 0 ? own.errorOf : inherited.errorOf,
    status: own.status ?? inherited.status,
    nullStatus: own.nullStatus ?? inherited.nullStatus,
    redirect: own.redirect ?? inherited.redirect,
    paged: own.paged ?? inherited.paged,
    summary: own.summary ?? inherited.summary,
    description: own.description ?? inherited.description,
  }
}

/** The names of the parameters in a path: `/a/:id{/:sub}/*rest` has `id`, `sub` and `rest`. */
export function pathNames(path: string): string[] {
  return [...path.matchAll(/[:*](?:"([^"]*)"|([\p{ID_Start}$_][\p{ID_Continue}$]*))/gu)].map(
    (match) => match[1] ?? match[2] ?? '',
  )
}

const unsupported: ReadonlyArray<readonly [pattern: RegExp, what: string, cure: string]> = [
  [
    /:[\w$]+\(/,
    'a pattern behind a parameter is not supported',
    "Write the plain parameter and give its pattern to @Param: @Param('id', { pattern: /\\d+/ })",
  ],
  [/[:*]["\w$]+\?/, 'an optional parameter is not marked with "?"', 'Put it in braces: "/users{/:id}"'],
  [/:[\w$]+[*+]/, 'a repeated parameter is not marked with "*" or "+"', 'Write a wildcard: "/files/*path"'],
  [
    /\(|\)/,
    'parentheses are not supported',
    'Use braces for an optional part, a wildcard "*rest", or a RegExp in @Resource',
  ],
  [/\*(?!["\p{ID_Start}$_])/u, 'a wildcard needs a name', 'Write "*rest"'],
  [/:(?!["\p{ID_Start}$_])/u, 'a parameter needs a name', 'Write ":id"'],
  [/[?+!]/, 'the characters ? + ! are reserved', 'Escape them with a backslash'],
  [/\/\//, 'there are two slashes in a row', 'Remove one'],
  [/[#]|%(?![0-9A-Fa-f]{2})/, 'it holds a fragment or a broken escape', 'Write the decoded text'],
]

/** Refuses path patterns of older routers by name and says what to write instead. */
export function checkPattern(where: string, path: string): void {
  if (isPlain(path) && path.indexOf(':') === path.lastIndexOf(':')) return
  const plain = path.replace(/\\./g, '')
  for (const [pattern, what, cure] of unsupported) {
    if (pattern.test(plain)) throw new ConfigurationError(where, `in the path "${path}" ${what}`, cure)
  }
  let depth = 0
  for (const char of plain) {
    if (char === '{') depth++
    if (char === '}') depth--
    if (depth < 0) break
  }
  if (depth !== 0)
    throw new ConfigurationError(where, `the path "${path}" has an unbalanced brace`, 'Close every "{" with a "}"')
  const names = pathNames(path)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigurationError(
      where,
      `the path "${path}" has the parameter "${twice}" twice`,
      'Give each its own name',
    )
  }
}

/** Joins a version, the path of a class and that of a method: `/` at either adds nothing. */
export function joinPath(...parts: readonly string[]): string {
  let joined = ''
  for (const part of parts) joined += part.endsWith('/') ? part.slice(0, -1) : part
  return joined === '' ? '/' : joined.startsWith('/') || joined.startsWith('{') ? joined : `/${joined}`
}
