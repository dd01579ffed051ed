import { Unauthorized } from 'kumu'
import { docstore, type Driver, type DriverOp } from 'kumu/docstore'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { createDirectory, override, unmountAll, withCan } from '../support/documents'
import type { Answer, Served } from '../support/serve'
import { createClock } from './support/clock'
import { closeCollections, faults, serveNotes, slowed, type Shown } from './support/collection'

afterEach(async () => {
  jest.restoreAllMocks()
  await unmountAll()
  await closeCollections()
})

const post = (
  served: Served,
  key: string,
  body: unknown = { title: 'x' },
  headers: Record<string, string> = {},
): Promise<Answer> => served.ask('POST', '/notes', { body, headers: { 'Idempotency-Key': key, ...headers } })

const idsOf = async (served: Served): Promise<string[]> =>
  (await served.ask('GET', '/notes')).json<Shown[]>().map(({ id }) => id)

const isEntry = (key: string): boolean => key.startsWith('_idempotency_')

/** Lets the clock of the process go on. */
function pass(milliseconds: number): void {
  const now = Date.now()
  jest.spyOn(Date, 'now').mockImplementation(() => now + milliseconds)
}

describe.each([
  ['memory', () => slowed(memory())],
  ['level', () => level({ dir: createDirectory() })],
])('POST /notes with Idempotency-Key on %s', (_name, createDriver) => {
  it('answers as it did, whatever became of the document', async () => {
    const served = await serveNotes({ driver: createDriver() })
    const first = await post(served, 'a')
    expect(first.status).toBe(201)
    const check = async (): Promise<void> => {
      const again = await post(served, 'a')
      expect([again.status, again.text, again.headers.location, again.headers.etag]).toEqual([
        201,
        first.text,
        first.headers.location,
        first.headers.etag,
      ])
      expect(again.headers['last-modified']).toBe(first.headers['last-modified'])
    }
    await check()
    await served.ask('PUT', String(first.headers.location), { body: { title: 'y' } })
    await check()
    await served.ask('DELETE', String(first.headers.location))
    await check()
    expect(await idsOf(served)).toEqual([])
    expect((await post(served, 'b')).headers.location).not.toBe(first.headers.location)
  })

  it('sixteen at once: one document', async () => {
    const served = await serveNotes({ driver: createDriver() })
    for (let round = 0; round < 10; round++) {
      const answers = await Promise.all(Array.from({ length: 16 }, () => post(served, `round-${round}`)))
      const created = answers.filter(({ status }) => status === 201)
      expect(created.length).toBeGreaterThan(0)
      expect(new Set(created.map(({ text }) => text)).size).toBe(1)
      for (const { status, headers } of answers.filter((answer) => answer.status !== 201)) {
        expect([status, headers['retry-after']]).toEqual([409, '1'])
      }
      expect((await post(served, `round-${round}`)).text).toBe(created[0]?.text)
    }
    expect(await idsOf(served)).toHaveLength(10)
  })
})

