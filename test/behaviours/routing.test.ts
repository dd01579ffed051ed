import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import Router, { type RouterMiddleware } from '@koa/router'
import Koa from 'koa'
import {
  Body,
  ConfigurationError,
  Context,
  Delete,
  Get,
  Head,
  Integer,
  Method,
  NoSuchResource,
  OnNull,
  Options,
  Param,
  Patch,
  Post,
  Put,
  Resource,
  Status,
  Use,
  createApp,
  createRouter,
  created,
  definePlan,
  reply,
  seeOther,
  type AppOptions,
  type Constructor,
  type RoutePlan,
} from 'kumu'
import { PathIndex } from '../../src/route/path-index'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

function serveApp(options: AppOptions): Promise<Served> {
  return serve(createApp({ logger: { error: () => undefined }, ...options }))
}

/** A Koa application of somebody else. */
function hosting(setUp: (app: Koa) => unknown): Koa {
  const app = new Koa()
  app.silent = true
  setUp(app)
  return app
}

/** A plan that answers with its own name and what it captured. */
function plan(method: string, path: string | RegExp, name = `${method} ${String(path)}`): RoutePlan {
  return definePlan({
    id: name,
    method,
    path,
    params: [{ source: 'context' }],
    call: (ctx) => ({ name, params: (ctx as Context).params }),
  })
}

/** All orders of a short list. */
function permutations<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((each, index) => permutations(list.toSpliced(index, 1)).map((rest) => [each, ...rest]))
}

// --- B44 ----------------------------------------------------------------------------------------------------------------

describe('B44: static beats parameter beats pattern beats wildcard, in any order', () => {
  const paths = ['/users/me', '/users/:id', /\/users\/\d\d+|\/users\/x\/y/, '/users/*rest']
  const expected: Array<[path: string, winner: number | undefined, params: Record<string, string>]> = [
    ['/users/me', 0, {}],
    ['/users/me/', 0, {}],
    ['/users/me?x=1', 0, {}],
    ['/users/Me', 1, { id: 'Me' }],
    ['/users/m', 1, { id: 'm' }],
    ['/users/mee', 1, { id: 'mee' }],
    ['/users/42', 1, { id: '42' }],
    ['/users/x/y', 2, {}],
    ['/users/x/z', 3, { rest: 'x/z' }],
    ['/users/me/z', 3, { rest: 'me/z' }],
    ['/users', undefined, {}],
    ['/user', undefined, {}],
    ['/userss/me', undefined, {}],
  ]

  it.each(permutations([0, 1, 2, 3]).map((order) => [order.join(' '), order] as const))(
    'declared %s',
    async (_name, order) => {
      const ran: string[] = []
      const { ask } = await serveApp({
        plans: order.map((at) =>
          definePlan({
            id: String(at),
            method: 'GET',
            path: paths[at] as string | RegExp,
            params: [{ source: 'context' }],
            call: (ctx) => {
              ran.push(String(at))
              return (ctx as Context).params
            },
          }),
        ),
      })
      for (const [path, winner, params] of expected) {
        ran.length = 0
        const answer = await ask('GET', path)
        expect([path, ran]).toEqual([path, winner === undefined ? [] : [String(winner)]])
        if (winner === undefined) expect(answer.status).toBe(404)
        else expect([path, answer.json()]).toEqual([path, params])
      }
    },
  )

  it('holds segment by segment, and goes back where a branch ends', async () => {
    const paths = ['/a/b/c', '/a/:x/d', '/:y/b/e', '/:y/:x/:z', '/a/*rest', '/a/:x.json', '/a/b-:n', '/*all']
    for (const order of [paths, paths.toReversed()]) {
      const { ask } = await serveApp({ plans: order.map((path) => plan('GET', path, path)) })
      const seen = async (path: string) => (await ask('GET', path)).json<{ name: string; params: object }>()
      expect(await seen('/a/b/c')).toMatchObject({ name: '/a/b/c' })
      expect(await seen('/a/b/d')).toMatchObject({ name: '/a/:x/d', params: { x: 'b' } })
      // Left before right: the static /a wins over /:y, though what follows it is a wildcard.
      expect(await seen('/a/b/e')).toMatchObject({ name: '/a/*rest', params: { rest: 'b/e' } })
      expect(await seen('/q/b/e')).toMatchObject({ name: '/:y/b/e', params: { y: 'q' } })
      expect(await seen('/q/r/s')).toMatchObject({ name: '/:y/:x/:z', params: { y: 'q', x: 'r', z: 's' } })
      expect(await seen('/a/q.json')).toMatchObject({ name: '/a/:x.json', params: { x: 'q' } })
      expect(await seen('/a/b-7')).toMatchObject({ name: '/a/b-:n', params: { n: '7' } })
      expect(await seen('/a/1/2/3')).toMatchObject({ name: '/a/*rest', params: { rest: '1/2/3' } })
      expect(await seen('/z/1/2/3')).toMatchObject({ name: '/*all', params: { all: 'z/1/2/3' } })
    }
  })

  it('holds across classes, and exactly one handler runs', async () => {
    const ran: string[] = []
    @Resource('/users')
    class ById {
      @Get('/:id')
      one(@Param('id') id: string) {
        ran.push(`one ${id}`)
        return 'one'
      }
    }
    @Resource('/users/me')
    class Me {
      @Get()
      me() {
        ran.push('me')
        return 'me'
      }
    }
    for (const resources of [
      [ById, Me],
      [Me, ById],
    ]) {
      ran.length = 0
      const { ask } = await serveApp({ resources })
      expect((await ask('GET', '/users/me')).text).toBe('me')
      expect((await ask('GET', '/users/7')).text).toBe('one')
      expect(ran).toEqual(['me', 'one 7'])
    }
  })

  it('holds for each method by itself', async () => {
    const { ask } = await serveApp({
      plans: [plan('GET', '/users/me'), plan('GET', '/users/:id'), plan('DELETE', '/users/:id')],
    })
    expect((await ask('DELETE', '/users/me')).json()).toMatchObject({ params: { id: 'me' } })
    expect((await ask('OPTIONS', '/users/me')).headers.allow).toBe('GET, HEAD, DELETE, OPTIONS')
  })
})

