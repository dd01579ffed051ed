import type { ConformanceOptions } from 'kumu/docstore/conformance'

/** A clock that goes only where it is moved to. */
export function createClock(start = 1_700_000_000_000): Required<ConformanceOptions>['clock'] {
  let time = start
  return {
    now: () => time,
    advance(duration) {
      time += duration
    },
  }
}
