import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { XMLValidator } from 'fast-xml-parser'
import Koa from 'koa'
import {
  BadRequest,
  Forbidden,
  HttpError,
  MethodNotAllowed,
  NoSuchResource,
  NotImplemented,
  RangeNotSatisfiable,
  ServiceUnavailable,
  TooManyRequests,
  Unauthorized,
  ValidationError,
  type Violation,
} from '../../src/errors'
import { answerError, createCatch } from '../../src/route/catch'
import type { CatchSettings } from '../../src/route/error-answer'
import type { Context, ErrorHandlerPlan, ErrorSettings, Middleware } from '../../src/route/plan'
import { reply } from '../../src/route/replies'
import { report, requestIdOf } from '../../src/route/report'

const secret = 'hunter2'

interface Logged {
  err: Error & { cause?: unknown }
  requestId: string
  method: string
  path: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

interface Options extends Partial<ErrorSettings> {
  envelope?: 'none' | 'urest'
  logger?: CatchSettings['logger']
  toPlain?: CatchSettings['toPlain']
  before?: Middleware
}

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

/** A Koa application on a socket whose only middleware fails as told. */
async function start(fail: (ctx: Context) => unknown, options: Options = {}) {
  const { envelope = 'none', before, toPlain, ...errors } = options
  const logged: Logged[] = []
  const logger = { error: (details: object) => void logged.push(details as Logged) }
  const settings: CatchSettings = {
    errors: { format: 'problem', status: [], expose: false, handlers: [], ...errors },
    logger: 'logger' in options ? options.logger : logger,
    envelope,
    development: false,
    toPlain,
  }
  const app = new Koa()
  const emitted: unknown[] = []
  app.on('error', (error) => emitted.push(error))
  if (before) app.use(before)
  app.use(createCatch(settings))
  app.use(async (ctx) => {
    await fail(ctx as Context)
  })
  const server = app.listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false })
      request.on('error', reject)
      request.on('response', (response) => {
        const { statusCode: status = 0, headers: received } = response
        buffer(response).then((bytes) => resolve({ status, headers: received, body: bytes.toString() }), reject)
      })
      request.end()
    })
  const get = (headers?: Record<string, string>) => send('GET', '/fruits/apple?token=t', headers)
  return { send, get, logged, emitted, port }
}

const fails = (error: unknown) => () => {
  throw error
}

const cyclic: Record<string, unknown> = { secret }
cyclic['self'] = cyclic

const violations: Violation[] = [
  { in: 'body', pointer: '/name', code: 'required', detail: 'is required' },
  { in: 'body', pointer: '/extra', code: 'unknown', detail: 'is unknown' },
  { in: 'body', pointer: '/size', code: 'type', detail: 'must be a number' },
  { in: 'body', pointer: '/address/zip', code: 'isZip', detail: 'must be a zip code' },
  { in: 'body', pointer: '/kind', code: 'choices', detail: 'must be one of a, b' },
  { in: 'body', pointer: '/a~1b', code: 'required', detail: 'is required' },
]

