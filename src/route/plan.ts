import type { Context as KoaContext, Middleware } from 'koa'
import { ConfigurationError, type HttpError, type ValueSource, type Violation } from '../errors'
import { isToken } from '../http/token'
import type { AbstractConstructor, Awaitable, Constructor, HeaderMap, Method } from '../types'

/** A Koa context inside a route: `params` holds the decoded path parameters. */
export type Context = KoaContext & { params: Record<string, string> }

export type { Middleware }

// --- The extension points: each a function or a small interface -----------------------------------------------------

/** Takes one argument out of one request. */
export type Reader = (ctx: Context) => Awaitable<unknown>

/** Checks or changes one argument after it was read. Validation is one. */
export type Pipe = (value: unknown, param: ParamPlan) => Awaitable<unknown>

/** Runs around a handler: sees its result, may change or replace it, may throw. */
export type Interceptor = (ctx: Context, next: () => Promise<unknown>) => Promise<unknown>

/** Gives a domain error its HTTP status; `undefined` leaves it to the next rule. */
export type StatusRule = (error: unknown) => number | undefined

/** Makes the body of an error's answer. */
export type ErrorBody = (error: HttpError) => unknown

/** Who the credentials of a request belong to. */
export interface Principal {
  readonly id: string
  readonly roles?: readonly string[]
  readonly [claim: string]: unknown
}

/** Decides whether a request may enter, before its body is read: returns the principal or throws 401/403. */
export type Gate = (ctx: Context, access: AccessPlan) => Awaitable<Principal | undefined>

/** Bounds on a body. All are checked before a class is built. */
export interface Limits {
  /** Bytes of a decoded body. Default 1 MiB. */
  readonly body: number
  /** Levels of nesting. Default 32. */
  readonly depth: number
  /** Members of one object, and parameters of one query or form. Default 1,000. */
  readonly keys: number
  /** Elements of one list. Default 10,000. */
  readonly items: number
  /** Characters of one text in a body. Default 1,048,576. */
  readonly string: number
  /** Parts of one multipart body. Default 100. */
  readonly parts: number
  /** Files of one multipart body. Default 10. */
  readonly files: number
  /** Bytes of one uploaded file. Default 10 MiB. */
  readonly fileSize: number
  /** Bytes of a body of a document mount. Default 16 MiB. */
  readonly document: number
}

/** What a codec is told about the bytes it decodes. */
export interface DecodeContext {
  /** The charset of the content type, lower case; `utf-8` where none is named. */
  readonly charset: string
  /** The parameters of the content type, lower-case names. */
  readonly parameters: Readonly<Record<string, string>>
  readonly limits: Limits
}

/**
 * A media type in both directions.
 *
 * @example
 * const csv: Codec = { type: 'text/csv', decode: (bytes) => parse(bytes.toString()), encode: (rows) => format(rows) }
 */
export interface Codec {
  /** The media type, lower case and without parameters: `application/json`. */
  readonly type: string
  /** Other names of it: `text/xml`; a structured suffix starts with a plus: `+json` (RFC 6838 §4.2.8). */
  readonly also?: readonly string[]
  /** Whether decoded values are text that the declared types coerce (form, XML). Default false. */
  readonly text?: boolean
  /** Bytes to a value. @throws BadRequest where they are malformed */
  decode?(bytes: Buffer, context: DecodeContext): Awaitable<unknown>
  /** A value to bytes or text. */
  encode?(value: unknown): string | Uint8Array
}

/**
 * A decoded value whose leaves are text, from a query, a form or XML: a leaf is a string, or a list of strings where the
 * name was repeated. The declared types coerce it; values of JSON are never coerced.
 */
export class TextValue {
  constructor(readonly value: unknown) {}
}

// --- The parts of a plan ---------------------------------------------------------------------------------------------

/** Where an argument comes from. */
export type ParamSource =
  | 'path'
  | 'query'
  | 'header'
  | 'cookie'
  | 'body'
  | 'page'
  | 'where'
  | 'fields'
  | 'context'
  | 'state'
  | 'user'
  | 'signal'
  | 'rawBody'
  | 'file'
  | 'files'
  | 'limits'
  | 'validator'
  | 'plain'
  | 'custom'

/** The type of whole numbers that a double holds exactly: `@Query('n', { type: Integer })`. */
export const Integer: unique symbol = Symbol.for('kumu.Integer')

/** What a schema has to say of one thing wrong. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** What a schema makes of a value: its output, or what is wrong with it. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/**
 * A schema of any library that keeps to Standard Schema, version 1: zod, valibot, arktype and their kin.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1
    /** The name of the library. */
    readonly vendor: string
    readonly validate: (value: unknown) => Awaitable<SchemaResult<Output>>
    /** For the compiler alone. */
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