// --- B45, B46 -----------------------------------------------------------------------------------------------------------

describe('B45: middleware of /a never runs for /about', () => {
  it('of a class, of a path of use(), of a router with a prefix', async () => {
    const ran: string[] = []
    const note =
      (name: string): Koa.Middleware =>
      (ctx, next) => {
        ran.push(`${name} ${ctx.path}`)
        return next()
      }
    @Resource('/a')
    @Use(note('class'))
    class A {
      @Get()
      get() {
        return 'a'
      }

      @Get('/b')
      b() {
        return 'b'
      }
    }
    @Resource('/about')
    class About {
      @Get()
      get() {
        return 'about'
      }
    }
    const router = createRouter({ resources: [A, About] })
    router.use('/a', note('use') as RouterMiddleware)
    const sub = createRouter({ plans: [plan('GET', '/x')], prefix: '/a' })
    sub.use(note('sub') as RouterMiddleware)
    const app = hosting((app) => app.use(sub.routes()).use(router.routes()))
    const { ask } = await serve(app)
    for (const path of ['/about', '/ab', '/about/a', '/b/a', '/A', '/', '/%61bout']) await ask('GET', path)
    expect(ran).toEqual([])
    expect((await ask('GET', '/a')).text).toBe('a')
    expect((await ask('GET', '/a/b')).text).toBe('b')
    expect(ran).toEqual(['class /a', 'class /a/b'])
  })

  it('stands before what is declared after it', async () => {
    const ran: string[] = []
    const router = createRouter({})
    router.use('/a', (ctx, next) => {
      ran.push(ctx.path)
      return next()
    })
    router.use(createRouter({ plans: ['/a', '/a/b', '/about', '/a-b'].map((path) => plan('GET', path)) }).routes())
    const { ask } = await serve(hosting((app) => app.use(router.routes())))
    for (const path of ['/a', '/a/b', '/about', '/a-b', '/a/c']) await ask('GET', path)
    expect(ran).toEqual(['/a', '/a/b'])
  })
})

describe('B46: prefix with an empty path, a nested router, a parameter', () => {
  @Resource('/')
  class Root {
    static ran = 0

    @Get()
    root() {
      Root.ran++
      return 'root'
    }

    @Get('/:id')
    one(@Param('id') id: string) {
      Root.ran++
      return `one ${id}`
    }

    @Get('/:id/items')
    items(@Param('id') id: string) {
      Root.ran++
      return `items ${id}`
    }
  }

  const under = async (app: Koa, base: string) => {
    const { ask } = await serve(app)
    Root.ran = 0
    expect((await ask('GET', base || '/')).text).toBe('root')
    if (base) expect((await ask('GET', `${base}/`)).text).toBe('root')
    expect((await ask('GET', `${base}/7`)).text).toBe('one 7')
    expect((await ask('GET', `${base}/7/items`)).text).toBe('items 7')
    expect((await ask('GET', `${base}/7/items/`)).text).toBe('items 7')
    const ran = Root.ran
    for (const child of ['/7/unknown', '/7/items/8', '//7/items', '/7//items']) {
      expect([child, (await ask('GET', base + child)).status]).toEqual([child, 404])
    }
    if (base) for (const other of [`/x${base}`, '/7', '/']) expect((await ask('GET', other)).status).toBe(404)
    if (base && !base.includes('acme'))
      for (const other of [`${base}x`, `${base}x/7`]) expect((await ask('GET', other)).status).toBe(404)
    expect(Root.ran).toBe(ran)
    await closeAll()
  }

  it.each(['', '/api', '/api/v1', '/api/', '/tenants/:tenant', '/a-b.c'])('prefix %j', async (prefix) => {
    const base = prefix.replace(':tenant', 'acme').replace(/\/$/, '')
    await under(createApp({ resources: [Root], prefix }), base)
    await under(
      hosting((app) => app.use(createRouter({ resources: [Root], prefix }).routes())),
      base,
    )
    if (prefix) {
      const inner = createRouter({ resources: [Root] })
      await under(
        hosting((app) => app.use(new Router().use(prefix.replace(/\/$/, ''), inner.routes()).routes())),
        base,
      )
      await under(
        hosting((app) => app.use(createRouter({}).use(prefix.replace(/\/$/, ''), inner.routes()).routes())),
        base,
      )
      await under(
        hosting((app) => app.use(new Router({ prefix: prefix.replace(/\/$/, '') }).use(inner.routes()).routes())),
        base,
      )
      await under(
        hosting((app) => app.use(createRouter({ prefix }).use(inner.routes()).routes())),
        base,
      )
    }
  })

  it('hands a parameter of the prefix to the handler', async () => {
    @Resource('/users')
    class Users {
      @Get('/:id')
      one(@Context() ctx: Context) {
        return ctx.params
      }
    }
    const { ask } = await serveApp({ resources: [Users], prefix: '/tenants/:tenant' })
    expect((await ask('GET', '/tenants/acme/users/7')).json()).toEqual({ tenant: 'acme', id: '7' })
  })

  it('takes a parameter in the path of the class', async () => {
    @Resource('/shops/:shop/employees')
    class Employees {
      @Get('/:id')
      one(@Param('shop', Integer) shop: number, @Param('id') id: string) {
        return { shop, id }
      }

      @Get()
      list(@Param('shop', Integer) shop: number) {
        return { shop }
      }
    }
    const { ask } = await serveApp({ resources: [Employees] })
    expect((await ask('GET', '/shops/3/employees/x')).json()).toEqual({ shop: 3, id: 'x' })
    expect((await ask('GET', '/shops/3/employees')).json()).toEqual({ shop: 3 })
    expect((await ask('GET', '/shops/three/employees')).status).toBe(400)
    expect((await ask('GET', '/shops//employees')).status).toBe(404)
  })
})

