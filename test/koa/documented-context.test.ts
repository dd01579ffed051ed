import { once } from 'node:events'
import Koa from 'koa'
import { createApp, type Context } from 'kumu'
import { closeAll, serve, type Answer } from '../support/serve'
import { appOf, listenTo, type Handler } from './apps'
import { askRaw } from './raw'

afterEach(closeAll)

/** The places from which a context is used: each answers by it alone. */
const places: ReadonlyArray<readonly [name: string, make: (use: Handler) => Koa]> = [
  ['a handler that returns nothing', (use) => appOf((ctx) => void use(ctx))],
  ['an async handler that returns nothing', (use) => appOf(async (ctx) => void (await use(ctx)))],
  [
    'a middleware that does not go on',
    (use) => createApp({ middleware: [async (ctx) => void (await use(ctx as Context))] }),
  ],
  [
    'a middleware before next()',
    (use) => createApp({ middleware: [async (ctx, next) => (await use(ctx as Context), next())] }),
  ],
  [
    'a middleware after next()',
    (use) => appOf(() => undefined, { middleware: [async (ctx, next) => (await next(), use(reset(ctx as Context)))] }),
  ],
  [
    '@Use after next()',
    (use) =>
      appOf(
        () => undefined,
        {},
        async (ctx, next) => (await next(), use(reset(ctx as Context))),
      ),
  ],
]

/** Takes back what the resource answered: 204. */
function reset(ctx: Context): Context {
  ctx.body = ''
  ctx.type = ''
  ctx.remove('Content-Length')
  ctx.status = 200
  return ctx
}

