import { IsInt } from 'class-validator'
import {
  BadRequest,
  Body,
  Conflict,
  ConfigurationError,
  Context,
  Delete,
  Deprecated,
  ErrorHandler,
  Get,
  Head,
  Method,
  NoSuchResource,
  OnNull,
  Options,
  Paged,
  Param,
  Patch,
  Post,
  Put,
  Redirect,
  RequireMatch,
  Resource,
  ResponseHeader,
  Returns,
  Signal,
  Status,
  Summary,
  Throws,
  Timeout,
  createApp,
  noContent,
  reply,
  withETag,
  type AppOptions,
} from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

function serveApp(options: AppOptions): Promise<Served> {
  return serve(createApp({ logger: { error: () => undefined }, ...options }))
}

class Thing {
  @IsInt()
  id!: number
}

describe('verbs', () => {
  @Resource('/v')
  class Verbs {
    @Get() get() {
      return 'GET'
    }
    @Post() post() {
      return 'POST'
    }
    @Put() put() {
      return 'PUT'
    }
    @Patch() patch() {
      return 'PATCH'
    }
    @Delete() delete() {
      return 'DELETE'
    }
    @Options() options() {
      return 'OPTIONS'
    }
    @Method('REPORT') report() {
      return 'REPORT'
    }
    @Head('/head') head(@Context() ctx: Context) {
      ctx.set('X-Head', 'yes')
    }
  }

  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'REPORT'])('%s /v', async (verb) => {
    const { ask } = await serveApp({ resources: [Verbs] })
    expect(await ask(verb, '/v')).toMatchObject({ status: 200, text: verb })
  })

  it('HEAD alone', async () => {
    const { ask } = await serveApp({ resources: [Verbs] })
    expect(await ask('HEAD', '/v/head')).toMatchObject({ status: 204, headers: { 'x-head': 'yes' } })
    expect(await ask('GET', '/v/head')).toMatchObject({ status: 405, headers: { allow: 'HEAD, OPTIONS' } })
  })

  it('several on one method, in the order they are written', async () => {
    @Resource('/many')
    class Many {
      @Get('/a')
      @Get('/b')
      @Post('/c')
      all(@Context() ctx: Context) {
        return `${ctx.method} ${ctx.path}`
      }
    }
    const app = createApp({ resources: [Many] })
    expect(app.plans.map(({ id, method, path }) => `${id} ${method} ${String(path)}`)).toEqual([
      'Many.all GET /many/a',
      'Many.all.2 GET /many/b',
      'Many.all.3 POST /many/c',
    ])
    const { ask } = await serve(app)
    expect((await ask('GET', '/many/b')).text).toBe('GET /many/b')
    expect((await ask('POST', '/many/c')).text).toBe('POST /many/c')
  })

  it('take an optional part alone', async () => {
    @Resource('/o')
    class Optional {
      @Get('{/:id}')
      one(@Param('id', { required: false }) id: string | undefined) {
        return { id: id ?? null }
      }
    }
    @Resource('/')
    class Root {
      @Get('{/:lang}/about')
      about(@Param('lang', { default: 'en' }) lang: string) {
        return { lang }
      }
    }
    const { ask } = await serveApp({ resources: [Optional, Root] })
    expect((await ask('GET', '/o')).json()).toEqual({ id: null })
    expect((await ask('GET', '/o/7')).json()).toEqual({ id: '7' })
    expect((await ask('GET', '/about')).json()).toEqual({ lang: 'en' })
    expect((await ask('GET', '/de/about')).json()).toEqual({ lang: 'de' })
  })

  it('call the method on its instance', async () => {
    @Resource('/this')
    class This {
      private readonly value = 7
      @Get()
      get() {
        return { value: this.value }
      }
    }
    const { ask } = await serveApp({ resources: [This] })
    expect((await ask('GET', '/this')).json()).toEqual({ value: 7 })
  })
})

