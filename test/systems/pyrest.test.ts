import { once } from 'node:events'
import { Readable } from 'node:stream'
import { IsString } from 'class-validator'
import type { Context as KoaContext } from 'koa'
import {
  Body,
  ConfigurationError,
  Context,
  Delete,
  ErrorHandler,
  File,
  Files,
  Get,
  Head,
  HttpError,
  Intercept,
  Limit,
  Method,
  NoSuchResource,
  Options,
  Param,
  Post,
  Put,
  Query,
  RawBody,
  Resource,
  Status,
  UploadedFile,
  createApp,
  file,
  reply,
  type AppOptions,
  type Codec,
  type Interceptor,
} from 'kumu'
import { begin, openWire, readBody } from '../support/exchange'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

const logged: { err: Error }[] = []

function start(resources: AppOptions['resources'], options: AppOptions = {}): Promise<Served> {
  logged.length = 0
  const logger = { error: (details: object) => void logged.push(details as { err: Error }) }
  return serve(createApp({ resources, logger, ...options }))
}

// --- 1.2 Handlers and routing ---------------------------------------------------------------------------------------------

@Resource(/\/archive\/(?<year>\d{4})-(\d\d)(?:\/([^/]+))?/)
class Archive {
  @Get()
  find(@Param('year') year: number, @Param('1') month: string, @Context() ctx: KoaContext) {
    const { params } = ctx as KoaContext & { params: Record<string, string> }
    return { year, month, params }
  }
}

@Resource(/\/archive\/.*/)
class Fallback {
  @Get()
  find() {
    return 'fallback'
  }
}

describe('PyRest: routing by regular expression', () => {
  it.each([
    ['/archive/2024-07', { year: 2024, month: '07', params: { year: '2024', 1: '07' } }],
    ['/archive/2024-07/a', { year: 2024, month: '07', params: { year: '2024', 1: '07', 2: 'a' } }],
    ['/archive/2024-07?x=/archive/', { year: 2024, month: '07', params: { year: '2024', 1: '07' } }],
    ['/archive/2024-07/a%20b', { year: 2024, month: '07', params: { year: '2024', 1: '07', 2: 'a b' } }],
    ['/archive/2024-07/%2541', { year: 2024, month: '07', params: { year: '2024', 1: '07', 2: '%41' } }],
    ['/archive/2024-07/2024', { year: 2024, month: '07', params: { year: '2024', 1: '07', 2: '2024' } }],
  ])('%s binds named and positional groups', async (path, expected) => {
    const served = await start([Archive], { unknownQuery: 'ignore' })
    const answer = await served.ask('GET', path)
    expect(answer.status).toBe(200)
    const { params, ...rest } = answer.json<{ params: Record<string, string> }>()
    expect({ ...rest, params: { ...expected.params, ...params } }).toEqual({ ...expected, params })
    expect(params).toMatchObject(expected.params)
  })

  it.each(['/archive/2024-7', '/archive/2024-07/a/b', '/x/archive/2024-07', '/archive/24-07', '/archive'])(
    '%s: the expression speaks of the whole path',
    async (path) => {
      const served = await start([Archive])
      expect((await served.ask('GET', path)).status).toBe(404)
    },
  )

  it('of two that match the first declared wins', async () => {
    for (const [resources, expected] of [
      [[Archive, Fallback], { status: 200, isFallback: false }],
      [[Fallback, Archive], { status: 200, isFallback: true }],
    ] as const) {
      const served = await start(resources)
      const { status, text } = await served.ask('GET', '/archive/2024-07')
      expect({ status, isFallback: text === 'fallback' }).toEqual(expected)
    }
  })

  it('a bad escape is 400, also behind an expression that takes anything', async () => {
    const served = await start([Fallback])
    for (const path of ['/archive/%', '/archive/%zz', '/archive/%E0%A4%A']) {
      expect((await served.ask('GET', path)).status).toBe(400)
    }
  })

  it('a group that does not bind as declared is 400', async () => {
    @Resource(/\/n\/(?<n>[^/]+)/)
    class Numbers {
      @Get()
      one(@Param('n') n: number) {
        return n
      }
    }
    const served = await start([Numbers])
    expect((await served.ask('GET', '/n/12')).json()).toBe(12)
    expect((await served.ask('GET', '/n/x')).status).toBe(400)
  })
})

@Resource('/verbs')
class Verbs {
  seen: string[] = []

  @Method('REPORT')
  report() {
    return 'report'
  }

  @Method('SEARCH', '/deep')
  search() {
    return 'search'
  }

  @Method('M-SEARCH')
  mSearch() {
    return 'm-search'
  }

  @Get('/read')
  read() {
    this.seen.push('read')
    return 'grün'
  }

  @Delete('/write')
  remove() {
    return undefined
  }

  @Options('/own')
  options() {
    return reply(200, 'mine', { Allow: 'OPTIONS' })
  }

  @Get('/own')
  own() {
    return 'own'
  }

  @Head('/heads')
  head() {
    return reply(200, undefined, { 'X-From': 'head' })
  }

