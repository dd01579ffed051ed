import { join } from 'node:path'
import { conformance } from 'kumu/docstore/conformance'
import { sqlite } from 'kumu/docstore/sqlite'
import { createClock } from '../support/clock'
import { createDirectory } from '../support/directories'
import '../support/typescript-workers'

const clock = createClock()
let file = ''

conformance({
  name: 'sqlite',
  open() {
    file = join(createDirectory(), 'store.db')
    return sqlite({ file, maxBody: 4 * 1024 * 1024, log: 200, now: clock.now, index: ['i', 'deep.i'] })
  },
  reopen: () => sqlite({ file, log: 200, now: clock.now, index: ['i', 'deep.i'] }),
  clock,
  log: 200,
  describe,
  it,
})
