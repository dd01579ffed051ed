import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytes, docstore, type Driver } from 'kumu/docstore'
import { conformance, conformanceTests, type ConformanceOutcome } from 'kumu/docstore/conformance'
import { memory } from 'kumu/docstore/memory'
import { createClock } from './support/clock'
import { createDirectory } from './support/directories'

/** Titles of the tests that a driver fails. */
async function failuresOf(spoil: (driver: Driver, now: () => number) => Partial<Driver>): Promise<string[]> {
  const clock = createClock()
  const tests = conformanceTests({
    open() {
      const driver = memory({ now: clock.now, maxBody: 3_500_000, log: 200 })
      return Object.assign(Object.create(driver) as Driver, bind(driver), spoil(driver, clock.now))
    },
    clock,
    log: 200,
    rounds: 10,
    patience: 100,
  })
  const failed: string[] = []
  for (const { title, run } of tests) await run().catch(() => failed.push(title))
  return failed
}

/** What each test of the suite comes to. */
async function outcomesOf(open: (now: () => number) => Driver, log?: number): Promise<Outcomes> {
  const outcomes: Outcomes = {}
  const clock = createClock()
  const given = log === undefined ? {} : { log }
  for (const { section, title, run } of conformanceTests({ open: () => open(clock.now), ...given, rounds: 2, clock })) {
    outcomes[`${section}: ${title}`] = await run()
  }
  return outcomes
}

type Outcomes = Record<string, ConformanceOutcome>