// --- B47, B48 -----------------------------------------------------------------------------------------------------------

describe('B47: HEAD on every GET', () => {
  let destroyed = 0
  const endless = () =>
    new Readable({
      read() {
        this.push('x'.repeat(1000))
      },
      destroy(_error, done) {
        destroyed++
        done(null)
      },
    })

  @Resource('/')
  class Home {
    @Get('/text')
    text() {
      return 'häuser'
    }

    @Get('/json')
    json() {
      return { a: [1, 2, 3] }
    }

    @Get('/bytes')
    bytes() {
      return Buffer.alloc(7)
    }

    @Get('/nothing')
    nothing() {
      return undefined
    }

    @Get('/missing')
    missing() {
      throw new NoSuchResource()
    }

    @Get('/teapot')
    @Status(203)
    teapot() {
      return reply(203, 'tea', { 'X-Tea': 'green' })
    }

    @Get('/redirect')
    redirect() {
      return seeOther('/text')
    }

    @Get('/stream')
    stream() {
      return endless()
    }

    @Get('/web')
    web() {
      return new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1000)),
        cancel: () => void destroyed++,
      })
    }

    @Get('/lines')
    async *lines() {
      try {
        for (;;) yield await Promise.resolve(1)
      } finally {
        destroyed++
      }
    }

    @Get('/own')
    own() {
      return 'get'
    }

    @Head('/own')
    head(@Context() ctx: Context) {
      ctx.set('X-Own', 'head')
    }
  }

  it.each(['/text', '/json', '/bytes', '/nothing', '/missing', '/teapot', '/redirect', '/nowhere', '/%zz'])(
    '%s',
    async (path) => {
      const { ask } = await serveApp({ resources: [Home] })
      const get = await ask('GET', path, { headers: { 'X-Request-Id': 'x' } })
      const head = await ask('HEAD', path, { headers: { 'X-Request-Id': 'x' } })
      expect(head.bytes).toHaveLength(0)
      expect(head.status).toBe(get.status)
      const { date: _date, ...expected } = get.headers
      expect(head.headers).toMatchObject(expected)
    },
  )

  it.each(['/stream', '/web', '/lines'])('%s: the source is destroyed', async (path) => {
    const { ask } = await serveApp({ resources: [Home] })
    destroyed = 0
    const head = await ask('HEAD', path)
    expect([head.status, head.bytes.length]).toEqual([200, 0])
    for (let i = 0; i < 20 && destroyed === 0; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(destroyed).toBe(1)
  })

  it('is answered apart where @Head stands', async () => {
    const { ask } = await serveApp({ resources: [Home] })
    const head = await ask('HEAD', '/own')
    expect([head.status, head.headers['x-own']]).toEqual([204, 'head'])
    expect((await ask('GET', '/own')).headers['x-own']).toBeUndefined()
    expect((await ask('OPTIONS', '/own')).headers.allow).toBe('GET, HEAD, OPTIONS')
  })

  it('is 405 where there is no GET', async () => {
    const { ask } = await serveApp({ plans: [plan('POST', '/a'), plan('GET', '/b')] })
    const head = await ask('HEAD', '/a')
    expect([head.status, head.headers.allow, head.bytes.length]).toEqual([405, 'POST, OPTIONS', 0])
  })
})

