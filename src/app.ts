import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { inspect } from 'node:util'
import Koa from 'koa'
import { NoSuchResource } from './errors'
import { checkHost } from './http/host'
import type { OpenApiOptions, ServedDocument } from './openapi/serve'
import type { DocumentSettings, OpenApiDocument } from './openapi/types'
import { designType, type PagedOptions } from './resource/metadata'
import { createGate, type AuthSettings } from './route/access'
import { answerError } from './route/answer-error'
import { defaultCodecs } from './route/codecs/defaults'
import { createContexts, type CreateContext } from './route/context'
import { compile, compileErrorHandlers, isPlanSet, type ResourceLike } from './route/compile'
import { toLimits, type LimitOptions } from './route/limits'
import type {
  Codec,
  Context,
  ErrorBody,
  ErrorFormat,
  Logger,
  Middleware,
  Pipe,
  PlanSet,
  RoutePlan,
  Settings,
  StatusRule,
} from './route/plan'
import { PlanRouter } from './route/router'
import { refusals } from './route/router-refusal'
import { createStraight, type Straight } from './route/straight'
import type { Awaitable, Constructor } from './types'
import type { CompiledValidator, ValidatorOptions } from './validation/compile-validator'
import type { Validation, ValidationOptions } from './validation/pipe'

/** How errors are answered. */
export interface ErrorOptions {
  /** The shape of the body: RFC 9457 problems, a format of an older system, or a function. Default `problem`. */
  readonly format?: ErrorFormat | ErrorBody
  /** Statuses of the application's own errors; the first that knows one decides. */
  readonly status?: readonly StatusRule[]
  /** Whether the details of 5xx errors are sent. Default false. */
  readonly expose?: boolean
  /** Classes or instances with `@ErrorHandler` methods. */
  readonly handlers?: readonly (object | Constructor)[]
}

/** Options of {@link createRouter}. */
export interface RouterOptions {
  /** Instances or classes with `@Resource`, and what brings plans along, `documents()` say. */
  readonly resources?: readonly ResourceLike[]
  /** Plans of your own making. */
  readonly plans?: readonly RoutePlan[]
  /** A path before all others: `/api`. */
  readonly prefix?: string
  /** Makes or finds the instance of a class: `resolve: (Class) => container.get(Class)`. */
  readonly resolve?: (Class: Constructor) => object
  readonly errors?: ErrorOptions
  readonly validation?: ValidationOptions & {
    /** Whether replies are checked against the class of `@Returns`; what breaks its rules is a 500. Default `development`. */
    readonly replies?: boolean
  }
  /** Pipes for every parameter, after validation. */
  readonly pipes?: readonly Pipe[]
  /** Defaults of `@Paged`. */
  readonly paging?: PagedOptions
  /** Media types added behind the built-in ones; a codec of the type of one of those replaces it. */
  readonly codecs?: readonly Codec[]
  /** How callers are known. */
  readonly auth?: AuthSettings
  /** Bounds on bodies; sizes in bytes or as `'1mb'`. */
  readonly limits?: LimitOptions
  readonly logger?: Logger
  /** Whether a trailing slash matters. Default `'ignore'`. */
  readonly trailingSlash?: 'ignore' | 'strict'
  /** Whether case matters in paths. Default true. */
  readonly caseSensitive?: boolean
  /** Whether query parameters that nobody declared are refused or ignored. Default `'refuse'`. */
  readonly unknownQuery?: 'refuse' | 'ignore'
  /** What becomes of a request that accepts nothing on offer: 406, or the first offer. Default `'strict'`. */
  readonly negotiation?: 'strict' | 'lenient'
  /** `'urest'` wraps answers as `{ success, result }`. Default `'none'`. */
  readonly envelope?: 'none' | 'urest'
  /** Default: whether `NODE_ENV` is `development`. */
  readonly development?: boolean
}