describe('GET /fruits/apple, answered by a problem', () => {
  it('has status, type, path and request id (B33)', async () => {
    const api = await start(fails(new NoSuchResource('No such fruit', { code: 'no-fruit', type: 'urn:x' })))
    const { status, headers, body } = await api.get()
    expect(status).toBe(404)
    expect(headers['content-type']).toBe('application/problem+json')
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
    expect(headers['vary']).toBe('Accept')
    expect(headers['cache-control']).toBeUndefined()
    expect(body).toBe(
      '{"type":"urn:x","title":"Not Found","status":404,"detail":"No such fruit","code":"no-fruit",' +
        `"instance":"/fruits/apple","requestId":"${String(headers['x-request-id'])}"}`,
    )
    expect(api.logged).toEqual([])
    expect(api.emitted).toEqual([])
  })

  it('does nothing where nothing fails', async () => {
    const api = await start((ctx) => (ctx.body = 'fine'))
    const { status, headers, body } = await api.get()
    expect([status, body, headers['x-request-id'], headers['vary']]).toEqual([200, 'fine', undefined, undefined])
  })

  it('sends the violations, never a value (B36, B37)', async () => {
    const leaky = { ...violations[0]!, value: secret }
    const api = await start(fails(new ValidationError('Wrong', { errors: [leaky] })))
    const { status, body } = await api.get()
    expect(status).toBe(422)
    expect(JSON.parse(body).errors).toEqual([violations[0]])
    expect(body).not.toContain(secret)
  })

  it.each<[string, (ctx: Context) => unknown, number, string | undefined]>([
    ['ctx.throw(404)', (ctx) => ctx.throw(404), 404, undefined],
    ['ctx.throw(418, "short")', (ctx) => ctx.throw(418, 'short'), 418, 'short'],
    ['ctx.throw(400, { expose: false })', (ctx) => ctx.throw(400, secret, { expose: false }), 400, undefined],
    ['ctx.throw(503)', (ctx) => ctx.throw(503, secret), 503, undefined],
    ['ctx.assert(false, 401)', (ctx) => ctx.assert(false, 401, 'who?'), 401, 'who?'],
    ['ctx.throw(409, error)', (ctx) => ctx.throw(409, new Error('taken')), 409, 'taken'],
  ])('keeps the status of %s (B34)', async (_, fail, status, detail) => {
    const api = await start(fail)
    const answer = await api.get()
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body).detail).toBe(detail)
    expect(answer.body).not.toContain(secret)
  })

  it.each([
    [
      'an error',
      Object.assign(new TypeError(secret), { code: secret, detail: secret, errors: [secret], type: secret }),
    ],
    ['a string', secret],
    ['undefined', undefined],
    ['null', null],
    ['an object', { secret }],
    ['an object with a cycle', cyclic],
    ['a BigInt', 10n],
    ['a missing file', Object.assign(new Error(secret), { code: 'ENOENT', path: `/${secret}` })],
  ])('sends nothing of %s and reports all of it (B35)', async (_, thrown) => {
    const api = await start(fails(thrown))
    const { status, headers, body } = await api.get()
    expect(status).toBe(500)
    expect(headers['cache-control']).toBe('no-store')
    expect(JSON.parse(body)).toEqual({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      instance: '/fruits/apple',
      requestId: headers['x-request-id'],
    })
    expect(JSON.stringify(headers)).not.toContain(secret)
    expect(api.logged).toHaveLength(1)
    const [{ err, requestId, method, path }] = api.logged as [Logged]
    expect(thrown instanceof Error ? err : err.cause).toBe(thrown)
    expect(err).toBeInstanceOf(Error)
    expect([requestId, method, path]).toEqual([headers['x-request-id'], 'GET', '/fruits/apple'])
  })

  it('sends the detail of a 5xx only where told to', async () => {
    const error = new ServiceUnavailable('moving', {
      code: 'moving',
      headers: { 'Retry-After': '9' },
      errors: violations,
    })
    const masked = await (await start(fails(error))).get()
    expect(masked.status).toBe(503)
    expect(masked.headers['retry-after']).toBe('9')
    expect(JSON.parse(masked.body)).toMatchObject({ code: 'moving' })
    expect(masked.body).not.toMatch(/"detail"|"errors"/)
    const exposed = await (await start(fails(error), { expose: true })).get()
    expect(JSON.parse(exposed.body)).toMatchObject({ detail: 'moving', code: 'moving' })
    const unexpected = await (await start(fails(new Error(secret)), { expose: true })).get()
    expect(unexpected.body).not.toContain(secret)
  })

  it('maps errors of the application by its rules', async () => {
    class Sold extends Error {}
    const api = await start(fails(new Sold('sold out')), {
      status: [(error) => (error instanceof Sold ? 409 : undefined)],
    })
    const { status, body } = await api.get()
    expect([status, JSON.parse(body).detail]).toEqual([409, 'sold out'])
    expect(api.logged).toEqual([])
  })

  it.each([undefined, 'text', { status: 404 }, []])('survives a rejection with %j', async (thrown) => {
    const api = await start(() => Promise.reject(thrown))
    expect((await api.get()).status).toBe(500)
  })
})

describe('GET /fruits/apple, Accept', () => {
  it.each([
    [undefined, 'application/problem+json'],
    ['', 'application/problem+json'],
    ['*/*', 'application/problem+json'],
    ['application/json', 'application/problem+json'],
    ['application/problem+json', 'application/problem+json'],
    ['image/png', 'application/problem+json'],
    ['application/vnd.api+json', 'application/problem+json'],
    ['text/event-stream', 'application/problem+json'],
    ['*/*;q=0', 'application/problem+json'],
    ['nonsense', 'application/problem+json'],
    ['application/xml', 'application/problem+xml'],
    ['text/xml', 'application/problem+xml'],
    ['application/problem+xml', 'application/problem+xml'],
    ['application/xml;q=0.5, application/json;q=0.4', 'application/problem+xml'],
    ['application/xml, application/json', 'application/problem+json'],
    ['text/html', 'text/html; charset=utf-8'],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', 'text/html; charset=utf-8'],
    ['text/html, application/json', 'application/problem+json'],
    ['text/plain', 'text/plain; charset=utf-8'],
    ['text/plain, */*;q=0.1', 'text/plain; charset=utf-8'],
  ])('%s gets %s, never 406', async (accept, type) => {
    const markup = '<script>&\u0000\u4e2d'
    const api = await start(fails(new NoSuchResource(markup)))
    const { status, headers, body } = await api.get(accept === undefined ? {} : { Accept: accept })
    expect([status, headers['content-type']]).toEqual([404, type])
    expect(headers['vary']).toBe('Accept')
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
    if (type === 'application/problem+json') expect(JSON.parse(body).detail).toBe(markup)
    else expect(body).not.toContain('\u0000')
    if (type === 'application/problem+xml') expect(XMLValidator.validate(body)).toBe(true)
    if (type === 'text/html; charset=utf-8') expect(body).not.toContain('<script>')
    if (type === 'text/plain; charset=utf-8') expect(body).toMatch(/^404 Not Found\n<script>/)
  })
})

