import { IsInt } from 'class-validator'
import { AsyncLocalStorage } from 'node:async_hooks'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa from 'koa'
import {
  Authorize,
  Body,
  Context,
  createApp,
  createRouter,
  definePlan,
  Get,
  Intercept,
  Param,
  Post,
  Query,
  Read,
  Resource,
  Signal,
  State,
  Use,
  type AppOptions,
  type Codec,
  type Constructor,
} from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 1000) throw new Error('It never came')
    await sleep(2)
  }
}

describe('B72: two applications in one process', () => {
  @Resource('/a')
  class A {
    @Get() get() {
      return 'a'
    }
  }
  @Resource('/b')
  class B {
    @Get() get() {
      return 'b'
    }
  }

  it('know their own resources only', async () => {
    const [one, two] = [
      await serve(createApp({ resources: [A] })),
      await serve(createApp({ resources: [B], prefix: '/api' })),
    ]
    const statuses = await Promise.all([
      one.ask('GET', '/a'),
      one.ask('GET', '/b'),
      one.ask('GET', '/api/b'),
      two.ask('GET', '/a'),
      two.ask('GET', '/b'),
      two.ask('GET', '/api/b'),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([200, 404, 404, 404, 404, 200])
    expect([
      createApp({ resources: [A] }).plans.length,
      createApp({ resources: [B, A] }).plans.length,
      createApp().plans.length,
    ]).toEqual([1, 2, 0])
  })

  it('may share a class, with options of their own', async () => {
    let calls = 0
    const count: Koa.Middleware = async (_ctx, next) => {
      calls++
      await next()
    }
    @Resource('/shared')
    @Use(count)
    class Shared {
      @Get() get(@Query('n', Number) n: number) {
        return { n }
      }
    }
    const one = await serve(createApp({ resources: [Shared, Shared], middleware: [count] }))
    const two = await serve(
      createApp({
        resources: [Shared, new Shared()],
        errors: { format: 'text' },
        envelope: 'urest',
        unknownQuery: 'ignore',
      }),
    )
    expect((await one.ask('GET', '/shared?n=1')).text).toBe('{"n":1}')
    expect(calls).toBe(2)
    expect((await two.ask('GET', '/shared?n=1&m=2')).text).toBe('{"success":true,"result":{"n":1}}')
    expect(calls).toBe(3)
    expect((await one.ask('GET', '/shared?n=1&m=2')).headers['content-type']).toBe('application/problem+json')
    expect((await two.ask('GET', '/shared')).headers['content-type']).toBe('text/plain; charset=utf-8')
  })

  it('end apart', async () => {
    const closed: string[] = []
    const of = (name: string) =>
      createApp({
        resources: [
          {
            plans: [definePlan({ id: name, method: 'GET', path: '/', call: () => name })],
            close: () => void closed.push(name),
          },
        ],
      })
    const [one, two] = [of('one'), of('two')]
    const [first, second] = [await serve(one), await serve(two)]
    await one.close(first.server)
    expect([closed, (await second.ask('GET', '/')).text]).toEqual([['one'], 'two'])
  })

  it('one class in two routers of one host runs its middleware once a request', async () => {
    let calls = 0
    @Resource('/x')
    @Use(async (_ctx, next) => {
      calls++
      await next()
    })
    class X {
      @Get() get() {
        return 'x'
      }
    }
    const app = new Koa()
      .use(createRouter({ resources: [X] }).routes())
      .use(createRouter({ resources: [X], prefix: '/v2' }).routes())
    const { ask } = await serve(app)
    expect([(await ask('GET', '/x')).text, calls, (await ask('GET', '/v2/x')).text, calls]).toEqual(
      ['x', 1, 'x', 2].map((value, index) => (index === 1 ? 1 : value)),
    )
    expect(calls).toBe(2)
  })
})

describe('B73: classes are declared freely', () => {
  it.each([1, 2, 3])('the same class name and path, time %i, needs no reset', async (time) => {
    @Resource('/again')
    class Again {
      @Get() get() {
        return { time }
      }
    }
    const { ask } = await serve(createApp({ resources: [Again] }))
    expect((await ask('GET', '/again')).json()).toEqual({ time })
  })

  it('a class that is given to no application is nowhere', async () => {
    @Resource('/nowhere')
    class Nowhere {
      @Get() get() {
        return 'never'
      }
    }
    const { ask } = await serve(createApp())
    expect([Nowhere.name, (await ask('GET', '/nowhere')).status]).toEqual(['Nowhere', 404])
  })

  it('decorators leave nothing behind that keeps a class alive, but on the class', () => {
    const before = Object.keys(globalThis).length
    const classes = Array.from({ length: 50 }, (_, n) => {
      @Resource(`/r${n}`)
      class Each {
        @Get() get() {
          return n
        }
      }
      return Each
    })
    expect(new Set(classes).size).toBe(50)
    expect(Object.keys(globalThis).length).toBe(before)
    // What one class says is not said of the next.
    expect(createApp({ resources: [classes[7] as Constructor] }).plans.map(({ path }) => path)).toEqual(['/r7'])
  })
})

describe('B74: what belongs to a request', () => {
  const Tenant = () => Read(async (ctx) => (await sleep(Number(ctx.query.wait ?? 0)), ctx.get('x-tenant')))

  let made = 0

  @Resource('/tenants')
  class Tenants {
    constructor() {
      made++
    }
    @Get('/:id') async one(
      @Param('id') id: string,
      @Tenant() tenant: string,
      @State('tenant') state: string,
      @Context() ctx: Context,
    ) {
      await sleep(id.length % 3)
      return { id, tenant, state, header: ctx.get('x-tenant') }
    }
  }

  it('stays with it under parallel requests, and one instance serves them all', async () => {
    made = 0
    const remember: Koa.Middleware = async (ctx, next) => {
      ctx.state.tenant = ctx.get('x-tenant')
      await sleep(1)
      await next()
    }
    const { ask } = await serve(createApp({ resources: [Tenants], middleware: [remember], unknownQuery: 'ignore' }))
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const tenant = `t${n}`
        const id = 'i'.repeat(1 + (n % 5)) + n
        const answer = await ask('GET', `/tenants/${id}?wait=${n % 4}`, { headers: { 'X-Tenant': tenant } })
        return [answer.json(), { id, tenant, state: tenant, header: tenant }]
      }),
    )
    for (const [said, expected] of answers) expect(said).toEqual(expected)
    expect(made).toBe(1)
  })

  it('a container is asked once a class, at start', async () => {
    const asked: string[] = []
    const resolve = (Class: Constructor): object => {
      asked.push(Class.name)
      return new Class() as object
    }
    const { ask } = await serve(createApp({ resources: [Tenants], resolve, unknownQuery: 'ignore' }))
    expect(asked).toEqual(['Tenants'])
    for (let n = 0; n < 5; n++) await ask('GET', '/tenants/x', { headers: { 'X-Tenant': 'a' } })
    expect(asked).toEqual(['Tenants'])
  })
})

