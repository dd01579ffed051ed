import { docstore, type Driver } from 'kumu/docstore'
import { conformance } from 'kumu/docstore/conformance'
import { memory } from 'kumu/docstore/memory'
import { createClock } from './support/clock'

/** Titles of the tests that a driver fails. */
async function failuresOf(spoil: (driver: Driver, now: () => number) => Partial<Driver>): Promise<string[]> {
  const clock = createClock()
  const tests: Array<{ title: string; run: () => Promise<void> }> = []
  conformance({
    name: 'spoiled',
    open() {
      const driver = memory({ now: clock.now, maxBody: 3_500_000, log: 200 })
      return Object.assign(Object.create(driver) as Driver, bind(driver), spoil(driver, clock.now))
    },
    clock,
    log: 200,
    rounds: 10,
    patience: 100,
    describe: (_, define) => define(),
    it: (title, run) => tests.push({ title, run }),
  })
  const failed: string[] = []
  for (const { title, run } of tests) await run().catch(() => failed.push(title))
  return failed
}

function bind(driver: Driver): Driver {
  return {
    name: driver.name,
    can: driver.can,
    get: (...args) => driver.get(...args),
    put: (...args) => driver.put(...args),
    delete: (...args) => driver.delete(...args),
    list: (...args) => driver.list(...args),
    batch: (...args) => driver.batch!(...args),
    watch: (...args) => driver.watch!(...args),
    close: () => driver.close(),
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('conformance({ open, describe, it })', () => {
  it('passes a driver that keeps its word', async () => {
    expect(await failuresOf(() => ({}))).toEqual([])
  }, 30_000)

  const spoilers: Record<string, Parameters<typeof failuresOf>[0]> = {
    'ignores conditions': (driver) => ({
      put: (key, body, options) => driver.put(key, body, { ...options, if: undefined }),
    }),
    'checks first and writes later': (driver) => ({
      async put(key, body, options) {
        const current = await driver.get(key, { body: false })
        await pause()
        const isAllowed =
          options.if === undefined ||
          (options.if === null ? !current : options.if === '*' ? current : current?.rev === options.if)
        return driver.put(key, body, { ...options, if: isAllowed ? undefined : options.if })
      },
    }),
    'ignores the expiry': (driver) => ({
      put: (key, body, { expires: _, ...options }) => driver.put(key, body, options),
    }),
    'counts revisions by key': (driver) => {
      const counts = new Map<string, number>()
      return {
        async put(key, body, options) {
          const meta = await driver.put(key, body, options)
          counts.set(key, (counts.get(key) ?? 0) + 1)
          return { ...meta, rev: String(counts.get(key)) }
        },
        async delete(key, options) {
          counts.delete(key)
          return driver.delete(key, options)
        },
      }
    },
    'includes the key it should go on behind': (driver) => ({
      list: ({ after, ...options }) => driver.list({ ...options, after: after?.slice(0, -1) || undefined }),
    }),
    'says complete too early': (driver) => ({
      async list(options) {
        return { items: (await driver.list(options)).items }
      },
    }),
    'does batches one by one': (driver) => ({
      async batch(ops) {
        const metas = []
        for (const op of ops) {
          if (op.op === 'put') metas.push(await driver.put(op.key, op.body, op.options))
          else await driver.delete(op.key, op.options)
        }
        return metas
      },
    }),
    'loses the last byte of a range': (driver) => ({
      get: (key, { range, body }) =>
        driver.get(key, { body, range: range && [range[0], Math.max(range[0], range[1] - 1)] }),
    }),
    'folds the case of keys': (driver) => ({
      get: (key, options) => driver.get(key.toLowerCase(), options),
      put: (key, body, options) => driver.put(key.toLowerCase(), body, options),
    }),
    'starts a feed where it was first read': (driver) => ({
      async *watch(options) {
        await pause()
        yield* driver.watch!(options)
      },
    }),
    'never ends a feed': (driver) => ({
      watch: ({ signal: _, ...options }) => driver.watch!({ ...options, signal: AbortSignal.timeout(200) }),
    }),
    'ignores since': (driver) => ({ watch: ({ since: _, ...options }) => driver.watch!(options) }),
    'forgets the type': (driver) => ({
      put: (key, body, options) => driver.put(key, body, { ...options, type: 'a/b' }),
    }),
  }

  it.each(Object.entries(spoilers))(
    'catches a driver that %s',
    async (_, spoil) => {
      const failed = await failuresOf(spoil)
      expect(failed).not.toEqual([])
    },
    30_000,
  )

  it('is not needed for a store to refuse what its driver lacks', async () => {
    const { batch: _, watch: __, ...driver } = bind(memory())
    await expect(docstore(driver).batch([])).rejects.toMatchObject({ code: 'unsupported' })
    expect(() => docstore(driver).watch()).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })
})
