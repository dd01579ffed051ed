import { ClassicLevel } from 'classic-level'
import { docstore, text } from 'kumu/docstore'
import { level } from 'kumu/docstore/level'
import { stageBody } from '../../src/docstore/level-bodies'
import { Journal, type LevelDatabase } from '../../src/docstore/level-journal'
import { createDirectory } from './support/directories'

describe('level({ dir })', () => {
  it('says what to install where classic-level is missing', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('classic-level', () => {
        throw Object.assign(new Error("Cannot find module 'classic-level'"), { code: 'MODULE_NOT_FOUND' })
      })
      const isolated = jest.requireActual<typeof import('kumu/docstore/level')>('kumu/docstore/level')
      const store = docstore(isolated.level({ dir: createDirectory() }))
      await expect(store.get('a')).rejects.toThrow('npm install classic-level')
      await store.close()
      jest.dontMock('classic-level')
    })
  })

  it('belongs to one process, and one store in it', async () => {
    const dir = createDirectory()
    const store = docstore(level({ dir }))
    await store.put('a', '')
    const second = docstore(level({ dir }))
    await expect(second.get('a')).rejects.toMatchObject({ code: 'LEVEL_DATABASE_NOT_OPEN' })
    await store.close()
    // What could not be opened then can be opened now.
    expect((await second.get('a'))?.key).toBe('a')
    await second.close()
  })

  it('reads, replaces and deletes small bodies that stand in chunks', async () => {
    const dir = createDirectory()
    const db = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' })
    for (const [key, id] of [
      ['a', 'aa'],
      ['b', 'bb'],
    ]) {
      const stored = { rev: `r-${key}`, type: 'a/b', size: 3, modified: 1, body: id }
      await db.put(`m!${key}`, Buffer.from(JSON.stringify(stored)))
      await db.put(`b!${id}!00000000`, Buffer.from('old'))
    }
    await db.close()
    const store = docstore(level({ dir }))
    expect(await text((await store.get('a'))!)).toBe('old')
    expect(await text((await store.get('a', { range: [1, 1] }))!)).toBe('l')
    await store.put('a', 'new\n\nlines', { if: 'r-a' })
    await store.delete('b', { if: 'r-b' })
    expect(await text((await store.get('a'))!)).toBe('new\n\nlines')
    await store.close()
    const after = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' })
    expect(await after.keys({ gte: 'b!', lt: 'b"' }).all()).toEqual([])
    await after.close()
  })

  it('sweeps the chunks of a body that was never finished', async () => {
    const dir = createDirectory()
    const db = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' })
    await stageBody(db, new Uint8Array(2_500_000))
    expect((await db.keys().all()).length).toBe(4)
    await db.close()
    const store = docstore(level({ dir }))
    await store.put('a', new Uint8Array(2_500_000))
    await store.put('a', new Uint8Array(1_048_577))
    await store.put('a', 'x', { if: null }).catch(() => undefined)
    await store.put('a', new Uint8Array(2_500_000), { if: null }).catch(() => undefined)
    await store.close()
    await db.open()
    expect((await db.keys().all()).filter((name) => /^[bs]!/.test(name)).length).toBe(2)
    await db.close()
  })

  it('ends a body that is read when the store closes', async () => {
    const store = docstore(level({ dir: createDirectory() }))
    await store.put('a', new Uint8Array(3_000_000))
    const { body } = (await store.get('a'))!
    const reader = (body as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).value?.byteLength).toBe(1_048_576)
    await store.close()
    await expect(reader.read()).rejects.toMatchObject({ code: 'closed' })
  })

  it('keeps a bounded log over openings', async () => {
    const dir = createDirectory()
    const store = docstore(level({ dir, log: 10 }))
    for (let index = 0; index < 30; index++) await store.put('a', '')
    await store.close()
    const smaller = docstore(level({ dir, log: 3 }))
    await smaller.put('a', '')
    await smaller.close()
    const db = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' })
    expect((await db.keys({ gte: 'l!', lt: 'l"' }).all()).length).toBe(3)
    await db.close()
  })
})

describe('Journal', () => {
  function createDatabase(): { db: LevelDatabase; fail: { next: boolean } } {
    const fail = { next: false }
    const stored = new Map<string, Buffer>()
    return {
      fail,
      db: {
        get: async (key) => stored.get(key),
        async batch(ops) {
          await Promise.resolve()
          if (fail.next) throw new Error('the disk is full')
          for (const op of ops) {
            if (op.type === 'put') stored.set(op.key, op.value)
            else stored.delete(op.key)
          }
        },
        clear: async () => undefined,
        values: ({ gte, lt, limit }) => ({
          all: async () =>
            [...stored]
              .filter(([key]) => key >= gte && key < lt)
              .sort()
              .slice(0, limit)
              .map(([, value]) => value),
        }),
      },
    }
  }

  it('tells every writer of a failed step, goes on, and gives no number twice', async () => {
    const { db, fail } = createDatabase()
    const journal = await Journal.open(db, 10)
    const write = (key: string): Promise<readonly string[]> => journal.append([{ op: 'delete', key }])
    const [first] = await write('a')
    fail.next = true
    const results = await Promise.allSettled([write('b'), write('c'), write('d')])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(journal.last).toBe(1)
    fail.next = false
    const [next] = await write('e')
    expect(new Set([first, next]).size).toBe(2)
    expect(journal.last).toBe(5)
    expect((await journal.read(0, 10))!.map(({ key }) => key)).toEqual(['a', 'e'])
  })
})
