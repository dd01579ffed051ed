import { once } from 'node:events'
import { Agent, createServer, request, type Server } from 'node:http'
import { connect } from 'node:net'
import Router from '@koa/router'
import Koa from 'koa'
import {
  App,
  BadRequest,
  Body,
  ConfigurationError,
  Context,
  Get,
  NoSuchResource,
  Param,
  Post,
  Put,
  Resource,
  Signal,
  createApp,
  createRouter,
  definePlan,
  errorToStatus,
  event,
  type Codec,
  type Logger,
  type Pipe,
  type PlanSet,
} from 'kumu'
import { closeAll, serve } from './support/serve'

afterEach(closeAll)

const quiet: Logger = { error: () => undefined }

@Resource('/things')
class Things {
  readonly rows: unknown[] = []

  @Get()
  list() {
    return { rows: this.rows }
  }

  @Post()
  create(@Body(Object) body: unknown) {
    this.rows.push(body)
    return body
  }

  @Get('/:id')
  one(@Param('id') id: string) {
    if (id === 'missing') throw new NoSuchResource('There is no such thing')
    if (id === 'boom') throw new Error('secret')
    return `thing ${id}`
  }
}

/** A server of Node's own with the application's callback. */
function serverOf(app: Koa): Server {
  const handle = app.callback()
  return createServer((req, res) => void handle(req, res))
}

/** A handler that waits until it is let go. */
function gate(): { readonly entered: Promise<void>; wait(): Promise<void>; open(): void } {
  let open: () => void = () => undefined
  let enter: () => void = () => undefined
  const opened = new Promise<void>((resolve) => (open = resolve))
  const entered = new Promise<void>((resolve) => (enter = resolve))
  return {
    entered,
    wait() {
      enter()
      return opened
    },
    open: () => open(),
  }
}

