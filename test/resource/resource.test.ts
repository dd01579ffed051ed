import type Koa from 'koa'
import {
  Atomic,
  Authorize,
  Body,
  ConfigurationError,
  Consumes,
  Context,
  Delete,
  Get,
  Integer,
  Intercept,
  Limit,
  Open,
  Param,
  Post,
  Produces,
  Put,
  Query,
  Resource,
  ServiceUnavailable,
  Tag,
  UnknownQuery,
  Use,
  Version,
  createApp,
  createRouter,
  type AppOptions,
  type Constructor,
  type Interceptor,
} from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

function serveApp(options: AppOptions): Promise<Served> {
  return serve(createApp({ logger: { error: () => undefined }, ...options }))
}

const noting =
  (notes: string[], name: string): Koa.Middleware =>
  async (_ctx, next) => {
    notes.push(`>${name}`)
    await next()
    notes.push(`<${name}`)
  }

describe('@Resource(path, options)', () => {
  it('is the root', async () => {
    @Resource('/')
    class Home {
      @Get()
      get() {
        return 'home'
      }
    }
    const { ask } = await serveApp({ resources: [Home] })
    expect((await ask('GET', '/')).text).toBe('home')
  })

  it('is a RegExp on the whole path', async () => {
    @Resource(/\/(\d+)|\/number/)
    class Numbers {
      @Get()
      get(@Context() ctx: Context) {
        return ctx.params
      }

      @Delete('/')
      remove(@Param('0', Integer) n: number) {
        return { n }
      }
    }
    const { ask } = await serveApp({ resources: [Numbers] })
    expect((await ask('GET', '/42')).json()).toEqual({ 0: '42' })
    expect((await ask('GET', '/number')).json()).toEqual({})
    expect((await ask('DELETE', '/42')).json()).toEqual({ n: 42 })
    for (const path of ['/x/42', '/42x', '/number/', '/']) expect((await ask('GET', path)).status).toBe(404)
  })

  it('takes no path of a method behind a RegExp', () => {
    class Numbers {
      get() {
        return 1
      }
    }
    Get('/more')(Numbers.prototype, 'get')
    Resource(/\/\d+/)(Numbers)
    expect(() => createApp({ resources: [Numbers] })).toThrow(/Numbers\.get.*RegExp.*"\/more"/)
  })

  it('names plans after the class, or by `id`, and tags by `name`', () => {
    @Resource('/a', { id: 'things', name: 'stuff' })
    class Named {
      @Get()
      get() {
        return 1
      }
    }
    @Resource('/b')
    class Plain {
      @Get()
      @Post('/more')
      both() {
        return 1
      }
    }
    const { plans, router } = createApp({ resources: [Named, Plain] })
    expect(plans.map(({ id, doc }) => [id, doc.tags])).toEqual([
      ['things.get', ['stuff']],
      ['Plain.both', ['Plain']],
      ['Plain.both.2', ['Plain']],
    ])
    expect(router.url('things.get', {})).toBe('/a')
  })

  it('serves what a class inherits its path from', async () => {
    @Resource('/base')
    class Base {
      @Get()
      get() {
        return 'base'
      }
    }
    class Child extends Base {
      override get() {
        return 'child'
      }
    }
    @Resource('/moved')
    class Moved extends Base {}
    const { ask } = await serveApp({ resources: [Child, Moved] })
    expect((await ask('GET', '/base')).text).toBe('child')
    expect((await ask('GET', '/moved')).text).toBe('base')
  })
})