describe('B75: asynchronous context', () => {
  const storage = new AsyncLocalStorage<{ readonly id: string }>()
  let seen: Record<string, string | undefined> = {}
  const note = (step: string): void => {
    seen[step] = storage.getStore()?.id
  }

  class Numbered {
    @IsInt() n!: number
  }

  const codec: Codec = {
    type: 'application/x-own',
    decode(bytes) {
      note('parser')
      return JSON.parse(bytes.toString()) as unknown
    },
    encode(value) {
      note('encoder')
      return JSON.stringify(value)
    },
  }

  @Resource('/steps')
  class Steps {
    @Post()
    @Use(async (_ctx, next) => (note('middleware'), next()))
    @Authorize((principal) => (note('rule'), principal.id === 'ann'))
    @Intercept(async (_ctx, next) => {
      note('interceptor')
      const result = await next()
      note('after')
      return result
    })
    async take(
      @Body({ n: { type: Number, convert: (value: number) => (note('converter'), value) } }) body: object,
      @Read(async () => (await sleep(1), note('reader'))) _read: unknown,
      @Query('q', { type: String, default: '', pipes: [(value) => (note('pipe'), value)] }) _q: string,
    ) {
      note('handler')
      await sleep(1)
      note('later')
      return body
    }
    @Post('/class') classed(@Body() body: Numbered) {
      note('handler')
      return body
    }
    @Get('/stream') async *stream() {
      note('stream')
      yield 1
      await sleep(1)
      note('stream later')
      yield 2
    }
  }

  const options: AppOptions = {
    resources: [Steps],
    codecs: [codec],
    middleware: [(ctx, next) => storage.run({ id: ctx.get('x-id') }, next)],
    auth: { verify: async () => (await sleep(1), note('verifier'), { id: 'ann' }) },
    pipes: [(value) => (note('own pipe'), value)],
  }

  beforeEach(() => {
    seen = {}
  })

  const steps = [
    'middleware',
    'verifier',
    'rule',
    'parser',
    'own pipe',
    'converter',
    'reader',
    'pipe',
    'interceptor',
    'handler',
    'later',
    'after',
    'encoder',
  ]

  it('is the same in parser, guard, pipe, interceptor and handler', async () => {
    const { ask } = await serve(createApp(options))
    const headers = {
      'Content-Type': 'application/x-own',
      'X-Id': '7',
      Authorization: 'any',
      Accept: 'application/x-own',
    }
    expect((await ask('POST', '/steps?q=x', { body: '{"n":1}', headers })).text).toBe('{"n":1}')
    expect(seen).toEqual(Object.fromEntries(steps.map((step) => [step, '7'])))
  })

  it('also where the body comes in pieces, later than everything else', async () => {
    const { port } = await serve(createApp(options))
    const outgoing = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/steps?q=x',
      headers: { 'Content-Type': 'application/x-own', 'X-Id': '8', Authorization: 'any', Accept: 'application/x-own' },
    })
    outgoing.write('{"n"')
    await until(() => 'rule' in seen)
    await sleep(5)
    outgoing.write(':1')
    await sleep(5)
    outgoing.end('}')
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    response.resume()
    expect(response.statusCode).toBe(200)
    expect(seen).toEqual(Object.fromEntries(steps.map((step) => [step, '8'])))
  })

  it('and in a stream that is still being read', async () => {
    const { ask } = await serve(createApp({ ...options, auth: undefined, resources: [StreamOnly] }))
    expect((await ask('GET', '/stream', { headers: { 'X-Id': '9' } })).text).toBe('1\n2\n')
    expect(seen).toEqual({ stream: '9', 'stream later': '9' })
  })

  @Resource('/stream')
  class StreamOnly {
    @Get() stream() {
      return new Steps().stream()
    }
  }

  it('Koa’s own store works as well', async () => {
    const app = createApp({
      plans: [
        definePlan({
          id: 'it',
          method: 'GET',
          path: '/',
          call: async () => (
            await sleep(1),
            (app as Koa & { currentContext?: Koa.Context }).currentContext?.path ?? 'none'
          ),
        }),
      ],
    })
    Object.assign(app, { ctxStorage: new AsyncLocalStorage() })
    const { ask } = await serve(app)
    expect((await ask('GET', '/')).text).toBe('/')
  })
})

