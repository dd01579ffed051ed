import { join } from 'node:path'
import fc from 'fast-check'
import { bytes, docstore, type Driver, StoreError, type Store } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { postgres } from 'kumu/docstore/postgres'
import { sqlite } from 'kumu/docstore/sqlite'
import { nats } from '../../src/docstore/drivers/nats'
import { redis } from '../../src/docstore/drivers/redis'
import { createClock } from './support/clock'
import { createDirectory } from './support/directories'
import { createBuckets } from './support/nats'
import { Disk } from './support/power-loss'
import { createPrefixes } from './support/redis'
import { describeWithService } from './support/services'
import { createTables } from './support/tables'
import './support/typescript-workers'

/** The condition of a step: which of the revisions so far of the same key, or one of the others. */
type Condition = number | '*' | null | undefined

type Step =
  | {
      readonly do: 'put'
      readonly key: string
      readonly size: number
      readonly if: Condition
      readonly ttl?: number
      readonly stream: boolean
    }
  | { readonly do: 'delete'; readonly key: string; readonly if: Condition }
  | { readonly do: 'get'; readonly key: string; readonly range?: readonly [number, number] }
  | {
      readonly do: 'list'
      readonly prefix: string
      readonly after?: string
      readonly limit: number
      readonly reverse: boolean
    }
  | { readonly do: 'wait'; readonly duration: number }

const key = fc.constantFrom('a', 'A', 'a-', 'ab', 'b', `Z${'z'.repeat(240)}`)
const condition = fc.oneof(fc.constantFrom('*' as const, null, undefined, undefined), fc.nat(3))
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      size: fc.oneof(fc.nat(50), fc.constantFrom(0, 70_000)),
      if: condition,
      ttl: fc.option(fc.integer({ min: -5, max: 40 }), { nil: undefined }),
      stream: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), key, if: condition }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      key,
      range: fc.option(
        fc.tuple(fc.nat(60), fc.nat(80_000)).map(([first, more]) => [first, first + more] as const),
        { nil: undefined },
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      prefix: fc.constantFrom('', 'a', 'Z'),
      after: fc.option(key, { nil: undefined }),
      limit: fc.integer({ min: 1, max: 4 }),
      reverse: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), duration: fc.nat(30) }) },
)

/** A store under test, and the revisions it gave: those of two stores differ, their places do not. */
class Subject {
  readonly clock = createClock()
  readonly store: Store
  readonly #revs = new Map<string, string[]>()

  constructor(open: (now: () => number) => Driver) {
    this.store = docstore(open(this.clock.now))
  }

  /** What a step comes to, in terms that two stores share. */
  async run(each: Step): Promise<unknown> {
    try {
      return await this.#run(each)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      return { code: error.code, current: error.current && this.#shared(error.current) }
    }
  }

  async #run(each: Step): Promise<unknown> {
    const { store, clock } = this
    if (each.do === 'wait') return void clock.advance(each.duration)
    if (each.do === 'list') {
      // Two drivers may cut their pages differently; what these hold in all is the same.
      const shared: unknown[] = []
      let after = each.after
      do {
        const page = await store.list({ ...each, after })
        shared.push(...page.items.map((item) => this.#shared(item)))
        after = page.next
      } while (after !== undefined)
      return shared
    }
    if (each.do === 'get') {
      const doc = await store.get(each.key, { range: each.range })
      return doc && { ...this.#shared(doc), bytes: Buffer.from(await bytes(doc)).toString('latin1') }
    }
    const cond = typeof each.if === 'number' ? (this.#revs.get(each.key)?.at(-1 - each.if) ?? 'none') : each.if
    if (each.do === 'delete') return store.delete(each.key, { if: cond })
    const body = Buffer.alloc(each.size, 'xyz')
    const expires = each.ttl === undefined ? undefined : clock.now() + each.ttl
    const meta = await store.put(each.key, each.stream ? ReadableStream.from([body]) : body, {
      if: cond,
      expires,
      type: `test/${each.size}`,
    })
    this.#revs.set(each.key, [...(this.#revs.get(each.key) ?? []), meta.rev])
    return this.#shared(meta)
  }

  #shared(meta: { key: string; rev: string; size: number; type: string; modified: number; expires?: number }): object {
    const { key: name, rev, size, type, modified, expires } = meta
    return { name, place: this.#revs.get(name)?.indexOf(rev), size, type, modified, expires }
  }
}

describe.each<[string, (now: () => number) => Driver, number]>([
  ['file on a disk in memory', (now) => file({ dir: '/data', fs: new Disk().fileSystem(), now }), 100],
  ['file', (now) => file({ dir: createDirectory(), now }), 40],
  ['level', (now) => level({ dir: createDirectory(), now }), 100],
  ['sqlite', (now) => sqlite({ file: join(createDirectory(), 'store.db'), now }), 40],
])('%s, step by step', (_, open, numRuns) => itDoesWhatMemoryDoes(open, numRuns))

describeWithService('postgres', (url) => {
  const tables = createTables(url)
  itDoesWhatMemoryDoes((now) => postgres({ url, table: tables.next(), now, pool: { max: 2 } }), 30)
})

describeWithService('redis', (url) => {
  const createPrefix = createPrefixes(url)
  itDoesWhatMemoryDoes((now) => redis({ url, prefix: createPrefix(), now }), 40)
})

describeWithService('nats', (servers) => {
  const createBucket = createBuckets(servers)
  itDoesWhatMemoryDoes((now) => nats({ servers, bucket: createBucket(), storage: 'memory', now }), 15)
})

function itDoesWhatMemoryDoes(open: (now: () => number) => Driver, numRuns: number): void {
  it('does what memory() does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const [subject, oracle] = [new Subject(open), new Subject((now) => memory({ now }))]
        try {
          for (const each of steps) {
            const actual = await subject.run(each)
            expect(actual).toEqual(await oracle.run(each))
          }
          const everything = { do: 'list', prefix: '', limit: 1000, reverse: false } as const
          expect(await subject.run(everything)).toEqual(await oracle.run(everything))
        } finally {
          await subject.store.close()
          await oracle.store.close()
        }
      }),
      { numRuns, seed: 20_080_901 },
    )
  }, 60_000)
}