describe('what makes no resource is an error at start', () => {
  class Bare {
    get() {
      return 1
    }
  }
  @Resource('/none')
  class Empty {}
  class NoResource {
    get() {
      return 1
    }
  }
  Get()(NoResource.prototype, 'get')
  @Resource('/p')
  class AsProperty {
    declare get: () => number
  }
  Get()(AsProperty.prototype, 'get')
  @Resource('/args')
  class WantsArguments {
    constructor(
      readonly db: object,
      readonly log: object,
    ) {}

    @Get()
    get() {
      return 1
    }
  }
  @Resource('/bare')
  class BareParameter {
    @Get()
    get(id: string) {
      return id
    }
  }

  const cases: Array<[name: string, resource: object | Constructor, message: RegExp]> = [
    ['a class without @Resource', NoResource, /NoResource.*@Resource/],
    ['a class without anything', Bare, /Bare.*@Resource/],
    ['a class without operations', Empty, /Empty.*no operation.*@Get/],
    ['a method that is a property', AsProperty, /AsProperty\.get.*method/],
    ['a class that wants arguments', WantsArguments, /WantsArguments.*2 arguments.*new WantsArguments/],
    ['a parameter without a decorator', BareParameter, /BareParameter\.get, parameter 0.*decorator/],
    ['a plain object', { get: () => 1 }, /plain object/],
    ['an object without prototype', Object.create(null) as object, /plain object/],
  ]

  it.each(cases)('%s', (_name, resource, message) => {
    for (const make of [createApp, createRouter]) {
      expect(() => make({ resources: [resource] })).toThrow(ConfigurationError)
      expect(() => make({ resources: [resource] })).toThrow(message)
    }
  })

  it.each([
    ['a class decorator of methods', () => Get()(Bare as never, undefined as never)],
    ['a static method', () => Get()(Bare, 'get')],
    ['a parameter of the constructor', () => Param('id')(Bare, undefined, 0)],
    ['a parameter of a static method', () => Query('q')(Bare, 'get', 0)],
    ['a path without a slash', () => Resource('users')(Bare)],
  ])('%s is refused where it is written', (_name, write) => {
    expect(write).toThrow(ConfigurationError)
    expect(write).toThrow(/Bare/)
  })

  it('standard decorators are refused, with the option to set', () => {
    const context = { kind: 'method', name: 'get' } as never
    for (const write of [
      () => Get()(() => 1, context),
      () => Use()(() => 1, context),
      () => (Param('id') as (...args: unknown[]) => void)(() => 1, context, 0),
      () => (Resource('/') as (...args: unknown[]) => void)(Bare, { kind: 'class', name: 'Bare' }),
    ]) {
      expect(write).toThrow(ConfigurationError)
      expect(write).toThrow(/experimentalDecorators/)
    }
  })
})

describe('resolve', () => {
  class Db {
    readonly rows = ['a']
  }
  @Resource('/rows')
  class Rows {
    constructor(private readonly db: Db) {}

    @Get()
    list() {
      return this.db.rows
    }
  }

  it('makes the instances, once each, of classes alone', async () => {
    const asked: unknown[] = []
    const resolve = (Class: Constructor): object => {
      asked.push(Class)
      return new Class(new Db()) as object
    }
    const { ask } = await serveApp({ resources: [Rows, Rows], resolve })
    expect((await ask('GET', '/rows')).json()).toEqual(['a'])
    expect((await ask('GET', '/rows')).json()).toEqual(['a'])
    expect(asked).toEqual([Rows])
    createApp({ resources: [new Rows(new Db())], resolve })
    expect(asked).toEqual([Rows])
  })

  it('passes on what a container throws', () => {
    const resolve = (): object => {
      throw new RangeError('not bound')
    }
    expect(() => createApp({ resources: [Rows], resolve })).toThrow(RangeError)
  })
})

describe('@Use(...middleware)', () => {
  it('runs class before method, outermost first, before anything is read', async () => {
    const notes: string[] = []
    @Resource('/things')
    @Use(noting(notes, 'class 1'), noting(notes, 'class 2'))
    @Use(noting(notes, 'class 3'))
    class Things {
      @Post()
      @Use(noting(notes, 'method 1'))
      @Use(noting(notes, 'method 2'))
      create(@Body(Object) body: unknown) {
        notes.push('handler')
        return body
      }
    }
    const { ask } = await serveApp({ resources: [Things] })
    await ask('POST', '/things', { body: {} })
    const all = ['class 1', 'class 2', 'class 3', 'method 1', 'method 2']
    expect(notes).toEqual([...all.map((name) => `>${name}`), 'handler', ...all.reverse().map((name) => `<${name}`)])
    notes.length = 0
    await ask('POST', '/things', { body: '{', headers: { 'Content-Type': 'application/json' } })
    expect(notes).toEqual(['>class 1', '>class 2', '>class 3', '>method 1', '>method 2'])
  })

  it('may answer by itself, and changes what is written', async () => {
    @Resource('/')
    class Home {
      static ran = 0

      @Get('/short')
      @Use((ctx) => {
        ctx.body = 'short'
      })
      short() {
        Home.ran++
      }

      @Get('/after')
      @Use(async (ctx, next) => {
        await next()
        ctx.set('X-Was', String(ctx.body))
        ctx.body = 'changed'
      })
      after() {
        return 'value'
      }

      @Get('/twice')
      @Use(async (_ctx, next) => {
        await next()
        await next()
      })
      twice() {
        Home.ran++
      }
    }
    const { ask } = await serveApp({ resources: [Home] })
    expect((await ask('GET', '/short')).text).toBe('short')
    const after = await ask('GET', '/after')
    expect([after.headers['x-was'], after.text]).toEqual(['value', 'changed'])
    expect(Home.ran).toBe(0)
    expect((await ask('GET', '/twice')).status).toBe(500)
    expect(Home.ran).toBe(1)
  })
})

