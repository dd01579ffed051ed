import fc from 'fast-check'
import { retriesFromBackoffMax, retriesFromWaittimeMax } from 'kumu/client'
import { backoffCeiling, backoffPause, parseRetryAfter } from '../../src/client/backoff'

describe('retriesFromBackoffMax(max)', () => {
  it.each([
    [100, 0],
    [500, 0],
    [750, 1],
    [900, 1],
    [8100, 4],
    [120_000, 8],
  ])('%d ms at a backoff of 750 ms: %d', (max, retries) => {
    expect(retriesFromBackoffMax(max)({ timeout: 1000, backoff: 750 })).toBe(retries)
  })

  it('is the most retries whose pauses keep the bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 119_999 }), fc.integer({ min: 1, max: 60_000 }), (max, backoff) => {
        const retries = retriesFromBackoffMax(max)({ timeout: 1, backoff })
        if (retries > 0) expect(backoffCeiling(retries, backoff)).toBeLessThanOrEqual(max)
        expect(backoffCeiling(retries + 1, backoff)).toBeGreaterThan(max)
      }),
    )
  })

  it.each([[120_001], [Number.NaN], [Number.POSITIVE_INFINITY]])('refuses %d, and names both', (max) => {
    expect(() => retriesFromBackoffMax(max)).toThrow(
      `retriesFromBackoffMax: ${max} ms is longer than the longest pause, 120000 ms.`,
    )
  })
})

describe('retriesFromWaittimeMax(max)', () => {
  it.each([
    [500, 750, 100_000, 7],
    [15_000, 500, 300_000, 8],
    [1000, 100, 300_000, 11],
    [5000, 2000, 300_000, 7],
    [1000, 100, 1000, 0],
    [1000, 100, 2000, 0],
    [1000, 100, 2001, 1],
  ])('timeout %d ms, backoff %d ms, %d ms in all: %d', (timeout, backoff, max, retries) => {
    expect(retriesFromWaittimeMax(max)({ timeout, backoff })).toBe(retries)
  })

  it('is the most retries with which the whole is strictly below the bound', () => {
    const total = (retries: number, timeout: number, backoff: number): number => {
      let sum = 2 * timeout
      for (let k = 1; k < retries; k++) sum += timeout + Math.min(120_000, 2 ** k * backoff)
      return sum
    }
    const settings = fc.record({
      timeout: fc.integer({ min: 1, max: 60_000 }),
      backoff: fc.integer({ min: 1, max: 10_000 }),
      over: fc.integer({ min: 0, max: 1_000_000 }),
    })
    fc.assert(
      fc.property(settings, ({ timeout, backoff, over }) => {
        const max = timeout + over
        const retries = retriesFromWaittimeMax(max)({ timeout, backoff })
        if (retries > 0) expect(total(retries, timeout, backoff)).toBeLessThan(max)
        expect(total(retries + 1, timeout, backoff)).toBeGreaterThanOrEqual(max)
      }),
    )
  })

  it('refuses less than one attempt', () => {
    expect(() => retriesFromWaittimeMax(999)({ timeout: 1000, backoff: 1 })).toThrow(
      'retriesFromWaittimeMax: 999 ms is shorter than the timeout of one attempt, 1000 ms.',
    )
  })
})

describe('backoffPause(retry, backoff, random)', () => {
  it('doubles, is capped at two minutes, and is jittered from nothing to all of it', () => {
    expect([1, 2, 3, 4, 9, 10, 30].map((retry) => backoffCeiling(retry, 300))).toEqual([
      300, 600, 1200, 2400, 76_800, 120_000, 120_000,
    ])
    expect([0, 0.25, 1].map((random) => backoffPause(3, 300, random))).toEqual([0, 300, 1200])
  })
})

describe('parseRetryAfter(header, now)', () => {
  const now = Date.parse('2024-01-01T00:00:00Z')
  it.each([
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7000],
    ['Mon, 01 Jan 2024 00:00:30 GMT', 30_000],
    ['Sun, 31 Dec 2023 23:59:00 GMT', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
  ])('%j: %p ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected)
  })
})
