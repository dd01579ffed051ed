import { conformance } from 'kumu/docstore/conformance'
import { nats } from '../../../src/docstore/drivers/nats'
import { createClock } from '../support/clock'
import { createBuckets } from '../support/nats'
import { describeWithService } from '../support/services'

describeWithService('nats', (servers) => {
  const createBucket = createBuckets(servers)
  const clock = createClock()
  let bucket = ''

  conformance({
    name: 'nats',
    async open() {
      bucket = createBucket()
      const driver = nats({ servers, bucket, now: clock.now })
      // What it can is known when the server has been asked.
      await driver.ping!()
      return driver
    },
    reopen: () => nats({ servers, bucket, now: clock.now }),
    clock,
    describe,
    it,
  })
})
