import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { setTimeout as delay } from 'node:timers/promises'
import { type Change, docstore, text } from 'kumu/docstore'
import { nats, type NatsOptions } from '../../src/docstore/drivers/nats'
import { createDirectory } from './support/directories'
import { createBuckets } from './support/nats'
import { createProxy } from './support/proxy'
import { describeWithProgram } from './support/servers'
import { describeWithService } from './support/services'

describe('nats(options)', () => {
  it('says what to install where a package is missing', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('@nats-io/kv', () => {
        throw Object.assign(new Error("Cannot find module '@nats-io/kv'"), { code: 'MODULE_NOT_FOUND' })
      })
      const isolated = jest.requireActual<typeof import('../../src/docstore/drivers/nats')>(
        '../../src/docstore/drivers/nats',
      )
      const store = docstore(isolated.nats())
      await expect(store.get('a')).rejects.toThrow('npm install @nats-io/transport-node @nats-io/jetstream @nats-io/kv')
      await store.close()
      jest.dontMock('@nats-io/kv')
    })
  })

  it('refuses what makes no bucket', () => {
    for (const bucket of ['', 'a.b', 'a b', '>', 'x'.repeat(101)]) expect(() => nats({ bucket })).toThrow(TypeError)
    for (const history of [0, 65, 1.5]) expect(() => nats({ history })).toThrow(RangeError)
  })

  it('says that nobody answers', async () => {
    for (const address of [{ servers: 'nats://127.0.0.1:1' }, { client: { servers: ['127.0.0.1:1'] } }]) {
      const store = docstore(nats(address))
      await expect(store.put('a', '')).rejects.toMatchObject({ name: 'ConnectionLost' })
      await expect(store.list()).rejects.toMatchObject({ name: 'ConnectionLost' })
      await store.close()
    }
  })
})

