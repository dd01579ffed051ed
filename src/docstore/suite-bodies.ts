import assert from 'node:assert/strict'
import type { Store } from './store'
import { assertEmpty, assertRefused, isBounded, isEqual, pattern, read, type Test, turn } from './suite-bench'

const sizes = [0, 1, 2, 4095, 65_535, 65_536, 131_073, 1_048_575, 1_048_576, 1_048_577, 3_145_735]

export const bodies: readonly Test[] = [
  {
    title: 'gives back the same bytes, of every size, whole and in ranges',
    async run({ store }) {
      for (const size of sizes.filter((each) => each <= store.can.maxBody)) {
        const body = pattern(size)
        assert.equal((await store.put('a', body)).size, size)
        const whole = await read(store, 'a')
        assert.equal(whole.size, size)
        assert.ok(isEqual(whole.bytes, body), `${size} bytes`)
        const middle = size >> 1
        const ranges = [
          [0, 0],
          [0, size],
          [middle, middle + 70_000],
          [Math.max(0, size - 1), size + 5],
          [size, size],
          [size + 9, size + 99],
        ] as const
        for (const [first, last] of ranges) {
          const part = await read(store, 'a', [first, last])
          assert.ok(isEqual(part.bytes, body.subarray(first, last + 1)), `${first}-${last} of ${size}`)
          assert.equal(part.size, size)
        }
      }
    },
  },
  {
    title: 'keeps type, size, revision and time with the body',
    async run({ store, clock }) {
      const before = clock.now()
      const put = await store.put('a', 'grün', { type: 'text/plain; charset=utf-8' })
      assert.deepEqual(
        { ...put, rev: '', modified: 0 },
        { key: 'a', rev: '', type: 'text/plain; charset=utf-8', size: 5, modified: 0 },
      )
      // Servers of a cluster have clocks of their own.
      assert.ok(Math.abs(put.modified - before) < 60_000)
      assert.match(put.rev, /^[\x21\x23-\x7e]+$/)
      const { bytes, ...meta } = await read(store, 'a')
      assert.deepEqual(meta, put)
      assert.equal(Buffer.from(bytes).toString(), 'grün')
      assert.deepEqual(await store.get('a', { body: false }), put)
      assert.deepEqual((await store.list()).items, [put])
      assert.equal((await store.put('b', '')).type, 'application/octet-stream')
      assert.equal(await store.get('c'), undefined)
      assert.equal(await store.get('c', { body: false }), undefined)
    },
  },
  {
    title: 'keeps its own copy of the bytes',
    async run({ store }) {
      const body = Buffer.from('abc')
      await store.put('a', body)
      body.fill(0)
      const first = await read(store, 'a')
      first.bytes.fill(1)
      assert.equal(Buffer.from((await read(store, 'a')).bytes).toString(), 'abc')
    },
  },
  {
    title: 'refuses bodies above its bound, and nothing happens',
    needs: isBounded,
    async run({ store }) {
      const { maxBody } = store.can
      await assertRefused('too-large', () => store.put('a', new Uint8Array(maxBody + 1)))
      await assertRefused('too-large', () => store.put('a', endless(maxBody)))
      await assertEmpty(store)
      assert.equal((await store.put('a', new Uint8Array(maxBody))).size, maxBody)
      await assertRefused('too-large', () => store.put('a', endless(maxBody)))
      assert.equal((await store.get('a', { body: false }))?.size, maxBody)
    },
  },
  {
    title: 'shows readers the old document or the new one, never a mixture',
    async run({ store }) {
      const size = Math.min(2_500_000, store.can.maxBody)
      await write(store, size, 0)
      let writing = true
      const readers = Array.from({ length: 4 }, async () => {
        let looks = 0
        do {
          const { bytes, type } = await read(store, 'a')
          const seed = Number(type.slice('test/'.length))
          assert.ok(isEqual(bytes, new Uint8Array(seed % 2 ? size : 1000).fill(seed)), type)
          looks++
          await turn()
        } while (writing)
        return looks
      })
      for (let seed = 1; seed <= 20; seed++) await write(store, size, seed)
      writing = false
      for (const looks of await Promise.all(readers)) assert.ok(looks > 0)
    },
  },
  {
    title: 'lets a reader finish what was replaced and deleted under it',
    async run({ store }) {
      const body = pattern(Math.min(3_000_000, store.can.maxBody))
      await store.put('a', body)
      const doc = await store.get('a')
      assert.ok(doc)
      const pieces: Uint8Array[] = []
      let changed = false
      for await (const piece of doc.body instanceof Uint8Array ? [doc.body] : doc.body) {
        pieces.push(piece)
        if (!changed) {
          changed = true
          await store.put('a', 'new')
          await store.delete('a')
        }
      }
      assert.ok(isEqual(Buffer.concat(pieces), body))
      await assertEmpty(store)
    },
  },
]

function write(store: Store, size: number, seed: number): Promise<unknown> {
  return store.put('a', new Uint8Array(seed % 2 ? size : 1000).fill(seed), { type: `test/${seed}` })
}

async function* endless(size: number): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(256 * 1024)
  // More than the bound, and an end: a driver that does not count must not hang the test.
  for (let sent = 0; sent <= size; sent += piece.byteLength) yield piece
}