describe('GET /fruits/apple, headers', () => {
  it('loses what described the failed answer and keeps the rest (B38)', async () => {
    const gone = {
      'Content-Type': 'text/csv',
      'Content-Length': '3',
      'Content-Encoding': 'gzip',
      'Content-Language': 'de',
      'Content-Location': '/x',
      'Content-Range': 'rows 0-1/2',
      'Content-Disposition': 'attachment',
      'Transfer-Encoding': 'chunked',
      'Accept-Ranges': 'bytes',
      ETag: '"1"',
      'Last-Modified': 'Thu, 01 Jan 1970 00:00:00 GMT',
      'Cache-Control': 'max-age=60',
      Expires: 'Thu, 01 Jan 1970 00:00:00 GMT',
    }
    const kept = {
      'Access-Control-Allow-Origin': 'https://a.example',
      'RateLimit-Limit': '10',
      'RateLimit-Remaining': '0',
      'Retry-After': '3',
      'WWW-Authenticate': 'Bearer',
      Allow: 'GET',
      'X-Frame-Options': 'DENY',
    }
    const api = await start((ctx) => {
      ctx.set({ ...gone, ...kept, Vary: 'Origin' })
      ctx.append('Set-Cookie', 'a=1')
      ctx.status = 200
      throw new Forbidden('no')
    })
    const { status, headers, body } = await api.get()
    expect(status).toBe(403)
    for (const [name, value] of Object.entries(kept)) expect([name, headers[name.toLowerCase()]]).toEqual([name, value])
    for (const [name, value] of Object.entries(gone)) {
      expect([name, headers[name.toLowerCase()]]).not.toEqual([name, value])
    }
    expect(headers['vary']).toBe('Origin, Accept')
    expect(headers['set-cookie']).toEqual(['a=1'])
    expect(headers['content-length']).toBe(String(Buffer.byteLength(body)))
  })

  it.each([
    [new BadRequest(), undefined],
    [new Unauthorized(), 'no-store'],
    [new NotImplemented(), 'no-store'],
    [new HttpError(410, undefined, { headers: { 'Cache-Control': 'max-age=5' } }), 'max-age=5'],
    [new ServiceUnavailable(undefined, { headers: { 'Cache-Control': 'max-age=5' } }), 'max-age=5'],
  ])('Cache-Control, case %#', async (error, expected) => {
    const api = await start(fails(error))
    expect((await api.get()).headers['cache-control']).toBe(expected)
  })

  it('sets those of the error over those before, and adds to lists', async () => {
    const headers = {
      Allow: 'GET, PUT',
      'Content-Range': 'items */3',
      'WWW-Authenticate': ['Basic realm="a"', 'Bearer'],
      'Content-Type': 'text/evil',
      'Content-Length': '1',
      'Content-Encoding': 'gzip',
      'Transfer-Encoding': 'chunked',
      vary: 'Cookie',
      'set-cookie': 'b=2',
    }
    const api = await start((ctx) => {
      ctx.set({ Allow: 'GET', Vary: 'Origin', 'Set-Cookie': 'a=1' })
      throw new RangeNotSatisfiable(undefined, { headers })
    })
    const answer = await api.get()
    expect(answer.status).toBe(416)
    expect(answer.headers).toMatchObject({
      allow: 'GET, PUT',
      'content-range': 'items */3',
      'www-authenticate': 'Basic realm="a", Bearer',
      'content-type': 'application/problem+json',
      'set-cookie': ['a=1', 'b=2'],
    })
    expect(answer.headers['content-encoding']).toBeUndefined()
    expect(answer.headers['transfer-encoding']).toBeUndefined()
    expect(answer.headers['vary']?.split(', ').sort()).toEqual(['Accept', 'Cookie', 'Origin'])
    expect(JSON.parse(answer.body).status).toBe(416)
  })

  it.each([
    ['a line break in a value', { 'X-A': 'b\r\nSet-Cookie: evil=1' }],
    ['a line break in a list', { 'X-A': ['b', 'c\nd'] }],
    ['a line break in a name', { 'X-A\r\nSet-Cookie': 'evil=1' }],
    ['an empty name', { '': 'x' }],
    ['a character above U+00FF', { 'X-A': '\u4e2d' }],
  ])('answers 500 and no header at all for %s', async (_, bad) => {
    const api = await start(fails(new TooManyRequests('slow', { headers: { 'X-First': '1', ...bad } })))
    const { status, headers, body } = await api.get()
    expect(status).toBe(500)
    expect(headers['set-cookie']).toBeUndefined()
    expect(headers['x-first']).toBeUndefined()
    expect(JSON.parse(body)).toMatchObject({ status: 500, title: 'Internal Server Error' })
    expect(api.logged).toHaveLength(1)
  })

  it.each([
    ['abc', 'abc'],
    ['a.b:c_d-1', 'a.b:c_d-1'],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['x'.repeat(129), undefined],
    ['a b', undefined],
    ['<b>', undefined],
    ['', undefined],
  ])('X-Request-Id: %j', async (given, expected) => {
    const api = await start(fails(new Error('x')))
    const { headers, body } = await api.get({ 'X-Request-Id': given })
    const id = headers['x-request-id']
    expect(id).toMatch(expected === undefined ? /^[0-9a-f]{8}-[0-9a-f-]{27}$/ : new RegExp(`^${expected}$`))
    expect(JSON.parse(body).requestId).toBe(id)
    expect(api.logged[0]?.requestId).toBe(id)
  })

  it('keeps a request id that a middleware has set', async () => {
    const api = await start((ctx) => {
      ctx.set('X-Request-Id', 'mine')
      throw new BadRequest()
    })
    const { headers, body } = await api.get({ 'X-Request-Id': 'theirs' })
    expect([headers['x-request-id'], JSON.parse(body).requestId]).toEqual(['mine', 'mine'])
  })

  it.each([
    ['/a/b', '/a/b'],
    ['/a?secret=1', '/a'],
    ['/a%20b?', '/a%20b'],
    ['http://evil.example/a?b', '/a'],
    ['http://evil.example', '/'],
  ])('%s has the instance %s', async (path, instance) => {
    const api = await start(fails(new NoSuchResource()))
    expect(JSON.parse((await api.send('GET', path)).body).instance).toBe(instance)
  })
})

