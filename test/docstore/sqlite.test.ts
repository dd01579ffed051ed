import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { bytes, type Change, docstore, type Query } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'
import { sqlite } from 'kumu/docstore/sqlite'
import { SqliteDatabase } from '../../src/docstore/sqlite-database'
import { createDirectory } from './support/directories'
import './support/typescript-workers'
import { linesOf, startWorker } from './support/workers'

const createFile = (): string => join(createDirectory(), 'store.db')

/** A number that a statement on the file itself gives. */
function count(file: string, from: string): number {
  const db = new Database(file)
  try {
    return (db.prepare(`SELECT count(*) AS number FROM ${from}`).get() as { number: number }).number
  } finally {
    db.close()
  }
}

describe('loadSqlite()', () => {
  function load(builtin: unknown): Promise<(file: string, options: { readonly: boolean }) => unknown> {
    return jest
      .isolateModulesAsync(async () => {
        jest.doMock('libsql', () => {
          throw Object.assign(new Error("Cannot find module 'libsql'"), { code: 'MODULE_NOT_FOUND' })
        })
        jest.spyOn(process, 'getBuiltinModule').mockReturnValue(builtin as never)
      })
      .then(() => {
        try {
          return jest
            .requireActual<typeof import('../../src/docstore/sqlite-database')>('../../src/docstore/sqlite-database')
            .loadSqlite()
        } finally {
          jest.dontMock('libsql')
          jest.restoreAllMocks()
        }
      })
  }

  it('says what to install where neither libsql nor the SQLite of Node is there', async () => {
    await expect(load(undefined)).rejects.toThrow('npm install libsql')
  })

  it('takes the SQLite of Node where libsql is not there', async () => {
    class DatabaseSync {
      constructor(
        readonly file: string,
        readonly options: object,
      ) {}
    }
    const open = await load({ DatabaseSync })
    expect(open('a.db', { readonly: true })).toMatchObject({ file: 'a.db', options: { readOnly: true } })
  })
})

