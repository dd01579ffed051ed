import { join } from 'node:path'
import fc from 'fast-check'
import { docstore, type Query, type QuerySort, type QueryValue, type Store } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'
import { postgres } from 'kumu/docstore/postgres'
import { sqlite } from 'kumu/docstore/sqlite'
import { compareSortValues, toQueryValue } from '../../src/docstore/query'
import { toToken } from '../../src/docstore/query-tokens'
import { compareKeys, toKeyValue } from '../../src/route/cursor'
import { createDirectory } from './support/directories'
import { describeWithService } from './support/services'
import { createTables } from './support/tables'
import './support/typescript-workers'

/** Code units of every kind: a text of two kinds in one comparison is where orders part. */
const anyText = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc
    .array(
      fc.constantFrom(
        0,
        1,
        2,
        0x22,
        0x5c,
        0x61,
        0x7f,
        0x80,
        0xd7ff,
        0xd800,
        0xdbff,
        0xdc00,
        0xdfff,
        0xe000,
        0xfeff,
        0xffff,
      ),
      {
        maxLength: 4,
      },
    )
    .map((units) => String.fromCharCode(...units)),
  fc.integer({ min: 495, max: 505 }).map((length) => 'a'.repeat(length)),
)

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-0, 2 ** 53, 2 ** 53 + 2, 1e21, -1e21, 5e-324, 1.7976931348623157e308),
)

const scalar: fc.Arbitrary<QueryValue> = fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null))

describe('compareSortValues(left, right, sort)', () => {
  const anything = fc.oneof(scalar, fc.constantFrom(undefined, NaN, Infinity, {}, []))
  const sorts = [false, true].map((descending): QuerySort => ({ name: 'a', descending }))

  it('orders as the lists of the router do', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anything, anything), { minLength: 2, maxLength: 2 }), fc.nat(3), (rows, which) => {
        const sort = [sorts[which & 1]!, sorts[which >> 1]!]
        const [left, right] = rows.map((row) => row.map(toQueryValue))
        const [leftKeys, rightKeys] = rows.map((row) => row.map(toKeyValue))
        expect(rows.map((row) => row.map(toQueryValue))).toEqual([leftKeys, rightKeys])
        expect(Math.sign(compareSortValues(left!, right!, sort))).toBe(
          Math.sign(compareKeys(leftKeys!, rightKeys!, sort)),
        )
      }),
      { numRuns: 2000, seed: 20_080_901 },
    )
  })

  it('orders as the bytes of the tokens do', () => {
    const token = (value: QueryValue): Buffer => Buffer.from(toToken(value) ?? 'z', 'utf8')
    fc.assert(
      fc.property(scalar, scalar, (left, right) => {
        expect(Buffer.compare(token(left), token(right))).toBe(
          Math.sign(compareSortValues([left], [right], [sorts[0]!])),
        )
        // No text of a token is changed by being written as UTF-8, and PostgreSQL takes it.
        for (const value of [left, right]) expect(token(value).toString('utf8')).toBe(toToken(value) ?? 'z')
        expect(token(left).includes(0)).toBe(false)
      }),
      { numRuns: 5000, seed: 20_080_901 },
    )
  })
})

interface Shelf {
  readonly documents: ReadonlyArray<readonly [key: string, value: unknown]>
  readonly query: Query
}

const names = ['i', 'n', 'o.i', 'o.n', 'o', 'ö"\'$'] as const

