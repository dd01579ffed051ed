import { IsBoolean, IsInt, IsString } from 'class-validator'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import {
  accepted,
  Collection,
  createApp,
  created,
  Locked,
  MethodNotAllowed,
  NoSuchResource,
  NotImplemented,
  RangeNotSatisfiable,
  Resource,
  ResourceExists,
  slice,
  ValidationError,
  yaml,
  type AppOptions,
  type PageRequest,
  type Where,
} from 'kumu'
import { Employees } from '../../samples/showcase/employees'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

const json = { 'Content-Type': 'application/json' }
const jane = { name: 'Jane', position: 'Developer' }

class Row {
  @IsInt() id!: number
  @IsString() name!: string
  @IsBoolean() even!: boolean
}

const row = (id: number): Row => ({ id, name: `row ${id}`, even: id % 2 === 0 })
const rows = Array.from({ length: 200 }, (_, id) => row(id))

@Resource('/rows', { model: Row })
class Rows extends Collection<Row> {
  override select() {
    return rows
  }
}

const start = (resource: object = Rows, options: AppOptions = {}): Promise<Served> =>
  serve(createApp({ resources: [resource], logger: { error: () => undefined }, ...options }))

describe('GET of 200 rows', () => {
  const cases: ReadonlyArray<readonly [query: string, status: number, ids: readonly number[], range: string]> = [
    ['', 206, rows.slice(0, 100).map(({ id }) => id), 'rows 0-99/200'],
    ['?limit=10', 206, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 'rows 0-9/200'],
    ['?id=150', 200, [150], 'rows 0-0/1'],
    ['?offset=195&limit=10', 206, [195, 196, 197, 198, 199], 'rows 195-199/200'],
    ['?offset=10&limit=3', 206, [10, 11, 12], 'rows 10-12/200'],
    ['?offset=198', 206, [198, 199], 'rows 198-199/200'],
    ['?limit=0', 206, [], 'rows */200'],
    ['?limit=5000', 200, rows.map(({ id }) => id), 'rows 0-199/200'],
    ['?range=5-7', 206, [5, 6, 7], 'rows 5-7/200'],
    ['?range=7-7', 206, [7], 'rows 7-7/200'],
    ['?range=198-', 206, [198, 199], 'rows 198-199/200'],
    ['?range=-2', 206, [198, 199], 'rows 198-199/200'],
    ['?range=0-', 200, rows.map(({ id }) => id), 'rows 0-199/200'],
    ['?range=190-999', 206, [190, 191, 192, 193, 194, 195, 196, 197, 198, 199], 'rows 190-199/200'],
    // Filtered before it is paged: a match beyond the first page is found, and the total is that of the matches.
    ['?even=true&limit=2&offset=98', 206, [196, 198], 'rows 98-99/100'],
    ['?even=false&id=3', 200, [3], 'rows 0-0/1'],
    ['?even=true&id=3', 200, [], 'rows */0'],
    ['?name=row%20199', 200, [199], 'rows 0-0/1'],
    ['?id=1&id=199', 200, [1, 199], 'rows 0-1/2'],
    ['?id=777', 200, [], 'rows */0'],
  ]

  it.each(cases)('%s', async (query, status, ids, range) => {
    const { ask } = await start()
    const answer = await ask('GET', `/rows${query}`)
    expect([answer.status, answer.headers['content-range'], answer.headers['accept-ranges']]).toEqual([
      status,
      range,
      'rows',
    ])
    expect(answer.headers['accept-range']).toBeUndefined()
    expect(answer.json<Row[]>().map(({ id }) => id)).toEqual(ids)
  })

  it.each([
    ['Range: rows=5-7', { Range: 'rows=5-7' }, 206, 'rows 5-7/200', 3],
    ['Range: rows=-1', { Range: 'rows=-1' }, 206, 'rows 199-199/200', 1],
    ['Range: rows=200-', { Range: 'rows=200-' }, 416, 'rows */200', undefined],
    ['Range: bytes=0-1', { Range: 'bytes=0-1' }, 206, 'rows 0-99/200', 100],
    ['Range: rows=0-1,4-5', { Range: 'rows=0-1,4-5' }, 206, 'rows 0-99/200', 100],
  ])('%s', async (_name, headers, status, range, count) => {
    const { ask } = await start()
    const answer = await ask('GET', '/rows', { headers })
    expect([answer.status, answer.headers['content-range']]).toEqual([status, range])
    if (count !== undefined) expect(answer.json<Row[]>()).toHaveLength(count)
  })

  it.each([
    'limit=x',
    'limit=-1',
    'offset=-1',
    'limit=1.5',
    'limit=',
    'limit=1&limit=2',
    'range=',
    'range=x-y',
    'range=7-5',
    'range=1-2,4-5',
    'range=1-2&limit=3',
    'range=1-2&offset=3',
    'id=x',
    'id=',
    'even=perhaps',
    'other=1',
  ])('?%s is 400', async (query) => {
    const { ask } = await start()
    expect((await ask('GET', `/rows?${query}`)).json()).toMatchObject({ status: 400 })
  })

  it.each(['offset=200', 'range=200-210'])('?%s is 416 and says how many there are', async (query) => {
    const { ask } = await start()
    const answer = await ask('GET', `/rows?${query}`)
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'rows */200'])
  })

  it.each([
    ['fields=id', { id: 1 }],
    ['fields=id,name', { id: 1, name: 'row 1' }],
    ['fields=name,unknown', { name: 'row 1' }],
    ['fields=', row(1)],
    ['fields=unknown', {}],
    ['fields=__proto__,constructor', {}],
  ])('?%s shows that', async (query, shown) => {
    const { ask } = await start()
    expect((await ask('GET', `/rows?id=1&${query}`)).json()).toEqual([shown])
  })

  it('the default and the greatest page are the application’s to set', async () => {
    const { ask } = await start(Rows, { paging: { limit: 20, max: 50, status: 200 } })
    const [first, all] = [await ask('GET', '/rows'), await ask('GET', '/rows?limit=200')]
    expect([first.status, first.json<Row[]>().length, all.json<Row[]>().length]).toEqual([200, 20, 50])
  })

  it('links to the other pages', async () => {
    const { ask } = await start()
    expect((await ask('GET', '/rows?offset=20&limit=10&even=true')).headers.link).toBe(
      '</rows?even=true&offset=0&limit=10>; rel="first", </rows?even=true&offset=10&limit=10>; rel="prev", ' +
        '</rows?even=true&offset=30&limit=10>; rel="next", </rows?even=true&offset=90&limit=10>; rel="last"',
    )
  })

  it('select may page by itself, with a count of its own', async () => {
    @Resource('/own', { model: Row })
    class Own extends Collection<Row> {
      override select({ offset, limit, where }: PageRequest) {
        const found = rows.filter(({ even }) => where.even?.includes(even) ?? true)
        return slice(found.slice(offset, offset + limit), found.length)
      }
    }
    const { ask } = await start(Own)
    const answer = await ask('GET', '/own?even=true&limit=2&offset=98')
    expect([answer.headers['content-range'], answer.json<Row[]>().map(({ id }) => id)]).toEqual([
      'own 98-99/100',
      [196, 198],
    ])
  })
})

