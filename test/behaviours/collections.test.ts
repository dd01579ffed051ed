import { XMLParser } from 'fast-xml-parser'
import {
  Body,
  Collection,
  createApp,
  Get,
  Header,
  NoSuchResource,
  Paged,
  Page,
  Param,
  Patch,
  PreconditionFailed,
  Put,
  Delete,
  RequireMatch,
  Resource,
  slice,
  withETag,
  type AppOptions,
  type PageRequest,
} from 'kumu'
import { IsOptional, IsString } from 'class-validator'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

const start = (resource: object, options: AppOptions = {}): Promise<Served> =>
  serve(createApp({ resources: [resource], logger: { error: () => undefined }, ...options }))

interface Row {
  id: number
  name: string
}

const rowsOf = (count: number): Row[] =>
  Array.from({ length: count }, (_, index) => ({ id: index + 1, name: `row ${index + 1}` }))

describe('B67: a range of an empty list, and one past the end', () => {
  const sources: ReadonlyArray<readonly [string, (count: number, page: PageRequest) => unknown]> = [
    ['an array', rowsOf],
    [
      'a generator',
      function* (count: number) {
        yield* rowsOf(count)
      },
    ],
    [
      'an async generator',
      async function* (count: number) {
        yield* rowsOf(count)
      },
    ],
    ['a slice', (count, { offset, limit }) => slice(rowsOf(count).slice(offset, offset + limit), count)],
    ['an empty slice of a known whole', (count) => slice([], count)],
  ]

  const listing = (make: (count: number, page: PageRequest) => unknown, count: number): object => {
    @Resource('/items')
    class Items {
      @Get() @Paged() list(@Page() page: PageRequest) {
        return make(count, page)
      }
    }
    return Items
  }

  describe.each(sources)('%s', (_name, make) => {
    it.each(['items=0-9', 'items=0-', 'items=0-0', 'items=5-9', 'items=-3'])(
      'Range: %s of nothing is 200 [] with */0',
      async (Range) => {
        const { ask } = await start(listing(make, 0))
        const answer = await ask('GET', '/items', { headers: { Range } })
        expect([answer.status, answer.text, answer.headers['content-range'], answer.headers['accept-ranges']]).toEqual([
          200,
          '[]',
          'items */0',
          'items',
        ])
        expect(answer.headers.link).toBeUndefined()
      },
    )

    it.each(['?offset=0&limit=10', '?limit=10', '?range=0-9', '?range=-3', ''])(
      'GET %s of nothing is the same',
      async (query) => {
        const { ask } = await start(listing(make, 0))
        const answer = await ask('GET', `/items${query}`)
        expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([200, '[]', 'items */0'])
      },
    )

    it.each([
      ['Range: items=3-9', { Range: 'items=3-9' }, ''],
      ['Range: items=3-', { Range: 'items=3-' }, ''],
      ['Range: items=99-', { Range: 'items=99-' }, ''],
      ['?offset=3', {}, '?offset=3'],
      ['?range=3-4', {}, '?range=3-4'],
    ] as ReadonlyArray<readonly [string, Record<string, string>, string]>)(
      '%s of three is 416 with a whole body',
      async (_case, headers, query) => {
        const { ask } = await start(listing(make, 3))
        const answer = await ask('GET', `/items${query}`, { headers })
        expect([answer.status, answer.headers['content-range'], answer.headers['content-type']]).toEqual([
          416,
          'items */3',
          'application/problem+json',
        ])
        expect(answer.json()).toMatchObject({ status: 416, title: 'Range Not Satisfiable', instance: '/items' })
        expect(Number(answer.headers['content-length'])).toBe(answer.bytes.length)
      },
    )
  })
})

