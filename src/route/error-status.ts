import { HttpError } from '../errors'
import { statusPhrase } from '../http/problem'
import type { HeaderMap } from '../types'
import type { StatusRule } from './plan'

/**
 * Gives any thrown value its HTTP status.
 *
 * An HttpError stays as it is. A status rule comes next: below 500 the error's message becomes the detail, unless its
 * `expose` is false. Then a `status` or `statusCode` with a boolean `expose` counts, as Koa's `ctx.throw` and http-errors
 * make them. What is left is a 500 that holds nothing of the error.
 *
 * @param error anything that was thrown
 * @param rules asked in turn; one that throws, or answers with no status from 400 to 599, is passed over
 * @returns `unexpected` where nobody gave the error a status
 *
 * @example
 * toHttpError(new NotInStock(), [(error) => (error instanceof NotInStock ? 409 : undefined)]).error.status // 409
 */
export function toHttpError(error: unknown, rules: readonly StatusRule[]): { error: HttpError; unexpected: boolean } {
  try {
    if (error instanceof HttpError) return { error, unexpected: false }
    const known = fromRules(error, rules) ?? fromStatus(error)
    if (known) return { error: known, unexpected: false }
  } catch {
    // A getter or a proxy of the error threw: it tells us nothing.
  }
  return { error: new HttpError(500), unexpected: true }
}

/** A 503 or 501 that the application throws is its answer; a 500, or a 5xx that a rule makes of an error, is a failure. */
export function isOurs(error: HttpError, original: unknown): boolean {
  return error.status === 500 || (error.status > 500 && error !== original && !fromStatus(original))
}

function fromRules(error: unknown, rules: readonly StatusRule[]): HttpError | undefined {
  for (const rule of rules) {
    let status: number | undefined
    try {
      status = rule(error)
    } catch {
      continue
    }
    if (!isErrorStatus(status)) continue
    const { message, expose } = toFacts(error)
    return new HttpError(status, status < 500 && expose !== false ? message : undefined, { cause: error })
  }
  return undefined
}

function fromStatus(error: unknown): HttpError | undefined {
  const { status, statusCode, expose, message, headers } = toFacts(error)
  const code = isErrorStatus(status) ? status : statusCode
  if (!isErrorStatus(code) || typeof expose !== 'boolean') return undefined
  return new HttpError(code, isSaying(message, code) && expose ? message : undefined, { headers, cause: error })
}

function isErrorStatus(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 400 && Number(value) <= 599
}

/** `ctx.throw(404)` says "Not Found": no detail, the title has it. */
function isSaying(message: string | undefined, status: number): boolean {
  return message !== undefined && message.toLowerCase() !== statusPhrase(status).toLowerCase()
}

interface ErrorFacts {
  readonly status?: unknown
  readonly statusCode?: unknown
  readonly expose?: unknown
  readonly message?: string
  readonly headers?: HeaderMap
}

function toFacts(error: unknown): ErrorFacts {
  if (typeof error !== 'object' || error === null) return {}
  const { status, statusCode, expose, message, headers } = error as Record<string, unknown>
  return {
    status,
    statusCode,
    expose,
    message: typeof message === 'string' && message !== '' ? message : undefined,
    headers: typeof headers === 'object' && headers !== null ? toHeaderMap(headers) : undefined,
  }
}

export function toHeaderMap(headers: object): HeaderMap {
  const entries = Object.entries(headers).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : `${value}`]),
  )
}
