import type { HeaderMap } from './types'

/** Where in a request a value stood. */
export type ValueSource = 'body' | 'query' | 'path' | 'header' | 'cookie'

/**
 * One thing wrong with a request. It says where and what, never the value itself.
 *
 * @see RFC 9457 §3 (extension members), RFC 6901 (JSON pointer)
 */
export interface Violation {
  /** The part of the request. */
  readonly in: ValueSource
  /** A JSON pointer into that part: `/address/zip`; the name of a query parameter, header or cookie is its first token. */
  readonly pointer: string
  /** The rule's name, stable and for machines: `isEmail`, `required`, `unknown`, `type`. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
}

/** What an {@link HttpError} carries besides its status and its detail. */
export interface HttpErrorOptions {
  /** A stable word for machines, sent as `code`. */
  readonly code?: string
  /** The problem type's URI. Default `about:blank` (RFC 9457 §4.2.1). */
  readonly type?: string
  /** Headers of the answer, `Retry-After` say. */
  readonly headers?: HeaderMap
  /** One entry a violated rule. */
  readonly errors?: readonly Violation[]
  /** What lies behind it: for the log, never sent. */
  readonly cause?: unknown
}

/**
 * An error with an HTTP status. Its `detail` is sent to the client where the status is below 500.
 *
 * @example
 * throw new HttpError(402, 'The trial has ended', { code: 'trial-ended', headers: { Link: '</plans>; rel="help"' } })
 */
export class HttpError extends Error {
  readonly status: number
  readonly detail: string | undefined
  readonly code: string | undefined
  readonly type: string | undefined
  readonly headers: HeaderMap | undefined
  readonly errors: readonly Violation[] | undefined

  /**
   * @param status the answer's status, 400 to 599
   * @param detail a sentence for the client; default: the status alone
   * @param options code, problem type, headers, violations, cause
   * @throws RangeError where the status is no error status
   */
  constructor(status: number, detail?: string, options: HttpErrorOptions = {}) {
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`HttpError takes a status from 400 to 599, not ${String(status)}`)
    }
    super(detail ?? `HTTP ${status}`, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = new.target.name
    this.status = status
    this.detail = detail
    this.code = options.code
    this.type = options.type
    this.headers = options.headers
    this.errors = options.errors
  }

  /** The status again, under the name that Koa and http-errors read. */
  get statusCode(): number {
    return this.status
  }

  /** Whether the detail may be sent: below 500 yes. */
  get expose(): boolean {
    return this.status < 500
  }
}

/** 400: the request could not be understood (RFC 9110 §15.5.1). */
export class BadRequest extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(400, detail, options)
  }
}

/** 401: credentials are missing or wrong; send `WWW-Authenticate` with it (RFC 9110 §15.5.2). */
export class Unauthorized extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(401, detail, options)
  }
}

/** 403: the credentials do not suffice (RFC 9110 §15.5.4). */
export class Forbidden extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(403, detail, options)
  }
}

/** 404: there is no such resource (RFC 9110 §15.5.5). */
export class NoSuchResource extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(404, detail, options)
  }
}

/** 405: the resource does not take this method; `Allow` says which it takes (RFC 9110 §15.5.6). */
export class MethodNotAllowed extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(405, detail, options)
  }
}

/** 406: no representation is acceptable to the client (RFC 9110 §15.5.7). */
export class NotAcceptable extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(406, detail, options)
  }
}

/** 408: the request did not arrive in time (RFC 9110 §15.5.9). */
export class RequestTimeout extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(408, detail, options)
  }
}

/** 409: the resource exists already, or its state forbids the change (RFC 9110 §15.5.10). */
export class ResourceExists extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(409, detail, options)
  }
}

/** 410: the resource was here and is gone for good (RFC 9110 §15.5.11). */
export class Gone extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(410, detail, options)
  }
}

/** 412: a condition of the request does not hold (RFC 9110 §15.5.13). */
export class PreconditionFailed extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(412, detail, options)
  }
}

/** 413: the content is larger than the limit (RFC 9110 §15.5.14). */
export class ContentTooLarge extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(413, detail, options)
  }
}

/** 415: the content's media type, charset or coding is not supported (RFC 9110 §15.5.16). */
export class UnsupportedMediaType extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(415, detail, options)
  }
}

/** 416: the range lies outside the resource; `Content-Range` says its length (RFC 9110 §15.5.17). */
export class RangeNotSatisfiable extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(416, detail, options)
  }
}

/** 422: the content was understood and breaks its rules (RFC 9110 §15.5.21). */
export class ValidationError extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(422, detail, options)
  }
}

/** 423: the resource is locked (RFC 4918 §11.3). */
export class Locked extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(423, detail, options)
  }
}

/** 428: the request must be conditional (RFC 6585 §3). */
export class PreconditionRequired extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(428, detail, options)
  }
}

/** 429: too many requests in a given time (RFC 6585 §4). */
export class TooManyRequests extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(429, detail, options)
  }
}

/** 501: the method or feature is not there (RFC 9110 §15.6.2). */
export class NotImplemented extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(501, detail, options)
  }
}

/** 503: for now the service cannot answer (RFC 9110 §15.6.4). */
export class ServiceUnavailable extends HttpError {
  constructor(detail?: string, options?: HttpErrorOptions) {
    super(503, detail, options)
  }
}

export { NoSuchResource as NotFound, ResourceExists as Conflict }

/**
 * A mistake in the application's own declarations, found at start. The message says where it is and how to mend it.
 *
 * @example
 * throw new ConfigurationError('Employees.one', 'parameter 0 reads :id, which the path /employees lacks', 'add /:id to @Get')
 */
export class ConfigurationError extends Error {
  /**
   * @param where class, method and parameter: `Employees.one, parameter 0`
   * @param what what is wrong there
   * @param cure what to write instead
   */
  constructor(
    readonly where: string,
    readonly what: string,
    readonly cure: string,
  ) {
    super(`${where}: ${what}. ${cure}.`)
    this.name = 'ConfigurationError'
  }
}

/**
 * Refuses standard (TC39) decorators: they know no parameters and emit no types, so class-validator and Kumu both
 * need the legacy dialect.
 */
export function assertLegacy(decorator: string, second: unknown): void {
  if (typeof second === 'object' && second !== null && 'kind' in second) {
    throw new ConfigurationError(
      `@${decorator}`,
      'it was called as a standard (TC39) decorator',
      'Set "experimentalDecorators": true and "emitDecoratorMetadata": true in tsconfig.json (swc: jsc.transform.legacyDecorator and decoratorMetadata)',
    )
  }
}