describe('HEAD /fruits/apple', () => {
  it('has the headers of GET and no body', async () => {
    const api = await start(fails(new NoSuchResource('No such fruit')))
    const id = { 'X-Request-Id': 'same' }
    const [head, get] = [await api.send('HEAD', '/a', id), await api.send('GET', '/a', id)]
    const { date: _head, ...headHeaders } = head.headers
    const { date: _get, ...getHeaders } = get.headers
    expect([head.status, head.body]).toEqual([404, ''])
    expect(headHeaders).toEqual(getHeaders)
    expect(get.body.length).toBeGreaterThan(0)
  })
})

describe('a body that was set before the error', () => {
  it.each<[string, () => Readable]>([
    ['a stream', () => new Readable({ read: () => undefined })],
    [
      'a stream that fails on the way out',
      () =>
        new Readable({
          read: () => undefined,
          destroy: (_, done) => done(new Error(secret)),
        }),
    ],
  ])('is destroyed where it is %s', async (_, make) => {
    const stream = make()
    const api = await start((ctx) => {
      ctx.body = stream
      throw new ServiceUnavailable()
    })
    const { status, body } = await api.get()
    expect(stream.destroyed).toBe(true)
    expect([status, JSON.parse(body).status]).toEqual([503, 503])
    expect(body).not.toContain(secret)
  })

  it('is cancelled where it is a web stream', async () => {
    let cancelled = false
    const api = await start((ctx) => {
      ctx.body = new ReadableStream({ cancel: () => void (cancelled = true) })
      throw new BadRequest('x')
    })
    const { status, body } = await api.get()
    expect([status, JSON.parse(body).detail, cancelled]).toEqual([400, 'x', true])
  })

  it('is replaced where it is text, JSON or nothing', async () => {
    for (const before of ['text', { a: 1 }, null, Buffer.from('x')]) {
      const api = await start((ctx) => {
        ctx.body = before
        throw new BadRequest('x')
      })
      const { status, headers, body } = await api.get()
      expect([status, JSON.parse(body).detail]).toEqual([400, 'x'])
      expect(headers['content-type']).toBe('application/problem+json')
    }
  })

  it('is answered although Koa was told not to respond', async () => {
    const api = await start((ctx) => {
      ctx.respond = false
      throw new BadRequest('x')
    })
    expect((await api.get()).status).toBe(400)
  })
})

