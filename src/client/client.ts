import type { Method } from '../types'
import { toBase } from './address'
import { callArguments, callBody, callFull, callHeaders, toDraft, toInput, type CallBase, type MakeCall } from './call'
import type { AnyCalls, AnyInput, RequestOptions, TypedCalls } from './calls'
import { contractLayer } from './contract'
import type { ServerEvent } from './event-parser'
import { streamEvents } from './events'
import { toSettings, type ClientOptions } from './options'
import { readPages } from './pages'
import type { Verb } from './paths'
import { createPipeline } from './pipeline'
import { streamValues } from './stream'
import { createTlsFetch } from './tls'

/** What a client does whether or not the compiler knows its paths. */
export interface ClientBase {
  /** The address, without a slash at its end. */
  readonly address: string
  /**
   * Makes a call by method and path.
   *
   * @param path joined to the address; taken as it is, so escape what stands in it
   * @param args of GET and HEAD the query, of all others the body; none: no body
   * @param options headers, limits, a signal; `query` for methods whose arguments are the body
   * @returns JSON parsed, text and bytes as they are, `null` where there is nothing
   */
  request<Body = unknown>(method: Method, path: string, args?: unknown, options?: RequestOptions): Promise<Body>
  /** As `request`, for the values of an answer of JSON lines (`application/x-ndjson`), one by one as they come. */
  stream<Value = unknown>(
    method: Method,
    path: string,
    args?: unknown,
    options?: RequestOptions,
  ): AsyncIterableIterator<Value>
  /**
   * The server-sent events of a path. It connects again where the connection ends, behind the last event, until its signal
   * ends it or the server answers 204.
   *
   * @param args the query
   */
  events(path: string, args?: object, options?: RequestOptions): AsyncIterableIterator<ServerEvent>
  /** Ends the connections that are the client's own: those of `tls`. */
  close(): Promise<void>
}

/** A client of one API; `Paths` as openapi-typescript writes them. */
export type Client<Paths = undefined> = ClientBase & (Paths extends object ? TypedCalls<Paths> : AnyCalls)

const verbs: readonly Verb[] = ['get', 'put', 'post', 'patch', 'delete', 'head', 'options']

/**
 * Creates a client of a REST API.
 *
 * @param address an absolute URL that all paths stand behind
 * @param options credentials, limits, layers
 * @throws ConfigurationError where an option cannot be
 *
 * @example
 * const api = createClient<paths>('https://host/api', { token, timeout: 5_000 })
 * const apple = await api.get('/fruits/{name}', { path: { name: 'apple' } })
 */
export function createClient<Paths = undefined>(address: string | URL, options: ClientOptions = {}): Client<Paths> {
  const settings = toSettings(options)
  const own = settings.tls && createTlsFetch(settings.tls)
  // Looked up with every call: what instruments or replaces it may come later.
  const pipeline = createPipeline(settings, own?.fetch ?? ((url, init) => fetch(url, init)))
  const base = toBase(address)
  const send = settings.validate ? contractLayer(settings.validate, base, pipeline)(pipeline) : pipeline
  const call: CallBase = { base, headers: settings.headers, send }
  const client: ClientBase & AnyCalls = {
    address: base,
    ...createCalls(call),
    request: <Body>(method: string, path: string, args?: unknown, extra?: RequestOptions) =>
      callArguments(call, method.toUpperCase(), path, args, extra) as Promise<Body>,
    async *stream<Value>(method: string, path: string, args?: unknown, extra?: RequestOptions) {
      const lines = { accept: 'application/x-ndjson, application/json;q=0.5, */*;q=0.1', ...extra?.headers }
      const verb = method.toUpperCase()
      const draft = toDraft(call, verb, path, toInput(verb, args, { ...extra, headers: lines }))
      yield* streamValues(call, draft) as AsyncGenerator<Value, void>
    },
    events: (path, args, extra) => streamEvents(call, toDraft(call, 'GET', path, toInput('GET', args, extra))),
    pages: <Row>(path: string, extra = {}) => readPages<Row>(call, path, extra),
    close: async () => own?.close(),
  }
  return client as unknown as Client<Paths>
}

function createCalls(call: CallBase): Pick<AnyCalls, Verb | 'full'> {
  const bodies = toCalls(call, (verb) => (verb === 'head' ? callHeaders : callBody))
  return { ...bodies, full: toCalls(call, () => callFull) } as unknown as Pick<AnyCalls, Verb | 'full'>
}

function toCalls(call: CallBase, makerOf: (verb: Verb) => MakeCall): object {
  return Object.fromEntries(
    verbs.map((verb) => {
      const method = verb.toUpperCase()
      const make = makerOf(verb)
      return [verb, (path: string, input?: AnyInput) => make(call, method, path, input)]
    }),
  )
}
