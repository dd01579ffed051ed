import { conformance } from 'kumu/docstore/conformance'
import { level } from 'kumu/docstore/level'
import { createClock } from '../support/clock'
import { createDirectory } from '../support/directories'

const clock = createClock()
let dir = ''

conformance({
  name: 'level',
  open() {
    dir = createDirectory()
    return level({ dir, maxBody: 4 * 1024 * 1024, log: 200, now: clock.now })
  },
  reopen: () => level({ dir, log: 200, now: clock.now }),
  clock,
  log: 200,
  describe,
  it,
})
