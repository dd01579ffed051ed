import { conformance } from 'kumu/docstore/conformance'
import { file } from 'kumu/docstore/file'
import { createClock } from '../support/clock'
import { createDirectory } from '../support/directories'

const clock = createClock()
let dir = ''

conformance({
  name: 'file',
  open() {
    dir = createDirectory()
    return file({ dir, maxBody: 4 * 1024 * 1024, now: clock.now })
  },
  reopen: () => file({ dir, now: clock.now }),
  clock,
  describe,
  it,
})