describe('B48: OPTIONS, 405, 501', () => {
  class Patchy {
    declare a: number
  }
  void Patchy

  @Resource('/things')
  class Things {
    @Get()
    list() {
      return []
    }

    @Post()
    create(@Body(Object) body: unknown) {
      return body
    }

    @Put('/:id')
    replace(@Param('id') id: string) {
      return id
    }

    @Patch('/:id')
    patch(@Param('id') id: string, @Body('a') a: number) {
      return { id, a }
    }

    @Delete('/:id')
    remove() {
      return undefined
    }

    @Method('REPORT', '/:id')
    report(@Param('id') id: string) {
      return `report ${id}`
    }

    @Options('/special')
    options(@Context() ctx: Context) {
      ctx.set('Allow', 'MAGIC')
    }
  }

  const cases: Array<[method: string, path: string, status: number, allow: string | undefined]> = [
    ['OPTIONS', '/things', 204, 'GET, HEAD, POST, OPTIONS'],
    ['OPTIONS', '/things/', 204, 'GET, HEAD, POST, OPTIONS'],
    ['OPTIONS', '/things/1', 204, 'PUT, PATCH, DELETE, OPTIONS, REPORT'],
    ['OPTIONS', '/nowhere', 404, undefined],
    ['OPTIONS', '/things/1/2', 404, undefined],
    ['OPTIONS', '/things/special', 204, 'MAGIC'],
    ['PUT', '/things', 405, 'GET, HEAD, POST, OPTIONS'],
    ['DELETE', '/things', 405, 'GET, HEAD, POST, OPTIONS'],
    ['REPORT', '/things', 405, 'GET, HEAD, POST, OPTIONS'],
    ['GET', '/things/1', 405, 'PUT, PATCH, DELETE, OPTIONS, REPORT'],
    ['HEAD', '/things/1', 405, 'PUT, PATCH, DELETE, OPTIONS, REPORT'],
    ['POST', '/things/1', 405, 'PUT, PATCH, DELETE, OPTIONS, REPORT'],
    ['REPORT', '/things/1', 200, undefined],
    ['PURGE', '/things', 501, 'GET, HEAD, POST, OPTIONS'],
    ['PROPFIND', '/things/1', 501, 'PUT, PATCH, DELETE, OPTIONS, REPORT'],
    ['TRACE', '/things', 501, 'GET, HEAD, POST, OPTIONS'],
    ['PURGE', '/nowhere', 404, undefined],
    ['DELETE', '/nowhere', 404, undefined],
  ]

  const hosts: Record<string, () => Koa> = {
    createApp: () => createApp({ resources: [Things] }),
    createRouter: () => hosting((app) => app.use(createRouter({ resources: [Things] }).routes())),
    'with a later middleware that throws 404': () =>
      hosting((app) =>
        app.use(createRouter({ resources: [Things] }).routes()).use((ctx) => ctx.throw(404, 'nothing here')),
      ),
    'with allowedMethods() of the router': () => {
      const router = createRouter({ resources: [Things] })
      return hosting((app) => app.use(router.routes()).use(router.allowedMethods()))
    },
  }

  describe.each(Object.entries(hosts))('%s', (_host, make) => {
    it.each(cases)('%s %s: %i', async (method, path, status, allow) => {
      const app = make()
      app.silent = true
      const { ask } = await serve(app)
      const answer = await ask(method, path)
      expect([answer.status, answer.headers.allow]).toEqual([status, allow])
      if (status === 204) expect(answer.bytes).toHaveLength(0)
      if ((status === 405 || status === 501) && method !== 'HEAD') {
        expect(answer.json()).toMatchObject({ status, instance: path })
        expect(answer.headers['content-type']).toBe('application/problem+json')
      }
    })
  })

  it('names the bodies that are taken', async () => {
    const { ask } = await serveApp({ resources: [Things] })
    const things = await ask('OPTIONS', '/things')
    expect(things.headers['accept-post']).toContain('application/json')
    expect(things.headers['accept-patch']).toBeUndefined()
    const thing = await ask('OPTIONS', '/things/1')
    expect(thing.headers['accept-patch']).toContain('application/json')
    expect(thing.headers['accept-post']).toBeUndefined()
    expect((await ask('DELETE', '/things')).headers['accept-post']).toContain('application/json')
  })

  it('unites several routers on one prefix', async () => {
    const first = createRouter({ plans: [plan('GET', '/a'), plan('POST', '/b')], prefix: '/api' })
    const second = createRouter({ plans: [plan('PUT', '/a'), plan('REPORT', '/c')], prefix: '/api' })
    const third = createRouter({ plans: [plan('DELETE', '/:any')], prefix: '/api' })
    const app = new Koa()
    app.silent = true
    app.use(first.routes()).use(second.routes()).use(third.routes())
    const { ask } = await serve(app)
    for (const [method, path] of [
      ['GET', '/api/a'],
      ['PUT', '/api/a'],
      ['DELETE', '/api/a'],
      ['POST', '/api/b'],
      ['REPORT', '/api/c'],
    ] as const) {
      expect([method, path, (await ask(method, path)).status]).toEqual([method, path, 200])
    }
    const options = await ask('OPTIONS', '/api/a')
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, PUT, DELETE, OPTIONS'])
    const wrong = await ask('POST', '/api/a')
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD, PUT, DELETE, OPTIONS'])
    const report = await ask('REPORT', '/api/a')
    expect([report.status, report.headers.allow]).toEqual([405, 'GET, HEAD, PUT, DELETE, OPTIONS'])
    const purge = await ask('PURGE', '/api/a')
    expect([purge.status, purge.headers.allow]).toEqual([501, 'GET, HEAD, PUT, DELETE, OPTIONS'])
    expect((await ask('GET', '/api/c')).headers.allow).toBe('DELETE, OPTIONS, REPORT')
  })

  it('lets an application behind the router take a method that the router does not', async () => {
    const app = hosting((app) =>
      app.use(createRouter({ plans: [plan('GET', '/a')] }).routes()).use((ctx) => {
        ctx.body = `behind ${ctx.method}`
      }),
    )
    const { ask } = await serve(app)
    expect((await ask('POST', '/a')).text).toBe('behind POST')
    expect((await ask('OPTIONS', '/a')).text).toBe('behind OPTIONS')
    expect((await ask('GET', '/a')).json()).toMatchObject({ name: 'GET /a' })
  })
})

// --- B49, B50, B51 ------------------------------------------------------------------------------------------------------

