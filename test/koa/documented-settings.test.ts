import { AsyncLocalStorage } from 'node:async_hooks'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import Koa from 'koa'
import { createApp, type App, type AppOptions, type Context } from 'kumu'
import { closeAll, serve } from '../support/serve'
import { appOf, listenTo, toListener } from './apps'

afterEach(closeAll)

/** Asks an application once. */
async function ask(app: Koa, headers: Record<string, string> = {}) {
  return (await serve(app)).ask('GET', '/', { headers })
}

describe('settings', () => {
  it('begin as those of Koa', () => {
    const pick = ({ env, proxy, proxyIpHeader, maxIpsCount, subdomainOffset, silent, keys, context }: Koa) => ({
      ...{ env, proxy, proxyIpHeader, maxIpsCount, subdomainOffset, silent, keys },
      context: typeof context,
    })
    expect(pick(appOf())).toEqual(pick(new Koa()))
  })

  it('app.proxy trusts what a proxy says, also when it is set after callback()', async () => {
    const app = appOf((ctx) => ({
      host: ctx.host,
      hostname: ctx.hostname,
      protocol: ctx.protocol,
      secure: ctx.secure,
      ip: ctx.ip,
      ips: ctx.ips,
    }))
    const { ask } = await serve(app)
    const headers = {
      Host: 'inside:80',
      'X-Forwarded-Host': 'a.example.com',
      'X-Forwarded-Proto': 'https, http',
      'X-Forwarded-For': '1.1.1.1, 2.2.2.2',
    }
    expect((await ask('GET', '/', { headers })).json()).toEqual({
      host: 'inside:80',
      hostname: 'inside',
      protocol: 'http',
      secure: false,
      ip: '127.0.0.1',
      ips: [],
    })
    app.proxy = true
    expect((await ask('GET', '/', { headers })).json()).toEqual({
      host: 'a.example.com',
      hostname: 'a.example.com',
      protocol: 'https',
      secure: true,
      ip: '1.1.1.1',
      ips: ['1.1.1.1', '2.2.2.2'],
    })
  })

  it('app.proxyIpHeader and app.maxIpsCount', async () => {
    const app = appOf((ctx) => ctx.ips)
    Object.assign(app, { proxy: true, proxyIpHeader: 'X-Real-IP', maxIpsCount: 1 })
    const headers = { 'X-Forwarded-For': '9.9.9.9', 'X-Real-IP': '1.1.1.1, 2.2.2.2' }
    expect((await ask(app, headers)).json()).toEqual(['2.2.2.2'])
  })

  it('app.subdomainOffset', async () => {
    const app = appOf((ctx) => ctx.subdomains)
    const { ask } = await serve(app)
    const headers = { Host: 'a.b.example.com' }
    expect((await ask('GET', '/', { headers })).json()).toEqual(['b', 'a'])
    app.subdomainOffset = 3
    expect((await ask('GET', '/', { headers })).json()).toEqual(['a'])
  })

  it('app.env is of NODE_ENV, and can be set', () => {
    const app = appOf()
    expect(app.env).toBe(process.env.NODE_ENV)
    app.env = 'staging'
    expect(app.toJSON()).toEqual({ subdomainOffset: 2, proxy: false, env: 'staging' })
  })

  it('app.silent keeps failures from being printed', async () => {
    const spy = jest.spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      const app = appOf((ctx) => ctx.throw(500, 'loud'))
      const { ask } = await serve(app)
      await ask('GET', '/')
      expect(spy).toHaveBeenCalledTimes(1)
      app.silent = true
      await ask('GET', '/')
      expect(spy).toHaveBeenCalledTimes(1)
    } finally {
      spy.mockRestore()
    }
  })

  it('app.toJSON() and app.inspect()', () => {
    const app = appOf()
    const shown = { subdomainOffset: 2, proxy: false, env: process.env.NODE_ENV }
    expect(app.toJSON()).toEqual(shown)
    expect(app.inspect()).toEqual(shown)
    expect(JSON.parse(JSON.stringify(app))).toEqual(shown)
    expect(inspect(app)).toBe(inspect(new Koa()))
  })
})