describe('createApp(options)', () => {
  it('is a Koa application with its plans', async () => {
    const app = createApp({ resources: [Things] })
    expect(app).toBeInstanceOf(Koa)
    expect(app).toBeInstanceOf(App)
    expect(app.plans.map(({ id }) => id)).toEqual(['Things.list', 'Things.create', 'Things.one'])
    app.use((ctx) => {
      ctx.body = `behind ${ctx.path}`
    })
    const { ask } = await serve(app)
    expect((await ask('GET', '/things/1')).text).toBe('thing 1')
    expect((await ask('GET', '/other')).text).toBe('behind /other')
  })

  it('with nothing answers 404', async () => {
    const { ask } = await serve(createApp())
    expect((await ask('GET', '/')).json()).toMatchObject({ status: 404, instance: '/' })
  })

  it('runs through callback() too', async () => {
    const app = createApp({ resources: [Things] })
    const { ask } = await serve({ listen: (port, host) => serverOf(app).listen(port, host) })
    expect((await ask('GET', '/things')).status).toBe(200)
  })

  it('takes plans beside resources, and sets of them', async () => {
    const ping = definePlan({ id: 'ping', method: 'GET', path: '/ping', call: () => 'pong' })
    const set: PlanSet = { plans: [definePlan({ id: 'set', method: 'GET', path: '/set', call: () => 'set' })] }
    const { ask } = await serve(createApp({ resources: [Things, set, set], plans: [ping], prefix: '/api' }))
    expect((await ask('GET', '/api/ping')).text).toBe('pong')
    expect((await ask('GET', '/api/set')).text).toBe('set')
    expect((await ask('GET', '/api/things')).status).toBe(200)
    expect((await ask('GET', '/ping')).status).toBe(404)
  })

  it.each([
    ['limits', { limits: { bodies: 1 } as never }, /limits.*bodies/],
    ['sizes', { limits: { body: 'large' } }, /limits\.body/],
    ['prefix', { prefix: 'api' }, /prefix.*slash/],
    ['resources', { resources: [{}] }, /plain object/],
  ])('refuses wrong %s at start', (_name, options, message) => {
    expect(() => createApp(options)).toThrow(ConfigurationError)
    expect(() => createApp(options)).toThrow(message)
  })

  it('errors.status maps errors of the domain, the first rule that knows one', async () => {
    const { ask } = await serve(
      createApp({
        resources: [Things],
        logger: quiet,
        errors: {
          status: [
            () => undefined,
            (error) => (error instanceof Error && error.message === 'secret' ? 418 : undefined),
            () => 500,
          ],
        },
      }),
    )
    expect((await ask('GET', '/things/boom')).json()).toMatchObject({ status: 418, detail: 'secret' })
    expect((await ask('GET', '/things/missing')).status).toBe(404)
  })

  it('errors.format is a function too', async () => {
    const { ask } = await serve(
      createApp({
        resources: [Things],
        logger: quiet,
        errors: { format: ({ status, detail }) => ({ oops: status, detail }) },
      }),
    )
    expect((await ask('GET', '/things/missing')).json()).toEqual({ oops: 404, detail: 'There is no such thing' })
    expect((await ask('GET', '/things/boom')).json()).toEqual({ oops: 500 })
  })

  it('pipes see every parameter', async () => {
    const seen: string[] = []
    const note: Pipe = (value, { where }) => {
      seen.push(where)
      return typeof value === 'string' ? value.toUpperCase() : value
    }
    const { ask } = await serve(createApp({ resources: [Things], pipes: [note] }))
    expect((await ask('GET', '/things/abc')).text).toBe('thing ABC')
    expect(seen).toEqual(['Things.one, parameter 0 (id)'])
  })

  it('codecs come first, and replace those of their type', async () => {
    const csv = {
      type: 'text/csv',
      encode: (value: unknown) => Object.keys(value as object).join(','),
      decode: () => ({ csv: true }),
    }
    const json = { type: 'application/json', encode: () => '"mine"', decode: () => 'mine' }
    const { ask } = await serve(createApp({ resources: [Things], codecs: [csv, json] }))
    expect(await ask('GET', '/things', { headers: { Accept: 'text/csv' } })).toMatchObject({
      text: 'rows',
      headers: { 'content-type': 'text/csv; charset=utf-8' },
    })
    expect((await ask('GET', '/things', { headers: { Accept: 'application/json' } })).text).toBe('"mine"')
    const sent = await ask('POST', '/things', {
      body: 'x',
      headers: { 'Content-Type': 'text/csv', Accept: 'application/xml' },
    })
    expect(sent.text).toContain('<csv>true</csv>')
  })

  it('unknownQuery, negotiation and envelope are set for all', async () => {
    const { ask } = await serve(createApp({ resources: [Things], negotiation: 'lenient', envelope: 'urest' }))
    const answer = await ask('GET', '/things', { headers: { Accept: 'image/png' } })
    expect([answer.status, answer.json()]).toEqual([200, { success: true, result: { rows: [] } }])
    expect((await ask('GET', '/things/missing')).json()).toEqual({
      success: false,
      exception: 'NoSuchResource: There is no such thing',
    })
  })
})