/** Whether a value is a schema that can be asked. Some libraries make them as functions, so ask this before all else. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  const standard = (value as Partial<StandardSchema>)['~standard']
  return typeof standard === 'object' && standard?.version === 1 && typeof standard.validate === 'function'
}

/** What `type` takes in a decorator. */
export type ParamType =
  | StringConstructor
  | NumberConstructor
  | typeof Integer
  | BooleanConstructor
  | DateConstructor
  | ObjectConstructor
  | Constructor
  | AbstractConstructor
  | StandardSchema
  | readonly ParamType[]
  | (() => ParamType)

/** A declared type as the plan knows it. */
export interface TypePlan {
  readonly kind: 'string' | 'number' | 'integer' | 'boolean' | 'date' | 'class' | 'schema' | 'any'
  /** The class, where `kind` is `class`. */
  readonly class?: Constructor
  /** The schema, where `kind` is `schema`. */
  readonly schema?: StandardSchema
  /** Whether it is a list of that. */
  readonly list: boolean
}

/** One argument of a handler. */
export interface ParamPlan {
  /** Its position in the parameter list; members of a group have that of their group. */
  readonly index: number
  readonly source: ParamSource
  /** The name it has in the request; none where the whole map is bound. */
  readonly name?: string
  /** The name it has in the object that a group makes. Default {@link ParamPlan.name}. */
  readonly as?: string
  readonly type: TypePlan
  readonly required: boolean
  /** The value of an absent argument; with {@link ParamPlan.required} false and no default it is `undefined`. */
  readonly default?: unknown
  /** The values it may have; strings match a RegExp among them as a whole. */
  readonly choices?: readonly unknown[]
  /** The values it may not have. */
  readonly forbidden?: readonly unknown[]
  /** Of a list: its exact length, `'+'` one or more, `'*'` any number. */
  readonly count?: number | '+' | '*'
  /** Least value of a number or date, least length of a string or list. */
  readonly min?: number
  /** Greatest value of a number or date, greatest length of a string or list. */
  readonly max?: number
  /** What a string must match as a whole. */
  readonly pattern?: RegExp
  /** Changes the checked value; what it throws is the client's 400. */
  readonly convert?: (value: never, ctx: Context) => unknown
  /** A sentence for the violation instead of the rule's own. */
  readonly explain?: string
  /** Whether only the canonical spelling of a text will do: `true`, `false`, whole numbers without point or exponent. */
  readonly strict?: boolean
  /** Whether `null` is a value: in a body. Default false. */
  readonly nullable?: boolean
  /** Validation groups of this argument. */
  readonly groups?: readonly string[]
  /** Pipes of this argument alone, after the application's. */
  readonly pipes?: readonly Pipe[]
  /** Several named arguments bound into one object. */
  readonly members?: readonly ParamPlan[]
  /** The reader of a `custom` source. */
  readonly read?: Reader
  /** Class, method and parameter, for messages: `Employees.one, parameter 0`. */
  readonly where: string
  readonly description?: string
  /** A value to show, for the documents. */
  readonly example?: unknown
}

/** The body that a route takes; a plan without one never reads a body. */
export interface BodyPlan {
  /** Media types taken; empty: every codec of the application that decodes. */
  readonly consumes: readonly string[]
  /** Whether an empty body is refused. */
  readonly required: boolean
  /** Whether the undecoded bytes are wanted, and whether decoded ones are as well. */
  readonly raw: 'no' | 'also' | 'only'
  /** Names of the parts that are files; empty where the route takes no upload. */
  readonly files: readonly string[]
  /** Whether the handler reads the request's stream by itself: nothing is read for it. */
  readonly stream: boolean
}

/** Who may call a route. */
export interface AccessPlan {
  /** One of these roles is needed; empty: any principal will do. */
  readonly roles: readonly string[]
  /** A rule of its own. */
  readonly rule?: (principal: Principal, ctx: Context) => Awaitable<boolean>
}

/** The range paging of a route. */
export interface PagingPlan {
  /** The range unit: a token. */
  readonly unit: string
  /** Rows of a page where the client names no number. */
  readonly limit: number
  /** Rows of a page at the most. */
  readonly max: number
  /** The status of a part that a query asked for; a `Range` header always gives 206. */
  readonly status: 200 | 206
  readonly count: 'exact' | 'estimated' | 'none'
  /** Names that `sort` takes; `true`: any; empty: none. */
  readonly sort: readonly string[] | true
  /** Names that filter by equality, each with its type. */
  readonly filter: readonly FilterPlan[]
  /** Cursors, where on: the names whose values make a row unique and break ties, and a key that signs them. */
  readonly cursor?: { readonly key: readonly string[]; readonly secret?: string }
}