describe('@Intercept(...interceptors)', () => {
  it('sees and changes the result, class outside method', async () => {
    const wrap =
      (name: string): Interceptor =>
      async (_ctx, next) => ({ [name]: await next() })
    @Resource('/')
    @Intercept(wrap('a'), wrap('b'))
    class Home {
      @Get('/value')
      @Intercept(wrap('c'))
      value() {
        return 1
      }

      @Get('/error')
      @Intercept(async (_ctx, next) => {
        try {
          return await next()
        } catch (error) {
          return (error as Error).message
        }
      })
      error() {
        throw new Error('mended')
      }

      @Get('/undefined')
      @Intercept(() => Promise.reject(new ServiceUnavailable()))
      never() {
        return 1
      }
    }
    const { ask } = await serveApp({ resources: [Home] })
    expect((await ask('GET', '/value')).json()).toEqual({ a: { b: { c: 1 } } })
    expect((await ask('GET', '/error')).json()).toEqual({ a: { b: 'mended' } })
    expect((await ask('GET', '/undefined')).status).toBe(503)
  })
})

describe('@Version(name)', () => {
  @Resource('/things')
  @Version('v1')
  class Things {
    @Get()
    list() {
      return 'v1'
    }

    @Get()
    @Version('v2')
    list2() {
      return 'v2'
    }
  }

  it('stands before the path, behind the prefix; a method’s wins', async () => {
    const { ask } = await serveApp({ resources: [Things], prefix: '/api' })
    expect((await ask('GET', '/api/v1/things')).text).toBe('v1')
    expect((await ask('GET', '/api/v2/things')).text).toBe('v2')
    expect((await ask('GET', '/api/things')).status).toBe(404)
    expect(createApp({ resources: [Things] }).plans.map(({ doc }) => doc.version)).toEqual(['v1', 'v2'])
  })
})

describe('@Tag(...names)', () => {
  it('adds up, class first, and replaces the class’s name', () => {
    @Resource('/')
    @Tag('one', 'two')
    @Tag('three')
    class Home {
      @Get('/a')
      @Tag('four')
      a() {
        return 1
      }

      @Get('/b')
      b() {
        return 1
      }
    }
    const { plans } = createApp({ resources: [Home] })
    expect(plans.map(({ doc }) => doc.tags)).toEqual([
      ['one', 'two', 'three', 'four'],
      ['one', 'two', 'three'],
    ])
  })
})

describe('@Authorize, @Open', () => {
  class Guarded {
    get() {
      return 'in'
    }
    open() {
      return 'open'
    }
  }
  Get()(Guarded.prototype, 'get')
  Get('/open')(Guarded.prototype, 'open')
  Open()(Guarded.prototype, 'open')
  Resource('/')(Guarded)
  Authorize('admin')(Guarded)

  it('without `auth` is an error at start', () => {
    expect(() => createApp({ resources: [Guarded] })).toThrow(ConfigurationError)
    expect(() => createApp({ resources: [Guarded] })).toThrow(/Guarded\.get.*auth: \{ verify \}/)
  })

  it('the method’s word wins over the class’s', async () => {
    const { ask } = await serveApp({ resources: [Guarded], auth: { verify: () => ({ id: 'a', roles: ['admin'] }) } })
    expect((await ask('GET', '/')).status).toBe(401)
    expect((await ask('GET', '/', { headers: { Authorization: 'x' } })).text).toBe('in')
    expect((await ask('GET', '/open')).text).toBe('open')
  })
})

