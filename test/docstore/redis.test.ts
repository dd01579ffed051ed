import { Redis } from 'ioredis'
import { setTimeout as delay } from 'node:timers/promises'
import { bytes, type Change, docstore } from 'kumu/docstore'
import { redis } from '../../src/docstore/drivers/redis'
import { durabilityOf } from '../../src/docstore/redis-durability'
import { createDirectory } from './support/directories'
import { createPrefixes } from './support/redis'
import { describeWithProgram } from './support/servers'
import { describeWithService } from './support/services'

describe('redis(options)', () => {
  it('says what to install where ioredis is missing', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('ioredis', () => {
        throw Object.assign(new Error("Cannot find module 'ioredis'"), { code: 'MODULE_NOT_FOUND' })
      })
      const isolated = jest.requireActual<typeof import('../../src/docstore/drivers/redis')>(
        '../../src/docstore/drivers/redis',
      )
      const store = docstore(isolated.redis())
      await expect(store.get('a')).rejects.toThrow('npm install ioredis')
      await store.close()
      jest.dontMock('ioredis')
    })
  })

  it.each(['', 'a b', '{a}', 'a}', 'x'.repeat(101)])('refuses the prefix %j', (prefix) => {
    expect(() => redis({ prefix })).toThrow(TypeError)
  })

  it('says that nobody answers', async () => {
    for (const address of [{ url: 'redis://127.0.0.1:1' }, { client: { host: '127.0.0.1', port: 1 } }]) {
      const store = docstore(redis(address))
      await expect(store.put('a', '')).rejects.toMatchObject({ name: 'ConnectionLost' })
      await store.close()
    }
  })
})

describe('durabilityOf(send)', () => {
  const always = { appendonly: 'yes', appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no', maxmemory: '0' }
  const noEviction = { 'maxmemory-policy': 'noeviction' }

  it.each([
    ['power', { ...always, ...noEviction }],
    ['crash', { ...always, ...noEviction, 'no-appendfsync-on-rewrite': 'yes' }],
    ['crash', { ...always, ...noEviction, appendfsync: 'no' }],
    ['memory', { ...always, ...noEviction, appendfsync: 'everysec' }],
    ['memory', { ...always, ...noEviction, appendonly: 'no' }],
    ['memory', { ...always, 'maxmemory-policy': 'volatile-lru', maxmemory: '1000' }],
    ['memory', { ...always, 'maxmemory-policy': 'allkeys-lru', maxmemory: '1000' }],
    ['power', { ...always, 'maxmemory-policy': 'allkeys-lru' }],
  ])('is %s under %j', async (expected, settings: Record<string, string>) => {
    const send = async (...[, , name]: readonly unknown[]) => [Buffer.from(''), Buffer.from(settings[name as string]!)]
    expect(await durabilityOf(send)).toBe(expected)
  })

  it('is memory where the server does not tell, and an error where it does not answer', async () => {
    const refuse = (name: string) => () => Promise.reject(Object.assign(new Error('NOPERM'), { name }))
    expect(await durabilityOf(refuse('ReplyError'))).toBe('memory')
    await expect(durabilityOf(refuse('ConnectionLost'))).rejects.toThrow('NOPERM')
  })
})

describeWithService('redis', (url) => {
  const createPrefix = createPrefixes(url)
  let client: Redis
  beforeAll(() => (client = new Redis(url)))
  afterAll(() => client.disconnect())

  /** The chunks of a store, with the milliseconds that each has left (-1: for ever). */
  async function chunksOf(prefix: string): Promise<number[]> {
    const names = await client.keys(`{${prefix}}:b:*`)
    return Promise.all(names.map((name) => client.pttl(name)))
  }

  it('keeps the chunks of what is stored, and no others for long', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    const large = new Uint8Array(600_000).fill(7)
    await store.put('a', large)
    expect(await chunksOf(prefix)).toEqual([-1, -1, -1])
    async function* overtaken(): AsyncGenerator<Uint8Array> {
      yield large
      await store.put('b', 'x')
    }
    await expect(store.put('b', overtaken(), { if: null })).rejects.toMatchObject({ code: 'conflict' })
    await expect(store.put('b', large, { if: null })).rejects.toMatchObject({ code: 'conflict' })
    expect(await chunksOf(prefix)).toEqual([-1, -1, -1])
    await store.put('a', new Uint8Array(262_144))
    for (const left of await chunksOf(prefix)) expect(left).toBeGreaterThan(50_000)
    await store.close()
  })

  it('says so where a body is gone before it was read', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    await store.put('a', new Uint8Array(600_000))
    const doc = (await store.get('a'))!
    await store.delete('a')
    await client.unlink(await client.keys(`{${prefix}}:b:*`))
    await expect(bytes(doc)).rejects.toThrow('replaced or deleted')
    await store.close()
  })

  it('prolongs what is left of a body that is being read', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    await store.put('a', new Uint8Array(600_000))
    const doc = (await store.get('a'))!
    await store.delete('a')
    for (const name of await client.keys(`{${prefix}}:b:*`)) await client.pexpire(name, 20_000)
    const reader = (doc.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    for (const left of await chunksOf(prefix)) expect(left).toBeGreaterThan(50_000)
    await reader.cancel()
    await store.close()
  })

  it('writes nothing of a body whose beginning is gone', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(600_000)
      await client.unlink(await client.keys(`{${prefix}}:b:*`))
    }
    await expect(store.put('a', slow())).rejects.toThrow('came so slowly')
    expect(await store.list()).toEqual({ items: [] })
    expect(await chunksOf(prefix)).toEqual([])
    await store.close()
  })

  it('frees what has expired though nobody comes by, and tells of it later', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    const abort = new AbortController()
    const feed = store.watch({ signal: abort.signal })[Symbol.asyncIterator]()
    await store.put('a', new Uint8Array(10), { expires: Date.now() + 80 })
    await delay(120)
    expect(await client.exists(`{${prefix}}:d:a`)).toBe(0)
    expect((await feed.next()).value).toMatchObject({ op: 'put', key: 'a' })
    expect((await feed.next()).value).toMatchObject({ op: 'expire', key: 'a' })
    expect(await client.exists(`{${prefix}}:i`, `{${prefix}}:x`)).toBe(0)
    abort.abort()
    await store.close()
  })

  it('lists around what others have removed', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    for (const key of ['a', 'b', 'c']) await store.put(key, '')
    await client.del(`{${prefix}}:d:b`)
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['a', 'c'])
    expect(await client.zcard(`{${prefix}}:i`)).toBe(2)
    await store.close()
  })

  it('keeps documents, revisions and its feed over an opening', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix }))
    const feed = store.watch()[Symbol.asyncIterator]()
    const [a, b] = [await store.put('a', 'x', { type: 'text/plain' }), await store.put('b', new Uint8Array(600_000))]
    const { value } = (await feed.next()) as { value: Change }
    await store.close()
    const later = docstore(redis({ url, prefix }))
    expect((await later.list()).items).toEqual([a, b])
    expect((await bytes((await later.get('b'))!)).byteLength).toBe(600_000)
    const on = later.watch({ since: value.seq })[Symbol.asyncIterator]()
    expect((await on.next()).value).toMatchObject({ op: 'put', key: 'b', rev: b.rev })
    await later.put('a', 'y', { if: a.rev })
    await later.close()
  })

  it('goes on where the server has forgotten its scripts', async () => {
    const store = docstore(redis({ url, prefix: createPrefix() }))
    await store.put('a', '')
    await client.script('FLUSH')
    await store.put('a', '', { if: '*' })
    await store.close()
  })

  it('keeps a bounded log', async () => {
    const prefix = createPrefix()
    const store = docstore(redis({ url, prefix, log: 100 }))
    await Promise.all(Array.from({ length: 1000 }, () => store.put('a', '')))
    expect(await client.xlen(`{${prefix}}:l`)).toBeLessThan(300)
    await store.close()
  })

  it('goes on with one feed where another one ends, and lets go of its connection with the last', async () => {
    const prefix = createPrefix()
    const name = `feeds-${prefix}`
    const store = docstore(redis({ url, prefix, client: { connectionName: name } }))
    const connections = async (): Promise<number> =>
      String(await client.client('LIST')).split(`name=${name}`).length - 1
    const until = async (count: number): Promise<void> => {
      for (let turns = 0; turns < 100 && (await connections()) !== count; turns++) await delay(20)
      expect(await connections()).toBe(count)
    }
    const [one, other] = [store.watch(), store.watch()].map((feed) => feed[Symbol.asyncIterator]())
    const first = [one!.next(), other!.next()]
    await store.put('a', '')
    for (const { value } of await Promise.all(first)) expect((value as Change).key).toBe('a')
    await until(2)
    await one!.return!()
    const second = other!.next()
    await delay(50)
    await store.put('b', '')
    expect(((await second).value as Change).key).toBe('b')
    await other!.return!()
    await until(1)
    await store.close()
  })
})

