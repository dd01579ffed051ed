import assert from 'node:assert/strict'
import { assertEmpty, assertRefused, isEqual, listAll, pattern, race, read, type Test } from './suite-bench'

export const batches: readonly Test[] = [
  {
    title: 'does all writes of a batch',
    async run({ store }) {
      if (!store.can.batch) return
      assert.deepEqual(await store.batch([]), [])
      await store.put('old', 'x')
      const large = pattern(Math.min(2_000_000, store.can.maxBody))
      const [a, b, ...rest] = await store.batch([
        { op: 'put', key: 'a', body: 'text', type: 'text/plain', if: null },
        { op: 'delete', key: 'old', if: '*' },
        { op: 'put', key: 'b', body: large },
        { op: 'delete', key: 'never-there' },
      ])
      assert.equal(rest.length, 0)
      assert.deepEqual(await listAll(store), [a, b])
      assert.equal(a!.type, 'text/plain')
      assert.notEqual(a!.rev, b!.rev)
      assert.ok(isEqual((await read(store, 'b')).bytes, large))
    },
  },
  {
    title: 'does none of them where one condition fails',
    async run({ store }) {
      if (!store.can.batch) return
      const kept = await store.put('kept', 'x')
      const error = await assertRefused('conflict', () =>
        store.batch([
          { op: 'put', key: 'a', body: pattern(2000) },
          { op: 'delete', key: 'kept', if: kept.rev },
          { op: 'put', key: 'kept2', body: '', if: '*' },
        ]),
      )
      assert.equal(error.current, undefined)
      assert.deepEqual(await listAll(store), [kept])
    },
  },
  {
    title: 'refuses a batch that is wrong anywhere, before any of it',
    async run({ store }) {
      if (!store.can.batch) return
      const good = { op: 'put', key: 'a', body: '' } as const
      await assert.rejects(store.batch([good, { ...good, type: 'x' }]), { name: 'TypeError' })
      await assert.rejects(store.batch([good, good]), { name: 'TypeError' })
      await assert.rejects(store.batch([good, { op: 'get' as 'put', key: 'b', body: '' }]), { name: 'TypeError' })
      await assert.rejects(store.batch([good, { op: 'put', key: 'b', body: [] as unknown as string }]), {
        name: 'TypeError',
      })
      await assert.rejects(store.batch(Array.from({ length: 1001 }, (_, index) => ({ ...good, key: `k${index}` }))), {
        name: 'RangeError',
      })
      await assertEmpty(store)
    },
  },
  {
    title: 'lets one of many batches over the same keys win',
    async run({ store, rounds }) {
      if (!store.can.batch) return
      for (let round = 0; round < rounds; round++) {
        const [a, b] = [await store.put('a', ''), await store.put('b', '')]
        const { won } = await race(16, (index) => {
          const ops = [
            { op: 'put', key: 'a', body: String(index), if: a.rev },
            { op: 'put', key: 'b', body: String(index), if: b.rev },
          ] as const
          return store.batch(index % 2 ? ops : [ops[1], ops[0]])
        })
        assert.equal(won.length, 1)
        assert.ok(isEqual((await read(store, 'a')).bytes, (await read(store, 'b')).bytes))
      }
    },
  },
]
