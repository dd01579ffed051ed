import bounds from '../../bench/guard.json'
import { verdictOf } from '../../bench/modes/guard'
import { growthOf } from '../../bench/modes/memory'
import { workloads } from '../../bench/workloads/all'

describe('bench/guard.json', () => {
  it.each(Object.entries(bounds))('%s: %d is a ratio of a workload', (id, bound) => {
    expect(workloads.map((workload) => workload.id)).toContain(id)
    expect(bound).toBeGreaterThan(0)
    expect(bound).toBeLessThanOrEqual(1)
  })
})

describe('verdictOf(ratio, bound)', () => {
  it.each([
    [0.7, 0.65, 'ok'],
    [0.65, 0.65, 'ok'],
    [0.64, 0.65, 'TOO SLOW'],
    [NaN, 0.65, 'TOO SLOW'],
  ])('%d of %d: %s', (ratio, bound, verdict) => {
    expect(verdictOf(ratio, bound)).toBe(verdict)
  })
})

describe('growthOf(sample)', () => {
  it('in percent of the earlier heap', () => {
    expect(growthOf({ early: 20, late: 25 })).toBe(25)
    expect(growthOf({ early: 20, late: 19 })).toBe(-5)
  })
})