describe('middleware', () => {
  it('runs in its order, inside the errors, around the resources', async () => {
    const notes: string[] = []
    const noting =
      (name: string): Koa.Middleware =>
      async (ctx, next) => {
        notes.push(`>${name}`)
        try {
          await next()
        } finally {
          notes.push(`<${name} ${ctx.status}`)
        }
      }
    const { ask } = await serve(
      createApp({ resources: [Things], logger: quiet, middleware: [noting('a'), noting('b')] }),
    )
    await ask('GET', '/things/1')
    expect(notes.splice(0)).toEqual(['>a', '>b', '<b 200', '<a 200'])
    // What is thrown passes by: the answer is made outside.
    expect((await ask('GET', '/things/missing')).status).toBe(404)
    expect(notes.splice(0)).toEqual(['>a', '>b', '<b 404', '<a 404'])
    await ask('GET', '/nowhere')
    expect(notes.splice(0)).toEqual(['>a', '>b', '<b 404', '<a 404'])
  })

  it('reads and replaces the body after next()', async () => {
    const bodies: unknown[] = []
    const { ask } = await serve(
      createApp({
        resources: [Things],
        middleware: [
          async (ctx, next) => {
            await next()
            bodies.push(ctx.body, ctx.type, ctx.status)
            if (ctx.path === '/things') {
              ctx.body = { ...(JSON.parse(String(ctx.body)) as object), added: true }
            }
            if (ctx.path === '/things/none') ctx.body = null
            if (ctx.path === '/things/status') ctx.status = 203
          },
        ],
      }),
    )
    const replaced = await ask('GET', '/things')
    expect(replaced.json()).toEqual({ rows: [], added: true })
    expect(replaced.headers['content-length']).toBe(String(replaced.bytes.length))
    expect((await ask('GET', '/things/none')).status).toBe(204)
    expect(await ask('GET', '/things/status')).toMatchObject({ status: 203, text: 'thing status' })
    expect(bodies.slice(0, 3)).toEqual(['{"rows":[]}', 'application/json', 200])
  })

  it('answers by itself and keeps the resources out', async () => {
    const things = new Things()
    const { ask } = await serve(
      createApp({
        resources: [things],
        middleware: [
          (ctx, next) => {
            if (ctx.method !== 'POST') return next()
            ctx.status = 202
            ctx.body = 'held back'
          },
        ],
      }),
    )
    expect(await ask('POST', '/things', { body: {} })).toMatchObject({ status: 202, text: 'held back' })
    expect(things.rows).toEqual([])
  })

  it('changes the path that is matched', async () => {
    const { ask } = await serve(
      createApp({
        resources: [Things],
        middleware: [
          (ctx, next) => {
            ctx.path = ctx.path.replace(/^\/v1/, '')
            return next()
          },
        ],
      }),
    )
    expect((await ask('GET', '/v1/things/7?x=1')).text).toBe('thing 7')
    expect((await ask('GET', '/v1/things/missing')).json()).toMatchObject({ instance: '/v1/things/missing' })
  })

  it('hands on what it leaves in ctx.state', async () => {
    @Resource('/')
    class Home {
      @Get()
      get(@Context() ctx: Context) {
        return { tenant: (ctx.state as { tenant?: string }).tenant }
      }
    }
    const { ask } = await serve(
      createApp({
        resources: [Home],
        middleware: [
          (ctx, next) => {
            ctx.state.tenant = ctx.get('X-Tenant')
            return next()
          },
        ],
      }),
    )
    const answers = await Promise.all(
      ['a', 'b', 'c'].map((tenant) => ask('GET', '/', { headers: { 'X-Tenant': tenant } })),
    )
    expect(answers.map((answer) => answer.json())).toEqual([{ tenant: 'a' }, { tenant: 'b' }, { tenant: 'c' }])
  })
})

describe('B72: two applications in one process', () => {
  @Resource('/things')
  class Others {
    @Put()
    put() {
      return 'put'
    }
  }

  it('share nothing', async () => {
    const runs: string[] = []
    const counting =
      (name: string): Koa.Middleware =>
      (_ctx, next) => {
        runs.push(name)
        return next()
      }
    const left = await serve(createApp({ resources: [Things], middleware: [counting('left')], caseSensitive: false }))
    const right = await serve(
      createApp({ resources: [Others], middleware: [counting('right')], errors: { format: 'text' } }),
    )
    expect((await left.ask('GET', '/THINGS')).status).toBe(200)
    expect((await right.ask('GET', '/THINGS')).status).toBe(404)
    expect((await left.ask('PUT', '/things')).status).toBe(501)
    expect((await right.ask('PUT', '/things')).text).toBe('put')
    expect((await right.ask('GET', '/things')).headers.allow).toBe('PUT, OPTIONS')
    expect(runs).toEqual(['left', 'right', 'left', 'right', 'right'])
    expect((await right.ask('GET', '/nowhere')).headers['content-type']).toBe('text/plain; charset=utf-8')
    expect((await left.ask('GET', '/nowhere')).headers['content-type']).toBe('application/problem+json')
  })

  it('may hold instances of one class, each with its own state', async () => {
    const left = await serve(createApp({ resources: [Things] }))
    const right = await serve(createApp({ resources: [Things] }))
    await left.ask('POST', '/things', { body: { a: 1 } })
    expect((await left.ask('GET', '/things')).json()).toEqual({ rows: [{ a: 1 }] })
    expect((await right.ask('GET', '/things')).json()).toEqual({ rows: [] })
  })
})

