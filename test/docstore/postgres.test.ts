import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { bytes, type Change, docstore, type Meta } from 'kumu/docstore'
import { postgres } from 'kumu/docstore/postgres'
import { describeWithService } from './support/services'
import { createTables } from './support/tables'

describe('postgres({ table })', () => {
  it('refuses what is no plain name', () => {
    for (const table of ['', 'Documents', 'a"b', 'a.b.c', 'a;drop', 'é', 'a'.repeat(41), '1a']) {
      expect(() => postgres({ table })).toThrow(TypeError)
    }
  })

  it('says what to install where pg is missing', async () => {
    await jest.isolateModulesAsync(async () => {
      jest.doMock('pg', () => {
        throw Object.assign(new Error("Cannot find module 'pg'"), { code: 'MODULE_NOT_FOUND' })
      })
      const isolated = jest.requireActual<typeof import('kumu/docstore/postgres')>('kumu/docstore/postgres')
      const store = docstore(isolated.postgres())
      await expect(store.get('a')).rejects.toThrow('npm install pg')
      await store.close()
      jest.dontMock('pg')
    })
  })

  it('tells what is wrong where nobody listens, and closes', async () => {
    const store = docstore(postgres({ url: 'postgres://127.0.0.1:1/test' }))
    await expect(store.ping()).rejects.toThrow('The connection to PostgreSQL failed')
    await expect(store.put('a', 'x')).rejects.toThrow('The connection to PostgreSQL failed')
    await store.close()
  })
})