describe('B68: a list needs no count', () => {
  function counted(count?: 'none' | 'estimated') {
    const seen = { pulled: 0, wanted: [] as unknown[] }
    @Resource('/items')
    class Items {
      @Get() @Paged({ count, limit: 5 }) async *list() {
        for (const row of rowsOf(1000)) {
          seen.pulled++
          yield row
        }
      }
      @Get('/own') @Paged({ count, limit: 5 }) own(@Page() page: PageRequest) {
        seen.wanted.push((page as { count?: string }).count)
        return slice(rowsOf(1000).slice(page.offset, page.offset + page.limit))
      }
    }
    return { Items, seen }
  }

  it.each([
    ['count: none', 'none', {}],
    ['Prefer: count=none', undefined, { Prefer: 'count=none' }],
  ] as const)('%s reads the page and one row, and says *', async (_name, count, headers) => {
    const { Items, seen } = counted(count)
    const { ask } = await start(Items)
    const answer = await ask('GET', '/items?offset=10', { headers })
    expect([answer.status, answer.headers['content-range'], answer.json<Row[]>().map(({ id }) => id)]).toEqual([
      206,
      'items 10-14/*',
      [11, 12, 13, 14, 15],
    ])
    expect(seen.pulled).toBeLessThanOrEqual(16)
    expect(answer.headers.link).toContain('rel="next"')
    expect(answer.headers.link).not.toContain('rel="last"')
    expect(answer.headers['preference-applied']).toBe('Prefer' in headers ? 'count=none' : undefined)
  })

  it('Prefer: count=exact counts where the list does not', async () => {
    const { Items, seen } = counted('none')
    const { ask } = await start(Items)
    const answer = await ask('GET', '/items', { headers: { Prefer: 'count=exact' } })
    expect([answer.headers['content-range'], answer.headers['preference-applied'], seen.pulled]).toEqual([
      'items 0-4/1000',
      'count=exact',
      1000,
    ])
    expect(answer.headers.vary).toContain('Prefer')
  })

  it('a slice without a total is a page of who knows how many', async () => {
    const { Items } = counted()
    const { ask } = await start(Items)
    const answer = await ask('GET', '/items/own?offset=20&limit=3')
    expect([answer.status, answer.headers['content-range']]).toEqual([206, 'items 20-22/*'])
    expect(answer.headers.link).toContain('offset=23')
  })

  it.each(['none', 'exact', 'estimated'])('a handler is told: %s', async (count) => {
    const { Items, seen } = counted()
    const { ask } = await start(Items)
    await ask('GET', '/items/own', { headers: { Prefer: `count=${count}` } })
    expect(seen.wanted).toEqual([count])
  })

  it.each(['count=many', 'count', '', 'count=none;', ',,,', 'a=b, count="none"'])(
    'Prefer: %s is no error',
    async (Prefer) => {
      const { Items } = counted()
      const { ask } = await start(Items)
      expect([200, 206]).toContain((await ask('GET', '/items', { headers: { Prefer } })).status)
    },
  )
})

