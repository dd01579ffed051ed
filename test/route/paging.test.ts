import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import Koa from 'koa'
import { BadRequest, HttpError } from '../../src/errors'
import { parseLink } from '../../src/http/link'
import { cursorAfter } from '../../src/route/page-cursor'
import { createPaging } from '../../src/route/paging'
import type { Context, PageRequest, PagingPlan } from '../../src/route/plan'
import { Reply, reply, slice } from '../../src/route/replies'

const base: PagingPlan = {
  unit: 'items',
  limit: 10,
  max: 20,
  status: 206,
  count: 'exact',
  sort: ['id', 'name', 'address.city'],
  filter: [
    { name: 'team', type: { kind: 'string', list: false } },
    { name: 'age', type: { kind: 'integer', list: false } },
    { name: 'ratio', type: { kind: 'number', list: false } },
    { name: 'active', type: { kind: 'boolean', list: false } },
    { name: 'born', type: { kind: 'date', list: false } },
  ],
}
const byCursor: PagingPlan = { ...base, cursor: { key: ['id'] } }

interface Row {
  readonly id: number
  readonly team?: string
  readonly age?: number
}

function rows(length: number): Row[] {
  return Array.from({ length }, (_, id) => ({ id, team: id % 2 ? 'odd' : 'even', age: id % 5 }))
}

interface Asking {
  readonly plan?: PagingPlan
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly toPlain?: (value: unknown) => unknown
}

function contextOf(url: string, { method = 'GET', headers = {} }: Asking = {}): Context {
  const req = new IncomingMessage(new Socket())
  Object.assign(req, { url, method, headers: { ...headers } })
  return new Koa().createContext(req, new ServerResponse(req)) as unknown as Context
}

type Handler = (page: PageRequest) => unknown

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, string>
  readonly links: Record<string, string>
}

/** Asks as a client would: an error is an answer with its status and headers. */
async function ask(url: string, handler: Handler | unknown[], asking: Asking = {}): Promise<Answer> {
  const paging = createPaging(asking.plan ?? base, asking.toPlain ?? ((value) => value))
  const ctx = contextOf(url, asking)
  try {
    const result = await paging.around(
      ctx,
      async () => (Array.isArray(handler) ? handler : handler(paging.read(ctx))),
      [],
    )
    if (!(result instanceof Reply)) return { status: 0, body: result, headers: {}, links: {} }
    const headers = { ...(result.headers as Record<string, string>) }
    const links = Object.fromEntries(parseLink(headers.Link ?? '').map(({ rel, href }) => [rel, href]))
    return { status: result.status, body: result.body, headers, links }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    return {
      status: error.status,
      body: error.errors,
      headers: { ...error.headers } as Record<string, string>,
      links: {},
    }
  }
}

function readPage(url: string, asking: Asking = {}): PageRequest {
  return createPaging(asking.plan ?? base, (value) => value).read(contextOf(url, asking))
}

function ids(answer: Answer): unknown[] {
  return (answer.body as Row[]).map((row) => row.id)
}

const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n)

describe('createPaging(plan, toPlain)', () => {
  it('names every query parameter that it reads', () => {
    expect(createPaging(base, (value) => value).names).toEqual([
      'range',
      'offset',
      'limit',
      'cursor',
      'fields',
      'sort',
      'team',
      'age',
      'ratio',
      'active',
      'born',
    ])
  })
})