describeWithService('postgres', (url) => {
  const tables = createTables(url)

  async function rowsOf(text: string): Promise<Array<Record<string, unknown>>> {
    return (await tables.query(text)).rows as Array<Record<string, unknown>>
  }

  async function until(condition: () => Promise<boolean>): Promise<void> {
    for (let tries = 0; !(await condition()); tries++) {
      if (tries === 100) throw new Error('It does not come about')
      await pause(50)
    }
  }

  async function take(feed: AsyncIterator<Change>, number: number): Promise<Change[]> {
    const changes: Change[] = []
    while (changes.length < number) changes.push((await feed.next()).value as Change)
    return changes
  }

  describe('postgres({ url, table })', () => {
    it('makes its tables once, however many open them at a time', async () => {
      const table = tables.next()
      const stores = Array.from({ length: 6 }, (_, index) =>
        docstore(postgres({ url, table, index: index % 2 ? ['a'] : ['a', 'b.c'], pool: { max: 2 } })),
      )
      const metas = await Promise.all(stores.map((store, index) => store.put(`k${index}`, '')))
      expect(new Set(metas.map(({ rev }) => rev.split('-')[0])).size).toBe(1)
      expect((await stores[0]!.list()).items).toHaveLength(6)
      await Promise.all(stores.map((store) => store.close()))
    })

    it('refuses tables of a later version', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table }))
      await store.put('a', '')
      await store.close()
      await rowsOf(`UPDATE ${table}_info SET version = 99`)
      const later = docstore(postgres({ url, table }))
      await expect(later.get('a')).rejects.toThrow('version 99')
      await later.close()
    })

    it('goes by the clock of the server', async () => {
      const store = docstore(postgres({ url, table: tables.next() }))
      await store.ping()
      const [row] = await rowsOf('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now')
      const meta = await store.put('a', '', { expires: Math.floor(Number(row!.now)) + 1500 })
      expect(Math.abs(meta.modified - Number(row!.now))).toBeLessThan(1000)
      expect(await store.get('a')).toBeDefined()
      await pause(1600)
      expect(await store.get('a')).toBeUndefined()
      await store.put('a', '', { if: null })
      await store.close()
    })

    it('keeps a bounded log', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table, log: 10 }))
      for (let index = 0; index < 60; index++) await store.put('a', '')
      await store.close()
      const [row] = await rowsOf(`SELECT count(*)::integer AS number FROM ${table}_changes`)
      expect(row!.number).toBeGreaterThanOrEqual(10)
      expect(row!.number).toBeLessThanOrEqual(20)
    })

    it('removes bodies that were replaced or given up, after a time', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table, sweepAfter: 30 }))
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(600_000)
        throw new Error('the client went away')
      }
      const chunks = async (): Promise<unknown> =>
        (await rowsOf(`SELECT count(*)::integer AS n FROM ${table}_chunks`))[0]!.n
      await expect(store.put('a', failing())).rejects.toThrow('went away')
      expect(await chunks()).toBe(0)
      await store.put('a', new Uint8Array(2_000_000))
      await store.put('a', new Uint8Array(300_000))
      await store.put('b', new Uint8Array(2_000_000), { if: '*' }).catch(() => undefined)
      expect(await chunks()).toBe(8 + 2)
      await pause(50)
      await until(async () => {
        await store.put('c', '')
        return (await chunks()) === 2
      })
      expect((await bytes((await store.get('a'))!)).byteLength).toBe(300_000)
      await store.close()
    })

    it('syncs what it acknowledges, whatever the session says', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table, pool: { options: '-c synchronous_commit=off' } }))
      await store.ping()
      await store.close()
      const client = new Client({ connectionString: url, options: '-c synchronous_commit=off' })
      await client.connect()
      await client.query('BEGIN')
      await client.query(writeOf(table, 'a'))
      expect((await client.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }])
      await client.query('ROLLBACK')
      await client.end()
    })
  })

  describe('writes of postgres({ url })', () => {
    /** The statements that go to the server while something is done. */
    async function countStatements(work: () => Promise<unknown>): Promise<number> {
      const spy = jest.spyOn(Client.prototype, 'query')
      try {
        await work()
        return spy.mock.calls.filter(([query]) => JSON.stringify(query).includes('_write_2')).length
      } finally {
        spy.mockRestore()
      }
    }

    it('sends a batch as one statement, all of it or nothing', async () => {
      const store = docstore(postgres({ url, table: tables.next() }))
      const old = await store.put('old', 'x')
      const puts = Array.from({ length: 300 }, (_, index) => ({
        op: 'put' as const,
        key: `k${index}`,
        body: String(index),
      }))
      const statements = await countStatements(async () => {
        const metas = await store.batch([...puts, { op: 'delete', key: 'old', if: old.rev }])
        expect(metas.map(({ key }) => key)).toEqual(puts.map(({ key }) => key))
      })
      expect(statements).toBe(1)
      const refused = store.batch([
        { op: 'put', key: 'new', body: 'x' },
        { op: 'put', key: 'k7', body: 'x', if: null },
        { op: 'delete', key: 'k8' },
      ])
      await expect(refused).rejects.toMatchObject({ code: 'conflict', current: { key: 'k7', size: 1 } })
      expect(await store.get('new')).toBeUndefined()
      expect((await store.get('k8', { body: false }))?.size).toBe(1)
      expect(await store.get('old')).toBeUndefined()
      await store.close()
    })

    it('gathers what waits, and gives every write its own answer, where one of them fails too', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table }))
      const { rev } = await store.put('old', 'x')
      const gone = await store.put('gone', 'x')
      const many = Array.from({ length: 40 }, (_, index) => `k${index}`)
      expect(await countStatements(() => Promise.all(many.map((key) => store.put(key, 'x'))))).toBeLessThan(10)
      await rowsOf(`ALTER TABLE ${table} ADD CHECK (key <> 'bad')`)
      const results = await Promise.allSettled([
        store.put('a', '1'),
        store.put('bad', '1'),
        store.put('old', '1', { if: null }),
        store.delete('gone', { if: gone.rev }),
        store.put('b', '22', { if: null, type: 'a/b' }),
        store.delete('none'),
      ])
      expect(results).toMatchObject([
        { value: { key: 'a', size: 1 } },
        { reason: { message: expect.stringContaining('violates check constraint') as string } },
        { reason: { code: 'conflict', current: { rev } } },
        { value: true },
        { value: { key: 'b', size: 2, type: 'a/b' } },
        { value: false },
      ])
      expect((await store.list({ prefix: 'b' })).items).toMatchObject([{ key: 'b', size: 2 }])
      await store.close()
    })

    it('fails none but the write whose body has been swept', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table }))
      await store.put('a', 'x')
      let swept = false
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(300_000)
        await rowsOf(`DELETE FROM ${table}_unused`)
        swept = true
        yield new Uint8Array(10)
      }
      const failing = expect(store.put('slow', slow())).rejects.toThrow('held up for too long')
      while (!swept) await store.put('a', 'y')
      await failing
      expect((await store.list()).items).toMatchObject([{ key: 'a' }])
      await store.close()
    })
  })

  describe('query of postgres({ url, index })', () => {
    const json = { type: 'application/json' }

    it('knows how many there are, whatever became of them', async () => {
      const table = tables.next()
      let now = 1000
      const store = docstore(postgres({ url, table, now: () => now }))
      const total = async (): Promise<number | undefined> => (await store.query({ limit: 1, count: true })).total
      expect(await total()).toBe(0)
      await store.batch(['a', 'b', 'c', 'd'].map((key) => ({ op: 'put', key, body: '{}', ...json })))
      await store.put('text', '{}', { type: 'text/plain' })
      expect(await total()).toBe(4)
      await store.put('a', '{"again":true}', json)
      await store.put('b', 'no longer', { type: 'text/plain' })
      await store.put('text', '{}', json)
      await store.delete('c')
      await store.put('d', '{}', { ...json, expires: 2000 })
      expect(await total()).toBe(3)
      now = 2000
      expect(await total()).toBe(2)
      // Somebody comes by and removes what has expired.
      await until(async () => {
        await store.put('text', '{}', json)
        return (await rowsOf(`SELECT 1 FROM ${table} WHERE key = 'd'`)).length === 0
      })
      expect(await total()).toBe(2)
      await store.close()
    })

    it('counts once what tables of the first version hold', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table }))
      await store.batch(['a', 'b'].map((key) => ({ op: 'put', key, body: '{}', ...json })))
      await store.close()
      await rowsOf(`DROP TABLE ${table}_counts; DROP FUNCTION ${table}_write_2; UPDATE ${table}_info SET version = 1`)
      const stores = Array.from({ length: 3 }, () => docstore(postgres({ url, table })))
      await Promise.all(stores.map((each, index) => each.put(`more${index}`, '{}', json)))
      expect((await stores[0]!.query({ limit: 1, count: true })).total).toBe(5)
      await Promise.all(stores.map((each) => each.close()))
    })

    it('finds what its index does not tell, from the moment on that somebody else has stored it', async () => {
      const table = tables.next()
      const [store, other] = [1, 2].map(() => docstore(postgres({ url, table, index: ['tag'] })))
      const find = async (tag: string): Promise<string[]> =>
        (await store!.query({ where: { tag: [tag] }, limit: 10 })).items.map(({ meta }) => meta.key)
      await store!.put('a', '{"tag":"x"}', json)
      expect(await find('x')).toEqual(['a'])
      expect(await find('y')).toEqual([])
      await other!.put('b', '{"tag":["x","y"]}', json)
      expect(await find('x')).toEqual(['a', 'b'])
      expect(await find('y')).toEqual(['b'])
      await other!.delete('b')
      expect(await find('y')).toEqual([])
      expect(await find('x')).toEqual(['a'])
      // At first nothing is found, and what is there is a list.
      await other!.put('c', '{"tag":["z"]}', json)
      expect((await store!.query({ where: { tag: ['z'] }, limit: 0, count: true })).total).toBe(1)
      expect(await find('z')).toEqual(['c'])
      await Promise.all([store!.close(), other!.close()])
    })
  })

  describe('watch on postgres({ url })', () => {
    it('misses nothing of a transaction that commits after later ones', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table }))
      await store.put('before', '')
      const feed = store.watch()[Symbol.asyncIterator]()
      await store.ping()
      const slow = new Client({ connectionString: url })
      await slow.connect()
      await slow.query('BEGIN')
      await slow.query(writeOf(table, 'slow'))
      await store.put('quick', '')
      const changes = take(feed, 2)
      await pause(200)
      await slow.query('COMMIT')
      await slow.end()
      expect((await changes).map(({ key }) => key)).toEqual(['slow', 'quick'])
      await store.close()
    })

    it('tells in the order of the writes of each key, whoever writes', async () => {
      const table = tables.next()
      const stores = Array.from({ length: 3 }, () => docstore(postgres({ url, table, pool: { max: 4 } })))
      const feed = stores[0]!.watch()[Symbol.asyncIterator]()
      // A store's own writes wait for its feed to stand; those of others do not.
      await stores[0]!.put('first', '')
      const counts = await Promise.all(
        stores.flatMap((store) =>
          Array.from({ length: 6 }, async () => {
            let won = 0
            for (let round = 0; round < 15; round++) {
              const current = await store.get('a', { body: false })
              const write = store.put('a', '', { if: current?.rev ?? null, type: `from/${current?.rev ?? 'none'}` })
              won += await write.then(
                () => 1,
                () => 0,
              )
              await store.put(`k${round % 3}`, '')
            }
            return won
          }),
        ),
      )
      const writes = counts.reduce((sum, each) => sum + each, 0)
      const changes = await take(feed, 1 + writes + 18 * 15)
      for (const key of ['a', 'k0', 'k1', 'k2']) {
        const revs = changes.filter((change) => change.key === key).map(({ rev }) => rev!)
        const numbers = revs.map((rev) => Number.parseInt(rev.split('-')[1]!, 36))
        // Revisions of a key are handed out under its lock: they rise in the order in which the writes happened.
        expect(numbers).toEqual([...numbers].sort((left, right) => left - right))
        expect(revs.at(-1)).toBe((await stores[1]!.get(key))!.rev)
      }
      await Promise.all(stores.map((store) => store.close()))
    })

    it('is woken by writers of other processes', async () => {
      const table = tables.next()
      const [store, other] = [docstore(postgres({ url, table })), docstore(postgres({ url, table }))]
      await other.put('before', '')
      const feed = store.watch()[Symbol.asyncIterator]()
      const first = feed.next()
      await store.ping()
      // Until it has looked often enough to look only once a second.
      await pause(1500)
      await other.put('a', '')
      expect((await first).value).toMatchObject({ key: 'a' })
      // One of three in time is enough: a busy machine is late, but not always.
      const late: number[] = []
      for (const key of ['b', 'c', 'd']) {
        const next = feed.next()
        await pause(1500)
        const writtenAt = performance.now()
        await other.put(key, '')
        expect((await next).value).toMatchObject({ key })
        late.push(performance.now() - writtenAt)
      }
      expect(Math.min(...late)).toBeLessThan(600)
      await store.close()
      await other.close()
    })

    it('says gone to what another server has told', async () => {
      const table = tables.next()
      const store = docstore(postgres({ url, table }))
      await store.put('a', '')
      const feed = store.watch()[Symbol.asyncIterator]()
      await store.ping()
      await store.put('a', '')
      const [{ seq }] = (await take(feed, 1)) as [Change]
      await store.close()
      // As it is after a restore: the numbers of transactions are those of another server.
      await rowsOf(`UPDATE ${table}_changes SET xid = (pg_current_xact_id()::text::bigint + 1000000)::text::xid8`)
      const later = docstore(postgres({ url, table }))
      await expect(later.watch({ since: seq })[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'gone' })
      const fresh = later.watch()[Symbol.asyncIterator]()
      await later.ping()
      const { rev } = await later.put('a', '')
      expect(await take(fresh, 1)).toMatchObject([{ rev }])
      await later.close()
    })
  })

  describe('postgres({ url }) and the loss of connections', () => {
    function openNamed(): { store: ReturnType<typeof docstore>; cut: () => Promise<number> } {
      const name = `kumu-${randomBytes(4).toString('hex')}`
      const store = docstore(postgres({ url, table: tables.next(), pool: { application_name: name } }))
      const cut = async (): Promise<number> =>
        (await rowsOf(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${name}'`))
          .length
      return { store, cut }
    }

    it('goes on after idle connections were cut', async () => {
      const { store, cut } = openNamed()
      await Promise.all(Array.from({ length: 8 }, (_, index) => store.get(`k${index}`, { body: false })))
      expect(await cut()).toBeGreaterThan(1)
      await pause(100)
      expect((await store.put('a', '')).key).toBe('a')
      await store.close()
    })

    it('loses nothing it acknowledged, tells who cannot know, and goes on to watch', async () => {
      const { store, cut } = openNamed()
      const abort = new AbortController()
      const seen = new Set<string>()
      await store.put('before', '')
      const watching = (async () => {
        for await (const { rev } of store.watch({ signal: abort.signal })) seen.add(rev!)
      })()
      await store.ping()
      const acknowledged: Meta[] = []
      const failures: unknown[] = []
      let writing = true
      const writers = Array.from({ length: 8 }, async (_, lane) => {
        for (let number = 0; writing; number++) {
          const body = number % 5 ? 'x' : new Uint8Array(100_000)
          await store.put(`k${lane}-${number}`, body, { if: null }).then(
            (meta) => acknowledged.push(meta),
            (error: unknown) => failures.push(error),
          )
        }
      })
      for (let cuts = 0; cuts < 4 || failures.length === 0; cuts++) {
        await pause(150)
        await cut()
      }
      await pause(150)
      writing = false
      await Promise.all(writers)
      expect(failures.length).toBeGreaterThan(0)
      for (const failure of failures) expect(String(failure)).toContain('The connection to PostgreSQL failed')
      for (const { key, rev } of acknowledged) expect((await store.get(key, { body: false }))?.rev).toBe(rev)
      await until(async () => acknowledged.every(({ rev }) => seen.has(rev)))
      abort.abort()
      await watching
      await store.close()
    }, 30_000)
  })
})

/** A put by hand, as another process does it. */
function writeOf(table: string, key: string): string {
  return `SELECT * FROM ${table}_write_2('{${key}}', '{any}', '{null}', '{a/b}', '{0}', '{null}', '{null}', '{0}', '', null, false, null)`
}
