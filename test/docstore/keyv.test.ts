import fc from 'fast-check'
import Keyv from 'keyv'
import { docstore, type Store, StoreError, text } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'
import { keyv, keyvAdapter } from '../../src/docstore/drivers/keyv'
import { decodeName, encodeName, shortName, shortPrefix } from '../../src/docstore/keyv-names'

async function entriesOf(cache: Keyv): Promise<Array<[string, unknown]>> {
  const entries: Array<[string, unknown]> = []
  for await (const entry of cache.iterator!(undefined)) entries.push(entry as [string, unknown])
  return entries.sort()
}

describe('encodeName(text)', () => {
  const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('\ud800', 'a_h', '_u00e9', '__', ''))

  it('is undone by decodeName, keeps to the alphabet of keys, and begins as the text does', () => {
    fc.assert(
      fc.property(any, any, (start, rest) => {
        const name = encodeName(start + rest)
        expect(name).toMatch(/^[A-Za-z0-9_-]*$/)
        expect(decodeName(name)).toBe(start + rest)
        expect(name.startsWith(encodeName(start))).toBe(true)
      }),
      { seed: 11 },
    )
  })

  it('is cut and hashed where it is too long, apart from all others', () => {
    const texts = [
      'x'.repeat(250),
      'x'.repeat(251),
      `${'x'.repeat(250)}y`,
      'ü'.repeat(60),
      'ü'.repeat(61),
      '\ud800'.repeat(99),
    ]
    const names = texts.map((each) => shortName(each, 250))
    expect(new Set(names).size).toBe(texts.length)
    for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-]{1,250}$/)
    expect(names[0]).toBe(texts[0])
    expect(shortName('\ud800'.repeat(99), 250)).not.toBe(shortName('\ud801'.repeat(99), 250))
    expect(names[1]!.startsWith(shortPrefix('x'.repeat(251), 250))).toBe(true)
  })
})

describe('new Keyv({ store: keyvAdapter(store) })', () => {
  let store: Store
  beforeEach(() => (store = docstore(memory())))
  afterEach(() => store.close())

  it('gets, sets, has and deletes values of every kind under keys of every kind', async () => {
    const cache = new Keyv({ store: keyvAdapter(store), throwOnErrors: true })
    const values = ['text', '', 0, false, null, ['a', { b: 1 }], { c: 'grün' }, Buffer.from([0, 255])]
    const keys = ['a', 'user:1', 'ü/€', '..', '%00\0', ' ', '__proto__', 'k'.repeat(1000), `${'k'.repeat(1000)}2`]
    for (const [index, key] of keys.entries()) {
      const value = values[index % values.length]
      expect(await cache.has(key)).toBe(false)
      expect(await cache.set(key, value)).toBe(true)
      expect(await cache.get(key)).toEqual(value)
      expect(await cache.has(key)).toBe(true)
    }
    expect((await entriesOf(cache)).map(([key]) => key)).toEqual([...keys].sort())
    expect(await cache.get(['a', 'missing', 'user:1'])).toEqual(['text', undefined, ''])
    for (const key of keys) expect(await cache.delete(key)).toBe(true)
    expect(await cache.delete('a')).toBe(false)
    expect(await store.list()).toEqual({ items: [] })
  })

  it('keeps namespaces apart, in get, in its iterator and in clear', async () => {
    const long = 'n'.repeat(300)
    const names = ['one', 'one1', 'o', long, `${long}x`]
    const caches = names.map((namespace) => new Keyv({ store: keyvAdapter(store), namespace, throwOnErrors: true }))
    for (const [index, cache] of caches.entries()) await cache.set('a', index)
    for (const [index, cache] of caches.entries()) {
      expect(await cache.get('a')).toBe(index)
      expect(await entriesOf(cache)).toEqual([['a', index]])
    }
    await caches[0]!.clear()
    await caches[3]!.clear()
    expect(await Promise.all(caches.map((cache) => cache.get('a')))).toEqual([undefined, 1, 2, undefined, 4])
  })

  it('leaves other documents of the store alone', async () => {
    await store.put('keyv-mine', 'x')
    await store.put('other', 'x')
    const adapter = keyvAdapter(store)
    expect(await adapter.get('mine')).toBeUndefined()
    await adapter.set('theirs', 1)
    await adapter.clear()
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['keyv-mine', 'other'])
  })

  it('lets values expire, and what the store knows of it too', async () => {
    const cache = new Keyv({ store: keyvAdapter(store), throwOnErrors: true })
    await cache.set('a', 1, 40)
    await cache.set('b', 1)
    expect(await cache.get('a')).toBe(1)
    const [first] = (await store.list()).items
    expect(first!.expires).toBeGreaterThan(Date.now() - 1000)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(await cache.get('a')).toBeUndefined()
    expect(await cache.has('a')).toBe(false)
    expect(await entriesOf(cache)).toEqual([['b', 1]])
    expect((await store.list()).items).toHaveLength(1)
  })

  it('lets values expire in a store that cannot', async () => {
    const driver = memory()
    const adapter = keyvAdapter(docstore(Object.assign(driver, { can: { ...driver.can, ttl: false } })))
    await adapter.set('a', 'x', 20)
    expect(await adapter.get('a')).toBe('x')
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(await adapter.get('a')).toBeUndefined()
    expect(await adapter.has('a')).toBe(false)
  })

  it('refuses a prefix that no key begins with', () => {
    expect(() => keyvAdapter(store, { prefix: 'a:' })).toThrow(StoreError)
    expect(() => keyvAdapter(store, { prefix: 'a'.repeat(101) })).toThrow(RangeError)
  })

  it('says what failed', async () => {
    await store.close()
    const cache = new Keyv({ store: keyvAdapter(store) })
    const errors: unknown[] = []
    cache.on('error', (error) => errors.push(error))
    expect(await cache.set('a', 1)).toBe(false)
    expect(errors).toMatchObject([{ code: 'closed' }])
  })
})