describe('read(ctx): where the page is', () => {
  it.each<[string, Partial<PageRequest>, string?]>([
    ['/', { offset: 0, limit: 10 }, ''],
    ['/?', { offset: 0, limit: 10 }, ''],
    ['/?offset=5', { offset: 5, limit: 10 }, ''],
    ['/?limit=5', { offset: 0, limit: 5 }, ''],
    ['/?offset=5&limit=7', { offset: 5, limit: 7 }, ''],
    ['/?limit=0', { offset: 0, limit: 0 }, ''],
    ['/?limit=21', { limit: 20 }, ''],
    ['/?limit=9007199254740991', { limit: 20 }, ''],
    ['/?range=5-9', { offset: 5, limit: 5 }, ''],
    ['/?range=items=5-9', { offset: 5, limit: 5 }, ''],
    ['/?range=ITEMS%3D5-9', { offset: 5, limit: 5 }, ''],
    ['/?range=5-', { offset: 5, limit: 20 }, ''],
    ['/?range=0-', { offset: 0, limit: 20 }, ''],
    ['/?range=0-99', { offset: 0, limit: 20 }, ''],
    ['/?range=0-99999999999999999999', { offset: 0, limit: 20 }, ''],
    ['/?range=-3', { offset: 0, limit: 3, last: 3 }, ''],
    ['/?range=-99', { offset: 0, limit: 20, last: 20 }, ''],
    ['/', { offset: 5, limit: 5 }, 'items=5-9'],
    ['/', { offset: 5, limit: 5 }, 'Items=5-9'],
    ['/', { offset: 5, limit: 20 }, 'items=5-'],
    ['/', { limit: 3, last: 3 }, 'items=-3'],
    ['/', { offset: 0, limit: 10 }, 'bytes=5-9'],
    ['/', { offset: 0, limit: 10 }, 'bytes=nonsense'],
    ['/', { offset: 0, limit: 10 }, 'items=0-1,4-5'],
    ['/', { offset: 0, limit: 10 }, 'items=0-1,x'],
    ['/?offset=3', { offset: 3, limit: 10 }, 'bytes=5-9'],
    ['/?range=2-3', { offset: 2, limit: 2 }, 'items=0-1,4-5'],
  ])('GET %s %j %s', (url, expected, range) => {
    expect(readPage(url, { headers: range ? { range } : {} })).toMatchObject(expected)
  })

  it('has a default limit no larger than the greatest', () => {
    expect(readPage('/', { plan: { ...base, limit: 50 } }).limit).toBe(20)
    expect(readPage('/?offset=1', { plan: { ...base, limit: 50 } }).limit).toBe(20)
  })

  it.each<[string, string, string, string]>([
    ['/?offset=x', '', '/offset', 'type'],
    ['/?offset=', '', '/offset', 'type'],
    ['/?offset=-1', '', '/offset', 'type'],
    ['/?offset=1.5', '', '/offset', 'type'],
    ['/?offset=0x10', '', '/offset', 'type'],
    ['/?offset=9007199254740992', '', '/offset', 'type'],
    ['/?limit=-1', '', '/limit', 'type'],
    ['/?limit=-0', '', '/limit', 'type'],
    ['/?limit=NaN', '', '/limit', 'type'],
    ['/?limit=Infinity', '', '/limit', 'type'],
    ['/?limit=1e999', '', '/limit', 'type'],
    ['/?limit=%20', '', '/limit', 'type'],
    ['/?limit=1&limit=2', '', '/limit', 'type'],
    ['/?offset=1&offset=1', '', '/offset', 'type'],
    ['/?range=0-1&range=2-3', '', '/range', 'type'],
    ['/?range=', '', '/range', 'range'],
    ['/?range=x', '', '/range', 'range'],
    ['/?range=5', '', '/range', 'range'],
    ['/?range=9-5', '', '/range', 'range'],
    ['/?range=-', '', '/range', 'range'],
    ['/?range=0-1,4-5', '', '/range', 'range'],
    ['/?range=0-1,', '', '/range', 'range'],
    ['/?range=bytes=0-1', '', '/range', 'range'],
    ['/?range=0-1&offset=1', '', '/range', 'conflict'],
    ['/?range=0-1&limit=1', '', '/range', 'conflict'],
    ['/?range=0-1&cursor=', '', '/range', 'conflict'],
    ['/?cursor=&offset=1', '', '/cursor', 'conflict'],
    ['/?offset=1', 'items=0-1', '/range', 'conflict'],
    ['/?limit=1', 'items=0-1', '/range', 'conflict'],
    ['/?range=0-1', 'items=0-1', '/range', 'conflict'],
    ['/?cursor=', 'items=0-1', '/range', 'conflict'],
    ['/', 'items=9-5', '/range', 'range'],
    ['/', 'items=x-', '/range', 'range'],
    ['/', 'items=', '/range', 'range'],
  ])('GET %s %s is 400 at %s for %s', async (url, range, pointer, code) => {
    const called = jest.fn(() => [])
    const answer = await ask(url, called, { plan: byCursor, headers: range ? { range } : {} })
    expect(answer).toMatchObject({ status: 400, body: [{ in: range ? 'header' : 'query', pointer, code }] })
    expect(called).not.toHaveBeenCalled()
  })

  it('ignores a Range that hangs on a condition: a list has no validator', () => {
    expect(readPage('/', { headers: { range: 'items=5-9', 'if-range': '"x"' } })).toMatchObject({
      offset: 0,
      limit: 10,
    })
  })

  it('ignores a Range of another method than GET and HEAD', () => {
    expect(readPage('/', { method: 'POST', headers: { range: 'items=5-9' } })).toMatchObject({ offset: 0, limit: 10 })
  })

  it('reads once a request', () => {
    const paging = createPaging(base, (value) => value)
    const ctx = contextOf('/?offset=3&sort=id&team=odd')
    expect(paging.read(ctx)).toBe(paging.read(ctx))
    expect(paging.read(contextOf('/?offset=4')).offset).toBe(4)
  })
})

