import type { CatchSettings } from './error-answer'
import type { Context } from './plan'

/**
 * Answers an error as the catch step has it, whose parts are loaded at the first one.
 *
 * @param error anything that was thrown
 * @param ctx the request
 * @param settings format, status rules, handlers, and where failures are reported
 * @param straight whether nobody stands between this and the response
 */
export function answerError(error: unknown, ctx: Context, settings: CatchSettings, straight = false): Promise<void> {
  loaded ??= require('./catch') as typeof import('./catch')
  return loaded.answerError(error, ctx, settings, straight)
}

let loaded: typeof import('./catch') | undefined