describe('the employees of the showcase', () => {
  it('are made, found, refused twice', async () => {
    const { ask } = await start(new Employees())
    expect(await ask('GET', '/employees')).toMatchObject({
      status: 200,
      text: '[]',
      headers: { 'content-range': 'employees */0' },
    })
    const made = await ask('POST', '/employees', { body: jane })
    expect([made.status, made.headers.location, made.json()]).toEqual([201, '/employees?name=Jane', jane])
    expect((await ask('GET', made.headers.location ?? '')).json()).toEqual([jane])
    expect((await ask('POST', '/employees', { body: jane })).json()).toMatchObject({
      status: 409,
      detail: 'There is an employee of this name',
    })
    expect((await ask('GET', '/employees?position=Manager')).json()).toEqual([])
  })

  it.each(['PUT', 'DELETE'])('%s is 405 and says what there is', async (method) => {
    const { ask } = await start(new Employees())
    const answer = await ask(method, '/employees', { body: jane })
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, POST, OPTIONS'])
  })

  it.each([
    ['application/json', 201],
    ['application/json; charset=utf-8', 201],
    ['APPLICATION/JSON ; Charset="UTF-8"', 201],
    ['application/vnd.own+json', 201],
    ['application/xml', 201],
    ['text/xml; charset=utf-8', 201],
    ['application/vnd.own+xml', 201],
    ['text/plain', 415],
    ['application/jsonx', 415],
    ['', 415],
    ['application/json; charset=klingon', 415],
  ])('POST as %s is %i', async (type, status) => {
    const { ask } = await start(new Employees())
    const body = type.includes('xml')
      ? '<employee><name>Jane</name><position>Developer</position></employee>'
      : JSON.stringify(jane)
    const answer = await ask('POST', '/employees', { body, headers: { 'Content-Type': type } })
    expect(answer.status).toBe(status)
    if (status === 201) expect(answer.json()).toEqual(jane)
    else expect(answer.headers['accept-post']).toContain('application/json')
  })

  it.each([
    ['{', 400],
    ['', 400],
    ['null', 422],
    ['[]', 422],
    ['"Jane"', 422],
    ['{}', 422],
    ['{"name":"Jane"}', 422],
    ['{"name":"","position":"x"}', 422],
    ['{"name":"Jane","position":"x","salary":1}', 422],
    ['{"name":{"$ne":1},"position":"x"}', 422],
  ])('POST %j is %i and changes nothing', async (body, status) => {
    const { ask } = await start(new Employees())
    expect((await ask('POST', '/employees', { body, headers: json })).status).toBe(status)
    expect((await ask('GET', '/employees')).json()).toEqual([])
  })
})

