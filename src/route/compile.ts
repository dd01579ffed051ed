import { ConfigurationError } from '../errors'
import { formatHttpDate } from '../http/conditional'
import { formatLink } from '../http/link'
import { isToken } from '../http/token'
import type { MethodFacts, PagedOptions, SharedFacts } from '../resource/metadata'
import type { Constructor, Method } from '../types'
import { createAtomic, type Locks } from './atomic'
import { toTypePlan } from './checks'
import { joinPath, mergeFacts, mergeShared, type MergedFacts } from './compile-facts'
import { createParams, type ParamScope } from './compile-params'
import {
  definePlan,
  type AnswerDoc,
  type BodyPlan,
  type Codec,
  type ErrorHandlerPlan,
  type FilterPlan,
  type Interceptor,
  type PagingPlan,
  type ParamPlan,
  type PageRequest,
  type ParamType,
  type PlanSet,
  type ReplyPlan,
  type RoutePlan,
  type TypePlan,
} from './plan'
import { Slice } from './replies'
import { createTimeout } from './timeout'

/** What `resources` takes: instances, classes, and what brings plans along. */
export type ResourceLike = object | Constructor | PlanSet

/** What compiling needs of the application. */
export interface CompileSettings {
  /** Makes or finds the instance of a class: the hook for a container. */
  readonly resolve?: (Class: Constructor) => object
  readonly codecs: readonly Codec[]
  /** Defaults of `@Paged`. */
  readonly paging: PagedOptions
  readonly unknownQuery: 'refuse' | 'ignore'
  /** Refuses a class that cannot be validated. */
  readonly check: (param: ParamPlan) => void
  /** The scalar members of a model class, for filters and sort keys. */
  readonly members: (Class: Constructor) => readonly FilterPlan[]
  /** Gives the members of a stored value of a model class the names that they have in a body. */
  readonly toInputNames: (Class: Constructor) => (value: unknown) => unknown
  /** Whether the application can verify credentials. */
  readonly gated: boolean
  /** The path before all others: its parameters can be read as well. */
  readonly prefix: string
  /** Told of methods that a collection leaves out: they are known, and not allowed there. */
  readonly leftOut?: (method: Method) => void
}

/**
 * Turns resources and their facts into plans. The same class twice counts once.
 *
 * @param resources instances, classes, plan sets
 * @param settings the application's
 * @throws ConfigurationError naming class, method, parameter and the cure
 */
export function compile(resources: readonly ResourceLike[], settings: CompileSettings): RoutePlan[] {
  const seen = new Set<unknown>()
  return resources.flatMap((resource) => {
    const once = isPlanSet(resource) ? resource : classOf(resource)
    if (seen.has(once)) return []
    seen.add(once)
    return isPlanSet(resource) ? plansOf(resource, settings) : compileClass(once as Constructor, resource, settings)
  })
}

/** The plans that a set brings along; what it makes with the help of the application is checked as that of a class is. */
function plansOf({ plans, complete }: PlanSet, settings: CompileSettings): RoutePlan[] {
  if (!complete) return [...plans]
  const { members, toInputNames, paging, codecs, check } = settings
  const single = codecs.filter(({ type }) => type !== 'application/x-ndjson')
  const made = complete({
    members: (Class) => {
      // A class without rules is told apart before its members are looked for.
      check({
        source: 'body',
        type: { kind: 'class', class: Class, list: false },
        where: Class.name,
        index: 0,
        required: true,
      })
      return members(Class)
    },
    toInputNames,
    paging,
    structured: structuredTypes(single),
  })
  return [...made]
}

/** Whether a resource brings its plans along. */
export function isPlanSet(resource: ResourceLike): resource is PlanSet {
  return typeof resource === 'object' && 'plans' in resource && Array.isArray(resource.plans)
}

