import { Readable } from 'node:stream'
import type { Context } from '../../src/route/plan'
import {
  accepted,
  created,
  createApp,
  definePlan,
  file,
  HttpError,
  noContent,
  NoSuchResource,
  reply,
  seeOther,
  slice,
  TooManyRequests,
  Unauthorized,
  withETag,
  type AppOptions,
} from '../../src'
import { closeAll, serve, type Answer, type Ask } from '../support/serve'

afterEach(closeAll)

const context = { source: 'context' } as const

/** What handlers return, and what they do to the response by themselves. */
const handlers: Readonly<Record<string, (ctx: Context) => unknown>> = {
  object: () => ({ id: 7, hello: 'wörld' }),
  list: () => [1, 'two', null],
  empty: () => [],
  text: () => 'plain ✓',
  ascii: () => 'plain',
  bytes: () => Buffer.from([0, 255, 1]),
  view: () => new Uint16Array([1, 2]),
  number: () => 7,
  truth: () => false,
  nothing: () => undefined,
  null: () => null,
  promise: () => Promise.resolve({ late: true }),
  stream: () => Readable.from([Buffer.from('a'), Buffer.from('b')]),
  async *generator() {
    yield await Promise.resolve({ n: 1 })
    yield { n: 2 }
  },
  blob: () => new Blob(['blob'], { type: 'text/css' }),
  file: () => file(__filename),
  created: () => created({ id: 1 }, '/things/1'),
  accepted: () => accepted({ state: 'waits' }, '/jobs/1'),
  noContent: () => noContent(),
  seeOther: () => seeOther('/elsewhere'),
  reply: () => reply(203, { a: 1 }, { 'X-One': '1', Vary: 'Origin', 'Set-Cookie': ['a=1', 'b=2'] }),
  typed: () => reply(200, 'a,b', { 'Content-Type': 'text/csv' }),
  told: () => reply(200, undefined, { 'Content-Length': '12' }),
  wrongLength: () => reply(200, { a: 1 }, { 'Content-Length': '1' }),
  reset: () => reply(205, { a: 1 }),
  unmodified: () => reply(304, { a: 1 }, { ETag: '"x"' }),
  tagged: () => withETag({ a: 1 }, 'r1'),
  rows: () => slice([{ a: 1 }], 1),
  header: (ctx) => {
    ctx.set('X-Mine', 'yes')
    return { a: 1 }
  },
  vary: (ctx) => {
    ctx.vary('Origin')
    return { a: 1 }
  },
  ownType: (ctx) => {
    ctx.type = 'application/vnd.thing+json'
    return { a: 1 }
  },
  ownStatus: (ctx) => {
    ctx.status = 418
    return { a: 1 }
  },
  ownMessage: (ctx) => {
    ctx.message = 'Fine'
    return { a: 1 }
  },
  ownBody: (ctx) => {
    ctx.body = 'by hand'
  },
  ownBodyThenValue: (ctx) => {
    ctx.body = Readable.from(['dropped'])
    return { a: 1 }
  },
  ownAnswer: (ctx) => {
    ctx.respond = false
    ctx.res.writeHead(299, { 'X-Raw': '1' })
    ctx.res.end('raw')
  },
  ended: (ctx) => {
    ctx.res.end('ended')
  },
  refused: () => {
    throw new NoSuchResource('No such thing', { code: 'gone-fishing' })
  },
  headers: () => {
    throw new TooManyRequests('Slower', { headers: { 'Retry-After': '3', Vary: 'Origin', 'Content-Type': 'x/y' } })
  },
  cached: () => {
    throw new NoSuchResource(undefined, { headers: { 'Cache-Control': 'max-age=1' } })
  },
  challenge: () => {
    throw new Unauthorized('Who?', { headers: { 'WWW-Authenticate': 'Bearer' } })
  },
  split: () => {
    throw new NoSuchResource('x', { headers: { 'X-Bad': 'a\r\nb: c' } })
  },
  late: () => Promise.reject(new HttpError(409, 'Conflict of some kind')),
  unavailable: () => {
    throw new HttpError(503, 'secret', { headers: { 'Retry-After': '1' } })
  },
  failure: () => {
    throw new TypeError('secret')
  },
  thrownText: () => {
    throw 'secret'
  },
  afterHeader: (ctx) => {
    ctx.set('X-Kept', 'yes')
    ctx.set('Content-Language', 'en')
    throw new NoSuchResource()
  },
  afterBody: (ctx) => {
    ctx.body = Readable.from(['dropped'])
    throw new NoSuchResource()
  },
}

function app(options: AppOptions = {}): ReturnType<typeof createApp> {
  const plans = Object.entries(handlers).map(([name, call]) =>
    definePlan({ id: name, method: 'GET', path: `/${name}`, params: [context], call: call as () => unknown }),
  )
  const id = { source: 'path', name: 'id', type: { kind: 'integer', list: false } } as const
  plans.push(definePlan({ id: 'one', method: 'GET', path: '/one/:id', params: [id], call: (given) => ({ given }) }))
  const body = { source: 'body', type: { kind: 'any', list: false } } as const
  plans.push(
    definePlan({ id: 'echo', method: 'POST', path: '/echo', params: [body], body: {}, call: (given) => ({ given }) }),
  )
  return createApp({ plans, logger: { error: () => undefined }, ...options })
}

