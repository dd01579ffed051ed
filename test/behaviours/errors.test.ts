import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { Type } from 'class-transformer'
import {
  IsArray,
  IsBoolean,
  IsDateString,
  IsEmail,
  IsIn,
  IsInt,
  IsString,
  IsUrl,
  Length,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator'
import Koa from 'koa'
import {
  Authorize,
  BadRequest,
  Body,
  ConfigurationError,
  Context,
  Conflict,
  Cookie,
  Delete,
  ErrorHandler,
  Get,
  Header,
  HttpError,
  Integer,
  NoSuchResource,
  Open,
  Paged,
  Param,
  Post,
  Produces,
  Put,
  Query,
  RequireMatch,
  Resource,
  ResponseHeader,
  ServiceUnavailable,
  Timeout,
  TooManyRequests,
  Use,
  createApp,
  createRouter,
  errorToStatus,
  withETag,
  type AppOptions,
  type Logger,
  type Principal,
} from 'kumu'
import { closeAll, serve, type Answer, type Ask, type Served } from '../support/serve'

afterEach(closeAll)

interface Problem {
  type: string
  title: string
  status: number
  detail?: string
  code?: string
  instance: string
  requestId: string
  errors?: Array<{ in: string; pointer: string; code: string; detail: string }>
}

/** A logger that keeps what it is told. */
function memoryLog(): Logger & { entries: Array<{ details: { err?: unknown; requestId?: string }; message: string }> } {
  const entries: Array<{ details: object; message: string }> = []
  return { entries, error: (details, message) => void entries.push({ details, message }) }
}

function serveApp(options: AppOptions): Promise<Served> {
  return serve(createApp({ logger: memoryLog(), ...options }))
}

function expectProblem(answer: Answer, status: number, path: string): Problem {
  const problem = answer.json<Problem>()
  expect({ status: answer.status, type: answer.headers['content-type'] }).toEqual({
    status,
    type: 'application/problem+json',
  })
  expect(problem).toMatchObject({ type: 'about:blank', status, instance: path.replace(/\?.*/, '') })
  expect(problem.title).toMatch(/^[A-Z][A-Za-z' ]+$/)
  expect(problem.requestId).toMatch(/^[\w.:-]{1,128}$/)
  expect(answer.headers['x-request-id']).toBe(problem.requestId)
  const known = ['type', 'title', 'status', 'detail', 'code', 'instance', 'requestId', 'errors']
  expect(Object.keys(problem).filter((name) => !known.includes(name))).toEqual([])
  return problem
}

const someone = async (credentials: string): Promise<Principal | undefined> =>
  credentials === 'Bearer good' ? { id: 'ann', roles: ['reader'] } : undefined

class Address {
  @IsString()
  @Matches(/^\d{5}$/)
  zip!: string
}

class NewUser {
  @IsEmail()
  email!: string

  @IsInt()
  @Min(0)
  @Max(150)
  age!: number

  @ValidateNested()
  @Type(() => Address)
  address!: Address
}

const user = { email: 'ann@example.com', age: 40, address: { zip: '12345' } }

// --- B33 ----------------------------------------------------------------------------------------------------------------

class Thenable extends Error {
  get status(): number {
    throw new Error('no status for you')
  }
}

const thrown: Record<string, () => unknown> = {
  error: () => new Error('secret'),
  text: () => 'secret',
  undefined: () => undefined,
  null: () => null,
  number: () => 404,
  symbol: () => Symbol('secret'),
  function: () => () => 'secret',
  'plain object': () => ({ status: 404, message: 'secret' }),
  'a status as text': () => Object.assign(new Error('secret'), { status: '404', expose: true }),
  'a status of success': () => Object.assign(new Error('secret'), { status: 200, expose: true }),
  'a status beyond': () => Object.assign(new Error('secret'), { status: 999, expose: true }),
  'a getter that throws': () => new Thenable('secret'),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  },
  'an object without prototype': () => Object.create(null) as unknown,
  'an aggregate': () => new AggregateError([new Error('secret')], 'secret'),
}

@Resource('/failing')
class Failing {
  @Get('/throws/:kind')
  throws(@Param('kind') kind: string) {
    throw thrown[kind]?.()
  }

  @Get('/rejects/:kind')
  rejects(@Param('kind') kind: string) {
    return Promise.reject(thrown[kind]?.())
  }

  @Get('/streams/node')
  node() {
    return new Readable({
      read() {
        this.destroy(new Error('secret'))
      },
    })
  }

  @Get('/streams/later')
  later() {
    return new Readable({
      read() {
        setTimeout(() => this.destroy(new Error('secret')), 5)
      },
    })
  }

  @Get('/streams/destroyed')
  destroyed() {
    const stream = new Readable({ read: () => undefined })
    stream.on('error', () => undefined)
    stream.destroy(new Error('secret'))
    return stream
  }

  @Get('/streams/web')
  web() {
    return new ReadableStream({
      pull() {
        throw new Error('secret')
      },
    })
  }

  @Get('/streams/lines')
  async *lines() {
    await Promise.resolve()
    if (this instanceof Failing) throw new Error('secret')
    yield 1
  }

  @Get('/streams/lines-late')
  async *linesLate() {
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (this instanceof Failing) throw new NoSuchResource('There are no such rows')
    yield 1
  }
}

@Resource('/things')
class Things {
  @Get('/null')
  nothing() {
    return null
  }

  @Get('/json')
  @Produces('application/json')
  json() {
    return { a: 1 }
  }

  @Get('/timed')
  @Timeout(5)
  timed() {
    return new Promise(() => undefined)
  }

  @Post()
  create(@Body() body: NewUser) {
    return body
  }

  @Put()
  @RequireMatch()
  replace() {
    return 'replaced'
  }

  @Get('/counted')
  counted(@Query('n', Integer) n: number) {
    return { n }
  }

  @Get('/rows')
  @Paged()
  rows() {
    return [1, 2, 3]
  }

  @Get('/tagged')
  tagged() {
    return withETag({ a: 1 }, '1')
  }

  @Get('/busy')
  busy() {
    throw new ServiceUnavailable()
  }

  @Get('/guarded')
  @Authorize('admin')
  guarded() {
    return 'in'
  }
}

describe('B33: every error has one media type and shape', () => {
  const json = { 'Content-Type': 'application/json' }
  const cases: Array<[name: string, method: string, path: string, ask: Ask, status: number]> = [
    ['unknown route', 'GET', '/nowhere', {}, 404],
    ['unknown route with a query', 'POST', '/nowhere?secret=1', {}, 404],
    ['unknown child', 'GET', '/things/a/b/c', {}, 404],
    ['the root', 'GET', '/', {}, 404],
    ['a prototype name', 'GET', '/__proto__', {}, 404],
    ['null from GET', 'GET', '/things/null', {}, 404],
    ['a broken escape', 'GET', '/things/%zz', {}, 400],
    ['half a character', 'GET', '/things/%c3', {}, 400],
    ['wrong method', 'GET', '/things', {}, 405],
    ['a method of no route', 'DELETE', '/things', {}, 501],
    ['wrong method on a parameter', 'POST', '/things/counted', {}, 405],
    ['unknown method', 'PURGE', '/things', {}, 501],
    ['nothing acceptable', 'GET', '/things/json', { headers: { Accept: 'image/png' } }, 406],
    ['too large', 'POST', '/things', { headers: json, body: `{"email":"${'x'.repeat(3000)}"}` }, 413],
    ['unsupported type', 'POST', '/things', { headers: { 'Content-Type': 'image/png' }, body: 'x' }, 415],
    ['no type', 'POST', '/things', { body: 'x' }, 415],
    ['no media type at all', 'POST', '/things', { headers: { 'Content-Type': '///' }, body: 'x' }, 415],
    [
      'unknown charset',
      'POST',
      '/things',
      { headers: { 'Content-Type': 'application/json; charset=klingon' }, body: '{}' },
      415,
    ],
    ['unknown coding', 'POST', '/things', { headers: { ...json, 'Content-Encoding': 'lzma' }, body: 'x' }, 415],
    ['malformed JSON', 'POST', '/things', { headers: json, body: '{"a":' }, 400],
    ['no body', 'POST', '/things', {}, 400],
    ['a body that breaks its rules', 'POST', '/things', { body: { email: 'x' } }, 422],
    ['a body of the wrong kind', 'POST', '/things', { body: [1] }, 422],
    ['a wrong argument', 'GET', '/things/counted?n=abc', {}, 400],
    ['a missing argument', 'GET', '/things/counted', {}, 400],
    ['an unknown argument', 'GET', '/things/counted?n=1&m=2', {}, 400],
    ['a range outside', 'GET', '/things/rows', { headers: { Range: 'things=90-99' } }, 416],
    ['two ways of paging', 'GET', '/things/rows?range=0-1&offset=1', {}, 400],
    ['a failed condition', 'GET', '/things/tagged', { headers: { 'If-Match': '"2"' } }, 412],
    ['no condition', 'PUT', '/things', {}, 428],
    ['too slow', 'GET', '/things/timed', {}, 503],
    ['busy', 'GET', '/things/busy', {}, 503],
    ['no credentials', 'GET', '/things/guarded', {}, 401],
    ['bad credentials', 'GET', '/things/guarded', { headers: { Authorization: 'Bearer bad' } }, 401],
    ['no role', 'GET', '/things/guarded', { headers: { Authorization: 'Bearer good' } }, 403],
    ['a stream that fails at once', 'GET', '/failing/streams/node', {}, 500],
    ['a stream that fails before its first byte', 'GET', '/failing/streams/later', {}, 500],
    ['a stream that failed before', 'GET', '/failing/streams/destroyed', {}, 500],
    ['a web stream that fails', 'GET', '/failing/streams/web', {}, 500],
    ['a generator that fails before its first line', 'GET', '/failing/streams/lines', {}, 500],
    ['a generator that fails later, yet before its first line', 'GET', '/failing/streams/lines-late', {}, 404],
  ]

  it.each(cases)('%s: %s %s', async (_name, method, path, ask, status) => {
    const { ask: send } = await serveApp({
      resources: [Failing, Things],
      auth: { verify: someone },
      limits: { body: 2048 },
    })
    const answer = await send(method, path, ask)
    expectProblem(answer, status, path)
    expect(answer.text).not.toContain('secret')
  })

  it.each(Object.keys(thrown))('throws and rejects with %s', async (kind) => {
    const log = memoryLog()
    const { ask } = await serveApp({ resources: [Failing], logger: log })
    for (const way of ['throws', 'rejects']) {
      const path = `/failing/${way}/${encodeURIComponent(kind)}`
      const problem = expectProblem(await ask('GET', path), 500, path)
      expect(Object.keys(problem).sort()).toEqual(['instance', 'requestId', 'status', 'title', 'type'])
    }
    expect(log.entries).toHaveLength(2)
  })

  it('has the same shape in an application of somebody else', async () => {
    const app = new Koa()
    app.silent = true
    app.use(createRouter({ resources: [Failing, Things], auth: { verify: someone }, logger: memoryLog() }).routes())
    const { ask } = await serve(app)
    for (const [method, path, status] of [
      ['GET', '/things/null', 404],
      ['GET', '/things/%zz', 400],
      ['GET', '/things', 405],
      ['PURGE', '/things', 501],
      ['GET', '/things/guarded', 401],
      ['GET', '/failing/throws/error', 500],
      ['GET', '/failing/streams/node', 500],
      ['GET', '/failing/streams/lines', 500],
    ] as const) {
      expectProblem(await ask(method, path), status, path)
    }
  })
})

// --- B34 ----------------------------------------------------------------------------------------------------------------

describe('B34: an error with a status and `expose` keeps its status', () => {
  const errors: Array<[name: string, fail: (ctx: Context) => unknown, status: number, detail: string | undefined]> = [
    ['ctx.throw(404)', (ctx) => ctx.throw(404), 404, undefined],
    ['ctx.throw(404, text)', (ctx) => ctx.throw(404, 'No such user'), 404, 'No such user'],
    ['ctx.throw(418)', (ctx) => ctx.throw(418, 'Short and stout'), 418, 'Short and stout'],
    ['ctx.throw(503, text)', (ctx) => ctx.throw(503, 'the database at 10.0.0.3 is down'), 503, undefined],
    ['ctx.throw(500, text, expose)', (ctx) => ctx.throw(500, 'told', { expose: true }), 500, undefined],
    ['ctx.throw(400, text, hidden)', (ctx) => ctx.throw(400, 'not told', { expose: false }), 400, undefined],
    ['ctx.assert', (ctx) => ctx.assert(false, 409, 'Taken'), 409, 'Taken'],
    [
      'status and expose',
      () => Promise.reject(Object.assign(new Error('Gone'), { status: 410, expose: true })),
      410,
      undefined,
    ],
    [
      'statusCode and expose',
      () => Promise.reject(Object.assign(new Error('Wait'), { statusCode: 429, expose: true })),
      429,
      'Wait',
    ],
    ['a plain object', () => Promise.reject({ status: 404, expose: true, message: 'Not there' }), 404, 'Not there'],
    ['Conflict', () => Promise.reject(new Conflict('Taken')), 409, 'Taken'],
    ['a status without expose', () => Promise.reject(Object.assign(new Error('x'), { status: 404 })), 500, undefined],
    [
      'a status from an answer of others',
      () => Promise.reject(Object.assign(new Error('x'), { status: 401, response: {} })),
      500,
      undefined,
    ],
  ]

  it.each(errors)('%s', async (_name, fail, status, detail) => {
    @Resource('/')
    class Home {
      @Get('/in')
      inside(@Context() ctx: Context) {
        return fail(ctx)
      }

      @Get('/use')
      @Use((ctx) => fail(ctx as Context) as Promise<void>)
      before() {
        return 'never'
      }
    }
    const { ask } = await serveApp({ resources: [Home] })
    for (const path of ['/in', '/use']) {
      const problem = expectProblem(await ask('GET', path), status, path)
      expect(problem.detail).toBe(detail)
    }
  })

  it('takes the headers of such an error along', async () => {
    @Resource('/')
    class Home {
      @Get()
      get(@Context() ctx: Context) {
        ctx.throw(429, 'Slowly', {
          headers: { 'Retry-After': '7', 'Content-Type': 'text/evil', 'X-Limit': ['a', 'b'] },
        })
      }
    }
    const { ask } = await serveApp({ resources: [Home] })
    const answer = await ask('GET', '/')
    expectProblem(answer, 429, '/')
    expect(answer.headers).toMatchObject({ 'retry-after': '7', 'x-limit': 'a, b' })
  })
})

// --- B35 ----------------------------------------------------------------------------------------------------------------

describe('B35: an unexpected error exposes nothing', () => {
  class DatabaseError extends Error {
    readonly query = 'select secret'
    readonly errors = [{ in: 'body', pointer: '/secret', code: 'secret', detail: 'secret' }]
    readonly headers = { 'X-Secret': 'secret' }
    readonly code = 'SECRET'
    readonly type = 'urn:secret'
    override readonly cause = new Error('secret cause')
    override name = 'SecretError'
    toJSON() {
      return 'secret'
    }
    override toString() {
      return 'secret'
    }
  }

  @Resource('/')
  class Home {
    @Get('/database')
    database() {
      throw new DatabaseError('secret message')
    }

    @Get('/coded')
    coded() {
      throw new HttpError(500, 'secret detail', {
        cause: new Error('secret'),
        errors: [{ in: 'body', pointer: '/secret', code: 'x', detail: 'secret' }],
      })
    }

    @Get('/unavailable')
    unavailable() {
      throw new ServiceUnavailable('secret host is down')
    }

    @Get('/mapped')
    mapped() {
      throw new RangeError('secret')
    }

    @Get('/type')
    type() {
      return (undefined as unknown as { secret: string }).secret
    }

    @Get('/bad')
    bad() {
      return {
        secret: Object.defineProperty({}, 'a', {
          enumerable: true,
          get: () => {
            throw new Error('secret')
          },
        }),
      }
    }

    @Get('/cycle')
    cycle() {
      const secret: Record<string, unknown> = {}
      secret.secret = secret
      return secret
    }

    @Get('/header')
    @ResponseHeader('X-Ok', 'ok')
    header(@Context() ctx: Context) {
      ctx.set('X-Secret', 'secret\r\nX-Other: secret')
    }
  }

  const paths = [
    ['/database', 500],
    ['/coded', 500],
    ['/unavailable', 503],
    ['/mapped', 502],
    ['/type', 500],
    ['/bad', 500],
    ['/cycle', 500],
    ['/header', 500],
  ] as const
  const accepts = ['*/*', 'application/xml', 'text/html, */*;q=0.1', 'text/plain, */*;q=0.1', '', 'garbage;;;,']

  it.each(paths)('GET %s', async (path, status) => {
    for (const NODE_ENV of [false, true]) {
      const { ask } = await serveApp({
        resources: [Home],
        development: NODE_ENV,
        errors: { status: [(error) => (error instanceof RangeError ? 502 : undefined)] },
      })
      for (const accept of accepts) {
        const answer = await ask('GET', path, { headers: { Accept: accept } })
        expect([accept, answer.status]).toEqual([accept, status])
        expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toMatch(/secret|SECRET|node_modules|at \w+ \(/)
      }
    }
  })

  it.each(['problem', 'text', 'pyrest', 'urest', 'docstore', 'rest-tools', 'apiphant'] as const)(
    'in the format %s',
    async (format) => {
      const { ask } = await serveApp({ resources: [Home], errors: { format } })
      for (const [path] of paths) {
        const answer = await ask('GET', path)
        expect(answer.status).toBeGreaterThanOrEqual(500)
        expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toMatch(/secret/i)
      }
    },
  )

  it('is logged whole, under the id that the client got', async () => {
    const log = memoryLog()
    const { ask } = await serveApp({ resources: [Home], logger: log })
    const { requestId } = (await ask('GET', '/database')).json<Problem>()
    expect(log.entries).toHaveLength(1)
    expect(log.entries[0]?.details).toMatchObject({ requestId })
    expect(log.entries[0]?.details.err).toBeInstanceOf(DatabaseError)
  })
})

// --- B36, B37 -----------------------------------------------------------------------------------------------------------

class Sensitive {
  @IsEmail({}, { message: '$value is no address, $property' })
  email!: string

  @Length(1, 3, { message: ({ value, object }) => `${String(value)} ${JSON.stringify(object)} is too long` })
  name!: string

  @IsInt()
  age!: number

  @IsIn(['a', 'b'])
  role!: string

  @Matches(/^\d+$/)
  pin!: string

  @IsUrl()
  url!: string

  @IsDateString()
  born!: string

  @IsBoolean()
  active!: boolean

  @IsArray()
  @IsInt({ each: true })
  numbers!: number[]

  @ValidateNested()
  @Type(() => Address)
  address!: Address
}

class Filter {
  @IsInt()
  age!: number
}

@Resource('/')
class Inputs {
  @Post('/body')
  body(@Body() body: Sensitive) {
    return body
  }

  @Post('/named')
  named(
    @Body('n', { type: Number, min: 1 }) n: number,
    @Body('when', { type: Date }) when: Date,
    @Body('choice', { type: String, choices: ['a', /b+/] }) choice: string,
    @Body('list', { type: [Integer], max: 2 }) list: number[],
  ) {
    return { n, when, choice, list }
  }

  @Get('/query')
  query(
    @Query('n', Integer) n: number,
    @Query('flag', Boolean) flag: boolean,
    @Query('when', Date) when: Date,
    @Query('pick', { type: String, choices: ['a'] }) pick: string,
    @Query('not', { type: String, forbidden: [/s3cr3t.*/] }) not: string,
    @Query('short', { type: String, max: 3, pattern: /a+/ }) short: string,
    @Query('list', [Integer]) list: number[],
  ) {
    return { n, flag, when, pick, not, short, list }
  }

  @Get('/filter')
  filter(@Query() filter: Filter) {
    return filter
  }

  @Get('/header')
  header(@Header('X-N', Integer) n: number, @Cookie('c', Integer) c: number) {
    return { n, c }
  }

  @Get('/converted')
  converted(
    @Query('url', { convert: (text: string) => new URL(text) }) url: unknown,
    @Query('json', { default: {}, convert: (text: string) => JSON.parse(text) as unknown }) json: unknown,
    @Query('big', { default: 0n, convert: (text: string) => BigInt(text) }) big: unknown,
  ) {
    return { url, json, big }
  }

  @Get('/sorted')
  @Paged({ sort: ['a'], filter: { n: Integer }, cursor: true })
  sorted() {
    return [{ id: 1, a: 1, n: 1 }]
  }
}

describe('B36: problems never echo what was submitted', () => {
  const s = 's3cr3t'
  const all = {
    email: s,
    name: s,
    age: s,
    role: s,
    pin: s,
    url: s,
    born: s,
    active: s,
    numbers: [s, s],
    address: { zip: s },
  }
  const xml = { 'Content-Type': 'application/xml' }
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const cases: Array<[method: string, path: string, ask: Ask, status: number]> = [
    ['POST', '/body', { body: all }, 422],
    ['POST', '/body', { body: [all] }, 422],
    ['POST', '/body', { body: JSON.stringify(s), headers: { 'Content-Type': 'application/json' } }, 422],
    ['POST', '/body', { body: { ...all, address: s, numbers: s } }, 422],
    ['POST', '/body', { body: { ...all, address: [s], numbers: { s } } }, 422],
    ['POST', '/body', { body: `<r><email>${s}</email><age>${s}</age></r>`, headers: xml }, 422],
    ['POST', '/body', { body: `email=${s}&age=${s}&name=${s}`, headers: form }, 422],
    ['POST', '/named', { body: { n: s, when: s, choice: s, list: [s] } }, 422],
    ['POST', '/named', { body: { n: { s }, when: [s], choice: { s: { s } }, list: { 0: s } } }, 422],
    ['GET', `/query?n=${s}&flag=${s}&when=${s}&pick=${s}&not=${s}&short=${s}&list=${s}&list=1`, {}, 400],
    ['GET', `/query?n=${s}&n=${s}`, {}, 400],
    ['GET', `/filter?age=${s}`, {}, 400],
    ['GET', '/header', { headers: { 'X-N': s, Cookie: `c=${s}` } }, 400],
    ['GET', `/converted?url=${s}`, {}, 400],
    ['GET', `/converted?url=http://a/&json=${s}`, {}, 400],
    ['GET', `/converted?url=http://a/&big=${s}`, {}, 400],
    ['GET', `/sorted?n=${s}`, {}, 400],
    ['GET', `/sorted?sort=${s}`, {}, 400],
    ['GET', `/sorted?limit=${s}`, {}, 400],
    ['GET', `/sorted?range=${s}`, {}, 400],
    ['GET', `/sorted?cursor=${s}`, {}, 400],
    ['GET', `/sorted?a=%zz${s}`, {}, 400],
  ]

  it.each(cases)('%s %s', async (method, path, ask, status) => {
    for (const validation of [{}, { unknown: 'strip' }] as const) {
      const { ask: send } = await serveApp({ resources: [Inputs], validation })
      for (const accept of ['*/*', 'application/xml', 'text/html, */*;q=0.1', 'text/plain, */*;q=0.1']) {
        const answer = await send(method, path, { ...ask, headers: { ...ask.headers, Accept: accept } })
        expect(answer.status).toBe(status)
        expect(answer.text).not.toContain(s)
        expect(JSON.stringify(answer.headers)).not.toContain(s)
      }
    }
  })
})

describe('B37: each violation is { in, pointer, code, detail }', () => {
  const cases: Array<
    [method: string, path: string, ask: Ask, expected: Array<[source: string, pointer: string, code: string]>]
  > = [
    [
      'POST',
      '/body',
      { body: { ...user, isAdmin: true, email: 1, 'a/b~c': 1 } },
      [
        ['body', '/isAdmin', 'unknown'],
        ['body', '/a~1b~0c', 'unknown'],
        ['body', '/email', 'isEmail'],
        ['body', '/name', 'required'],
        ['body', '/role', 'required'],
        ['body', '/pin', 'required'],
        ['body', '/url', 'required'],
        ['body', '/born', 'required'],
        ['body', '/active', 'required'],
        ['body', '/numbers', 'required'],
      ],
    ],
    ['POST', '/body', { body: [] }, [['body', '', 'type']]],
    [
      'POST',
      '/named',
      { body: { n: 0, when: 'x', choice: 'c', list: [1, 2.5] } },
      [
        ['body', '/n', 'min'],
        ['body', '/when', 'type'],
        ['body', '/choice', 'choices'],
        ['body', '/list/1', 'type'],
      ],
    ],
    [
      'POST',
      '/named',
      { body: { n: 1, choice: 'bbb', list: [1, 2, 3] } },
      [
        ['body', '/when', 'required'],
        ['body', '/list', 'max'],
      ],
    ],
    [
      'GET',
      '/query?n=1.5&flag=maybe&when=x&pick=b&not=s3cr3t&short=aaaa&list=1&list=x&more=1',
      {},
      [
        ['query', '/n', 'type'],
        ['query', '/flag', 'type'],
        ['query', '/when', 'type'],
        ['query', '/pick', 'choices'],
        ['query', '/not', 'forbidden'],
        ['query', '/short', 'max'],
        ['query', '/list/1', 'type'],
        ['query', '/more', 'unknown'],
      ],
    ],
    [
      'GET',
      '/header',
      { headers: { 'X-N': 'x' } },
      [
        ['header', '/X-N', 'type'],
        ['cookie', '/c', 'required'],
      ],
    ],
    [
      'GET',
      '/filter?age=x&b=1',
      {},
      [
        ['query', '/age', 'type'],
        ['query', '/b', 'unknown'],
      ],
    ],
    ['GET', '/converted?url=x', {}, [['query', '/url', 'convert']]],
  ]

  it.each(cases)('%s %s', async (method, path, ask, expected) => {
    const { ask: send } = await serveApp({ resources: [Inputs] })
    const { errors = [] } = (await send(method, path, ask)).json<Problem>()
    for (const violation of errors) {
      expect(Object.keys(violation).sort()).toEqual(['code', 'detail', 'in', 'pointer'])
      expect(violation.code).toMatch(/^[A-Za-z][A-Za-z-]*$/)
      expect(violation.detail).not.toBe('')
    }
    const found = errors.map(({ in: source, pointer, code }) => [source, pointer, code].join(' '))
    expect(found).toEqual(expect.arrayContaining(expected.map((each) => each.join(' '))))
    const pointers = new Set(errors.map(({ pointer }) => pointer))
    expect([...pointers].sort()).toEqual(
      [...new Set([...expected.map(([, pointer]) => pointer), ...extra(path, pointers)])].sort(),
    )
  })

  // The nested address of the first case is whole: nothing may point there.
  function extra(path: string, pointers: Set<string>): string[] {
    return path === '/body' && pointers.has('/age') ? ['/age'] : []
  }
})

// --- B38 ----------------------------------------------------------------------------------------------------------------

describe('B38: headers set before an error survive it', () => {
  const kept = {
    'Access-Control-Allow-Origin': 'https://app.example',
    'Access-Control-Allow-Credentials': 'true',
    'X-Request-Id': 'request-7',
    'RateLimit-Remaining': '3',
    'Strict-Transport-Security': 'max-age=1',
    'X-Content-Type-Options': 'nosniff',
  }
  const lost = {
    ETag: '"1"',
    'Last-Modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
    'Cache-Control': 'max-age=60',
    'Content-Language': 'en',
    'Content-Disposition': 'attachment',
    'Content-Range': 'bytes 0-1/2',
  }

  @Resource('/')
  class Home {
    @Post('/body')
    body(@Body() body: NewUser) {
      return body
    }

    @Get('/boom')
    boom() {
      throw new Error('boom')
    }

    @Get('/slow')
    slow() {
      throw new TooManyRequests('Slowly', { headers: { 'Retry-After': '3', Vary: 'Cookie' } })
    }
  }

  const cases: Array<[method: string, path: string, ask: Ask, status: number]> = [
    ['POST', '/body', { body: '{', headers: { 'Content-Type': 'application/json' } }, 400],
    ['POST', '/body', { body: 'x', headers: { 'Content-Type': 'image/png' } }, 415],
    ['POST', '/body', { body: 'x', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' } }, 400],
    ['POST', '/body', { body: `"${'x'.repeat(3000)}"`, headers: { 'Content-Type': 'application/json' } }, 413],
    ['POST', '/body', { body: {} }, 422],
    ['GET', '/body', {}, 405],
    ['PURGE', '/body', {}, 501],
    ['GET', '/nowhere', {}, 404],
    ['GET', '/%zz', {}, 400],
    ['GET', '/boom', {}, 500],
    ['GET', '/slow', {}, 429],
  ]

  it.each(cases)('%s %s', async (method, path, ask, status) => {
    const { ask: send } = await serveApp({
      resources: [Home],
      limits: { body: 2048 },
      middleware: [
        async (ctx, next) => {
          ctx.set({ ...kept, ...lost })
          ctx.vary('Origin')
          ctx.append('Set-Cookie', 'a=1')
          await next()
        },
      ],
    })
    const answer = await send(method, path, ask)
    expect(answer.status).toBe(status)
    for (const [name, value] of Object.entries(kept))
      expect([name, answer.headers[name.toLowerCase()]]).toEqual([name, value])
    for (const [name, value] of Object.entries(lost)) {
      expect([name, answer.headers[name.toLowerCase()]]).not.toEqual([name, value])
    }
    expect(answer.headers.vary?.split(', ')).toEqual(expect.arrayContaining(['Origin', 'Accept']))
    expect(answer.headers['set-cookie']).toEqual(['a=1'])
    expect(answer.json<Problem>().requestId).toBe('request-7')
    if (status === 429)
      expect(answer.headers).toMatchObject({ 'retry-after': '3', vary: expect.stringContaining('Cookie') as string })
  })

  it('keeps those of a stream that fails before its first byte', async () => {
    const { ask } = await serveApp({
      resources: [Failing],
      middleware: [
        async (ctx, next) => {
          ctx.set(kept)
          await next()
        },
      ],
    })
    for (const path of ['node', 'later', 'web', 'lines']) {
      const answer = await ask('GET', `/failing/streams/${path}`)
      expect(answer.status).toBe(500)
      expect(answer.headers['access-control-allow-origin']).toBe('https://app.example')
    }
  })

  it('takes no request id that could break a log line', async () => {
    const { ask } = await serveApp({ resources: [Home] })
    for (const id of ['a b', 'x'.repeat(129), '<script>', '"', 'a,b']) {
      const { requestId } = (await ask('GET', '/nowhere', { headers: { 'X-Request-Id': id } })).json<Problem>()
      expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    }
    const { requestId } = (await ask('GET', '/nowhere', { headers: { 'X-Request-Id': 'abc-1.2:3_4' } })).json<Problem>()
    expect(requestId).toBe('abc-1.2:3_4')
  })
})

// --- B39, B40 -----------------------------------------------------------------------------------------------------------

@Resource('/')
class Bodies {
  static calls = 0

  @Post('/any')
  any(@Body(Object) body: unknown) {
    Bodies.calls++
    return { body }
  }

  @Post('/user')
  user(@Body() body: NewUser) {
    Bodies.calls++
    return body
  }
}

describe('B39: malformed JSON is a 400 without the payload', () => {
  const bodies: Array<[name: string, body: string | Buffer]> = [
    ['cut off', '{"s3cr3t":"s3cr3t"'],
    ['a trailing comma', '{"s3cr3t":1,}'],
    ['single quotes', "{'s3cr3t':1}"],
    ['a bare word', 's3cr3t'],
    ['two values', '{"a":"s3cr3t"} {"b":1}'],
    ['NaN', '{"s3cr3t":NaN}'],
    ['undefined', 'undefined'],
    ['a comment', '{"s3cr3t":1} // s3cr3t'],
    ['a control character', '{"s3cr3t":"\u0001"}'],
    ['a lone quote', '"s3cr3t'],
    ['whitespace', '   '],
    ['a leading zero', '{"s3cr3t":01}'],
    ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['half a character', Buffer.from([0x22, 0xc3, 0x22])],
    ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['NUL', '\0'],
    ['too deep', '['.repeat(5000) + ']'.repeat(5000)],
    ['too deep and open', '['.repeat(100_000)],
  ]

  it.each(bodies)('%s', async (_name, body) => {
    const { ask } = await serveApp({ resources: [Bodies] })
    Bodies.calls = 0
    for (const path of ['/any', '/user']) {
      const answer = await ask('POST', path, { body, headers: { 'Content-Type': 'application/json' } })
      const problem = expectProblem(answer, 400, path)
      expect(problem.code).toMatch(/^[a-z-]+$/)
      expect(answer.text).not.toContain('s3cr3t')
    }
    expect(Bodies.calls).toBe(0)
  })
})

describe('B40: POST with Content-Encoding', () => {
  const json = JSON.stringify({ a: 1 })
  const corrupt: Array<[coding: string, body: Buffer]> = [
    ['gzip', Buffer.from('no gzip at all')],
    ['gzip', gzipSync(json).subarray(0, 15)],
    ['gzip', Buffer.concat([gzipSync(json).subarray(0, -4), Buffer.from([1, 2, 3, 4])])],
    ['gzip', Buffer.from([0x1f, 0x8b])],
    ['x-gzip', Buffer.from('{}')],
    ['deflate', Buffer.from('{}{}{}')],
    ['deflate', deflateSync(json).subarray(0, 6)],
    ['br', Buffer.from('no brotli')],
    ['br', brotliCompressSync(json).subarray(0, 4)],
    ['gzip, gzip', gzipSync(json)],
  ]

  it.each(corrupt)('%s, corrupt: 400', async (coding, body) => {
    const { ask } = await serveApp({ resources: [Bodies] })
    const answer = await ask('POST', '/any', {
      body,
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding },
    })
    expectProblem(answer, 400, '/any')
  })

  it.each(['lzma', 'compress', 'zstd-9', 'gzip;q=1', 'gzip, lzma', '*', '__proto__', 'constructor', 'br br', 'GZIP2'])(
    '%s, unknown: 415',
    async (coding) => {
      const { ask } = await serveApp({ resources: [Bodies] })
      const answer = await ask('POST', '/any', {
        body: json,
        headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding },
      })
      expectProblem(answer, 415, '/any')
      expect(answer.headers['accept-encoding']).toContain('gzip')
    },
  )

  it.each([
    ['gzip', gzipSync(json)],
    ['GZIP', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['deflate', deflateSync(json)],
    ['br', brotliCompressSync(json)],
    ['gzip, br', brotliCompressSync(gzipSync(json))],
    ['identity', Buffer.from(json)],
    ['identity, gzip', gzipSync(json)],
  ])('%s is undone', async (coding, body) => {
    const { ask } = await serveApp({ resources: [Bodies] })
    const answer = await ask('POST', '/any', {
      body,
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding },
    })
    expect([answer.status, answer.text]).toEqual([200, '{"body":{"a":1}}'])
  })

  it.each(['gzip', 'deflate', 'br', 'gzip, gzip'])('%s, a bomb: 413', async (coding) => {
    const { ask } = await serveApp({ resources: [Bodies], limits: { body: '1kb' } })
    const plain = Buffer.alloc(20_000_000, '0')
    const body =
      coding === 'deflate'
        ? deflateSync(plain)
        : coding === 'br'
          ? brotliCompressSync(plain)
          : gzipSync(coding === 'gzip' ? plain : gzipSync(plain))
    expect(body.length).toBeLessThan(40_000)
    const answer = await ask('POST', '/any', {
      body,
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding },
    })
    expectProblem(answer, 413, '/any')
  })
})

// --- B41 ----------------------------------------------------------------------------------------------------------------

describe('B41: errors are answered wherever error middleware is mounted', () => {
  @Resource('/')
  class Home {
    @Get('/boom')
    boom() {
      throw new BadRequest('Not like that')
    }

    @Get('/ok')
    ok() {
      return { ok: true }
    }

    @Delete('/other')
    remove() {
      return null
    }
  }

  const router = () => createRouter({ resources: [Home], logger: memoryLog() })
  const foreign: Koa.Middleware = async (ctx, next) => {
    try {
      await next()
    } catch {
      ctx.status = 599
      ctx.body = 'the host'
    }
  }
  const mounts: Array<[name: string, mount: (app: Koa) => void]> = [
    ['nowhere', (app) => app.use(router().routes())],
    ['before', (app) => app.use(errorToStatus()).use(router().routes())],
    ['after', (app) => app.use(router().routes()).use(errorToStatus())],
    ['twice', (app) => app.use(errorToStatus()).use(errorToStatus()).use(router().routes())],
    ['the host has its own', (app) => app.use(foreign).use(router().routes())],
    ['inside that of the host', (app) => app.use(foreign).use(errorToStatus()).use(router().routes())],
    ['the host has its own inside', (app) => app.use(errorToStatus()).use(foreign).use(router().routes())],
  ]

  it.each(mounts)('%s', async (_name, mount) => {
    const app = new Koa()
    app.silent = true
    mount(app)
    const { ask } = await serve(app)
    expect(expectProblem(await ask('GET', '/boom'), 400, '/boom').detail).toBe('Not like that')
    expectProblem(await ask('DELETE', '/ok'), 405, '/ok')
    expectProblem(await ask('PUT', '/ok'), 501, '/ok')
    expect((await ask('GET', '/ok')).text).toBe('{"ok":true}')
  })

  it('leaves errors of others to the host, thrown before or behind the router', async () => {
    const app = new Koa()
    app.silent = true
    app.use(foreign)
    app.use(router().routes())
    app.use(() => {
      throw new Error('behind')
    })
    const { ask } = await serve(app)
    expect(await ask('GET', '/nowhere')).toMatchObject({ status: 599, text: 'the host' })
    expect((await ask('GET', '/boom')).status).toBe(400)
  })

  it('answers what middleware used on the application throws, before and after the resources', async () => {
    const app = createApp({
      resources: [Home],
      logger: memoryLog(),
      middleware: [(ctx, next) => (ctx.path === '/early' ? ctx.throw(402, 'Pay') : next())],
    })
    app.use((ctx) => {
      if (ctx.path === '/late') ctx.throw(409, 'Late')
      throw new Error('secret')
    })
    const { ask } = await serve(app)
    expectProblem(await ask('GET', '/early'), 402, '/early')
    expectProblem(await ask('GET', '/late'), 409, '/late')
    expectProblem(await ask('GET', '/behind'), 500, '/behind')
    expect((await ask('GET', '/ok')).status).toBe(200)
  })

  it('lets middleware of the application see an error, and answer it', async () => {
    const seen: unknown[] = []
    const { ask } = await serveApp({
      resources: [Home],
      middleware: [
        async (ctx, next) => {
          try {
            await next()
          } catch (error) {
            seen.push(error)
            if (ctx.query.mine === undefined) throw error
            ctx.body = 'mine'
          }
        },
      ],
    })
    expectProblem(await ask('GET', '/boom'), 400, '/boom')
    expect((await ask('GET', '/boom?mine')).text).toBe('mine')
    expect(seen).toEqual([expect.any(BadRequest), expect.any(BadRequest)])
  })

  it('lets an @ErrorHandler replace an answer, and falls back where it fails', async () => {
    class Handlers {
      @ErrorHandler(404)
      missing() {
        return { nothing: true }
      }

      @ErrorHandler(BadRequest)
      broken() {
        throw new Error('secret')
      }
    }
    const { ask } = await serveApp({ resources: [Home], errors: { handlers: [Handlers] } })
    expect(await ask('GET', '/nowhere')).toMatchObject({ status: 404, text: '{"nothing":true}' })
    expectProblem(await ask('GET', '/boom'), 500, '/boom')
  })
})

// --- B43 ----------------------------------------------------------------------------------------------------------------

describe('B43: access', () => {
  @Resource('/staff')
  @Authorize()
  class Staff {
    static ran: string[] = []

    @Get()
    list() {
      Staff.ran.push('list')
      return 'list'
    }

    @Delete('/:id')
    @Authorize('admin', 'owner')
    remove(@Param('id') id: string) {
      Staff.ran.push(`remove ${id}`)
    }

    @Get('/open')
    @Open()
    open() {
      return 'open'
    }

    @Get('/own')
    @Authorize((principal, ctx) => principal.id === ctx.query.id)
    own() {
      return 'own'
    }

    @Post()
    @Authorize('admin')
    create(@Body() body: NewUser) {
      Staff.ran.push('create')
      return body
    }

    @Get('/broken')
    @Authorize(() => {
      throw new Error('secret')
    })
    broken() {
      return 'never'
    }
  }

  const principals: Record<string, Principal> = {
    'Bearer reader': { id: 'r', roles: ['reader'] },
    'Bearer admin': { id: 'a', roles: ['admin'] },
    'Bearer owner': { id: 'o', roles: ['x', 'owner'] },
    'Bearer nobody': { id: 'n' },
    'Bearer odd': { id: 'q', roles: ['Admin', 'admi', 'admin ', ''] },
  }
  const verify = Object.assign(
    (credentials: string) => (Object.hasOwn(principals, credentials) ? principals[credentials] : undefined),
    {
      challenges: ['Bearer realm="staff"', 'Basic realm="staff"'],
    },
  )
  const asking = (token: string, more: Ask = {}): Ask => ({
    ...more,
    headers: { ...more.headers, Authorization: token },
  })

  it.each([
    ['GET', '/staff', {}, 401],
    ['GET', '/staff', asking(''), 401],
    ['GET', '/staff', asking('Bearer'), 401],
    ['GET', '/staff', asking('Bearer wrong'), 401],
    ['GET', '/staff', asking('__proto__'), 401],
    ['GET', '/staff', asking('bearer reader'), 401],
    ['GET', '/staff', asking('Bearer reader'), 200],
    ['GET', '/staff', asking('Bearer nobody'), 200],
    ['HEAD', '/staff', {}, 401],
    ['DELETE', '/staff/1', {}, 401],
    ['DELETE', '/staff/1', asking('Bearer reader'), 403],
    ['DELETE', '/staff/1', asking('Bearer nobody'), 403],
    ['DELETE', '/staff/1', asking('Bearer odd'), 403],
    ['DELETE', '/staff/1', asking('Bearer admin'), 204],
    ['DELETE', '/staff/1', asking('Bearer owner'), 204],
    ['GET', '/staff/open', {}, 200],
    ['GET', '/staff/open', asking('Bearer wrong'), 200],
    ['GET', '/staff/own?id=a', asking('Bearer admin'), 200],
    ['GET', '/staff/own?id=b', asking('Bearer admin'), 403],
    ['GET', '/staff/own?id=a', {}, 401],
    ['GET', '/staff/broken', asking('Bearer admin'), 500],
    ['OPTIONS', '/staff', {}, 204],
    ['DELETE', '/staff', {}, 405],
    ['PUT', '/staff', {}, 501],
  ] as Array<[string, string, Ask, number]>)('%s %s %j: %i', async (method, path, ask, status) => {
    const { ask: send } = await serveApp({ resources: [Staff], auth: { verify } })
    const answer = await send(method, path, ask)
    expect(answer.status).toBe(status)
    if (status === 401) {
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="staff", Basic realm="staff"')
      expect(answer.headers['cache-control']).toBe('no-store')
    } else {
      expect(answer.headers['www-authenticate']).toBeUndefined()
    }
  })

  it('decides before the body is read, and before its type is looked at', async () => {
    const { ask } = await serveApp({ resources: [Staff], auth: { verify }, limits: { body: 10 } })
    Staff.ran = []
    for (const body of ['{', 'x'.repeat(100), '{"email":1}']) {
      for (const type of ['application/json', 'image/png']) {
        const headers = { 'Content-Type': type }
        expect((await ask('POST', '/staff', { body, headers })).status).toBe(401)
        expect((await ask('POST', '/staff', asking('Bearer reader', { body, headers }))).status).toBe(403)
      }
    }
    expect(Staff.ran).toEqual([])
  })

  it('answers 500 where the checker itself fails, and lets nobody in', async () => {
    const log = memoryLog()
    const { ask } = await serveApp({
      resources: [Staff],
      logger: log,
      auth: {
        verify: () => {
          throw new Error('secret')
        },
      },
    })
    const answer = await ask('GET', '/staff', asking('Bearer admin'))
    expectProblem(answer, 500, '/staff')
    expect(answer.text).not.toContain('secret')
    expect(log.entries).toHaveLength(1)
  })

  it('is an error at start where nobody can be verified', () => {
    for (const make of [createApp, createRouter]) {
      expect(() => make({ resources: [Staff] })).toThrow(ConfigurationError)
      expect(() => make({ resources: [Staff] })).toThrow(/Staff\.\w+.*@Authorize.*auth/s)
    }
  })

  it('challenges with Bearer where the checker names no scheme', async () => {
    const { ask } = await serveApp({ resources: [Staff], auth: { verify: () => undefined } })
    expect((await ask('GET', '/staff')).headers['www-authenticate']).toBe('Bearer')
  })
})