function classOf(resource: ResourceLike): Constructor {
  if (typeof resource === 'function') return resource as Constructor
  const { constructor } = resource
  if (typeof constructor !== 'function' || constructor === Object) {
    throw new ConfigurationError(
      'resources',
      'a plain object is no resource',
      'Give an instance of a class with @Resource, or the class',
    )
  }
  return constructor as Constructor
}

/** The instance of a class: given, resolved, or constructed where it wants nothing. */
export function instanceOf(Class: Constructor, resource: ResourceLike, resolve: CompileSettings['resolve']): object {
  if (typeof resource !== 'function') return resource
  if (resolve) return resolve(Class)
  if (Class.length > 0) {
    throw new ConfigurationError(
      Class.name,
      `its constructor wants ${Class.length} argument${Class.length > 1 ? 's' : ''}`,
      `Give an instance, resources: [new ${Class.name}(…)], or a container, resolve: (Class) => container.get(Class)`,
    )
  }
  return new Class() as object
}

function compileClass(Class: Constructor, resource: ResourceLike, settings: CompileSettings): RoutePlan[] {
  const facts = mergeFacts(Class)
  if (!facts.resource) {
    throw new ConfigurationError(
      Class.name,
      'it is given as a resource and has no @Resource',
      `Put @Resource('/path') on the class`,
    )
  }
  const instance = instanceOf(Class, resource, settings.resolve)
  const { options } = facts.resource
  const locks: Locks = new Map()
  const plans: RoutePlan[] = []
  for (const [name, method] of facts.methods) {
    if (method.routes.length === 0) continue
    const call = (instance as Record<string, unknown>)[name]
    const where = `${Class.name}.${name}`
    if (typeof call !== 'function') {
      if (method.optional) {
        for (const route of method.routes) settings.leftOut?.(route.method)
        continue
      }
      throw new ConfigurationError(where, 'the instance has no such method', 'Write it as a method, not as a property')
    }
    const scope: Scope = { Class, instance, name, where, facts, method, options, locks, settings }
    method.routes.forEach((route, index) => {
      plans.push(compileRoute(scope, route.method, route.path, call as RoutePlan['call'], index))
    })
  }
  if (plans.length === 0) {
    throw new ConfigurationError(Class.name, 'it has no operation', 'Put @Get, @Post and their kin on its methods')
  }
  return plans
}

interface Scope extends Omit<ParamScope, 'path' | 'prefix' | 'facts'> {
  readonly Class: Constructor
  readonly facts: MergedFacts
  readonly method: MethodFacts
  readonly locks: Locks
  readonly settings: CompileSettings
}

function compileRoute(scope: Scope, verb: string, below: string, call: RoutePlan['call'], index: number): RoutePlan {
  const { method, where, settings } = scope
  const shared = mergeShared(scope.facts.shared, method)
  const path = fullPath(scope, shared, below)
  const { instance, name, options } = scope
  const params = createParams({ instance, name, where, facts: method, options, path, prefix: settings.prefix })
  for (const param of params) {
    if (!param.members) settings.check(param)
    else for (const member of param.members) settings.check(member)
  }
  const { access } = shared
  if (access && access !== 'open' && !settings.gated) {
    throw new ConfigurationError(
      where,
      '@Authorize stands here and the application cannot verify anybody',
      'Give createApp({ auth: { verify } })',
    )
  }
  const id = scope.options.id ?? scope.Class.name
  return definePlan({
    id: index === 0 ? `${id}.${scope.name}` : `${id}.${scope.name}.${index + 1}`,
    method: verb,
    path,
    use: shared.use,
    access: access === 'open' ? undefined : access,
    requireMatch: shared.requireMatch ?? false,
    params,
    body: bodyPlan(params, shared, verb, settings),
    around: interceptors(scope, shared),
    paging: method.paged && pagingPlan(scope, method.paged),
    unknownQuery: shared.unknownQuery ?? settings.unknownQuery,
    reply: replyPlan(scope, shared, verb),
    limits: shared.limits,
    call: counted(scope, call.bind(scope.instance)),
    doc: {
      summary: method.summary,
      description: method.description,
      tags: shared.tags.length > 0 ? shared.tags : [scope.options.name ?? scope.Class.name],
      deprecated: shared.deprecated,
      answers: answers(scope),
      throws: shared.throws,
      version: shared.version,
    },
  })
}