/** A value that a filter compares with. */
export type WhereValue = string | number | boolean | Date

/** One name to sort by. */
export interface SortKey {
  readonly name: string
  readonly descending: boolean
}

/** A value that can be put in order; everything else counts as `null`. */
export type KeyValue = string | number | bigint | boolean | Date | null

/** One name of a cursor's order, with the value that the last row seen had there. */
export interface KeysetValue extends SortKey {
  readonly value: KeyValue
}

/** The place behind which a page starts. */
export interface PageCursor {
  /** As the client sent it; empty for the first page by cursor. */
  readonly raw: string
  /**
   * What Kumu's own cursor says: the order, names that break ties included, and the last row's values in it. None: the
   * first page. A store with cursors of its own reads {@link PageCursor.raw} instead.
   *
   * @throws BadRequest where the cursor is not one of Kumu's for this list, order and filter
   */
  readonly values?: readonly KeysetValue[]
}

/** The page that a client asked for. Every number is bounded and every value has its declared type. */
export interface PageRequest {
  /** Rows before the page. */
  readonly offset: number
  /** Rows of the page at the most. */
  readonly limit: number
  /** The last so many rows, where the client asked for those: `Range: items=-5`. */
  readonly last?: number
  /** The rows behind a cursor, instead of those from `offset` on. */
  readonly cursor?: PageCursor
  /** Members wanted, dotted; empty: all. Kumu drops the others from what the handler returns. */
  readonly fields: readonly string[]
  /** The order; empty: the list's own. */
  readonly sort: readonly SortKey[]
  /** Filters: a row has one of these values under each name. Has no prototype. */
  readonly where: Readonly<Record<string, readonly WhereValue[]>>
  /** How much the total is wanted: `none` where counting is a waste. Default `exact`. */
  readonly count?: PagingPlan['count']
}

/** One equality filter. */
export interface FilterPlan {
  readonly name: string
  readonly type: TypePlan
}

/** How a handler's result becomes an answer. */
export interface ReplyPlan {
  /** The status of a plain value. Default 200. */
  readonly status: number
  /** Whether that status was declared: then it also holds for an empty answer where it may have no body. */
  readonly explicitStatus: boolean
  /** The status of `null`: default 404 for GET and HEAD, else 204. */
  readonly nullStatus: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly redirect?: { readonly to: string; readonly status: number }
  /** Media types offered, in order of preference; empty: every codec of the application that encodes. */
  readonly produces: readonly string[]
  /** The class of the reply, where declared. */
  readonly type?: TypePlan
}

/** One answer that a route can give, for the documents made of it. */
export interface AnswerDoc {
  readonly status: number
  readonly type?: TypePlan
  /** The JSON Schema of the body, or of a row where the route is paged: in place of a type. */
  readonly schema?: Readonly<Record<string, unknown>>
  readonly description?: string
  /** Whether it carries an entity tag, so that requests can be conditional. Default false. */
  readonly etag?: boolean
  /** Media types, where they are not those of the route; empty: it has no body. */
  readonly produces?: readonly string[]
  /** Headers that do not follow from the rest: their names, each with a sentence. */
  readonly headers?: Readonly<Record<string, string>>
  /** A body to show. */
  readonly example?: unknown
}

/** A parameter that somebody else than {@link RoutePlan.params} reads: middleware, an interceptor, the handler itself. */
export interface ParamDoc {
  readonly source: 'query' | 'header' | 'cookie'
  readonly name: string
  readonly description?: string
  readonly type?: TypePlan
  readonly choices?: readonly unknown[]
}

/** What is only said about a route. */
export interface DocPlan {
  readonly summary?: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly deprecated?: { readonly since?: string; readonly sunset?: string; readonly link?: string }
  readonly answers: readonly AnswerDoc[]
  readonly throws: readonly AbstractConstructor[]
  readonly version?: string
  /** Parameters that others read. */
  readonly params: readonly ParamDoc[]
  /** Whether requests can be conditional, and answers carry entity tags. Default: what the answers say. */
  readonly conditional?: boolean
  /** The member under which a representation shows its key, which its class may know nothing of; a body may hold it. */
  readonly key?: { readonly name: string; readonly sent: boolean }
  /** Whether the documents leave the route out. Default false. */
  readonly hidden?: boolean
}

/**
 * One operation: everything that the router, the documents and the command line know of it. Frozen; plain data and one
 * bound call. Classes, files and stores make plans; nothing downstream asks where a plan came from.
 */