describe('B76: start-up', () => {
  class Dto {
    @IsInt() a!: number
    @IsInt() b!: number
  }

  /** A controller with ten routes, as decorators make it. */
  function controller(n: number, heavy?: object): object {
    class Each {
      readonly provider = heavy
    }
    const prototype = Each.prototype as unknown as Record<string, unknown>
    for (let route = 0; route < 10; route++) {
      const name = `method${route}`
      prototype[name] = (): unknown => ({ n, route })
      if (route % 2 === 0) Get(`/r${route}/:id`)(prototype, name)
      else Post(`/r${route}/:id`)(prototype, name)
      Param('id', String)(prototype, name, 0)
      if (route % 2 === 1) Body(Dto)(prototype, name, 1)
    }
    Resource(`/c${n}`)(Each)
    return new Each()
  }

  it('of 100 controllers and 1,000 routes takes less than two seconds', async () => {
    const resources = Array.from({ length: 100 }, (_, n) => controller(n))
    const start = performance.now()
    const app = createApp({ resources })
    const { ask } = await serve(app)
    const answer = await ask('GET', '/c99/r8/x')
    const took = performance.now() - start
    expect([app.plans.length, answer.json()]).toEqual([1000, { n: 99, route: 8 }])
    expect(took).toBeLessThan(2000)
  })

  it('looks at no value that a resource holds', () => {
    let looked = 0
    const heavy = new Proxy(
      {},
      {
        get: () => (looked++, undefined),
        ownKeys: () => (looked++, []),
        getPrototypeOf: () => (looked++, null),
        getOwnPropertyDescriptor: () => (looked++, undefined),
        has: () => (looked++, false),
      },
    )
    createApp({ resources: [controller(0, heavy)] })
    expect(looked).toBe(0)
  })
})