describe('read(ctx): fields, sort, where, count', () => {
  it.each<[string, string[]]>([
    ['/?x=1', []],
    ['/?fields=', []],
    ['/?fields=id,address.city', ['id', 'address.city']],
    ['/?fields=id&fields=name', ['id', 'name']],
    ['/?fields=__proto__,nobody', ['nobody']],
  ])('GET %s: fields %j', (url, fields) => {
    expect(readPage(url).fields).toEqual(fields)
  })

  it.each<[string, [string, boolean][]]>([
    ['/?sort=', []],
    ['/?sort=id', [['id', false]]],
    [
      '/?sort=-name,id',
      [
        ['name', true],
        ['id', false],
      ],
    ],
    [
      '/?sort=name&sort=-id',
      [
        ['name', false],
        ['id', true],
      ],
    ],
    ['/?sort=name,-name', [['name', false]]],
    ['/?sort=+id', [['id', false]]],
    ['/?sort=address.city', [['address.city', false]]],
  ])('GET %s: sort %j', (url, sort) => {
    expect(readPage(url).sort).toEqual(sort.map(([name, descending]) => ({ name, descending })))
  })

  it.each(['secret', '-secret', 'id,secret', '__proto__', 'constructor', '-', 'toString'])(
    'GET /?sort=%s is 400 and names what is allowed',
    (sort) => {
      expect(() => readPage(`/?sort=${sort}`)).toThrow(
        expect.objectContaining({
          constructor: BadRequest,
          detail: '"sort" takes id, name, address.city',
          errors: [expect.objectContaining({ in: 'query', pointer: '/sort', code: 'unknown' })],
        }),
      )
    },
  )

  it('sorts by nothing where nothing is declared, and by anything where all is', () => {
    expect(() => readPage('/?sort=id', { plan: { ...base, sort: [] } })).toThrow(/cannot be sorted/)
    expect(readPage('/?sort=-anything', { plan: { ...base, sort: true } }).sort).toEqual([
      { name: 'anything', descending: true },
    ])
    const many = Array.from({ length: 33 }, (_, n) => `n${n}`).join(',')
    expect(() => readPage(`/?sort=${many}`, { plan: { ...base, sort: true } })).toThrow(BadRequest)
  })

  it.each<[string, Record<string, unknown[]>]>([
    ['/?team=a', { team: ['a'] }],
    ['/?team=a&team=b', { team: ['a', 'b'] }],
    ['/?team=', { team: [''] }],
    ['/?age=7&age=-1', { age: [7, -1] }],
    ['/?ratio=1.5e1', { ratio: [15] }],
    ['/?active=OFF&active=y', { active: [false, true] }],
    ['/?born=2024-02-29', { born: [new Date('2024-02-29')] }],
    ['/?unknown=1&__proto__=2', {}],
  ])('GET %s: where %j', (url, where) => {
    const page = readPage(url)
    expect({ ...page.where }).toEqual(where)
    expect(Object.getPrototypeOf(page.where)).toBeNull()
  })

  it.each([
    'age=',
    'age=x',
    'age=1.5',
    'age=1&age=x',
    'ratio=NaN',
    'ratio=0x1',
    'active=banana',
    'active=',
    'born=2023-02-29',
    'born=1',
  ])('B24 B25 GET /?%s is 400', async (query) => {
    const name = query.slice(0, query.indexOf('='))
    const answer = await ask(`/?${query}`, [])
    expect(answer).toMatchObject({ status: 400, body: [{ in: 'query', pointer: `/${name}`, code: 'type' }] })
    expect(JSON.stringify(answer.body)).not.toContain('banana')
  })

  it('takes a filter named like a part of a prototype for a name like any other', () => {
    const filter = [{ name: '__proto__', type: { kind: 'string', list: false } as const }]
    const { where } = readPage('/?__proto__=x', { plan: { ...base, filter } })
    expect(Object.keys(where)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).x).toBeUndefined()
  })

  it.each<[string, PagingPlan['count'], string | undefined]>([
    ['count=none', 'none', 'count=none'],
    ['count=estimated, wait=1', 'estimated', 'count=estimated'],
    ['count="exact"', 'exact', 'count=exact'],
    ['count=all', 'exact', undefined],
    ['return=minimal', 'exact', undefined],
  ])('Prefer: %s', async (prefer, count, applied) => {
    expect(readPage('/', { headers: { prefer } }).count).toBe(count)
    const answer = await ask('/', rows(3), { headers: { prefer } })
    expect(answer.headers['Preference-Applied']).toBe(applied)
  })
})