describe('app.keys', () => {
  const handlers = (ctx: Context): unknown => {
    if (ctx.method === 'POST') ctx.cookies.set('name', 'kumu', { signed: true })
    return { name: ctx.cookies.get('name', { signed: true }) ?? null }
  }

  function jar(cookies: readonly string[] | undefined): string {
    return (cookies ?? []).map((each) => each.split(';', 1)[0]).join('; ')
  }

  it('sign cookies; a new key in front signs anew what the old one signed, a key taken away voids it', async () => {
    const app = appOf(handlers)
    app.keys = ['old']
    const { ask } = await serve(app)
    const set = await ask('POST', '/')
    expect(set.headers['set-cookie']).toEqual([
      expect.stringMatching(/^name=kumu; path=\/; httponly$/),
      expect.stringMatching(/^name\.sig=[\w-]{27}; path=\/; httponly$/),
    ])
    const headers = { Cookie: jar(set.headers['set-cookie']) }
    const read = await ask('GET', '/', { headers })
    expect([read.json(), read.headers['set-cookie']]).toEqual([{ name: 'kumu' }, undefined])

    app.keys = ['new', 'old']
    const rotated = await ask('GET', '/', { headers })
    expect(rotated.json()).toEqual({ name: 'kumu' })
    expect(rotated.headers['set-cookie']).toEqual([expect.stringMatching(/^name\.sig=/)])
    expect(headers.Cookie).not.toContain(jar(rotated.headers['set-cookie']))

    app.keys = ['new']
    const refused = await ask('GET', '/', { headers })
    expect(refused.json()).toEqual({ name: null })
    const renewed = { Cookie: `name=kumu; ${jar(rotated.headers['set-cookie'])}` }
    expect((await ask('GET', '/', { headers: renewed })).json()).toEqual({ name: 'kumu' })
    const forged = { Cookie: headers.Cookie.replace('kumu', 'root') }
    expect((await ask('GET', '/', { headers: forged })).json()).toEqual({ name: null })
  })

  it('are needed to sign: without them it is a 500', async () => {
    const app = appOf(handlers)
    const heard = listenTo(app)
    expect((await (await serve(app)).ask('POST', '/')).status).toBe(500)
    expect(heard.map(([error]) => error.message)).toEqual(['.keys required for signed cookies'])
  })
})

describe('app.context, app.request, app.response', () => {
  it('are what contexts are made of: what is added is there in handlers, before and after callback()', async () => {
    const app = appOf((ctx) => ({
      db: (ctx as never as { db(): string }).db(),
      added: ctx.added as unknown,
      shout: (ctx.request as never as { shout: string }).shout,
      kind: (ctx.response as never as { kind: string }).kind,
    }))
    app.context.db = function db(this: Context) {
      return `db of ${this.path}`
    }
    Object.defineProperty(app.request, 'shout', {
      get(this: Koa.Request) {
        return this.method.toUpperCase()
      },
    })
    Object.defineProperty(app.response, 'kind', {
      get(this: Koa.Response) {
        return typeof this.status
      },
    })
    const { ask } = await serve(app)
    app.context.added = 'later'
    expect((await ask('GET', '/')).json()).toEqual({ db: 'db of /', added: 'later', shout: 'GET', kind: 'number' })
  })

  it('stay apart in two applications', async () => {
    const [one, two] = [appOf((ctx) => ({ has: 'db' in ctx })), appOf((ctx) => ({ has: 'db' in ctx }))]
    one.context.db = 1
    expect((await ask(one)).json()).toEqual({ has: true })
    expect((await ask(two)).json()).toEqual({ has: false })
  })

  it('a setter that is replaced is used by a handler that writes through it', async () => {
    const app = appOf((ctx) => void (ctx.body = 'quiet'))
    const { set, get } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(app.response), 'body') ?? {}
    Object.defineProperty(app.response, 'body', {
      get,
      set(this: Koa.Response, value: string) {
        set?.call(this, value.toUpperCase())
      },
    })
    expect((await ask(app)).text).toBe('QUIET')
  })

  it('a context is what Koa makes it', async () => {
    const seen: unknown[] = []
    const app = appOf((ctx) => {
      const { request, response, req, res } = ctx
      seen.push(
        Object.getPrototypeOf(ctx) === app.context,
        Object.getPrototypeOf(request) === app.request,
        Object.getPrototypeOf(response) === app.response,
        [ctx, request, response].every((each) => each.app === app && each.req === req && each.res === res),
        request.ctx === ctx && response.ctx === ctx && request.response === response && response.request === request,
        req instanceof IncomingMessage && res instanceof ServerResponse,
        ctx.originalUrl,
        request.originalUrl,
        ctx.state,
        ctx.status,
        ctx.body,
        Object.keys(ctx.toJSON()),
        JSON.parse(JSON.stringify(ctx)) !== undefined && inspect(ctx).includes('<original node req>'),
      )
      ctx.state.used = true
      return 'seen'
    })
    const { ask } = await serve(app)
    for (let turn = 0; turn < 2; turn++) await ask('GET', '/?a=b')
    const once = [
      ...[true, true, true, true, true, true],
      ...['/?a=b', '/?a=b', { used: true }, 404, undefined],
      ['request', 'response', 'app', 'originalUrl', 'req', 'res', 'socket'],
      true,
    ]
    expect(seen).toEqual([...once, ...once])
  })

  it('app.createContext is asked at every request: it may be replaced after callback() too', async () => {
    const app = appOf((ctx) => ({ marked: ctx.marked === true }))
    const { ask } = await serve(app)
    expect((await ask('GET', '/')).json()).toEqual({ marked: false })
    const { createContext } = app
    app.createContext = function mark(this: App, ...args: Parameters<typeof createContext>) {
      return Object.assign(createContext.apply(this, args), { marked: true })
    } as typeof createContext
    expect((await ask('GET', '/')).json()).toEqual({ marked: true })
  })

  it('app.createContext(req, res) makes one, and may be replaced', async () => {
    const app = appOf((ctx) => ({ marked: ctx.marked as unknown }))
    const { createContext } = app
    app.createContext = function mark(this: App, ...args: Parameters<typeof createContext>) {
      return Object.assign(createContext.apply(this, args), { marked: true })
    } as typeof createContext
    expect((await ask(app)).json()).toEqual({ marked: true })
    const req = Object.assign(new IncomingMessage(new Socket()), { method: 'PUT', url: '/x?y=1' })
    const ctx = app.createContext(req, new ServerResponse(req))
    expect([ctx.method, ctx.path, ctx.query, ctx.status]).toEqual(['PUT', '/x', { y: '1' }, 200])
  })
})