/** What a client sees, but for what is another each time. */
function seen({ status, headers, text }: Answer): unknown {
  const { date: _date, 'x-request-id': id, vary, ...rest } = headers
  const members = vary?.split(', ').sort()
  return { status, headers: { ...rest, vary: members }, body: id ? text.replaceAll(String(id), 'id') : text }
}

const accepts = [undefined, 'application/json', 'application/xml', 'text/html', 'text/plain', 'image/png']

describe('an answer', () => {
  it.each(Object.keys(handlers))('of %s is the same with and without middleware around it', async (name) => {
    const straight = await serve(app())
    const wrapped = await serve(app({ middleware: [(_ctx, next) => next()] }))
    for (const method of ['GET', 'HEAD']) {
      for (const accept of accepts) {
        const ask: Ask = { headers: accept === undefined ? {} : { Accept: accept } }
        const answers = await Promise.all([straight, wrapped].map((each) => each.ask(method, `/${name}`, ask)))
        expect({ method, accept, answer: seen(answers[0]!) }).toEqual({ method, accept, answer: seen(answers[1]!) })
      }
    }
  })

  it.each([
    ['GET', '/one/7', undefined],
    ['GET', '/one/x', undefined],
    ['GET', '/one/7?unknown=1', undefined],
    ['GET', '/one/%37', undefined],
    ['GET', '/one/%zz', undefined],
    ['GET', '/nowhere', undefined],
    ['DELETE', '/one/7', undefined],
    ['OPTIONS', '/one/7', undefined],
    ['BREW', '/one/7', undefined],
    ['POST', '/echo', { a: 1 }],
    ['POST', '/echo', '{"a":'],
    ['POST', '/echo', undefined],
  ])('to %s %s with %p is the same with and without middleware around it', async (method, path, body) => {
    const straight = await serve(app())
    const wrapped = await serve(app({ middleware: [(_ctx, next) => next()] }))
    const headers: Record<string, string> = typeof body === 'string' ? { 'Content-Type': 'application/json' } : {}
    const answers = await Promise.all([straight, wrapped].map((each) => each.ask(method, path, { body, headers })))
    expect(seen(answers[0]!)).toEqual(seen(answers[1]!))
  })

  it('keeps a client from splitting it by a header of an error', async () => {
    const { ask } = await serve(app())
    expect(await ask('GET', '/split')).toMatchObject({ status: 500, headers: expect.not.objectContaining({ b: 'c' }) })
  })

  it('says that the connection ends once the application stops', async () => {
    let release = (): void => undefined
    const waiting = new Promise<void>((resolve) => (release = resolve))
    const plans = [
      definePlan({ id: 'slow', method: 'GET', path: '/slow', call: () => waiting.then(() => ({ done: true })) }),
      definePlan({
        id: 'refused',
        method: 'GET',
        path: '/refused',
        call: () =>
          waiting.then(() => {
            throw new NoSuchResource()
          }),
      }),
    ]
    const stopping = createApp({ plans })
    const { ask, server } = await serve(stopping)
    const answers = ['/slow', '/refused'].map((path) => ask('GET', path))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const closed = stopping.close(server)
    release()
    const [done, refused] = await Promise.all(answers)
    expect([done!.status, done!.headers.connection]).toEqual([200, 'close'])
    expect([refused!.status, refused!.headers.connection]).toEqual([404, 'close'])
    await closed
  })
})

describe('app.use(middleware) behind the resources', () => {
  it('sees what none of them answers, from its mounting on', async () => {
    const application = app()
    const { ask } = await serve(application)
    expect((await ask('GET', '/nowhere')).status).toBe(404)
    application.use((ctx) => {
      ctx.body = 'behind'
    })
    expect((await ask('GET', '/nowhere')).text).toBe('behind')
    expect((await ask('GET', '/object')).json()).toEqual({ id: 7, hello: 'wörld' })
  })
})

describe('router.get(path, handler)', () => {
  it('stands beside the resources, also when it comes late', async () => {
    const application = app()
    const { ask } = await serve(application)
    expect((await ask('GET', '/object')).status).toBe(200)
    application.router.get('/plain/:id', (ctx) => {
      ctx.body = `plain ${ctx.params.id}`
    })
    expect((await ask('GET', '/plain/7')).text).toBe('plain 7')
    expect((await ask('GET', '/object')).json()).toEqual({ id: 7, hello: 'wörld' })
  })
})

describe('the context of a handler', () => {
  it('has what @koa/router leaves there', async () => {
    let found: unknown
    const id = { source: 'path', name: 'id', type: { kind: 'integer', list: false } } as const
    const plan = definePlan({
      id: 'Things.one',
      method: 'GET',
      path: '/things/:id',
      params: [context, id],
      call: ((ctx: Context) => {
        found = [ctx.params, ctx.routerPath, ctx._matchedRoute, ctx._matchedRouteName, ctx.status]
        return {}
      }) as () => unknown,
    })
    const { ask } = await serve(createApp({ plans: [plan] }))
    expect((await ask('GET', '/things/7')).status).toBe(200)
    expect(found).toEqual([{ id: '7' }, '/things/:id', '/things/:id', 'Things.one', 404])
  })
})