describe.each<[string, (list: Row[]) => unknown]>([
  ['an array', (list) => list],
  ['an iterable', (list) => new Set(list)],
  [
    'an async iterable',
    (list) =>
      (async function* () {
        yield* list
      })(),
  ],
  ['a reply of an array', (list) => reply(200, list)],
])('GET of 25 rows, the handler returning %s', (_, form) => {
  it.each<[string, string, number, number[], string]>([
    ['/', '', 206, from(0, 9), 'items 0-9/25'],
    ['/?offset=10', '', 206, from(10, 19), 'items 10-19/25'],
    ['/?offset=20', '', 206, from(20, 24), 'items 20-24/25'],
    ['/?offset=24&limit=1', '', 206, [24], 'items 24-24/25'],
    ['/?limit=99', '', 206, from(0, 19), 'items 0-19/25'],
    ['/?limit=0', '', 206, [], 'items */25'],
    ['/?limit=0&offset=24', '', 206, [], 'items */25'],
    ['/?range=5-7', '', 206, from(5, 7), 'items 5-7/25'],
    ['/?range=20-', '', 206, from(20, 24), 'items 20-24/25'],
    ['/?range=-3', '', 206, from(22, 24), 'items 22-24/25'],
    ['/?range=-99', '', 206, from(5, 24), 'items 5-24/25'],
    ['/', 'items=0-4', 206, from(0, 4), 'items 0-4/25'],
    ['/', 'items=24-99', 206, [24], 'items 24-24/25'],
    ['/', 'items=-1', 206, [24], 'items 24-24/25'],
    ['/', 'bytes=0-4', 206, from(0, 9), 'items 0-9/25'],
    ['/?team=odd', '', 206, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19], 'items 0-9/12'],
    ['/?team=odd&age=1&age=2', '', 200, [1, 7, 11, 17, 21], 'items 0-4/5'],
    ['/?team=none', '', 200, [], 'items */0'],
    ['/?team=none', 'items=0-9', 200, [], 'items */0'],
    ['/?team=none&offset=5', '', 200, [], 'items */0'],
    ['/?sort=-id&limit=3', '', 206, [24, 23, 22], 'items 0-2/25'],
    ['/?sort=-id&range=-2', '', 206, [1, 0], 'items 23-24/25'],
    ['/?sort=-id&team=odd&offset=1&limit=2', '', 206, [21, 19], 'items 1-2/12'],
  ])('%s %s is %i', async (url, range, status, expected, contentRange) => {
    const answer = await ask(url, () => form(rows(25)), { headers: range ? { range } : {} })
    expect(answer.status).toBe(status)
    expect(ids(answer)).toEqual(expected)
    expect(answer.headers).toMatchObject({ 'Accept-Ranges': 'items', 'Content-Range': contentRange })
  })

  it.each([
    ['/?offset=25', ''],
    ['/?offset=25&limit=0', ''],
    ['/?offset=9007199254740991', ''],
    ['/?range=25-', ''],
    ['/?range=-0', ''],
    ['/?sort=id&offset=25', ''],
    ['/', 'items=25-30'],
    ['/', 'items=-0'],
  ])('%s %s is 416', async (url, range) => {
    const answer = await ask(url, () => form(rows(25)), { headers: range ? { range } : {} })
    expect(answer.status).toBe(416)
    expect(answer.headers).toEqual({ 'Accept-Ranges': 'items', 'Content-Range': 'items */25' })
  })
})

describe('B67 GET of the edges', () => {
  it.each(['/', '/?offset=5', '/?limit=0', '/?range=-3', '/?range=-0', '/?range=0-9'])(
    '%s of an empty set is 200 []',
    async (url) => {
      const answer = await ask(url, [])
      expect(answer).toMatchObject({ status: 200, body: [], headers: { 'Content-Range': 'items */0' }, links: {} })
    },
  )
  it.each(['items=0-9', 'items=5-', 'items=-3', 'items=-0'])('Range: %s of an empty set is 200 []', async (range) => {
    const answer = await ask('/', [], { headers: { range } })
    expect(answer).toMatchObject({ status: 200, body: [], headers: { 'Content-Range': 'items */0' } })
  })
  it.each([
    ['/', ''],
    ['/?limit=3', ''],
    ['/?range=0-99', ''],
    ['/?range=-3', ''],
    ['/', 'items=0-'],
    ['/', 'items=0-2'],
  ])('%s %s of the whole is 200', async (url, range) => {
    const answer = await ask(url, rows(3), { headers: range ? { range } : {} })
    expect(answer).toMatchObject({ status: 200, headers: { 'Content-Range': 'items 0-2/3' } })
    expect(ids(answer)).toEqual([0, 1, 2])
  })
  it.each([
    ['/?offset=1', '', 200],
    ['/?limit=0', '', 200],
    ['/?range=0-1', '', 200],
    ['/', '', 200],
    ['/', 'items=0-1', 206],
  ])('status: 200 answers a part of %s %s with %i', async (url, range, status) => {
    const answer = await ask(url, rows(25), { plan: { ...base, status: 200 }, headers: range ? { range } : {} })
    expect(answer.status).toBe(status)
    expect(answer.headers['Content-Range']).toMatch(/^items (\d+-\d+|\*)\/25$/)
  })
  it('HEAD has the status and headers of GET', async () => {
    for (const headers of [{}, { range: 'items=3-4' }, { prefer: 'count=none' }] as Record<string, string>[]) {
      const get = await ask('/?team=odd', rows(25), { headers })
      const head = await ask('/?team=odd', rows(25), { headers, method: 'HEAD' })
      expect(head).toEqual(get)
      expect(get.headers['Content-Range']).toMatch(/^items /)
    }
  })
  it('says that the answer depends on Prefer, beside what it depends on already', async () => {
    const handler = async () => reply(200, rows(3), { Vary: 'Origin' })
    const answer = await createPaging(base, (value) => value).around(contextOf('/'), handler, [])
    expect(answer).toMatchObject({ headers: { Vary: 'Prefer, Origin' } })
  })
})