describe('POST /notes with Idempotency-Key', () => {
  it('and another body is 422; the order of members makes no other body', async () => {
    const served = await serveNotes()
    const first = await post(served, 'a', { title: 'x', year: 1 })
    const other = await post(served, 'a', { title: 'y', year: 1 })
    expect([other.status, other.json<{ code: string }>().code]).toEqual([422, 'idempotency-key'])
    expect((await post(served, 'a', { year: 1, title: 'x' })).text).toBe(first.text)
    expect(await idsOf(served)).toHaveLength(1)
  })

  it('that was refused is refused again, and the key is spent', async () => {
    const served = await serveNotes()
    const first = await post(served, 'a', { title: '' })
    expect([first.status, faults(first)]).toEqual([422, ['/title isLength']])
    const again = await post(served, 'a', { title: '' })
    expect([again.status, faults(again)]).toEqual([422, ['/title isLength']])
    expect((await post(served, 'a', { title: 'x' })).json<{ code: string }>().code).toBe('idempotency-key')
  })

  it('and a body that cannot be read spends nothing', async () => {
    const served = await serveNotes()
    const headers = { 'Idempotency-Key': 'a', 'Content-Type': 'application/json' }
    expect((await served.ask('POST', '/notes', { body: '{', headers })).status).toBe(400)
    expect((await post(served, 'a')).status).toBe(201)
  })

  it('while the first is at work is 409 with Retry-After', async () => {
    const driver = memory()
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    let arrived = (): void => undefined
    const writing = new Promise<void>((resolve) => (arrived = resolve))
    const put: Driver['put'] = async (key, body, options) => {
      if (!isEntry(key)) {
        arrived()
        await gate
      }
      return driver.put(key, body, options)
    }
    const served = await serveNotes({ driver: override(driver, { put }) })
    const first = post(served, 'a')
    await writing
    const second = await post(served, 'a')
    expect([second.status, second.headers['retry-after'], second.json<{ code: string }>().code]).toEqual([
      409,
      '1',
      'idempotency-key',
    ])
    expect((await post(served, 'a', { title: 'other' })).status).toBe(422)
    release()
    const { status, text } = await first
    expect(status).toBe(201)
    expect((await post(served, 'a')).text).toBe(text)
  })

  it.each(['', ' ', 'a b', 'a,b c', 'x'.repeat(256), 'ü'])('%j is 400', async (key) => {
    const served = await serveNotes()
    expect((await post(served, key)).status).toBe(400)
    expect(await idsOf(served)).toEqual([])
  })

  it('takes 255 characters, and quotes as they are', async () => {
    const served = await serveNotes()
    for (const key of ['x'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"', '!~']) {
      expect((await post(served, key)).text).toBe((await post(served, key)).text)
    }
    expect(await idsOf(served)).toHaveLength(3)
  })

  it('answers in the form that is asked for', async () => {
    const served = await serveNotes()
    const first = await post(served, 'a')
    const minimal = await post(served, 'a', { title: 'x' }, { Prefer: 'return=minimal' })
    expect([minimal.status, minimal.text, minimal.headers.location]).toEqual([201, '', first.headers.location])
    const xml = await post(served, 'a', { title: 'x' }, { Accept: 'application/xml' })
    expect(xml.text).toContain('<title>x</title>')
  })

  it('belongs to one client and one path', async () => {
    const served = await serveNotes({
      app: {
        middleware: [
          (ctx, next) => {
            const [, name] = /^Bearer (\w+)$/.exec(ctx.get('Authorization')) ?? []
            if (name === undefined) throw new Unauthorized()
            ;(ctx.state as { user?: unknown }).user = { id: name }
            return next()
          },
        ],
      },
    })
    const ann = await post(served, 'a', { title: 'x' }, { Authorization: 'Bearer ann' })
    const bob = await post(served, 'a', { title: 'x' }, { Authorization: 'Bearer bob' })
    expect([ann.status, bob.status]).toEqual([201, 201])
    expect(bob.headers.location).not.toBe(ann.headers.location)
    const other = await post(served, 'a', { title: 'bob has his own' }, { Authorization: 'Bearer cid' })
    expect(other.status).toBe(201)
  })

  it('is 501 where documents cannot expire, before anything happens', async () => {
    const served = await serveNotes({ driver: withCan(memory(), { ttl: false }) })
    expect((await post(served, 'a')).status).toBe(501)
    expect((await served.ask('POST', '/notes', { body: { title: 'x' } })).status).toBe(201)
    expect(await idsOf(served)).toHaveLength(1)
  })

  it('is ignored where that is wanted, and kept elsewhere where that is', async () => {
    const off = await serveNotes({ idempotency: false })
    expect((await post(off, 'a')).text).not.toBe((await post(off, 'a')).text)
    const elsewhere = docstore(memory())
    const served = await serveNotes({ idempotency: elsewhere, driver: withCan(memory(), { ttl: false }) })
    expect((await post(served, 'a')).text).toBe((await post(served, 'a')).text)
    expect((await elsewhere.list()).items).toHaveLength(1)
    expect((await served.store.list()).items).toHaveLength(1)
    await served.app.close()
    await expect(elsewhere.list()).rejects.toThrow(expect.objectContaining({ code: 'closed' }))
  })

  it('is forgotten after 24 hours', async () => {
    const clock = createClock(Date.now())
    const served = await serveNotes({ driver: memory({ now: clock.now }) })
    const first = await post(served, 'a')
    await clock.advance(23.9 * 3600 * 1000)
    expect((await post(served, 'a')).text).toBe(first.text)
    await clock.advance(0.2 * 3600 * 1000)
    expect((await post(served, 'a')).text).not.toBe(first.text)
    expect(await idsOf(served)).toHaveLength(2)
  })

  it('cannot be read as a document', async () => {
    const served = await serveNotes({ upsert: true })
    await post(served, 'a')
    const entry = (await served.store.list()).items.find(({ key }) => isEntry(key))
    expect(entry?.expires).toBeGreaterThan(Date.now() + 23 * 3600 * 1000)
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const body = method === 'PUT' ? { title: 'x' } : undefined
      expect((await served.ask(method, `/notes/${entry?.key}`, { body })).status).toBe(404)
    }
    expect((await served.store.get(String(entry?.key), { body: false }))?.rev).toBe(entry?.rev)
  })
})

