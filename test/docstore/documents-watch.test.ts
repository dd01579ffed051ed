import { setImmediate as turn } from 'node:timers/promises'
import type { Driver } from 'kumu/docstore'
import { createClock } from './support/clock'
import { drivers, mount, override, unmountAll, withCan, type Mounted } from '../support/documents'
import { openEvents, openWire, type EventFeed, type SentEvent } from '../support/exchange'

afterEach(unmountAll)

const watchable = drivers.filter(([name]) => name !== 'file')

async function take(feed: EventFeed, count: number): Promise<Array<SentEvent | undefined>> {
  const events: Array<SentEvent | undefined> = []
  while (events.length < count) events.push(await feed.next())
  return events
}

const brief = (events: ReadonlyArray<SentEvent | undefined>): string[] =>
  events.map((each) => `${each?.event} ${(JSON.parse(each?.data ?? '{}') as { key?: string }).key}`)

/** A driver that tells of the feeds that are open. */
function counted(driver: Driver): { driver: Driver; open: () => number } {
  let open = 0
  const watch: Driver['watch'] = (options) => {
    const changes = driver.watch!(options)
    return (async function* () {
      open++
      try {
        yield* changes
      } finally {
        open--
      }
    })()
  }
  return { driver: override(driver, { watch }), open: () => open }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

describe.each(watchable)('the change feed on %s', (_name, createDriver) => {
  it.each([
    ['GET /?watch', '/docs?watch', 'text/event-stream'],
    ['GET /?watch=', '/docs?watch=', '*/*'],
    ['GET / with Accept: text/event-stream', '/docs', 'text/event-stream'],
    ['GET / with a preference', '/docs', 'application/json;q=0.5, text/event-stream'],
  ])('%s tells of puts and deletions', async (_what, path, accept) => {
    const served = await mount(createDriver())
    const feed = await openEvents(served.port, path, { Accept: accept })
    expect([feed.status, feed.headers['content-type']]).toEqual([200, 'text/event-stream'])
    expect(feed.headers['cache-control']).toBe('no-cache')
    const { etag } = (await served.ask('PUT', '/docs/a', { body: 'x' })).headers
    await served.ask('PUT', '/docs/a', { body: 'y' })
    await served.ask('DELETE', '/docs/a')
    const { text: key } = await served.ask('POST', '/docs', { body: 'z' })
    const events = await take(feed, 4)
    expect(brief(events)).toEqual(['put a', 'put a', 'delete a', `put ${key}`])
    const data = events.map((each) => JSON.parse(String(each?.data)) as { rev?: string })
    expect(`"${data[0]?.rev}"`).toBe(etag)
    expect(Object.keys(data[2] ?? {})).toEqual(['key'])
    expect(new Set(events.map((each) => each?.id)).size).toBe(4)
    feed.leave()
  })

  it('?watch without an Accept header is the feed, not a list without end', async () => {
    const served = await mount(createDriver())
    const wire = openWire(served.port, 'GET /docs?watch HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(await wire.until(/\r\n\r\n/)).toMatch(/content-type: text\/event-stream\r\n/i)
    await served.ask('PUT', '/docs/a', { body: 'x' })
    await wire.until(/event: put/)
    wire.socket.destroy()
  })

  it.each(['application/json', 'text/html', 'text/event-stream;q=0, */*'])(
    '?watch with Accept: %s is 406',
    async (accept) => {
      const { driver, open } = counted(createDriver())
      const served = await mount(driver)
      expect((await served.ask('GET', '/docs?watch', { headers: { Accept: accept } })).status).toBe(406)
      expect(open()).toBe(0)
    },
  )

  it('begins at once, before anything has changed', async () => {
    const served = await mount(createDriver())
    await served.ask('PUT', '/docs/before', { body: 'x' })
    const feed = await openEvents(served.port, '/docs?watch')
    await served.ask('PUT', '/docs/after', { body: 'x' })
    expect(brief(await take(feed, 1))).toEqual(['put after'])
    feed.leave()
  })

  it('?prefix tells of those keys alone', async () => {
    const served = await mount(createDriver())
    const feed = await openEvents(served.port, '/docs?watch&prefix=a')
    for (const key of ['b', 'a', 'B', 'ab', 'c']) await served.ask('PUT', `/docs/${key}`, { body: 'x' })
    await served.ask('DELETE', '/docs/b')
    await served.ask('DELETE', '/docs/a')
    expect(brief(await take(feed, 3))).toEqual(['put a', 'put ab', 'delete a'])
    feed.leave()
  })

  it('tells of documents whose time is up', async () => {
    const clock = createClock(Date.now())
    const served = await mount(createDriver({ now: clock.now }))
    const feed = await openEvents(served.port, '/docs?watch')
    await served.ask('PUT', '/docs/a?ttl=60', { body: 'x' })
    expect(brief(await take(feed, 1))).toEqual(['put a'])
    await clock.advance(61_000)
    await served.ask('PUT', '/docs/b', { body: 'x' })
    const [first, second] = await take(feed, 2)
    expect(brief([first, second]).sort()).toEqual(['expire a', 'put b'])
    feed.leave()
  })

  it('Last-Event-ID resumes behind that event, without a gap and without a repetition', async () => {
    const served = await mount(createDriver())
    const feed = await openEvents(served.port, '/docs?watch')
    for (const key of ['a', 'b', 'c']) await served.ask('PUT', `/docs/${key}`, { body: 'x' })
    const [first, second, third] = await take(feed, 3)
    feed.leave()
    await served.ask('DELETE', '/docs/a')
    for (const [id, expected] of [
      [first?.id, ['put b', 'put c', 'delete a']],
      [second?.id, ['put c', 'delete a']],
      [third?.id, ['delete a']],
    ] as const) {
      const resumed = await openEvents(served.port, '/docs?watch', { 'Last-Event-ID': String(id) })
      expect(brief(await take(resumed, expected.length))).toEqual(expected)
      resumed.leave()
    }
  })

  it('an empty Last-Event-ID is none', async () => {
    const served = await mount(createDriver())
    const feed = await openEvents(served.port, '/docs?watch', { 'Last-Event-ID': '' })
    await served.ask('PUT', '/docs/a', { body: 'x' })
    expect(brief(await take(feed, 1))).toEqual(['put a'])
    feed.leave()
  })

  it('a Last-Event-ID that is too old is 410', async () => {
    const served = await mount(createDriver({ log: 2 }))
    const feed = await openEvents(served.port, '/docs?watch')
    await served.ask('PUT', '/docs/a', { body: 'x' })
    const [first] = await take(feed, 1)
    feed.leave()
    for (let index = 0; index < 40; index++) await served.store.put('a', `${index}`)
    const answer = await served.ask('GET', '/docs?watch', { headers: { 'Last-Event-ID': String(first?.id) } })
    expect([answer.status, answer.headers['content-type']]).toEqual([410, 'application/problem+json'])
  })

  it.each(['nonsense', '0', '-1', '__proto__', '99999999999999999999', 'a'.repeat(5000), '"x"'])(
    'a Last-Event-ID that was never sent is 410: %.20s',
    async (id) => {
      const { driver, open } = counted(createDriver())
      const served = await mount(driver)
      await served.store.put('a', 'x')
      const answer = await served.ask('GET', '/docs?watch', { headers: { 'Last-Event-ID': id } })
      expect([answer.status, open()]).toEqual([410, 0])
    },
  )

  it.each(['/docs?watch&prefix=a.b', '/docs?watch&prefix=a%2F', '/docs?watch&x=1'])('%s is 400', async (path) => {
    const served = await mount(createDriver())
    expect((await served.ask('GET', path)).status).toBe(400)
  })

  it('ends at the store when the client leaves, also while nothing happens', async () => {
    const { driver, open } = counted(createDriver())
    const served = await mount(driver)
    const feeds = await Promise.all(Array.from({ length: 5 }, () => openEvents(served.port, '/docs?watch')))
    expect(open()).toBe(5)
    for (const feed of feeds) feed.leave()
    await until(() => open() === 0)
    expect((await served.ask('PUT', '/docs/a', { body: 'x' })).status).toBe(201)
  })

  it('ends at the store when the client leaves before the answer began', async () => {
    const { driver, open } = counted(createDriver())
    const served = await mount(driver)
    const wire = openWire(served.port, 'GET /docs?watch HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => open() === 1)
    wire.socket.destroy()
    await until(() => open() === 0)
    expect((await served.ask('GET', '/docs')).status).toBe(200)
  })

  it('HEAD tells how it would be, and leaves nothing open', async () => {
    const { driver, open } = counted(createDriver())
    const served = await mount(driver)
    const head = await served.ask('HEAD', '/docs?watch', { headers: { Accept: 'text/event-stream' } })
    expect([head.status, head.headers['content-type']]).toEqual([200, 'text/event-stream'])
    await until(() => open() === 0)
  })

  it.each([true, false])('ends properly when the application closes (and the store with it: %s)', async (close) => {
    const { driver, open } = counted(createDriver())
    const served = await mount(driver, { documents: { close } })
    const feed = await openEvents(served.port, '/docs?watch')
    await served.ask('PUT', '/docs/a', { body: 'x' })
    await take(feed, 1)
    const closing = served.app.close(served.server)
    expect(await feed.next()).toBeUndefined()
    await closing
    await until(() => open() === 0)
    await served.store.close()
  })

  it('ends properly when the store closes', async () => {
    const served = await mount(createDriver())
    const feed = await openEvents(served.port, '/docs?watch')
    await served.store.close()
    expect(await feed.next()).toBeUndefined()
  })

  it('tells of a deletion as such where tombstones are kept', async () => {
    const served = await mount(createDriver(), { documents: { tombstones: true } })
    const feed = await openEvents(served.port, '/docs?watch')
    await served.ask('PUT', '/docs/a', { body: 'x' })
    expect(brief(await take(feed, 1))).toEqual(['put a'])
    await served.ask('DELETE', '/docs/a')
    const [gone] = await take(feed, 1)
    expect(brief([gone])).toEqual(['delete a'])
    expect(JSON.parse(String(gone?.data))).toEqual({ key: 'a' })
    await served.ask('PUT', '/docs/a', { body: 'y' })
    expect(brief(await take(feed, 1))).toEqual(['put a'])
    feed.leave()
  })

  it('a watcher that came too late for the log hears so as an event, behind which the feed ends', async () => {
    const driver = createDriver()
    const { StoreError } = jest.requireActual<typeof import('kumu/docstore')>('kumu/docstore')
    const late = override(driver, {
      watch: () =>
        (async function* () {
          yield { seq: '1', op: 'put' as const, key: 'a', rev: '1' }
          await turn()
          throw new StoreError('gone', 'The change feed does not reach back so far: list again, then watch')
        })(),
    })
    const served = await mount(late)
    const feed = await openEvents(served.port, '/docs?watch')
    const [first, second, third] = await take(feed, 3)
    expect([first?.event, second?.event, third]).toEqual(['put', 'gone', undefined])
    expect(second?.id).toBeUndefined()
  })

  it('a feed that fails is cut off, not ended as if it were whole', async () => {
    const late = override(createDriver(), {
      watch: () =>
        (async function* () {
          yield { seq: '1', op: 'put' as const, key: 'a', rev: '1' }
          await turn()
          throw new Error('the disk is on fire')
        })(),
    })
    const served = await mount(late)
    const feed = await openEvents(served.port, '/docs?watch')
    expect((await feed.next())?.event).toBe('put')
    await expect(feed.next()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})

describe('a store whose changes cannot be followed', () => {
  const [, [, createFile]] = drivers as ReadonlyArray<readonly [string, (typeof drivers)[0][1]]> as [
    (typeof drivers)[0],
    (typeof drivers)[0],
  ]

  it.each([
    ['/docs?watch', {}],
    ['/docs', { Accept: 'text/event-stream' }],
    ['/docs?watch', { 'Last-Event-ID': 'x' }],
  ] as const)('GET %s %j is 501', async (path, headers) => {
    const served = await mount(createFile())
    const answer = await served.ask('GET', path, { headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([501, 'application/problem+json'])
    expect((await served.ask('GET', '/docs')).status).toBe(200)
  })

  it('from the past is 501 where it can be followed from now on only', async () => {
    const served: Mounted = await mount(withCan(watchable[0]![1](), { watch: 'live' }))
    expect((await served.ask('GET', '/docs?watch', { headers: { 'Last-Event-ID': 'x' } })).status).toBe(501)
    const feed = await openEvents(served.port, '/docs?watch')
    await served.ask('PUT', '/docs/a', { body: 'x' })
    expect(brief(await take(feed, 1))).toEqual(['put a'])
    feed.leave()
  })
})
