import { conformance } from 'kumu/docstore/conformance'
import { postgres } from 'kumu/docstore/postgres'
import { createClock } from '../support/clock'
import { describeWithService } from '../support/services'
import { createTables } from '../support/tables'

describeWithService('postgres', (url) => {
  const clock = createClock()
  const tables = createTables(url)
  let table = ''
  const options = { url, log: 200, now: clock.now, index: ['i', 'deep.i'] }

  conformance({
    name: 'postgres',
    open() {
      table = tables.next()
      return postgres({ ...options, table, maxBody: 4 * 1024 * 1024 })
    },
    reopen: () => postgres({ ...options, table }),
    clock,
    log: 200,
    rounds: 20,
    describe,
    it,
  })
})