describe('createRouter(options) in an application of somebody else', () => {
  const host = (...middleware: Koa.Middleware[]): Koa => {
    const app = new Koa()
    app.silent = true
    for (const each of middleware) app.use(each)
    return app
  }
  const own: Koa.Middleware = async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined) ctx.throw(404)
    } catch (error) {
      ctx.status = (error as { status?: number }).status ?? 500
      ctx.body = { host: (error as Error).message }
    }
  }

  it('answers its errors, and leaves those of the host to the host', async () => {
    const app = host(own)
    app.use(createRouter({ resources: [Things], logger: quiet, prefix: '/api' }).routes())
    app.use((ctx, next) => (ctx.path === '/host' ? ctx.throw(409, 'of the host') : next()))
    const { ask } = await serve(app)
    expect((await ask('GET', '/api/things/missing')).json()).toMatchObject({
      status: 404,
      detail: 'There is no such thing',
    })
    expect((await ask('GET', '/api/things/boom')).json()).toMatchObject({ status: 500 })
    expect((await ask('PUT', '/api/things/1')).json()).toMatchObject({ status: 501 })
    expect((await ask('POST', '/api/things/1')).json()).toMatchObject({ status: 405 })
    expect(await ask('GET', '/host')).toMatchObject({ status: 409, text: '{"host":"of the host"}' })
    expect(await ask('GET', '/nowhere')).toMatchObject({ status: 404, text: '{"host":"Not Found"}' })
  })

  it('reports its failures to the host where it has no logger', async () => {
    const app = host()
    const errors: Error[] = []
    app.on('error', (error: Error) => errors.push(error))
    app.use(createRouter({ resources: [Things] }).routes())
    const { ask } = await serve(app)
    await ask('GET', '/things/boom')
    await ask('GET', '/things/missing')
    expect(errors.map(({ message }) => message)).toEqual(['secret'])
  })

  it('works where the host mounts it by a prefix, as koa-mount does', async () => {
    const inner = createRouter({ resources: [Things], logger: quiet }).routes() as unknown as Koa.Middleware
    const mount: Koa.Middleware = async (ctx, next) => {
      if (!ctx.path.startsWith('/mounted/')) return next()
      const before = ctx.path
      ctx.path = before.slice('/mounted'.length)
      try {
        await inner(ctx, async () => {
          ctx.path = before
          await next()
          ctx.path = before.slice('/mounted'.length)
        })
      } finally {
        ctx.path = before
      }
    }
    const { ask } = await serve(host(mount, (ctx) => void (ctx.body = `host ${ctx.path}`)))
    expect((await ask('GET', '/mounted/things/7')).text).toBe('thing 7')
    expect((await ask('GET', '/mounted/things/missing')).json()).toMatchObject({ instance: '/mounted/things/missing' })
    expect((await ask('GET', '/mounted/other')).text).toBe('host /mounted/other')
    expect((await ask('GET', '/things/7')).text).toBe('host /things/7')
  })

  it('works as a whole application inside another, by its middleware', async () => {
    const inner = createApp({ resources: [Things], logger: quiet })
    const outer = host()
    for (const each of inner.middleware) outer.use(each)
    const { ask } = await serve(outer)
    expect((await ask('GET', '/things/7')).text).toBe('thing 7')
    expect((await ask('GET', '/nowhere')).json()).toMatchObject({ status: 404 })
  })

  it('stands beside a plain router and a body parser that came before', async () => {
    const plain = new Router()
    plain.get('/plain', (ctx) => void (ctx.body = 'plain'))
    const app = host(async (ctx, next) => {
      if (ctx.method === 'POST') {
        const chunks: Buffer[] = []
        for await (const chunk of ctx.req) chunks.push(chunk as Buffer)
        Object.assign(ctx.request, { body: JSON.parse(Buffer.concat(chunks).toString()) as unknown })
      }
      await next()
    })
    app.use(plain.routes())
    app.use(createRouter({ resources: [Things] }).routes())
    const { ask } = await serve(app)
    expect((await ask('GET', '/plain')).text).toBe('plain')
    expect((await ask('POST', '/things', { body: { a: 1 } })).json()).toEqual({ a: 1 })
  })
})