describe('results', () => {
  @Resource('/things', { model: Row })
  class Things extends Collection<Row> {
    override create(body: Row) {
      return body.id === 0 ? accepted({ queued: true }, '/jobs/1') : created(body, `/things?id=${body.id}`)
    }
    override update(body: Row) {
      return body.even ? body : undefined
    }
    override delete(where: Where) {
      return where.id?.includes(1) ? ({ removed: 1 } as unknown as Row) : undefined
    }
  }

  it.each([
    ['create, done', 'POST', '', row(1), 201, JSON.stringify(row(1))],
    ['create, later', 'POST', '', row(0), 202, '{"queued":true}'],
    ['update with a result', 'PUT', '', row(2), 200, JSON.stringify(row(2))],
    ['update without', 'PUT', '', row(3), 204, ''],
    ['delete with a result', 'DELETE', '?id=1', undefined, 200, '{"removed":1}'],
    ['delete without', 'DELETE', '?id=2', undefined, 204, ''],
  ])('%s', async (_name, method, query, body, status, text) => {
    const { ask } = await start(Things)
    const answer = await ask(method, `/things${query}`, { body })
    expect([answer.status, answer.text]).toEqual([status, text])
    if (status === 202) expect(answer.headers).toMatchObject({ location: '/jobs/1', 'retry-after': '1' })
    if (status === 204)
      expect([answer.headers['content-type'], answer.headers['content-length']]).toEqual([undefined, undefined])
  })

  it('DELETE chooses by the query; a body is not read', async () => {
    const { ask } = await start(Things)
    expect((await ask('DELETE', '/things', { body: { id: 1 } })).status).toBe(400)
  })
})

describe('one status an exception', () => {
  it.each([
    ['MethodNotAllowed', () => new MethodNotAllowed(), 405],
    ['NoSuchResource', () => new NoSuchResource('gone'), 404],
    ['ResourceExists', () => new ResourceExists('twice'), 409],
    ['ValidationError', () => new ValidationError('too young'), 422],
    ['RangeNotSatisfiable', () => new RangeNotSatisfiable('too far'), 416],
    ['Locked', () => new Locked('busy'), 423],
    ['NotImplemented', () => new NotImplemented(), 501],
    ['any other', () => new TypeError('hunter2'), 500],
  ])('%s', async (name, make, status) => {
    @Resource('/failing', { model: Row })
    class Failing extends Collection<Row> {
      override select(): never {
        throw make()
      }
    }
    const plain = await start(Failing)
    const problem = await plain.ask('GET', '/failing')
    expect([problem.status, problem.headers['content-type']]).toEqual([status, 'application/problem+json'])
    const legacy = await start(Failing, { errors: { format: 'urest' }, envelope: 'urest' })
    const answer = await legacy.ask('GET', '/failing')
    expect(answer.status).toBe(status)
    const { success, exception } = answer.json<{ success: boolean; exception: string }>()
    expect([success, exception]).toEqual([false, expect.stringMatching(status < 500 ? `^${name}: ` : '^Error: ')])
    expect(problem.text + answer.text).not.toContain('hunter2')
  })
})

