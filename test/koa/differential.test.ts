import Koa from 'koa'
import { createApp, createRouter, Get, Resource, type Context } from 'kumu'
import { closeAll, serve } from '../support/serve'
import { bodies, manners, type Answering } from './answers'
import { appOf, listenTo, mount, stockOf, type Step } from './apps'
import { askRaw, headerOf, type RawAnswer, type RawAsk } from './raw'

afterEach(closeAll)

const quiet = { error: () => undefined }

/** What an application answers to GET and HEAD. */
async function answersOf(app: Koa, ask: RawAsk = {}, methods = ['GET', 'HEAD']): Promise<RawAnswer[]> {
  listenTo(app)
  const { port } = await serve(app)
  const answers: RawAnswer[] = []
  for (const method of methods) answers.push(await askRaw(port, method, '/', ask))
  return answers
}

function jsonOf(answer: RawAnswer | undefined): unknown {
  return JSON.parse(Buffer.from(answer?.body ?? '', 'latin1').toString())
}

/** Middleware of Koa with the type that options take. */
function toMiddleware(steps: readonly Step[]): Koa.Middleware[] {
  return steps.map((step) => (ctx, next) => step(ctx, next))
}

const asks: RawAsk = {
  headers: { Accept: 'text/html', Referrer: 'http://elsewhere.example/', 'If-None-Match': '"v1"', Cookie: 'a=b' },
}

describe.each([...bodies, ...manners])('ctx: %s', (_name, answer: Answering) => {
  const step: Step = async (ctx) => {
    await Promise.resolve()
    answer(ctx)
  }

  it('is sent as Koa sends it, by a middleware', async () => {
    const expected = await answersOf(stockOf(step), asks)
    expect(await answersOf(createApp({ middleware: toMiddleware([step]) }), asks)).toEqual(expected)
  })

  it('is sent as Koa sends it, by a middleware behind the resources', async () => {
    const expected = await answersOf(stockOf(step), asks)
    expect(await answersOf(mount(createApp(), [step]), asks)).toEqual(expected)
  })

  it.each([
    ['at once', (ctx: Context) => void answer(ctx)],
    ['later', async (ctx: Context) => void (await Promise.resolve(), answer(ctx))],
  ])('is sent as Koa sends it, by a resource %s', async (_when, handler) => {
    const expected = await answersOf(stockOf(step), asks)
    expect(await answersOf(appOf(handler), asks)).toEqual(expected)
    // The same under a middleware that does nothing, and under one of the class.
    const pass: Koa.Middleware = (_ctx, next) => next()
    expect(await answersOf(appOf(handler, { middleware: [pass] }), asks)).toEqual(expected)
    expect(await answersOf(appOf(handler, {}, pass), asks)).toEqual(expected)
  })
})

describe('middleware around middleware', () => {
  const inner: Step = (ctx) => {
    ctx.body = { a: 1 }
    ctx.set('X-Inner', '1')
  }
  const rows: ReadonlyArray<readonly [name: string, ...steps: Step[]]> = [
    ['adds a header', async (ctx, next) => (await next(), ctx.set('X-Outer', '1')), inner],
    ['takes a header away', async (ctx, next) => (await next(), ctx.remove('X-Inner')), inner],
    ['sets a header first', async (ctx, next) => (ctx.set('X-Inner', 'overwritten'), await next()), inner],
    ['replaces the body', async (ctx, next) => void (await next(), (ctx.body = 'other')), inner],
    ['wraps the body', async (ctx, next) => void (await next(), (ctx.body = { data: ctx.body })), inner],
    ['drops the body', async (ctx, next) => void (await next(), (ctx.body = null)), inner],
    ['makes it 204', async (ctx, next) => void (await next(), (ctx.status = 204)), inner],
    ['makes it 202', async (ctx, next) => void (await next(), (ctx.status = 202)), inner],
    ['sets a status that a body keeps', async (ctx, next) => void ((ctx.status = 207), await next()), inner],
    ['sets a type', async (ctx, next) => void (await next(), (ctx.type = 'text/x-json')), inner],
    ['reads the body', async (ctx, next) => (await next(), ctx.set('X-Body', JSON.stringify(ctx.body))), inner],
    ['reads the length', async (ctx, next) => (await next(), ctx.set('X-Length', String(ctx.length))), inner],
    ['goes nowhere', (ctx) => void (ctx.body = 'outer'), inner],
    ['forgets to wait', (ctx, next) => void next(), inner],
    ['catches', catchInside, (ctx) => ctx.throw(418, 'inside')],
    ['hands state on', (ctx, next) => ((ctx.state.user = 'me'), next()), (ctx) => (ctx.body = ctx.state)],
    [
      'changes the path',
      (ctx, next) => ((ctx.path = '/other'), next()),
      (ctx) => (ctx.body = [ctx.url, ctx.originalUrl]),
    ],
    ['changes the method', (ctx, next) => ((ctx.method = 'HEAD'), next()), inner],
    ['changes the query', (ctx, next) => ((ctx.query = { a: 'b' }), next()), (ctx) => (ctx.body = ctx.url)],
    ['works without promises', (_ctx, next) => void next(), (ctx) => void (ctx.body = 'at once')],
    [
      'answers behind nothing',
      async (ctx, next) => void (await next(), (ctx.body ??= 'nobody else')),
      (_ctx, next) => next(),
    ],
  ]

  async function catchInside(ctx: Koa.Context, next: Koa.Next): Promise<void> {
    try {
      await next()
    } catch (error) {
      ctx.status = (error as { status: number }).status
      ctx.body = (error as Error).message
    }
  }

  it.each(rows.map(([name, ...steps]) => ({ name, steps })))('$name', async ({ steps }) => {
    const expected = await answersOf(stockOf(...steps))
    expect(await answersOf(createApp({ middleware: toMiddleware(steps) }))).toEqual(expected)
    expect(await answersOf(mount(createApp(), steps))).toEqual(expected)
  })
})