describeWithService('nats', (servers) => {
  const createBucket = createBuckets(servers)
  let connection: NatsConnection
  beforeAll(async () => (connection = await connect({ servers })))
  afterAll(() => connection.close())

  const open = (bucket: string, options: NatsOptions = {}): ReturnType<typeof docstore> =>
    docstore(nats({ servers, bucket, ...options }))
  const bucketOf = (bucket: string): Promise<KV> => new Kvm(jetstream(connection)).open(bucket)

  it('says what the server can, once it was asked', async () => {
    const [file, memory] = [open(createBucket()), open(createBucket(), { storage: 'memory', maxBody: 1000 })]
    expect(file.can.durable).toBe('memory')
    await Promise.all([file.ping(), memory.ping()])
    expect(file.can).toMatchObject({ durable: 'crash', maxBody: connection.info!.max_payload - 4096 })
    expect(memory.can).toMatchObject({ durable: 'memory', maxBody: 1000 })
    await Promise.all([file.close(), memory.close()])
  })

  it('takes the largest body with the longest type, and refuses a larger one in its first call too', async () => {
    const bucket = createBucket()
    const store = open(bucket)
    const size = connection.info!.max_payload - 4096
    await expect(store.put('a', new Uint8Array(size + 1))).rejects.toMatchObject({ code: 'too-large' })
    const type = `a/b;c="${'\\"'.repeat(123)}"`
    const put = await store.put('x'.repeat(255), new Uint8Array(size), { type, if: null, expires: Date.now() + 1e9 })
    expect(await store.get(put.key, { body: false })).toEqual(put)
    await store.close()
  })

  it('reads what others keep in the bucket, and keeps to it in its conditions', async () => {
    const bucket = createBucket()
    const store = open(bucket)
    await store.put('mine', 'x')
    const kv = await bucketOf(bucket)
    const seen: Change[] = []
    const watching = (async () => {
      for await (const change of store.watch()) if (seen.push(change) === 4) return
    })()
    // A store's own writes wait for its feed to stand; those of others do not.
    await store.put('mine', 'x')
    await kv.put('theirs', 'text')
    await kv.put('not.a/key', 'text')
    const doc = (await store.get('theirs'))!
    expect(doc).toMatchObject({ type: 'application/octet-stream', size: 4 })
    expect(await text(doc)).toBe('text')
    expect((await store.list()).items.map(({ key, size }) => [key, size])).toEqual([
      ['mine', 1],
      ['theirs', 4],
    ])
    await expect(store.put('theirs', 'x', { if: null })).rejects.toMatchObject({ code: 'conflict' })
    const put = await store.put('theirs', 'x', { if: doc.rev })
    expect((await kv.get('theirs'))!.string()).toBe('x')
    await kv.delete('theirs')
    expect(await store.get('theirs')).toBeUndefined()
    await watching
    expect(seen.slice(1).map(({ op, key, rev }) => [op, key, rev])).toEqual([
      ['put', 'theirs', doc.rev],
      ['put', 'theirs', put.rev],
      ['delete', 'theirs', undefined],
    ])
    await store.close()
  })

  it('says gone to a feed that was behind while a key was written more often than its history', async () => {
    const store = open(createBucket(), { history: 2 })
    const feed = store.watch()[Symbol.asyncIterator]()
    await store.put('a', '')
    const { value } = (await feed.next()) as { value: Change }
    await store.put('b', '')
    await store.put('b', '')
    const late = store.watch({ since: value.seq })[Symbol.asyncIterator]()
    expect(((await late.next()).value as Change).key).toBe('b')
    await store.put('b', '')
    const later = store.watch({ since: value.seq })[Symbol.asyncIterator]()
    await expect(later.next()).rejects.toMatchObject({ code: 'gone' })
    await store.close()
  })

  it('forgets deletions when their time is over, and what was deleted with them', async () => {
    const bucket = createBucket()
    const store = open(bucket, { tombstones: -1000 })
    await store.put('kept', '')
    const { rev } = await store.put('a', 'x')
    await store.delete('a')
    expect((await store.list()).items).toHaveLength(1)
    const manager = await jetstreamManager(connection)
    for (let turns = 0; turns < 100; turns++) {
      if ((await manager.streams.info(`KV_${bucket}`)).state.messages === 1) break
      await delay(20)
    }
    expect((await manager.streams.info(`KV_${bucket}`)).state.messages).toBe(1)
    const again = await store.put('a', 'x', { if: null })
    expect(again.rev).not.toBe(rev)
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['a', 'kept'])
    await store.close()
  })

  it('opens and lists a bucket whose last messages have been removed', async () => {
    const bucket = createBucket()
    const store = open(bucket)
    for (const key of ['a', 'b', 'c']) await store.put(key, '')
    const manager = await jetstreamManager(connection)
    await manager.streams.purge(`KV_${bucket}`, { filter: `$KV.${bucket}.c` })
    const later = open(bucket)
    expect((await later.list()).items.map(({ key }) => key)).toEqual(['a', 'b'])
    await manager.streams.purge(`KV_${bucket}`)
    const empty = open(bucket)
    expect(await empty.list()).toEqual({ items: [] })
    await empty.put('d', '')
    expect((await empty.list()).items.map(({ key }) => key)).toEqual(['d'])
    await Promise.all([store.close(), later.close(), empty.close()])
  })

  it('knows neither revisions nor sequences of a bucket that was made anew', async () => {
    const bucket = createBucket()
    const store = open(bucket)
    const feed = store.watch()[Symbol.asyncIterator]()
    const before = await store.put('a', 'x')
    const { value } = (await feed.next()) as { value: Change }
    await store.close()
    const manager = await jetstreamManager(connection)
    await manager.streams.delete(`KV_${bucket}`)
    const anew = open(bucket)
    const after = await anew.put('a', 'x')
    expect(after.rev).not.toBe(before.rev)
    await expect(anew.put('a', 'y', { if: before.rev })).rejects.toMatchObject({ code: 'conflict' })
    const late = anew.watch({ since: value.seq })[Symbol.asyncIterator]()
    await expect(late.next()).rejects.toMatchObject({ code: 'gone' })
    await manager.streams.delete(`KV_${bucket}`)
    // The call that finds it out fails, the next one makes the bucket again.
    await expect(anew.put('b', '')).rejects.toMatchObject({ name: 'ConnectionLost' })
    await anew.put('b', '')
    await anew.close()
  })

  it('refuses a server that ignores conditions', async () => {
    const header = 'Nats-Expected-Last-Subject-Sequence'
    const proxy = await createProxy(servers, (piece) =>
      Buffer.from(piece.toString('latin1').replaceAll(header, header.replace('Expected', 'Ignored!')), 'latin1'),
    )
    const bucket = createBucket()
    const store = open(bucket, { servers: proxy.url })
    await expect(store.put('a', '', { if: null })).rejects.toThrow('ignores the conditions')
    await store.close()
    await proxy.close()
    const honest = open(bucket)
    expect(await honest.list()).toEqual({ items: [] })
    await honest.close()
  })

  it('frees what has expired while somebody watches', async () => {
    const bucket = createBucket()
    const store = open(bucket)
    await store.put('a', 'x', { expires: Date.now() + 200 })
    const feed = store.watch()[Symbol.asyncIterator]()
    expect((await feed.next()).value).toMatchObject({ op: 'expire', key: 'a' })
    expect((await (await bucketOf(bucket)).get('a'))?.operation).toBe('DEL')
    await store.close()
  })

  it('lists what was there before it looked, expired and foreign entries left out', async () => {
    const bucket = createBucket()
    const writer = open(bucket)
    const keys = Array.from({ length: 600 }, (_, index) => `k${(index * 7919) % 600}`)
    const expires = Date.now() + 150
    await Promise.all(keys.map((key, index) => writer.put(key, '', index % 3 ? {} : { expires })))
    await writer.close()
    await delay(160)
    const store = open(bucket)
    const expected = keys.filter((_, index) => index % 3).sort()
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await store.list({ limit: 90, after })
      seen.push(...page.items.map(({ key }) => key))
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(expected)
    await store.close()
  })

  it('lists in each process what was acknowledged in another', async () => {
    const bucket = createBucket()
    const [one, other] = [open(bucket), open(bucket)]
    for (let round = 0; round < 100; round++) {
      const writer = round % 2 ? one : other
      const reader = round % 2 ? other : one
      await writer.put(`k${String(round).padStart(3, '0')}`, '')
      if (round % 10 === 9) await writer.delete(`k${String(round - 5).padStart(3, '0')}`)
      expect((await reader.list({ limit: 1000 })).items).toHaveLength(round + 1 - Math.floor((round + 1) / 10))
    }
    await Promise.all([one.close(), other.close()])
  })
})

