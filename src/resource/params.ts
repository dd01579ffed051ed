import { assertLegacy, ConfigurationError } from '../errors'
import type { Context as RouteContext, PageRequest, ParamSource, ParamType, Reader } from '../route/plan'
import { isLiteral, methodFacts, type ParamFact, type ParamOptions } from './metadata'
import type { AsOf, FromType, Known, MapValue, OnParameter, Unchecked, ValueOf } from './param-types'

/** Several values by name, bound into one object: each with its type or its options. */
export type ParamMap = Readonly<Record<string, ParamOptions | ParamType>>

function mark(decorator: string, fact: ParamFact): OnParameter<Unchecked> {
  return function decorate(target: object, name: string | symbol | undefined, position: unknown): void {
    assertLegacy(decorator, name)
    if (name === undefined || typeof target === 'function' || typeof position !== 'number') {
      throw misplaced(decorator, target, name, position)
    }
    const method = methodFacts(target.constructor, String(name))
    const params = [...method.params]
    // Decorators of one parameter run last first: what is written first stands first.
    params[position] = [fact, ...(params[position] ?? [])]
    method.params = params
  }
}

function misplaced(
  decorator: string,
  target: object,
  name: string | symbol | undefined,
  position: unknown,
): ConfigurationError {
  const Class = typeof target === 'function' ? target.name : target.constructor.name
  const member = name === undefined ? Class : `${Class}.${String(name)}`
  const cure = 'Put it on a parameter of a method of the instance'
  if (typeof position === 'number') {
    const [where, what] = name === undefined ? [`${Class} constructor`, 'the constructor'] : [member, 'a static method']
    return new ConfigurationError(
      `${where}, parameter ${position}`,
      `@${decorator} stands on a parameter of ${what}`,
      cure,
    )
  }
  const what = name === undefined ? 'a class' : position === undefined ? 'a property' : 'a method'
  return new ConfigurationError(member, `@${decorator} stands on ${what}`, cure)
}

function isType(given: ParamOptions | ParamMap | ParamType): given is ParamType {
  return !isLiteral(given)
}

function toOptions(second: ParamOptions | ParamType | undefined): ParamOptions {
  if (second === undefined) return {}
  return isType(second) ? { type: second } : second
}

/** The fact of a source that binds one value by name, the whole map to a class, or several values by name. */
function named(
  source: ParamSource,
  first: string | ParamType | ParamMap | undefined,
  second: ParamOptions | ParamType | undefined,
): ParamFact {
  if (typeof first === 'string') return { source, name: first, options: toOptions(second) }
  if (first === undefined || isType(first))
    return { source, options: { ...toOptions(second), ...(first && { type: first }) } }
  return { source, options: {}, map: first }
}

/**
 * A parameter of the path. Text, coerced to its type; 400 where it cannot be.
 *
 * @param name as in the path: `/:id` is `id`
 * @param options its type, or all of its options
 *
 * @example
 * ;@Get('/:id') one(@Param('id', Integer) id: number) {}
 */
export function Param(name: string): OnParameter<Unchecked>
export function Param<const N extends string, const O extends ParamOptions | ParamType>(
  name: N,
  options: O & Known<O>,
): OnParameter<ValueOf<O>, AsOf<O, N>>
export function Param(name: string, options?: ParamOptions | ParamType): OnParameter<Unchecked> {
  return mark('Param', named('path', name, options))
}

/**
 * A parameter of the query; without a name the whole query, bound to a class or checked by a schema; with a map several,
 * bound to one object.
 *
 * @param name the parameter, or the class or schema of the whole, or a map of names to options
 * @param options its type, or all of its options
 *
 * @example
 * ;@Get() find(@Query('limit', { type: Integer, default: 10, max: 100 }) limit: number) {}
 */
export function Query(name?: string): OnParameter<Unchecked>
export function Query<const N extends string, const O extends ParamOptions | ParamType>(
  name: N,
  options: O & Known<O>,
): OnParameter<ValueOf<O>, AsOf<O, N>>
export function Query<const T extends ParamType>(type: T, options?: ParamOptions): OnParameter<FromType<T>>
export function Query<const M extends ParamMap>(map: M): OnParameter<MapValue<M>>
export function Query(
  name?: string | ParamType | ParamMap,
  options?: ParamOptions | ParamType,
): OnParameter<Unchecked> {
  return mark('Query', named('query', name, options))
}