describe("app.on('error', (error, ctx) => …)", () => {
  it('hears of a 500 once, with its context, and nothing is printed', async () => {
    const spy = jest.spyOn(console, 'error').mockImplementation(() => undefined)
    try {
      const app = appOf((ctx) => {
        if (ctx.query.koa) ctx.throw(500, 'of Koa')
        throw new Error('of the handler')
      })
      const heard = listenTo(app)
      const { ask } = await serve(app)
      expect([(await ask('GET', '/?q=1')).status, (await ask('GET', '/?koa=1')).status]).toEqual([500, 500])
      expect(heard.map(([error, ctx]) => [error.message, ctx?.path, ctx?.querystring, ctx?.app === app])).toEqual([
        ['of the handler', '/', 'q=1', true],
        ['of Koa', '/', 'koa=1', true],
      ])
      expect(spy).not.toHaveBeenCalled()
    } finally {
      spy.mockRestore()
    }
  })

  it('hears nothing of what the client was told, where Koa tells of every error', async () => {
    const fail: Koa.Middleware = (ctx) => ctx.throw(Number(ctx.get('X-Status')), 'said')
    const counts: number[] = []
    for (const app of [appOf(fail as never), createApp({ middleware: [fail] }), new Koa().use(fail)]) {
      const heard = listenTo(app)
      const { ask } = await serve(app)
      for (const status of ['400', '404', '409', '422']) {
        expect((await ask('GET', '/', { headers: { 'X-Status': status } })).status).toBe(Number(status))
      }
      counts.push(heard.length)
    }
    expect(counts).toEqual([0, 0, 4])
  })

  it('something that is no Error comes as one', async () => {
    const app = appOf(() => Promise.reject('text'))
    const heard = listenTo(app)
    expect((await ask(app)).status).toBe(500)
    expect(heard).toEqual([[expect.any(Error), expect.anything()]])
  })

  it('app.onerror listens where nobody else does, and only then', () => {
    const [alone, heard] = [appOf(), appOf()]
    heard.on('error', () => undefined)
    for (const app of [alone, heard]) {
      app.callback()
      app.callback()
      expect(app.listenerCount('error')).toBe(1)
    }
  })

  it('app.emit() reaches it', () => {
    const app = appOf()
    const heard = listenTo(app)
    app.emit('error', new Error('by hand'))
    expect(heard.map(([error]) => error.message)).toEqual(['by hand'])
  })
})

describe('app.currentContext', () => {
  it('is none where no storage is', async () => {
    const app = appOf((ctx) => ({ none: ctx.app.currentContext === undefined }))
    expect((await ask(app)).json()).toEqual({ none: true })
    expect(app.currentContext).toBeUndefined()
  })

  it('is the context of the request where the application has a storage', async () => {
    const app = appOf(async (ctx) => {
      const before = app.currentContext === ctx
      await new Promise((resolve) => setTimeout(resolve, 1))
      return { before, after: app.currentContext === ctx }
    })
    app.ctxStorage = new AsyncLocalStorage()
    const { ask } = await serve(app)
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('GET', '/')))
    expect(answers.map((answer) => answer.json())).toEqual(Array(5).fill({ before: true, after: true }))
    expect(app.currentContext).toBeUndefined()
  })

  it('is there from the request on that follows the storage', async () => {
    const app = appOf((ctx) => ({ same: app.currentContext === ctx }))
    const { ask } = await serve(app)
    expect((await ask('GET', '/')).json()).toEqual({ same: false })
    app.ctxStorage = new AsyncLocalStorage()
    expect((await ask('GET', '/')).json()).toEqual({ same: true })
  })

  // The constructor of App gives nothing to Koa's: neither this option nor env, keys, proxy and their kin can be passed.
  test('is there with the option asyncLocalStorage of Koa', async () => {
    const options = { asyncLocalStorage: true } as AppOptions
    const app = appOf((ctx) => ({ same: ctx.app.currentContext === ctx }), options)
    expect((await ask(app)).json()).toEqual({ same: true })
  })

  it('a storage of a listener or a middleware reaches the handler', async () => {
    const storage = new AsyncLocalStorage<string>()
    const handle = appOf(async () => (await Promise.resolve(), storage.getStore())).callback()
    const outside = toListener((req, res) => void storage.run('listener', () => handle(req, res)))
    expect((await (await serve(outside)).ask('GET', '/')).text).toBe('listener')
    const inside = appOf(() => storage.getStore(), { middleware: [(_ctx, next) => storage.run('middleware', next)] })
    expect((await ask(inside)).text).toBe('middleware')
  })
})
