import type { CatchSettings } from './error-answer'
import type { Context } from './plan'

/**
 * Answers an error as the catch step has it, whose parts are loaded at the first one.
 *
 * @param error anything that was thrown
 * @param ctx the request
 * @param settings format, status rules, handlers, and where failures are reported
 */
export function answerError(error: unknown, ctx: Context, settings: CatchSettings): Promise<void> {
  return (require('./catch') as typeof import('./catch')).answerError(error, ctx, settings)
}