describe('an error that comes too late', () => {
  it('cuts the connection once headers are sent, and is reported', async () => {
    const api = await start((ctx) => {
      ctx.respond = false
      ctx.res.writeHead(200, { 'Content-Type': 'text/plain' })
      ctx.res.write('half')
      throw new ServiceUnavailable(secret)
    })
    await expect(api.get()).rejects.toThrow(/aborted|hang up|ECONNRESET/)
    expect(api.logged.map(({ err }) => err.message)).toEqual([secret])
  })

  it('does not report a client error then', async () => {
    const api = await start((ctx) => {
      ctx.res.writeHead(200)
      ctx.res.write('half')
      throw new BadRequest()
    })
    await expect(api.get()).rejects.toThrow()
    expect(api.logged).toEqual([])
  })

  it('leaves an answer alone that has ended', async () => {
    const api = await start((ctx) => {
      ctx.respond = false
      ctx.res.writeHead(200)
      ctx.res.end('whole')
      throw new Error('late')
    })
    expect(await api.get()).toMatchObject({ status: 200, body: 'whole' })
    expect(api.logged.map(({ err }) => err.message)).toEqual(['late'])
  })

  it('writes nothing where the client has left, and does not crash (B64)', async () => {
    let failed: () => void = () => undefined
    const done = new Promise<void>((resolve) => (failed = resolve))
    let source: Readable | undefined
    const answers: unknown[] = []
    const api = await start(
      async (ctx) => {
        source = new Readable({ read: () => undefined })
        ctx.body = source
        const left = once(ctx.req.socket, 'close')
        entered()
        await left
        throw new Error('nobody listens')
      },
      {
        before: async (ctx, next) => {
          await next()
          answers.push(ctx.respond, ctx.res.headersSent)
          failed()
        },
      },
    )
    const client = connect(api.port, '127.0.0.1')
    const waiting = new Promise<void>((resolve) => (enter = resolve))
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await waiting
    client.destroy()
    await done
    expect(answers).toEqual([false, false])
    expect(source?.destroyed).toBe(true)
    expect(api.logged.map(({ err }) => err.message)).toEqual(['nobody listens'])
  })

  let enter: () => void = () => undefined
  const entered = () => enter()
})

