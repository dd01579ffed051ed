import assert from 'node:assert/strict'
import type { Can } from './driver'
import type { Bench, Test } from './suite-bench'
import { assertEmpty, assertRefused, listAll, read } from './suite-bench'

function expires({ ttl }: Can): boolean {
  return ttl !== false
}

export const expiry: readonly Test[] = [
  {
    title: 'has a document until it expires, and no longer',
    needs: expires,
    run: (bench) =>
      withTtl(bench, async (soon, pass) => {
        const { store } = bench
        const put = await store.put('a', 'x', { expires: soon() })
        assert.ok(put.expires !== undefined)
        assert.deepEqual(await store.get('a', { body: false }), put)
        assert.deepEqual(await listAll(store), [put])
        await store.put('stays', 'x')
        await pass()
        assert.equal(await store.get('a'), undefined)
        assert.equal(await store.get('a', { body: false }), undefined)
        assert.deepEqual(
          (await listAll(store)).map(({ key }) => key),
          ['stays'],
        )
        assert.equal(await store.delete('a'), false)
      }),
  },
  {
    title: 'takes what has expired as absent in every condition',
    needs: expires,
    run: (bench) =>
      withTtl(bench, async (soon, pass) => {
        const { store } = bench
        const old = await Promise.all(
          ['a', 'b', 'c', 'd', 'e'].map((key) => store.put(key, 'old', { expires: soon() })),
        )
        await assertRefused('conflict', () => store.put('a', 'x', { if: null }))
        await pass()
        const error = await assertRefused('conflict', () => store.put('b', 'x', { if: '*' }))
        assert.equal(error.current, undefined)
        await assertRefused('conflict', () => store.put('c', 'x', { if: old[2]!.rev }))
        await assertRefused('conflict', () => store.delete('d', { if: old[3]!.rev }))
        await assertRefused('conflict', () => store.delete('d', { if: '*' }))
        assert.equal(await store.delete('e', { if: null }), false)
        const created = await store.put('a', 'new', { if: null })
        assert.notEqual(created.rev, old[0]!.rev)
        assert.equal(created.expires, undefined)
        assert.equal(Buffer.from((await read(store, 'a')).bytes).toString(), 'new')
        assert.deepEqual(await listAll(store), [created])
      }),
  },
  {
    title: 'forgets the expiry that a later write does not repeat',
    needs: expires,
    run: (bench) =>
      withTtl(bench, async (soon, pass) => {
        const { store, clock } = bench
        await store.put('a', 'x', { expires: soon() })
        await store.put('a', 'y')
        await store.put('b', 'x', { expires: soon() })
        await store.put('b', 'y', { expires: clock.now() + 3_600_000 })
        await pass()
        assert.equal((await read(store, 'a')).expires, undefined)
        assert.ok((await read(store, 'b')).expires! > clock.now())
      }),
  },
  {
    title: 'takes an expiry in the past',
    needs: expires,
    run: (bench) =>
      withTtl(bench, async () => {
        const { store } = bench
        await store.put('a', 'x')
        await store.put('a', 'y', { expires: 1 })
        assert.equal(await store.get('a'), undefined)
        await assertEmpty(store)
      }),
  },
  {
    title: 'serves as a lease: of many, one holds it at a time',
    needs: expires,
    run: (bench) =>
      withTtl(bench, async (soon, pass) => {
        const { store } = bench
        for (let round = 0; round < 3; round++) {
          const expires = soon()
          const results = await Promise.allSettled(
            Array.from({ length: 8 }, () => store.put('lease', '', { if: null, expires })),
          )
          assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
          await pass()
        }
      }),
  },
]

/** With a time that is soon, and a way to let it pass. */
async function withTtl(
  { store, clock }: Bench,
  run: (soon: () => number, pass: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const duration = store.can.ttl === 's' ? 2000 : 300
  await run(
    () => clock.now() + duration,
    async () => {
      await clock.advance(duration + (store.can.ttl === 's' ? 1000 : 10))
    },
  )
}
