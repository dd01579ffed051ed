import assert from 'node:assert/strict'
import type { Can, Change, Rev } from './driver'
import { assertRefused, type Bench, impatient, race, reopened, take, type Test } from './suite-bench'

function watches({ watch }: Can): boolean {
  return watch !== false
}

function resumes({ watch }: Can): boolean {
  return watch === 'resume'
}

export const watching: readonly Test[] = [
  {
    title: 'follows changes from the call on, in order for each key',
    needs: watches,
    async run(bench) {
      const { store } = bench
      await store.put('before', '')
      await using(bench, {}, async (feed) => {
        const a = await store.put('a', '1')
        const b = await store.put('b', '1')
        const c = await store.put('a', '2')
        await store.delete('b')
        const changes = (await take(feed, 4)).map(({ seq: _, ...change }) => change)
        assert.deepEqual(changes, [
          { op: 'put', key: 'a', rev: a.rev },
          { op: 'put', key: 'b', rev: b.rev },
          { op: 'put', key: 'a', rev: c.rev },
          { op: 'delete', key: 'b' },
        ])
      })
    },
  },
  {
    title: 'misses nothing of writers at the same time, and says nothing of writes that failed',
    needs: watches,
    async run(bench) {
      const { store } = bench
      await using(bench, {}, async (feed) => {
        const expected = new Map<string, string[]>()
        for (let round = 0; round < 5; round++) {
          await Promise.all(
            Array.from({ length: 16 }, async (_, index) => {
              const key = `k${index}`
              expected.set(key, [...(expected.get(key) ?? []), (await store.put(key, '')).rev])
            }),
          )
          await race(4, () => store.put('k0', '', { if: null }))
        }
        const seen = new Map<string, string[]>()
        for (const { key, rev } of await take(feed, 80)) seen.set(key, [...(seen.get(key) ?? []), rev!])
        assert.deepEqual(new Map([...seen].sort()), new Map([...expected].sort()))
      })
    },
  },
  {
    title: 'resumes behind a sequence',
    needs: resumes,
    async run(bench) {
      const seqs = await sixChanges(bench)
      for (let from = 0; from < 5; from++) {
        await using(bench, { since: seqs[from]!.seq }, async (feed) => {
          assert.deepEqual(await take(feed, 5 - from), seqs.slice(from + 1))
        })
      }
    },
  },
  {
    title: 'resumes behind a sequence from another opening of the store',
    needs: (can) => resumes(can) && can.durable !== 'memory',
    wants: 'reopen',
    async run(bench) {
      const seqs = await sixChanges(bench)
      await bench.store.close()
      const later = await reopened(bench)
      await using({ ...bench, store: later }, { since: seqs[2]!.seq }, async (feed) => {
        assert.deepEqual(await take(feed, 3), seqs.slice(3))
        const { rev } = await later.put('more', '')
        assert.equal((await take(feed, 1))[0]!.rev, rev)
      })
    },
  },
  {
    title: 'says gone to a sequence that it does not know',
    needs: resumes,
    async run(bench) {
      const { store } = bench
      await store.put('a', '')
      for (const since of ['', '0', 'x', '-1', '999999', '__proto__', 'a'.repeat(10_000), 'é\n']) {
        await using(bench, { since }, (feed) => assertRefused('gone', () => feed.next()))
      }
    },
  },
  {
    title: 'says gone to a sequence that its log no longer reaches back to',
    needs: resumes,
    wants: 'log',
    async run(bench) {
      const { store, log = 0 } = bench
      await using(bench, {}, async (feed) => {
        await store.put('a', '')
        const [first] = await take(feed, 1)
        for (let index = 0; index < 3 * log + 3; index++) await store.put(`k${index}`, '')
        await using(bench, { since: first!.seq }, (late) => assertRefused('gone', () => late.next()))
        // The watcher who slept meanwhile learns the same.
        await assertRefused('gone', () => take(feed, 3 * log + 3))
      })
    },
  },
  {
    title: 'follows the writers of other openings too, in order for each key',
    needs: (can) => watches(can) && can.reach !== 'process',
    wants: 'reopen',
    async run(bench) {
      const { store } = bench
      const other = await reopened(bench)
      await using(bench, {}, async (feed) => {
        // A feed that nobody has asked yet stands for the writes of its own store alone.
        await store.put('first', '')
        await take(feed, 1)
        const written = new Map<string, Rev[]>()
        // In turns within a key, at once with the other keys.
        const writing = Array.from({ length: 4 }, async (_, index) => {
          const key = `k${index}`
          for (let round = 0; round < 10; round++) {
            const { rev } = await (round % 2 ? store : other).put(key, String(round))
            written.set(key, [...(written.get(key) ?? []), rev])
          }
        })
        await Promise.all(writing)
        const seen = new Map<string, Rev[]>()
        for (const { key, rev } of await take(feed, 40)) seen.set(key, [...(seen.get(key) ?? []), rev!])
        assert.deepEqual(new Map([...seen].sort()), new Map([...written].sort()))
      })
    },
  },
  {
    title: 'follows a prefix alone',
    needs: watches,
    async run(bench) {
      const { store } = bench
      await using(bench, { prefix: 'b-' }, async (feed) => {
        for (const key of ['a-1', 'b-1', 'b', 'c-1', 'b-2']) await store.put(key, '')
        assert.deepEqual(
          (await take(feed, 2)).map(({ key }) => key),
          ['b-1', 'b-2'],
        )
      })
    },
  },
  {
    title: 'ends when it is aborted, before, while and after it waits',
    needs: watches,
    async run(bench) {
      const { store } = bench
      await using(bench, { signal: AbortSignal.abort() }, async (feed) => {
        assert.equal((await feed.next()).done, true)
      })
      const abort = new AbortController()
      await using(bench, { signal: abort.signal }, async (feed) => {
        await store.put('a', '')
        await take(feed, 1)
        const waiting = feed.next()
        abort.abort()
        assert.equal((await waiting).done, true)
        await store.put('b', '')
        assert.equal((await feed.next()).done, true)
      })
    },
  },
  {
    title: 'tells of what has expired',
    needs: (can) => watches(can) && can.ttl !== false,
    async run(bench) {
      const { store, clock } = bench
      await using(bench, { prefix: 'a' }, async (feed) => {
        await store.put('a', '', { expires: clock.now() + 1000 })
        await take(feed, 1)
        const expired = take(feed, 1)
        // Awaited below; what fails before that fails the test first.
        expired.catch(() => undefined)
        await clock.advance(2001)
        assert.equal(await store.get('a'), undefined)
        const [{ op, key, rev }] = (await expired) as [Change]
        assert.deepEqual({ op, key, rev }, { op: 'expire', key: 'a', rev: undefined })
      })
    },
  },
]

/** The changes of six keys, one after another. */
async function sixChanges(bench: Bench): Promise<Change[]> {
  const changes: Change[] = []
  await using(bench, {}, async (feed) => {
    for (let index = 0; index < 6; index++) await bench.store.put(`k${index}`, '')
    changes.push(...(await take(feed, 6)))
  })
  return changes
}

async function using(
  { store, patience }: Pick<Bench, 'store' | 'patience'>,
  options: { readonly since?: string; readonly prefix?: string; readonly signal?: AbortSignal },
  run: (feed: AsyncIterator<Change>) => Promise<unknown>,
): Promise<void> {
  const abort = new AbortController()
  const feed = impatient(store.watch({ signal: abort.signal, ...options }), patience)
  try {
    await run(feed)
  } finally {
    abort.abort()
  }
}
