import 'reflect-metadata'
import type {
  AccessPlan,
  AnswerDoc,
  Interceptor,
  Limits,
  Middleware,
  ParamSource,
  ParamType,
  Pipe,
  Context,
  Reader,
} from '../route/plan'
import type { AbstractConstructor, Constructor, Method } from '../types'

/** Options of a class given to `@Resource`. */
export interface ResourceOptions {
  /** The name of the range unit and of the operations. Default: the last fixed segment of the path. */
  readonly name?: string
  /** The class of the documents, for subclasses of `Collection`. */
  readonly model?: Constructor
  /** Names of the routes, for `router.url(name)`, start with it. Default: the class's name. */
  readonly id?: string
  /** Paging of a `Collection`. */
  readonly paged?: PagedOptions
}

/** Options of `@Paged`, api-wide defaults apply where one is left out. */
export interface PagedOptions {
  /** The range unit. Default: the resource's name. */
  readonly unit?: string
  /** Rows where the client names no number. Default 100. */
  readonly limit?: number
  /** Rows at the most. Default 1,000. */
  readonly max?: number
  /** The status of a part that the query asked for. Default 206. */
  readonly status?: 200 | 206
  /** How the whole is counted. Default exact. */
  readonly count?: 'exact' | 'estimated' | 'none'
  /** Names that may be sorted by; `true`: any. Default none. */
  readonly sort?: readonly string[] | boolean
  /** Names that filter by equality: texts, or with their types; or a class whose scalar members they are. Default none. */
  readonly filter?: readonly string[] | Readonly<Record<string, ParamType>> | Constructor
  /** Cursors: on with the names that make a row unique (default `id`), and a secret that signs them. Default off. */
  readonly cursor?:
    boolean | string | readonly string[] | { readonly key?: string | readonly string[]; readonly secret?: string }
}

/** Options of `@Atomic`. */
export interface AtomicOptions {
  /** Milliseconds that a request waits for its turn before it is answered 503. Default 10,000. */
  readonly wait?: number
  /** Methods that may run together. Default GET, HEAD, OPTIONS. */
  readonly readers?: readonly Method[]
}

/** Options of a parameter that binds one value. */
export interface ParamOptions {
  /** Its type, a class or a schema of Standard Schema. Default: the declared type. */
  readonly type?: ParamType
  /** Default: whether there is no `default`. */
  readonly required?: boolean
  /** The value of an absent argument. */
  readonly default?: unknown
  /** The values it may have; a RegExp among them matches a text as a whole. */
  readonly choices?: readonly unknown[]
  /** The values it may not have; a RegExp among them matches a text as a whole. */
  readonly forbidden?: readonly unknown[]
  /** A list: of any length, of one or more (`'+'`), or of exactly so many. */
  readonly list?: boolean | number | '+' | '*'
  /** Least value, or least length of a text or list. */
  readonly min?: number
  /** Greatest value, or greatest length of a text or list. */
  readonly max?: number
  /** What a text must match as a whole. */
  readonly pattern?: RegExp
  /** The name among several values bound to one parameter. */
  readonly as?: string
  /** Changes the checked value; what it throws is the client's 400. */
  readonly convert?: (value: never, ctx: Context) => unknown
  /** A sentence for the client where the value is refused. */
  readonly explain?: string
  /** Only the canonical spelling of a text: `true` and `false`, whole numbers without point or exponent. Default false. */
  readonly strict?: boolean
  /** Whether a body may hold `null` here. Default false. */
  readonly nullable?: boolean
  /** Validation groups. */
  readonly groups?: readonly string[]
  /** Pipes of this parameter alone. */
  readonly pipes?: readonly Pipe[]
  /** A sentence for the documents. */
  readonly description?: string
  /** A value to show in the documents. */
  readonly example?: unknown
}

/**
 * Whether this is an object literal: the options of a value, or a map of names. All else that a decorator is given is a
 * type, or is refused as one that is none.
 */