describe.each(places)('ctx in %s', (_place, make) => {
  async function ask(use: Handler, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    const app = make(use)
    listenTo(app)
    return (await serve(app)).ask(method, '/', { headers })
  }

  it('ctx.status and ctx.message', async () => {
    const answer = await askRaw(
      (
        await serve(
          make((ctx) => {
            ctx.body = 'brewing'
            ctx.status = 418
            ctx.message = 'Short And Stout'
          }),
        )
      ).port,
      'GET',
    )
    expect(answer).toMatchObject({ status: 418, message: 'Short And Stout', body: 'brewing' })
  })

  it.each([204, 205, 304])('ctx.status = %i has no body', async (status) => {
    const answer = await ask((ctx) => {
      ctx.body = { dropped: true }
      ctx.set('X-Kept', '1')
      ctx.status = status
    })
    const { 'content-type': type, 'content-length': length, 'transfer-encoding': coding } = answer.headers
    expect([answer.status, answer.text, type, coding]).toEqual([status, '', undefined, undefined])
    // Node says of 205 that its content is empty; of the others there is nothing to say.
    expect(['0', undefined]).toContain(length)
    expect(answer.headers['x-kept']).toBe('1')
  })

  it('ctx.type, ctx.length, ctx.lastModified, ctx.etag', async () => {
    const read: unknown[] = []
    const { headers } = await ask((ctx) => {
      ctx.type = 'html'
      ctx.body = '<p>ü'
      ctx.lastModified = new Date(1_700_000_000_000)
      ctx.etag = 'abc'
      read.push(
        ctx.type,
        ctx.length,
        ctx.lastModified.getTime(),
        ctx.response.etag,
        ctx.response.is('html'),
        ctx.headerSent,
      )
    })
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': '5',
      'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
      etag: '"abc"',
    })
    expect(read).toEqual(['text/html', 5, 1_700_000_000_000, '"abc"', 'html', false])
  })

  it('ctx.set, ctx.append, ctx.remove, ctx.has, ctx.vary, ctx.attachment', async () => {
    const { headers } = await ask((ctx) => {
      ctx.body = 'x'
      ctx.set({ 'X-One': '1', 'X-Gone': '1' })
      ctx.append('X-List', ['a', 'b'])
      ctx.append('X-List', 'c')
      ctx.remove('X-Gone')
      ctx.vary('Origin')
      ctx.attachment('report.pdf')
      ctx.set('X-Has', `${ctx.res.hasHeader('x-one')} ${'x-gone' in ctx.response.headers}`)
    })
    expect(headers).toMatchObject({ 'x-one': '1', 'x-list': 'a, b, c', 'x-has': 'true false' })
    expect(headers).toMatchObject({ vary: 'Origin', 'content-disposition': 'attachment; filename="report.pdf"' })
    expect(headers).not.toHaveProperty('x-gone')
  })

  it('ctx.redirect', async () => {
    const { status, headers, text } = await ask((ctx) => ctx.redirect('/login?to=/ü'), { Accept: 'text/plain' })
    expect([status, headers.location, text]).toEqual([302, '/login?to=/%C3%BC', 'Redirecting to /login?to=/ü.'])
  })

  it('ctx.is, ctx.accepts, ctx.acceptsEncodings, ctx.get, ctx.fresh', async () => {
    const answer = await ask(
      (ctx) => {
        ctx.status = 200
        ctx.etag = 'v1'
        ctx.body = [
          ctx.accepts('html', 'json'),
          ctx.accepts('png'),
          ctx.acceptsEncodings('br', 'gzip'),
          ctx.acceptsCharsets('utf-8'),
          ctx.acceptsLanguages('de', 'en'),
          ctx.get('X-Asked'),
          ctx.is('json'),
          ctx.fresh,
        ]
      },
      {
        Accept: 'application/json;q=0.9, text/html;q=0.5',
        'Accept-Encoding': 'gzip',
        'Accept-Language': 'en',
        'X-Asked': 'yes',
        'If-None-Match': '"v1"',
      },
    )
    expect(answer.json()).toEqual(['json', false, 'gzip', 'utf-8', 'en', 'yes', null, true])
  })

  it('ctx.state, ctx.cookies', async () => {
    const answer = await ask(
      (ctx) => {
        ctx.state.user = ctx.cookies.get('user')
        ctx.cookies.set('seen', 'yes', { httpOnly: false })
        ctx.body = ctx.state
      },
      { Cookie: 'user=me' },
    )
    expect(answer.json()).toEqual({ user: 'me' })
    expect(answer.headers['set-cookie']).toEqual(['seen=yes; path=/'])
  })

  it('ctx.flushHeaders(), then a stream that is written bit by bit', async () => {
    const { PassThrough } = await import('node:stream')
    const sent: boolean[] = []
    const answer = await ask((ctx) => {
      const stream = new PassThrough()
      ctx.status = 200
      ctx.type = 'text/event-stream'
      ctx.flushHeaders()
      sent.push(ctx.headerSent)
      ctx.body = stream
      stream.write('data: 1\n\n')
      setImmediate(() => stream.end('data: 2\n\n'))
    })
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'data: 1\n\ndata: 2\n\n',
    ])
    expect(sent).toEqual([true])
  })

  it('ctx.respond = false leaves the answer to ctx.res', async () => {
    const answer = await ask((ctx) => {
      ctx.respond = false
      setImmediate(() => ctx.res.writeHead(207, { 'X-Raw': '1' }).end('raw'))
    })
    expect([answer.status, answer.headers['x-raw'], answer.text]).toEqual([207, '1', 'raw'])
  })

  it('ctx.throw and ctx.assert, whose errors become problems', async () => {
    const thrown = await ask((ctx) => ctx.throw(401, 'who are you', { headers: { 'WWW-Authenticate': 'Basic' } }))
    expect(thrown.json()).toMatchObject({ status: 401, detail: 'who are you' })
    expect(thrown.headers).toMatchObject({ 'www-authenticate': 'Basic', 'content-type': 'application/problem+json' })
    const refused = await ask((ctx) => ctx.assert(ctx.state.user, 403, 'not yours'))
    expect(refused.json()).toMatchObject({ status: 403, detail: 'not yours' })
    const hidden = await ask((ctx) => ctx.throw(500, 'secret'))
    expect(hidden.status).toBe(500)
    expect(hidden.text).not.toContain('secret')
  })

  it('listeners of ctx.res run once', async () => {
    const events: string[] = []
    let closed: Promise<unknown> | undefined
    await ask((ctx) => {
      for (const event of ['finish', 'close']) ctx.res.on(event, () => events.push(event))
      closed = once(ctx.res, 'close')
      ctx.body = 'x'
      ctx.status = 200
    })
    await closed
    expect(events).toEqual(['finish', 'close'])
  })

  it('HEAD has the length of GET', async () => {
    const use: Handler = (ctx) => {
      ctx.status = 200
      ctx.body = { ü: 1 }
    }
    const [get, head] = [await ask(use), await ask(use, {}, 'HEAD')]
    expect([get.headers['content-length'], head.headers['content-length'], head.text]).toEqual(['8', '8', ''])
    expect(head.headers['content-type']).toBe(get.headers['content-type'])
  })
})

