import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import Koa from 'koa'
import compress from 'koa-compress'
import etag from 'koa-etag'
import { createApp, Get, Produces, Resource, Use, type App, type AppOptions } from 'kumu'
import { closeAll, serve, type Answer } from '../support/serve'
import { listenTo } from './apps'
import { askRaw } from './raw'

// These two bring no types along.
const conditional = require('koa-conditional-get') as () => Koa.Middleware
const responseTime = require('koa-response-time') as (options?: { readonly hrtime?: boolean }) => Koa.Middleware

let warn: jest.SpyInstance
// koa-etag says at each use that it has moved.
beforeAll(() => (warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined)))
afterAll(() => warn.mockRestore())
afterEach(closeAll)

const small = { id: 1, name: 'Zoë' }
const rows = Array.from({ length: 10_000 }, (_none, id) => ({ id, name: `row ${id}`, even: id % 2 === 0 }))
const prose = 'Grüße aus dem Wald. '.repeat(400)
const bytes = Buffer.from(prose.toUpperCase())
const chunks = (): Readable => Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)])

/** Paths with what Koa is told to send there, so that it is the same as what the resource sends. */
const contents: Readonly<Record<string, () => readonly [type: string, body: unknown]>> = {
  '/small': () => ['application/json; charset=utf-8', JSON.stringify(small)],
  '/rows': () => ['application/json; charset=utf-8', JSON.stringify(rows)],
  '/text': () => ['text/plain; charset=utf-8', prose],
  '/bytes': () => ['text/markdown; charset=utf-8', bytes],
  '/stream': () => ['text/markdown; charset=utf-8', chunks()],
  '/image': () => ['image/png', bytes],
}
const paths = Object.keys(contents)

function stockOf(...middleware: Koa.Middleware[]): Koa {
  const app = new Koa()
  for (const each of middleware) app.use(each)
  return app.use((ctx) => {
    const [type, body] = contents[ctx.path]?.() ?? []
    ctx.type = type as string
    ctx.body = body
  })
}

function resourceOf(options: AppOptions, ...use: Koa.Middleware[]): App {
  @Resource('/')
  @Use(...use)
  class Contents {
    @Get('/small') small() {
      return small
    }
    @Get('/rows') async rows() {
      return rows
    }
    @Get('/text') text() {
      return prose
    }
    @Get('/bytes') @Produces('text/markdown; charset=utf-8') bytes() {
      return bytes
    }
    @Get('/stream') @Produces('text/markdown; charset=utf-8') stream() {
      return chunks()
    }
    @Get('/image') @Produces('image/png') image() {
      return bytes
    }
  }
  return createApp({ ...options, resources: [Contents] })
}

/** How a middleware is put around resources. */
const ways: ReadonlyArray<readonly [name: string, make: (...middleware: Koa.Middleware[]) => App]> = [
  ['middleware: [...]', (...middleware) => resourceOf({ middleware })],
  ['@Use(...)', (...middleware) => resourceOf({}, ...middleware)],
]

const decoders: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  identity: (body) => body,
}

function decode({ headers, bytes: body }: Answer): Buffer {
  return decoders[headers['content-encoding'] ?? 'identity']?.(body) ?? Buffer.alloc(0)
}

/** The members of `Vary`; Koa knows no `Accept`, and so leaves it to who negotiates. */
function varied({ headers }: Answer): string[] {
  return (headers.vary ?? '').split(/,\s*/).filter((name) => name !== '' && name !== 'Accept')
}

function essence(answer: Answer) {
  const { 'content-encoding': coding, 'content-type': type, 'content-length': length, etag: tag } = answer.headers
  return { status: answer.status, coding, type, length, tag, vary: varied(answer), body: decode(answer).toString() }
}

async function essences(app: Koa, headers: Record<string, string>, method = 'GET') {
  const { ask } = await serve(app)
  return Promise.all(paths.map(async (path) => essence(await ask(method, path, { headers }))))
}

