import assert from 'node:assert/strict'
import type { Cond, Meta, Rev } from './driver'
import type { Store } from './store'
import { assertRefused, type Bench, race, read, type Test } from './suite-bench'

const writers = 16

export const conditions: readonly Test[] = [
  {
    title: 'lets a write through exactly where its condition holds',
    async run({ store }) {
      for (const condition of ['unknown', '', '*'] as const) {
        const error = await assertRefused('conflict', () => store.put('a', 'x', { if: condition }))
        assert.equal(error.current, undefined)
        await assertRefused('conflict', () => store.delete('a', { if: condition }))
      }
      assert.equal(await store.delete('a', { if: null }), false)
      assert.equal(await store.delete('a'), false)
      const first = await store.put('a', '1', { if: null })
      const second = await store.put('a', '2', { if: first.rev })
      for (const condition of [null, first.rev, 'unknown', '', `${second.rev} `, second.rev.toUpperCase() + '!']) {
        const error = await assertRefused('conflict', () => store.put('a', 'x', { if: condition }))
        assert.deepEqual(error.current, second)
        assert.equal(error.status, 412)
        assert.deepEqual((await assertRefused('conflict', () => store.delete('a', { if: condition }))).current, second)
      }
      const third = await store.put('a', '3', { if: '*' })
      await store.put('b', 'x', { if: undefined })
      assert.equal(await store.delete('b', { if: '*' }), true)
      assert.equal(await store.delete('a', { if: third.rev }), true)
      assert.equal(await store.get('a'), undefined)
    },
  },
  {
    title: 'never gives a key the same revision twice',
    async run({ store }) {
      const revs = new Set<Rev>()
      for (let round = 0; round < 15; round++) {
        for (const body of ['same', 'same', 'other']) revs.add((await store.put('a', body)).rev)
        await store.delete('a')
      }
      assert.equal(revs.size, 45)
      await store.put('a', 'same')
      for (const rev of revs) await assertRefused('conflict', () => store.delete('a', { if: rev }))
    },
  },
  {
    title: `put if null: one of ${writers} wins`,
    run: (bench) =>
      eachRound(bench, async (stores, key) => {
        const { won, lost } = await race(writers, (index) => at(stores, index).put(key, String(index), { if: null }))
        assert.equal(won.length, 1)
        for (const { current } of lost) assert.equal(current?.rev, won[0]!.rev)
        assert.equal((await read(stores[0]!, key)).rev, won[0]!.rev)
      }),
  },
  {
    title: `put if null after a deletion: one of ${writers} wins`,
    async run(bench) {
      const revs = new Set<Rev>()
      await eachRound(bench, async (stores) => {
        const { won } = await race(writers, (index) => at(stores, index).put('a', String(index), { if: null }))
        assert.equal(won.length, 1)
        revs.add(won[0]!.rev)
        assert.equal(await at(stores, 1).delete('a', { if: won[0]!.rev }), true)
      })
      assert.equal(revs.size, bench.rounds)
    },
  },
  {
    title: `put if null after an expiry: one of ${writers} wins`,
    needs: ({ ttl }) => ttl !== false,
    async run(bench) {
      const { store, clock } = bench
      const lifetime = store.can.ttl === 's' ? 2000 : 300
      const old = await Promise.all(
        Array.from({ length: bench.rounds }, (_, round) =>
          store.put(`key-${round}`, 'old', { expires: clock.now() + lifetime }),
        ),
      )
      await clock.advance(lifetime + (store.can.ttl === 's' ? 1000 : 10))
      await eachRound(bench, async (stores, key, round) => {
        const { won } = await race(writers, (index) => at(stores, index).put(key, String(index), { if: null }))
        assert.equal(won.length, 1)
        assert.notEqual(won[0]!.rev, old[round]!.rev)
        assert.equal((await read(stores[0]!, key)).rev, won[0]!.rev)
      })
    },
  },
  {
    title: `put if a revision: one of ${writers} wins`,
    run: (bench) =>
      eachRound(bench, async (stores, key) => {
        const { rev } = await stores[0]!.put(key, 'old')
        const { won } = await race(writers, (index) => at(stores, index).put(key, String(index), { if: rev }))
        assert.equal(won.length, 1)
        assert.equal((await read(stores[0]!, key)).rev, won[0]!.rev)
      }),
  },
  {
    title: `put and delete if a revision: one of ${writers} wins`,
    run: (bench) =>
      eachRound(bench, async (stores, key) => {
        const { rev } = await stores[0]!.put(key, 'old')
        const { won } = await race<unknown>(writers, (index) => {
          const store = at(stores, index)
          return index % 3 ? store.put(key, String(index), { if: rev }) : store.delete(key, { if: rev })
        })
        assert.equal(won.length, 1)
        assert.equal((await stores[0]!.get(key)) === undefined, won[0] === true)
      }),
  },
  ...(['a revision', '*'] as const).map((condition): Test => ({
    title: `delete if ${condition}: one of ${writers} wins`,
    run: (bench) =>
      eachRound(bench, async (stores, key) => {
        const { rev } = await stores[0]!.put(key, 'old')
        const given = condition === '*' ? '*' : rev
        const { won } = await race(writers, (index) => at(stores, index).delete(key, { if: given }))
        assert.deepEqual(won, [true])
        assert.equal(await stores[0]!.get(key), undefined)
      }),
  })),
  {
    title: `delete if null: none of ${writers} deletes what is there`,
    run: (bench) =>
      eachRound(bench, async (stores, key) => {
        const { won } = await race<unknown>(writers, (index) => {
          const store = at(stores, index)
          return index % 2 ? store.put(key, String(index), { if: null }) : store.delete(key, { if: null })
        })
        // Those that came before there was something had nothing to delete.
        const created = won.filter((each) => each !== false) as Meta[]
        assert.equal(created.length, 1)
        assert.equal((await read(stores[0]!, key)).rev, created[0]!.rev)
      }),
  },
  {
    title: `delete: one of ${writers} finds something`,
    run: (bench) =>
      eachRound(bench, async (stores, key) => {
        await stores[0]!.put(key, 'old')
        const { won } = await race(writers, (index) => at(stores, index).delete(key))
        assert.equal(won.filter(Boolean).length, 1)
      }),
  },
  ...([undefined, '*'] as const).map((condition: Cond): Test => ({
    title: `put if ${String(condition)}: all of ${writers} win, one after another`,
    run: (bench) =>
      eachRound({ ...bench, rounds: Math.ceil(bench.rounds / 10) }, async (stores, key) => {
        await stores[0]!.put(key, 'old')
        const { won } = await race(writers, (index) => at(stores, index).put(key, String(index), { if: condition }))
        assert.equal(new Set(won.map(({ rev }) => rev)).size, writers)
        const last = await read(stores[0]!, key)
        const index = won.findIndex(({ rev }) => rev === last.rev)
        assert.equal(Buffer.from(last.bytes).toString(), String(index))
      }),
  })),
]

/** With writers on both sides where the driver's conditions reach beyond one of them. */
async function eachRound(
  bench: Bench,
  run: (stores: readonly Store[], key: string, round: number) => Promise<void>,
): Promise<void> {
  const other = bench.store.can.reach === 'process' ? undefined : await bench.another()
  const stores = other ? [bench.store, other] : [bench.store]
  for (let round = 0; round < bench.rounds; round++) await run(stores, `key-${round}`, round)
}

function at(stores: readonly Store[], index: number): Store {
  return stores[index % stores.length]!
}
