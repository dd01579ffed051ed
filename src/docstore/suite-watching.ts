import assert from 'node:assert/strict'
import type { Change } from './driver'
import { assertRefused, type Bench, impatient, race, take, type Test } from './suite-bench'

export const watching: readonly Test[] = [
  {
    title: 'follows changes from the call on, in order for each key',
    async run(bench) {
      const { store } = bench
      if (!store.can.watch) return
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
    async run(bench) {
      const { store } = bench
      if (!store.can.watch) return
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
    title: 'resumes behind a sequence, also from another opening of the store',
    async run(bench) {
      const { store, another } = bench
      if (store.can.watch !== 'resume') return
      const seqs: Change[] = []
      await using(bench, {}, async (feed) => {
        for (let index = 0; index < 6; index++) await store.put(`k${index}`, '')
        seqs.push(...(await take(feed, 6)))
      })
      for (let from = 0; from < 5; from++) {
        await using(bench, { since: seqs[from]!.seq }, async (feed) => {
          assert.deepEqual(await take(feed, 5 - from), seqs.slice(from + 1))
        })
      }
      if (store.can.durable === 'memory') return
      await store.close()
      const later = await another()
      if (!later) return
      await using({ ...bench, store: later }, { since: seqs[2]!.seq }, async (feed) => {
        assert.deepEqual(await take(feed, 3), seqs.slice(3))
        const { rev } = await later.put('more', '')
        assert.equal((await take(feed, 1))[0]!.rev, rev)
      })
    },
  },
  {
    title: 'says gone to a sequence that it does not know',
    async run(bench) {
      const { store } = bench
      if (store.can.watch !== 'resume') return
      await store.put('a', '')
      for (const since of ['', '0', 'x', '-1', '999999', '__proto__', 'a'.repeat(10_000), 'é\n']) {
        await using(bench, { since }, (feed) => assertRefused('gone', () => feed.next()))
      }
    },
  },
  {
    title: 'says gone to a sequence that its log no longer reaches back to',
    async run(bench) {
      const { store, log } = bench
      if (store.can.watch !== 'resume' || log === undefined) return
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
    title: 'follows a prefix alone',
    async run(bench) {
      const { store } = bench
      if (!store.can.watch) return
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
    async run(bench) {
      const { store } = bench
      if (!store.can.watch) return
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
    async run(bench) {
      const { store, clock } = bench
      if (!store.can.watch || !store.can.ttl) return
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