describe.each(ways)('koa-compress by %s', (_way, make) => {
  it.each(['gzip', 'deflate', 'br', 'gzip, br', 'identity', 'gzip;q=0', '*'])(
    'for Accept-Encoding: %s compresses what Koa would',
    async (accept) => {
      const headers = { 'Accept-Encoding': accept }
      expect(await essences(make(compress()), headers)).toEqual(await essences(stockOf(compress()), headers))
    },
  )

  it.each([
    ['/small', undefined, undefined],
    ['/rows', 'gzip', undefined],
    ['/text', 'gzip', undefined],
    ['/bytes', 'gzip', undefined],
    ['/stream', 'gzip', undefined],
    ['/image', undefined, String(bytes.length)],
  ])('%s has the encoding %s, and decodes to the same bytes', async (path, coding, length) => {
    const { ask } = await serve(make(compress()))
    const plain = await ask('GET', path)
    const answer = await ask('GET', path, { headers: { 'Accept-Encoding': 'gzip' } })
    expect(answer.headers['content-encoding']).toBe(coding)
    if (coding || length) expect(answer.headers['content-length']).toBe(length)
    expect(answer.headers.vary).toContain('Accept-Encoding')
    expect(decode(answer).equals(plain.bytes)).toBe(true)
    expect(plain.bytes.length).toBeGreaterThan(10)
  })

  it('leaves HEAD without a body', async () => {
    const headers = { 'Accept-Encoding': 'gzip' }
    expect(await essences(make(compress()), headers, 'HEAD')).toEqual(
      await essences(stockOf(compress()), headers, 'HEAD'),
    )
  })

  it('with a threshold of its own compresses small answers too', async () => {
    const { ask } = await serve(make(compress({ threshold: 0 })))
    const answer = await ask('GET', '/small', { headers: { 'Accept-Encoding': 'gzip' } })
    expect([answer.headers['content-encoding'], decode(answer).toString()]).toEqual(['gzip', JSON.stringify(small)])
  })
})

describe.each(ways)('koa-conditional-get and koa-etag by %s', (_way, make) => {
  it('give the tags that Koa gives, and none to streams', async () => {
    const ours = await essences(make(conditional(), etag()), {})
    expect(ours).toEqual(await essences(stockOf(conditional(), etag()), {}))
    expect(ours.map(({ tag }) => tag !== undefined)).toEqual(paths.map((path) => path !== '/stream'))
  })

  it('answer 304 without a body to who has the tag, and 200 to who has another', async () => {
    const apps = [await serve(make(conditional(), etag())), await serve(stockOf(conditional(), etag()))]
    for (const path of ['/small', '/rows', '/text', '/bytes', '/image']) {
      const seen = await Promise.all(
        apps.map(async ({ ask }) => {
          const tag = (await ask('GET', path)).headers.etag as string
          const [fresh, stale] = [
            await ask('GET', path, { headers: { 'If-None-Match': tag } }),
            await ask('GET', path, { headers: { 'If-None-Match': '"other"' } }),
          ]
          return [essence(fresh), essence(stale)]
        }),
      )
      expect(seen[0]).toEqual(seen[1])
      expect(seen[0]?.[0]).toMatchObject({ status: 304, body: '', type: undefined, length: undefined })
      expect(seen[0]?.[1]).toMatchObject({ status: 200 })
    }
  })

  it('answer 304 to HEAD as to GET', async () => {
    const { ask } = await serve(make(conditional(), etag()))
    const head = await ask('HEAD', '/small')
    expect(head.headers.etag).toBe((await ask('GET', '/small')).headers.etag)
    const headers = { 'If-None-Match': head.headers.etag as string }
    expect((await ask('HEAD', '/small', { headers })).status).toBe(304)
  })

  it('work under koa-compress', async () => {
    const all = () => [compress(), conditional(), etag()] as const
    const headers = { 'Accept-Encoding': 'gzip' }
    const ours = await essences(make(...all()), headers)
    expect(ours).toEqual(await essences(stockOf(...all()), headers))
    const { ask } = await serve(make(...all()))
    const again = await ask('GET', '/rows', { headers: { ...headers, 'If-None-Match': ours[1]?.tag as string } })
    expect([again.status, again.bytes.length, again.headers['content-encoding']]).toEqual([304, 0, undefined])
  })
})

