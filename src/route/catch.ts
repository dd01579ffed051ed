import { HttpError } from '../errors'
import { abandon, isGone } from './connection'
import { clearContent, refuseStraight, writeError, writePlainly, type CatchSettings } from './error-answer'
import { answerByHandler, isHandledBy } from './error-handlers'
import { isOurs, toHttpError } from './error-status'
import type { Context, Middleware } from './plan'
import { report, requestIdOf } from './report'

/**
 * The outermost step: every error becomes an answer. Where there is none, it does nothing.
 *
 * @param settings format, status rules, handlers, and where failures are reported
 *
 * @example
 * app.use(createCatch(settings))
 */
export function createCatch(settings: CatchSettings): Middleware {
  return async function catchErrors(ctx, next) {
    try {
      await next()
    } catch (error) {
      await answerError(error, ctx as Context, settings)
    }
  }
}

/**
 * Answers an error, and reports it where it is a failure of ours. Never rejects.
 *
 * Headers of the failed answer's content go, all others stay. Where it is too late to answer, the connection is cut, so
 * that the client cannot take a part for the whole (RFC 9112 §8).
 *
 * @param error anything that was thrown
 * @param ctx the request
 * @param settings as of {@link createCatch}
 * @param straight whether nobody stands between this and the response
 *
 * @example
 * try { await next() } catch (error) { await answerError(error, ctx, settings) }
 */
export async function answerError(
  error: unknown,
  ctx: Context,
  settings: CatchSettings,
  straight = false,
): Promise<void> {
  try {
    if (straight && refuseStraight(error, ctx, settings)) return
    await answer(error, ctx, settings)
  } catch (failure) {
    report(failure, ctx, settings)
    answerPlainly(ctx)
  }
}

async function answer(original: unknown, ctx: Context, settings: CatchSettings): Promise<void> {
  const { error, unexpected } = toHttpError(original, settings.errors.status)
  if (isGone(ctx)) {
    if (unexpected || error.status >= 500) report(original, ctx, settings)
    abandon(ctx)
    return
  }
  ctx.respond = true
  clearContent(ctx)
  ctx.set('X-Request-Id', requestIdOf(ctx))
  const failed = unexpected || isOurs(error, original)
  if (failed) report(original, ctx, settings)
  const handler = settings.errors.handlers.find(({ on }) => isHandledBy(on, error.status, original))
  if (!handler) return writeError(error, ctx, settings)
  try {
    await answerByHandler(handler, original, error, ctx, settings)
  } catch (broken) {
    if (!failed) report(original, ctx, settings)
    report(broken, ctx, settings)
    if (isGone(ctx)) abandon(ctx)
    else writeError(new HttpError(500), ctx, settings)
  }
}

function answerPlainly(ctx: Context): void {
  try {
    if (isGone(ctx)) abandon(ctx)
    else writePlainly(ctx)
  } catch {
    abandon(ctx)
  }
}
