import assert from 'node:assert/strict'
import type { Query, QueryValue } from './driver'
import type { Store } from './store'
import { assertRefused, type Test } from './suite-bench'

const json = { type: 'application/json' } as const

/** In the order of queries; those of one line are equal. */
const ranked: ReadonlyArray<readonly unknown[]> = [
  [-1e300],
  [-2],
  [-1.5],
  [-5e-324],
  [-0, 0],
  [5e-324],
  [0.1],
  [1],
  [2],
  [10],
  [9007199254740991],
  [9007199254740992],
  [1e300],
  [''],
  ['\0'],
  ['\0\0'],
  ['\x01'],
  ['\x02'],
  ['"'],
  ['%'],
  ["'; DROP TABLE x; --"],
  ['10'],
  ['9'],
  ['A'],
  ['\\'],
  ['a'],
  ['a '],
  ['a'.repeat(600)],
  [`${'a'.repeat(600)}b`],
  ['b'],
  ['null'],
  ['z'],
  ['~'],
  ['é'],
  ['\ud7ff'],
  ['\ud800'],
  ['\u{10000}'],
  ['\u{1f600}'],
  ['\u{10ffff}'],
  ['\udfff'],
  ['\ue000'],
  ['\uffff'],
  [false],
  [true],
  [null, undefined, {}, [], [1], { a: 1 }],
]

/** `i` and `deep.i` may be indexed, the others are not. */
const names = ['i', 'n', 'deep.i', 'deep.n', '', 'a b', '"', "'", '$', 'ключ', '__proto__', 'constructor', '0'] as const

/** Each question may cost a reading of the whole store: of the other names not everything is asked. */
const wellTested: readonly string[] = ['i', 'n']

