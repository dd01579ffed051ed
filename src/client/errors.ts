import type { Problem } from '../http/problem'

/** Why a call failed, as a stable word. */
export type ClientErrorCode = 'status' | 'network' | 'timeout' | 'token' | 'decode' | 'contract' | 'paging'

/** Which request an error is about. Its headers are not here: they hold credentials, and errors are logged. */
export interface RequestFacts {
  readonly method: string
  readonly url: string
}

/** A problem as a server tells it: the members of RFC 9457, and whatever else it says. */
export type ToldProblem = Problem & Readonly<Record<string, unknown>>

/** What every failure of a call is; an abort by the caller's own signal rejects with the signal's reason, as `fetch` does. */
export class ClientError extends Error {
  /** The answer's status; none where there was no answer. */
  readonly status: number | undefined = undefined
  /** What the server says went wrong; none where there was no answer. */
  readonly problem: ToldProblem | undefined = undefined

  readonly request: RequestFacts

  constructor(
    readonly code: ClientErrorCode,
    { method, url }: RequestFacts,
    message: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super(`${toLine({ method, url })}: ${message}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    // These two alone: whoever throws may hold the headers as well.
    this.request = { method, url }
  }
}

// Without the query: it may hold what no log should.
function toLine({ method, url }: RequestFacts): string {
  const end = url.search(/[?#]/)
  return `${method} ${end < 0 ? url : url.slice(0, end)}`
}

/** What was answered, for the error that it is. */
export interface RefusedAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: Headers
  /** The decoded body, `null` where there was none. */
  readonly body: unknown
}

/**
 * The server answered with an error status. `problem` is its problem document; where it sent none, one of the status alone,
 * and `body` has what it sent instead.
 */
export class ResponseError extends ClientError {
  override readonly status: number
  override readonly problem: ToldProblem
  readonly headers: Headers
  readonly body: unknown

  constructor(request: RequestFacts, answer: RefusedAnswer) {
    const problem = readProblem(answer)
    super('status', request, `${answer.status} ${problem.detail ?? problem.title}`.trim())
    this.status = answer.status
    this.problem = problem
    this.headers = answer.headers
    this.body = answer.body
  }
}

/** 400: the server could not understand the request. */
export class BadRequestError extends ResponseError {}
/** 401: credentials are missing, or were refused also after a renewal. */
export class UnauthorizedError extends ResponseError {}
/** 403: the credentials do not suffice. */
export class ForbiddenError extends ResponseError {}
/** 404: there is no such resource. */
export class NotFoundError extends ResponseError {}
/** 409: the resource exists already, or its state forbids the change. */
export class ConflictError extends ResponseError {}
/** 410: the resource is gone for good. */
export class GoneError extends ResponseError {}
/** 412: a condition does not hold: somebody else has changed the resource. */
export class PreconditionFailedError extends ResponseError {}
/** 422: the content breaks its rules; `problem.errors` says which. */
export class UnprocessableError extends ResponseError {}
/** 429: too many requests in a given time. */
export class TooManyRequestsError extends ResponseError {}
/** 500 to 599: the failure is the server's. */
export class ServerError extends ResponseError {}

const classes: Readonly<Record<number, typeof ResponseError>> = {
  400: BadRequestError,
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  409: ConflictError,
  410: GoneError,
  412: PreconditionFailedError,
  422: UnprocessableError,
  429: TooManyRequestsError,
}

/** The error that an answer is, of the class of its status. */
export function toResponseError(request: RequestFacts, answer: RefusedAnswer): ResponseError {
  const Class = classes[answer.status] ?? (answer.status >= 500 ? ServerError : ResponseError)
  return new Class(request, answer)
}

function readProblem({ status, statusText, headers, body }: RefusedAnswer): ToldProblem {
  const isTold =
    typeof body === 'object' &&
    body !== null &&
    headers.get('content-type')?.toLowerCase().startsWith('application/problem+json') === true
  const told = (isTold ? body : {}) as Partial<Problem>
  // RFC 9457 §3.1: a member of the wrong type is as one that is absent; the status is the answer's own.
  const title = typeof told.title === 'string' ? told.title : statusText
  const type = typeof told.type === 'string' ? told.type : 'about:blank'
  const detail = typeof told.detail === 'string' ? told.detail : undefined
  return { ...told, type, title, status, detail }
}

/** No answer came: the name, the connection or the server failed, or the answer broke off. */
export class NetworkError extends ClientError {
  constructor(
    request: RequestFacts,
    /** Whether another attempt may do better: a certificate that is refused today is refused again. */
    readonly transient: boolean,
    cause: unknown,
  ) {
    super('network', request, describe(cause), { cause })
  }
}

// The story is in the cause: of `fetch` itself comes only "fetch failed".
function describe(error: unknown): string {
  const { message, cause } = (error ?? {}) as { readonly message?: unknown; readonly cause?: unknown }
  const below = (cause ?? {}) as { readonly message?: unknown; readonly code?: unknown }
  const found = [below.message, below.code, message].find((each) => typeof each === 'string' && each !== '')
  return typeof found === 'string' ? found : 'the connection failed'
}

/** No answer came in time: in that of one attempt, or in that of the whole call. */
export class TimeoutError extends ClientError {
  constructor(
    request: RequestFacts,
    readonly phase: 'attempt' | 'deadline',
    /** Milliseconds. */
    readonly limit: number,
  ) {
    super('timeout', request, `no answer within ${limit} ms${phase === 'deadline' ? ' in all' : ''}`)
  }
}

/** There is no token to send: its source failed. All calls that waited for it fail with the same `cause`. */
export class TokenError extends ClientError {
  constructor(request: RequestFacts, cause: unknown) {
    const { message } = (cause ?? {}) as { readonly message?: unknown }
    super('token', request, `no token: ${typeof message === 'string' ? message : String(cause)}`, { cause })
  }
}

/** The answer is not what its media type says. */
export class DecodeError extends ClientError {
  constructor(request: RequestFacts, message: string, cause: unknown) {
    super('decode', request, message, { cause })
  }
}

/** The answer is not what the OpenAPI document promises. */
export class ContractError extends ClientError {
  constructor(
    request: RequestFacts,
    override readonly status: number | undefined,
    message: string,
  ) {
    super('contract', request, message)
  }
}

/** The pages of a list lead nowhere: back to one that was read, or to another server. */
export class PagingError extends ClientError {
  constructor(request: RequestFacts, message: string) {
    super('paging', request, message)
  }
}
