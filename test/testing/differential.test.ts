import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import Koa from 'koa'
import { koaBody } from 'koa-body'
import compress from 'koa-compress'
import type { App } from 'kumu'
import { appTransport } from 'kumu/testing'
import { createShowcase } from '../../samples/showcase/app'
import { closeAll, serve } from '../support/serve'

interface Asked {
  readonly method: string
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string | Uint8Array | (() => ReadableStream<Uint8Array>)
}

interface Told {
  readonly status: number
  readonly text: string
  readonly headers: Array<readonly [string, string]>
  readonly body: string
}

// What is of a connection, and how long it took.
const left = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])
const changing = [
  /(?<=")[0-9a-z]{12,40}(?=(-\w+)?\\?")/g,
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi,
  /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g,
  /\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g,
]

const settle = (text: string): string => changing.reduce((before, pattern) => before.replace(pattern, '…'), text)

async function tell(response: Response): Promise<Told> {
  const headers = [...response.headers].filter(([name]) => !left.has(name))
  return {
    status: response.status,
    text: response.statusText,
    headers: headers.map(([name, value]) => [name, settle(value)] as const),
    body: settle(Buffer.from(await response.arrayBuffer()).toString('latin1')),
  }
}

type Send = (asked: Asked) => Promise<Told>

function toInit({ method, headers, body }: Asked): RequestInit {
  const payload = typeof body === 'function' ? body() : body
  return { method, headers, body: payload, redirect: 'manual', ...(typeof body === 'function' && { duplex: 'half' }) }
}

/** The same requests over a socket and in process, each to an application of its own that stands at the same address. */
async function both(make: () => Koa): Promise<{ over: Send; inside: Send }> {
  const { url } = await serve(make())
  const handle = make().callback()
  const transport = appTransport((req, res) => void handle(req, res))
  return {
    over: async (asked) => tell(await fetch(url + asked.path, toInit(asked))),
    inside: async (asked) => tell(await transport(new Request(url + asked.path, toInit(asked)))),
  }
}

afterEach(closeAll)

const json = { 'content-type': 'application/json' }
const multipart = { 'content-type': 'multipart/form-data; boundary=XyZ' }
const form = (content: string): string =>
  `--XyZ\r\nContent-Disposition: form-data; name="title"\r\n\r\nT\r\n--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: image/x\r\n\r\n${content}\r\n--XyZ--\r\n`

