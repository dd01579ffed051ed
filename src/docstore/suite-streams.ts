import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { assertEmpty, assertRefused, isEqual, listAll, pattern, read, type Test } from './suite-bench'

export const streams: readonly Test[] = [
  {
    title: 'takes Node streams, web streams and iterables of bytes and text',
    async run({ store }) {
      const body = pattern(Math.min(2_200_000, store.can.maxBody))
      await store.put('node', Readable.from(cut(body, 60_001)))
      await store.put('web', ReadableStream.from(cut(body, 700_000)))
      await store.put('generator', generate([...cut(body, 1_048_576), new Uint8Array(0)]))
      for (const key of ['node', 'web', 'generator']) {
        const { bytes, size } = await read(store, key)
        assert.equal(size, body.byteLength)
        assert.ok(isEqual(bytes, body), key)
      }
      await store.put('text', generate(['grün', '', Buffer.from('!')]))
      assert.equal(Buffer.from((await read(store, 'text')).bytes).toString(), 'grün!')
      await store.put('empty', generate([]))
      assert.equal((await read(store, 'empty')).size, 0)
    },
  },
  {
    title: 'shows nothing of a stream that fails',
    async run({ store }) {
      const failure = new Error('the client went away')
      const many = Math.min(40, Math.floor(store.can.maxBody / 50_000))
      const isIt = (error: unknown): boolean => error === failure
      for (const good of [0, 1, many]) {
        await assert.rejects(store.put('a', failing(good, failure)), isIt)
        await assert.rejects(store.put('b', ReadableStream.from(failing(good, failure))), isIt)
        await assertEmpty(store)
      }
      const before = await store.put('a', 'old')
      await assert.rejects(store.put('a', failing(many, failure)), isIt)
      assert.deepEqual(await store.get('a', { body: false }), before)
    },
  },
  {
    title: 'refuses pieces that are no bytes',
    async run({ store }) {
      for (const piece of [1, null, {}, [1]]) {
        await assert.rejects(store.put('a', generate([piece as unknown as string])), { name: 'TypeError' })
      }
      await assertEmpty(store)
    },
  },
  {
    title: 'shows nothing of a stream before its end, and holds up nobody',
    async run({ store }) {
      let finish = (): void => undefined
      const gate = new Promise<void>((resolve) => (finish = resolve))
      let started = (): void => undefined
      const reading = new Promise<void>((resolve) => (started = resolve))
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield pattern(100_000)
        started()
        await gate
        yield pattern(100_000)
      }
      const writing = store.put('a', slow())
      try {
        await reading
        assert.equal(await store.get('a'), undefined)
        const other = await store.put('a', 'quick', { if: null })
        assert.deepEqual(await listAll(store), [other])
      } finally {
        finish()
      }
      assert.equal((await writing).size, 200_000)
      assert.equal((await read(store, 'a')).size, 200_000)
    },
  },
  {
    title: 'decides the condition of a stream when it has been read',
    async run({ store }) {
      let other = (): Promise<unknown> => Promise.resolve()
      async function* overtaken(): AsyncGenerator<Uint8Array> {
        yield pattern(100_000)
        await other()
        yield pattern(100_000)
      }
      other = () => store.put('a', 'first')
      await assertRefused('conflict', () => store.put('a', overtaken(), { if: null }))
      const { rev } = await store.put('a', 'second')
      other = () => store.delete('a')
      await assertRefused('conflict', () => store.put('a', overtaken(), { if: rev }))
      await assertEmpty(store)
      await assertRefused('conflict', () => store.put('a', overtaken(), { if: '*' }))
      await assertEmpty(store)
    },
  },
  {
    title: 'streams 32 MiB in and out, and holds a part of it at a time',
    needs: ({ stream }) => stream,
    async run({ store: first, another }) {
      // The store whose bound is tested may have a near one; the next one over the same data need not.
      const next = await another()
      const store = next && next.can.maxBody > first.can.maxBody ? next : first
      const size = Math.min(32 * 1024 * 1024, store.can.maxBody)
      const memory = createMemoryProbe(8 * 1024 * 1024)
      const sent = createHash('sha256')
      async function* source(): AsyncGenerator<Uint8Array> {
        for (let at = 0, seed = 1; at < size; seed++) {
          const piece = pattern(Math.min(65_521, size - at), seed)
          sent.update(piece)
          at += piece.byteLength
          yield piece
          memory.pass(piece.byteLength)
        }
      }
      assert.equal((await store.put('large', source())).size, size)
      const hash = sent.digest('hex')
      const doc = await store.get('large')
      assert.ok(doc && !(doc.body instanceof Uint8Array), 'a large body is no stream')
      const got = createHash('sha256')
      for await (const piece of doc.body) {
        got.update(piece)
        memory.pass(piece.byteLength)
      }
      assert.equal(got.digest('hex'), hash)
      const { bytes } = await read(store, 'large', [size - 10, size + 10])
      assert.equal(bytes.byteLength, 10)
    },
  },
  {
    title: 'lets go of a body that is cancelled',
    async run({ store }) {
      await store.put('a', pattern(Math.min(3_000_000, store.can.maxBody)))
      const doc = await store.get('a')
      assert.ok(doc)
      if (!(doc.body instanceof Uint8Array)) await doc.body.cancel()
      assert.equal(await store.delete('a'), true)
    },
  },
]

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}

async function* generate(pieces: ReadonlyArray<Uint8Array | string>): AsyncGenerator<Uint8Array | string> {
  yield* pieces
}

async function* failing(good: number, failure: Error): AsyncGenerator<Uint8Array> {
  for (let count = 0; count < good; count++) yield pattern(50_000, count)
  throw failure
}

/**
 * Watches over the bytes that are held in buffers, garbage aside: it is collected before each look.
 *
 * @param bound bytes that may be held, above what was held at the beginning, and that pass between two looks
 */
function createMemoryProbe(bound: number): { readonly pass: (bytes: number) => void } {
  // What Jest does to find leaks: a context that is made after the flag has the collector for a global.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const held = (): number => {
    // What the first round finds dead is given back beside it, and done with when the second begins.
    collect()
    collect()
    return process.memoryUsage().arrayBuffers
  }
  const before = held()
  let passed = 0
  return {
    pass(bytes) {
      passed += bytes
      if (passed < bound) return
      passed = 0
      const more = held() - before
      assert.ok(more < bound, `it holds ${more} bytes of a body that passes`)
    },
  }
}