/** What Koa's own constructor takes; each can be set as a property of the application as well. */
export interface KoaOptions {
  /** Default `NODE_ENV`, else `development`. */
  readonly env?: string
  /** The keys that sign cookies. */
  readonly keys?: string[]
  /** Whether the headers of a proxy are trusted. Default false. */
  readonly proxy?: boolean
  /** Default 2. */
  readonly subdomainOffset?: number
  /** Default `X-Forwarded-For`. */
  readonly proxyIpHeader?: string
  /** Addresses read from that header at the most. Default 0: all. */
  readonly maxIpsCount?: number
  /** Whether `app.currentContext` is the request's. Default false. */
  readonly asyncLocalStorage?: boolean
}

/** Options of {@link createApp}. */
export interface AppOptions extends RouterOptions, KoaOptions {
  /** Koa middleware around the resources, outermost first, inside the error middleware. */
  readonly middleware?: readonly Middleware[]
  /**
   * Serves the OpenAPI document of the resources, its typings and a page that shows it: where, and what is said of the
   * whole. `true`: at `/openapi.json`, `/openapi.d.ts` and `/docs`. Default false.
   */
  readonly openapi?: boolean | OpenApiOptions
}

/** A Koa application with its plans. */
export class App extends Koa {
  readonly #stop = new AbortController()
  readonly #sets: readonly PlanSet[]
  readonly #logger: Logger | undefined
  #closed: Promise<void> | undefined
  readonly #reported = new WeakSet<Error>()
  readonly #makeContext: CreateContext
  readonly #settings: Settings
  readonly #composed: unknown
  /** The error middleware and the resources: all there is where no other middleware is mounted. */
  readonly #own: readonly unknown[]
  readonly #describe: () => ServedDocument
  readonly router: PlanRouter

