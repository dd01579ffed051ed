import { ConfigurationError } from '../errors'
import { parseHttpDate } from '../http/conditional'

/** Milliseconds that no pause before a retry exceeds. */
export const longestPause = 120_000

/** What the number of retries can be calculated from. */
export interface BackoffFacts {
  /** Milliseconds for one attempt. */
  readonly timeout: number
  /** Milliseconds that the first pause lasts at the most. */
  readonly backoff: number
}

/** How many retries a client makes, from its other settings. */
export type RetryCalculator = (facts: BackoffFacts) => number

/**
 * The longest pause before a retry: `backoff`, doubled with every retry, two minutes at the most.
 *
 * @param retry 1 for the first
 * @param backoff milliseconds
 *
 * @example
 * backoffCeiling(3, 300) // 1200
 */
export function backoffCeiling(retry: number, backoff: number): number {
  return Math.min(longestPause, backoff * 2 ** (retry - 1))
}

/**
 * The pause before a retry: anything up to {@link backoffCeiling} ("full jitter"), so that clients which failed together do
 * not come back together.
 *
 * @param retry 1 for the first
 * @param backoff milliseconds
 * @param random a number from 0 to 1
 */
export function backoffPause(retry: number, backoff: number, random: number): number {
  return backoffCeiling(retry, backoff) * random
}

/**
 * Parses `Retry-After`.
 *
 * @param header seconds or a date
 * @param now milliseconds since the epoch
 * @returns milliseconds to wait; nothing where it is malformed
 * @see RFC 9110 §10.2.3
 *
 * @example
 * parseRetryAfter('120', Date.now()) // 120000
 */
export function parseRetryAfter(header: string, now: number): number | undefined {
  const text = header.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = parseHttpDate(text)
  return date && Math.max(0, date.getTime() - now)
}

/**
 * As many retries as keep every pause within a bound.
 *
 * @param max milliseconds, 120,000 at the most
 * @throws ConfigurationError where the bound is above that
 *
 * @example
 * createClient('https://host/api', { backoff: 750, retries: retriesFromBackoffMax(8_100) }) // 4 retries
 */
export function retriesFromBackoffMax(max: number): RetryCalculator {
  if (!(max <= longestPause)) {
    throw new ConfigurationError(
      'retriesFromBackoffMax',
      `${max} ms is longer than the longest pause, ${longestPause} ms`,
      'Give a smaller bound',
    )
  }
  return ({ backoff }) => Math.max(0, Math.floor(Math.log2(max / backoff) + 1))
}

/**
 * As many retries as keep the whole call below a bound, where every attempt takes its whole time and pauses are as
 * rest-tools has them: none before the first retry, `2^k × backoff` after the k-th. Ours are half of that on average.
 *
 * @param max milliseconds
 * @returns a calculator that throws a ConfigurationError where the bound is shorter than one attempt
 *
 * @example
 * createClient('https://host/api', { timeout: 15_000, backoff: 100, retries: retriesFromWaittimeMax(300_000) }) // 8
 */
export function retriesFromWaittimeMax(max: number): RetryCalculator {
  return ({ timeout, backoff }) => {
    if (!(max >= timeout)) {
      throw new ConfigurationError(
        'retriesFromWaittimeMax',
        `${max} ms is shorter than the timeout of one attempt, ${timeout} ms`,
        'Give a longer time, or a shorter timeout',
      )
    }
    let retries = 0
    // Before the first pause there are two attempts; with one retry more the whole is still strictly below the bound.
    for (let total = 2 * timeout; total < max; retries++) {
      total += timeout + Math.min(longestPause, 2 ** (retries + 1) * backoff)
    }
    return retries
  }
}