/** A slice without a total is completed by the instance's counter, unless the client wants no count. */
function counted({ instance, method }: Scope, call: RoutePlan['call']): RoutePlan['call'] {
  const counter = method.counter === undefined ? undefined : (instance as Record<string, unknown>)[method.counter]
  if (typeof counter !== 'function') return call
  return async function selectAndCount(page) {
    const result = await call(page)
    const { where, count } = page as PageRequest
    if (!(result instanceof Slice) || result.total !== undefined || count === 'none') return result
    return new Slice(result.items, (await counter.call(instance, where)) as number, result.next)
  }
}

function fullPath({ facts, where }: Scope, { version }: SharedFacts, below: string): string | RegExp {
  const base = facts.resource?.path ?? '/'
  if (base instanceof RegExp) {
    if (below !== '' && below !== '/') {
      throw new ConfigurationError(
        where,
        `the class's path is a RegExp, and "${below}" cannot be put behind it`,
        'Leave the path of the method out',
      )
    }
    return base
  }
  const path = joinPath(version === undefined ? '' : `/${version}`, base, below)
  return path
}

/** The name of a resource, for the range unit: its own, or the last fixed segment of its path, or its class's. */
function unitOf({ Class, facts, options }: Scope): string {
  const path = facts.resource?.path
  const fixed = typeof path === 'string' ? path.split('/').filter((part) => /^[\w.~-]+$/.test(part)) : []
  return options.name ?? fixed.at(-1) ?? Class.name.toLowerCase()
}

// --- The parts of a plan --------------------------------------------------------------------------------------------------

/** What a timer of Node can wait, in milliseconds; more would be nothing. */
const longest = 2 ** 31 - 1

function interceptors({ locks, where }: Scope, shared: SharedFacts): Interceptor[] {
  const list: Interceptor[] = []
  if (shared.timeout !== undefined) {
    if (!(shared.timeout > 0 && shared.timeout <= longest)) {
      throw new ConfigurationError(
        where,
        '@Timeout takes milliseconds, from 1 to some 24 days',
        'Write @Timeout(5_000)',
      )
    }
    list.push(createTimeout(shared.timeout))
  }
  if (shared.atomic) {
    const { wait = 10_000, readers = ['GET', 'HEAD', 'OPTIONS'] } = shared.atomic
    if (!(wait >= 0 && wait <= longest)) {
      throw new ConfigurationError(
        where,
        'wait of @Atomic takes milliseconds, to some 24 days',
        'Write @Atomic({ wait: 5_000 })',
      )
    }
    list.push(createAtomic({ wait, readers }, locks))
  }
  return [...list, ...shared.around]
}

const bodied = new Set<ParamPlan['source']>(['body', 'file', 'files', 'rawBody'])

function bodyPlan(
  params: readonly ParamPlan[],
  shared: SharedFacts,
  verb: string,
  settings: CompileSettings,
): Partial<BodyPlan> | undefined {
  if (!params.some(({ source }) => bodied.has(source))) return undefined
  const all = params.flatMap((param) => param.members ?? [param])
  const decoded = all.filter(({ source }) => source === 'body')
  const files = all.filter(({ source }) => source === 'file' || source === 'files')
  const raw = all.some(({ source }) => source === 'rawBody')
  if (decoded.length === 0 && files.length === 0 && !raw) return undefined
  const structured = decoded.some(({ type, name }) => name !== undefined || type.list || type.kind !== 'string')
  const lists = decoded.some(({ type, name }) => name === undefined && (type.list || type.kind === 'any'))
  return {
    consumes:
      shared.consumes ??
      consumed(
        decoded,
        files,
        settings.codecs.filter(({ type }) => lists || type !== 'application/x-ndjson'),
        structured,
      ),
    required: [...decoded, ...files].some(({ required }) => required),
    raw: raw ? (decoded.length + files.length > 0 ? 'also' : 'only') : 'no',
    files: files.map(({ name }) => name ?? ''),
    stream: false,
  }
}

