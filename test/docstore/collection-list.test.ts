import fc from 'fast-check'
import { IsBoolean, IsDate, IsOptional, IsString } from 'class-validator'
import { Exclude, Type } from 'class-transformer'
import { createDirectory, unmountAll } from '../support/documents'
import { createApp } from '../../src'
import { collection, docstore } from 'kumu/docstore'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { openEvents, type EventFeed, type SentEvent } from '../support/exchange'
import { closeAll, serve, type Served } from '../support/serve'
import { closeCollections, createNote, Note, serveNotes, type Shown } from './support/collection'

afterEach(async () => {
  await unmountAll()
  await closeCollections()
  await closeAll()
})

const titles = async (served: Served, query: string): Promise<string[]> =>
  (await served.ask('GET', `/notes?${query}`)).json<Shown[]>().map(({ title }) => title)

async function withNotes(served: Served, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const tags = n % 3 === 0 ? ['third'] : undefined
    await createNote(served, { title: `t${String(n).padStart(2, '0')}`, ...(n % 2 === 0 && { year: 2000 + n }), tags })
  }
}

function linkOf(header: unknown, rel: string): string | undefined {
  return new RegExp(`<([^>]*)>; rel="?${rel}"?`).exec(String(header))?.[1]
}

describe('GET /notes', () => {
  it('is a page, in the order of creation', async () => {
    const served = await serveNotes({ paged: { limit: 4, max: 5 } })
    const empty = await served.ask('GET', '/notes')
    expect([empty.status, empty.json(), empty.headers['content-range']]).toEqual([200, [], 'notes */0'])
    await withNotes(served, 10)
    const first = await served.ask('GET', '/notes')
    expect([first.status, first.headers['content-range'], first.headers['accept-ranges']]).toEqual([
      206,
      'notes 0-3/10',
      'notes',
    ])
    expect(first.json<Shown[]>().map(({ title }) => title)).toEqual(['t00', 't01', 't02', 't03'])
    const next = await served.ask('GET', String(linkOf(first.headers.link, 'next')))
    expect(next.headers['content-range']).toBe('notes 4-7/10')
    const ranged = await served.ask('GET', '/notes', { headers: { Range: 'notes=-3' } })
    expect([ranged.status, ranged.headers['content-range']]).toEqual([206, 'notes 7-9/10'])
    expect(ranged.json<Shown[]>().map(({ title }) => title)).toEqual(['t07', 't08', 't09'])
    expect(await titles(served, 'limit=100')).toHaveLength(5)
    const none = await served.ask('GET', '/notes?limit=0')
    expect([none.status, none.json(), none.headers['content-range']]).toEqual([206, [], 'notes */10'])
    const beyond = await served.ask('GET', '/notes?offset=10')
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'notes */10'])
    const uncounted = await served.ask('GET', '/notes?offset=8', { headers: { Prefer: 'count=none' } })
    expect([uncounted.headers['content-range'], uncounted.headers['preference-applied']]).toEqual([
      'notes 8-9/*',
      'count=none',
    ])
  })

  it('filters by scalar members and the key, sorts by them, and shows what is wanted', async () => {
    const served = await serveNotes()
    await withNotes(served, 6)
    expect(await titles(served, 'year=2002&year=2004')).toEqual(['t02', 't04'])
    expect(await titles(served, 'year=2002&title=t04')).toEqual([])
    expect(await titles(served, 'sort=-title&limit=2')).toEqual(['t05', 't04'])
    expect(await titles(served, 'sort=-year')).toEqual(['t04', 't02', 't00', 't01', 't03', 't05'])
    expect(await titles(served, 'sort=-year,-title')).toEqual(['t04', 't02', 't00', 't05', 't03', 't01'])
    expect(await titles(served, 'sort=-id')).toEqual(['t05', 't04', 't03', 't02', 't01', 't00'])
    expect(await titles(served, 'sort=id,-title')).toEqual(['t00', 't01', 't02', 't03', 't04', 't05'])
    const [one] = (await served.ask('GET', '/notes?title=t03')).json<Shown[]>()
    expect(await titles(served, `id=${one?.id}`)).toEqual(['t03'])
    expect((await served.ask('GET', '/notes?title=t02&fields=year')).json()).toEqual([{ year: 2002 }])
    for (const query of ['year=x', 'sort=tags', 'color=red', 'tags=third', 'offset=1&cursor=', 'limit=-1']) {
      expect([query, (await served.ask('GET', `/notes?${query}`)).status]).toEqual([query, 400])
    }
  })

  it('takes the filters and sort keys that are named instead', async () => {
    const served = await serveNotes({ paged: { filter: { tags: String }, sort: ['title'], unit: 'pieces' } })
    await withNotes(served, 4)
    expect(await titles(served, 'tags=third')).toEqual(['t00', 't03'])
    expect((await served.ask('GET', '/notes?year=2000')).status).toBe(400)
    expect((await served.ask('GET', '/notes?sort=year')).status).toBe(400)
    expect((await served.ask('GET', '/notes')).headers['accept-ranges']).toBe('pieces')
  })

  it('hands the defaults of the application on', async () => {
    const served = await serveNotes({ app: { paging: { limit: 2, status: 200 } } })
    await withNotes(served, 3)
    const page = await served.ask('GET', '/notes?limit=2')
    expect([page.status, page.json<unknown[]>().length]).toEqual([200, 2])
    expect((await served.ask('GET', '/notes')).json<unknown[]>()).toHaveLength(2)
  })

  it('members that have the name of a parameter of paging are no filters', async () => {
    class Odd {
      @IsString() limit!: string
      @IsString() watch!: string
    }
    const served = await serveNotes({ model: Odd })
    await createNote(served, { limit: 'a', watch: 'b' })
    expect((await served.ask('GET', '/notes?limit=a')).status).toBe(400)
    expect((await served.ask('GET', '/notes?limit=1&sort=watch')).status).toBe(200)
  })

  it('goes by cursor in any order, and misses nothing that is there throughout', async () => {
    const served = await serveNotes()
    await withNotes(served, 20)
    for (const sort of ['', 'sort=-year&', 'sort=title&', 'sort=-id&', 'year=2002&year=2004&year=2006&sort=-title&']) {
      const all = await titles(served, sort)
      const seen: string[] = []
      let url: string | undefined = `/notes?${sort}cursor=&limit=3`
      for (let page = 0; url !== undefined && page < 20; page++) {
        const answer = await served.ask('GET', url)
        expect([200, 206]).toContain(answer.status)
        seen.push(...answer.json<Shown[]>().map(({ title }) => title))
        url = linkOf(answer.headers.link, 'next')
      }
      expect(seen).toEqual(all)
    }
    const cursor = Buffer.from(JSON.stringify([1, 'id', '', ['../x']])).toString('base64url')
    expect((await served.ask('GET', `/notes?cursor=${cursor}`)).status).toBe(400)
    expect((await served.ask('GET', '/notes?cursor=garbage')).status).toBe(400)
  })

  it('signs cursors, or has none', async () => {
    const signed = await serveNotes({ paged: { cursor: { secret: 'quiet' } } })
    await withNotes(signed, 3)
    const page = await signed.ask('GET', '/notes?cursor=&limit=2')
    const next = String(linkOf(page.headers.link, 'next'))
    expect((await signed.ask('GET', next)).json<unknown[]>()).toHaveLength(1)
    expect((await signed.ask('GET', next.replace(/\.[\w-]+/, '.AAAAAAAAAAAAAAAAAAAAAA'))).status).toBe(400)
    const without = await serveNotes({ paged: { cursor: false } })
    expect((await without.ask('GET', '/notes?cursor=')).status).toBe(400)
  })

  it('compares dates and truth values as what they are', async () => {
    class Task {
      @IsString() title!: string
      @IsOptional() @IsBoolean() done?: boolean
      @IsDate() @Type(() => Date) due!: Date
    }
    const served = await serveNotes({ model: Task })
    await createNote(served, { title: 'late', done: true, due: '2020-01-02T00:00:00+02:00' })
    await createNote(served, { title: 'early', done: false, due: '2019-06-01T12:00:00Z' })
    expect(await titles(served, 'due=2020-01-01T22:00:00Z')).toEqual(['late'])
    expect(await titles(served, 'done=false')).toEqual(['early'])
    expect(await titles(served, 'sort=due')).toEqual(['early', 'late'])
    const page = await served.ask('GET', '/notes?sort=-due&cursor=&limit=1')
    expect(await titles(served, String(linkOf(page.headers.link, 'next')).split('?')[1] ?? '')).toEqual(['early'])
  })

  it('shows neither answers kept for Idempotency-Key nor what is no JSON object', async () => {
    const served = await serveNotes()
    await served.store.put('text', 'x', { type: 'text/plain' })
    const headers = { 'Idempotency-Key': 'k' }
    await served.ask('POST', '/notes', { body: { title: 'x' }, headers })
    const list = await served.ask('GET', '/notes')
    expect([list.json<unknown[]>().length, list.headers['content-range']]).toEqual([1, 'notes 0-0/1'])
  })

  it('agrees with filtering, sorting and slicing in memory', async () => {
    const served = await serveNotes({ driver: level({ dir: createDirectory() }) })
    const rows: Shown[] = []
    for (let n = 0; n < 25; n++) {
      const year = [undefined, 1, 2, 3][n % 4]
      rows.push((await createNote(served, { title: `t${(n * 7) % 5}`, ...(year && { year }) })).note)
    }
    const compare = (name: 'title' | 'year', descending: boolean) => (left: Shown, right: Shown) => {
      const [a, b] = [left[name], right[name]]
      if (a === b) return 0
      if (a === undefined || b === undefined) return a === undefined ? 1 : -1
      return (a < b ? -1 : 1) * (descending ? -1 : 1)
    }
    await fc.assert(
      fc.asyncProperty(
        fc.option(fc.constantFrom(1, 2, 9), { nil: undefined }),
        fc.option(fc.tuple(fc.constantFrom('title', 'year'), fc.boolean()), { nil: undefined }),
        fc.nat(26),
        fc.integer({ min: 1, max: 30 }),
        async (year, sort, offset, limit) => {
          let expected = rows.filter((row) => year === undefined || row.year === year)
          if (sort) expected = [...expected].sort(compare(sort[0], sort[1]))
          const query = [
            `offset=${offset}&limit=${limit}`,
            ...(year === undefined ? [] : [`year=${year}`]),
            ...(sort ? [`sort=${sort[1] ? '-' : ''}${sort[0]}`] : []),
          ].join('&')
          const answer = await served.ask('GET', `/notes?${query}`)
          if (offset >= expected.length && expected.length > 0) return expect(answer.status).toBe(416)
          return expect(answer.json()).toEqual(expected.slice(offset, offset + limit))
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('GET /notes?watch', () => {
  const feeds: EventFeed[] = []
  afterEach(() => {
    for (const feed of feeds.splice(0)) feed.leave()
  })

  async function open(served: Served, path = '/notes?watch', headers: Record<string, string> = {}): Promise<EventFeed> {
    const feed = await openEvents(served.port, path, headers)
    feeds.push(feed)
    return feed
  }

  const brief = (sent: SentEvent | undefined): unknown[] => [sent?.event, JSON.parse(sent?.data ?? 'null')]

  it.each(['/notes?watch', '/notes'])('tells what happens, with the document: %s', async (path) => {
    const served = await serveNotes()
    const feed = await open(served, path)
    expect([feed.status, feed.headers['content-type']]).toEqual([200, 'text/event-stream'])
    const { note, etag, path: address } = await createNote(served, { title: 'x' })
    const first = await feed.next()
    expect(brief(first)).toEqual(['put', { key: note.id, rev: etag.slice(1, -1), value: note }])
    await served.ask('PUT', address, { body: { title: 'y' } })
    expect(brief(await feed.next())).toEqual([
      'put',
      { key: note.id, rev: expect.any(String) as unknown, value: { ...note, title: 'y' } },
    ])
    await served.ask('DELETE', address)
    expect(brief(await feed.next())).toEqual(['delete', { key: note.id }])

    const resumed = await open(served, path, { 'Last-Event-ID': String(first?.id) })
    expect(brief(await resumed.next())).toEqual(['put', { key: note.id, rev: expect.any(String) as unknown }])
    expect(brief(await resumed.next())).toEqual(['delete', { key: note.id }])
  })

  it('is silent about answers kept for Idempotency-Key', async () => {
    const served = await serveNotes()
    const feed = await open(served)
    for (const key of ['a', 'b']) {
      await served.ask('POST', '/notes', { body: { title: key }, headers: { 'Idempotency-Key': key } })
    }
    const events = [await feed.next(), await feed.next()]
    expect(events.map((sent) => (JSON.parse(sent?.data ?? '') as { value: Note }).value.title)).toEqual(['a', 'b'])
  })

  it('tells a tombstone as a deletion', async () => {
    const served = await serveNotes({ tombstones: true })
    const { note, path } = await createNote(served, { title: 'x' })
    const feed = await open(served)
    await served.ask('DELETE', path)
    expect(brief(await feed.next())).toEqual(['delete', { key: note.id }])
  })

  it('is 410 where it cannot be resumed, and ends with the application', async () => {
    const served = await serveNotes()
    const gone = await served.ask('GET', '/notes?watch', {
      headers: { Accept: 'text/event-stream', 'Last-Event-ID': 'elsewhere-1' },
    })
    expect(gone.status).toBe(410)
    const feed = await open(served)
    const ended = feed.next()
    const closing = served.app.close(served.server)
    expect(await ended).toBeUndefined()
    await closing
  })
})

describe('a member that is never shown', () => {
  class Account {
    @IsString() name!: string
    @Exclude({ toPlainOnly: true }) @IsString() password!: string
  }

  it('is no filter and no sort key: either would tell it guess by guess', async () => {
    const { ask } = await serve(
      createApp({ resources: [collection('/accounts', { model: Account, store: docstore(memory()) })] }),
    )
    await ask('POST', '/accounts', { body: { name: 'ann', password: 'secret' } })
    expect((await ask('GET', '/accounts?name=ann')).json()).toMatchObject([{ name: 'ann' }])
    expect((await ask('GET', '/accounts?password=secret')).status).toBe(400)
    expect((await ask('GET', '/accounts?sort=password')).status).toBe(400)
  })
})