export const queries: readonly Test[] = [
  {
    title: 'sorts numbers, texts and booleans, null last, both ways, by names of every kind',
    async run({ store }) {
      const values = ranked.flatMap((line, rank) => line.map((value) => ({ rank, value })))
      // In an order that has nothing to do with it.
      const keys = values.map((_, index) => `k${(index * 37) % values.length}`)
      for (const [index, { value }] of values.entries()) await store.put(keys[index]!, bodyOf(value), json)
      const rankOf = new Map(keys.map((key, index) => [key, values[index]!.rank]))
      for (const [place, name] of names.entries()) {
        for (const descending of wellTested.includes(name) ? [false, true] : [place % 2 === 0]) {
          const expected = [...keys].sort((left, right) => {
            const [a, b] = [rankOf.get(left)!, rankOf.get(right)!]
            const last = ranked.length - 1
            const direction = descending && a !== last && b !== last ? -1 : 1
            return direction * (a - b) || (left < right ? -1 : 1)
          })
          const sort = [{ name, descending }]
          assert.deepEqual(await keysOf(store, { sort, limit: 1000 }), expected, `by ${name}`)
          if (!wellTested.includes(name)) continue
          assert.deepEqual(await byPages(store, { sort, limit: 11 }, name), expected, `by ${name}, page by page`)
        }
      }
    },
  },
  {
    title: 'finds documents by each of their values',
    async run({ store }) {
      const single = ranked.slice(0, -1).flat() as QueryValue[]
      for (const [index, value] of single.entries()) await store.put(`k${index}`, bodyOf(value), json)
      await store.put('nothing', '{}', json)
      await store.put('object', bodyOf({ a: 1 }), json)
      const keyOf = (wanted: QueryValue): string[] =>
        single.flatMap((value, index) => (value === wanted ? [`k${index}`] : [])).sort()
      for (const name of names) {
        for (const value of wellTested.includes(name) ? single : single.filter((_, index) => index % 9 === 4)) {
          assert.deepEqual(await keysOf(store, { where: { [name]: [value] }, limit: 10 }), keyOf(value), name)
        }
        assert.deepEqual(await keysOf(store, { where: { [name]: [null] }, limit: 10 }), ['nothing', 'object'], name)
        assert.deepEqual(await keysOf(store, { where: { [name]: [] }, limit: 10 }), [])
        const some = await keysOf(store, { where: { [name]: ['a', 1, null, 'never'] }, limit: 10 })
        assert.deepEqual(some, [...keyOf('a'), ...keyOf(1), 'nothing', 'object'].sort())
      }
    },
  },
  {
    title: 'takes one element of a list for enough',
    async run({ store }) {
      await store.put('both', bodyOf(['a', 1, 1]), json)
      await store.put('empty', bodyOf([]), json)
      await store.put('inner', bodyOf([['a'], { a: 'a' }]), json)
      await store.put('none', bodyOf([null, 'b']), json)
      await store.put('plain', bodyOf('a'), json)
      for (const name of names) {
        assert.deepEqual(await keysOf(store, { where: { [name]: ['a'] }, limit: 9 }), ['both', 'plain'], name)
        assert.deepEqual(await keysOf(store, { where: { [name]: [1] }, limit: 9 }), ['both'])
        assert.deepEqual(await keysOf(store, { where: { [name]: [null] }, limit: 9 }), ['inner', 'none'])
        assert.deepEqual(await keysOf(store, { where: { [name]: ['c', 'b'] }, limit: 9 }), ['none'])
        assert.deepEqual(await keysOf(store, { where: { [`${name}.0`]: ['a'] }, limit: 9 }), [])
        assert.deepEqual(await keysOf(store, { where: { [`${name}.length`]: [0, 1, 2, 3] }, limit: 9 }), [])
      }
    },
  },
  {
    title: 'answers page by page, counts where it is asked to, and says whether there is more',
    async run({ store }) {
      for (let index = 0; index < 25; index++) {
        await store.put(`${index % 5 ? 'a' : 'b'}-${index}`, JSON.stringify({ i: index % 4, n: index }), json)
      }
      const where = { i: [1, 2] }
      const sort = [
        { name: 'i', descending: true },
        { name: 'n', descending: false },
      ]
      const query = { prefix: 'a', where, sort }
      const all = await store.query({ ...query, limit: 100, count: true })
      const numbers = all.items.map(({ value }) => (value as { n: number }).n)
      assert.deepEqual(numbers, [2, 6, 14, 18, 22, 1, 9, 13, 17, 21])
      assert.equal(all.total, 10)
      assert.equal(all.more, false)
      for (const [offset, limit] of [
        [0, 0],
        [0, 3],
        [3, 7],
        [9, 5],
        [10, 1],
        [99, 1],
      ] as const) {
        const page = await store.query({ ...query, offset, limit, count: true })
        assert.deepEqual(
          page.items.map(({ meta }) => meta),
          all.items.slice(offset, offset + limit).map(({ meta }) => meta),
        )
        assert.equal(page.more, offset + limit < 10)
        assert.equal(page.total, 10)
        assert.ok(!('total' in (await store.query({ ...query, offset, limit }))))
      }
      for (const [place, { meta, value }] of all.items.entries()) {
        const { i, n } = value as { i: number; n: number }
        const after = { values: [i, n], key: meta.key }
        const page = await store.query({ ...query, after, offset: 1, limit: 3, count: true })
        assert.deepEqual(
          page.items.map((item) => item.meta.key),
          all.items.slice(place + 2, place + 5).map((item) => item.meta.key),
        )
        assert.equal(page.more, place + 5 < 10)
        assert.equal(page.total, 10)
      }
      // Nobody has to stand at the place that a page begins behind.
      const behind = await store.query({ sort: sort.slice(1), limit: 2, after: { values: [20.5], key: 'zzz' } })
      assert.deepEqual(
        behind.items.map(({ value }) => (value as { n: number }).n),
        [21, 22],
      )
    },
  },
  {
    title: 'looks at JSON alone',
    async run({ store, clock }) {
      await store.put('a', '{"i":1}', json)
      await store.put('b', '{"i":1}', { type: 'Application/Problem+JSON; charset="utf-8"' })
      await store.put('c', '\ufeff{"i":1,"i":2,"i":1}', { type: 'application/json;v=1' })
      await store.put('d', '{"i":1}', { type: 'text/plain' })
      await store.put('e', '{"i":1', json)
      await store.put('f', Buffer.from('{"i":1,"x":"\xff"}', 'latin1'), json)
      await store.put('g', '', json)
      await store.put('h', '{"i":1}', { type: 'application/jsonx' })
      await store.put('k', '1', json)
      await store.put('l', '[{"i":1}]', json)
      await store.put('m', '"text"', json)
      await store.put('n', '{"i":1e999}', json)
      await store.put('o', `{"i":1,"x":${'['.repeat(5000)}${']'.repeat(5000)}}`, json)
      if (store.can.ttl) await store.put('p', '{"i":1}', { ...json, expires: 1 })
      const { items } = await store.query({ limit: 100 })
      assert.deepEqual(
        items.map(({ meta }) => meta.key),
        ['a', 'b', 'c', 'k', 'l', 'm', 'n', 'o'],
      )
      assert.deepEqual(items[4]!.value, [{ i: 1 }])
      assert.deepEqual(items[0]!.meta, await store.get('a', { body: false }))
      assert.deepEqual(await keysOf(store, { where: { i: [1] }, limit: 100 }), ['a', 'b', 'c', 'o'])
      assert.deepEqual(await keysOf(store, { where: { i: [null] }, limit: 100 }), ['k', 'l', 'm', 'n'])
      assert.ok(clock.now() > 1)
    },
  },
  {
    title: 'sees every write at once, streamed ones and large ones too',
    async run({ store }) {
      const found = (value: QueryValue): Promise<string[]> => keysOf(store, { where: { i: [value] }, limit: 10 })
      const large = (value: number): string =>
        JSON.stringify({ x: 'y'.repeat(Math.min(700_000, store.can.maxBody / 2)), i: value })
      await store.put('a', '{"i":1}', json)
      await store.put('a', '{"i":2}', json)
      assert.deepEqual([await found(1), await found(2)], [[], ['a']])
      await store.put('a', ReadableStream.from([Buffer.from('{"i'), Buffer.from('":3}')]), json)
      await store.put('b', large(3), json)
      await store.put('c', ReadableStream.from([Buffer.from(large(3))]), json)
      assert.deepEqual(await found(3), ['a', 'b', 'c'])
      const { items } = await store.query({ prefix: 'c', limit: 1 })
      assert.deepEqual(items[0]!.value, JSON.parse(large(3)))
      await store.put('b', '{"i":3}', { type: 'text/plain' })
      await store.delete('c')
      assert.deepEqual(await found(3), ['a'])
      if (store.can.batch) {
        await store.batch([
          { op: 'put', key: 'd', body: '{"i":3}', ...json },
          { op: 'delete', key: 'a' },
        ])
        assert.deepEqual(await found(3), ['d'])
      }
    },
  },
  {
    title: 'refuses queries that make no sense',
    async run({ store }) {
      const query =
        (part: object): (() => Promise<unknown>) =>
        () =>
          store.query({ limit: 1, ...part })
      for (const limit of [-1, 1.5, NaN, Infinity, '1', undefined]) {
        await assert.rejects(query({ limit }), { name: 'RangeError' })
      }
      await assert.rejects(query({ offset: -1 }), { name: 'RangeError' })
      await assert.rejects(query({ where: { a: [NaN] } }), { name: 'TypeError' })
      await assert.rejects(query({ where: { a: [{}] } }), { name: 'TypeError' })
      await assert.rejects(query({ where: { a: [undefined] } }), { name: 'TypeError' })
      await assert.rejects(query({ where: { [Array(40).join('a.')]: [1] } }), { name: 'RangeError' })
      await assert.rejects(query({ sort: [{ name: 1 }] }), { name: 'TypeError' })
      await assert.rejects(query({ sort: [{ name: 'a'.repeat(1001) }] }), { name: 'RangeError' })
      await assert.rejects(query({ after: { values: [1], key: 'a' } }), { name: 'TypeError' })
      await assertRefused('bad-key', query({ prefix: 'ä' }))
      await assertRefused('bad-key', query({ after: { values: [], key: 'a/b' } }))
    },
  },
  {
    title: 'answers a ping',
    async run({ store }) {
      await store.ping()
      await store.close()
      await assertRefused('closed', () => store.ping())
      await assertRefused('closed', () => store.query({ limit: 1 }))
    },
  },
]

