import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa from 'koa'
import { Context, createApp, Get, Resource } from 'kumu'
import { closeAll, serve } from '../support/serve'
import { listenTo, until, type Handler } from './apps'
import { askRaw } from './raw'

afterEach(closeAll)

/** Who may answer by the context: stock Koa, and ours with and without middleware. */
const kinds: ReadonlyArray<readonly [name: string, make: (answer: Handler) => Koa]> = [
  ['Koa', (answer) => new Koa().use(async (ctx) => void (await answer(ctx as Context)))],
  ['a resource', (answer) => resourceOf(answer)],
  ['a resource under middleware', (answer) => resourceOf(answer, (_ctx, next) => next())],
  ['a middleware', (answer) => createApp({ middleware: [async (ctx) => void (await answer(ctx as Context))] })],
]

function resourceOf(answer: Handler, ...middleware: Koa.Middleware[]): Koa {
  @Resource('/')
  class Things {
    @Get() async get(@Context() ctx: Context) {
      await answer(ctx)
    }
  }
  return createApp({ resources: [Things], middleware })
}

/** A connection that asks for `/` and reads nothing by itself. */
async function ask(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  return socket
}

/** A stream that never ends, and what it was asked for. */
class Endless extends Readable {
  pulled = 0
  constructor(readonly limit = Infinity) {
    super({ highWaterMark: 65_536 })
  }
  override _read(): void {
    if (this.pulled >= this.limit) this.push(null)
    else this.push(Buffer.alloc(65_536, 120))
    this.pulled += 65_536
  }
}

describe.each(kinds)('a stream as ctx.body of %s', (_name, make) => {
  it('that fails in the middle breaks the answer off, and the application hears of it', async () => {
    const app = make((ctx) => {
      ctx.body = Readable.from(
        (async function* () {
          yield Buffer.from('first')
          await sleep(5)
          throw new Error('broken in the middle')
        })(),
      )
    })
    const heard = listenTo(app)
    const answer = await askRaw((await serve(app)).port, 'GET')
    expect(answer).toMatchObject({ status: 200, body: 'first', failure: 'ECONNRESET' })
    expect(new Set(heard.map(([error]) => error.message))).toEqual(new Set(['broken in the middle']))
    expect(heard.every(([, ctx]) => ctx?.path === '/')).toBe(true)
  })

  it('that fails at once breaks the connection off', async () => {
    const app = make((ctx) => {
      ctx.body = new Readable({ read: () => undefined, construct: (done) => setImmediate(done, new Error('no start')) })
    })
    const heard = listenTo(app)
    const answer = await askRaw((await serve(app)).port, 'GET')
    expect(answer).toMatchObject({ status: 0, failure: 'ECONNRESET' })
    expect(heard.map(([error]) => error.message)).toContain('no start')
  })

  it('is destroyed when the client goes, and the application hears of that', async () => {
    const source = new Endless()
    const app = make((ctx) => void (ctx.body = source))
    const heard = listenTo(app)
    const socket = await ask((await serve(app)).port)
    await once(socket, 'data')
    socket.destroy()
    await until(() => source.destroyed)
    await until(() => heard.length > 0)
    expect(heard.map(([error]) => error.code)).toContain('ERR_STREAM_PREMATURE_CLOSE')
    expect(heard.every(([, ctx]) => ctx?.body === source)).toBe(true)
  })

  it('waits for a client that does not read', async () => {
    const source = new Endless(96 * 1024 * 1024)
    const app = make((ctx) => void (ctx.body = source))
    const socket = await ask((await serve(app)).port)
    // What the system takes into its own buffers is some megabytes.
    let before = -1
    while (before !== source.pulled || source.pulled === 0) {
      before = source.pulled
      await sleep(50)
    }
    expect(source.pulled).toBeLessThan(48 * 1024 * 1024)
    let received = 0
    let tail = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      tail = (tail + chunk.toString('latin1')).slice(-5)
    })
    await until(() => tail === '0\r\n\r\n')
    expect(received).toBeGreaterThan(source.limit)
    socket.destroy()
  })

  it('is destroyed where another body takes its place, and where the answer has none', async () => {
    const sources: PassThrough[] = []
    const app = make((ctx) => {
      const source = new PassThrough()
      sources.push(source)
      ctx.body = source
      if (ctx.query.text) ctx.body = 'text'
      else ctx.status = 204
    })
    const { port } = await serve(app)
    expect((await askRaw(port, 'GET', '/?text=1')).body).toBe('text')
    expect((await askRaw(port, 'GET')).status).toBe(204)
    expect(sources.map(({ destroyed }) => destroyed)).toEqual([true, true])
  })

  it('is destroyed unread for HEAD', async () => {
    const source = new Endless()
    const { port } = await serve(make((ctx) => void (ctx.body = source)))
    expect(await askRaw(port, 'HEAD')).toMatchObject({ status: 200, body: '' })
    await until(() => source.destroyed)
  })
})