function titlesWith(wanted: ConformanceOutcome, outcomes: Outcomes): string[] {
  return Object.keys(outcomes).filter((title) => outcomes[title] === wanted)
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

/** Runs the five lines of docs/docstore.md under `node:test`, over the driver that `./mine` exports: exit code and output. */
async function runExample(mine: string): Promise<{ readonly code: number; readonly output: string }> {
  const root = join(__dirname, '..', '..')
  const [, example] = /## A driver of your own[^]*?```ts\n([^]*?)```/.exec(
    readFileSync(join(root, 'docs', 'docstore.md'), 'utf8'),
  )!
  const dir = createDirectory()
  writeFileSync(join(dir, 'mine.ts'), mine)
  writeFileSync(join(dir, 'mine.test.ts'), example!)
  const script = ['--require', join(root, 'test', 'support', 'swc-register.cjs'), join(dir, 'mine.test.ts')]
  const child = spawn(process.execPath, script, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Buffer) => (output += String(piece)))
  const [code] = (await once(child, 'close')) as [number]
  expect(example!.trim().split('\n').filter(Boolean).length).toBeLessThanOrEqual(5)
  return { code, output }
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
    'deletes whatever the condition says': (driver) => ({ delete: (key) => driver.delete(key, {}) }),
    'tells everyone that they deleted it': (driver) => ({
      async delete(key, options) {
        const current = await driver.get(key, { body: false })
        await pause()
        if (options.if !== '*' || !current) return driver.delete(key, options)
        await driver.delete(key, {})
        return true
      },
    }),
    'takes what has expired for present': (driver, now) => ({
      put: (key, body, options) =>
        driver.put(key, body, options.expires === undefined ? options : { ...options, expires: now() + 1e9 }),
    }),
    'lists without order under writes': (driver) => ({
      async list(options) {
        const page = await driver.list(options)
        return { ...page, items: [...page.items].sort((a, b) => a.modified - b.modified || (a.key > b.key ? -1 : 1)) }
      },
    }),
    'gathers streams': (driver) => ({
      can: { ...driver.can, stream: true, maxBody: 48 * 1024 * 1024 },
      async put(key, body, options) {
        return driver.put(
          key,
          body instanceof Uint8Array ? body : await bytes({ body: ReadableStream.from(body) }),
          options,
        )
      },
    }),
    'ignores since': (driver) => ({ watch: ({ since: _, ...options }) => driver.watch!(options) }),
    'forgets the type': (driver) => ({
      put: (key, body, options) => driver.put(key, body, { ...options, type: 'a/b' }),
    }),
  }

  /** The tests that were written for these: others may catch them too. */
  const caughtBy: Record<string, readonly string[]> = {
    'deletes whatever the condition says': ['delete if null: none of 16 deletes what is there'],
    'tells everyone that they deleted it': ['delete if *: one of 16 wins'],
    'takes what has expired for present': [
      'put if null after an expiry: one of 16 wins',
      'takes what has expired as absent in the conditions of a batch',
    ],
    'lists without order under writes': ['shows every key that stays exactly once, whatever happens around it'],
    'gathers streams': ['streams 32 MiB in and out, and holds a part of it at a time'],
  }

  it.each(Object.entries(spoilers))(
    'catches a driver that %s',
    async (what, spoil) => {
      const failed = await failuresOf(spoil)
      expect(failed).not.toEqual([])
      expect(failed).toEqual(expect.arrayContaining(caughtBy[what] ?? []))
    },
    30_000,
  )

  it('is five lines under node:test: as the documentation has them, passed by a driver that keeps its word', async () => {
    const { code, output } = await runExample(`
      import { memory } from 'kumu/docstore/memory'
      export const mine = () => memory({ maxBody: 4_000_000 })
    `)
    expect([code, /# fail \d+/.exec(output)?.[0]]).toEqual([0, '# fail 0'])
    expect(Number(/# pass (\d+)/.exec(output)?.[1])).toBeGreaterThan(40)
    expect(Number(/# skipped (\d+)/.exec(output)?.[1])).toBeGreaterThan(3)
  })

  it('is five lines under node:test: failed where its tests fail', async () => {
    const { code, output } = await runExample(`
      export const mine = () => Promise.reject(new Error('The cupboard is locked'))
    `)
    expect(code).toBe(1)
    expect(output).toContain('The cupboard is locked')
    expect(output).toContain('# pass 0')
  })

  it('says which tests do not apply: of what is not declared, and of what was not given', async () => {
    const whole = await outcomesOf((now) => memory({ log: 100, maxBody: 4_000_000, now }), 100)
    expect(titlesWith('not given', whole)).toEqual([])
    expect(titlesWith('not declared', whole)).toEqual([
      'streams: streams 32 MiB in and out, and holds a part of it at a time',
      'watch: resumes behind a sequence from another opening of the store',
      'watch: follows the writers of other openings too, in order for each key',
      'close: keeps what was in flight when it was closed',
      'close: keeps documents and revisions over an opening',
    ])
    const bare = await outcomesOf((now) => {
      const driver = bind(memory({ maxBody: 4_000_000, now }))
      const can = { ...driver.can, watch: false, batch: false, order: false, durable: 'crash' } as const
      return { ...driver, can }
    })
    expect(titlesWith('not given', bare)).toEqual([
      'close: keeps what was in flight when it was closed',
      'close: keeps documents and revisions over an opening',
    ])
    const sections = titlesWith('not declared', bare).map((title) => title.split(': ')[0])
    expect(sections).toEqual(expect.arrayContaining(['batch', 'list', 'watch', 'close']))
    expect(titlesWith('passed', bare).filter((title) => /^(batch|watch):/.test(title))).toEqual([])
  })

  it('skips them where the runner hands over how to', async () => {
    const skipped: unknown[] = []
    const runs: Array<Promise<void>> = []
    conformance({
      name: 'memory',
      open: () => memory({ maxBody: 4_000_000 }),
      rounds: 2,
      clock: createClock(),
      describe: (_, define) => define(),
      it: (title, run) => {
        // Runners take a test with parameters for one that calls back.
        expect(run).toHaveLength(0)
        if (/^(streams 32|says gone|gives back)/.test(title))
          runs.push(run({ skip: (note: string) => skipped.push(note) }))
      },
    })
    await Promise.all(runs)
    expect(skipped.sort()).toEqual(['not declared', 'not given'])
  })

  it('is not needed for a store to refuse what its driver lacks', async () => {
    const { batch: _, watch: __, ...driver } = bind(memory())
    await expect(docstore(driver).batch([])).rejects.toMatchObject({ code: 'unsupported' })
    expect(() => docstore(driver).watch()).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })
})
