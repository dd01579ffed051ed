import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'
import { createStores } from '../../samples/showcase/stores'
import { createDirectory } from '../docstore/support/directories'
import '../docstore/support/typescript-workers'

describe('createStores(url)', () => {
  it.each([
    ['sqlite:DIR/new/app.db', 'sqlite', 'new/app-books.db'],
    ['sqlite://DIR/app', 'sqlite', 'app-books'],
    ['level:DIR/store', 'level', 'store/books'],
    ['file:DIR/store', 'file', 'store/books/keys'],
    ['file://DIR/store', 'file', 'store/books/keys'],
  ])('%s: the store of a name is at a place of its own', async (form, name, place) => {
    const dir = createDirectory()
    const create = createStores(form.replace('DIR', dir))
    const [books, files] = [create('books', memory()), create('files', memory())]
    expect([books.name, files.name]).toEqual([name, name])
    await books.put('a', 'a book')
    expect(existsSync(join(dir, place))).toBe(true)
    expect(await files.get('a')).toBeUndefined()
    await Promise.all([books.close(), files.close()])

    const again = createStores(form.replace('DIR', dir))('books', memory())
    expect(await text((await again.get('a'))!)).toBe('a book')
    await again.close()
  })

  it('memory: is a store in memory for each name, whatever its own driver is', async () => {
    const create = createStores('memory:')
    const [books, files] = [create('books', memory()), create('files', memory())]
    await books.put('a', 'a book')
    expect([books.name, await files.get('a')]).toEqual(['memory', undefined])
    await Promise.all([books.close(), files.close()])
  })

  it.each([
    ['postgres://user:secret@127.0.0.1:5432/test', 'postgres'],
    ['postgresql://127.0.0.1/test?sslmode=disable', 'postgres'],
    ['redis://:secret@127.0.0.1:6379/2', 'redis'],
    ['rediss://127.0.0.1', 'redis'],
    ['nats://user:secret@127.0.0.1', 'nats'],
  ])('%s is %s', async (url, name) => {
    const store = createStores(url)('books', memory())
    expect(store.name).toBe(name)
    await store.close()
  })

  it('is the driver that the route brings along where there is no URL', async () => {
    for (const url of [undefined, '']) {
      const own = memory()
      const store = createStores(url)('books', own)
      await store.put('a', 'a book')
      expect(await own.get('a', {})).toMatchObject({ key: 'a' })
      await store.close()
    }
  })

  it.each([
    ...['mysql://root:secret@127.0.0.1/test', 'postgres://', 'postgres:5432', 'redis:', 'nats://127.0.0.1:99999'],
    ...['sqlite:', 'level:', 'file:', 'file://data', 'memory:x', 'memory', 'C:\\data', 'FILE:data', ' '],
  ])('%p is refused with the forms that there are', (url) => {
    const create = (): unknown => createStores(url)
    expect(create).toThrow(/^STORE_URL .*postgres:.* redis:.* nats:.* sqlite:.* level:.* file:.* memory:$/)
    expect(create).not.toThrow(/secret/)
  })

  it.each(['', 'Shop', 'my-shop', '1st', 'x'.repeat(21)])('the namespace %p is refused', (namespace) => {
    expect(() => createStores('memory:', namespace)).toThrow(/^STORE_NAMESPACE takes /)
  })
})