describe('errors.format', () => {
  const none = () => new NoSuchResource()
  const detailed = () => new NoSuchResource('no apple')
  const invalid = () => new ValidationError('Wrong', { errors: violations })
  const broken = () => new Error(secret)

  it.each<[ErrorSettings['format'], () => Error, number, string, unknown]>([
    ['text', none, 404, 'text/plain; charset=utf-8', '404 - Not Found\n'],
    ['text', detailed, 404, 'text/plain; charset=utf-8', 'no apple\n'],
    ['text', broken, 500, 'text/plain; charset=utf-8', '500 - Internal Server Error\n'],
    ['pyrest', detailed, 404, 'application/json', { error: 404, status: 'Not Found' }],
    ['pyrest', invalid, 422, 'application/json', { error: 422, status: 'Unprocessable Content' }],
    ['pyrest', broken, 500, 'application/json', { error: 500, status: 'Internal Server Error' }],
    ['urest', detailed, 404, 'application/json', { success: false, exception: 'NoSuchResource: no apple' }],
    ['urest', none, 404, 'application/json', { success: false, exception: 'NoSuchResource: Not Found' }],
    ['urest', invalid, 422, 'application/json', { success: false, exception: 'ValidationError: Wrong' }],
    ['urest', broken, 500, 'application/json', { success: false, exception: 'Error: Internal Server Error' }],
    [
      'urest',
      () => new NotImplemented(secret),
      501,
      'application/json',
      { success: false, exception: 'Error: Not Implemented' },
    ],
    ['docstore', detailed, 404, 'text/html', 'not found'],
    ['docstore', () => new BadRequest('x'), 400, 'text/html', 'bad request'],
    ['docstore', () => new HttpError(410), 410, 'text/html', 'gone'],
    ['docstore', () => new MethodNotAllowed(), 405, 'text/html', 'method not allowed'],
    ['docstore', broken, 500, 'text/html', 'internal server error'],
    ['rest-tools', none, 404, 'application/json', { code: 404, error: 'Not Found' }],
    ['rest-tools', detailed, 404, 'application/json', { code: 404, error: 'no apple' }],
    ['rest-tools', broken, 500, 'application/json', { code: 500, error: 'Internal Server Error' }],
    ['rest-tools', () => new ValidationError(), 400, 'application/json', { code: 400, error: 'Bad Request' }],
    [
      'rest-tools',
      invalid,
      400,
      'application/json',
      {
        code: 400,
        error:
          'the following arguments are required: name, a/b; unrecognized arguments: extra; argument size: invalid type; ' +
          'argument address.zip: must be a zip code; argument kind: invalid choice (must be one of a, b)',
      },
    ],
    ['apiphant', none, 404, 'application/json', { error: '404 Not Found' }],
    ['apiphant', () => new BadRequest('no object'), 400, 'application/json', { error: 'no object' }],
    ['apiphant', () => new ValidationError(), 400, 'application/json', { error: '400 Bad Request' }],
    ['apiphant', broken, 500, 'application/json', { error: '500 Internal Server Error' }],
    [
      'apiphant',
      invalid,
      400,
      'application/json',
      { error: { field: 'name', state: 'missing', explain: 'is required' } },
    ],
    [
      'apiphant',
      () => new BadRequest('x', { errors: [{ in: 'query', pointer: '/n', code: 'type', detail: '' }] }),
      400,
      'application/json',
      { error: { field: 'n', state: 'invalid' } },
    ],
    [
      (error: HttpError) => ({ oops: error.status, why: error.detail, cause: String(error.cause) }),
      broken,
      500,
      'application/json',
      { oops: 500, cause: 'undefined' },
    ],
    [(error: HttpError) => error.detail, detailed, 404, 'application/json', 'no apple'],
  ])('case %#', async (format, make, status, type, expected) => {
    const api = await start(fails(make()), { format })
    const answer = await api.get()
    expect([answer.status, answer.headers['content-type']]).toEqual([status, type])
    expect(type === 'application/json' ? JSON.parse(answer.body) : answer.body).toEqual(expected)
    expect(answer.headers['x-request-id']).toBeDefined()
    expect(answer.body).not.toContain(secret)
  })

  it.each([
    ['application/xml', 'application/xml'],
    ['text/xml', 'text/xml'],
    ['text/xml, application/json;q=0.1', 'text/xml'],
  ])('urest is XML for %s', async (accept, type) => {
    const api = await start(fails(new NoSuchResource('<&>\u0000')), { format: 'urest' })
    const { headers, body } = await api.get({ Accept: accept })
    expect([headers['content-type'], headers['vary']]).toEqual([type, 'Accept'])
    expect(XMLValidator.validate(body)).toBe(true)
    expect(body).toContain(
      '<response><success>false</success><exception>NoSuchResource: &#60;&#38;&#62;\ufffd</exception></response>',
    )
  })

  it('urest names errors of others by our class for their status', async () => {
    for (const [status, name] of [
      [404, 'NoSuchResource'],
      [409, 'ResourceExists'],
      [422, 'ValidationError'],
      [403, 'Forbidden'],
      [415, 'UnsupportedMediaType'],
    ] as const) {
      const api = await start((ctx) => ctx.throw(status, 'why'), { format: 'urest' })
      expect(JSON.parse((await api.get()).body).exception).toBe(`${name}: why`)
    }
  })

  it('urest also serves its envelope', async () => {
    const api = await start(fails(new NoSuchResource('x')), { envelope: 'urest' })
    expect(JSON.parse((await api.get()).body)).toEqual({ success: false, exception: 'NoSuchResource: x' })
  })

  it.each<[string, (error: HttpError) => unknown]>([
    ['throws', fails(new Error(secret))],
    ['returns nothing', () => undefined],
    ['returns what is no JSON', () => 10n],
  ])('a function that %s gives a plain 500', async (_, format) => {
    const api = await start(fails(new NoSuchResource()), { format })
    const { status, headers, body } = await api.get()
    expect([status, headers['content-type']]).toEqual([500, 'application/problem+json'])
    expect(body).not.toContain(secret)
    expect(api.logged).toHaveLength(1)
  })
})

