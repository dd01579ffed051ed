import assert from 'node:assert/strict'
import { assertEmpty, assertRefused, isBounded, isEqual, listAll, pattern, race, read, type Test } from './suite-bench'

export const batches: readonly Test[] = [
  {
    title: 'does all writes of a batch',
    needs: ({ batch }) => batch,
    async run({ store }) {
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
    needs: ({ batch }) => batch,
    async run({ store }) {
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
    needs: ({ batch }) => batch,
    async run({ store }) {
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
    title: 'refuses a batch with a body above the bound, and nothing happens',
    needs: (can) => can.batch && isBounded(can),
    async run({ store }) {
      const large = { op: 'put', key: 'b', body: new Uint8Array(store.can.maxBody + 1) } as const
      await assertRefused('too-large', () => store.batch([{ op: 'put', key: 'a', body: 'x' }, large]))
      await assertEmpty(store)
    },
  },
  {
    title: 'takes what has expired as absent in the conditions of a batch',
    needs: ({ batch, ttl }) => batch && ttl !== false,
    async run({ store }) {
      const a = await store.put('a', 'old', { expires: 1 })
      for (const condition of ['*', a.rev]) {
        const op = { op: 'put', key: 'a', body: 'new', if: condition } as const
        await assertRefused('conflict', () => store.batch([{ op: 'put', key: 'b', body: '' }, op]))
      }
      await assertEmpty(store)
      const metas = await store.batch([
        { op: 'put', key: 'a', body: 'new', if: null },
        { op: 'put', key: 'b', body: '', expires: 1 },
      ])
      assert.notEqual(metas[0]!.rev, a.rev)
      assert.deepEqual(await listAll(store), metas.slice(0, 1))
    },
  },
  {
    title: 'lets one of many batches over the same keys win',
    needs: ({ batch }) => batch,
    async run({ store, rounds }) {
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
