import { ConfigurationError } from '../errors'
import { isToken } from '../http/token'
import type { RetryCalculator } from './backoff'
import type { CacheOptions } from './cache'
import type { Retry } from './retry'
import type { ClientTls } from './tls'
import type { TokenSource } from './token'
import type { TraceSource } from './trace'
import type { Transport, Wrap } from './transport'

/** Where a client tells what it goes through; pino and `console` are some. */
export interface ClientLogger {
  warn(facts: object, message: string): void
}

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** Sent as `Authorization: Bearer`: a token, or where to get one. */
  readonly token?: string | TokenSource
  /** With `password`, sent as `Authorization: Basic` (RFC 7617). */
  readonly username?: string
  readonly password?: string
  /** Milliseconds for one attempt, until the answer is read. Default 60,000. */
  readonly timeout?: number
  /** Milliseconds for a whole call, with its retries and pauses. Default: none. */
  readonly deadline?: number
  /** Attempts after the first at the most, 30 at the very most, or how to calculate them. Default 10. */
  readonly retries?: number | RetryCalculator
  /** Milliseconds that the first pause before a retry lasts at the most; it doubles with every retry. Default 300. */
  readonly backoff?: number
  /** Called before each pause. */
  readonly onRetry?: (retry: Retry) => void
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Whether entity tags are remembered: for 304, and for `If-Match` on writes. Default false. */
  readonly cache?: boolean | CacheOptions
  /** Whether requests carry a `traceparent`; a function says which trace is under way. Default false. */
  readonly trace?: boolean | TraceSource
  /** What makes the exchange in place of `fetch`. */
  readonly transport?: Transport
  /** Layers around the transport, the first outermost: they see every attempt as it goes out. */
  readonly wrap?: Wrap | readonly Wrap[]
  /** Certificates, by the package undici; not in browsers. */
  readonly tls?: ClientTls
  /** What else `fetch` takes with every request: `credentials`, `redirect`, `dispatcher`. */
  readonly init?: Omit<RequestInit, 'method' | 'headers' | 'body' | 'signal'>
  /**
   * Whether every answer is held to an OpenAPI document, by the package ajv: for tests. `true` takes the one at
   * `openapi.json` behind the address. Default false.
   */
  readonly validate?: boolean | object
  /** Is told of retries and of requests for a token that failed. */
  readonly logger?: ClientLogger
}

/** Options with their defaults. */
export interface ClientSettings extends ClientOptions {
  readonly timeout: number
  readonly retries: number
  readonly backoff: number
  readonly headers: Readonly<Record<string, string>>
  readonly wrap: readonly Wrap[]
}

const mostRetries = 30

// JSON first; whatever else an operation gives is welcome as well.
const accept = 'application/json, text/*;q=0.9, */*;q=0.8'

/**
 * Checks the options of a client and adds the defaults.
 *
 * @throws ConfigurationError where one of them cannot be
 */
export function toSettings(options: ClientOptions): ClientSettings {
  const { timeout = 60_000, backoff = 300, deadline, wrap = [] } = options
  assertPositive('timeout', timeout)
  assertPositive('backoff', backoff)
  if (deadline !== undefined) assertPositive('deadline', deadline)
  if (options.transport && options.tls) {
    throw refuse('transport and tls exclude each other', 'Give the certificates to the transport')
  }
  return {
    ...options,
    timeout,
    backoff,
    retries: toRetries(options.retries ?? 10, timeout, backoff),
    headers: toHeaders(options),
    wrap: typeof wrap === 'function' ? [wrap] : wrap,
  }
}

function refuse(what: string, cure: string): ConfigurationError {
  return new ConfigurationError('createClient', what, cure)
}

function assertPositive(name: string, value: number): void {
  if (typeof value === 'number' && value > 0) return
  throw refuse(`${name} must be positive: ${String(value)}`, 'Give milliseconds above 0')
}

function toRetries(retries: number | RetryCalculator, timeout: number, backoff: number): number {
  const count: unknown = typeof retries === 'function' ? retries({ timeout, backoff }) : retries
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) {
    throw refuse(
      `Cannot set and/or auto-calculate # of retries: ${String(count)}`,
      'Give a whole number from 0, or retriesFromBackoffMax or retriesFromWaittimeMax',
    )
  }
  if (count > mostRetries)
    throw refuse(`Cannot set # of retries above ${mostRetries}: ${count}`, 'Give a smaller number')
  return count
}

function toHeaders(options: ClientOptions): Record<string, string> {
  const headers: Record<string, string> = { accept }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (!isToken(name) || !isFieldValue(value)) {
      throw refuse(`the header "${name}" cannot be sent`, 'A name is a token, a value has no control characters')
    }
    headers[name.toLowerCase()] = value
  }
  const { token, username, password } = options
  if (typeof token === 'string' && !/^[\x21-\x7e]+$/.test(token)) {
    throw refuse('the token is not of visible ASCII characters', 'Give it without the line end of its file')
  }
  if (username === undefined && password === undefined) return headers
  if (token !== undefined) throw refuse('token excludes username and password', 'Give one of them')
  headers['authorization'] = formatBasic(username ?? '', password ?? '')
  return headers
}

function isFieldValue(value: unknown): boolean {
  return typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}

// RFC 7617 §2: the first colon ends the name. UTF-8, as §2.1 has it.
function formatBasic(username: string, password: string): string {
  if (username.includes(':'))
    throw refuse('the username has a colon', 'Basic authentication cannot say it (RFC 7617 §2)')
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)))}`
}
