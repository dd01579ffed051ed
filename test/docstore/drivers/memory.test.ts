import { conformance } from 'kumu/docstore/conformance'
import { memory } from 'kumu/docstore/memory'
import { createClock } from '../support/clock'

const clock = createClock()

conformance({
  name: 'memory',
  open: () => memory({ maxBody: 4 * 1024 * 1024, log: 200, now: clock.now }),
  clock,
  log: 200,
  describe,
  it,
})