describe('errors.handlers', () => {
  class Sold extends Error {}
  const handle = (on: ErrorHandlerPlan['on'], call: ErrorHandlerPlan['call']): ErrorHandlerPlan => ({
    on,
    call,
    where: 'Errors.handle',
  })

  it.each<[ErrorHandlerPlan['on'], () => Error, boolean]>([
    [404, () => new NoSuchResource(), true],
    [404, () => new Forbidden(), false],
    ['4xx', () => new Forbidden(), true],
    ['4XX', () => new Forbidden(), true],
    ['40x', () => new NoSuchResource(), true],
    ['404', () => new NoSuchResource(), true],
    ['xxx', () => new NoSuchResource(), true],
    ['5xx', () => new NoSuchResource(), false],
    ['5xx', () => new Error('x'), true],
    ['4', () => new NoSuchResource(), false],
    [500, () => new Sold(), true],
    [Sold, () => new Sold(), true],
    [Error, () => new NoSuchResource(), true],
    [Sold, () => new Error('x'), false],
  ])('are chosen by what they are for, case %#', async (on, make, handled) => {
    const api = await start(fails(make()), { handlers: [handle(on, () => ({ handled: true }))] })
    expect((await api.get()).body === '{"handled":true}').toBe(handled)
  })

  it('calls the first that matches, with the error as it was thrown', async () => {
    const error = new Sold('x')
    const seen: unknown[] = []
    const api = await start(fails(error), {
      status: [() => 409],
      handlers: [
        handle(404, () => 'no'),
        handle(Sold, (original, ctx) => void seen.push(original, ctx.path)),
        handle(409, () => 'no'),
      ],
    })
    const { status, body } = await api.get()
    expect(seen).toEqual([error, '/fruits/apple'])
    expect([status, JSON.parse(body).detail]).toEqual([409, 'x'])
  })

  it.each<[string, unknown, number, string | undefined, string]>([
    ['an object', { a: 1 }, 404, 'application/json', '{"a":1}'],
    ['null', null, 404, 'application/json', 'null'],
    ['text', 'gone <fishing>', 404, 'text/plain; charset=utf-8', 'gone <fishing>'],
    ['empty text', '', 404, 'text/plain; charset=utf-8', ''],
    ['bytes', new Uint8Array([104, 105]), 404, 'application/octet-stream', 'hi'],
    ['a stream', Readable.from(['h', 'i']), 404, 'application/octet-stream', 'hi'],
    ['a reply', reply(402, { pay: true }), 402, 'application/json', '{"pay":true}'],
    ['a reply of 200', reply(200, 'fine'), 200, 'text/plain; charset=utf-8', 'fine'],
    ['a reply with a type', reply(404, '<b>', { 'content-type': 'text/html' }), 404, 'text/html', '<b>'],
    ['an empty reply', reply(404), 404, undefined, ''],
    ['no content', reply(204), 204, undefined, ''],
  ])('takes %s for the answer', async (_, result, status, type, body) => {
    const api = await start(fails(new NoSuchResource()), { handlers: [handle(404, () => Promise.resolve(result))] })
    const answer = await api.get()
    expect([answer.status, answer.headers['content-type'], answer.body]).toEqual([status, type, body])
    expect(answer.headers['x-request-id']).toBeDefined()
  })

  it('keeps the headers of the error where its status stays, sets those of the reply', async () => {
    const error = new Unauthorized(undefined, { headers: { 'WWW-Authenticate': 'Bearer' } })
    const kept = await (
      await start(fails(error), { handlers: [handle(401, () => reply(401, 'x', { 'X-A': 'b' }))] })
    ).get()
    expect(kept.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'x-a': 'b', 'cache-control': 'no-store' })
    const changed = await (await start(fails(error), { handlers: [handle(401, () => reply(403))] })).get()
    expect(changed.headers['www-authenticate']).toBeUndefined()
  })

  it('writes instances as the application does', async () => {
    const toPlain = () => ({ plain: true })
    const api = await start(fails(new NoSuchResource()), { toPlain, handlers: [handle(404, () => new Sold(secret))] })
    expect((await api.get()).body).toBe('{"plain":true}')
  })

  it('lets a handler answer by itself', async () => {
    const api = await start(fails(new NoSuchResource()), {
      handlers: [
        handle(404, (_, ctx) => {
          ctx.respond = false
          ctx.res.end('mine')
        }),
      ],
    })
    expect((await api.get()).body).toBe('mine')
  })

  it.each<[string, ErrorHandlerPlan['call']]>([
    ['throws', fails(new Error(secret))],
    ['rejects', () => Promise.reject(new Error(secret))],
    ['throws an error with a status', fails(new BadRequest(secret))],
    ['returns what is no JSON', () => 10n],
    ['returns a cycle', () => cyclic],
    ['sets a header that is none', () => reply(404, 'x', { 'X-A': 'a\r\nb' })],
  ])('answers a plain 500 for a handler that %s, and reports both errors', async (_, call) => {
    const api = await start(fails(new NoSuchResource('first')), { handlers: [handle(404, call)] })
    const { status, headers, body } = await api.get()
    expect([status, headers['content-type']]).toEqual([500, 'application/problem+json'])
    expect(body).not.toContain(secret)
    expect(api.logged).toHaveLength(2)
    expect(api.logged[0]?.err.message).toBe('first')
  })

  it('cuts the connection for one that throws with half an answer sent', async () => {
    const api = await start(fails(new NoSuchResource()), {
      handlers: [
        handle(404, (_, ctx) => {
          ctx.res.write('half')
          throw new Error(secret)
        }),
      ],
    })
    await expect(api.get()).rejects.toThrow()
    expect(api.logged).toHaveLength(2)
  })
})