/** A request header; with `list` its comma-separated elements. */
export function Header(name: string): OnParameter<Unchecked>
export function Header<const N extends string, const O extends ParamOptions | ParamType>(
  name: N,
  options: O & Known<O>,
): OnParameter<ValueOf<O>, AsOf<O, N>>
export function Header<const M extends ParamMap>(map: M): OnParameter<MapValue<M>>
export function Header(name: string | ParamMap, options?: ParamOptions | ParamType): OnParameter<Unchecked> {
  return mark('Header', named('header', name, options))
}

/** A cookie. */
export function Cookie(name: string): OnParameter<Unchecked>
export function Cookie<const N extends string, const O extends ParamOptions | ParamType>(
  name: N,
  options: O & Known<O>,
): OnParameter<ValueOf<O>, AsOf<O, N>>
export function Cookie<const M extends ParamMap>(map: M): OnParameter<MapValue<M>>
export function Cookie(name: string | ParamMap, options?: ParamOptions | ParamType): OnParameter<Unchecked> {
  return mark('Cookie', named('cookie', name, options))
}

/**
 * The body: without a name bound to a class and checked by its rules, or by a schema; with a name one member of it, with
 * a map several.
 *
 * @param name the member, or the class (`[Class]` for a list) where the compiler emits no types, or a schema, or a map
 * @param options its type, or all of its options
 *
 * @example
 * ;@Post() create(@Body() body: NewEmployee) {}
 * ;@Post('/many') createMany(@Body([NewEmployee]) bodies: NewEmployee[]) {}
 */
export function Body(name?: string): OnParameter<Unchecked>
export function Body<const N extends string, const O extends ParamOptions | ParamType>(
  name: N,
  options: O & Known<O>,
): OnParameter<ValueOf<O>, AsOf<O, N>>
export function Body<const T extends ParamType>(type: T, options?: ParamOptions): OnParameter<FromType<T>>
export function Body<const M extends ParamMap>(map: M): OnParameter<MapValue<M>>
export function Body(name?: string | ParamType | ParamMap, options?: ParamOptions | ParamType): OnParameter<Unchecked> {
  return mark('Body', named('body', name, options))
}

/** The page that the client asked for; the method stands under `@Paged`. */
export function Page(): OnParameter<PageRequest> {
  return mark('Page', { source: 'page', options: {} })
}

/** The members that the client asked for by `?fields=a,b.c`; empty: all. */
export function Fields(): OnParameter<readonly string[]> {
  return mark('Fields', { source: 'fields', options: {} })
}

/** A Koa context inside a route, its path parameters in `params`. */
export type Context = RouteContext

/** The Koa context. */
export function Context(): OnParameter<RouteContext> {
  return mark('Context', { source: 'context', options: {} })
}

/** A member of `ctx.state`, as an earlier middleware left it; without a name all of it. */
export function State(name?: string): OnParameter<Unchecked> {
  return mark('State', { source: 'state', name, options: { required: false } })
}

/** The principal; `undefined` where the route is open: credentials are verified only where they are asked for. */
export function User(): OnParameter<Unchecked> {
  return mark('User', { source: 'user', options: { required: false } })
}

/** An AbortSignal that fires when the client leaves, the method's time is up or the application stops. */
export function Signal(): OnParameter<AbortSignal> {
  return mark('Signal', { source: 'signal', options: {} })
}

/** The bytes of the body as they came, decoded only by its content coding. Parsing does not matter to it. */
export function RawBody(): OnParameter<Buffer> {
  return mark('RawBody', { source: 'rawBody', options: {} })
}

/** The one uploaded file of this name. */
export function File(
  name: string,
  options: Pick<ParamOptions, 'required' | 'description' | 'explain'> = {},
): OnParameter<Unchecked> {
  return mark('File', { source: 'file', name, options })
}

/** The uploaded files of this name. */
export function Files(
  name: string,
  options: Pick<ParamOptions, 'required' | 'description' | 'explain' | 'min' | 'max'> = {},
): OnParameter<Unchecked> {
  return mark('Files', { source: 'files', name, options })
}

/**
 * A parameter decorator of your own.
 *
 * @param read takes the value out of a request
 *
 * @example
 * const Tenant = () => Read((ctx) => ctx.hostname.split('.')[0])
 */
export function Read(read: Reader, options: Pick<ParamOptions, 'pipes' | 'convert'> = {}): OnParameter<Unchecked> {
  return mark('Read', { source: 'custom', options, read })
}