export function isLiteral(given: unknown): given is Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || '~standard' in given) return false
  const prototype = Object.getPrototypeOf(given) as object | null
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** One parameter decorator as it was written. */
export interface ParamFact {
  readonly source: ParamSource
  readonly name?: string
  readonly options: ParamOptions
  /** Several values by name: `@Query({ name: {…}, alias: {…} })`. */
  readonly map?: Readonly<Record<string, ParamOptions | ParamType>>
  readonly read?: Reader
  /** The type is the model of the resource. */
  readonly model?: boolean
}

/** What may be said of a class and of a method alike. */
export interface SharedFacts {
  use: readonly Middleware[]
  around: readonly Interceptor[]
  tags: readonly string[]
  access?: AccessPlan | 'open'
  version?: string
  produces?: readonly string[]
  consumes?: readonly string[]
  atomic?: AtomicOptions
  limits?: Partial<Limits>
  headers: ReadonlyArray<readonly [string, string]>
  throws: readonly AbstractConstructor[]
  deprecated?: { since?: string; sunset?: string; link?: string }
  timeout?: number
  requireMatch?: boolean
  unknownQuery?: 'refuse' | 'ignore'
}

/** What is said of one method. */
export interface MethodFacts extends SharedFacts {
  routes: ReadonlyArray<{ readonly method: Method; readonly path: string }>
  /** By position; where nothing stands the place is empty. */
  params: ReadonlyArray<readonly ParamFact[] | undefined>
  status?: number
  nullStatus?: number
  redirect?: { to: string; status: number }
  answers: readonly AnswerDocFact[]
  paged?: PagedOptions
  summary?: string
  description?: string
  errorOf: ReadonlyArray<number | string | AbstractConstructor>
  /** The route exists only where the instance has the method: how `Collection` leaves verbs out. */
  optional?: boolean
  /** The method that counts the rows of a slice without a total. */
  counter?: string
}

/** What `@Returns` said. */
export type AnswerDocFact = Omit<AnswerDoc, 'type' | 'status'> & { readonly status?: number; readonly type?: ParamType }

/** What is said of one class. */
export interface ClassFacts extends SharedFacts {
  resource?: { readonly path: string | RegExp; readonly options: ResourceOptions }
  methods: Map<string, MethodFacts>
}

const key = Symbol.for('kumu.facts')

interface Carrier {
  readonly [key]?: ClassFacts
}

/** Most lists stay empty: they share one, and a decorator that has something to say makes a new one. */
const none: readonly never[] = Object.freeze([])

/** The facts written on this very class, ancestors not included; `undefined` where nothing is written on it. */
export function ownFacts(Class: object): ClassFacts | undefined {
  return Object.hasOwn(Class, key) ? (Class as Carrier)[key] : undefined
}

/** The facts of a class, to be written to. */
export function classFacts(Class: object): ClassFacts {
  const known = ownFacts(Class)
  if (known) return known
  const facts: ClassFacts = { use: none, around: none, tags: none, headers: none, throws: none, methods: new Map() }
  // On the class itself: a table beside it would keep the collector busy for every class there is.
  Object.defineProperty(Class, key, { value: facts })
  return facts
}

/** The facts of a method of a class, to be written to. */
export function methodFacts(Class: object, name: string): MethodFacts {
  const { methods } = classFacts(Class)
  const known = methods.get(name)
  if (known) return known
  const facts: MethodFacts = {
    use: none,
    around: none,
    tags: none,
    headers: none,
    throws: none,
    routes: none,
    params: none,
    answers: none,
    errorOf: none,
  }
  methods.set(name, facts)
  return facts
}

/** The types the compiler emitted for a method's parameters; `undefined` where it emitted none (esbuild, or no decorator). */
export function parameterTypes(prototype: object, name: string): readonly unknown[] | undefined {
  return Reflect.getMetadata('design:paramtypes', prototype, name) as readonly unknown[] | undefined
}

/** The type the compiler emitted for a property. */
export function designType(prototype: object, name: string | symbol): unknown {
  return Reflect.getMetadata('design:type', prototype, name) as unknown
}