/** The media types that fit what is declared: text for a text, multipart for files, what has a structure for all else. */
function consumed(
  decoded: readonly ParamPlan[],
  files: readonly ParamPlan[],
  codecs: readonly Codec[],
  structured: boolean,
): string[] {
  if (files.length > 0) return ['multipart/form-data']
  if (decoded.length === 0) return ['*/*']
  if (!structured) return ['text/*']
  return structuredTypes(codecs)
}

/** The media types of codecs whose values may be objects. */
function structuredTypes(codecs: readonly Codec[]): string[] {
  return codecs
    .filter((codec) => codec.decode && codec.type !== 'text/plain' && codec.type !== 'application/octet-stream')
    .flatMap(({ type, also }) => [type, ...(also ?? [])])
}

function replyPlan({ method, where }: Scope, shared: SharedFacts, verb: string): Partial<ReplyPlan> {
  const safe = verb === 'GET' || verb === 'HEAD'
  const success = method.answers.find(({ status = method.status ?? 200 }) => status < 300)
  return {
    status: method.status ?? 200,
    explicitStatus: method.status !== undefined,
    nullStatus: method.nullStatus ?? (safe ? 404 : 204),
    headers: [...shared.headers, ...deprecation(where, shared.deprecated)],
    redirect: method.redirect,
    produces: shared.produces ?? [],
    type: success && toTypePlan(success.type, `${where}, @Returns`),
  }
}

/** `Deprecation` (RFC 9745 §2), `Sunset` (RFC 8594 §3) and the link to the news. */
function deprecation(where: string, facts: SharedFacts['deprecated']): Array<readonly [string, string]> {
  if (!facts) return []
  const { since, sunset } = facts
  if (![since, sunset].every((date) => date === undefined || Number.isFinite(Date.parse(date)))) {
    throw new ConfigurationError(
      where,
      'since or sunset of @Deprecated is no date',
      "Write it in ISO 8601: @Deprecated({ since: '2026-01-31' })",
    )
  }
  const headers: Array<readonly [string, string]> = []
  if (since !== undefined) headers.push(['Deprecation', `@${Math.floor(Date.parse(since) / 1000)}`])
  if (sunset !== undefined) headers.push(['Sunset', formatHttpDate(new Date(sunset))])
  if (facts.link !== undefined) headers.push(['Link', formatLink([{ href: facts.link, rel: 'deprecation' }])])
  return headers
}

function answers({ method: { answers: facts, status, optional, paged }, where, options, name }: Scope): AnswerDoc[] {
  // What `Collection` brings along speaks of the model, whatever that is.
  if (optional && options.model && facts.length === 0 && name !== 'delete') {
    const type: TypePlan = { kind: 'class', class: options.model, list: paged !== undefined }
    return [{ status: status ?? 200, type }, ...(name === 'update' ? [{ status: 204 }] : [])]
  }
  return facts.map(({ type, ...rest }) => ({
    ...rest,
    status: rest.status ?? status ?? 200,
    type: toTypePlan(type, `${where}, @Returns`),
  }))
}

