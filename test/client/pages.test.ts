import { createApp, Get, Paged, Resource } from 'kumu'
import { createClient, NotFoundError, PagingError, type PagesOptions } from 'kumu/client'
import { closeAll, serve } from '../support/serve'
import { failureOf, record, sendJson } from './support/server'

afterEach(closeAll)

interface Row {
  id: number
  even: boolean
}

const rowsOf = (count: number): Row[] => Array.from({ length: count }, (_, id) => ({ id, even: id % 2 === 0 }))

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

/** A list of a Kumu application, and how often it was asked. */
async function start(count: number) {
  const asked: string[] = []
  @Resource('/rows')
  class Rows {
    @Get() @Paged({ limit: 10, max: 20, cursor: 'id', filter: { even: Boolean }, sort: ['id'] }) all() {
      return rowsOf(count)
    }
    @Get('/uncounted') @Paged({ limit: 10, count: 'none' }) uncounted() {
      return rowsOf(count)
    }
  }
  const app = createApp({
    resources: [Rows],
    prefix: '/api',
    middleware: [
      (ctx, next) => {
        asked.push(`${ctx.search} ${ctx.get('range')}`.trim())
        return next()
      },
    ],
  })
  return { asked, api: createClient(`${(await serve(app)).url}/api`) }
}

const ways: ReadonlyArray<readonly [string, PagesOptions<Row>]> = [
  ['as the server likes', {}],
  ['limit', { limit: 7 }],
  ['a limit above that of the server', { limit: 500 }],
  ['cursor', { by: 'cursor', limit: 7 }],
  ['cursor without a limit', { by: 'cursor' }],
  ['range', { by: { range: 'rows' }, limit: 7 }],
  ['range without a limit', { by: { range: 'rows' } }],
]

describe('pages(path, options) of a Kumu application', () => {
  it.each(ways.flatMap(([name, options]) => [0, 1, 7, 20, 41].map((count) => [name, count, options] as const)))(
    '%s: %d rows',
    async (_, count, options) => {
      const { api, asked } = await start(count)
      expect(await collect(api.pages('/rows', options))).toEqual(rowsOf(count))
      const size = Math.min(options.limit ?? (typeof options.by === 'object' ? 20 : 10), 20)
      expect(asked).toHaveLength(Math.max(1, Math.ceil(count / size)))
    },
  )

  it('keeps the query', async () => {
    const { api, asked } = await start(30)
    const rows = await collect(api.pages<Row>('/rows', { limit: 4, query: { even: true, sort: '-id' } }))
    expect(rows).toEqual(
      rowsOf(30)
        .filter(({ even }) => even)
        .reverse(),
    )
    for (const each of asked) expect(each).toMatch(/even=true/)
  })

  it('reads lists that nobody counts', async () => {
    const { api } = await start(23)
    expect(await collect(api.pages('/rows/uncounted', { limit: 5 }))).toEqual(rowsOf(23))
    expect(await collect(api.pages('/rows/uncounted', { limit: 5, by: { range: 'rows' } }))).toEqual(rowsOf(23))
  })

  it('asks for no more than is read', async () => {
    const { api, asked } = await start(100)
    for await (const { id } of api.pages<Row>('/rows', { limit: 10 })) if (id === 12) break
    expect(asked).toHaveLength(2)
  })

  it('fails as any call does', async () => {
    const { api } = await start(1)
    expect(await failureOf(collect(api.pages('/none')))).toBeInstanceOf(NotFoundError)
  })
})

describe('pages(path, options) of other servers', () => {
  it('follows Content-Range where there are no links, and ends where the list has become shorter', async () => {
    const { url, seen } = await record(({ url: target }, response, count) => {
      const offset = Number(new URL(target, 'http://host').searchParams.get('offset') ?? 0)
      if (count === 3) return sendJson(response, {}, 416, { 'Content-Range': 'rows */4' })
      return sendJson(response, [offset, offset + 1], 206, { 'Content-Range': `rows ${offset}-${offset + 1}/6` })
    })
    expect(await collect(createClient(url).pages('/rows', { limit: 2 }))).toEqual([0, 1, 2, 3])
    expect(seen.map(({ url: target }) => target)).toEqual([
      '/rows?limit=2',
      '/rows?offset=2&limit=2',
      '/rows?offset=4&limit=2',
    ])
  })

  it('follows a cursor in the body', async () => {
    const { url, seen } = await record((_, response, count) =>
      sendJson(response, { items: [count], next: count < 3 ? `c${count}` : null }),
    )
    const options = {
      limit: 1,
      query: { q: 'x' },
      rows: (body: unknown) => (body as { items: number[] }).items,
      next: (body: unknown) => (body as { next: string | null }).next,
    }
    expect(await collect(createClient(url).pages('/rows', options))).toEqual([1, 2, 3])
    expect(seen.map(({ url: target }) => target)).toEqual([
      '/rows?q=x&limit=1',
      '/rows?q=x&cursor=c1&limit=1',
      '/rows?q=x&cursor=c2&limit=1',
    ])
  })

  it('is one page where the server says nothing', async () => {
    const { url, seen } = await record((_, response) => sendJson(response, [1, 2]))
    expect(await collect(createClient(url).pages('/rows', { limit: 2 }))).toEqual([1, 2])
    expect(seen).toHaveLength(1)
  })

  it.each([
    ['to another server', '<http://elsewhere.example/rows?offset=2>; rel="next"', 'the next page is on another server'],
    ['to another port', '<//127.0.0.1:1/rows>; rel=next', 'the next page is on another server'],
    ['back to a page that was read', '</rows>; rel="prev next"', 'the pages lead back to this one'],
  ])('does not follow a link %s', async (_, link, message) => {
    const { url, seen } = await record((__, response) => sendJson(response, [1], 200, { Link: link }))
    const rows = createClient(url, { username: 'me', password: 'secret' }).pages('/rows')
    expect(await rows.next()).toEqual({ done: false, value: 1 })
    const error = await failureOf(rows.next())
    expect(error).toBeInstanceOf(PagingError)
    expect(error.message).toMatch(message)
    expect(error['request']).toEqual({ method: 'GET', url: `${url}/rows` })
    expect(seen).toHaveLength(1)
  })

  it('fails where the page is no list', async () => {
    const { url } = await record((_, response) => sendJson(response, { items: [] }))
    expect((await failureOf(collect(createClient(url).pages('/rows')))).message).toMatch('the page is no list')
  })
})