const get = (path: string, headers?: Record<string, string>): Asked => ({ method: 'GET', path, headers })
const send = (method: string, path: string, body: unknown, headers: Record<string, string> = json): Asked => ({
  method,
  path,
  headers,
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

/** Good and bad requests to every part of the showcase, in an order that gives them something to find. */
const script: readonly Asked[] = [
  send('POST', '/employees', { name: 'Ada', email: 'ada@example.org' }),
  send('POST', '/employees', { name: 5 }),
  send('POST', '/employees', '{"name"'),
  send('POST', '/employees', ''),
  get('/employees'),
  get('/employees', { range: 'employees=0-1' }),
  get('/employees', { range: 'employees=900-' }),
  get('/employees/1'),
  get('/employees/x'),
  get('/employees/%zz'),
  send('PUT', '/memory/a', 'some bytes', { 'content-type': 'text/plain' }),
  get('/memory/a'),
  get('/memory/a', { range: 'bytes=0-3' }),
  get('/memory/a', { range: 'bytes=99-' }),
  get('/memory/a', { 'if-none-match': '*' }),
  send('PUT', '/memory/a', 'again', { 'content-type': 'text/plain', 'if-none-match': '*' }),
  { method: 'HEAD', path: '/memory/a' },
  { method: 'DELETE', path: '/memory/a' },
  get('/memory/a'),
  send('POST', '/memory', 'x', { 'content-type': 'text/plain' }),
  get('/memory', { accept: 'text/html' }),
  get('/memory/..%2fx'),
  send('PUT', '/files/k', 'file', { 'content-type': 'text/html' }),
  get('/files/k'),
  send('POST', '/books', { title: 'T', year: 1 }),
  send('POST', '/books', { title: 'T', extra: 1 }),
  send('POST', '/books', '{"__proto__":{"a":1},"title":"T"}'),
  get('/books'),
  get('/books?title=T&fields=title'),
  get('/books?nonsense=1'),
  get('/items?limit=2&offset=3'),
  get('/items', { range: 'items=0-1', accept: 'application/xml' }),
  get('/items?cursor=&limit=2'),
  get('/items?cursor=nonsense'),
  get('/items?limit=x'),
  { method: 'HEAD', path: '/items?limit=2' },
  send('POST', '/uploads', form('content'), multipart),
  send('POST', '/uploads', form('x'.repeat(300_000)), multipart),
  send('POST', '/uploads', form('x'.repeat(1_100_000)), multipart),
  send('POST', '/uploads', '--XyZ\r\nnonsense', multipart),
  send('POST', '/uploads', { title: 'T' }),
  get('/counter'),
  get('/boom'),
  get('/nowhere'),
  { method: 'OPTIONS', path: '/items' },
  { method: 'PATCH', path: '/items' },
  { method: 'PROPFIND', path: '/items' },
  get('/items/'),
  get('/ITEMS'),
]

describe('the showcase: a socket and testApp answer alike', () => {
  it('to good and bad requests of every route', async () => {
    const apps: App[] = []
    const directories: string[] = []
    const { over, inside } = await both(() => {
      const dir = mkdtempSync(join(tmpdir(), 'kumu-testing-'))
      directories.push(dir)
      const app = createShowcase(dir)
      app.silent = true
      apps.push(app)
      return app
    })
    const variants = (plan: App['plans'][number]): Asked[] => {
      const path = String(plan.path).replace(/\{?\/[:*]\w+\}?/g, '/1')
      const hasBody = !['GET', 'HEAD', 'DELETE', 'OPTIONS'].includes(plan.method)
      const asked: Asked = { method: plan.method, path }
      return [
        ...(plan.id.startsWith('Events') ? [] : [asked, { ...asked, headers: { accept: 'image/png' } }]),
        { method: 'OPTIONS', path },
        { ...asked, path: `${path}?unheard=of` },
        ...(hasBody ? [send(plan.method, path, []), send(plan.method, path, 'x', { 'content-type': 'x/y' })] : []),
      ]
    }
    const walked = apps[0]!.plans.flatMap(variants).filter(({ path }) => !path.startsWith('/events'))
    for (const asked of [...script, ...walked]) {
      const [socket, process] = [await over(asked), await inside(asked)]
      expect({ asked, ...process }).toEqual({ asked, ...socket })
    }
    expect(walked.length).toBeGreaterThan(80)
    await Promise.all(apps.map((app) => app.close()))
    for (const dir of directories) rmSync(dir, { recursive: true, force: true })
  })
})

/** Tells the client what arrived, whatever it is. */
function createMirror(): Koa {
  return new Koa().use(async (ctx) => {
    const chunks: Buffer[] = []
    for await (const chunk of ctx.req) chunks.push(chunk as Buffer)
    const { method, url, httpVersion, complete, aborted } = ctx.req
    const headers = Object.entries(ctx.req.headers)
      .filter(([name]) => !left.has(name))
      .sort()
    const known = { ip: ctx.ip, protocol: ctx.protocol, host: ctx.host, secure: ctx.secure, writable: ctx.writable }
    ctx.set('x-method', method ?? '')
    ctx.append('set-cookie', 'a=1')
    ctx.append('set-cookie', 'b=2')
    ctx.status = Number(ctx.get('x-status') || 200)
    ctx.body = {
      url,
      httpVersion,
      complete,
      aborted,
      headers,
      ...known,
      body: Buffer.concat(chunks).toString('base64'),
    }
  })
}

const chunked = (...chunks: readonly string[]) => {
  return () =>
    new ReadableStream<Uint8Array>({
      async start(controller) {
        for (const chunk of chunks) {
          await new Promise((resolve) => setImmediate(setImmediate, resolve))
          controller.enqueue(Buffer.from(chunk))
        }
        controller.close()
      },
    })
}

describe('a mirror: a socket and testApp hand over alike', () => {
  const segment = fc.string({ unit: 'binary', maxLength: 8 }).map(encodeURIComponent)
  const value = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/)
  const name = fc.constantFrom('accept', 'x-own', 'authorization', 'cookie', 'range', 'if-none-match', 'user-agent')
  const asked: fc.Arbitrary<Asked> = fc
    .record({
      method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
      path: fc.array(segment, { maxLength: 3 }).map((segments) => `/${segments.join('/')}`),
      query: fc.option(segment),
      headers: fc.dictionary(name, value, { maxKeys: 4 }),
      status: fc.constantFrom('200', '201', '204', '304', '404', '500'),
      body: fc.oneof(
        fc.string(),
        fc.uint8Array({ maxLength: 50 }),
        fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }).map((chunks) => chunked(...chunks)),
      ),
    })
    .map(({ method, path, query, headers, status, body }) => ({
      method,
      path: query === null ? path : `${path}?${query}`,
      headers: { ...headers, 'x-status': status },
      ...(method !== 'GET' && method !== 'HEAD' && { body }),
    }))

  it('any method, path, header and body', async () => {
    const { over, inside } = await both(createMirror)
    await fc.assert(
      fc.asyncProperty(asked, async (each) => {
        expect(await inside(each)).toEqual(await over(each))
      }),
      { numRuns: 150 },
    )
  })
})

describe('middleware of others', () => {
  it('koa-body reads JSON, forms and files', async () => {
    const { over, inside } = await both(() =>
      new Koa().use(koaBody({ multipart: true })).use((ctx) => {
        const files = Object.values(ctx.request.files ?? {}).flat()
        ctx.body = { body: ctx.request.body as unknown, sizes: files.map((file) => file?.size) }
      }),
    )
    const requests = [
      send('POST', '/', { a: [1] }),
      send('POST', '/', 'a=1&b=2', { 'content-type': 'application/x-www-form-urlencoded' }),
      send('POST', '/', form('x'.repeat(100_000)), multipart),
      { method: 'POST', path: '/', headers: json, body: chunked('{"a"', ':2}') },
    ]
    for (const each of requests) expect(await inside(each)).toEqual(await over(each))
    expect(JSON.parse((await inside(requests[2]!)).body)).toEqual({ body: { title: 'T' }, sizes: [100_000] })
  })

  it.each(['gzip', 'deflate', 'br', 'identity'])('koa-compress in %s is taken apart again', async (coding) => {
    const { over, inside } = await both(() =>
      new Koa().use(compress({ threshold: 1 })).use((ctx) => {
        ctx.body = { long: 'x'.repeat(20_000) }
      }),
    )
    const each = get('/', { 'accept-encoding': coding })
    const told = await inside(each)
    expect(told).toEqual(await over(each))
    expect(JSON.parse(told.body)).toEqual({ long: 'x'.repeat(20_000) })
    expect(new Map(told.headers).get('content-encoding')).toBe(coding === 'identity' ? undefined : coding)
  })
})
