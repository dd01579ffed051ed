import assert from 'node:assert/strict'
import type { Can, Cond, Op } from './driver'
import { assertEmpty, assertRefused, listAll, read, type Test } from './suite-bench'

const badKeys: readonly unknown[] = [
  '',
  '.',
  '..',
  'a.b',
  'a/b',
  '../../etc/passwd',
  'a\\b',
  'a\n',
  '\na',
  'a\r\nb',
  'a\0',
  ' a',
  'a%2Fb',
  'a:b',
  'a!b',
  'ä',
  'ａ',
  '\u{1f600}',
  'x'.repeat(256),
  undefined,
  null,
  1,
  true,
  ['a'],
  { toString: () => 'a' },
]

const goodKeys = [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  '-rf',
  '--',
  'aa',
  'aA',
  'AA',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'con',
  'AUX',
  'x'.repeat(255),
  'X'.repeat(255),
  `X${'x'.repeat(254)}`,
  'k-a',
  'h-0',
]

const badTypes: readonly unknown[] = [
  '',
  'text',
  'text/',
  '/plain',
  'text/plain\r\nSet-Cookie: a=b',
  'text/plain;',
  'a/b\n',
  1,
  `a/${'b'.repeat(254)}`,
]

export const checks: readonly Test[] = [
  {
    title: 'declares its abilities in known words',
    async run({ store: { can } }) {
      const words: { readonly [name in keyof Can]: readonly unknown[] } = {
        order: [true, false],
        ttl: ['ms', 's', false],
        watch: ['resume', 'live', false],
        batch: [true, false],
        stream: [true, false],
        maxBody: [can.maxBody],
        reach: ['process', 'host', 'cluster'],
        durable: ['memory', 'crash', 'power'],
      }
      for (const [name, known] of Object.entries(words)) assert.ok(known.includes(can[name as keyof Can]), name)
      assert.ok(can.maxBody > 0)
    },
  },
  {
    title: 'refuses bad keys everywhere, and nothing happens',
    async run({ store }) {
      for (const bad of badKeys) {
        const key = bad as string
        await assertRefused('bad-key', () => store.get(key))
        await assertRefused('bad-key', () => store.put(key, 'x'))
        await assertRefused('bad-key', () => store.delete(key))
        if (store.can.batch)
          await assertRefused('bad-key', () =>
            store.batch([
              { op: 'put', key: 'a', body: '' },
              { op: 'delete', key },
            ]),
          )
        if (bad !== '' && bad !== undefined) {
          await assertRefused('bad-key', () => store.list({ prefix: key }))
          await assertRefused('bad-key', () => store.list({ after: key }))
        }
      }
      await assertEmpty(store)
    },
  },
  {
    title: 'keeps all good keys apart, upper case from lower case too',
    async run({ store }) {
      for (const key of goodKeys) await store.put(key, key, { if: null })
      for (const key of goodKeys) assert.equal(Buffer.from((await read(store, key)).bytes).toString(), key)
      const keys = (await listAll(store)).map((item) => item.key)
      assert.deepEqual([...keys].sort(), [...goodKeys].sort())
      for (const key of goodKeys) assert.equal(await store.delete(key), true)
      await assertEmpty(store)
    },
  },
  {
    title: 'refuses options that make no sense, and nothing happens',
    async run({ store }) {
      for (const type of badTypes)
        await assert.rejects(store.put('a', 'x', { type: type as string }), { name: 'TypeError' })
      for (const condition of [1, true, {}, ['a']]) {
        await assert.rejects(store.put('a', 'x', { if: condition as unknown as Cond }), { name: 'TypeError' })
        await assert.rejects(store.delete('a', { if: condition as unknown as Cond }), { name: 'TypeError' })
      }
      for (const body of [undefined, null, 1, {}, ['a']]) {
        await assert.rejects(store.put('a', body as string), { name: 'TypeError' })
      }
      for (const range of [
        [-1, 1],
        [2, 1],
        [0.5, 1],
        [0, NaN],
        [0, Infinity],
      ] as const) {
        await assert.rejects(store.get('a', { range }), { name: 'RangeError' })
      }
      for (const limit of [0, -1, 1.5, NaN, Infinity]) {
        await assert.rejects(store.list({ limit }), { name: 'RangeError' })
      }
      if (store.can.ttl) {
        for (const expires of [-1, 0.5, NaN, Infinity]) {
          await assert.rejects(store.put('a', 'x', { expires }), { name: 'RangeError' })
        }
      }
      await assertEmpty(store)
    },
  },
  {
    title: 'refuses what it does not declare, and nothing happens',
    async run({ store, clock }) {
      const { can } = store
      const op: Op = { op: 'put', key: 'a', body: 'x' }
      if (!can.ttl) await assertRefused('unsupported', () => store.put('a', 'x', { expires: clock.now() + 1e6 }))
      if (!can.batch) await assertRefused('unsupported', () => store.batch([op]))
      if (can.batch && !can.ttl)
        await assertRefused('unsupported', () => store.batch([{ ...op, expires: clock.now() + 1e6 }]))
      if (!can.watch) await assertRefused('unsupported', () => store.watch())
      if (can.watch !== 'resume') await assertRefused('unsupported', () => store.watch({ since: 'x' }))
      if (!can.order) await assertRefused('unsupported', () => store.list({ reverse: true }))
      await assertEmpty(store)
    },
  },
]