export interface RoutePlan {
  /** Class and method: `Employees.list`. Also the route's name in the router. */
  readonly id: string
  readonly method: Method
  /** A path (`/employees/:id`, `/files/*path`, `/archive{/:year}`) or a RegExp on the whole path. */
  readonly path: string | RegExp
  /** Koa middleware of this route, outermost first, before anything of the request is read. */
  readonly use: readonly Middleware[]
  readonly access?: AccessPlan
  /** Whether a request without `If-Match` and `If-None-Match` is refused. Default false. */
  readonly requireMatch?: boolean
  readonly params: readonly ParamPlan[]
  readonly body?: BodyPlan
  /** Interceptors, outermost first. */
  readonly around: readonly Interceptor[]
  readonly paging?: PagingPlan
  /** What becomes of query parameters nobody declared. */
  readonly unknownQuery: 'refuse' | 'ignore'
  /** Names of query parameters that others than {@link RoutePlan.params} read: paging, interceptors. */
  readonly queryNames: readonly string[]
  readonly reply: ReplyPlan
  /** Limits of this route where they differ from the application's. */
  readonly limits?: Partial<Limits>
  readonly call: (...args: unknown[]) => unknown
  readonly doc: DocPlan
}

/** What a maker of plans gives to {@link definePlan}: the rest has defaults. */
export type PlanInit = Pick<RoutePlan, 'id' | 'method' | 'path' | 'call'> &
  Partial<Omit<RoutePlan, 'reply' | 'doc' | 'body' | 'params'>> & {
    readonly params?: readonly ParamInit[]
    readonly body?: Partial<BodyPlan>
    readonly reply?: Partial<ReplyPlan>
    readonly doc?: Partial<DocPlan>
  }

/** A parameter as a maker of plans gives it. */
export type ParamInit = Pick<ParamPlan, 'source'> & Partial<Omit<ParamPlan, 'source'>>

/** What a set of plans is told of the application that takes it. */
export interface PlanTools {
  /** The scalar members of a class: filters and sort keys of rows of it. */
  readonly members: (Class: Constructor) => readonly FilterPlan[]
  /** Gives the members of a stored value the names that they have in a body: `@Expose({ name })` makes others of them. */
  readonly toInputNames?: (Class: Constructor) => (value: unknown) => unknown
  /** The application's defaults of paging. */
  readonly paging: Partial<Pick<PagingPlan, 'limit' | 'max' | 'status' | 'count'>>
  /** Media types of bodies with a structure: those of all codecs that can be an object. */
  readonly structured: readonly string[]
}

/** Anything that brings plans along: what `documents()` returns, and `resources` takes. */
export interface PlanSet {
  readonly plans: readonly RoutePlan[]
  /** Makes the plans with what only the application knows; they take the place of {@link PlanSet.plans}. */
  readonly complete?: (tools: PlanTools) => readonly RoutePlan[]
  /** Called when the application closes. */
  readonly close?: () => Awaitable<void>
}

const anyType: TypePlan = Object.freeze({ kind: 'any', list: false })

/**
 * Checks a plan, fills in its defaults and freezes it.
 *
 * @param init what the maker knows
 * @throws ConfigurationError naming the operation and the cure
 *
 * @example
 * const ping = definePlan({ id: 'ping', method: 'GET', path: '/ping', call: () => 'pong' })
 * createApp({ plans: [ping] })
 */