describe('B49: a path pattern that is not supported is an error at start', () => {
  const cases: Array<[path: string, cure: RegExp]> = [
    ['/:id(\\d+)', /@Param.*pattern/],
    ['/:id?', /braces/],
    ['/:path*', /\*path/],
    ['/:path+', /\*path/],
    ['/(a|b)', /RegExp/],
    ['/files/*', /\*rest/],
    ['/:', /:id/],
    ['/:1a', /:id/],
    ['/a?', /backslash/],
    ['/a!b', /backslash/],
    ['/{a', /brace/],
    ['/a}', /brace/],
    ['/:id/:id', /own name/],
    ['/a//b', /slash/],
    ['/a#b', /decoded/],
    ['/%zz', /decoded/],
  ]

  it.each(cases)('%s', (path, cure) => {
    class Shop {
      list() {
        return 'x'
      }
    }
    Get(path)(Shop.prototype, 'list')
    Resource('/shop')(Shop)
    const start = () => createApp({ resources: [Shop] })
    expect(start).toThrow(ConfigurationError)
    expect(start).toThrow(cure)
    expect(start).toThrow(/Shop\.list/)
    expect(start).toThrow(`/shop${path}`)
  })

  it.each(cases.filter(([path]) => !/[#%]|\/\//.test(path)))('%s, in a plan of one’s own', (path) => {
    const start = () => createRouter({ plans: [plan('GET', path, 'shop.list')] })
    expect(start).toThrow(ConfigurationError)
    expect(start).toThrow(/shop\.list/)
  })

  it.each(['list', ' /list', 'http://a/b'])('%j does not start with a slash', (path) => {
    class Shop {
      list() {
        return 'x'
      }
    }
    expect(() => Get(path)(Shop.prototype, 'list')).toThrow(/Shop\.list.*slash/)
    expect(() => Resource(path)(Shop)).toThrow(/Shop.*slash/)
    expect(() => plan('GET', path)).toThrow(/slash/)
  })

  it('refuses a parameter that its path has not', () => {
    @Resource('/shop')
    class Shop {
      @Get('/:id')
      one(@Param('key') key: string) {
        return key
      }
    }
    expect(() => createApp({ resources: [Shop] })).toThrow(
      /Shop\.one, parameter 0 \(key\).*"\/shop\/:id".*":?\/?:?key|Shop\.one.*key/,
    )
  })
})

describe('B50: a duplicate is an error at start, the same class twice is not', () => {
  const pairs: Array<[left: string | RegExp, right: string | RegExp]> = [
    ['/a', '/a'],
    ['/a', '/a/'],
    ['/:id', '/:name'],
    ['/a/:id/b', '/a/:x/b'],
    ['/*a', '/*b'],
    ['/a{/:b}', '/a/:c'],
    ['/a{/:b}', '/a'],
    ['/a{/b}', '/a/b'],
    ['/%61', '/a'],
    ['/ü', '/%C3%BC'],
    [/\/a/, /\/a/],
  ]

  it.each(pairs)('%s and %s', (left, right) => {
    for (const [first, second] of [
      [left, right],
      [right, left],
    ] as const) {
      const start = () => createApp({ plans: [plan('GET', first, 'first'), plan('GET', second, 'second')] })
      expect(start).toThrow(ConfigurationError)
      expect(start).toThrow(/second.*GET.*first/s)
    }
    expect(() => createApp({ plans: [plan('GET', left), plan('POST', right)] })).not.toThrow()
  })

  it.each([
    ['/a', '/A', true, false],
    ['/a', '/A', false, true],
    ['/:id', '/a', true, false],
    ['/:id', '/:id.json', true, false],
    ['/:a-:b', '/:a.:b', true, false],
    ['/*rest', '/:id', true, false],
  ])('%s and %s, caseSensitive %j: %j', (left, right, caseSensitive, duplicate) => {
    const start = () => createApp({ plans: [plan('GET', left, 'first'), plan('GET', right, 'second')], caseSensitive })
    if (duplicate) expect(start).toThrow(/second.*first/)
    else expect(start).not.toThrow()
  })

  it('names both methods, of one class and of two', () => {
    class Shop {
      first() {
        return 1
      }
      second() {
        return 2
      }
    }
    Get('/x')(Shop.prototype, 'first')
    Get('/x')(Shop.prototype, 'second')
    Resource('/shop')(Shop)
    expect(() => createApp({ resources: [Shop] })).toThrow(/Shop\.second.*Shop\.first/)
    class Other {
      other() {
        return 3
      }
    }
    Get('/x')(Other.prototype, 'other')
    Resource('/shop')(Other)
    class Single {
      first() {
        return 1
      }
    }
    Get('/x')(Single.prototype, 'first')
    Resource('/shop')(Single)
    expect(() => createApp({ resources: [Single, Other] })).toThrow(/Other\.other.*Single\.first/)
  })

  it('counts the same class once: class, instance, both, several apps', async () => {
    @Resource('/once')
    class Once {
      static made = 0
      ran = 0
      constructor() {
        Once.made++
      }

      @Get()
      get() {
        return { ran: ++this.ran }
      }
    }
    for (const resources of [
      [Once, Once],
      [new Once(), Once],
      [Once, new Once()],
      [new Once(), new Once()],
    ]) {
      const app = createApp({ resources })
      expect(app.plans).toHaveLength(1)
      const { ask } = await serve(app)
      expect((await ask('GET', '/once')).json()).toEqual({ ran: 1 })
      expect((await ask('GET', '/once')).json()).toEqual({ ran: 2 })
    }
    expect(Once.made).toBe(6)
  })
})

describe('B51: inherited routes count, overriding replaces', () => {
  abstract class Base<T> {
    protected abstract rows(): T[]

    @Get()
    list() {
      return { rows: this.rows(), by: this.constructor.name }
    }

    @Get('/count')
    count() {
      return { count: this.rows().length }
    }

    @Delete()
    @Status(202)
    clear() {
      return 'cleared by the base'
    }
  }

  @Resource('/fruits')
  class Fruits extends Base<string> {
    protected rows() {
      return ['apple']
    }

    // Overrides without decorators: same route, new code.
    override count() {
      return { count: -1 }
    }

    // Overrides with its own route: that of the base is gone.
    @Delete('/all')
    override clear() {
      return 'cleared by the fruits'
    }
  }

  @Resource('/stones')
  class Stones extends Base<number> {
    protected rows() {
      return [1, 2]
    }
  }

  it('registers them, each class by itself', async () => {
    const { ask } = await serveApp({ resources: [Fruits, Stones] })
    expect((await ask('GET', '/fruits')).json()).toEqual({ rows: ['apple'], by: 'Fruits' })
    expect((await ask('GET', '/stones')).json()).toEqual({ rows: [1, 2], by: 'Stones' })
    expect((await ask('GET', '/fruits/count')).json()).toEqual({ count: -1 })
    expect((await ask('GET', '/stones/count')).json()).toEqual({ count: 2 })
    expect((await ask('DELETE', '/fruits')).status).toBe(405)
    expect(await ask('DELETE', '/fruits/all')).toMatchObject({ status: 200, text: 'cleared by the fruits' })
    expect(await ask('DELETE', '/stones')).toMatchObject({ status: 202, text: 'cleared by the base' })
    expect((await ask('DELETE', '/stones/all')).status).toBe(404)
  })

  it('shows them in the plans, from which documents are made', () => {
    const { plans } = createApp({ resources: [Fruits, Stones] })
    expect(plans.map(({ id, method, path }) => `${id} ${method} ${String(path)}`).sort()).toEqual([
      'Fruits.clear DELETE /fruits/all',
      'Fruits.count GET /fruits/count',
      'Fruits.list GET /fruits',
      'Stones.clear DELETE /stones',
      'Stones.count GET /stones/count',
      'Stones.list GET /stones',
    ])
  })

  it('does not serve the base, which is no resource', () => {
    expect(() => createApp({ resources: [Base as unknown as Constructor] })).toThrow(/Base.*@Resource/)
  })
})

// --- B52 ----------------------------------------------------------------------------------------------------------------

describe('B52: a fallback cannot overwrite a handled answer', () => {
  @Resource('/')
  class Home {
    @Get('/value')
    value() {
      return 'handled'
    }

    @Get('/empty')
    empty() {
      return undefined
    }

    @Get('/null')
    @OnNull(204)
    nothing() {
      return null
    }

    @Get('/gone')
    gone() {
      throw new NoSuchResource('handled')
    }

    @Get('/own')
    own(@Context() ctx: Context) {
      ctx.respond = false
      ctx.res.statusCode = 404
      ctx.res.end('handled')
    }

    @Get('/404')
    fourOhFour() {
      return reply(404, { handled: true })
    }
  }

  const fallback: Koa.Middleware = (ctx) => {
    ctx.status = 404
    ctx.body = 'fallback'
  }

  it.each([
    ['/value', 200, 'handled'],
    ['/empty', 204, ''],
    ['/null', 204, ''],
    ['/gone', 404, /"detail":"handled"/],
    ['/own', 404, 'handled'],
    ['/404', 404, '{"handled":true}'],
    ['/other', 404, 'fallback'],
  ] as Array<[string, number, string | RegExp]>)('%s: %i', async (path, status, text) => {
    const own = createApp({ resources: [Home] })
    own.use(fallback)
    const foreign = hosting((app) => app.use(createRouter({ resources: [Home] }).routes()).use(fallback))
    for (const app of [own, foreign]) {
      const { ask } = await serve(app)
      const answer = await ask('GET', path)
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.text).toEqual(typeof text === 'string' ? text : expect.stringMatching(text))
    }
  })

  it('nor can a wildcard of the same application', async () => {
    const ran: string[] = []
    const noting = (path: string) => definePlan({ id: path, method: 'GET', path, call: () => void ran.push(path) })
    const { ask } = await serveApp({ plans: [noting('/*all'), noting('/a')] })
    expect((await ask('GET', '/a')).status).toBe(204)
    expect(ran).toEqual(['/a'])
  })
})

