import assert from 'node:assert/strict'
import type { Can, Meta } from './driver'
import type { Store } from './store'
import { assertRefused, impatient, isEqual, pattern, read, reopened, take, type Test, turn } from './suite-bench'

/** What is left once nobody has the store open. */
function keeps({ durable }: Can): boolean {
  return durable !== 'memory'
}

export const closing: readonly Test[] = [
  {
    title: 'refuses every call after close, and takes close any number of times',
    async run({ store }) {
      await store.put('a', 'x')
      await Promise.all([store.close(), store.close()])
      await store.close()
      await assertRefused('closed', () => store.get('a'))
      await assertRefused('closed', () => store.get('../bad'))
      await assertRefused('closed', () => store.put('a', 'x'))
      await assertRefused('closed', () => store.delete('a'))
      await assertRefused('closed', () => store.list())
      await assertRefused('closed', () => store.batch([]))
      await assertRefused('closed', () => store.watch())
    },
  },
  {
    title: 'closes without ever having been used',
    async run({ store }) {
      await store.close()
      assert.equal((await assertRefused('closed', () => store.get('a'))).status, 503)
    },
  },
  {
    title: 'waits for the calls in flight',
    async run({ store }) {
      const metas = await closeAmidWrites(store)
      assert.deepEqual(
        metas.map(({ size }) => size),
        [...Array<number>(20).fill(3000), 300_000],
      )
    },
  },
  {
    title: 'keeps what was in flight when it was closed',
    needs: keeps,
    wants: 'reopen',
    async run(bench) {
      const metas = await closeAmidWrites(bench.store)
      const later = await reopened(bench)
      for (const { key, rev } of metas) assert.equal((await read(later, key)).rev, rev)
      assert.ok(isEqual((await read(later, 'k7')).bytes, pattern(3000, 7)))
    },
  },
  {
    title: 'ends the feeds',
    needs: ({ watch }) => watch !== false,
    async run({ store, patience }) {
      const feed = impatient(store.watch(), patience)
      const waiting = feed.next()
      const unstarted = impatient(store.watch(), patience)
      await store.put('a', '')
      assert.deepEqual(
        (await take({ next: () => waiting }, 1)).map(({ key }) => key),
        ['a'],
      )
      const next = feed.next()
      await store.close()
      assert.equal((await next).done, true)
      assert.equal((await unstarted.next()).done, true)
    },
  },
  {
    title: 'keeps documents and revisions over an opening',
    needs: keeps,
    wants: 'reopen',
    async run(bench) {
      const { store } = bench
      const kept = await store.put('kept', pattern(70_000), { type: 'image/png' })
      const old = await store.put('again', 'x')
      await store.delete('again')
      await store.close()
      const later = await reopened(bench)
      const { bytes, ...meta } = await read(later, 'kept')
      assert.deepEqual(meta, kept)
      assert.ok(isEqual(bytes, pattern(70_000)))
      assert.notEqual((await later.put('again', 'x')).rev, old.rev)
      await later.put('kept', 'new', { if: kept.rev })
    },
  },
]

/** What the writes that were under way at the call of `close` came to, one of them a stream. */
async function closeAmidWrites(store: Store): Promise<Meta[]> {
  const writes = Array.from({ length: 20 }, (_, index) => store.put(`k${index}`, pattern(3000, index)))
  const body = pattern(150_000)
  async function* slow(): AsyncGenerator<Uint8Array> {
    yield body
    await turn()
    yield body
  }
  const streamed = store.put('streamed', slow())
  await store.close()
  return Promise.all([...writes, streamed])
}
