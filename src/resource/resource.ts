import { assertLegacy, ConfigurationError } from '../errors'
import type { AccessPlan, Interceptor, Limits, Middleware, Principal, Context } from '../route/plan'
import type { Awaitable } from '../types'
import { classFacts, type AtomicOptions, type ResourceOptions } from './metadata'
import { onClassOrMethod, type OnClassOrMethod } from './target'

/**
 * Makes a class a resource: its decorated methods become the operations below this path.
 *
 * @param path `/employees`, `/shops/:shop/employees`, or a RegExp on the whole path
 * @param options the resource's name, the model of a collection
 *
 * @example
 * ;@Resource('/employees')
 * class Employees {
 *   ;@Get('/:id') one(@Param('id') id: number) { return { id } }
 * }
 */
export function Resource(path: string | RegExp, options: ResourceOptions = {}) {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- what TypeScript hands a class decorator
  return function resource(target: Function, ...rest: readonly (string | symbol)[]): void {
    const [name] = rest
    assertLegacy('Resource', name)
    if (name !== undefined) {
      const Class = typeof target === 'function' ? target.name : (target as object).constructor.name
      throw new ConfigurationError(`${Class}.${String(name)}`, '@Resource stands on a method', 'Put it on the class')
    }
    if (typeof path === 'string' && !path.startsWith('/')) {
      throw new ConfigurationError(
        target.name,
        `the path "${path}" of @Resource does not start with a slash`,
        `Write "/${path}"`,
      )
    }
    classFacts(target).resource = { path, options }
  }
}

/** Koa middleware of this class or method, outermost first, before anything of the request is read. */
export function Use(...middleware: readonly Middleware[]): OnClassOrMethod {
  return (target, name) => {
    const facts = onClassOrMethod('Use', target, name)
    facts.use = [...middleware, ...facts.use]
  }
}

/** Interceptors of this class or method, outermost first: they see the handler's result before it is written. */
export function Intercept(...interceptors: readonly Interceptor[]): OnClassOrMethod {
  return (target, name) => {
    const facts = onClassOrMethod('Intercept', target, name)
    facts.around = [...interceptors, ...facts.around]
  }
}

/** A rule of its own for {@link Authorize}. */
export type AccessRule = (principal: Principal, ctx: Context) => Awaitable<boolean>

/**
 * Lets only principals in, decided before the body is read: 401 without good credentials, 403 without the role.
 *
 * @param roles one of these is enough; none: any principal will do; or a rule that answers for itself
 *
 * @example
 * ;@Authorize('admin') @Delete('/:id') remove(@Param('id') id: number) {}
 */
export function Authorize(...roles: readonly string[] | readonly [AccessRule]): OnClassOrMethod {
  const access: AccessPlan =
    typeof roles[0] === 'function' ? { roles: [], rule: roles[0] } : { roles: roles as readonly string[] }
  return (target, name) => {
    onClassOrMethod('Authorize', target, name).access = access
  }
}

/** Opens a method of a class that {@link Authorize} guards. */
export function Open(): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Open', target, name).access = 'open'
  }
}

/** Puts a version before the path: `@Version('v1')` makes `/v1/employees`. A method's wins over its class's. */
export function Version(version: string): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Version', target, name).version = version
  }
}

/** The media types that are offered, in order of preference. Default: every codec of the application. */
export function Produces(...types: readonly string[]): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Produces', target, name).produces = types.map((type) => type.toLowerCase())
  }
}

/** The media types that a body may have. Default: what fits the declared type. */
export function Consumes(...types: readonly string[]): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Consumes', target, name).consumes = types.map((type) => type.toLowerCase())
  }
}

/** Groups operations in the documents. */
export function Tag(...tags: readonly string[]): OnClassOrMethod {
  return (target, name) => {
    const facts = onClassOrMethod('Tag', target, name)
    facts.tags = [...tags, ...facts.tags]
  }
}

/**
 * Orders the work on one resource path: readers together, a writer alone, writers first. The key is the normalised path
 * without the query; a request that waits longer than `wait` is answered 503 with `Retry-After`.
 *
 * @param options `wait` in milliseconds (default 10,000), `readers` (default GET, HEAD, OPTIONS)
 */
export function Atomic(options: AtomicOptions = {}): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('Atomic', target, name).atomic = options
  }
}

/** Limits of this class's or method's bodies where they differ from the application's. */
export function Limit(limits: Partial<Limits>): OnClassOrMethod {
  return (target, name) => {
    const facts = onClassOrMethod('Limit', target, name)
    facts.limits = { ...limits, ...facts.limits }
  }
}

/** Whether query parameters nobody declared are refused or ignored here. */
export function UnknownQuery(policy: 'refuse' | 'ignore'): OnClassOrMethod {
  return (target, name) => {
    onClassOrMethod('UnknownQuery', target, name).unknownQuery = policy
  }
}