describe('what is no list passes through', () => {
  const bytes = Buffer.from('abc')
  it.each([
    [undefined],
    [null],
    ['text'],
    [7],
    [{ id: 1 }],
    [bytes],
    [new Map([[1, 2]])],
    [reply(404, [1])],
    [reply(202, [1])],
    [reply(200, 'text')],
    [reply(200)],
  ])('%p', async (value) => {
    const paging = createPaging(base, (each) => each)
    expect(await paging.around(contextOf('/'), async () => value, [])).toBe(value)
  })
  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s answers as if there were no paging', async (method) => {
    const list = rows(25)
    const paging = createPaging(base, (each) => each)
    expect(await paging.around(contextOf('/?limit=x', { method }), async () => list, [])).toBe(list)
  })
  it('an error of the handler stays what it is', async () => {
    const paging = createPaging(base, (each) => each)
    await expect(
      paging.around(
        contextOf('/'),
        async () => {
          throw new TypeError('mine')
        },
        [],
      ),
    ).rejects.toThrow(TypeError)
  })
})

describe('slice(items, total)', () => {
  const part: Handler = (page) =>
    page.last === undefined
      ? slice(rows(25).slice(page.offset, page.offset + page.limit), 25)
      : slice(rows(25).slice(-page.last), 25)

  it.each<[string, string, number, number[], string]>([
    ['/', '', 206, from(0, 9), 'items 0-9/25'],
    ['/?offset=20', '', 206, from(20, 24), 'items 20-24/25'],
    ['/?range=-3', '', 206, from(22, 24), 'items 22-24/25'],
    ['/?limit=0', '', 206, [], 'items */25'],
    ['/', 'items=5-6', 206, [5, 6], 'items 5-6/25'],
  ])('%s %s', async (url, range, status, expected, contentRange) => {
    const answer = await ask(url, part, { headers: range ? { range } : {} })
    expect(answer.status).toBe(status)
    expect(ids(answer)).toEqual(expected)
    expect(answer.headers['Content-Range']).toBe(contentRange)
  })

  it('is not filtered, sorted or sliced again', async () => {
    const answer = await ask('/?team=none&sort=-id&offset=5', () => slice([{ id: 1 }, { id: 2 }], 7))
    expect(ids(answer)).toEqual([1, 2])
    expect(answer.headers['Content-Range']).toBe('items 5-6/7')
  })

  it('never sends more than the page, whatever the handler returns', async () => {
    const answer = await ask('/?limit=2', () => slice(rows(25)))
    expect(ids(answer)).toEqual([0, 1])
    expect(answer).toMatchObject({ status: 206, headers: { 'Content-Range': 'items 0-1/*' } })
    expect(answer.links.next).toBe('/?offset=2&limit=2')
  })

  it('takes an async iterable and stops it', async () => {
    let closed = false
    const answer = await ask('/?limit=2', () =>
      slice(
        (async function* () {
          try {
            yield* rows(25)
          } finally {
            closed = true
          }
        })(),
        25,
      ),
    )
    expect(ids(answer)).toEqual([0, 1])
    expect(closed).toBe(true)
  })

  it.each<[string, string, Handler, number, string | undefined]>([
    ['a full page may have rows behind it', '/?limit=2', () => slice([1, 2]), 206, 'items 0-1/*'],
    ['a page not full is the last', '/?limit=3', () => slice([1, 2]), 200, 'items 0-1/*'],
    ['nothing at the start is an empty set', '/', () => slice([]), 200, 'items */0'],
    ['nothing further on has no position', '/?offset=5', () => slice([]), 200, undefined],
    ['limit=0', '/?limit=0', () => slice([]), 206, undefined],
    ['a total that the rows exceed', '/?offset=5', () => slice([1, 2], 6), 206, 'items 5-6/*'],
    ['a total that is no number', '/?offset=5', () => slice([1, 2], NaN), 206, 'items 5-6/*'],
    ['a negative total', '/?offset=5', () => slice([1, 2], -1), 206, 'items 5-6/*'],
    ['a total at the offset', '/?offset=5', () => slice([], 5), 416, 'items */5'],
    ['a suffix without a total', '/?range=-2', () => slice([1, 2]), 200, undefined],
  ])('unknown total: %s', async (_, url, handler, status, contentRange) => {
    const answer = await ask(url, handler)
    expect(answer.status).toBe(status)
    expect(answer.headers['Content-Range']).toBe(contentRange)
  })

  it.each([
    ['items=-2', [1, 2]],
    ['items=5-9', []],
  ])('Range: %s that nobody can place is 416', async (range, items) => {
    const answer = await ask('/', () => slice(items), { headers: { range } })
    expect(answer).toMatchObject({ status: 416, headers: { 'Accept-Ranges': 'items' } })
  })

  it('keeps the headers of a reply around it; those of the page win, links are joined', async () => {
    const answer = await ask('/?limit=1', () =>
      reply(200, slice([{ id: 1 }], 2), { 'X-Mine': 'yes', 'accept-ranges': 'none', link: '</help>; rel="help"' }),
    )
    expect(answer.headers).toMatchObject({ 'X-Mine': 'yes', 'Accept-Ranges': 'items', 'Content-Range': 'items 0-0/2' })
    expect(Object.keys(answer.headers).filter((name) => /^(accept-ranges|link)$/i.test(name))).toHaveLength(2)
    expect(answer.links).toMatchObject({ help: '/help', next: '/?offset=1&limit=1' })
  })
})