describe('report(error, ctx, settings)', () => {
  it.each<[string, unknown, number]>([
    ['a 400', new BadRequest(), 0],
    ['a 503 on purpose', new ServiceUnavailable(), 0],
    ['a 501 on purpose', new NotImplemented(), 0],
    ['a 500 on purpose', new HttpError(500, 'x'), 1],
    ['an unexpected error', new Error('x'), 1],
    ['a 503 of http-errors', { status: 503, expose: false }, 0],
    ['a 500 of http-errors', { status: 500, expose: false }, 1],
  ])('%s', async (_, thrown, times) => {
    const api = await start(fails(thrown))
    await api.get()
    expect(api.logged).toHaveLength(times)
    expect(api.emitted).toEqual([])
  })

  it('reports an error that a rule makes a 503 of (B15)', async () => {
    const api = await start(fails(new Error('database down')), { status: [() => 503] })
    const { status, body } = await api.get()
    expect(status).toBe(503)
    expect(body).not.toContain('database')
    expect(api.logged.map(({ err }) => err.message)).toEqual(['database down'])
  })

  it('emits on the application where there is no logger, Errors only', async () => {
    const error = new Error(secret)
    const first = await start(fails(error), { logger: undefined })
    expect((await first.get()).status).toBe(500)
    expect(first.emitted).toEqual([error])
    const second = await start(fails('text'), { logger: undefined })
    await second.get()
    expect(second.emitted).toHaveLength(1)
    expect(second.emitted[0]).toBeInstanceOf(Error)
    expect((second.emitted[0] as Error).cause).toBe('text')
  })

  it('survives a logger and listeners that throw, and an application nobody listens to', async () => {
    const api = await start(fails(new Error('x')), { logger: { error: fails(new Error(secret)) } })
    const { status, body } = await api.get()
    expect(status).toBe(500)
    expect(body).not.toContain(secret)
    const app = new Koa()
    const emit = jest.spyOn(app, 'emit')
    expect(() => report(new Error('x'), { app } as Context, {})).not.toThrow()
    app.on('error', fails(new Error('listener')))
    expect(() => report(new Error('x'), { app } as Context, {})).not.toThrow()
    expect(emit).toHaveBeenCalledTimes(2)
  })
})

describe('answerError(error, ctx, settings)', () => {
  it('answers inside an application that stands, whatever that one does with errors', async () => {
    let id: string | undefined
    const api = await start(
      (ctx) => {
        id = requestIdOf(ctx)
        return answerError(new NoSuchResource(), ctx, {
          errors: { format: 'text', status: [], expose: false, handlers: [] },
          envelope: 'none',
          development: false,
        })
      },
      { format: 'pyrest' },
    )
    const { status, headers, body } = await api.get()
    expect([status, body, headers['x-request-id']]).toEqual([404, '404 - Not Found\n', id])
  })

  it('falls back to a plain answer where its own settings fail', async () => {
    const api = await start(fails(new NoSuchResource()), { format: 'unheard of' as ErrorSettings['format'] })
    const { status, headers, body } = await api.get()
    expect([status, headers['content-type']]).toEqual([500, 'text/plain; charset=utf-8'])
    expect(body).toBe('500 - Internal Server Error\n')
    expect(api.logged).toHaveLength(1)
  })
})

describe('HTTP/2', () => {
  it('is answered alike, and cut where it is too late', async () => {
    const app = new Koa()
    app.silent = true
    const errors: ErrorSettings = { format: 'problem', status: [], expose: false, handlers: [] }
    app.use(createCatch({ errors, envelope: 'none', development: false, logger: { error: () => undefined } }))
    app.use((ctx) => {
      if (ctx.path === '/late') {
        ctx.res.writeHead(200)
        ctx.res.write('half')
      }
      throw new NoSuchResource('No such fruit')
    })
    const handle = app.callback()
    const server = createHttp2Server((req, res) => void handle(req, res))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    try {
      const fine = session.request({ ':path': '/a' })
      const [headers] = (await once(fine, 'response')) as [IncomingHttpHeaders & { ':status': number }]
      let body = ''
      for await (const chunk of fine) body += String(chunk)
      expect([headers[':status'], headers['content-type']]).toEqual([404, 'application/problem+json'])
      expect(JSON.parse(body).detail).toBe('No such fruit')
      const late = session.request({ ':path': '/late' })
      late.resume()
      await expect(once(late, 'close')).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
    } finally {
      session.destroy()
      server.close()
      await once(server, 'close')
    }
  })
})