describeWithProgram('redis-server', (create) => {
  it('keeps what it acknowledged, and its feeds, over a kill -9 of a server that syncs always', async () => {
    const dir = createDirectory()
    const options = ['--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    const server = await create((port) => ['--port', String(port), '--bind', '127.0.0.1', ...options], 'redis')
    await server.start()
    const store = docstore(redis({ url: server.url }))
    await store.ping()
    expect(store.can.durable).toBe('power')
    const seen: string[] = []
    const watching = (async () => {
      for await (const { rev } of store.watch()) if (seen.push(rev!) === 61) return
    })()
    const acknowledged = new Map<string, string>()
    for (let round = 0; round < 3; round++) {
      const writes = Array.from({ length: 20 }, async (_, index) => {
        const { key, rev } = await store.put(`k${round}-${index}`, new Uint8Array(300_000))
        acknowledged.set(key, rev)
      })
      await Promise.all(writes)
      await server.kill()
      await server.start()
    }
    for (const [key, rev] of acknowledged) expect((await store.get(key, { body: false }))?.rev).toBe(rev)
    acknowledged.set('last', (await store.put('last', '')).rev)
    await watching
    expect([...seen].sort()).toEqual([...acknowledged.values()].sort())
    await store.close()
  }, 60_000)

  it('gives no revision twice where the server loses everything, and says gone to its feeds', async () => {
    const server = await create((port) => ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], 'redis')
    await server.start()
    const store = docstore(redis({ url: server.url }))
    const feed = store.watch()[Symbol.asyncIterator]()
    const before = await store.put('a', 'x')
    expect(store.can.durable).toBe('memory')
    expect((await feed.next()).value).toMatchObject({ key: 'a' })
    const next = feed.next()
    next.catch(() => undefined)
    await server.kill()
    await server.start()
    await delay(50)
    const after = await store.put('a', 'x')
    expect(after.rev).not.toBe(before.rev)
    await expect(store.put('a', 'y', { if: before.rev })).rejects.toMatchObject({ code: 'conflict' })
    await expect(next).rejects.toMatchObject({ code: 'gone' })
    await store.close()
  }, 30_000)
})