describe('@Produces, @Consumes', () => {
  @Resource('/')
  @Produces('application/json')
  class Home {
    @Get('/a')
    a() {
      return { a: 1 }
    }

    @Get('/b')
    @Produces('Application/XML', 'application/json')
    b() {
      return { b: 1 }
    }

    @Get('/text')
    @Produces('text/csv')
    text() {
      return 'a,b'
    }

    @Post('/in')
    @Consumes('Application/JSON')
    take(@Body(Object) body: unknown) {
      return { body }
    }

    @Post('/vendor')
    @Consumes('application/vnd.acme+json')
    vendor(@Body(Object) body: unknown) {
      return { body }
    }
  }

  it.each([
    ['/a', undefined, 200, 'application/json; charset=utf-8'],
    ['/a', 'application/xml', 406, undefined],
    ['/b', undefined, 200, 'application/xml; charset=utf-8'],
    ['/b', 'application/json', 200, 'application/json; charset=utf-8'],
    ['/text', undefined, 200, 'text/csv; charset=utf-8'],
    ['/text', 'text/plain', 406, undefined],
  ])('GET %s, Accept: %s', async (path, accept, status, type) => {
    const { ask } = await serveApp({ resources: [Home] })
    const answer = await ask('GET', path, { headers: accept ? { Accept: accept } : {} })
    expect(answer.status).toBe(status)
    if (type) expect(answer.headers['content-type']).toBe(type)
  })

  it.each([
    ['/in', 'application/json', 200],
    ['/in', 'application/vnd.acme+json', 415],
    ['/in', 'application/xml', 415],
    ['/vendor', 'application/vnd.acme+json', 200],
    ['/vendor', 'application/json', 415],
  ])('POST %s, Content-Type: %s: %i', async (path, type, status) => {
    const { ask } = await serveApp({ resources: [Home] })
    const answer = await ask('POST', path, { body: '{"a":1}', headers: { 'Content-Type': type } })
    expect(answer.status).toBe(status)
    if (status === 415) expect(answer.headers['accept-post']).toBeDefined()
    else expect(answer.json()).toEqual({ body: { a: 1 } })
  })
})

describe('@Limit(limits)', () => {
  it('the method’s over the class’s over the application’s', async () => {
    @Resource('/')
    @Limit({ body: 50, depth: 3 })
    class Home {
      @Post('/class')
      small(@Body(Object) body: unknown) {
        return body
      }

      @Post('/method')
      @Limit({ body: 200 })
      larger(@Body(Object) body: unknown) {
        return body
      }
    }
    @Resource('/app')
    class Other {
      @Post()
      app(@Body(Object) body: unknown) {
        return body
      }
    }
    const { ask } = await serveApp({ resources: [Home, Other], limits: { body: 100 } })
    const statuses = async (size: number) => {
      const body = { a: 'x'.repeat(size - 8) }
      return Promise.all(['/class', '/app', '/method'].map(async (path) => (await ask('POST', path, { body })).status))
    }
    expect(await statuses(50)).toEqual([200, 200, 200])
    expect(await statuses(51)).toEqual([413, 200, 200])
    expect(await statuses(100)).toEqual([413, 200, 200])
    expect(await statuses(101)).toEqual([413, 413, 200])
    expect(await statuses(201)).toEqual([413, 413, 413])
    expect((await ask('POST', '/method', { body: [[[[1]]]] })).status).toBe(400)
    expect((await ask('POST', '/app', { body: [[[[1]]]] })).status).toBe(200)
  })
})

describe('@UnknownQuery(policy)', () => {
  @Resource('/')
  @UnknownQuery('ignore')
  class Home {
    @Get('/a')
    a(@Query('n', Integer) n: number) {
      return { n }
    }

    @Get('/b')
    @UnknownQuery('refuse')
    b(@Query('n', Integer) n: number) {
      return { n }
    }

    @Get('/c')
    c() {
      return 'c'
    }
  }

  it.each([
    ['/a?n=1&x=2', 200],
    ['/a?n=1&__proto__=2', 200],
    ['/b?n=1&x=2', 400],
    ['/b?n=1&__proto__=2', 400],
    ['/b?n=1', 200],
    ['/c?x=1', 200],
  ])('GET %s: %i', async (path, status) => {
    const { ask } = await serveApp({ resources: [Home] })
    expect((await ask('GET', path)).status).toBe(status)
  })
})

describe('@Atomic()', () => {
  it.each([-1, NaN, Infinity])('refuses to wait %d at start', (wait) => {
    class Slow {
      get() {
        return 1
      }
    }
    Get()(Slow.prototype, 'get')
    Atomic({ wait })(Slow.prototype, 'get')
    Resource('/slow')(Slow)
    expect(() => createApp({ resources: [Slow] })).toThrow(/Slow\.get.*@Atomic/)
  })

  it('orders the writers of one path, and lets others pass', async () => {
    let inside = 0
    let most = 0
    const free: Array<() => void> = []
    @Resource('/counters')
    @Atomic()
    class Counters {
      @Put('/:id')
      async put(@Param('id') id: string) {
        most = Math.max(most, ++inside)
        await new Promise<void>((resolve) => free.push(resolve))
        inside--
        return id
      }
    }
    const { ask } = await serveApp({ resources: [Counters] })
    const answers = ['/counters/a', '/counters/a?x', '/counters/a/', '/counters/b'].map((path) => ask('PUT', path))
    while (free.length < 2) await new Promise((resolve) => setImmediate(resolve))
    expect(inside).toBe(2)
    let done = false
    const all = Promise.all(answers).finally(() => (done = true))
    while (!done) {
      free.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await all).map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(most).toBe(2)
  })
})