describe('B69: pages by cursor under concurrent inserts', () => {
  function living(initial: Row[]) {
    let rows = initial
    @Resource('/items')
    class Items {
      @Get() @Paged({ limit: 3, cursor: 'id', sort: ['name', 'id'] }) list() {
        return rows
      }
    }
    return {
      Items,
      insert: (...more: Row[]) => void (rows = [...more, ...rows]),
      remove: (id: number) => void (rows = rows.filter((row) => row.id !== id)),
    }
  }

  const next = (link: string | undefined): string | undefined => /<([^>]*)>; rel="next"/.exec(link ?? '')?.[1]

  async function walk({ ask }: Served, first: string, between: (page: number) => void): Promise<number[]> {
    const ids: number[] = []
    let page = 0
    for (let path: string | undefined = first; path !== undefined; page++) {
      const answer = await ask('GET', path)
      expect([200, 206]).toContain(answer.status)
      ids.push(...answer.json<Row[]>().map(({ id }) => id))
      path = next(answer.headers.link as string | undefined)
      between(page)
      if (page > 50) throw new Error('It never ends')
    }
    return ids
  }

  it.each(['/items?cursor=', '/items?cursor=&limit=2', '/items?cursor=&sort=-id', '/items?cursor=&sort=name'])(
    '%s: none twice, none missed',
    async (first) => {
      const { Items, insert } = living(
        rowsOf(10).map((row) => ({ ...row, id: row.id * 10, name: `name ${row.id % 3}` })),
      )
      const served = await start(Items)
      const before = (await served.ask('GET', '/items?limit=100')).json<Row[]>().map(({ id }) => id)
      let fresh = 1
      const ids = await walk(served, first, () =>
        insert({ id: fresh++, name: 'name 0' }, { id: 1000 + fresh, name: 'name 2' }),
      )
      expect(new Set(ids).size).toBe(ids.length)
      expect(before.filter((id) => !ids.includes(id))).toEqual([])
    },
  )

  it('a row that is removed takes nothing with it', async () => {
    const { Items, remove } = living(rowsOf(9))
    const served = await start(Items)
    const ids = await walk(served, '/items?cursor=', (page) => remove(page === 0 ? 3 : 6))
    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('by offset, rows would move: that is what cursors are for', async () => {
    const { Items, insert } = living(rowsOf(6))
    const served = await start(Items)
    const ids = await walk(served, '/items?offset=0', (page) => page === 0 && insert({ id: 0, name: '' }))
    expect(ids).toEqual([1, 2, 3, 3, 4, 5, 6])
  })

  it.each(['x', 'eyJhIjoxfQ', '%00', '__proto__', 'a'.repeat(5000), '%22%22'])('?cursor=%s is 400', async (cursor) => {
    const { Items } = living(rowsOf(6))
    const { ask } = await start(Items)
    expect((await ask('GET', `/items?cursor=${cursor}`)).status).toBe(400)
  })

  it('a cursor of another order is 400', async () => {
    const { Items } = living(rowsOf(6))
    const { ask } = await start(Items)
    const path = next((await ask('GET', '/items?cursor=')).headers.link as string | undefined) ?? ''
    expect((await ask('GET', path)).json<Row[]>().map(({ id }) => id)).toEqual([4, 5, 6])
    expect((await ask('GET', `${path}&sort=-name`)).status).toBe(400)
  })
})

describe('B70: one entity tag', () => {
  class Change {
    @IsOptional() @IsString() name?: string
  }

  @Resource('/things')
  class Things {
    private things = new Map([['1', { thing: { id: 1, name: 'one', tags: ['a'] }, rev: 1 }]])

    private found(id: string, match?: string) {
      const found = this.things.get(id)
      if (!found) throw new NoSuchResource()
      if (match !== undefined && match !== `"r${found.rev}"`) throw new PreconditionFailed()
      return found
    }

    @Get() @Paged() list() {
      return withETag(
        [...this.things.values()].map(({ thing }) => thing),
        `all-${[...this.things.values()].map(({ rev }) => rev).join()}`,
      )
    }

    @Get('/:id') one(@Param('id') id: string) {
      const { thing, rev } = this.found(id)
      return withETag(thing, `r${rev}`)
    }

    @Put('/:id') @RequireMatch() replace(
      @Param('id') id: string,
      @Body() body: Change,
      @Header('if-match', { required: false }) match?: string,
    ) {
      const found = this.found(id, match)
      Object.assign(found.thing, body)
      return withETag(found.thing, `r${++found.rev}`)
    }

    @Patch('/:id') change(
      @Param('id') id: string,
      @Body() body: Change,
      @Header('if-match', { default: '*' }) match: string,
    ) {
      return this.replace(id, body, match)
    }

    @Delete('/:id') remove(@Param('id') id: string, @Header('if-match') match: string) {
      this.found(id, match)
      this.things.delete(id)
    }
  }

  it.each([
    ['PUT', { name: 'two' }, 200],
    ['PATCH', { name: 'two' }, 200],
    ['DELETE', undefined, 204],
  ])('the tag of every representation is good for %s', async (method, body, status) => {
    for (const Accept of ['application/json', 'application/xml', 'text/xml', '*/*']) {
      const { ask } = await start(new Things())
      const seen = await ask('GET', '/things/1', { headers: { Accept } })
      const etag = seen.headers.etag ?? ''
      expect([seen.status, etag, (await ask('HEAD', '/things/1', { headers: { Accept } })).headers.etag]).toEqual([
        200,
        '"r1"',
        '"r1"',
      ])
      expect((await ask(method, '/things/1', { body, headers: { 'If-Match': '"other"' } })).status).toBe(412)
      const answer = await ask(method, '/things/1', { body, headers: { 'If-Match': etag } })
      expect(answer.status).toBe(status)
      if (status === 200) {
        expect(answer.headers.etag).toBe('"r2"')
        expect((await ask('GET', '/things/1', { headers: { 'If-None-Match': '"r2"' } })).status).toBe(304)
        expect((await ask('GET', '/things/1', { headers: { 'If-None-Match': etag } })).status).toBe(200)
        expect((await ask(method, '/things/1', { body, headers: { 'If-Match': etag } })).status).toBe(412)
      }
    }
  })

  it('@RequireMatch() is 428 without a condition', async () => {
    const { ask } = await start(new Things())
    expect((await ask('PUT', '/things/1', { body: {} })).json()).toMatchObject({ status: 428 })
  })

  it('projections, pages and filters of a list have its tag, and are still pages', async () => {
    const { ask } = await start(new Things())
    for (const query of ['', '?fields=id', '?limit=1', '?range=0-0']) {
      const answer = await ask('GET', `/things${query}`)
      expect([answer.status, answer.headers.etag, answer.headers['content-range']]).toEqual([
        200,
        '"all-1"',
        'things 0-0/1',
      ])
      expect(answer.json()).toEqual([query === '?fields=id' ? { id: 1 } : { id: 1, name: 'one', tags: ['a'] }])
      expect((await ask('GET', `/things${query}`, { headers: { 'If-None-Match': '"all-1"' } })).status).toBe(304)
    }
  })
})

describe('B71: Accept', () => {
  class Rows extends Collection<Row> {
    override select() {
      return rowsOf(3)
    }
  }
  Resource('/rows')(Rows)

  it.each([
    ['application/json', 'application/json'],
    ['application/xml', 'application/xml'],
    ['application/xml;q=0.9, application/json;q=0.8', 'application/xml'],
    ['application/*;q=0.1, application/xml;q=0.2', 'application/xml'],
    ['*/*;q=0.1', 'application/json'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['image/png', undefined],
    ['application/json;q=0', undefined],
  ])('%s: %s', async (Accept, type) => {
    const { ask } = await start(Rows)
    const answer = await ask('GET', '/rows', { headers: { Accept } })
    expect(answer.headers.vary).toMatch(/\bAccept\b/)
    if (type === undefined)
      return expect([answer.status, answer.headers['content-type']]).toEqual([406, 'application/problem+json'])
    expect([answer.status, answer.headers['content-type']?.split(';')[0]]).toEqual([200, type])
  })

  it.each(['image/png', 'application/json;q=0'])("negotiation: 'lenient' answers %s all the same", async (Accept) => {
    const { ask } = await start(Rows, { negotiation: 'lenient' })
    expect((await ask('GET', '/rows', { headers: { Accept } })).status).toBe(200)
  })

  it('a page of XML is the page', async () => {
    const { ask } = await start(Rows)
    const answer = await ask('GET', '/rows?limit=2', { headers: { Accept: 'application/xml' } })
    expect([answer.status, answer.headers['content-range']]).toEqual([206, 'rows 0-1/3'])
    expect(new XMLParser().parse(answer.text)).toMatchObject({
      response: {
        item: [
          { id: 1, name: 'row 1' },
          { id: 2, name: 'row 2' },
        ],
      },
    })
  })
})