// --- B53 ----------------------------------------------------------------------------------------------------------------

describe('B53: void, null and a declared status', () => {
  @Resource('/')
  class Home {
    @Get('/void') getVoid() {}
    @Post('/void') postVoid() {}
    @Get('/later') async later() {
      await Promise.resolve()
    }
    @Get('/null') getNull() {
      return null
    }
    @Put('/null') putNull() {
      return null
    }
    @Delete('/null') async deleteNull() {
      return Promise.resolve(null)
    }
    @Post('/declared') @Status(201) declaredVoid() {}
    @Put('/declared') @Status(202) declaredNull() {
      return null
    }
    @Get('/declared') @Status(203) declaredGet() {
      return null
    }
    @Get('/json-null') @OnNull(200) jsonNull() {
      return null
    }
    @Get('/gone') @OnNull(410) gone() {
      return null
    }
    @Get('/empty') @OnNull(204) empty() {
      return null
    }
    @Post('/created') createdNothing() {
      return created(undefined, '/x')
    }
    @Get('/false') no() {
      return false
    }
    @Get('/zero') zero() {
      return 0
    }
    @Get('/text') text() {
      return ''
    }
    @Get('/reply-null') replyNull() {
      return reply(200, null)
    }
    @Post('/reset') @Status(205) reset() {}
  }

  it.each([
    ['GET', '/void', 204, ''],
    ['POST', '/void', 204, ''],
    ['GET', '/later', 204, ''],
    ['PUT', '/null', 204, ''],
    ['DELETE', '/null', 204, ''],
    ['POST', '/declared', 201, ''],
    ['PUT', '/declared', 202, 'null'],
    ['GET', '/json-null', 200, 'null'],
    ['GET', '/empty', 204, ''],
    ['POST', '/created', 201, ''],
    ['GET', '/false', 200, 'false'],
    ['GET', '/zero', 200, '0'],
    ['GET', '/text', 200, ''],
    ['GET', '/reply-null', 200, 'null'],
    ['POST', '/reset', 205, ''],
  ])('%s %s: %i %j', async (method, path, status, text) => {
    const { ask } = await serveApp({ resources: [Home] })
    const answer = await ask(method, path)
    expect([answer.status, answer.text]).toEqual([status, text])
    if (text === '' && path !== '/text') expect(answer.headers['content-type']).toBeUndefined()
  })

  it.each([
    ['/null', 404],
    ['/declared', 404],
    ['/gone', 410],
  ])('GET %s: %i', async (path, status) => {
    const { ask } = await serveApp({ resources: [Home] })
    expect((await ask('GET', path)).status).toBe(status)
  })
})