describe.each(kinds)('a client that leaves %s while a handler works', (_name, make) => {
  function working() {
    let enter: () => void = () => undefined
    let leave: () => void = () => undefined
    const entered = new Promise<void>((resolve) => (enter = resolve))
    const left = new Promise<void>((resolve) => (leave = resolve))
    const events: string[] = []
    const seen: unknown[] = []
    const app = make(async (ctx) => {
      for (const event of ['finish', 'close']) ctx.res.on(event, () => events.push(event))
      enter()
      await left
      seen.push(ctx.writable, ctx.res.destroyed)
      ctx.body = 'too late'
    })
    return { app, entered, leave, events, seen }
  }

  it('by a reset: the application hears ECONNRESET, once, with the context', async () => {
    const { app, entered, leave, events, seen } = working()
    const heard = listenTo(app)
    const { ask: again, port } = await serve(app)
    const socket = await ask(port)
    await entered
    socket.resetAndDestroy()
    await until(() => events.includes('close'))
    await sleep(5)
    leave()
    await until(() => seen.length > 0)
    expect(heard.map(([error, ctx]) => [error.code, ctx?.path])).toEqual([['ECONNRESET', '/']])
    expect([seen, events]).toEqual([[false, true], ['close']])
    expect((await again('GET', '/')).text).toBe('too late')
  })

  it('by an orderly end: nothing is heard, and nothing is sent', async () => {
    const { app, entered, leave, events, seen } = working()
    const heard = listenTo(app)
    const { ask: again, port } = await serve(app)
    const socket = await ask(port)
    await entered
    socket.destroy()
    await until(() => events.includes('close'))
    leave()
    await until(() => seen.length > 0)
    await sleep(5)
    expect(heard).toEqual([])
    expect((await again('GET', '/')).text).toBe('too late')
  })
})

describe.each(kinds)('a client that resets while %s answers by ctx.res', (_name, make) => {
  it('is heard of, though the handler has returned', async () => {
    let response: Context['res'] | undefined
    const app = make((ctx) => {
      ctx.respond = false
      response = ctx.res
      ctx.res.writeHead(200).write('first')
    })
    const heard = listenTo(app)
    const socket = await ask((await serve(app)).port)
    await once(socket, 'data')
    socket.resetAndDestroy()
    await until(() => response?.destroyed === true)
    await until(() => heard.length > 0)
    expect(heard.map(([error, ctx]) => [error.code, ctx?.path])).toEqual([['ECONNRESET', '/']])
  })
})

describe('a resource that returns its value', () => {
  function returning(options: { middleware?: Koa.Middleware[] } = {}) {
    let enter: () => void = () => undefined
    let leave: () => void = () => undefined
    const entered = new Promise<void>((resolve) => (enter = resolve))
    const left = new Promise<void>((resolve) => (leave = resolve))
    let done = 0
    @Resource('/')
    class Things {
      @Get() async get() {
        enter()
        await left
        done++
        return { a: 1 }
      }
    }
    return { app: createApp({ ...options, resources: [Things] }), entered, leave, done: () => done }
  }

  it.each([
    ['alone', {}],
    ['under middleware', { middleware: [(_ctx: Koa.Context, next: Koa.Next) => next()] }],
  ])('%s: a client that resets is heard of as in Koa, and nothing breaks', async (_name, options) => {
    const { app, entered, leave, done } = returning(options)
    const heard = listenTo(app)
    const { ask: again, port } = await serve(app)
    const socket = await ask(port)
    await entered
    socket.resetAndDestroy()
    await until(() => heard.length > 0)
    leave()
    await until(() => done() === 1)
    await sleep(5)
    expect(heard.map(([error, ctx]) => [error.code, ctx?.path])).toEqual([['ECONNRESET', '/']])
    expect((await again('GET', '/')).json()).toEqual({ a: 1 })
  })

  it('fails at once: the client gets a problem, where Koa breaks off', async () => {
    @Resource('/')
    class Things {
      @Get() get() {
        return new Readable({ read: () => undefined, construct: (done) => setImmediate(done, new Error('no start')) })
      }
    }
    const app = createApp({ resources: [Things] })
    const heard = listenTo(app)
    const answer = await askRaw((await serve(app)).port, 'GET')
    expect([answer.status, JSON.parse(answer.body)]).toEqual([500, expect.objectContaining({ status: 500 })])
    expect(heard.map(([error]) => error.message)).toEqual(['no start'])
  })
})