describe('errorToStatus(options)', () => {
  it('answers what is thrown below it, and what nobody answers', async () => {
    const entries: object[] = []
    const app = new Koa()
    app.use(errorToStatus({ format: 'text', logger: { error: (details) => void entries.push(details) } }))
    app.use((ctx) => {
      if (ctx.path === '/ok') ctx.body = 'ok'
      if (ctx.path === '/bad') throw new BadRequest('Not like that')
      if (ctx.path === '/boom') throw new Error('secret')
      if (ctx.path === '/empty') ctx.status = 204
      if (ctx.path === '/own-404') {
        ctx.status = 404
        ctx.body = 'own'
      }
    })
    const { ask } = await serve(app)
    expect(await ask('GET', '/ok')).toMatchObject({ status: 200, text: 'ok' })
    expect(await ask('GET', '/bad')).toMatchObject({ status: 400, text: 'Not like that\n' })
    expect(await ask('GET', '/boom')).toMatchObject({ status: 500, text: '500 - Internal Server Error\n' })
    expect(await ask('GET', '/empty')).toMatchObject({ status: 204 })
    expect(await ask('GET', '/own-404')).toMatchObject({ status: 404, text: 'own' })
    expect(await ask('GET', '/none')).toMatchObject({ status: 404, text: '404 - Not Found\n' })
    expect(entries).toHaveLength(1)
  })
})

describe('app.onerror(error, ctx)', () => {
  it('is silent about what the client was told, and about a client that has gone', () => {
    const entries: string[] = []
    const app = createApp({ logger: { error: (_details, message) => void entries.push(message) } })
    app.onerror(Object.assign(new Error('told'), { expose: true }))
    app.onerror(Object.assign(new Error('not found'), { status: 404 }))
    app.onerror(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))
    app.onerror(Object.assign(new Error('pipe'), { code: 'EPIPE' }))
    expect(entries).toEqual([])
    app.onerror(new Error('failure'))
    expect(entries).toEqual(['failure'])
    app.silent = true
    app.onerror(new Error('silenced'))
    expect(entries).toEqual(['failure'])
  })

  it('prints where there is no logger, under the id that the client got', async () => {
    const printed: string[] = []
    const spy = jest
      .spyOn(console, 'error')
      .mockImplementation((...parts: unknown[]) => void printed.push(parts.join(' ')))
    try {
      const { ask } = await serve(createApp({ resources: [Things] }))
      const { requestId } = (await ask('GET', '/things/boom?secret=1')).json<{ requestId: string }>()
      expect(printed).toHaveLength(1)
      expect(printed[0]).toMatch(new RegExp(`^${requestId} GET /things/boom Error: secret`))
    } finally {
      spy.mockRestore()
    }
  })
})