describe("envelope: 'urest' with errors.format: 'urest'", () => {
  const legacy: AppOptions = { envelope: 'urest', errors: { format: 'urest' } }

  it('wraps what succeeds and what fails, in JSON', async () => {
    const { ask } = await start(new Employees(), legacy)
    expect((await ask('POST', '/employees', { body: jane })).json()).toEqual({ success: true, result: jane })
    expect((await ask('GET', '/employees')).json()).toEqual({ success: true, result: [jane] })
    const refused = await ask('POST', '/employees', { body: jane })
    expect([refused.status, refused.json()]).toEqual([
      409,
      { success: false, exception: 'ResourceExists: There is an employee of this name' },
    ])
    expect((await ask('GET', '/nowhere')).json()).toEqual({
      success: false,
      exception: expect.stringContaining('NoSuchResource') as string,
    })
    expect((await ask('DELETE', '/employees')).json()).toMatchObject({ success: false })
    expect((await ask('POST', '/employees', { body: {} })).json()).toMatchObject({
      success: false,
      exception: expect.stringContaining('ValidationError') as string,
    })
  })

  it('and in XML', async () => {
    const { ask } = await start(new Employees(), legacy)
    await ask('POST', '/employees', { body: { name: '<Jane> & co', position: ']]>' } })
    const headers = { Accept: 'application/xml' }
    const good = await ask('GET', '/employees', { headers })
    const bad = await ask('GET', '/nowhere', { headers })
    expect([XMLValidator.validate(good.text), XMLValidator.validate(bad.text)]).toEqual([true, true])
    expect(good.text).toContain('<success>true</success><result><item><name>&lt;Jane&gt; &amp; co</name>')
    expect(new XMLParser().parse(bad.text)).toMatchObject({ response: { success: false } })
  })
})

describe('formats', () => {
  it.each([
    [undefined, 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/json', 'application/json; charset=utf-8'],
    ['application/xml', 'application/xml; charset=utf-8'],
    ['application/xml;q=0.5, application/json;q=0.4', 'application/xml; charset=utf-8'],
    ['application/yaml', 'application/yaml; charset=utf-8'],
    ['application/pdf', undefined],
  ])('Accept: %s is answered as %s', async (Accept, type) => {
    const { ask } = await start(Rows, { codecs: [] })
    const withYaml = await start(Rows, { codecs: [{ ...yaml(), also: ['text/yaml'] }] })
    const server = Accept?.includes('yaml') ? withYaml.ask : ask
    const answer = await server('GET', '/rows?id=1', { headers: Accept === undefined ? {} : { Accept } })
    expect(answer.headers.vary).toMatch(/\bAccept\b/)
    if (type === undefined) expect(answer.json()).toMatchObject({ status: 406 })
    else expect([answer.status, answer.headers['content-type']]).toEqual([200, type])
  })

  it.each([
    ['an entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><name>&x;</name></a>'],
    ['laughs', `<!DOCTYPE a [<!ENTITY a "aa"><!ENTITY b "${'&a;'.repeat(50)}">]><a><name>&b;</name></a>`],
    ['depth', `${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`],
    ['a prototype', '<a><__proto__><x>1</x></__proto__></a>'],
  ])('an XML body with %s is 400', async (_name, body) => {
    const { ask } = await start(new Employees())
    const answer = await ask('POST', '/employees', { body, headers: { 'Content-Type': 'application/xml' } })
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('root:')
  })

  it.each([
    ['name: Jane\nposition: Developer\n', 201],
    ['name: !!js/function "x"\nposition: y\n', 400],
    ['a: &a [x]\nb: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n', 422],
    [
      'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n',
      400,
    ],
    ['name: [', 400],
  ])('a YAML body %j is %i where it is added', async (body, status) => {
    const { ask } = await start(new Employees(), { codecs: [yaml()] })
    const answer = await ask('POST', '/employees', { body, headers: { 'Content-Type': 'application/yaml' } })
    expect(answer.status).toBe(status)
  })
})
