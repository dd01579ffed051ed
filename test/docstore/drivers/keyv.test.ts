import { conformance } from 'kumu/docstore/conformance'
import { keyv, type KeyvStorage } from '../../../src/docstore/drivers/keyv'
import { createClock } from '../support/clock'

const clock = createClock()
let storage: KeyvStorage = new Map()

conformance({
  name: 'keyv over a Map',
  open() {
    storage = new Map()
    return keyv(storage, { maxBody: 3 * 1024 * 1024, now: clock.now, durable: 'crash' })
  },
  reopen: () => keyv(storage, { now: clock.now }),
  clock,
  describe,
  it,
})

/** An adapter that takes its time, and lets others go first. */
function createAdapter(): KeyvStorage {
  const values = new Map<string, string>()
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    async get(key) {
      await pause()
      return values.get(key)
    },
    async set(key, value) {
      await pause()
      values.set(key, value)
      await pause()
    },
    async delete(key) {
      await pause()
      return values.delete(key)
    },
    async *iterator(namespace) {
      for (const entry of [...values]) {
        await pause()
        if (entry[0].startsWith(`${namespace}:`)) yield entry
      }
    },
  }
}

conformance({
  name: 'keyv over an adapter',
  open: () => keyv(createAdapter(), { now: clock.now }),
  clock,
  rounds: 10,
  describe,
  it,
})