describe('what differs on purpose', () => {
  const rows: ReadonlyArray<readonly [name: string, status: number, step: Step]> = [
    ['nobody answers', 404, (_ctx, next) => next()],
    ['nobody answers, under headers', 404, (ctx, next) => (ctx.set('X-Kept', '1'), next())],
    ['404 without a body', 404, (ctx) => void (ctx.status = 404)],
    ['an error with a status', 409, (ctx) => ctx.throw(409, 'taken')],
    ['an assertion', 403, (ctx) => ctx.assert(false, 403, 'not yours')],
    ['an error that nobody knows', 500, () => Promise.reject(new Error('hidden'))],
    ['an error after headers and body', 500, (ctx) => ((ctx.body = { a: 1 }), ctx.set('ETag', '"1"'), ctx.throw(500))],
    ['next() twice', 500, async (_ctx, next) => (await next(), await next())],
    ['a status that is none', 500, (ctx) => void (ctx.status = 9999)],
  ]

  it.each(rows)('%s: Koa writes text, createApp a problem of the same status', async (_name, status, step) => {
    const [stock, stockHead] = await answersOf(stockOf(step))
    const [get, head] = await answersOf(createApp({ middleware: toMiddleware([step]) }))
    expect([stock?.status, stockHead?.status, get?.status, head?.status]).toEqual([status, status, status, status])
    expect(headerOf(stock as RawAnswer, 'Content-Type')).toBe('text/plain; charset=utf-8')
    for (const answer of [get, head]) {
      expect(headerOf(answer as RawAnswer, 'Content-Type')).toBe('application/problem+json')
      expect(headerOf(answer as RawAnswer, 'Content-Length')).toBe(String(get?.body.length))
      expect(headerOf(answer as RawAnswer, 'ETag')).toBeUndefined()
    }
    expect(jsonOf(get)).toMatchObject({ status })
    expect(get?.body).not.toContain('hidden')
    expect(head?.body).toBe('')
  })

  it('headers that were set before an error stay, where Koa takes them away', async () => {
    const step: Step = (ctx) => (ctx.set('Access-Control-Allow-Origin', '*'), ctx.throw(400, 'bad'))
    const [stock] = await answersOf(stockOf(step), {}, ['GET'])
    const [ours] = await answersOf(createApp({ middleware: toMiddleware([step]) }), {}, ['GET'])
    expect(headerOf(stock as RawAnswer, 'Access-Control-Allow-Origin')).toBeUndefined()
    expect(headerOf(ours as RawAnswer, 'Access-Control-Allow-Origin')).toBe('*')
  })

  it('a status other than 404 without a body is text, as in Koa', async () => {
    const step: Step = (ctx) => void (ctx.status = 402)
    const app = createApp({ middleware: toMiddleware([step]) })
    expect(await answersOf(app)).toEqual(await answersOf(stockOf(step)))
  })
})

