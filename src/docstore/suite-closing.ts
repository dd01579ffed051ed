import assert from 'node:assert/strict'
import { assertRefused, impatient, isEqual, pattern, read, take, type Test } from './suite-bench'

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
    async run({ store, another }) {
      const writes = Array.from({ length: 20 }, (_, index) => store.put(`k${index}`, pattern(3000, index)))
      const body = pattern(150_000)
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield body
        await new Promise((resolve) => setImmediate(resolve))
        yield body
      }
      const streamed = store.put('streamed', slow())
      await store.close()
      const metas = await Promise.all([...writes, streamed])
      if (store.can.durable === 'memory') return
      const later = await another()
      if (!later) return
      for (const { key, rev } of metas) assert.equal((await read(later, key)).rev, rev)
      assert.ok(isEqual((await read(later, 'k7')).bytes, pattern(3000, 7)))
    },
  },
  {
    title: 'ends the feeds',
    async run({ store, patience }) {
      if (!store.can.watch) return
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
    async run({ store, another }) {
      if (store.can.durable === 'memory') return
      const kept = await store.put('kept', pattern(70_000), { type: 'image/png' })
      const old = await store.put('again', 'x')
      await store.delete('again')
      await store.close()
      const later = await another()
      if (!later) return
      const { bytes, ...meta } = await read(later, 'kept')
      assert.deepEqual(meta, kept)
      assert.ok(isEqual(bytes, pattern(70_000)))
      assert.notEqual((await later.put('again', 'x')).rev, old.rev)
      await later.put('kept', 'new', { if: kept.rev })
    },
  },
]
