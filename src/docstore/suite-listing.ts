import assert from 'node:assert/strict'
import type { Meta } from './driver'
import type { Store } from './store'
import { listAll, type Test, turn } from './suite-bench'

const keys = ['-', '0', '10', '9', 'A', 'B', 'Ba', '_', 'a', 'a-', 'a0', 'aZ', 'a_', 'aa', 'ab', 'b', 'z', 'zz']

export const listing: readonly Test[] = [
  {
    title: 'lists keys in byte order, by prefix, in pages of every size, both ways',
    async run({ store }) {
      for (const key of [...keys].reverse()) await store.put(key, key)
      for (const prefix of ['', 'a', 'aa', 'B', 'x', 'zz', '_']) {
        const expected = keys.filter((key) => key.startsWith(prefix))
        for (const limit of [1, 2, 3, 17, 18, 19, 5000]) {
          assert.deepEqual(ordered(store, await listAll(store, { prefix, limit })), expected, `${prefix} by ${limit}`)
          if (!store.can.order) continue
          const backwards = (await listAll(store, { prefix, limit, reverse: true })).map(({ key }) => key)
          assert.deepEqual(backwards, [...expected].reverse(), `${prefix} by ${limit}, backwards`)
        }
      }
    },
  },
  {
    title: 'goes on behind any key, present or not',
    needs: ({ order }) => order,
    async run({ store }) {
      for (const key of keys) await store.put(key, key)
      for (const after of [...keys, '1', 'C', 'aaa', 'zzz', 'b-']) {
        for (const prefix of ['', 'a']) {
          const expected = keys.filter((key) => key.startsWith(prefix))
          const forward = await store.list({ prefix, after })
          assert.deepEqual(
            forward.items.map(({ key }) => key),
            expected.filter((key) => key > after),
            `after ${after}`,
          )
          const backward = await store.list({ prefix, after, reverse: true })
          const before = expected.filter((key) => key < after).reverse()
          assert.deepEqual(
            backward.items.map(({ key }) => key),
            before,
            `before ${after}`,
          )
        }
      }
    },
  },
  {
    title: 'is complete if, and only if, next is undefined',
    async run({ store }) {
      assert.deepEqual(await store.list(), { items: [] })
      for (let index = 0; index < 101; index++) await store.put(`k${index}`, '')
      const first = await store.list()
      assert.ok(first.items.length <= 100)
      assert.ok(first.next !== undefined)
      const seen = await listAll(store)
      assert.equal(new Set(seen.map(({ key }) => key)).size, 101)
      assert.equal(seen.length, 101)
    },
  },
  {
    title: 'shows every key that stays exactly once, whatever happens around it',
    async run({ store }) {
      const staying = Array.from({ length: 40 }, (_, index) => `s${String(index).padStart(2, '0')}`)
      for (const key of staying) await store.put(key, '')
      let listing = true
      const churn = (async () => {
        for (let round = 0; listing; round++) {
          await turn()
          const key = `s${String(round % 40).padStart(2, '0')}`
          await store.put(key, String(round))
          await store.put(`${key}-x`, '')
          if (round % 2) await store.delete(`${key}-x`)
          await store.delete(`s${String((round * 7) % 40).padStart(2, '0')}-x`)
        }
      })()
      try {
        for (const reverse of store.can.order ? [false, true, false, true] : [false, false]) {
          const seen = (await listAll(store, { limit: 7, reverse })).map(({ key }) => key)
          const [listed, sorted] = [seen.filter((key) => !key.endsWith('-x')), [...seen].sort()]
          assert.deepEqual([...listed].sort(), staying)
          if (store.can.order) assert.deepEqual(seen, reverse ? sorted.reverse() : sorted)
        }
      } finally {
        listing = false
        await churn
      }
    },
  },
]

/** As listed where the driver has an order. */
function ordered(store: Store, items: readonly Meta[]): string[] {
  const listed = items.map(({ key }) => key)
  return store.can.order ? listed : listed.sort()
}