export function definePlan(init: PlanInit): RoutePlan {
  if (!/^[A-Z][A-Z0-9-]*$/.test(init.method)) {
    throw new ConfigurationError(init.id, `"${init.method}" is no method`, 'Write it in capitals, "GET" say')
  }
  if (typeof init.path === 'string' && !/^\{*\//.test(init.path)) {
    throw new ConfigurationError(
      init.id,
      `the path "${init.path}" does not start with a slash`,
      `Write "/${init.path}"`,
    )
  }
  if (typeof init.call !== 'function') {
    throw new ConfigurationError(init.id, 'there is nothing to call', 'Give a function as `call`')
  }
  if (init.paging) checkPaging(init.id, init.paging)
  const reads = init.method === 'GET' || init.method === 'HEAD'
  return Object.freeze({
    id: init.id,
    method: init.method,
    path: init.path,
    use: freezeList(init.use),
    access: init.access,
    requireMatch: init.requireMatch ?? false,
    params: freezeList(init.params?.map((param, index) => defineParam(init.id, param, index))),
    body:
      init.body && Object.freeze({ consumes: [], required: true, raw: 'no', files: [], stream: false, ...init.body }),
    around: freezeList(init.around),
    paging: init.paging,
    unknownQuery: init.unknownQuery ?? 'refuse',
    queryNames: freezeList(init.queryNames),
    reply: defineReply(init.reply, reads),
    limits: init.limits,
    call: init.call,
    doc: defineDoc(init.doc),
  })
}

function defineReply(init: Partial<ReplyPlan> | undefined, reads: boolean): ReplyPlan {
  const { status, explicitStatus, nullStatus, headers, redirect, produces, type } = init ?? {}
  return Object.freeze({
    status: status ?? 200,
    explicitStatus: explicitStatus ?? status !== undefined,
    nullStatus: nullStatus ?? (reads ? 404 : 204),
    headers: headers ?? nothing,
    redirect,
    produces: produces ?? nothing,
    type,
  })
}

function defineDoc(init: Partial<DocPlan> | undefined): DocPlan {
  return Object.freeze({
    ...init,
    tags: init?.tags ?? nothing,
    answers: init?.answers ?? nothing,
    throws: init?.throws ?? nothing,
    params: init?.params ?? nothing,
  })
}

/** Names of the query that paging itself reads. */
export const pagingNames: readonly string[] = Object.freeze(['range', 'offset', 'limit', 'cursor', 'fields', 'sort'])

function checkPaging(id: string, { unit, filter }: PagingPlan): void {
  if (!isToken(unit)) {
    throw new ConfigurationError(id, `the range unit "${unit}" is no token`, 'Write letters, digits and dashes')
  }
  const taken = filter.find(({ name }) => pagingNames.includes(name))
  if (taken) {
    throw new ConfigurationError(id, `"${taken.name}" is a parameter of paging itself`, 'Give the filter another name')
  }
}

function defineParam(id: string, init: ParamInit, index: number): ParamPlan {
  if (Object.isFrozen(init)) return init as ParamPlan
  return Object.freeze({
    index,
    type: anyType,
    required: init.default === undefined,
    where: `${id}, parameter ${init.index ?? index}`,
    ...init,
    members: init.members && freezeList(init.members),
  })
}

const nothing: readonly never[] = Object.freeze([])

function freezeList<T>(list: readonly T[] | undefined): readonly T[] {
  return list && list.length > 0 ? Object.freeze([...list]) : nothing
}

// --- What an application shares ---------------------------------------------------------------------------------------

/** The named shapes of an error's body. */
export type ErrorFormat = 'problem' | 'text' | 'pyrest' | 'urest' | 'docstore' | 'rest-tools' | 'apiphant'

/** A method that may replace the answer to an error. */
export interface ErrorHandlerPlan {
  /** A status, a class of them (`'5xx'`), or the class of an error. */
  readonly on: number | string | AbstractConstructor
  readonly call: (error: unknown, ctx: Context) => Awaitable<unknown>
  readonly where: string
}

/** Where failures are reported: pino, console and their like. */
export interface Logger {
  error(details: object, message: string): void
}

/** How errors are answered. */
export interface ErrorSettings {
  readonly format: ErrorFormat | ErrorBody
  readonly status: readonly StatusRule[]
  /** Whether details of 5xx errors with a status of their own are sent. Default false. */
  readonly expose: boolean
  readonly handlers: readonly ErrorHandlerPlan[]
}

/** What all routes of one application share, resolved at start. */
export interface Settings {
  readonly codecs: readonly Codec[]
  readonly limits: Limits
  readonly errors: ErrorSettings
  /** The validation pipe, for parameters whose type is a class. */
  readonly validate: Pipe
  /** The names that a parameter's class takes. */
  readonly declared: (param: ParamPlan) => readonly string[]
  readonly unknownBody: 'refuse' | 'strip'
  /** The status of a body that breaks its rules. */
  readonly bodyStatus: number
  /** The application's own pipes, for every parameter. */
  readonly pipes: readonly Pipe[]
  /** Refuses a reply that does not have the declared class; none where replies are not checked. */
  readonly checkReply?: (value: unknown, plan: RoutePlan) => Awaitable<void>
  /** Class instances to plain data before encoding. */
  readonly toPlain: (value: unknown) => unknown
  /** Makes a writer of JSON: the text of what `toPlain` makes of a value. Each learns what it is given again and again. */
  readonly createJsonWriter: () => (value: unknown) => string
  readonly negotiation: 'strict' | 'lenient'
  readonly envelope: 'none' | 'urest'
  readonly gate?: Gate
  /** Fires when the application stops: endless answers end then. */
  readonly stopping?: AbortSignal
  readonly logger?: Logger
  readonly development: boolean
}

export type { Violation, ValueSource, HeaderMap }
