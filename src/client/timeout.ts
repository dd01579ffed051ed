import { toWrap, type Answer, type Draft, type Layer, type Send } from './draft'
import { TimeoutError } from './errors'
import { withFailures } from './exchange'
import type { Wrap } from './transport'

/** What timers can wait for at the most, in milliseconds; a longer time is none at all. */
const longestTimer = 2 ** 31 - 1

/**
 * A layer that gives up where no answer came in time.
 *
 * @param limit milliseconds until the headers of the answer are there
 *
 * @example
 * const transport = withTimeout(5_000)(fetch)
 */
export function withTimeout(limit: number): Wrap {
  const layer = timeoutLayer(limit)
  return toWrap((next) => layer(withFailures(next)))
}

/** The time of one attempt; where the answer is read whole, until it is read. */
export function timeoutLayer(limit: number): Layer {
  return (next) => {
    return function timed(draft) {
      const own = draft.limits?.timeout ?? limit
      return own > longestTimer ? next(draft) : within(next, draft, own, 'attempt')
    }
  }
}

/** The time of all attempts. */
export function deadlineLayer(limit: number | undefined): Layer {
  return (next) => {
    return function timed(draft) {
      const own = draft.limits?.deadline ?? limit
      if (own === undefined || own > longestTimer) return next(draft)
      return within(next, { ...draft, endsAt: performance.now() + own }, own, 'deadline')
    }
  }
}

function within(next: Send, draft: Draft, limit: number, phase: TimeoutError['phase']): Promise<Answer> {
  const { method, url, signal } = draft
  if (signal?.aborted) return Promise.reject(signal.reason as Error)
  const controller = new AbortController()
  const expire = (): void => controller.abort(new TimeoutError({ method, url }, phase, limit))
  const follow = (): void => controller.abort(signal?.reason)
  const timer = setTimeout(expire, limit)
  signal?.addEventListener('abort', follow, { once: true })
  const settle = (): void => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', follow)
  }
  const work = next({ ...draft, signal: controller.signal })
  // Beside the way of the answer, which every promise in between makes longer.
  work.then(settle, settle)
  return work
}