describe('@Status, @OnNull, @ResponseHeader', () => {
  @Resource('/')
  @ResponseHeader('X-Class', 'c')
  @ResponseHeader('Link', '</class>; rel="up"')
  class Home {
    @Post('/made')
    @Status(201)
    made() {
      return { id: 1 }
    }

    @Post('/replied')
    @Status(201)
    replied() {
      return reply(202, 'later', { 'X-Own': 'own' })
    }

    @Get('/null')
    @OnNull(200)
    nothing() {
      return null
    }

    @Delete('/null')
    @OnNull(404)
    gone() {
      return null
    }

    @Get('/headers')
    @ResponseHeader('X-Method', 'm')
    @ResponseHeader('X-Class', 'overridden')
    @ResponseHeader('Link', '</method>; rel="next"')
    headers() {
      return 'x'
    }

    @Get('/empty')
    @ResponseHeader('X-Method', 'm')
    empty() {
      return noContent()
    }

    @Get('/fails')
    @ResponseHeader('X-Method', 'm')
    fails() {
      throw new NoSuchResource()
    }
  }

  it.each([
    ['POST', '/made', 201, '{"id":1}'],
    ['POST', '/replied', 202, 'later'],
    ['GET', '/null', 200, 'null'],
  ])('%s %s: %i', async (method, path, status, text) => {
    const { ask } = await serveApp({ resources: [Home] })
    expect(await ask(method, path)).toMatchObject({ status, text, headers: { 'x-class': 'c' } })
  })

  it('a null that is 404 is a problem', async () => {
    const { ask } = await serveApp({ resources: [Home] })
    expect((await ask('DELETE', '/null')).json()).toMatchObject({ status: 404, title: 'Not Found' })
  })

  it('the method’s header wins, lists add up, errors have none of it', async () => {
    const { ask } = await serveApp({ resources: [Home] })
    const { headers } = await ask('GET', '/headers')
    expect(headers).toMatchObject({ 'x-class': 'overridden', 'x-method': 'm' })
    expect(headers.link).toBe('</class>; rel="up", </method>; rel="next"')
    expect((await ask('GET', '/empty')).headers['x-method']).toBe('m')
    expect((await ask('GET', '/fails')).headers['x-method']).toBeUndefined()
  })
})

describe('@Redirect(to, status)', () => {
  @Resource('/')
  class Home {
    static ran = 0

    @Get('/default')
    @Redirect('/there')
    plain() {
      Home.ran++
    }

    @Get('/moved')
    @Redirect('/there', 308)
    moved() {
      return undefined
    }

    @Get('/chosen/:to')
    @Redirect('/there', 307)
    chosen(@Param('to') to: string) {
      return `/${encodeURIComponent(to)}`
    }

    @Get('/replied')
    @Redirect('/there')
    replied() {
      return reply(200, 'no redirect')
    }
  }

  it.each([
    ['/default', 302, '/there'],
    ['/moved', 308, '/there'],
    ['/chosen/a', 307, '/a'],
    ['/chosen/%0D%0AX-Evil:1', 307, '/%0D%0AX-Evil%3A1'],
    ['/replied', 200, undefined],
  ])('GET %s: %i %s', async (path, status, location) => {
    const { ask } = await serveApp({ resources: [Home] })
    const answer = await ask('GET', path)
    expect([answer.status, answer.headers.location]).toEqual([status, location])
    expect(answer.headers['x-evil']).toBeUndefined()
  })

  it('runs the method', async () => {
    Home.ran = 0
    const { ask } = await serveApp({ resources: [Home] })
    await ask('GET', '/default')
    expect(Home.ran).toBe(1)
  })
})

describe('@Deprecated({ since, sunset, link })', () => {
  @Resource('/')
  class Home {
    @Get('/all')
    @Deprecated({ since: '2024-01-01', sunset: '2025-06-30T12:00:00Z', link: '/news' })
    all() {
      return 'all'
    }

    @Get('/bare')
    @Deprecated()
    bare() {
      return 'bare'
    }

    @Get('/fine')
    fine() {
      return 'fine'
    }
  }

  it('says so in headers (RFC 9745, RFC 8594) and in the plan', async () => {
    const app = createApp({ resources: [Home] })
    const { ask } = await serve(app)
    expect((await ask('GET', '/all')).headers).toMatchObject({
      deprecation: '@1704067200',
      sunset: 'Mon, 30 Jun 2025 12:00:00 GMT',
      link: '</news>; rel="deprecation"',
    })
    expect((await ask('GET', '/bare')).headers.deprecation).toBeUndefined()
    expect((await ask('GET', '/fine')).headers.deprecation).toBeUndefined()
    expect(app.plans.map(({ doc }) => doc.deprecated !== undefined)).toEqual([true, true, false])
  })

  it.each([{ since: 'soon' }, { sunset: 'never' }])('refuses %j at start', (options) => {
    class Old {
      get() {
        return 1
      }
    }
    Get()(Old.prototype, 'get')
    Deprecated(options)(Old.prototype, 'get')
    Resource('/old')(Old)
    expect(() => createApp({ resources: [Old] })).toThrow(ConfigurationError)
    expect(() => createApp({ resources: [Old] })).toThrow(/Old\.get.*@Deprecated/)
  })
})