describe('B77: the end', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  afterAll(() => agent.destroy())

  function house(): { app: ReturnType<typeof createApp>; record: string[]; finish: () => void } {
    const record: string[] = []
    let finish = (): void => undefined
    const gate = new Promise<void>((resolve) => (finish = resolve))
    @Resource('/')
    class House {
      @Get('/quick') quick() {
        return 'quick'
      }
      @Get('/slow') async slow() {
        record.push('began')
        await gate
        record.push('finished')
        return 'slow'
      }
      @Get('/events') async *events(@Signal() signal: AbortSignal) {
        record.push('listening')
        try {
          yield 'first'
          await once(signal, 'abort')
        } finally {
          record.push('left')
        }
      }
    }
    const store = {
      plans: [definePlan({ id: 'store', method: 'GET', path: '/store', call: () => 'store' })],
      close: async () => (await sleep(1), void record.push('closed')),
    }
    return { app: createApp({ resources: [House, store] }), record, finish }
  }

  async function open(
    port: number,
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ outgoing: ClientRequest; response: IncomingMessage }> {
    const outgoing = request({ port, host: '127.0.0.1', path, headers, agent: new Agent({ keepAlive: true }) })
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    return { outgoing, response }
  }

  it('new connections are refused, what is in flight is finished and its connection closed, events end, then stores close', async () => {
    const { app, record, finish } = house()
    const { ask, port, server } = await serve(app)
    expect((await ask('GET', '/quick', { agent })).text).toBe('quick')
    const slow = ask('GET', '/slow')
    const { response } = await open(port, '/events', { Accept: 'text/event-stream' })
    const ended = once(response.resume(), 'end')
    await until(() => record.includes('began') && record.includes('listening'))

    const start = performance.now()
    const closed = app.close(server)
    await ended
    expect(response.complete).toBe(true)
    const refused = connect({ port, host: '127.0.0.1' })
    expect(((await once(refused, 'error').catch((error: unknown) => [error])) as [NodeJS.ErrnoException])[0].code).toBe(
      'ECONNREFUSED',
    )
    expect(record).not.toContain('closed')
    finish()
    const last = await slow
    expect([last.status, last.text, last.headers.connection]).toEqual([200, 'slow', 'close'])
    await closed
    expect(record.slice(-2)).toEqual(['finished', 'closed'])
    expect(record).toContain('left')
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('twice is once', async () => {
    const { app, record } = house()
    const { server } = await serve(app)
    await Promise.all([app.close(server), app.close(server), app.close()])
    await app.close(server)
    expect(record).toEqual(['closed'])
  })

  it('without a server only ends what does not end by itself, and closes', async () => {
    const { app, record } = house()
    const { port, ask } = await serve(app)
    const { response } = await open(port, '/events', { Accept: 'text/event-stream' })
    const ended = once(response.resume(), 'end')
    await app.close()
    await ended
    expect(record).toEqual(['listening', 'closed', 'left'].sort((a, b) => record.indexOf(a) - record.indexOf(b)))
    // The server is the caller's: what still comes in is answered, and its connection closed.
    expect((await ask('GET', '/quick', { agent })).headers.connection).toBe('close')
  })

  it('an idle connection holds up nothing', async () => {
    const { app } = house()
    const { ask, server } = await serve(app)
    const own = new Agent({ keepAlive: true })
    await ask('GET', '/quick', { agent: own })
    const start = performance.now()
    await app.close(server)
    expect(performance.now() - start).toBeLessThan(1000)
    own.destroy()
  })

  it('a client that stays connected to a stream that had begun holds up nothing', async () => {
    const { app } = house()
    const { port, server } = await serve(app)
    const { response } = await open(port, '/events', { Accept: 'application/x-ndjson' })
    await once(response, 'data')
    response.resume()
    const start = performance.now()
    await app.close(server)
    expect(performance.now() - start).toBeLessThan(1000)
  })

  it('a store that fails to close is told of', async () => {
    const app = createApp({
      resources: [
        {
          plans: [definePlan({ id: 'it', method: 'GET', path: '/', call: () => '' })],
          close: () => Promise.reject(new Error('disk gone')),
        },
      ],
    })
    await expect(app.close()).rejects.toMatchObject({ errors: [{ message: 'disk gone' }] })
  })

  it('SIGTERM ends a process in order, with status 0', async () => {
    const root = join(__dirname, '../..')
    const entry = process.env.KUMU_TEST_BUILD === '1' ? './dist/index.js' : './src/index.ts'
    const script = `
      const { createServer } = require('node:http')
      const { setTimeout: sleep } = require('node:timers/promises')
      const { createApp, definePlan } = require('${entry}')
      const slow = async () => (console.log('began'), await sleep(50), 'slow')
      const events = async function* () { yield 'first'; await sleep(60_000); }
      const app = createApp({ plans: [
        definePlan({ id: 'slow', method: 'GET', path: '/slow', call: slow }),
        definePlan({ id: 'events', method: 'GET', path: '/events', call: events, reply: { produces: ['text/event-stream'] } }),
      ], resources: [{ plans: [], close: () => console.log('closed') }] })
      const server = createServer(app.callback())
      process.once('SIGTERM', () => app.close(server).then(() => process.exit(0)))
      server.listen(0, '127.0.0.1', () => console.log(server.address().port))`
    const child = spawn(process.execPath, ['-r', 'tsx/cjs', '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    await once(child.stdout, 'data')
    const port = Number.parseInt(output)
    const { response } = await open(port, '/events')
    const ended = once(response.resume(), 'end')
    const slow = open(port, '/slow')
    while (!output.includes('began')) await once(child.stdout, 'data')
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    expect((await slow).response.headers.connection).toBe('close')
    await ended
    expect(await exited).toEqual([0, null])
    expect(output.trim().split('\n').slice(1)).toEqual(['began', 'closed'])
  })
})