describe('keyv(storage)', () => {
  it('declares no more than a storage of Keyv can hold', () => {
    expect(docstore(keyv(new Map())).can).toMatchObject({
      order: false,
      watch: false,
      reach: 'process',
      durable: 'memory',
    })
  })

  it('keeps conditions between drivers over one storage', async () => {
    const storage = new Map<string, string>()
    const stores = [docstore(keyv(storage)), docstore(keyv(storage))]
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => stores[index % 2]!.put('a', String(index), { if: null })),
    )
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('has no list over a storage without an iterator, and all else', async () => {
    const values = new Map<string, string>()
    const store = docstore(
      keyv({
        get: (key) => values.get(key),
        set: (key, value) => void values.set(key, value),
        delete: (key) => values.delete(key),
      }),
    )
    await store.put('a', 'x')
    expect(await text((await store.get('a'))!)).toBe('x')
    await expect(store.list()).rejects.toMatchObject({ code: 'unsupported' })
    expect(await store.delete('a')).toBe(true)
  })

  it('tells the storage when a document expires, never too early', async () => {
    const ttls: Array<number | undefined> = []
    const storage = {
      get: () => undefined,
      set: (_: string, __: string, ttl?: number) => ttls.push(ttl),
      delete: () => true,
    }
    const store = docstore(keyv(storage, { now: () => 1000 }))
    await store.put('a', '', { expires: 6000 })
    await store.put('a', '')
    expect(ttls).toEqual([6000, undefined])
  })

  it('frees what has expired where the storage does not', async () => {
    const storage = new Map<string, string>()
    let time = 1000
    const store = docstore(keyv(storage, { now: () => time }))
    for (const key of ['a', 'b', 'c']) await store.put(key, '', { expires: 2000 })
    await store.put('kept', '')
    time = 3000
    expect(await store.get('a')).toBeUndefined()
    expect([...storage.keys()]).toEqual(['kumu:b', 'kumu:c', 'kumu:kept'])
    expect((await store.list()).items).toHaveLength(1)
    expect([...storage.keys()]).toEqual(['kumu:kept'])
  })

  it('fails where the storage says that it failed', async () => {
    const storage = { get: () => undefined, set: () => false, delete: () => true }
    await expect(docstore(keyv(storage)).put('a', '')).rejects.toThrow('did not take')
  })

  it('overlooks what others keep in the storage', async () => {
    const storage = new Map<string, string>([
      ['kumu:a', 'text'],
      ['kumu:b', '{"rev":1}'],
      ['other:c', '{}'],
      ['kumu:d', 'null'],
    ])
    const store = docstore(keyv(storage))
    expect(await store.list()).toEqual({ items: [] })
    expect(await store.get('a')).toBeUndefined()
    await store.put('a', 'x', { if: null })
    expect((await store.list()).items).toHaveLength(1)
  })

  it('lists some of much in pages of bounded memory', async () => {
    const store = docstore(keyv(new Map()))
    const keys = Array.from({ length: 3000 }, (_, index) => `k${String((index * 7919) % 3000).padStart(4, '0')}`)
    for (const key of keys) await store.put(key, '')
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await store.list({ limit: 7, after })
      seen.push(...page.items.map(({ key }) => key))
      after = seen.length < 70 ? page.next : undefined
    } while (after !== undefined)
    expect(seen).toEqual([...keys].sort().slice(0, 70))
  })

  it('keeps documents in what keyvAdapter makes of a store: both ways', async () => {
    const inner = docstore(memory())
    const store = docstore(keyv(keyvAdapter(inner)))
    const { rev } = await store.put('a', 'x', { if: null })
    await expect(store.put('a', 'y', { if: null })).rejects.toMatchObject({ code: 'conflict' })
    await store.put('a', 'y', { if: rev })
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['a'])
    await inner.close()
  })
})