describe('@Timeout(milliseconds)', () => {
  it('answers 503, aborts the signal, drops what comes later', async () => {
    const reasons: unknown[] = []
    let late: (value: string) => void = () => undefined
    @Resource('/')
    class Home {
      @Get('/slow')
      @Timeout(10)
      slow(@Signal() signal: AbortSignal) {
        signal.addEventListener('abort', () => reasons.push(signal.reason))
        return new Promise<string>((resolve) => {
          late = resolve
        })
      }

      @Get('/quick')
      @Timeout(60_000)
      quick(@Signal() signal: AbortSignal) {
        return { aborted: signal.aborted }
      }

      @Get('/fails')
      @Timeout(60_000)
      fails() {
        throw new Conflict('Taken')
      }
    }
    const { ask } = await serveApp({ resources: [Home] })
    const slow = await ask('GET', '/slow')
    expect(slow).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(slow.json()).toMatchObject({ code: 'timeout' })
    expect(reasons).toEqual([expect.objectContaining({ status: 503 })])
    late('too late')
    expect((await ask('GET', '/quick')).json()).toEqual({ aborted: false })
    expect((await ask('GET', '/fails')).status).toBe(409)
  })

  it.each([0, -1, NaN, Infinity, 2 ** 31])('refuses %d at start', (milliseconds) => {
    class Slow {
      get() {
        return 1
      }
    }
    Get()(Slow.prototype, 'get')
    Timeout(milliseconds)(Slow.prototype, 'get')
    Resource('/slow')(Slow)
    expect(() => createApp({ resources: [Slow] })).toThrow(/Slow\.get.*@Timeout/)
  })
})

