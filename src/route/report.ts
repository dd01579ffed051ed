import { randomUUID } from 'node:crypto'
import { types } from 'node:util'
import type { Context, Settings } from './plan'

/**
 * Reports a failure: to the logger, or as the application's `error` event. Never throws.
 *
 * @param error anything that was thrown
 * @param ctx the request that it broke
 * @param settings where the logger is
 */
export function report(error: unknown, ctx: Context, settings: Pick<Settings, 'logger'>): void {
  try {
    const err = isError(error) ? error : new Error('Something that is no Error was thrown', { cause: error })
    if (!settings.logger) ctx.app.emit('error', err, ctx)
    else settings.logger.error({ err, requestId: requestIdOf(ctx), method: ctx.method, path: ctx.path }, err.message)
  } catch {
    // A log that fails must not fail the answer.
  }
}

function isError(error: unknown): error is Error {
  try {
    return error instanceof Error || types.isNativeError(error)
  } catch {
    // A revoked proxy: to be logged like anything else that is no Error.
    return false
  }
}

const requestId = Symbol('kumu.requestId')

/**
 * The id under which a request is logged and answered: one that a middleware has set, else the client's, else a new one.
 *
 * @param ctx the request
 */
export function requestIdOf(ctx: Context & { [requestId]?: string }): string {
  const known = ctx[requestId]
  if (known !== undefined) return known
  const candidates = [ctx.res.getHeader('X-Request-Id'), ctx.req.headers['x-request-id']]
  return (ctx[requestId] = candidates.find(isRequestId) ?? randomUUID())
}

function isRequestId(given: unknown): given is string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given)
}
