import { performance } from 'node:perf_hooks'
import { calibrate } from '../../bench/micro/timer'

function spin(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

describe('calibrate(run)', () => {
  it('a slow first call does not pass for all of them', () => {
    let calls = 0
    const batch = calibrate(() => {
      if (calls++ === 0) spin(30)
    })
    expect(batch).toBeGreaterThan(100)
  })

  it('a step that is slow by itself runs seldom', () => {
    expect(calibrate(() => spin(5))).toBe(1)
  })
})