/** A document that has a value under each of the names. */
function bodyOf(value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) return '{"deep":{}}'
  const member = (name: string): string => `${JSON.stringify(name)}:${Object.is(value, -0) ? '-0' : text}`
  const plain = names.filter((name) => !name.startsWith('deep.')).map(member)
  return `{${plain.join(',')},"deep":{${['i', 'n'].map(member).join(',')}}}`
}

async function keysOf(store: Store, query: Query): Promise<string[]> {
  return (await store.query(query)).items.map(({ meta }) => meta.key)
}

/** The keys of all pages, each begun behind the last document of the one before. */
async function byPages(store: Store, query: Query, name: string): Promise<string[]> {
  const keys: string[] = []
  let after: Query['after']
  for (;;) {
    const { items, more } = await store.query({ ...query, after })
    keys.push(...items.map(({ meta }) => meta.key))
    if (!more) return keys
    const { meta, value } = items.at(-1)!
    after = { values: [toValue(memberOf(value, name))], key: meta.key }
  }
}

function memberOf(value: unknown, name: string): unknown {
  return name.split('.').reduce((member, part) => {
    return Object.entries(member as object).find(([each]) => each === part)?.[1] as unknown
  }, value)
}

function toValue(value: unknown): QueryValue {
  return typeof value === 'object' || value === undefined ? null : (value as QueryValue)
}
