import { pause } from './abort'
import { backoffPause, longestPause, parseRetryAfter } from './backoff'
import { toWrap, type Answer, type Draft, type Layer } from './draft'
import { withFailures } from './exchange'
import { NetworkError, TimeoutError } from './errors'
import type { Wrap } from './transport'

/** What happened before another attempt. */
export interface Retry {
  readonly method: string
  readonly url: string
  /** 1 for the first retry. */
  readonly retry: number
  /** Milliseconds until it is made. */
  readonly pause: number
  /** The status that was answered; none where nobody answered. */
  readonly status?: number
  /** Why nobody answered. */
  readonly error?: Error
}

/** When requests are sent again. */
export interface RetryOptions {
  /** Retries after the first attempt at the most. Default 10. */
  readonly retries?: number
  /** Milliseconds that the first pause lasts at the most; it doubles with every retry, to 120,000. Default 300. */
  readonly backoff?: number
  /** Called before each pause. */
  readonly onRetry?: (retry: Retry) => void
}

// RFC 9110 §9.2.2.
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/**
 * A layer that repeats requests which may be repeated: those of idempotent methods, and those with an `Idempotency-Key`. It
 * does so after 408, 429, 500, 502, 503, 504 and faults of the network, for a while that `Retry-After` says, or that grows
 * exponentially with full jitter. A server that asks for more than two minutes is given up.
 *
 * @see RFC 9110 §9.2.2, §10.2.3
 *
 * @example
 * const transport = withRetry({ retries: 3 })(fetch)
 */
export function withRetry(options: RetryOptions = {}): Wrap {
  const { retries = 10, backoff = 300, onRetry } = options
  const layer = retryLayer({ retries, backoff, onRetry })
  return toWrap((next) => layer(withFailures(next)))
}

/** As {@link withRetry}, for drafts. */
export function retryLayer({
  retries,
  backoff,
  onRetry,
}: RetryOptions & Required<Omit<RetryOptions, 'onRetry'>>): Layer {
  return (next) => {
    return async function retried(draft) {
      for (let retry = 1; ; retry++) {
        let answer: Answer | undefined
        let error: unknown
        try {
          answer = await next(draft)
          if (!passing.has(answer.response.status)) return answer
        } catch (failure) {
          if (!isTransient(failure)) throw failure
          error = failure
        }
        const most = draft.limits?.retries ?? retries
        const wait = retry > most || !mayRepeat(draft) ? undefined : toPause(answer, retry, backoff, draft.endsAt)
        if (wait === undefined) {
          if (answer) return answer
          throw error
        }
        // What nobody reads keeps its connection.
        if (answer && answer.content === undefined) await answer.response.body?.cancel()
        onRetry?.(toRetry(draft, retry, wait, answer, error))
        await pause(wait, draft.signal)
      }
    }
  }
}

function mayRepeat({ method, headers, replayable, limits }: Draft): boolean {
  if (!replayable) return false
  return limits?.idempotent ?? (idempotent.has(method) || headers['idempotency-key'] !== undefined)
}

function isTransient(error: unknown): boolean {
  if (error instanceof TimeoutError) return error.phase === 'attempt'
  return error instanceof NetworkError && error.transient
}

/** Nothing where it is not worth waiting: the deadline comes first, or the server asks for too much. */
function toPause(
  answer: Answer | undefined,
  retry: number,
  backoff: number,
  endsAt: number | undefined,
): number | undefined {
  const header = answer?.response.headers.get('retry-after')
  const asked = header ? parseRetryAfter(header, Date.now()) : undefined
  const wait = asked ?? backoffPause(retry, backoff, Math.random())
  if (wait > longestPause) return undefined
  return endsAt !== undefined && performance.now() + wait >= endsAt ? undefined : wait
}

function toRetry(
  { method, url }: Draft,
  retry: number,
  wait: number,
  answer: Answer | undefined,
  error: unknown,
): Retry {
  const facts = { method, url, retry, pause: wait }
  return answer ? { ...facts, status: answer.response.status } : { ...facts, error: error as Error }
}