  constructor(options: AppOptions) {
    super(options)
    this.#sets = (options.resources ?? []).filter(isPlanSet)
    this.#logger = options.logger
    const settings = toSettings(options, this.#stop.signal)
    this.#settings = settings
    this.#composed = (this as unknown as Replaceable).compose
    this.#makeContext = createContexts(this)
    let served = options.openapi ? this.#serveDocument(options) : undefined
    this.#describe = () => (served ??= this.#serveDocument({ ...options, openapi: { ui: false } }))
    const plans = [...(options.plans ?? []), ...(served?.plans ?? [])]
    this.router = makeRouter({ ...options, plans }, settings, false)
    this.#own = [createErrorMiddleware(settings), this.router.routes()]
    this.use(this.#own[0] as Middleware)
    for (const middleware of options.middleware ?? []) this.use(middleware)
    this.use(this.#own[1] as Middleware)
    // Behind the resources, where only what none of them takes arrives: no other request passes it.
    if (served) this.use(answerOptions(served))
  }

  #serveDocument(options: AppOptions): ServedDocument {
    const { openapi } = options
    const { serveDocument } = require('./openapi/serve') as typeof import('./openapi/serve')
    return serveDocument(typeof openapi === 'object' ? openapi : {}, () => ({
      plans: this.plans,
      settings: toDocumentSettings(options, this.#settings),
    }))
  }

  /**
   * The OpenAPI 3.1 document of this application, whether or not it is served. Plans are frozen: it is always the same.
   *
   * @throws Error where a class needs class-validator-jsonschema and it is not installed
   */
  document(): OpenApiDocument {
    return this.#describe().document()
  }

  /** Koa's, out of constructors: the same members on the same prototypes. */
  override createContext<State = Koa.DefaultState>(req: IncomingMessage, res: ServerResponse) {
    return this.#makeContext(req, res) as unknown as Koa.ParameterizedContext<State>
  }

  /**
   * Koa's request handler. Where no middleware stands around the resources, the answers of their routes go straight to the
   * response; middleware that is mounted later counts from its mounting on.
   */
  override callback(): ReturnType<Koa['callback']> {
    const compose = (): ReturnType<Koa['callback']> => super.callback()
    let handle = compose()
    let mounted = this.middleware.length
    const straight = this.#createStraight()
    return (req, res) => {
      if (mounted !== this.middleware.length) {
        mounted = this.middleware.length
        handle = compose()
      }
      const done = this.#isBare() ? straight(req as IncomingMessage, res as ServerResponse) : undefined
      return done ?? handle(req, res)
    }
  }

  /** Whether nobody could look at an answer on its way: what is mounted behind the resources does not see theirs. */
  #isBare(): boolean {
    const { middleware, createContext, handleRequest, compose } = this as unknown as Replaceable
    const plain =
      createContext === App.prototype.createContext && handleRequest === koaHandleRequest && compose === this.#composed
    return plain && !this.ctxStorage && middleware[0] === this.#own[0] && middleware[1] === this.#own[1]
  }

  #createStraight(): Straight {
    const respond = (ctx: Context): Promise<void> => {
      const { statusCode } = ctx.res
      return koaHandleRequest.call(this, ctx, async () => {
        // Koa begins with 404; this answer has a status.
        if (!ctx.res.headersSent) ctx.res.statusCode = statusCode
      })
    }
    return createStraight({
      router: this.router,
      settings: this.#settings,
      createContext: this.#makeContext,
      proxied: () => this.proxy,
      respond,
    })
  }

  /** Every operation, in the order of declaration. */
  get plans(): readonly RoutePlan[] {
    return this.router.plans
  }

  /**
   * Stops in order, and idempotently: the server takes no more, endless answers end, what is in flight is finished, its
   * connections are closed, and then what the resources brought along (stores, say) is closed.
   *
   * @param server the server that listens with {@link App.callback}; without one, close yours first
   *
   * @example
   * process.once('SIGTERM', () => app.close(server))
   */
  close(server?: Pick<Server, 'close' | 'closeIdleConnections'>): Promise<void> {
    this.#closed ??= this.#close(server)
    return this.#closed
  }

  async #close(server: Pick<Server, 'close' | 'closeIdleConnections'> | undefined): Promise<void> {
    const closed = server && new Promise<void>((resolve) => server.close(() => resolve()))
    this.#stop.abort(new DOMException('The application stops', 'AbortError'))
    server?.closeIdleConnections()
    // An answer whose headers were out before this could not announce the end of its connection.
    const sweep = setInterval(() => server?.closeIdleConnections(), 25)
    await closed
    clearInterval(sweep)
    const results = await Promise.allSettled(this.#sets.map(async (set) => set.close?.()))
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
    if (failures.length > 0) throw new AggregateError(failures, 'Something the resources brought along did not close')
  }

  /** Reports a failure whole, with its request's id; a client that has gone is none, nor is what the client was told. */
  override onerror(error: Error & { code?: string; status?: number; expose?: boolean }, ctx?: Context): void {
    // Koa tells of a stream that fails twice: of itself, and of the response that it took along.
    if (this.#reported.has(error)) return
    this.#reported.add(error)
    if (this.silent || gone.has(error.code ?? '') || error.expose || error.status === 404) return
    const request = ctx && { requestId: idOf(ctx), method: ctx.method, path: ctx.path }
    if (this.#logger) this.#logger.error({ err: error, ...request }, error.message)
    else complain(request ? `${request.requestId} ${request.method} ${request.path}` : 'error', error)
  }
}

/** OPTIONS with `Accept: application/json` is answered with the resource's part of the document. */
function answerOptions(served: ServedDocument): Middleware {
  return async function answerOptions(ctx, next) {
    await next()
    const known = ctx.method === 'OPTIONS' && ctx.status === 404 ? refusals.get(ctx.req) : undefined
    const part = known && served.partFor(ctx as Context, known.plans)
    if (!known || !part) return
    ctx.set('Allow', [...known.allow, 'OPTIONS'].sort().join(', '))
    ctx.vary('Accept')
    ctx.type = 'application/json'
    ctx.body = part
  }
}

/** What the document says differently because the application does. */
function toDocumentSettings(options: AppOptions, settings: Settings): DocumentSettings {
  const { auth, prefix, validation = {} } = options
  const { format, status } = settings.errors
  return {
    prefix,
    codecs: settings.codecs,
    errorFormat: typeof format === 'function' ? 'own' : format,
    statusOf: (error) => status.map((rule) => rule(error)).find((found) => found !== undefined),
    unknownBody: settings.unknownBody,
    bodyStatus: settings.bodyStatus,
    optionalNull: validation.optionalNull === 'accept',
    negotiation: settings.negotiation,
    envelope: settings.envelope,
    challenges: auth?.challenges ?? auth?.verify.challenges,
  }
}

/** What of Koa somebody may have replaced: then all of its way is walked. */
interface Replaceable {
  readonly middleware: readonly unknown[]
  readonly createContext: unknown
  readonly handleRequest: unknown
  readonly compose: unknown
}

/** Koa's own way from its middleware to the answer, which is no part of its typings. */
const { handleRequest: koaHandleRequest } = Koa.prototype as unknown as {
  handleRequest: (this: Koa, ctx: Context, middleware: (ctx: Context) => Promise<void>) => Promise<void>
}

function idOf(ctx: Context): string {
  return (require('./route/report') as typeof import('./route/report')).requestIdOf(ctx)
}

/** As Koa's own report, where the application has no logger. */
function complain(request: string, error: Error): void {
  // eslint-disable-next-line no-console -- this is what it is for
  console.error(request, inspect(error, { depth: 5 }))
}

const gone = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

/**
 * A Koa application that serves these resources, its error middleware outermost.
 *
 * @param options resources and how they are served
 * @throws ConfigurationError for a mistake in the declarations, naming class, method, parameter and the cure
 *
 * @example
 * createApp({ resources: [new Employees(db)] }).listen(3000)
 */
export function createApp(options: AppOptions = {}): App {
  return new App(options)
}

/**
 * A `@koa/router` of these resources for an application that stands: they answer their errors themselves.
 *
 * @param options resources and how they are served
 * @throws ConfigurationError for a mistake in the declarations
 *
 * @example
 * app.use(createRouter({ resources: [Employees], prefix: '/api' }).routes())
 */
export function createRouter(options: RouterOptions = {}): PlanRouter {
  return makeRouter(options, toSettings(options), true)
}

/**
 * The error middleware by itself: what is thrown below it, and what nobody answers, becomes an answer.
 *
 * @param options how errors are answered
 *
 * @example
 * new Koa().use(errorToStatus({ format: 'problem' })).use(router.routes())
 */
export function errorToStatus(options: ErrorOptions & { readonly logger?: Logger } = {}): Middleware {
  return createErrorMiddleware(toSettings({ errors: options, logger: options.logger }))
}

/**
 * The validation of a class by itself, as a JSON body of it is validated: for messages of a queue, files, tests.
 *
 * @param Class a class with rules of class-validator
 * @param options how strict it is: as `validation` of {@link createApp}
 * @throws ConfigurationError where validating the class would fail, or say nothing
 *
 * @example
 * const users = compileValidator(NewUser)
 * const user = users.parse(JSON.parse(message)) // a NewUser, or ValidationError
 */
export function compileValidator<T extends object>(
  Class: Constructor<T>,
  options: ValidatorOptions = {},
): CompiledValidator<T> {
  const { createValidator } =
    require('./validation/compile-validator') as typeof import('./validation/compile-validator')
  return createValidator(Class, options, designType)
}

function createErrorMiddleware(settings: Settings): Middleware {
  const { stopping } = settings
  return async function errorToStatus(ctx, next) {
    try {
      checkHost(ctx.req.headers, ctx.app.proxy)
      await next()
      if (ctx.status === 404 && isUnanswered(ctx as Context)) throw new NoSuchResource()
    } catch (error) {
      await answerError(error, ctx as Context, settings)
    }
    // What was in flight when the application began to stop is the last answer of its connection.
    if (stopping?.aborted && !ctx.res.headersSent) ctx.res.setHeader('Connection', 'close')
  }
}

function isUnanswered(ctx: Context): boolean {
  return ctx.body === undefined && ctx.respond !== false && !ctx.res.headersSent && ctx.writable
}

function makeRouter(options: RouterOptions, settings: Settings, answersErrors: boolean): PlanRouter {
  const validation = lazyValidation({ ...options.validation, bodyStatus: settings.bodyStatus })
  const methods = new Set<string>()
  const plans = compile(options.resources ?? [], {
    resolve: options.resolve,
    codecs: settings.codecs,
    paging: options.paging ?? {},
    unknownQuery: options.unknownQuery ?? 'refuse',
    check: (param) => validation.check(param),
    members: (Class) =>
      (require('./validation/members') as typeof import('./validation/members')).scalarMembers(Class, designType),
    toInputNames: (Class) =>
      (require('./validation/input-names') as typeof import('./validation/input-names')).createInputNames(
        Class,
        designType,
      ),
    gated: settings.gate !== undefined,
    leftOut: (method) => methods.add(method),
    prefix: options.prefix ?? '',
  })
  const checksReplies = options.validation?.replies ?? settings.development
  const shared: Settings = {
    ...settings,
    validate: validation.pipe,
    declared: (param) => validation.names(param),
    checkReply: checksReplies ? lazyReplyCheck(validation.pipe, settings.toPlain) : undefined,
  }
  return new PlanRouter({
    plans: [...plans, ...(options.plans ?? [])],
    settings: shared,
    prefix: options.prefix,
    caseSensitive: options.caseSensitive ?? true,
    strictSlash: options.trailingSlash === 'strict',
    answersErrors,
    methods,
  })
}

function toSettings(options: RouterOptions, stopping?: AbortSignal): Settings {
  const { errors = {}, validation = {} } = options
  const toPlain = lazyToPlain()
  return {
    codecs: mergeCodecs(options.codecs ?? []),
    limits: toLimits(options.limits),
    errors: {
      format: errors.format ?? 'problem',
      status: errors.status ?? [],
      expose: errors.expose ?? false,
      handlers: compileErrorHandlers(errors.handlers ?? [], options.resolve),
    },
    validate: passThrough,
    declared: () => [],
    unknownBody: validation.unknown ?? 'refuse',
    bodyStatus: validation.bodyStatus ?? (errors.format === 'rest-tools' || errors.format === 'apiphant' ? 400 : 422),
    pipes: options.pipes ?? [],
    toPlain,
    createJsonWriter: lazyWriter(toPlain),
    negotiation: options.negotiation ?? 'strict',
    envelope: options.envelope ?? 'none',
    gate: options.auth && createGate(options.auth),
    stopping,
    logger: options.logger,
    development: options.development ?? process.env.NODE_ENV === 'development',
  }
}

// Rooms that an application may not need are loaded where it does: one without classes of bodies starts without validation.

function lazyValidation(options: ValidationOptions): Validation {
  let loaded: Validation | undefined
  const load = (): Validation =>
    (loaded ??= (require('./validation/pipe') as typeof import('./validation/pipe')).createValidation(
      options,
      designType,
    ))
  return {
    pipe: (value, param) => load().pipe(value, param),
    judge: (value, param) => load().judge(value, param),
    check(param) {
      if (param.type.kind === 'class') load().check(param)
    },
    names: (param) => load().names(param),
  }
}

function lazyReplyCheck(pipe: Pipe, toPlain: Settings['toPlain']): NonNullable<Settings['checkReply']> {
  const { createReplyCheck } = require('./validation/reply-check') as typeof import('./validation/reply-check')
  return createReplyCheck(pipe, toPlain)
}

function lazyToPlain(): Settings['toPlain'] {
  let loaded: Settings['toPlain'] | undefined
  return (value) => (loaded ??= loadToPlain())(value)
}

function loadToPlain(): Settings['toPlain'] {
  return (require('./validation/plain') as typeof import('./validation/plain')).createToPlain()
}

function lazyWriter(toPlain: Settings['toPlain']): Settings['createJsonWriter'] {
  return () => {
    let loaded: ((value: unknown) => string) | undefined
    return (value) => (loaded ??= loadWriter(toPlain))(value)
  }
}

function loadWriter(toPlain: Settings['toPlain']): (value: unknown) => string {
  return (require('./validation/writer') as typeof import('./validation/writer')).createJsonWriter(toPlain)
}

/** The built-in codecs in their order, each replaced by one of the same type, and then those of other types. */
function mergeCodecs(added: readonly Codec[]): readonly Codec[] {
  const types = new Set(defaultCodecs.map(({ type }) => type))
  const replaced = defaultCodecs.map((codec) => added.find(({ type }) => type === codec.type) ?? codec)
  return [...replaced, ...added.filter(({ type }) => !types.has(type))]
}

const passThrough: Pipe = (value): Awaitable<unknown> => value