describe('sqlite({ file })', () => {
  it('tells what is wrong with the file, and opens it when nothing is any more', async () => {
    const dir = join(createDirectory(), 'missing')
    const file = join(dir, 'store.db')
    const store = docstore(sqlite({ file }))
    await expect(store.put('a', 'x')).rejects.toThrow(/unable to open|ConnectionFailed/i)
    await expect(store.ping()).rejects.toThrow()
    mkdirSync(dir)
    await store.put('a', 'x')
    await store.close()
    writeFileSync(join(dir, 'text.db'), 'no database'.repeat(1000))
    const wrong = docstore(sqlite({ file: join(dir, 'text.db') }))
    await expect(wrong.get('a')).rejects.toThrow(/not a database/)
    await wrong.close()
  })

  it('refuses tables of a later version', async () => {
    const file = createFile()
    const store = docstore(sqlite({ file }))
    await store.put('a', 'x')
    await store.close()
    const db = new Database(file)
    db.exec('UPDATE kumu_info SET version = 99')
    db.close()
    const later = docstore(sqlite({ file }))
    await expect(later.get('a')).rejects.toThrow('version 99')
    await later.close()
  })

  it('gives every write of a group its own answer, where one of them fails too', async () => {
    const file = createFile()
    const store = docstore(sqlite({ file }))
    const { rev } = await store.put('old', 'x')
    const db = new Database(file)
    db.exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON kumu_documents WHEN new.key = 'bad' BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    db.close()
    const results = await Promise.allSettled([
      store.put('a', '1'),
      store.put('bad', '1'),
      store.put('old', '1', { if: null }),
      store.batch([
        { op: 'put', key: 'c', body: '1' },
        { op: 'put', key: 'bad', body: '1' },
      ]),
      store.delete('old', { if: rev }),
      store.put('b', '1'),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
      'fulfilled',
    ])
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      message: expect.stringContaining('refused') as string,
    })
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['a', 'b'])
    const feed = store.watch()[Symbol.asyncIterator]()
    const next = feed.next()
    await store.put('d', '1')
    expect((await next).value).toMatchObject({ op: 'put', key: 'd' })
    await store.close()
  })

  it('reads at once what another opening has written', async () => {
    const file = createFile()
    const [store, other] = [docstore(sqlite({ file })), docstore(sqlite({ file }))]
    expect(await store.get('a')).toBeUndefined()
    for (const body of ['', '1', 'x'.repeat(70_000), '22']) {
      const { rev } = await other.put('a', body)
      const doc = (await store.get('a'))!
      expect(doc).toMatchObject({ rev, size: body.length })
      expect(Buffer.from(await bytes(doc)).toString()).toBe(body)
      expect(await store.get('a', { body: false })).toMatchObject({ rev, size: body.length })
    }
    expect(Buffer.from(await bytes((await store.get('a', { range: [1, 5] }))!)).toString()).toBe('2')
    await other.delete('a')
    expect(await store.get('a')).toBeUndefined()
    await Promise.all([store.close(), other.close()])
  })

  it('asks the other thread where this one cannot read', async () => {
    const store = docstore(sqlite({ file: createFile() }))
    const { rev } = await store.put('a', 'x', { type: 'a/b' })
    const spy = jest.spyOn(SqliteDatabase.prototype, 'tryGetValues').mockReturnValue('busy')
    expect(await store.get('a')).toMatchObject({ rev, type: 'a/b', size: 1 })
    expect(await store.get('b')).toBeUndefined()
    expect(spy).toHaveBeenCalledTimes(2)
    spy.mockRestore()
    await store.close()
  })

  it('knows how many documents there are to query, whatever became of them', async () => {
    const file = createFile()
    const json = { type: 'application/json' }
    let now = 1000
    const store = docstore(sqlite({ file, now: () => now }))
    const total = async (): Promise<number | undefined> => (await store.query({ limit: 1, count: true })).total
    expect(await total()).toBe(0)
    await store.batch(['a', 'b', 'c', 'd'].map((key) => ({ op: 'put', key, body: '{}', ...json })))
    await store.put('text', '{}', { type: 'text/plain' })
    expect(await total()).toBe(4)
    await store.put('a', '{"again":true}', json)
    await store.put('b', 'no longer', { type: 'text/plain' })
    await store.put('text', '{}', json)
    await store.delete('c')
    await expect(store.put('a', '{}', { ...json, if: null })).rejects.toMatchObject({ code: 'conflict' })
    await store.put('d', '{}', { ...json, expires: 2000 })
    expect(await total()).toBe(3)
    now = 2000
    expect(await total()).toBe(2)
    await store.close()
    // As the first version left it.
    const db = new Database(file)
    db.exec('ALTER TABLE kumu_info DROP COLUMN counted; UPDATE kumu_info SET version = 1')
    db.close()
    const later = docstore(sqlite({ file, now: () => now }))
    expect((await later.query({ limit: 1, count: true })).total).toBe(2)
    await later.close()
  })

  it('finds the same by whichever thread: among others, behind what has expired, with and without an index', async () => {
    const file = createFile()
    let now = 1000
    const store = docstore(sqlite({ file, now: () => now, index: ['tag'] }))
    const bodies = Array.from({ length: 400 }, (_, index) => ({
      key: `k${String(index).padStart(3, '0')}`,
      body: JSON.stringify({ tag: `t${index % 3}`, n: index % 5 }),
      type: index % 7 === 0 || index > 390 ? 'application/json' : 'text/plain',
      ...(index % 14 === 0 ? { expires: 2000 } : {}),
    }))
    await store.batch(bodies.map((each) => ({ op: 'put', ...each })))
    await store.batch(
      bodies.map((each) => ({ op: 'put', ...each, key: `other-${each.key}`, type: 'application/json' })),
    )
    now = 2000
    const queries: Query[] = [
      { limit: 3 },
      { limit: 1000, count: true },
      { limit: 5, prefix: 'k', count: true },
      { limit: 5, after: { values: [], key: 'k380' } },
      { limit: 4, where: { tag: ['t1'] } },
      { limit: 4, where: { tag: ['t1'] }, prefix: 'other', after: { values: [], key: 'other-k200' } },
      { limit: 4, where: { tag: ['t1', 't2'] } },
      { limit: 4, where: { n: [3] } },
      { limit: 4, sort: [{ name: 'tag', descending: true }] },
      { limit: 4, sort: [{ name: 'tag', descending: false }], after: { values: ['t1'], key: 'k300' } },
      { limit: 0, count: true },
      { limit: 2, offset: 3 },
    ]
    const asked = await Promise.all(queries.map((query) => store.query(query)))
    const spy = jest.spyOn(SqliteDatabase.prototype, 'tryGetValues').mockReturnValue('busy')
    expect(await Promise.all(queries.map((query) => store.query(query)))).toEqual(asked)
    spy.mockRestore()
    const model = docstore(memory({ now: () => now }))
    for (const prefix of ['', 'other-']) {
      for (const { key, ...each } of bodies) {
        await model.put(prefix + key, each.body, { ...each, type: prefix === '' ? each.type : 'application/json' })
      }
    }
    for (const [index, query] of queries.entries()) {
      const { items, ...page } = await model.query(query)
      expect(asked[index]).toMatchObject(page)
      expect(asked[index]!.items.map(({ meta }) => meta.key)).toEqual(items.map(({ meta }) => meta.key))
    }
    await Promise.all([store.close(), model.close()])
  })

  it('gives values as they were stored, whatever is in them', async () => {
    const store = docstore(sqlite({ file: createFile() }))
    const texts = [
      '\ufeff{"mark":1}',
      ' {"a": "\\u0000\\ud800 \u2028é"} ',
      '{"__proto__":{"x":1},"meta":{}}',
      '[1,"]}"]',
      `"${'y'.repeat(80_000)}"`,
    ]
    const type = 'application/json; profile="a\\"b"'
    for (const [index, text] of texts.entries()) await store.put(`k${index}`, text, { type, expires: 9e15 })
    const { items } = await store.query({ limit: 10 })
    expect(items.map(({ value }) => JSON.stringify(value))).toEqual(
      texts.map((text) => JSON.stringify(JSON.parse(text.replace('\ufeff', '')))),
    )
    for (const { meta } of items) expect(meta).toEqual(await store.get(meta.key, { body: false }))
    await store.close()
  })

  it('tells what another opening has written, soon', async () => {
    const file = createFile()
    const [store, other] = [docstore(sqlite({ file })), docstore(sqlite({ file }))]
    await other.put('before', '')
    const feed = store.watch()[Symbol.asyncIterator]()
    const next = feed.next()
    await store.ping()
    const { rev } = await other.put('a', 'x')
    const change: IteratorResult<Change> = await next
    expect(change.value).toMatchObject({ op: 'put', key: 'a', rev })
    await store.close()
    await other.close()
  })

  it('keeps nothing of bodies that were replaced, given up or left by a crash', async () => {
    const file = createFile()
    const store = docstore(sqlite({ file }))
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(600_000)
      throw new Error('the client went away')
    }
    await expect(store.put('a', failing())).rejects.toThrow('went away')
    await store.put('a', new Uint8Array(3_000_000))
    await store.put('a', new Uint8Array(200_000))
    await store.put('b', new Uint8Array(2_000_000))
    await store.delete('b')
    await store.close()
    expect(count(file, 'kumu_chunks')).toBe(2)
    expect(count(file, 'kumu_staged')).toBe(0)
    const db = new Database(file)
    db.exec("INSERT INTO kumu_staged (body, touched) VALUES (900, 0); INSERT INTO kumu_chunks VALUES (900, 0, x'00')")
    db.exec(
      `INSERT INTO kumu_staged (body, touched) VALUES (901, ${Date.now()}); INSERT INTO kumu_chunks VALUES (901, 0, x'00')`,
    )
    db.close()
    const later = docstore(sqlite({ file }))
    expect((await bytes((await later.get('a'))!)).byteLength).toBe(200_000)
    await later.close()
    expect(count(file, 'kumu_chunks WHERE body = 900')).toBe(0)
    expect(count(file, 'kumu_chunks WHERE body = 901')).toBe(1)
  })

  it('keeps a bounded log', async () => {
    const file = createFile()
    const store = docstore(sqlite({ file, log: 10 }))
    for (let index = 0; index < 30; index++) await store.put('a', '')
    await store.close()
    expect(count(file, 'kumu_changes')).toBe(10)
  })

  it('ends a body that is read when the store closes', async () => {
    const store = docstore(sqlite({ file: createFile() }))
    await store.put('a', new Uint8Array(3_000_000))
    const reader = ((await store.get('a'))!.body as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).value?.byteLength).toBe(128 * 1024)
    await store.close()
    await expect(reader.read()).rejects.toMatchObject({ code: 'closed' })
  })

  it.each(['close', 'forget'])('lets its process end: %s', async (ending) => {
    const child = startWorker('ending-worker', ['sqlite', createDirectory(), ending])
    const exit = once(child, 'exit')
    expect((await linesOf(child).next()).value).toBe('done')
    expect(await exit).toEqual([0, null])
  })
})