/** Few values, so that they meet. */
const value = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<QueryValue[]>(
      0,
      1,
      -1,
      1.5,
      '',
      '1',
      'a',
      'b',
      '\u{1f600}',
      '\uffff',
      true,
      false,
      null,
    ),
  },
  { weight: 1, arbitrary: scalar },
)
const member = fc.oneof({ weight: 6, arbitrary: value }, { weight: 1, arbitrary: fc.array(value, { maxLength: 3 }) })
const key = fc.stringMatching(/^[aAb_-]{1,3}$/)
const plain = fc.dictionary(fc.constantFrom('i', 'n', 'o', 'ö"\'$'), member, { maxKeys: 4 })
const document = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(plain, plain).map(([outer, inner]) => ({ ...outer, o: inner })) },
  { weight: 1, arbitrary: plain },
  { weight: 1, arbitrary: member },
)
const sort = fc.uniqueArray(fc.record({ name: fc.constantFrom(...names), descending: fc.boolean() }), {
  maxLength: 3,
  selector: ({ name }) => name,
})
const shelf: fc.Arbitrary<Shelf> = fc
  .record({
    documents: fc.uniqueArray(fc.tuple(key, document), { maxLength: 12, selector: ([each]) => each }),
    sort,
    place: fc.record({ values: fc.array(value, { minLength: 3, maxLength: 3 }), key }),
    isBehind: fc.boolean(),
    where: fc.dictionary(fc.constantFrom(...names), fc.array(value, { maxLength: 3 }), { maxKeys: 2 }),
    prefix: fc.constantFrom(undefined, undefined, 'a', 'b-'),
    offset: fc.constantFrom(0, 0, 1, 3),
    limit: fc.nat(5),
    count: fc.boolean(),
  })
  .map(({ documents, place, isBehind, ...query }) => ({
    documents,
    query: {
      ...query,
      ...(isBehind ? { after: { values: place.values.slice(0, query.sort.length), key: place.key } } : {}),
    },
  }))

/** What a query means, said once more and as plainly as can be. */
function expected({ documents, query }: Shelf): { keys: string[]; total: number; more: boolean } {
  const { prefix = '', where = {}, sort: order = [], offset = 0, limit, after } = query
  const read = (from: unknown, name: string): unknown =>
    name.split('.').reduce<unknown>((at, part) => {
      const isObject = typeof at === 'object' && at !== null && !Array.isArray(at)
      return isObject ? (at as Record<string, unknown>)[part] : undefined
    }, from)
  const passing = documents.filter(([each, body]) => {
    const isMet = Object.entries(where).every(([name, values]) => {
      const found = read(body, name)
      const some = Array.isArray(found) ? (found as unknown[]) : [found]
      return some.some((one) => values.some((wanted) => toKeyValue(one) === toKeyValue(wanted)))
    })
    return each.startsWith(prefix) && isMet
  })
  const compare = (left: readonly [QueryValue[], string], right: readonly [QueryValue[], string]): number =>
    compareKeys(left[0], right[0], order) || (left[1] < right[1] ? -1 : left[1] > right[1] ? 1 : 0)
  const rows = passing
    .map(([each, body]) => [order.map(({ name }) => toKeyValue(read(body, name)) as QueryValue), each] as const)
    .filter((row) => !after || compare([[...row[0]], row[1]], [[...after.values], after.key]) > 0)
    .sort((left, right) => compare([[...left[0]], left[1]], [[...right[0]], right[1]]))
  return {
    keys: rows.slice(offset, offset + limit).map(([, each]) => each),
    total: passing.length,
    more: rows.length > offset + limit,
  }
}

/** The same answers of a driver as in the oracle, over documents of all kinds. */
function answersAlike(open: () => Store, numRuns: number): void {
  it('answers every query as it is meant', async () => {
    const store = open()
    try {
      await fc.assert(
        fc.asyncProperty(shelf, async (each) => {
          for (const { key: old } of (await store.list({ limit: 1000 })).items) await store.delete(old)
          for (const [name, body] of each.documents) {
            await store.put(name, JSON.stringify(body), { type: 'application/json' })
          }
          const page = await store.query(each.query)
          const { keys, total, more } = expected(each)
          expect(page.items.map(({ meta }) => meta.key)).toEqual(keys)
          expect({ total: page.total, more: page.more }).toEqual({ total: each.query.count ? total : undefined, more })
          const bodies = new Map(each.documents)
          for (const { meta, value: body } of page.items) {
            expect(body).toEqual(JSON.parse(JSON.stringify(bodies.get(meta.key))))
          }
        }),
        { numRuns, seed: 20_080_901 },
      )
    } finally {
      await store.close()
    }
  }, 120_000)
}

describe('query({ where, sort, … }) on memory()', () => {
  answersAlike(() => docstore(memory()), 500)
})

const index = ['i', 'o.i', 'ö"\'$']

describe('query({ where, sort, … }) on sqlite({ index })', () => {
  answersAlike(() => docstore(sqlite({ file: join(createDirectory(), 'store.db'), index })), 300)
})

describeWithService('postgres', (url) => {
  const tables = createTables(url)

  describe('query({ where, sort, … }) on postgres({ index })', () => {
    answersAlike(() => docstore(postgres({ url, table: tables.next(), index })), 200)
  })
})