describe('a handler that returns a value', () => {
  it('has its listeners of ctx.res called once', async () => {
    const events: string[] = []
    const closed: Array<Promise<unknown>> = []
    const app = appOf((ctx) => {
      for (const event of ['finish', 'close']) ctx.res.on(event, () => events.push(event))
      closed.push(once(ctx.res, 'close'))
      return { a: 1 }
    })
    const { ask } = await serve(app)
    await ask('GET', '/')
    await ask('HEAD', '/')
    await Promise.all(closed)
    expect(events).toEqual(['finish', 'close', 'finish', 'close'])
  })

  it('is answered by what hangs on ctx.res: its writeHead, write and end', async () => {
    const calls: string[] = []
    const app = appOf((ctx) => {
      const { res } = ctx
      const { end } = res
      res.end = function endLoudly(this: typeof res, ...args: unknown[]) {
        calls.push('end')
        return Reflect.apply(end, this, args) as typeof res
      } as typeof end
      return { a: 1 }
    })
    expect((await (await serve(app)).ask('GET', '/')).json()).toEqual({ a: 1 })
    expect(calls).toEqual(['end'])
  })

  // Its value is dropped, and the phrase of the status is sent as if it were the answer: a body under ctx.flushHeaders()
  // is sent by Koa, and nothing here says that the value was lost.
  test('is answered with it after ctx.flushHeaders()', async () => {
    const app = appOf((ctx) => {
      ctx.status = 200
      ctx.flushHeaders()
      return { a: 1 }
    })
    expect((await (await serve(app)).ask('GET', '/')).text).toBe('{"a":1}')
  })
})

describe('app.context.onerror', () => {
  function watch(app: Koa): string[] {
    const messages: string[] = []
    app.context.onerror = function onerror(this: Koa.Context, error: Error | null) {
      if (!error) return
      messages.push(error.message)
      if (this.headerSent || !this.writable) return
      this.res.statusCode = 500
      this.res.end('my own')
    }
    listenTo(app)
    return messages
  }

  const unwritable: Handler = (ctx) => void (ctx.body = { toJSON: () => ctx.throw(500, 'not as JSON') })

  it.each([
    ['Koa', () => new Koa().use((ctx) => void unwritable(ctx as Context))],
    ['a resource', () => appOf(unwritable)],
    ['a middleware', () => createApp({ middleware: [(ctx) => void unwritable(ctx as Context)] })],
  ])('answers where a body cannot be written: %s', async (_name, make) => {
    const app = make()
    const messages = watch(app)
    const answer = await (await serve(app)).ask('GET', '/')
    expect([answer.status, answer.text, messages]).toEqual([500, 'my own', ['not as JSON']])
  })

  it('does not answer what a handler throws: the error middleware does', async () => {
    const app = appOf((ctx) => ctx.throw(500, 'thrown'))
    const messages = watch(app)
    const answer = await (await serve(app)).ask('GET', '/')
    expect([answer.status, answer.headers['content-type'], messages]).toEqual([500, 'application/problem+json', []])
  })

  it('can be called by a handler that answers by itself', async () => {
    const app = appOf((ctx) => {
      ctx.respond = false
      setImmediate(() => ctx.onerror(Object.assign(new Error('told'), { status: 409, expose: true })))
    })
    const heard = listenTo(app)
    const answer = await (await serve(app)).ask('GET', '/')
    expect([answer.status, answer.text]).toEqual([409, 'told'])
    expect(heard.map(([error]) => error.message)).toEqual(['told'])
  })
})
