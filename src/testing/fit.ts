import { isDeepStrictEqual } from 'node:util'

/** What decides by itself whether it fits: those of jest and vitest, {@link exactly}. */
export interface Matcher {
  asymmetricMatch(received: unknown): boolean
}

/**
 * The value that would have fitted: what was received, with what was expected in all places where it does not fit. The two
 * are the same where it fits.
 *
 * @param expected members that an object must have; lists as a whole; a RegExp for text; a {@link Matcher}
 * @param received what came
 */
export function fit(expected: unknown, received: unknown): unknown {
  if (isMatcher(expected)) return expected.asymmetricMatch(received) ? received : expected
  if (expected instanceof RegExp) return typeof received === 'string' && expected.test(received) ? received : expected
  if (Array.isArray(expected)) {
    const list: readonly unknown[] = Array.isArray(received) ? received : []
    return expected.map((each: unknown, index) => fit(each, list[index]))
  }
  if (isPlain(expected)) return fitMembers(expected, isPlain(received) ? received : {})
  return isDeepStrictEqual(expected, received) ? received : expected
}

function fitMembers(expected: Members, received: Members): Members {
  const fitted = { ...received }
  for (const [name, value] of Object.entries(expected)) {
    // What is expected to be undefined is expected to be absent.
    if (value === undefined) delete fitted[name]
    else fitted[name] = fit(value, Object.hasOwn(received, name) ? received[name] : undefined)
  }
  return fitted
}

/**
 * Expects a value as a whole: where it stands, objects may have no members that are not named.
 *
 * @param value what is expected
 *
 * @example
 * await api.expect('GET', '/fruits/apple', 200, exactly({ name: 'apple' }))
 */
export function exactly(value: unknown): Matcher {
  return new Exactly(value)
}

class Exactly implements Matcher {
  constructor(readonly value: unknown) {}

  asymmetricMatch(received: unknown): boolean {
    return isDeepStrictEqual(this.value, received)
  }
}

/** What a printed difference shows of an expected value: an exact one is itself. */
export function toShown(value: unknown): unknown {
  if (value instanceof Exactly) return value.value
  if (Array.isArray(value)) return value.map(toShown)
  if (!isPlain(value) || isMatcher(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toShown(each)]))
}

type Members = Record<string, unknown>

function isPlain(value: unknown): value is Members {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function isMatcher(value: unknown): value is Matcher {
  return typeof (value as Partial<Matcher> | null | undefined)?.asymmetricMatch === 'function'
}
