import { once } from 'node:events'
import { Agent, IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect, createServer as createPlainServer } from 'node:http2'
import { type AddressInfo, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import Koa from 'koa'
import type { Context } from 'kumu'
import { closeAll, serve } from '../support/serve'
import { appOf, toListener } from './apps'
import { askRaw } from './raw'

afterEach(closeAll)

/** Asks an application once. */
async function ask(app: Koa, headers: Record<string, string> = {}) {
  return (await serve(app)).ask('GET', '/', { headers })
}

/** What makes one middleware of many; the types of Koa leave it out. */
interface Composing {
  compose: (middleware: readonly Koa.Middleware[]) => Koa.Middleware
}

function composing<A extends Koa>(app: A): A & Composing {
  return app as A & Composing
}

describe('app.use(fn)', () => {
  it('returns the application', () => {
    const app = appOf()
    expect(app.use(() => undefined).use((_ctx, next) => next())).toBe(app)
  })

  it.each([undefined, null, 'text', {}, [() => undefined]])('refuses %p', (fn) => {
    expect(() => appOf().use(fn as never)).toThrow(new TypeError('middleware must be a function!'))
  })

  it('runs them in order, behind the resources, at once or later', async () => {
    const order: string[] = []
    const app = appOf()
      .use(async (_ctx, next) => {
        order.push('one')
        await next()
        order.push('one again')
      })
      .use((ctx) => {
        order.push('two')
        ctx.body = 'two'
      })
    const { ask } = await serve(app)
    expect((await ask('GET', '/other')).text).toBe('two')
    expect(order).toEqual(['one', 'two', 'one again'])
    expect((await ask('GET', '/')).json()).toEqual({ a: 1 })
    expect(order).toHaveLength(3)
  })
})

describe('app.middleware', () => {
  it('is the whole application: another one can be made to run it', async () => {
    const app = appOf((ctx) => ({ host: ctx.app === host }), {
      middleware: [(ctx, next) => (ctx.set('X-Around', '1'), next())],
    })
    const host = composing(new Koa())
    host.use((ctx, next) => (ctx.set('X-Host', '1'), next())).use(host.compose(app.middleware))
    const answer = await ask(host)
    expect(answer.headers).toMatchObject({ 'x-host': '1', 'x-around': '1' })
    expect(answer.json()).toEqual({ host: true })
  })

  it('is read by callback(), with what was put into it by hand', async () => {
    const app = appOf()
    app.middleware.unshift(async (ctx, next) => {
      await next()
      ctx.set('X-Length', String(ctx.length))
    })
    expect((await ask(app)).headers['x-length']).toBe('7')
  })

  it('is composed by app.compose', async () => {
    const app = composing(appOf())
    const counts: number[] = []
    const { compose } = app
    app.compose = (middleware) => {
      counts.push(middleware.length)
      return compose([(ctx, next) => (ctx.set('X-Composed', '1'), next()), ...middleware])
    }
    expect((await ask(app)).headers['x-composed']).toBe('1')
    expect(counts).toEqual([app.middleware.length])
  })
})

describe('app.callback()', () => {
  it('serves http.createServer(), two servers of it, and beside another application', async () => {
    const [one, two] = [appOf(() => 'one'), appOf(() => 'two')]
    const [first, second] = [one.callback(), two.callback()]
    const servers = [
      await serve(toListener((req, res) => void first(req, res))),
      await serve(toListener((req, res) => void first(req, res))),
      await serve(toListener((req, res) => void second(req, res))),
    ]
    const answers = await Promise.all(servers.map((server) => server.ask('GET', '/')))
    expect(answers.map(({ text }) => text)).toEqual(['one', 'one', 'two'])
  })

  it('returns a promise that is kept when the answer has been handed to Node', async () => {
    const ended: boolean[] = []
    const handle = appOf(async () => (await Promise.resolve(), 'later')).callback()
    const quick = appOf(() => 'at once').callback()
    const { ask } = await serve(
      toListener((req, res) => {
        const done = (req.url === '/' ? handle : quick)(req, res)
        expect(done).toBeInstanceOf(Promise)
        void done.then(() => ended.push(res.writableEnded))
      }),
    )
    await ask('GET', '/')
    await ask('GET', '/?quick')
    expect(ended).toEqual([true, true])
  })

  it('keeps what a listener before it has set', async () => {
    const handle = appOf((ctx) => ({ seen: ctx.response.get('X-Before') })).callback()
    const { ask } = await serve(
      toListener((req, res) => {
        res.setHeader('X-Before', 'outside')
        res.setHeader('Vary', 'Origin')
        void handle(req, res)
      }),
    )
    const answer = await ask('GET', '/')
    expect(answer.json()).toEqual({ seen: 'outside' })
    expect(answer.headers).toMatchObject({ 'x-before': 'outside', vary: 'Origin, Accept' })
  })

  it('answers through what a listener before it has put in place of writeHead, write and end', async () => {
    const handle = appOf().callback()
    const calls: string[] = []
    const { ask } = await serve(
      toListener((req, res) => {
        const { writeHead, end } = res
        res.writeHead = function writeHeadOnce(this: ServerResponse, ...args: unknown[]) {
          calls.push('writeHead')
          this.setHeader('X-At-Head', String(this.getHeader('Content-Type')))
          return Reflect.apply(writeHead, this, args) as ServerResponse
        }
        res.end = function endLoudly(this: ServerResponse, ...args: unknown[]) {
          calls.push('end')
          return Reflect.apply(end, this, args) as ServerResponse
        } as typeof end
        void handle(req, res)
      }),
    )
    const answer = await ask('GET', '/')
    expect(answer.json()).toEqual({ a: 1 })
    // Middleware that waits for the head (on-headers, and what stands on it) finds every header there, and may add one.
    expect(answer.headers['x-at-head']).toBe('application/json; charset=utf-8')
    expect(new Set(calls)).toEqual(new Set(['writeHead', 'end']))
  })

  it('serves HTTP/2', async () => {
    const handle = appOf((ctx) => (ctx.set('X-Own', '1'), { version: ctx.req.httpVersion })).callback()
    const server = createPlainServer((req, res) => void handle(req as never, res as never)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    try {
      const ask = async (method: string, path: string) => {
        const stream = session.request({ ':method': method, ':path': path })
        const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
        let text = ''
        for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) text += chunk
        return [headers[':status'], headers['x-own'], headers['content-length'], text]
      }
      expect(await ask('GET', '/')).toEqual([200, '1', '17', '{"version":"2.0"}'])
      expect(await ask('HEAD', '/')).toEqual([200, '1', '17', ''])
      expect((await ask('GET', '/none'))[0]).toBe(404)
    } finally {
      session.close()
      server.close()
    }
  })

  it('answers a request that has no connection', async () => {
    const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/', headers: { host: 'a' } })
    const res = new ServerResponse(req)
    await appOf().callback()(req, res)
    expect([res.statusCode, res.headersSent, res.writableEnded]).toEqual([200, true, true])
  })

  it('answers into any stream that a response is given', async () => {
    const req = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/', headers: { host: 'a' } })
    const res = new ServerResponse(req)
    const wire = new PassThrough()
    res.assignSocket(wire as never)
    const finished = once(res, 'finish')
    await appOf().callback()(req, res)
    await finished
    expect(String(wire.read())).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)*Content-Length: 7\r\n(.+\r\n)*\r\n\{"a":1\}$/)
  })

  it('keeps a connection open over answers of every kind, HEAD and 204 among them', async () => {
    const kinds: Record<string, (ctx: Context) => unknown> = {
      json: () => ({ a: 1 }),
      text: () => 'text',
      none: () => undefined,
      own: (ctx) => void (ctx.body = 'own'),
      bytes: () => Buffer.from('bytes'),
      problem: (ctx) => ctx.throw(409),
      chunks: (ctx) => ((ctx.body = 'x'), void ctx.remove('Content-Length')),
    }
    const app = appOf((ctx) => kinds[ctx.get('X-Kind')]?.(ctx))
    const { port } = await serve(app)
    const socket = new Socket().connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    const ended = once(socket, 'close')
    const names = Object.keys(kinds)
    // All at once: the answers come in the order of the questions.
    const lines = names.flatMap((name) => ['HEAD', 'GET'].map((method) => [method, name]))
    lines.forEach(([method, name], at) => {
      const last = at === lines.length - 1 ? 'Connection: close\r\n' : ''
      socket.write(`${method} / HTTP/1.1\r\nHost: a\r\nX-Kind: ${name}\r\n${last}\r\n`)
    })
    await ended
    const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status))
    expect(statuses).toEqual([200, 200, 200, 200, 204, 204, 200, 200, 200, 200, 409, 409, 200, 200])
    expect(text.match(/\{"a":1\}/g)).toHaveLength(1)
    expect(text).toMatch(/\r\n\r\n1\r\nx\r\n0\r\n\r\n$/)
  })

  it('leaves no listeners behind on a connection that is used again and again', async () => {
    const app = appOf(async () => (await Promise.resolve(), { a: 1 }))
    const { port, server } = await serve(app)
    const connections: Socket[] = []
    server.on('connection', (socket: Socket) => connections.push(socket))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const counts: number[] = []
    for (let turn = 0; turn < 20; turn++) {
      await askRaw(port, 'GET', '/', { agent })
      const [socket] = connections
      counts.push(...['error', 'close', 'end', 'drain'].map((name) => socket?.listenerCount(name) ?? -1))
    }
    agent.destroy()
    expect(connections).toHaveLength(1)
    expect(counts.slice(-4)).toEqual(counts.slice(0, 4))
  })

  it('answers HTTP/1.0', async () => {
    const { port } = await serve(appOf())
    const socket = new Socket().connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.0\r\n\r\n')
    let text = ''
    for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) text += chunk
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(text).toMatch(/\r\nContent-Length: 7\r\n/)
    expect(text).toMatch(/\r\nConnection: close\r\n/)
    expect(text).toMatch(/\r\n\r\n\{"a":1\}$/)
  })
})

describe('app.listen(...)', () => {
  it('is a server of Node, and tells the address that it got', async () => {
    const server = appOf().listen(0)
    await once(server, 'listening')
    expect(server).toBeInstanceOf(Server)
    expect((await askRaw((server.address() as AddressInfo).port, 'GET')).status).toBe(200)
    server.close()
  })

  it('takes a function that is called once it listens', async () => {
    const server = await new Promise<Server>((resolve) => {
      const listening: Server = appOf().listen(0, '127.0.0.1', () => resolve(listening))
    })
    expect(server.listening).toBe(true)
    server.close()
  })
})