describe('B68 Prefer: count', () => {
  it.each<[string, string, number, string | undefined]>([
    ['count=none', '/', 206, 'items 0-9/*'],
    ['count=none', '/?limit=0', 206, undefined],
    ['count=none', '/?offset=20', 206, 'items 20-24/*'],
    ['count=none', '/?offset=25', 416, 'items */25'],
    ['count=none', '/?team=none', 200, 'items */0'],
    ['count=none', '/?age=1', 200, 'items 0-4/*'],
    ['count=exact', '/', 206, 'items 0-9/25'],
  ])('%s GET %s', async (prefer, url, status, contentRange) => {
    const answer = await ask(url, rows(25), { headers: { prefer } })
    expect(answer.status).toBe(status)
    expect(answer.headers['Content-Range']).toBe(contentRange)
    expect(answer.links.last === undefined).toBe(prefer === 'count=none' || status === 200)
  })

  it.each<[PagingPlan['count'], string | undefined, number, string]>([
    ['exact', undefined, 100, 'items 0-9/100'],
    ['exact', 'count=none', 11, 'items 0-9/*'],
    ['exact', 'count=estimated', 11, 'items 0-9/*'],
    ['none', undefined, 11, 'items 0-9/*'],
    ['estimated', undefined, 11, 'items 0-9/*'],
    ['none', 'count=exact', 100, 'items 0-9/100'],
  ])('count: %s with %s reads %i rows', async (count, prefer, expected, contentRange) => {
    let read = 0
    async function* all(): AsyncGenerator<Row> {
      for (const row of rows(100)) {
        read++
        yield row
      }
    }
    const answer = await ask('/', all, { plan: { ...base, count }, headers: prefer ? { prefer } : {} })
    expect(read).toBe(expected)
    expect(answer.headers['Content-Range']).toBe(contentRange)
    expect(answer.links.next).toBe('/?offset=10&limit=10')
  })
})

