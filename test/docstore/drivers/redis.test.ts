import { conformance } from 'kumu/docstore/conformance'
import { redis } from '../../../src/docstore/drivers/redis'
import { createClock } from '../support/clock'
import { createPrefixes } from '../support/redis'
import { describeWithService } from '../support/services'

describeWithService('redis', (url) => {
  const createPrefix = createPrefixes(url)
  let prefix = ''

  conformance({
    name: 'redis',
    open() {
      prefix = createPrefix()
      return redis({ url, prefix, maxBody: 4 * 1024 * 1024, log: 200 })
    },
    reopen: () => redis({ url, prefix, maxBody: 4 * 1024 * 1024, log: 200 }),
    log: 200,
    describe,
    it,
  })

  const clock = createClock()

  conformance({
    name: 'redis, by the clock of its clients',
    open() {
      prefix = createPrefix()
      return redis({ url, prefix, maxBody: 4 * 1024 * 1024, log: 200, now: clock.now })
    },
    reopen: () => redis({ url, prefix, log: 200, now: clock.now }),
    clock,
    log: 200,
    describe,
    it,
  })
})
