import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { bytes, type Change, docstore } from 'kumu/docstore'
import { sqlite } from 'kumu/docstore/sqlite'
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
  function load(builtin: unknown): Promise<(file: string) => unknown> {
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
      constructor(readonly file: string) {}
    }
    const open = await load({ DatabaseSync })
    expect(open('a.db')).toMatchObject({ file: 'a.db' })
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