function pagingPlan(scope: Scope, own: PagedOptions): PagingPlan {
  const { settings, where, options } = scope
  // What stands at @Resource is for the verbs that Collection brings along; a method's own @Paged wins.
  const said: PagedOptions = { ...settings.paging, ...own, ...(scope.method.optional ? options.paged : undefined) }
  const name = said.unit ?? unitOf(scope)
  if (!isToken(name)) {
    throw new ConfigurationError(
      where,
      `"${name}" is no range unit`,
      "Name one of letters, digits and dashes: @Resource(path, { name: 'things' })",
    )
  }
  const max = said.max ?? 1000
  const limit = Math.min(said.limit ?? 100, max)
  if (!Number.isSafeInteger(limit) || !Number.isSafeInteger(max) || limit < 1) {
    throw new ConfigurationError(
      where,
      'limit and max of @Paged are whole numbers from 1',
      'Write @Paged({ limit: 100, max: 1000 })',
    )
  }
  const members = scope.method.optional && options.model ? settings.members(options.model) : []
  return Object.freeze({
    unit: name,
    limit,
    max,
    status: said.status ?? 206,
    count: said.count ?? 'exact',
    sort: sortNames(said, members),
    filter: said.filter && !isEmpty(said.filter) ? filterPlans(said.filter, scope) : members,
    cursor: cursorPlan(said.cursor),
  })
}

function isEmpty(filter: NonNullable<PagedOptions['filter']>): boolean {
  return Array.isArray(filter) && filter.length === 0
}

function sortNames({ sort }: PagedOptions, members: readonly FilterPlan[]): readonly string[] | true {
  if (sort === true) return members.length > 0 ? members.map(({ name }) => name) : true
  return sort || []
}

function filterPlans(filter: NonNullable<PagedOptions['filter']>, { settings, where }: Scope): readonly FilterPlan[] {
  if (typeof filter === 'function') return settings.members(filter)
  if (Array.isArray(filter)) return filter.map((name: string) => ({ name, type: { kind: 'string', list: false } }))
  return Object.entries(filter as Readonly<Record<string, ParamType>>).map(([name, type]) => ({
    name,
    type: filterType(toTypePlan(type, `${where}, filter "${name}"`), `${where}, filter "${name}"`),
  }))
}

/** Rows are compared with a filter's value, so its type has to be known, and not only what a schema lets through. */
function filterType(type: TypePlan | undefined, where: string): TypePlan {
  if (type?.kind !== 'schema') return type ?? { kind: 'string', list: false }
  throw new ConfigurationError(
    where,
    'its type is a schema, and rows are compared with a value of a known type',
    'Give String, Number, Integer, Boolean or Date',
  )
}

function cursorPlan(cursor: PagedOptions['cursor']): PagingPlan['cursor'] {
  if (!cursor) return undefined
  if (cursor === true) return { key: ['id'] }
  if (typeof cursor === 'string') return { key: [cursor] }
  if ('secret' in cursor || 'key' in cursor) {
    const { key = 'id', secret } = cursor as { key?: string | readonly string[]; secret?: string }
    return { key: typeof key === 'string' ? [key] : key, secret }
  }
  return { key: cursor as readonly string[] }
}

// --- Handlers of errors ------------------------------------------------------------------------------------------------------

/** The methods marked with `@ErrorHandler` of these classes or instances. */
export function compileErrorHandlers(
  handlers: readonly (object | Constructor)[],
  resolve: CompileSettings['resolve'],
): ErrorHandlerPlan[] {
  return handlers.flatMap((handler) => {
    const Class = classOf(handler)
    const instance = instanceOf(Class, handler, resolve) as Record<string, unknown>
    const found = [...mergeFacts(Class).methods].flatMap(([name, facts]) =>
      facts.errorOf.map((on) => ({
        on,
        call: (instance[name] as ErrorHandlerPlan['call']).bind(instance),
        where: `${Class.name}.${name}`,
      })),
    )
    if (found.length === 0) {
      throw new ConfigurationError(
        Class.name,
        'it is given in errors.handlers and has no @ErrorHandler',
        "Mark its methods with @ErrorHandler(404), ('5xx') or (SomeError)",
      )
    }
    return found
  })
}