describe('B77: app.close(server)', () => {
  function slowApp() {
    const work = gate()
    const closed: string[] = []
    const signals: unknown[] = []
    let events = 0
    @Resource('/')
    class Slow {
      @Get('/slow')
      async slow(@Signal() signal: AbortSignal) {
        await work.wait()
        signals.push((signal.reason as Error | undefined)?.message)
        return 'finished'
      }

      @Get('/fails')
      async fails() {
        await work.wait()
        throw new BadRequest('finished')
      }

      @Get('/events')
      async *events() {
        try {
          for (;;) {
            yield event({ n: ++events })
            await work.wait()
          }
        } finally {
          closed.push('events')
        }
      }

      @Get('/quick')
      quick() {
        return 'quick'
      }
    }
    const set: PlanSet = {
      plans: [],
      close: async () => {
        await Promise.resolve()
        closed.push('set')
      },
    }
    const app = createApp({ resources: [Slow, set], logger: quiet })
    return { app, work, closed, signals }
  }

  function refused(port: number): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(undefined)
      })
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    })
  }

  it.each(['/slow', '/fails'])(
    'finishes %s, closes its connection, refuses new ones, then closes the stores',
    async (path) => {
      const { app, work, closed } = slowApp()
      const { ask, server, port } = await serve(app)
      const agent = new Agent({ keepAlive: true })
      const answer = ask('GET', path, { agent })
      await work.entered
      const close = app.close(server)
      expect(app.close(server)).toBe(close)
      expect(await refused(port)).toBe('ECONNREFUSED')
      expect(closed).toEqual([])
      work.open()
      const { status, headers } = await answer
      expect([status, headers.connection]).toEqual([path === '/slow' ? 200 : 400, 'close'])
      await close
      expect(closed).toEqual(['set'])
      await app.close(server)
      expect(closed).toEqual(['set'])
      agent.destroy()
    },
  )

  it('tells those who listen to their signal', async () => {
    const { app, work, signals } = slowApp()
    const { ask, server } = await serve(app)
    const answer = ask('GET', '/slow')
    await work.entered
    const close = app.close(server)
    work.open()
    expect((await answer).text).toBe('finished')
    await close
    expect(signals).toEqual(['The application stops'])
  })

  it('ends streams of events, and lets their source clean up', async () => {
    const { app, work, closed } = slowApp()
    const { port, server } = await serve(app)
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path: '/events',
      headers: { Accept: 'text/event-stream' },
    }).end()
    const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream]
    let text = ''
    response.on('data', (chunk: Buffer) => (text += chunk.toString()))
    await work.entered
    const ended = once(response, 'end')
    const close = app.close(server)
    await ended
    work.open()
    await close
    expect(text).toContain('data: {"n":1}')
    expect(closed).toContain('events')
  })

  it('closes connections that wait for nothing', async () => {
    const { app } = slowApp()
    const { ask, server } = await serve(app)
    const agent = new Agent({ keepAlive: true })
    expect((await ask('GET', '/quick', { agent })).headers.connection).toBe('keep-alive')
    await app.close(server)
    agent.destroy()
    expect(server.listening).toBe(false)
  })

  it('needs no server', async () => {
    const { app, closed } = slowApp()
    await app.close()
    expect(closed).toEqual(['set'])
  })

  it('closes all stores, and says which could not be', async () => {
    const closed: string[] = []
    const failing: PlanSet = { plans: [], close: () => Promise.reject(new Error('disk full')) }
    const fine: PlanSet = { plans: [], close: () => void closed.push('fine') }
    const error: unknown = await createApp({ resources: [failing, fine] })
      .close()
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toEqual([expect.objectContaining({ message: 'disk full' })])
    expect(closed).toEqual(['fine'])
  })

  it('takes a server that never listened', async () => {
    const { app, closed } = slowApp()
    const server: Server = serverOf(app)
    await app.close(server)
    expect(closed).toEqual(['set'])
  })
})

describe('codecs', () => {
  const csv: Codec = { type: 'text/csv', encode: (rows) => (rows as unknown[][]).map((row) => row.join()).join('\n') }
  const loud: Codec = { type: 'application/json', encode: (value) => JSON.stringify({ loud: value }) }

  @Resource('/rows')
  class Rows {
    @Get() all() {
      return [[1, 2]]
    }
  }

  it('stand behind the built-in ones: JSON stays the default', async () => {
    const { ask } = await serve(createApp({ resources: [Rows], codecs: [csv] }))
    expect((await ask('GET', '/rows')).text).toBe('[[1,2]]')
    expect((await ask('GET', '/rows', { headers: { Accept: 'text/csv' } })).text).toBe('1,2')
  })

  it('take the place of a built-in one of the same type', async () => {
    const { ask } = await serve(createApp({ resources: [Rows], codecs: [csv, loud] }))
    expect((await ask('GET', '/rows')).json()).toEqual({ loud: [[1, 2]] })
  })
})