// --- B54 ----------------------------------------------------------------------------------------------------------------

describe('B54: matching time is flat', () => {
  const none = { regexp: /x/, names: [] }

  function indexOf(routes: number): PathIndex<number> {
    const index = new PathIndex<number>({ caseSensitive: true, ignoreTrailingSlash: true })
    for (let i = 0; i < routes; i++) {
      index.add(`/resource-${i}/:id/items`, i, none)
      index.add(`/resource-${i}/fixed`, i, none)
    }
    return index
  }

  /** The best of several rounds, in nanoseconds a call: what disturbs a round only makes it longer. */
  function bestTime(find: () => unknown): number {
    let best = Infinity
    for (let round = 0; round < 30; round++) {
      const start = process.hrtime.bigint()
      for (let i = 0; i < 500; i++) find()
      best = Math.min(best, Number(process.hrtime.bigint() - start) / 500)
    }
    return best
  }

  it('from 10 to 1,000 routes: first, middle, last, none', () => {
    const few = indexOf(10)
    const many = indexOf(1000)
    expect(many.find('/resource-999/7/items')).toEqual({ value: 999, params: { id: '7' } })
    const before = bestTime(() => few.find('/resource-5/7/items'))
    for (const path of [
      '/resource-0/7/items',
      '/resource-500/7/items',
      '/resource-999/7/items',
      '/resource-999/fixed',
    ]) {
      expect(many.find(path)).toBeDefined()
      expect([path, bestTime(() => many.find(path)) < 10 * before + 2000]).toEqual([path, true])
    }
    expect(many.find('/resource-1000/7/items')).toBeUndefined()
    expect(bestTime(() => many.find('/resource-1000/7/items'))).toBeLessThan(10 * before + 2000)
  })

  it('and through a whole application', async () => {
    const { ask } = await serveApp({
      plans: Array.from({ length: 1000 }, (_, i) => plan(i % 2 ? 'GET' : 'POST', `/resource-${i}/:id`, `r${i}`)),
    })
    expect((await ask('GET', '/resource-999/7')).json()).toEqual({ name: 'r999', params: { id: '7' } })
    expect((await ask('POST', '/resource-0/x')).json()).toEqual({ name: 'r0', params: { id: 'x' } })
    expect((await ask('GET', '/resource-0/x')).headers.allow).toBe('POST, OPTIONS')
    expect((await ask('GET', '/resource-1000/x')).status).toBe(404)
  })
})

// --- B55 ----------------------------------------------------------------------------------------------------------------