describeWithProgram('nats-server', (create) => {
  it('keeps what it acknowledged, and its feeds, over a kill -9 of a server that keeps it in files', async () => {
    const dir = createDirectory()
    const server = await create((port) => ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', dir], 'nats')
    await server.start()
    const store = docstore(nats({ servers: server.url }))
    const seen: string[] = []
    const acknowledged = new Map<string, string>()
    const watching = (async () => {
      for await (const { rev } of store.watch()) if (seen.push(rev!) === 61) return
    })()
    for (let round = 0; round < 3; round++) {
      const writes = Array.from({ length: 20 }, async (_, index) => {
        const { key, rev } = await store.put(`k${round}-${index}`, new Uint8Array(50_000))
        acknowledged.set(key, rev)
      })
      await Promise.all(writes)
      expect(store.can.durable).toBe('crash')
      await server.kill()
      await server.start()
      await untilReady(store)
    }
    for (const [key, rev] of acknowledged) expect((await store.get(key, { body: false }))?.rev).toBe(rev)
    acknowledged.set('last', (await store.put('last', '')).rev)
    await watching
    expect(seen).toHaveLength(61)
    expect([...seen].sort()).toEqual([...acknowledged.values()].sort())
    expect((await store.list()).items).toHaveLength(61)
    await store.close()
  }, 60_000)
})

/** A server listens before it has found its streams again. */
async function untilReady(store: ReturnType<typeof docstore>): Promise<void> {
  for (let turns = 0; turns < 100; turns++) {
    try {
      return await store.ping()
    } catch {
      await delay(50)
    }
  }
}