describe('@RequireMatch()', () => {
  @Resource('/')
  class Home {
    static ran = 0

    @Put('/x')
    @RequireMatch()
    put(@Body() body: Thing) {
      Home.ran++
      return withETag(body, '2')
    }
  }

  it.each([
    [{}, 428],
    [{ 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, 428],
    [{ 'If-Match': '"1"' }, 200],
    [{ 'If-Match': '*' }, 200],
    [{ 'If-None-Match': '*' }, 200],
  ])('PUT /x with %j: %i', async (headers, status) => {
    Home.ran = 0
    const { ask } = await serveApp({ resources: [Home] })
    const answer = await ask('PUT', '/x', { body: { id: 1 }, headers })
    expect([answer.status, Home.ran]).toEqual([status, status === 428 ? 0 : 1])
    if (status === 428) expect(answer.json()).toMatchObject({ code: 'precondition-required' })
  })
})

describe('@Returns, @Throws, @Summary, @Paged: facts of the plan', () => {
  @Resource('/things')
  @Throws(BadRequest)
  class Things {
    @Get()
    @Paged({ max: 5 })
    @Summary('Lists things', 'All of them, in pages')
    @Returns([Thing])
    list() {
      return [{ id: 1 }]
    }

    @Post()
    @Status(201)
    @Returns(Thing, { description: 'the new one' })
    @Returns(Thing, { status: 200, description: 'the old one' })
    @Throws(Conflict, NoSuchResource)
    create(@Body() body: Thing) {
      return body
    }
  }

  it('says all of it', () => {
    const [list, create] = createApp({ resources: [Things] }).plans
    expect(list?.doc).toMatchObject({
      summary: 'Lists things',
      description: 'All of them, in pages',
      throws: [BadRequest],
      answers: [{ status: 200, type: { kind: 'class', class: Thing, list: true } }],
    })
    expect(list?.paging).toMatchObject({ unit: 'things', max: 5, limit: 5 })
    expect(create?.doc).toMatchObject({
      throws: [BadRequest, Conflict, NoSuchResource],
      answers: [
        { status: 201, description: 'the new one' },
        { status: 200, description: 'the old one' },
      ],
    })
  })

  it('plans are frozen', () => {
    const app = createApp({ resources: [Things] })
    for (const plan of app.plans) {
      expect(Object.isFrozen(plan)).toBe(true)
      for (const part of [plan.params, plan.use, plan.around, plan.doc, plan.reply])
        expect(Object.isFrozen(part)).toBe(true)
    }
  })
})

describe('@ErrorHandler(on)', () => {
  class Domain extends Error {}
  @Resource('/')
  class Home {
    @Get('/domain')
    domain() {
      throw new Domain('mine')
    }

    @Get('/bad')
    bad() {
      throw new BadRequest('bad')
    }

    @Get('/busy')
    busy(@Context() ctx: Context) {
      ctx.throw(503)
    }
  }

  class Handlers {
    private readonly name = 'handlers'

    @ErrorHandler(Domain)
    domain(error: Domain) {
      return reply(409, { [this.name]: error.message })
    }

    @ErrorHandler('5xx')
    server() {
      return 'server'
    }

    @ErrorHandler(404)
    missing(_error: unknown, ctx: Context) {
      return { missing: ctx.path }
    }
  }

  it.each([
    ['/domain', 409, '{"handlers":"mine"}'],
    ['/busy', 503, 'server'],
    ['/nowhere', 404, '{"missing":"/nowhere"}'],
    ['/bad', 400, expect.stringContaining('"detail":"bad"') as string],
  ])('GET %s: %i', async (path, status, text) => {
    for (const handlers of [[Handlers], [new Handlers()]]) {
      const { ask } = await serveApp({ resources: [Home], errors: { handlers } })
      expect(await ask('GET', path)).toMatchObject({ status, text })
    }
  })

  it('a class without any is an error at start', () => {
    expect(() => createApp({ errors: { handlers: [Home] } })).toThrow(/Home.*@ErrorHandler/)
  })

  it('comes from `resolve` as well', async () => {
    const resolve = () => new Handlers()
    const { ask } = await serveApp({ resources: [new Home()], errors: { handlers: [Handlers] }, resolve })
    expect((await ask('GET', '/domain')).status).toBe(409)
  })
})

describe('inheritance of facts', () => {
  class Base {
    @Get('/a')
    @Status(202)
    @ResponseHeader('X-Base', 'a')
    @Summary('base')
    a() {
      return 'base a'
    }

    @Get('/b')
    @Status(202)
    b() {
      return 'base b'
    }

    @Get('/c/:id')
    c(@Param('id') id: string) {
      return `base c ${id}`
    }
  }

  @Resource('/x')
  @ResponseHeader('X-Child', 'x')
  class Child extends Base {
    // Adds to what it inherits.
    @Status(203)
    override a() {
      return 'child a'
    }

    // Its own route: nothing of the inherited stays.
    @Get('/bb')
    override b() {
      return 'child b'
    }

    // Code alone: its parameters keep their decorators.
    override c(id: string) {
      return `child c ${id}`
    }
  }

  it('method by method', async () => {
    const { ask } = await serveApp({ resources: [Child] })
    expect(await ask('GET', '/x/a')).toMatchObject({
      status: 203,
      text: 'child a',
      headers: { 'x-base': 'a', 'x-child': 'x' },
    })
    expect((await ask('GET', '/x/b')).status).toBe(404)
    expect(await ask('GET', '/x/bb')).toMatchObject({ status: 200, text: 'child b' })
    expect((await ask('GET', '/x/c/7')).text).toBe('child c 7')
  })

  it('leaves the base as it was', async () => {
    @Resource('/y')
    class Sibling extends Base {}
    const { ask } = await serveApp({ resources: [Child, Sibling] })
    expect(await ask('GET', '/y/a')).toMatchObject({ status: 202, text: 'base a' })
    expect((await ask('GET', '/y/a')).headers['x-child']).toBeUndefined()
    expect((await ask('GET', '/y/b')).text).toBe('base b')
  })
})