describe('middleware around a resource', () => {
  const value = { id: 7, name: 'Zoë', tags: ['a', 'b'] }
  /** What a resource is to a middleware: its value is encoded before anything around it goes on. */
  const plain: Step = (ctx) => {
    ctx.type = 'application/json; charset=utf-8'
    ctx.body = JSON.stringify(value)
  }
  const rows: ReadonlyArray<readonly [name: string, step: Step]> = [
    ['does nothing', (_ctx, next) => next()],
    ['replaces the body by text', async (ctx, next) => void (await next(), (ctx.body = 'other'))],
    ['replaces the body by an object', async (ctx, next) => void (await next(), (ctx.body = { other: 1 }))],
    ['replaces the body by bytes', async (ctx, next) => void (await next(), (ctx.body = Buffer.from('bytes')))],
    [
      'wraps the body',
      async (ctx, next) => void (await next(), (ctx.body = { data: JSON.parse(String(ctx.body)) as unknown })),
    ],
    ['appends to the body', async (ctx, next) => void (await next(), (ctx.body = `${String(ctx.body)}\n`))],
    ['drops the body', async (ctx, next) => void (await next(), (ctx.body = null))],
    [
      'drops the body under a status',
      async (ctx, next) => void (await next(), Object.assign(ctx, { body: null, status: 200 })),
    ],
    ['changes the status', async (ctx, next) => void (await next(), (ctx.status = 203))],
    ['makes it 204', async (ctx, next) => void (await next(), (ctx.status = 204))],
    ['makes it 304', async (ctx, next) => void (await next(), (ctx.status = 304))],
    ['changes the message', async (ctx, next) => void (await next(), (ctx.message = 'Very Well'))],
    ['changes the type', async (ctx, next) => void (await next(), (ctx.type = 'application/vnd.thing+json'))],
    ['takes the type away', async (ctx, next) => void (await next(), (ctx.type = ''))],
    ['takes the length away', async (ctx, next) => (await next(), ctx.remove('Content-Length'))],
    ['takes the type away as a header', async (ctx, next) => (await next(), ctx.remove('content-type'))],
    ['redirects', async (ctx, next) => (await next(), ctx.redirect('/elsewhere'))],
    ['sends by itself', async (ctx, next) => void (await next(), (ctx.respond = false), ctx.res.end('raw'))],
    ['answers itself', (ctx) => void (ctx.body = 'mine')],
    ['sets a type before', async (ctx, next) => void ((ctx.state.before = 1), await next())],
  ]

  /** The ways a middleware is put around a resource. */
  const ways: ReadonlyArray<readonly [name: string, make: (step: Koa.Middleware) => Koa]> = [
    ['middleware: [...]', (step) => appOf(() => value, { middleware: [step] })],
    ['@Use(...)', (step) => appOf(() => value, {}, step)],
    ['both', (step) => appOf(() => value, { middleware: [(_ctx, next) => next()] }, step)],
    [
      'app.middleware, by hand',
      (step) => {
        const app = appOf(() => value)
        app.middleware.splice(1, 0, step)
        return app
      },
    ],
    [
      'a host of createRouter()',
      (step) => {
        @Resource('/')
        class Values {
          @Get() async get() {
            return value
          }
        }
        const host = new Koa().use(step)
        host.use(createRouter({ resources: [Values], logger: quiet }).routes())
        return host
      },
    ],
  ]

  /** What of an answer is a matter of its value: `Vary` is of the negotiation, which Koa has not. */
  function essence(answers: readonly RawAnswer[]) {
    return answers.map((answer) => ({
      ...answer,
      headers: answer.headers.filter((line) => !line.startsWith('Vary: ')),
    }))
  }

  describe.each(ways)('%s', (_way, make) => {
    it.each(rows)('%s', async (_name, step) => {
      const expected = essence(await answersOf(stockOf(step, plain)))
      const [middleware] = toMiddleware([step])
      expect(essence(await answersOf(make(middleware as Koa.Middleware)))).toEqual(expected)
    })

    it('sees status, type, length and body after next()', async () => {
      const seen: unknown[] = []
      const read: Koa.Middleware = async (ctx, next) => {
        await next()
        const { status, message, type, length, body, headerSent, writable } = ctx
        seen.push({ status, message, type, length, body: String(body), headerSent, writable })
        seen.push(ctx.response.get('Content-Type'), ctx.res.hasHeader('Content-Length'), ctx.res.writableEnded)
      }
      await answersOf(make(read), {}, ['GET'])
      const text = JSON.stringify(value)
      const length = Buffer.byteLength(text)
      expect(seen).toEqual([
        { status: 200, message: 'OK', type: 'application/json', length, body: text, headerSent: false, writable: true },
        'application/json; charset=utf-8',
        true,
        false,
      ])
    })
  })

  it('sees what a resource returned as it is sent, where Koa shows what a handler set', async () => {
    const wrap: Step = async (ctx, next) => {
      await next()
      ctx.body = { data: ctx.body }
    }
    const [stock] = await answersOf(
      stockOf(wrap, (ctx) => void (ctx.body = value)),
      {},
      ['GET'],
    )
    const [ours] = await answersOf(
      appOf(() => value, { middleware: toMiddleware([wrap]) }),
      {},
      ['GET'],
    )
    expect(jsonOf(stock)).toEqual({ data: value })
    expect(jsonOf(ours)).toEqual({ data: JSON.stringify(value) })
  })
})