describe.each(ways)('koa-response-time by %s', (_way, make) => {
  it.each(paths)('tells the time of %s', async (path) => {
    const { ask } = await serve(make(responseTime()))
    const { status, headers } = await ask('GET', path)
    expect([status, headers['x-response-time']]).toEqual([200, expect.stringMatching(/^\d+ms$/)])
  })

  it('counts the time of the handler', async () => {
    @Resource('/slow')
    class Slow {
      @Get() async get() {
        await sleep(30)
        return 'slow'
      }
    }
    const { ask } = await serve(createApp({ resources: [Slow], middleware: [responseTime({ hrtime: true })] }))
    const time = (await ask('GET', '/slow')).headers['x-response-time'] as string
    expect(time).toMatch(/^\d+(\.\d+)?ms$/)
    // A timer may be a little early.
    expect(parseFloat(time)).toBeGreaterThan(25)
  })
})

describe.each(ways)('a logger by %s', (_way, make) => {
  it('reads status, length, type and body after next()', async () => {
    const lines: unknown[] = []
    const log: Koa.Middleware = async (ctx, next) => {
      const start = process.hrtime.bigint()
      await next()
      const took = process.hrtime.bigint() - start
      const body: unknown = ctx.body
      const kind = Buffer.isBuffer(body) ? 'buffer' : body instanceof Readable ? 'stream' : typeof body
      lines.push([ctx.method, ctx.url, ctx.status, ctx.length, ctx.type, kind, took > 0n])
    }
    const { ask } = await serve(make(log))
    for (const path of paths) await ask('GET', `${path}?`)
    expect(lines).toEqual([
      ['GET', '/small?', 200, Buffer.byteLength(JSON.stringify(small)), 'application/json', 'string', true],
      ['GET', '/rows?', 200, Buffer.byteLength(JSON.stringify(rows)), 'application/json', 'string', true],
      ['GET', '/text?', 200, Buffer.byteLength(prose), 'text/plain', 'string', true],
      ['GET', '/bytes?', 200, bytes.length, 'text/markdown', 'buffer', true],
      ['GET', '/stream?', 200, undefined, 'text/markdown', 'stream', true],
      ['GET', '/image?', 200, bytes.length, 'image/png', 'buffer', true],
    ])
  })

  it('sees an error as a rejection of next(), and may let it pass', async () => {
    const lines: unknown[] = []
    const log: Koa.Middleware = async (_ctx, next) => {
      try {
        await next()
      } catch (error) {
        lines.push((error as { status?: number }).status)
        throw error
      }
    }
    const { ask } = await serve(make(log))
    expect((await ask('GET', '/small?unknown')).status).toBe(200)
    expect((await ask('GET', '/small', { headers: { Accept: 'image/png' } })).status).toBe(406)
    expect(lines).toEqual([406])
  })
})

describe('app.use(fn) after app.callback()', () => {
  const added: Koa.Middleware = async (ctx, next) => {
    if (ctx.path === '/added') ctx.body = 'added'
    else await next()
  }

  it('is lost in Koa, which composed before', async () => {
    const app = new Koa()
    const { ask } = await serve(app)
    app.use(added)
    expect((await ask('GET', '/added')).status).toBe(404)
  })

  it('runs for requests from then on, behind the resources', async () => {
    const app = resourceOf({})
    listenTo(app)
    const handle = app.callback()
    const server = createServer((req, res) => void handle(req, res)).listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const before = await askRaw(port, 'GET', '/added')
      const seen: string[] = []
      app.use((ctx, next) => {
        seen.push(ctx.path)
        return next()
      })
      app.use(added)
      const answers = [before]
      for (const path of ['/added', '/small', '/none']) answers.push(await askRaw(port, 'GET', path))
      expect(answers.map(({ status }) => status)).toEqual([404, 200, 200, 404])
      expect(answers[1]?.body).toBe('added')
      // It sees what no resource answered, as one that came before callback().
      expect(seen).toEqual(['/added', '/none'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('runs for requests from then on after app.listen() too', async () => {
    const app = resourceOf({})
    const { ask } = await serve(app)
    app.use(added)
    expect((await ask('GET', '/added')).text).toBe('added')
  })
})