describe('Link', () => {
  it.each<[string, number, Record<string, string>]>([
    [
      '/rows',
      25,
      { first: '/rows?offset=0&limit=10', next: '/rows?offset=10&limit=10', last: '/rows?offset=20&limit=10' },
    ],
    [
      '/rows?offset=10',
      25,
      {
        first: '/rows?offset=0&limit=10',
        prev: '/rows?offset=0&limit=10',
        next: '/rows?offset=20&limit=10',
        last: '/rows?offset=20&limit=10',
      },
    ],
    [
      '/rows?offset=20',
      25,
      { first: '/rows?offset=0&limit=10', prev: '/rows?offset=10&limit=10', last: '/rows?offset=20&limit=10' },
    ],
    [
      '/rows?offset=3&limit=5',
      20,
      {
        first: '/rows?offset=0&limit=5',
        prev: '/rows?offset=0&limit=5',
        next: '/rows?offset=8&limit=5',
        last: '/rows?offset=18&limit=5',
      },
    ],
    [
      '/rows?limit=99',
      40,
      { first: '/rows?offset=0&limit=20', next: '/rows?offset=20&limit=20', last: '/rows?offset=20&limit=20' },
    ],
    [
      '/rows?range=-5',
      20,
      { first: '/rows?offset=0&limit=5', prev: '/rows?offset=10&limit=5', last: '/rows?offset=15&limit=5' },
    ],
    ['/rows', 3, { first: '/rows?offset=0&limit=10', last: '/rows?offset=0&limit=10' }],
    ['/rows?limit=0', 25, {}],
    [
      '/rows?team=odd&q=a+b%26c&x&limit=5&fields=id',
      25,
      {
        first: '/rows?team=odd&q=a+b%26c&x=&fields=id&offset=0&limit=5',
        next: '/rows?team=odd&q=a+b%26c&x=&fields=id&offset=5&limit=5',
        last: '/rows?team=odd&q=a+b%26c&x=&fields=id&offset=10&limit=5',
      },
    ],
  ])('%s of %i', async (url, length, links) => {
    expect((await ask(url, rows(length))).links).toEqual(links)
  })

  it.each([
    ['//evil.example/rows?limit=1', '/.//evil.example/rows?offset=1&limit=1'],
    ['http://evil.example/rows?limit=1', '/rows?offset=1&limit=1'],
    ['/r%3E;%20rel=x?limit=1', '/r%3E;%20rel=x?offset=1&limit=1'],
    ['/r>"x?limit=1', '/r%3E%22x?offset=1&limit=1'],
    ['/rows?a=%3E%2C%3Cx%3E%0D%0AX:y&limit=1', '/rows?a=%3E%2C%3Cx%3E%0D%0AX%3Ay&offset=1&limit=1'],
  ])('%s cannot lead astray', async (url, next) => {
    const answer = await ask(url, rows(2))
    expect(answer.headers.Link).toMatch(/^[\x20-\x7e]*$/)
    expect(answer.links.next).toBe(next)
    expect(new URL(next, 'http://host.example').host).toBe('host.example')
  })

  it('followed from first to last shows every row once, in order, and ends', async () => {
    const size = fc.nat({ max: 30 })
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        fc.boolean(),
        async (length, limit, none, descending) => {
          const seen: unknown[] = []
          let url: string | undefined = `/?limit=${limit}&sort=${descending ? '-' : ''}id`
          while (url !== undefined) {
            const answer: Answer = await ask(url, rows(length), { headers: none ? { prefer: 'count=none' } : {} })
            expect([200, 206]).toContain(answer.status)
            seen.push(...ids(answer))
            url = answer.links.next
          }
          const all = rows(length).map((row) => row.id)
          expect(seen).toEqual(descending ? all.reverse() : all)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('fields', () => {
  class Secret {
    readonly id = 1
    readonly password = 'x'
    get label(): string {
      return `#${this.id}`
    }
  }
  const toPlain = (value: unknown): unknown =>
    value instanceof Secret ? { id: value.id, label: value.label, address: { city: 'Kyoto', zip: '600' } } : value

  it.each<[string, unknown]>([
    ['id', { id: 1 }],
    ['label,address.city', { label: '#1', address: { city: 'Kyoto' } }],
    ['password', {}],
    ['id,password,nobody', { id: 1 }],
    ['__proto__,constructor', {}],
  ])('?fields=%s is taken from what the class shows', async (fields, expected) => {
    for (const handler of [
      () => [new Secret()],
      () => slice([new Secret()], 1),
      () => reply(200, new Set([new Secret()])),
    ]) {
      expect((await ask(`/?fields=${fields}`, handler, { toPlain })).body).toEqual([expected])
    }
  })

  it('without it the rows are left for the reply to serialise', async () => {
    const row = new Secret()
    const plain = jest.fn(toPlain)
    const answer = await ask('/', [row], { toPlain: plain })
    expect((answer.body as unknown[])[0]).toBe(row)
    expect(plain).not.toHaveBeenCalled()
  })

  it('only the rows of the page are serialised, and sorting goes by what is not shown', async () => {
    const plain = jest.fn((value: unknown) => value)
    const answer = await ask('/?fields=team&sort=-id&limit=2', rows(25), { toPlain: plain })
    expect(answer.body).toEqual([{ team: 'even' }, { team: 'odd' }])
    expect(plain).toHaveBeenCalledTimes(2)
  })
})

describe('?cursor=', () => {
  it('pages a list from its first page to its last', async () => {
    const first = await ask('/rows?cursor=&limit=10&team=even', rows(25), { plan: byCursor })
    expect(first).toMatchObject({ status: 206, headers: { 'Content-Range': 'items 0-9/13' } })
    expect(Object.keys(first.links)).toEqual(['first', 'next'])
    expect(first.links.first).toBe('/rows?team=even&cursor=&limit=10')
    const second = await ask(first.links.next!, rows(25), { plan: byCursor })
    expect(second).toMatchObject({ status: 206, headers: { 'Content-Range': 'items 10-12/13' } })
    expect([...ids(first), ...ids(second)]).toEqual(from(0, 12).map((n) => n * 2))
    expect(second.links.next).toBeUndefined()
  })

  it('is 200 where the first page is all', async () => {
    const answer = await ask('/?cursor=', rows(3), { plan: byCursor })
    expect(answer).toMatchObject({ status: 200, headers: { 'Content-Range': 'items 0-2/3' } })
  })

  it('is empty, and no error, where the rows behind it are gone', async () => {
    const first = await ask('/?cursor=&limit=2', rows(5), { plan: byCursor })
    const next = await ask(first.links.next!, rows(2), { plan: byCursor })
    expect(next).toMatchObject({ status: 206, body: [], headers: { 'Content-Range': 'items */2' } })
    expect(next.links.next).toBeUndefined()
  })

  it.each(['x', '%00', 'e30', 'A'.repeat(6000), '__proto__', 'WzFd'])(
    '%#: one that is not ours is 400',
    async (cursor) => {
      const answer = await ask(`/?cursor=${cursor}`, rows(5), { plan: byCursor })
      expect(answer).toMatchObject({ status: 400, body: [{ in: 'query', pointer: '/cursor', code: 'cursor' }] })
    },
  )

  it('is 400 under another order, another filter, another key', async () => {
    const plan = { ...base, cursor: { key: ['id'], secret: 'k1' } }
    const { links } = await ask('/?cursor=&limit=2', rows(5), { plan })
    expect((await ask(links.next!, rows(5), { plan })).status).toBe(206)
    expect((await ask(`${links.next!}&sort=-id`, rows(5), { plan })).status).toBe(400)
    expect((await ask(`${links.next!}&team=odd`, rows(5), { plan })).status).toBe(400)
    expect((await ask(links.next!, rows(5), { plan: { ...plan, cursor: { key: ['id'], secret: 'k2' } } })).status).toBe(
      400,
    )
    expect((await ask(links.next!, rows(5), { plan: byCursor })).status).toBe(400)
  })

  it.each([undefined, { key: [] }])('is 400 for a list without a key to page by: %j', async (cursor) => {
    const answer = await ask('/?cursor=', rows(5), { plan: { ...base, cursor } })
    expect(answer).toMatchObject({ status: 400, body: [{ pointer: '/cursor', code: 'cursor' }] })
  })

  it("hands a store's own cursor on and back", async () => {
    const seen: (string | undefined)[] = []
    const store: Handler = (page) => {
      seen.push(page.cursor?.raw)
      return page.cursor?.raw === 'own/+ 2' ? slice([{ id: 3 }]) : slice([{ id: 1 }, { id: 2 }], undefined, 'own/+ 2')
    }
    const first = await ask('/?cursor=&limit=2', store, { plan: byCursor })
    const second = await ask(first.links.next!, store, { plan: byCursor })
    expect(seen).toEqual(['', 'own/+ 2'])
    expect(ids(second)).toEqual([3])
    expect(second.status).toBe(200)
    expect(second.headers['Content-Range']).toBeUndefined()
    expect(second.links.next).toBeUndefined()
    const plain = await ask('/?limit=2', store, { plan: byCursor })
    expect(plain.links.next).toBe(first.links.next)
    expect((await ask('/?limit=2', store)).links.next).toBe('/?offset=2&limit=2')
  })

  it('lets a handler page by its values', async () => {
    const keyset: Handler = (page) => {
      const after = page.cursor!.values?.[0]
      const found = rows(5)
        .filter((row) => after === undefined || row.id > (after.value as number))
        .slice(0, page.limit)
      return slice(found, 5, found.length === page.limit ? cursorAfter(page, found.at(-1)) : undefined)
    }
    const first = await ask('/?cursor=&limit=3', keyset, { plan: byCursor })
    const second = await ask(first.links.next!, keyset, { plan: byCursor })
    expect([...ids(first), ...ids(second)]).toEqual([0, 1, 2, 3, 4])
    expect(second).toMatchObject({ status: 206, headers: { 'Content-Range': 'items */5' } })
    expect((await ask('/?cursor=junk', keyset, { plan: byCursor })).status).toBe(400)
    expect(cursorAfter(readPage('/'), { id: 1 })).toBeUndefined()
  })
})

describe('B69 a list that changes between its pages', () => {
  const id = fc.nat({ max: 60 })
  const change = fc.record({ insert: fc.array(id, { maxLength: 6 }), remove: fc.array(id, { maxLength: 6 }) })

  it('shows each row that is there throughout exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(id, { maxLength: 30 }),
        fc.array(change, { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('', '&sort=-team', '&sort=age,-team', '&sort=-id', '&sort=gone'),
        fc.constantFrom(undefined, 'secret'),
        async (start, changes, limit, sort, secret) => {
          const plan: PagingPlan = { ...base, sort: true, cursor: { key: ['id'], secret } }
          const toRow = (n: number): Row => ({ id: n, team: `t${n % 3}`, age: n % 4 })
          const present = new Map(start.map((n) => [n, toRow(n)]))
          const throughout = new Set(start)
          const seen: number[] = []
          let url: string | undefined = `/?cursor=&limit=${limit}${sort}`
          for (let step = 0; url !== undefined; step++) {
            const answer: Answer = await ask(url, [...present.values()], { plan })
            expect(step).toBeLessThan(200)
            seen.push(...(ids(answer) as number[]))
            url = answer.links.next
            for (const n of changes[step]?.remove ?? []) {
              present.delete(n)
              throughout.delete(n)
            }
            for (const n of changes[step]?.insert ?? []) present.set(n, toRow(n))
          }
          const counts = seen.filter((n) => throughout.has(n)).sort((a, b) => a - b)
          expect(counts).toEqual([...throughout].sort((a, b) => a - b))
          if (changes.length === 0) expect(seen).toHaveLength(start.length)
        },
      ),
      { numRuns: 150 },
    )
  })
})