describe('B55: nothing trusts a Host', () => {
  @Resource('/')
  class Home {
    @Get('/host')
    host(@Context() ctx: Context) {
      return { hostname: ctx.hostname }
    }

    @Post('/things')
    create() {
      return created({ id: 1 }, '/things/1')
    }

    @Get('/away')
    away() {
      return seeOther('/host')
    }
  }

  /** A request as it is written. */
  function raw(port: number, head: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(head))
      let text = ''
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      socket.once('error', reject)
      socket.once('close', () => resolve(text))
    })
  }

  const hosts = [
    'evil.example@good.example',
    'good.example:80@evil.example',
    'a@b',
    'evil@[::1]',
    'evil/..',
    'a b',
    'evil\\good',
    '[::1',
    'a:b:c',
    '<x>',
  ]

  it.each(hosts)('%j is 400, in an application of ours and of others', async (host) => {
    const foreign = hosting((app) => app.use(createRouter({ resources: [Home] }).routes()))
    for (const app of [createApp({ resources: [Home] }), foreign]) {
      const { port } = await serve(app)
      const answer = await raw(port, `GET /host HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*"code":"host"/)
      expect(answer).not.toContain('evil')
    }
  })

  it.each([
    ['good.example', 'good.example'],
    ['good.example:8080', 'good.example'],
    ['[::1]:80', '[::1]'],
    ['', ''],
  ])('%j is %j', async (host, hostname) => {
    const { port } = await serveApp({ resources: [Home] })
    const answer = await raw(port, `GET /host HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    expect(answer).toContain(JSON.stringify({ hostname }))
  })

  it('is not what a client says of a proxy, unless the application trusts one', async () => {
    const head = 'GET /host HTTP/1.1\r\nHost: good.example\r\nX-Forwarded-Host: evil@a, b\r\nConnection: close\r\n\r\n'
    const app = createApp({ resources: [Home] })
    const { port } = await serve(app)
    expect(await raw(port, head)).toContain('{"hostname":"good.example"}')
    app.proxy = true
    expect(await raw(port, head)).toMatch(/^HTTP\/1\.1 400 /)
  })

  it.each([...hosts, 'evil.example'])('Location does not take %j', async (host) => {
    const { port } = await serveApp({ resources: [Home] })
    const made = await raw(
      port,
      `POST /things HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    )
    const away = await raw(
      port,
      `GET /away HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n`,
    )
    if (!made.startsWith('HTTP/1.1 400')) expect(/^Location: (.*)$/m.exec(made)?.[1]).toBe('/things/1')
    if (!away.startsWith('HTTP/1.1 400')) expect(/^Location: (.*)$/m.exec(away)?.[1]).toBe('/host')
    expect(made + away).not.toContain('evil')
  })

  it.each(['GET http://evil.example/host HTTP/1.1', 'GET http://evil@good.example/nowhere HTTP/1.1'])(
    '%s',
    async (line) => {
      const { port } = await serveApp({ resources: [Home] })
      const answer = await raw(port, `${line}\r\nHost: good.example\r\nConnection: close\r\n\r\n`)
      expect(answer).not.toContain('evil')
    },
  )
})

// --- B56 ----------------------------------------------------------------------------------------------------------------

describe('B56: trailing slash and case are one setting', () => {
  const paths = ['/', '/a', '/a/:id', '/Big/:id/Small', '/files/*rest']
  const cases: Array<[path: string, strict: string | undefined, sensitive: string | undefined]> = [
    ['/', '/', '/'],
    ['/a', '/a', '/a'],
    ['/a/', undefined, '/a'],
    ['/A', '/a', undefined],
    ['/a/x', '/a/:id', '/a/:id'],
    ['/a/x/', undefined, '/a/:id'],
    ['/A/x', '/a/:id', undefined],
    ['/Big/x/Small', '/Big/:id/Small', '/Big/:id/Small'],
    ['/big/x/small', '/Big/:id/Small', undefined],
    ['/Big/x/Small/', undefined, '/Big/:id/Small'],
    ['/files/a/b', '/files/*rest', '/files/*rest'],
    ['/FILES/A/b', '/files/*rest', undefined],
    ['//', undefined, '/'],
    ['/a//', undefined, undefined],
    ['//a', undefined, undefined],
    ['/%61', '/a', '/a'],
    ['/%41', '/a', undefined],
  ]

  const settings: Array<[options: AppOptions, expected: (each: (typeof cases)[number]) => boolean]> = [
    [{}, ([, , sensitive]) => sensitive !== undefined],
    [{ trailingSlash: 'strict' }, ([, strict, sensitive]) => strict !== undefined && sensitive !== undefined],
    [{ caseSensitive: false }, ([, strict, sensitive]) => strict !== undefined || sensitive !== undefined],
    [{ caseSensitive: false, trailingSlash: 'strict' }, ([, strict]) => strict !== undefined],
  ]

  it.each(settings)('%j', async (options, expected) => {
    const { ask } = await serveApp({ ...options, plans: paths.map((path) => plan('GET', path, path)) })
    for (const each of cases) {
      const [path, strict, sensitive] = each
      const answer = await ask('GET', path)
      const name = answer.status === 200 ? answer.json<{ name: string }>().name : undefined
      expect([path, name]).toEqual([path, expected(each) ? (strict ?? sensitive) : undefined])
    }
  })

  it('never changes the case of a parameter', async () => {
    for (const caseSensitive of [true, false]) {
      const { ask } = await serveApp({ caseSensitive, plans: [plan('GET', '/a/:id'), plan('GET', '/f/*rest')] })
      expect((await ask('GET', '/a/MiXeD')).json()).toMatchObject({ params: { id: 'MiXeD' } })
      expect((await ask('GET', '/f/A/b/C')).json()).toMatchObject({ params: { rest: 'A/b/C' } })
    }
  })

  it('holds for plain routes beside the resources as well', async () => {
    for (const [options, slash, upper] of [
      [{}, 200, 404],
      [{ trailingSlash: 'strict' }, 404, 404],
      [{ caseSensitive: false }, 200, 200],
    ] as const) {
      const router = createRouter({ ...options, plans: [plan('GET', '/a')] })
      router.get('/plain', (ctx) => void (ctx.body = 'plain'))
      const { ask } = await serve(hosting((app) => app.use(router.routes())))
      expect((await ask('GET', '/plain/')).status).toBe(slash)
      expect((await ask('GET', '/a/')).status).toBe(slash)
      expect((await ask('GET', '/PLAIN')).status).toBe(upper)
      expect((await ask('GET', '/A')).status).toBe(upper)
    }
  })
})