describe('POST /notes with Idempotency-Key, broken off', () => {
  /** A driver that dies when it is told to: from then on no write gets through. */
  function mortal(dies: (key: string, writes: number) => boolean): {
    driver: Driver
    revive: () => void
    /** Writes of documents that got through. */
    documents: () => number
  } {
    const driver = slowed(memory())
    let documents = 0
    let dead = false
    let writes = 0
    const assertAlive = (key: string): void => {
      dead ||= dies(key, writes++)
      if (dead) throw new Error('The process is gone')
    }
    const put: Driver['put'] = async (key, body, options) => {
      assertAlive(key)
      if (!isEntry(key)) documents++
      return driver.put(key, body, options)
    }
    const batch = async (ops: readonly DriverOp[]): ReturnType<NonNullable<Driver['batch']>> => {
      assertAlive(ops[0]?.key ?? '')
      return driver.batch!(ops)
    }
    const revive = (): void => {
      dead = false
      dies = () => false
    }
    return { driver: override(driver, { put, batch }), revive, documents: () => documents }
  }

  it.each([
    ['before the document', (key: string, writes: number) => writes === 1 && !isEntry(key), 0],
    ['between the document and the answer', (key: string, writes: number) => writes === 2 && isEntry(key), 1],
  ])('%s: the next one finishes the work, with the same document', async (_when, dies, written) => {
    const { driver, revive } = mortal(dies)
    const served = await serveNotes({ driver })
    const first = await post(served, 'a')
    expect(first.status).toBe(written === 1 ? 201 : 500)
    const before = await idsOf(served)
    expect(before).toHaveLength(written)
    revive()
    expect((await post(served, 'a')).status).toBe(409)
    pass(10_001)
    const second = await post(served, 'a')
    expect(second.status).toBe(201)
    expect(await idsOf(served)).toEqual([second.json<Shown>().id])
    if (written === 1) expect([second.text, second.headers.etag]).toEqual([first.text, first.headers.etag])
    expect((await post(served, 'a')).text).toBe(second.text)
  })

  it('by a failure of which nobody knows whether it wrote: the next one finds out at once', async () => {
    for (const writes of [true, false]) {
      const driver = memory()
      let failures = 1
      const put: Driver['put'] = async (key, body, options) => {
        const fails = !isEntry(key) && failures-- > 0
        if (fails && !writes) throw new Error('The connection is lost')
        const meta = await driver.put(key, body, options)
        if (fails) throw new Error('The connection is lost')
        return meta
      }
      const served = await serveNotes({ driver: override(driver, { put }) })
      expect((await post(served, 'a')).status).toBe(500)
      expect(await idsOf(served)).toHaveLength(writes ? 1 : 0)
      const second = await post(served, 'a')
      expect(second.status).toBe(201)
      expect(await idsOf(served)).toEqual([second.json<Shown>().id])
    }
  })

  it('knows a document of its own from one that somebody else created under the same key', async () => {
    const { driver, revive } = mortal((key, writes) => writes === 2 && isEntry(key))
    const served = await serveNotes({ driver, clientKeys: true })
    const body = { id: 'mine', title: 'x' }
    expect((await post(served, 'a', body)).status).toBe(201)
    revive()
    expect((await post(served, 'b', body)).status).toBe(409)
    pass(10_001)
    const again = await post(served, 'a', body)
    expect([again.status, again.json()]).toEqual([201, body])
    expect((await post(served, 'c', body)).status).toBe(409)
    const replayed = await post(served, 'b', body)
    expect([replayed.status, faults(replayed)]).toEqual([409, ['/id exists']])
  })

  it('a list is created once as well', async () => {
    const { driver, revive } = mortal((key, writes) => writes === 2 && isEntry(key))
    const served = await serveNotes({ driver, batch: true })
    const body = [{ title: 'a' }, { title: 'b' }]
    const first = await post(served, 'a', body)
    expect(first.status).toBe(201)
    revive()
    pass(10_001)
    const second = await post(served, 'a', body)
    expect([second.status, second.text]).toEqual([201, first.text])
    expect((await post(served, 'a', body)).text).toBe(first.text)
    expect(await idsOf(served)).toHaveLength(2)
  })

  it('sixteen take over at once: one document', async () => {
    const { driver, revive, documents } = mortal((key, writes) => writes === 1 && !isEntry(key))
    const served = await serveNotes({ driver })
    expect((await post(served, 'a')).status).toBe(500)
    revive()
    pass(10_001)
    const answers = await Promise.all(Array.from({ length: 16 }, () => post(served, 'a')))
    for (const { status } of answers) expect([201, 409]).toContain(status)
    expect(await idsOf(served)).toHaveLength(1)
    // One of them does the work, the others wait for its answer.
    expect(documents()).toBe(1)
  })

  it('a holder that was only slow does no harm', async () => {
    const driver = memory()
    let held = 1
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => (release = resolve))
    let arrived = (): void => undefined
    const writing = new Promise<void>((resolve) => (arrived = resolve))
    const put: Driver['put'] = async (key, body, options) => {
      if (!isEntry(key) && held-- > 0) {
        arrived()
        await gate
      }
      return driver.put(key, body, options)
    }
    const served = await serveNotes({ driver: override(driver, { put }) })
    const slow = post(served, 'a')
    await writing
    pass(10_001)
    const quick = await post(served, 'a')
    expect(quick.status).toBe(201)
    release()
    const late = await slow
    expect([late.status, late.text]).toEqual([201, quick.text])
    expect(await idsOf(served)).toHaveLength(1)
  })
})