  @Get('/heads')
  heads() {
    return reply(200, 'get', { 'X-From': 'get' })
  }
}

describe('PyRest: verbs', () => {
  it.each([
    ['REPORT', '/verbs', 'report'],
    ['SEARCH', '/verbs/deep', 'search'],
    ['M-SEARCH', '/verbs', 'm-search'],
  ])('%s %s is served', async (method, path, text) => {
    const served = await start([Verbs])
    expect((await served.ask(method, path)).text).toBe(text)
  })

  it.each([
    ['/verbs', 'OPTIONS, M-SEARCH, REPORT'],
    ['/verbs/deep', 'OPTIONS, SEARCH'],
    ['/verbs/read', 'GET, HEAD, OPTIONS'],
    ['/verbs/write', 'DELETE, OPTIONS'],
  ])('OPTIONS %s is 204 with Allow, and 405 says the same', async (path, allow) => {
    const served = await start([Verbs])
    const sorted = (value: unknown): string[] => String(value).split(', ').sort()
    const options = await served.ask('OPTIONS', path)
    expect([options.status, options.bytes.length]).toEqual([204, 0])
    expect(sorted(options.headers.allow)).toEqual(sorted(allow))
    const wrong = allow.includes('DELETE') ? 'GET' : 'DELETE'
    const refused = await served.ask(wrong, path)
    expect([refused.status, sorted(refused.headers.allow)]).toEqual([405, sorted(allow)])
  })

  it('a verb that nothing in the application knows is 501, unless there is nothing at all', async () => {
    const served = await start([Verbs])
    expect((await served.ask('PURGE', '/verbs/read')).status).toBe(501)
    expect((await served.ask('PURGE', '/nothing')).status).toBe(404)
    expect((await served.ask('DELETE', '/nothing')).status).toBe(404)
  })

  it('OPTIONS and HEAD of the resource itself win', async () => {
    const served = await start([Verbs])
    const options = await served.ask('OPTIONS', '/verbs/own')
    expect([options.status, options.text, options.headers.allow]).toEqual([200, 'mine', 'OPTIONS'])
    expect((await served.ask('HEAD', '/verbs/heads')).headers['x-from']).toBe('head')
    expect((await served.ask('GET', '/verbs/heads')).headers['x-from']).toBe('get')
  })

  it('HEAD runs GET, keeps its headers and its length, and sends no body', async () => {
    const verbs = new Verbs()
    const served = await start([verbs])
    const get = await served.ask('GET', '/verbs/read')
    const head = await served.ask('HEAD', '/verbs/read')
    expect(verbs.seen).toEqual(['read', 'read'])
    expect([head.status, head.bytes.length]).toEqual([200, 0])
    expect(head.headers['content-length']).toBe('5')
    const { date: _got, ...expected } = get.headers
    const { date: _had, ...actual } = head.headers
    expect(actual).toEqual(expected)
  })

  it.each(['get', 'Get', 'INVALID'])('%s is no verb of HTTP', async (method) => {
    const served = await start([Verbs])
    const wire = openWire(served.port, `${method} /verbs/read HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(await wire.closed).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('PyRest: what a handler answers', () => {
  let closed = 0
  const counted = (chunks: readonly string[]): Readable =>
    Readable.from(chunks.map((chunk) => Buffer.from(chunk))).once('close', () => closed++)
  beforeEach(() => (closed = 0))

  @Resource('/answers')
  class Answers {
    @Get('/bytes')
    bytes() {
      return Buffer.from([0, 13, 10, 255])
    }

    @Get('/text')
    text() {
      return 'grüße\r\n'
    }

    @Get('/empty')
    empty() {
      return ''
    }

    @Get('/tuple')
    tuple() {
      return reply(203, 'taken over', { 'X-Own': 'yes' })
    }

    @Get('/stream')
    stream() {
      return counted(['one ', 'two ', 'three'])
    }

    @Get('/sized')
    sized() {
      return reply(200, counted(['12345', '67890']), { 'Content-Length': '10', 'Content-Type': 'text/x-own' })
    }

    @Get('/endless')
    endless() {
      return new Readable({
        read() {
          this.push(Buffer.alloc(65_536))
        },
      }).once('close', () => closed++)
    }

    @Get('/broken')
    broken() {
      return Readable.from(
        (async function* () {
          yield Buffer.alloc(100)
          await Promise.resolve()
          throw new Error('hunter2')
        })(),
      ).once('close', () => closed++)
    }

    @Get('/own-file')
    self() {
      return file(__filename, { type: 'text/plain' })
    }

    @Get('/split')
    split(@Query('value', { default: 'x' }) value: string) {
      return reply(200, 'x', { 'X-Value': value })
    }

    @Get('/length')
    length() {
      return reply(200, 'four', { 'Content-Length': '4000' })
    }
  }

  it('bytes as they are, text as UTF-8, each with its length', async () => {
    const served = await start([Answers])
    const bytes = await served.ask('GET', '/answers/bytes')
    expect([...bytes.bytes]).toEqual([0, 13, 10, 255])
    expect([bytes.headers['content-type'], bytes.headers['content-length']]).toEqual(['application/octet-stream', '4'])
    const text = await served.ask('GET', '/answers/text')
    expect([text.text, text.headers['content-type'], text.headers['content-length']]).toEqual([
      'grüße\r\n',
      'text/plain; charset=utf-8',
      '9',
    ])
    const empty = await served.ask('GET', '/answers/empty')
    expect([empty.status, empty.headers['content-length']]).toEqual([200, '0'])
  })

  it('a status with its body and headers', async () => {
    const served = await start([Answers])
    const { status, text, headers } = await served.ask('GET', '/answers/tuple')
    expect([status, text, headers['x-own']]).toEqual([203, 'taken over', 'yes'])
  })

  it('a stream: chunked, or of the length that is said', async () => {
    const served = await start([Answers])
    const stream = await served.ask('GET', '/answers/stream')
    expect([stream.text, stream.headers['transfer-encoding']]).toEqual(['one two three', 'chunked'])
    const sized = await served.ask('GET', '/answers/sized')
    expect([sized.text, sized.headers['content-length'], sized.headers['transfer-encoding']]).toEqual([
      '1234567890',
      '10',
      undefined,
    ])
    expect(sized.headers['content-type']).toBe('text/x-own')
  })

  it('a stream is closed: at its end, on HEAD, when the client leaves, when it fails', async () => {
    const served = await start([Answers])
    const until = async (count: number): Promise<void> => {
      while (closed < count) await new Promise((resolve) => setImmediate(resolve))
    }
    await served.ask('GET', '/answers/stream')
    await until(1)
    expect((await served.ask('HEAD', '/answers/stream')).bytes).toHaveLength(0)
    await until(2)
    const { request, response } = begin(served.port, 'GET', '/answers/endless')
    request.end()
    const answer = await response
    await once(answer, 'readable')
    answer.destroy()
    await until(3)
    await served.ask('HEAD', '/answers/endless')
    await until(4)
    const broken = begin(served.port, 'GET', '/answers/broken')
    broken.request.end()
    await expect(broken.response.then(readBody)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await until(5)
    expect(logged.map(({ err }) => err.message)).toContain('hunter2')
  })

  it('the length of a text is ours to say', async () => {
    const served = await start([Answers])
    const { headers, text } = await served.ask('GET', '/answers/length')
    expect([headers['content-length'], text]).toEqual(['4', 'four'])
  })

  it.each(['a%0D%0AX-Injected:%20yes', 'a%0AX-Injected:%20yes', 'a%0DX', 'a%00'])(
    'a line break in a header splits no answer: %s',
    async (value) => {
      const served = await start([Answers])
      const answer = await served.ask('GET', `/answers/split?value=${value}`)
      expect([answer.status, answer.headers['x-injected'], answer.headers['x-value']]).toEqual([
        500,
        undefined,
        undefined,
      ])
      expect((await served.ask('GET', '/answers/split?value=b')).headers['x-value']).toBe('b')
    },
  )

  it('a file of the disk', async () => {
    const served = await start([Answers])
    const whole = await served.ask('GET', '/answers/own-file')
    expect(whole.text).toContain("describe('PyRest: what a handler answers'")
    const part = await served.ask('GET', '/answers/own-file', { headers: { Range: 'bytes=0-5' } })
    expect([part.status, part.text]).toEqual([206, 'import'])
  })
})

describe('PyRest: the body of a request', () => {
  let reads: string[] = []
  beforeEach(() => (reads = []))

  @Resource('/bodies')
  class Bodies {
    @Put('/raw')
    raw(@RawBody() bytes: Buffer) {
      return bytes
    }

    @Post('/unread')
    unread() {
      reads.push('handler')
      return 'not read'
    }

    @Put('/stream')
    async stream(@Context() ctx: KoaContext) {
      let size = 0
      for await (const chunk of ctx.req as AsyncIterable<Buffer>) size += chunk.length
      return size
    }
  }

  it('is read where it is asked for, also in pieces', async () => {
    const served = await start([Bodies])
    const bytes = Buffer.from([0, 255, 13, 10])
    const headers = { 'Content-Type': 'application/octet-stream' }
    expect((await served.ask('PUT', '/bodies/raw', { body: bytes, headers })).bytes.equals(bytes)).toBe(true)
    const { request, response } = begin(served.port, 'PUT', '/bodies/raw', headers)
    request.write(bytes)
    request.end(bytes)
    expect((await readBody(await response)).equals(Buffer.concat([bytes, bytes]))).toBe(true)
  })

  it('is not waited for where nobody asks', async () => {
    const served = await start([Bodies])
    const wire = openWire(served.port, 'POST /bodies/unread HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
    expect(await wire.until(/not read$/)).toMatch(/^HTTP\/1\.1 200 /)
    expect(reads).toEqual(['handler'])
    wire.socket.destroy()
  })

  it('can be read by the handler itself', async () => {
    const served = await start([Bodies])
    const body = Buffer.alloc(3 * 1024 ** 2)
    expect((await served.ask('PUT', '/bodies/stream', { body })).json()).toBe(body.length)
  })

  it.each(['100-continue', '100-Continue'])('Expect: %s is answered before the body', async (expectation) => {
    const served = await start([Bodies])
    const wire = openWire(
      served.port,
      `PUT /bodies/raw HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nExpect: ${expectation}\r\n\r\n`,
    )
    expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    wire.socket.write('hi')
    expect(await wire.until(/\r\n\r\nhi$/)).toMatch(/HTTP\/1\.1 200 OK/)
    wire.socket.destroy()
  })

  it('over the limit is 413 by its length, and by its bytes', async () => {
    const served = await start([Bodies], { limits: { body: 1000 } })
    const headers = { 'Content-Type': 'text/plain' }
    expect((await served.ask('PUT', '/bodies/raw', { body: Buffer.alloc(1000), headers })).status).toBe(200)
    expect((await served.ask('PUT', '/bodies/raw', { body: Buffer.alloc(1001), headers })).status).toBe(413)
    const { request, response } = begin(served.port, 'PUT', '/bodies/raw', headers)
    request.write(Buffer.alloc(600))
    request.end(Buffer.alloc(600))
    expect((await response).statusCode).toBe(413)
  })

  it('a bad length, two lengths, or a length beside chunks is 400', async () => {
    const served = await start([Bodies])
    for (const framing of [
      'Content-Length: -5',
      'Content-Length: +5',
      'Content-Length: x',
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 5\r\nTransfer-Encoding: chunked',
    ]) {
      const wire = openWire(served.port, `PUT /bodies/raw HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\nhello`)
      expect(await wire.closed).toMatch(/^HTTP\/1\.1 400 /)
    }
  })
})

describe('PyRest: hooks around a handler', () => {
  const shout: Interceptor = async (_ctx, next) => String(await next()).toUpperCase()
  const csv: Codec = {
    type: 'text/csv',
    decode: (bytes) => bytes.toString().trim().split(','),
    encode: (value) => `${(value as unknown[]).join(',')}\n`,
  }

  @Resource('/hooked')
  class Hooked {
    constructor(private readonly greeting: string) {}

    @Get('/shout')
    @Intercept(shout)
    greet() {
      return this.greeting
    }

    @Post('/csv')
    turn(@Body([String]) values: string[]) {
      return [...values].reverse()
    }
  }

  it('an interceptor changes what is answered, and what the resource is made with is its own affair', async () => {
    const served = await start([new Hooked('hello')])
    expect((await served.ask('GET', '/hooked/shout')).text).toBe('HELLO')
  })

  it('a class that wants arguments and gets none is refused at start', () => {
    expect(() => createApp({ resources: [Hooked] })).toThrow(ConfigurationError)
    expect(() => createApp({ resources: [Hooked] })).toThrow(/Hooked.*1 argument/)
    const resolve = (Class: new (...args: string[]) => object): object => new Class('resolved')
    expect(() => createApp({ resources: [Hooked], resolve: resolve as AppOptions['resolve'] })).not.toThrow()
  })

  it('a codec decodes and encodes a type of its own', async () => {
    const served = await start([new Hooked('')], { codecs: [csv] })
    const headers = { 'Content-Type': 'text/csv', Accept: 'text/csv' }
    const answer = await served.ask('POST', '/hooked/csv', { body: 'a,b,c', headers })
    expect([answer.status, answer.text]).toEqual([200, 'c,b,a\n'])
    expect(String(answer.headers['content-type'])).toMatch(/^text\/csv/)
  })
})

class Teapot extends Error {}

@Resource('/failing')
class Failing {
  @Get('/missing')
  missing(@Context() ctx: KoaContext): never {
    ctx.set({ 'X-Kept': 'yes', ETag: '"1"', 'Cache-Control': 'max-age=60', 'Content-Language': 'de' })
    throw new NoSuchResource('No such page', { headers: { 'X-Told': 'yes' } })
  }

  @Get('/teapot')
  teapot(): never {
    throw new Teapot('short and stout')
  }

  @Get('/boom')
  boom(): never {
    throw new Error('hunter2')
  }

  @Get('/gone/:status')
  status(@Param('status') status: number): never {
    throw new HttpError(status, `detail of ${status}`)
  }
}

describe('PyRest: errors and error routes', () => {
  it('headers of the failed content go, those of the error and of the application stay', async () => {
    const served = await start([Failing], { errors: { format: 'text' } })
    const { status, text, headers } = await served.ask('GET', '/failing/missing')
    expect([status, text]).toEqual([404, 'No such page\n'])
    expect(headers).toMatchObject({ 'x-kept': 'yes', 'x-told': 'yes' })
    for (const name of ['etag', 'cache-control', 'content-language'])
      expect([name, headers[name]]).toEqual([name, undefined])
  })

  class Pages {
    @ErrorHandler(404)
    missing(error: Error) {
      return reply(203, `instead of: ${error.message}`, { 'X-By': 'missing' })
    }

    @ErrorHandler(Teapot)
    teapot(error: Teapot, ctx: KoaContext) {
      ctx.set('X-By', 'teapot')
      return reply(402, { pays: error.message })
    }

    @ErrorHandler('5xx')
    failure() {
      return 'sorry'
    }

    @ErrorHandler(410)
    gone(): never {
      throw new Error('hunter2 of the handler')
    }

    @ErrorHandler(409)
    async conflict() {
      await Promise.resolve()
      return reply(409, Buffer.from('bytes'), { 'Content-Type': 'application/x-own' })
    }

    @ErrorHandler(418)
    untouched() {
      return undefined
    }

    @ErrorHandler('4xx')
    any(error: HttpError) {
      return `any: ${error.status}`
    }
  }

  it.each([
    ['/failing/missing', 203, 'instead of: No such page', 'missing'],
    ['/nothing', 203, 'instead of: HTTP 404', 'missing'],
    ['/failing/teapot', 402, '{"pays":"short and stout"}', 'teapot'],
    ['/failing/boom', 500, 'sorry', undefined],
    ['/failing/gone/503', 503, 'sorry', undefined],
    ['/failing/gone/409', 409, 'bytes', undefined],
    ['/failing/gone/400', 400, 'any: 400', undefined],
    ['/failing/gone/418', 418, 'detail of 418\n', undefined],
    ['/failing/gone/410', 500, '500 - Internal Server Error\n', undefined],
  ])('GET %s is %i', async (path, status, text, by) => {
    const served = await start([Failing], { errors: { format: 'text', handlers: [Pages] } })
    const answer = await served.ask('GET', path)
    expect([answer.status, answer.text, answer.headers['x-by']]).toEqual([status, text, by])
    expect(answer.text).not.toContain('hunter2')
    const head = await served.ask('HEAD', path)
    expect([head.status, head.headers['content-length'], head.bytes.length]).toEqual([status, `${text.length}`, 0])
  })

  it('a 405 can be replaced and keeps its Allow', async () => {
    const served = await start([Failing], { errors: { handlers: [Pages] } })
    const answer = await served.ask('REPORT', '/failing/boom')
    expect(answer.status).toBe(501)
    @Resource('/other')
    class Other {
      @Post()
      post() {
        return 'x'
      }
    }
    const both = await start([Failing, Other], { errors: { handlers: [Pages] } })
    const refused = await both.ask('POST', '/failing/boom')
    expect([refused.status, refused.text, refused.headers.allow]).toEqual([405, 'any: 405', 'GET, HEAD, OPTIONS'])
  })

  it('the first handler that fits is asked, and its failure goes to the log with the error', async () => {
    class First {
      @ErrorHandler('4xx')
      any() {
        return 'first'
      }
    }
    const served = await start([Failing], { errors: { handlers: [First, Pages] } })
    expect((await served.ask('GET', '/failing/gone/410')).text).toBe('first')
    const broken = await start([Failing], { errors: { handlers: [Pages] } })
    await broken.ask('GET', '/failing/gone/410')
    expect(logged.map(({ err }) => err.message)).toEqual(['detail of 410', 'hunter2 of the handler'])
  })

  it.each([
    ['a promise that fails', () => Promise.reject(new Error('hunter2'))],
    [
      'a circle',
      () => {
        const circle: Record<string, unknown> = {}
        circle.self = circle
        return circle
      },
    ],
    ['a header with a line break', () => reply(404, 'x', { 'X-A': 'a\r\nX-B: hunter2' })],
    ['a header that is none', () => reply(404, 'x', { 'X A': 'b' })],
  ])('a handler that answers with %s falls back to the plain 500', async (_what, handle) => {
    class Broken {
      @ErrorHandler(404)
      missing(): unknown {
        return handle()
      }
    }
    const served = await start([Failing], { errors: { format: 'text', handlers: [Broken] } })
    const answer = await served.ask('GET', '/failing/missing')
    expect([answer.status, answer.text]).toEqual([500, '500 - Internal Server Error\n'])
    expect(JSON.stringify(answer.headers)).not.toContain('hunter2')
  })
})

// --- 1.3 json, query, form ------------------------------------------------------------------------------------------------

class Named {
  @IsString()
  name!: string
}

@Resource('/json')
class Json {
  @Get('/:what')
  value(@Param('what') what: string): unknown {
    return {
      object: { a: [1, null, 'ü'], b: { c: true } },
      list: [],
      number: 0,
      false: false,
      true: true,
      date: new Date(0),
      map: new Map([['k', new Set([1, 2])]]),
    }[what]
  }

  @Post()
  @Status(200)
  take(@Body() body: Named) {
    return body
  }
}

describe('PyRest: json', () => {
  it.each([
    ['object', '{"a":[1,null,"ü"],"b":{"c":true}}'],
    ['list', '[]'],
    ['number', '0'],
    ['false', 'false'],
    ['true', 'true'],
    ['date', '"1970-01-01T00:00:00.000Z"'],
    ['map', '{"k":[1,2]}'],
  ])('%s is encoded', async (what, text) => {
    const served = await start([Json])
    const answer = await served.ask('GET', `/json/${what}`)
    expect([answer.status, answer.text]).toEqual([200, text])
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
  })

  it('nothing is an empty answer without a type', async () => {
    const served = await start([Json])
    const answer = await served.ask('GET', '/json/nothing')
    expect([answer.status, answer.bytes.length, answer.headers['content-type']]).toEqual([204, 0, undefined])
  })

  it.each([
    ['application/json', 200],
    ['Application/JSON', 200],
    ['application/json; charset=utf-8', 200],
    ['application/json;charset="UTF-8"', 200],
    ['application/vnd.example+json', 200],
    ['application/problem+json; profile="x;y"', 200],
    ['application/jsonp', 415],
    ['application/json-seq', 415],
    ['text/json-like', 415],
    ['text/plain', 415],
    ['application/json; charset=utf-7', 415],
    ['json', 415],
  ])('Content-Type: %s is %i', async (type, status) => {
    const served = await start([Json])
    const answer = await served.ask('POST', '/json', { body: '{"name":"Ann"}', headers: { 'Content-Type': type } })
    expect(answer.status).toBe(status)
    if (status === 200) expect(answer.json()).toEqual({ name: 'Ann' })
  })

  it.each([
    ['{', 400],
    ['{"name":"Ann"', 400],
    ['{"name":"Ann"}}', 400],
    ["{'name':'Ann'}", 400],
    ['{"name":"Ann",}', 400],
    ['NaN', 400],
    ['', 400],
    [' ', 400],
    [Buffer.from('{"name":"\xff"}', 'latin1'), 400],
    ['null', 422],
    ['[]', 422],
    ['"name"', 422],
    ['{"name":1}', 422],
    ['{"__proto__":{"name":"x"}}', 422],
  ])('the body %s is %i', async (body, status) => {
    const served = await start([Json])
    const headers = { 'Content-Type': 'application/json' }
    const answer = await served.ask('POST', '/json', { body, headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
  })

  it.each(['{', '/nothing', 'boom'])('errors: { format: pyrest }: %s', async (what) => {
    const served = await start([Json, Failing], { errors: { format: 'pyrest' } })
    const headers = { 'Content-Type': 'application/json' }
    const [answer, expected] =
      what === '{'
        ? [await served.ask('POST', '/json', { body: what, headers }), { error: 400, status: 'Bad Request' }]
        : what === 'boom'
          ? [await served.ask('GET', '/failing/boom'), { error: 500, status: 'Internal Server Error' }]
          : [await served.ask('GET', what), { error: 404, status: 'Not Found' }]
    expect([answer.status, answer.headers['content-type'], answer.json()]).toEqual([
      expected.error,
      'application/json',
      expected,
    ])
  })
})

@Resource('/forms')
class Forms {
  @Get()
  query(
    @Query({ a: { type: String, default: 'none' }, tags: { list: true, default: [] } })
    query: Record<string, unknown>,
  ) {
    return query
  }

  @Post()
  @Status(200)
  take(
    @Body({
      a: { type: String, default: 'none' },
      n: { type: Number, default: 0 },
      tags: { list: true, default: [] },
    })
    form: Record<string, unknown>,
  ) {
    return form
  }

  @Post('/upload')
  @Status(200)
  async upload(
    @File('file', { required: false }) file: UploadedFile | undefined,
    @Body('title', { default: 'untitled' }) title: string,
  ) {
    if (!file) return { title }
    const { filename, type, size } = file
    return { title, filename, type, size, text: (await file.bytes()).toString('latin1') }
  }

  @Post('/many')
  @Status(200)
  @Limit({ files: 3, fileSize: 100, parts: 5, body: 200 })
  many(@Files('files') files: UploadedFile[], @Body('a', { type: [String], default: [] }) a: string[]) {
    return { files: files.map(({ filename }) => filename), a }
  }
}

describe('PyRest: query', () => {
  it.each([
    ['', 200, { a: 'none', tags: [] }],
    ['?', 200, { a: 'none', tags: [] }],
    ['?a=', 200, { a: '', tags: [] }],
    ['?a', 200, { a: '', tags: [] }],
    ['?a=x+y%20z', 200, { a: 'x y z', tags: [] }],
    ['?a=%C3%BC%26%3D%2B', 200, { a: 'ü&=+', tags: [] }],
    ['?tags=1&tags=&tags=2', 200, { a: 'none', tags: ['1', '', '2'] }],
    ['?a=1&a=2', 400, undefined],
    ['?a=%', 400, undefined],
    ['?a=%E0%A4%A', 400, undefined],
    ['?b=1', 400, undefined],
    ['?__proto__=1', 400, undefined],
    ['?constructor=1', 400, undefined],
  ])('%s is %i', async (query, status, expected) => {
    const served = await start([Forms])
    const answer = await served.ask('GET', `/forms${query}`)
    expect(answer.status).toBe(status)
    if (expected) expect(answer.json()).toEqual(expected)
  })
})

describe('PyRest: form, urlencoded', () => {
  const type = 'application/x-www-form-urlencoded'

  it.each([
    ['a=x', 200, { a: 'x', n: 0, tags: [] }],
    ['a=&tags=', 200, { a: '', n: 0, tags: [''] }],
    ['a=x+y&n=1.5', 200, { a: 'x y', n: 1.5, tags: [] }],
    ['tags=1&tags=2&a=%C3%BC', 200, { a: 'ü', n: 0, tags: ['1', '2'] }],
    ['a=%26%3D%2B%0A', 200, { a: '&=+\n', n: 0, tags: [] }],
    ['&&a=x&', 200, { a: 'x', n: 0, tags: [] }],
    ['a=1&a=2', 422, undefined],
    ['n=x', 422, undefined],
    ['a=%', 400, undefined],
    ['a=%ff', 400, undefined],
    ['b=1', 422, undefined],
    ['__proto__=1', 400, undefined],
  ])('%s', async (body, status, expected) => {
    const served = await start([Forms])
    const answer = await served.ask('POST', '/forms', { body, headers: { 'Content-Type': type } })
    expect([body, answer.status]).toEqual([body, status])
    if (expected) expect(answer.json()).toEqual(expected)
  })

  it.each([
    [`${type}; charset=utf-8`, 'a=%C3%BC', 'ü'],
    [`${type};charset=iso-8859-1`, Buffer.from('a=ü', 'latin1'), 'ü'],
    [type.toUpperCase(), 'a=x', 'x'],
  ])('Content-Type: %s', async (contentType, body, a) => {
    const served = await start([Forms])
    const answer = await served.ask('POST', '/forms', { body, headers: { 'Content-Type': contentType } })
    expect([answer.status, answer.status === 200 && answer.json<{ a: string }>().a]).toEqual([200, a])
  })

  it.each([`${type}2`, `${type}-x`, `${type}; charset=x-none`])('Content-Type: %s is 415', async (contentType) => {
    const served = await start([Forms])
    expect((await served.ask('POST', '/forms', { body: 'a=x', headers: { 'Content-Type': contentType } })).status).toBe(
      415,
    )
  })

  it('of more names than the limit is refused', async () => {
    const served = await start([Forms], { limits: { keys: 10 } })
    const body = Array.from({ length: 11 }, (_, index) => `tags=${index}`).join('&')
    const headers = { 'Content-Type': type }
    expect((await served.ask('POST', '/forms', { body, headers })).status).toBeGreaterThanOrEqual(400)
    const fits = Array.from({ length: 10 }, (_, index) => `tags=${index}`).join('&')
    expect((await served.ask('POST', '/forms', { body: fits, headers })).status).toBe(200)
  })
})

interface Part {
  readonly head: string
  readonly body: string | Buffer
}

const field = (name: string, body: string, more = ''): Part => ({
  head: `Content-Disposition: form-data; name="${name}"${more}`,
  body,
})
const upload = (name: string, filename: string, body: string | Buffer, type = 'text/plain'): Part => ({
  head: `Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: ${type}`,
  body,
})

function multipart(parts: readonly Part[], boundary = 'XyZ', end = '--'): Buffer {
  const pieces = parts.flatMap(({ head, body }) => [
    Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`, 'utf8'),
    Buffer.from(body as string, 'utf8'),
    Buffer.from('\r\n'),
  ])
  return Buffer.concat([...pieces, Buffer.from(`--${boundary}${end}\r\n`)])
}

const send = (served: Served, path: string, body: string | Buffer, type = 'multipart/form-data; boundary=XyZ') =>
  served.ask('POST', path, { body, headers: { 'Content-Type': type } })

describe('PyRest: form, multipart', () => {
  it('binds fields to texts and files to their name, type, size and bytes', async () => {
    const served = await start([Forms])
    const bytes = Buffer.from([0, 13, 10, 255, 45, 45])
    const answer = await send(
      served,
      '/forms/upload',
      multipart([field('title', 'grün'), upload('file', 'a.bin', bytes, 'application/x-own; a=b')]),
    )
    expect([answer.status, answer.json()]).toEqual([
      200,
      { title: 'grün', filename: 'a.bin', type: 'application/x-own', size: 6, text: bytes.toString('latin1') },
    ])
  })

  it.each([
    ['a quoted boundary', 'multipart/form-data; boundary="a b:c"', 'a b:c'],
    ['a boundary with another case', 'multipart/form-data; boundary=aBcD', 'aBcD'],
    ['a boundary of 70 characters', `multipart/form-data; boundary=${'b'.repeat(70)}`, 'b'.repeat(70)],
    ['a type in capitals', 'Multipart/Form-Data; Boundary=XyZ', 'XyZ'],
    ['further parameters', 'multipart/form-data; charset=utf-8; boundary=XyZ', 'XyZ'],
  ])('%s', async (_what, type, boundary) => {
    const served = await start([Forms])
    const answer = await send(served, '/forms/upload', multipart([field('title', 'x')], boundary), type)
    expect([answer.status, answer.text]).toEqual([200, '{"title":"x"}'])
  })

  it.each([
    ['a boundary of other case', multipart([field('title', 'x')], 'xyz')],
    ['no boundary in the type', multipart([field('title', 'x')]), 'multipart/form-data'],
    ['an empty boundary', multipart([field('title', 'x')], ''), 'multipart/form-data; boundary=""'],
    ['no end', multipart([field('title', 'x')], 'XyZ', '')],
    ['an end that is cut off', multipart([field('title', 'x')]).subarray(0, -6)],
    ['a part that is cut off', multipart([field('title', 'x')]).subarray(0, 60)],
    ['no disposition', multipart([{ head: 'Content-Type: text/plain', body: 'x' }])],
    ['a disposition without a name', multipart([{ head: 'Content-Disposition: form-data', body: 'x' }])],
    ['another disposition', multipart([{ head: 'Content-Disposition: attachment; name="title"', body: 'x' }])],
    ['a broken disposition', multipart([{ head: 'Content-Disposition: form-data; name="title', body: 'x' }])],
    ['a header without a colon', multipart([{ head: 'Content-Disposition form-data', body: 'x' }])],
    [
      'a field that is no UTF-8',
      multipart([{ head: 'Content-Disposition: form-data; name="title"', body: Buffer.from([255]) }]),
    ],
    [
      'a transfer encoding',
      multipart([
        { head: 'Content-Disposition: form-data; name="title"\r\nContent-Transfer-Encoding: base64', body: 'eA==' },
      ]),
    ],
    [
      'headers without an end',
      multipart([{ head: `${field('title', '').head}\r\nX-Long: ${'x'.repeat(40_000)}`, body: '' }]),
    ],
    ['nothing but text', Buffer.from('hello')],
    ['a closing boundary that is not closed', multipart([field('title', 'x')]).subarray(0, -4)],
    ['a closing boundary that is half closed', multipart([field('title', 'x')]).subarray(0, -3)],
    ['a part whose name is no name', multipart([field('__proto__', 'x')])],
    ['a part whose name is no name either', multipart([field('constructor', 'x')])],
  ])('%s is 400', async (...row) => {
    const [, body, type] = row as [string, Buffer, string?]
    const served = await start([Forms])
    expect((await send(served, '/forms/upload', body, type)).status).toBe(400)
    expect((await send(served, '/forms/upload', multipart([field('title', 'x')]))).status).toBe(200)
  })

  it('two values of a single field are 422', async () => {
    const served = await start([Forms])
    const answer = await send(served, '/forms/upload', multipart([field('title', 'x'), field('title', 'y')]))
    expect(answer.status).toBe(422)
  })

  it('a field nobody declared is 422, a file nobody declared too', async () => {
    const served = await start([Forms])
    for (const part of [field('other', 'x'), upload('other', 'a', 'x'), upload('title', 'a', 'x')]) {
      const answer = await send(served, '/forms/upload', multipart([part]))
      expect([part.head, answer.status]).toEqual([part.head, 422])
    }
  })

  it('limits: what fits is taken, one more is 413', async () => {
    const served = await start([Forms])
    const files = (count: number, size = 1): Part[] =>
      Array.from({ length: count }, (_, index) => upload('files', `${index}`, 'x'.repeat(size)))
    const fields = (count: number, size = 1): Part[] =>
      Array.from({ length: count }, () => field('a', 'x'.repeat(size)))
    for (const [what, parts, status] of [
      ['files', files(3), 200],
      ['files', files(4), 413],
      ['bytes of a file', files(1, 100), 200],
      ['bytes of a file', files(1, 101), 413],
      ['parts', [...files(1), ...fields(4)], 200],
      ['parts', [...files(1), ...fields(5)], 413],
      ['bytes of the fields', [...files(1), ...fields(3, 60)], 200],
      ['bytes of the fields', [...files(1), ...fields(3, 70)], 413],
      ['bytes of one field', [...files(1), ...fields(1, 201)], 413],
    ] as const) {
      expect([what, (await send(served, '/forms/many', multipart(parts))).status]).toEqual([what, status])
    }
  })

  it('needs no Content-Length', async () => {
    const served = await start([Forms])
    const headers = { 'Content-Type': 'multipart/form-data; boundary=XyZ' }
    const { request, response } = begin(served.port, 'POST', '/forms/upload', headers)
    const body = multipart([field('title', 'x'), upload('file', 'a', 'y'.repeat(1000))])
    for (let at = 0; at < body.length; at += 7) request.write(body.subarray(at, at + 7))
    request.end()
    const answer = await response
    expect([answer.statusCode, JSON.parse((await readBody(answer)).toString())]).toMatchObject([
      200,
      { title: 'x', size: 1000 },
    ])
  })

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\\\temp\\\\a.txt', 'a.txt'],
    ['..', 'file'],
    ['a\u202ecod.exe', 'acod.exe'],
    ['größe.txt', 'größe.txt'],
  ])('a file name is a base name: %s', async (given, filename) => {
    const served = await start([Forms])
    const answer = await send(served, '/forms/upload', multipart([upload('file', given, 'x')]))
    expect(answer.json()).toMatchObject({ filename })
  })
})
