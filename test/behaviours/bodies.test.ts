import { IsInt, IsOptional, IsString } from 'class-validator'
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  Body,
  Consumes,
  Context,
  createApp,
  definePlan,
  Delete,
  event,
  File,
  Files,
  Get,
  Limit,
  Patch,
  Post,
  Put,
  RawBody,
  Resource,
  Signal,
  UploadedFile,
  type App,
  type AppOptions,
} from 'kumu'
import { closeAll, serve, type Ask, type Served } from '../support/serve'

afterEach(closeAll)

interface Started extends Served {
  readonly app: App
  readonly log: Error[]
}

async function start(resource: object, options: AppOptions = {}): Promise<Started> {
  const log: Error[] = []
  const logger = { error: (details: object) => void log.push((details as { err: Error }).err) }
  const app = createApp({ resources: [resource], logger, ...options })
  return { ...(await serve(app)), app, log }
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 1000) throw new Error('It never came')
    await sleep(2)
  }
}

class Change {
  @IsOptional() @IsInt() a?: number
  @IsOptional() @IsString() b?: string
}

const typed = (type: string, body: string | Buffer, more: Record<string, string> = {}): Ask => ({
  headers: { 'Content-Type': type, ...more },
  body,
})

describe('B57: +json of any kind', () => {
  @Resource('/documents')
  class Documents {
    @Patch('/:id') change(@Body() body: Change) {
      return body
    }
    @Patch('/:id/steps') @Consumes('application/json-patch+json') steps(@Body(Object) body: unknown) {
      return body
    }
    @Post() create(@Body() body: Change) {
      return body
    }
    @Post('/named') named(@Body('a', Number) a: number) {
      return { a }
    }
  }

  it.each([
    'application/json',
    'application/merge-patch+json',
    'application/vnd.api+json',
    'application/ld+json; profile="http://a.example/b"',
    'application/problem+json; charset=utf-8',
    'APPLICATION/MERGE-PATCH+JSON',
    'application/vnd.a.b-c.v1+json;charset=UTF-8',
    'text/json',
  ])('%s', async (type) => {
    const { ask } = await start(Documents)
    for (const [method, path] of [
      ['PATCH', '/documents/1'],
      ['POST', '/documents'],
    ] as const) {
      expect(await ask(method, path, typed(type, '{"a":1}'))).toMatchObject({ status: 200, text: '{"a":1}' })
    }
    expect(await ask('POST', '/documents/named', typed(type, '{"a":1}'))).toMatchObject({
      status: 200,
      text: '{"a":1}',
    })
  })

  it('a JSON patch is a list, where it is declared', async () => {
    const { ask } = await start(Documents)
    const patch = '[{"op":"replace","path":"/a","value":2}]'
    expect(await ask('PATCH', '/documents/1/steps', typed('application/json-patch+json', patch))).toMatchObject({
      status: 200,
      text: patch,
    })
    expect((await ask('PATCH', '/documents/1/steps', typed('application/json', patch))).status).toBe(415)
  })

  it.each(['application/merge-patch+json', 'application/vnd.api+json'])('%s is as strict as JSON', async (type) => {
    const { ask } = await start(Documents)
    expect((await ask('POST', '/documents', typed(type, '{"a":"1"}'))).status).toBe(422)
    expect((await ask('POST', '/documents', typed(type, '{a:1}'))).status).toBe(400)
  })
})

describe('B58: media types, charsets and codings that are not supported', () => {
  @Resource('/things')
  class Things {
    @Post() create(@Body() body: Change) {
      return body
    }
    @Patch() change(@Body() body: Change) {
      return body
    }
    @Put() replace(@Body() body: Change) {
      return body
    }
    @Post('/text') text(@Body() body: string) {
      return body
    }
  }

  it.each([
    'text/plain',
    'image/png',
    'application/octet-stream',
    'application/javascript',
    'application/json+x',
    'application/jsonp',
    '+json',
    'json',
    'application',
    'application/json, text/plain',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    '*/*',
    'application/*',
    'a/b; charset=utf-8',
    'application/json;',
    '',
  ])('Content-Type: %s', async (type) => {
    const { ask } = await start(Things)
    const statuses = await Promise.all(
      (['POST', 'PATCH', 'PUT'] as const).map(async (method) => {
        const answer = await ask(method, '/things', typed(type, '{"a":1}'))
        if (answer.status === 200) return 200
        const hint = { POST: 'accept-post', PATCH: 'accept-patch', PUT: 'accept' }[method]
        expect([answer.headers['content-type'], answer.headers[hint]]).toEqual([
          'application/problem+json',
          expect.stringContaining('application/json'),
        ])
        return answer.status
      }),
    )
    // A parameter list that ends in a semicolon is allowed (RFC 9110 §5.6.6).
    expect(new Set(statuses)).toEqual(new Set([type === 'application/json;' ? 200 : 415]))
  })

  it.each([
    ['utf-8', 200],
    ['UTF-8', 200],
    ['"utf-8"', 200],
    ['iso-8859-1', 200],
    ['us-ascii', 200],
    ['windows-1252', 200],
    ['utf-9', 415],
    ['klingon', 415],
    ['__proto__', 415],
    ['"a\\"b"', 415],
    ['x'.repeat(2000), 415],
  ])('charset=%s is %i', async (charset, status) => {
    const { ask } = await start(Things)
    for (const [path, type, body] of [
      ['/things', 'application/json', '{"b":"x"}'],
      ['/things/text', 'text/plain', 'x'],
    ] as const) {
      const answer = await ask('POST', path, typed(`${type}; charset=${charset}`, body))
      expect(answer.status).toBe(status)
      if (status === 415) expect(answer.headers['accept-post']).toContain(type.split('/')[0])
    }
  })

  it.each([
    ['iso-8859-1', Buffer.from([0x22, 0xe9, 0x22]), 'é'],
    ['utf-16le', Buffer.from('"é"', 'utf16le'), 'é'],
    ['utf-8', Buffer.from('"é"'), 'é'],
  ])('%s is decoded as such', async (charset, bytes, text) => {
    const { ask } = await start(Things)
    const body = Buffer.concat([
      Buffer.from('{"b":', charset === 'utf-16le' ? 'utf16le' : 'latin1'),
      bytes,
      Buffer.from('}', charset === 'utf-16le' ? 'utf16le' : 'latin1'),
    ])
    expect((await ask('POST', '/things', typed(`application/json; charset=${charset}`, body))).json()).toEqual({
      b: text,
    })
  })

  it.each([
    ['utf-8', Buffer.from([0x22, 0xe9, 0x22])],
    ['us-ascii', Buffer.from('"é"')],
  ])('bytes that are none of %s are 400', async (charset, body) => {
    const { ask } = await start(Things)
    expect((await ask('POST', '/things', typed(`application/json; charset=${charset}`, body))).status).toBe(400)
  })

  it.each(['compress', 'zstd', 'gzip, klingon', 'gzip, gzip, gzip, gzip'])('Content-Encoding: %s', async (coding) => {
    const { ask } = await start(Things)
    const answer = await ask('POST', '/things', typed('application/json', '{}', { 'Content-Encoding': coding }))
    expect([answer.status, answer.headers['accept-encoding']]).toEqual([415, 'gzip, deflate, br'])
  })
})

describe('B59: whether GET and DELETE have a body is said by the route', () => {
  @Resource('/things')
  class Things {
    @Get() list() {
      return 'listed'
    }
    @Delete() clear() {
      return 'cleared'
    }
    @Delete('/some') some(@Body() body: Change) {
      return body
    }
    @Delete('/maybe') maybe(@Body('a', { type: Number, default: 7 }) a: number) {
      return { a }
    }
    @Get('/search') search(@Body() body: Change) {
      return body
    }
  }

  it.each([
    ['GET', '/things', '{malformed', 'application/json', 200, 'listed'],
    ['GET', '/things', 'x', 'image/png', 200, 'listed'],
    ['DELETE', '/things', '{malformed', 'application/json', 200, 'cleared'],
    ['DELETE', '/things', 'x', 'klingon', 200, 'cleared'],
    ['DELETE', '/things/some', '{"a":1}', 'application/json', 200, '{"a":1}'],
    ['DELETE', '/things/some', '{"a":"1"}', 'application/json', 422, undefined],
    ['DELETE', '/things/some', 'x', 'text/plain', 415, undefined],
    ['DELETE', '/things/some', undefined, undefined, 400, undefined],
    ['DELETE', '/things/maybe', undefined, undefined, 200, '{"a":7}'],
    ['DELETE', '/things/maybe', '{"a":8}', 'application/json', 200, '{"a":8}'],
    ['GET', '/things/search', '{"a":1}', 'application/json', 200, '{"a":1}'],
  ])('%s %s with %j as %s is %i', async (method, path, body, type, status, text) => {
    const { ask } = await start(Things)
    const answer = await ask(method, path, { body, headers: type === undefined ? {} : { 'Content-Type': type } })
    expect(answer.status).toBe(status)
    if (text !== undefined) expect(answer.text).toBe(text)
  })

  it('a body that nobody reads does not harm the next request of the connection', async () => {
    const { port } = await start(Things)
    const socket = connect({ port, host: '127.0.0.1' })
    socket.write(
      'DELETE /things HTTP/1.1\r\nHost: a\r\nContent-Length: 22\r\n\r\nGET /smuggled HTTP/1.1GET /things HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    )
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  })
})

describe('B60: the bytes as they came', () => {
  const secret = 'shared'
  const sign = (bytes: Buffer | string): string => createHmac('sha256', secret).update(bytes).digest('hex')

  @Resource('/hooks')
  class Hooks {
    @Post('/signed') signed(@RawBody() bytes: Buffer, @Context() ctx: Context) {
      const good = timingSafeEqual(Buffer.from(sign(bytes)), Buffer.from(ctx.get('x-signature')))
      return { good, length: bytes.length }
    }
    @Post('/both') both(@RawBody() bytes: Buffer, @Body() body: Change) {
      return { text: bytes.toString(), body }
    }
    @Post('/buffer') buffer(@Body() bytes: Buffer) {
      return bytes
    }
    @Post('/bigint') bigint(@RawBody() bytes: Buffer) {
      return { id: BigInt(/"id":(\d+)/.exec(bytes.toString())?.[1] ?? 0) }
    }
    @Post('/stream') async stream(@Body() source: Readable) {
      const hash = createHash('sha256')
      for await (const chunk of source) hash.update(chunk as Buffer)
      return hash.digest('hex')
    }
  }

  it.each(['{"a":1}', '{ "a" : 1 }\n', '{malformed', '\u0000\u00ff', '<a/>', 'ünï', 'x'.repeat(100_000)])(
    'sign %j',
    async (body) => {
      const { ask } = await start(Hooks)
      for (const type of [
        'application/json',
        'text/plain',
        'application/octet-stream',
        'image/png',
        'application/x-www-form-urlencoded',
      ]) {
        const answer = await ask('POST', '/hooks/signed', typed(type, body, { 'X-Signature': sign(body) }))
        expect(answer.json()).toEqual({ good: true, length: Buffer.byteLength(body) })
      }
    },
  )

  it('are there with the parsed body, and the class still holds', async () => {
    const { ask } = await start(Hooks)
    expect((await ask('POST', '/hooks/both', typed('application/json', '{ "a": 1 }'))).json()).toEqual({
      text: '{ "a": 1 }',
      body: { a: 1 },
    })
    expect((await ask('POST', '/hooks/both', typed('application/json', '{ "a": "1" }'))).status).toBe(422)
    expect((await ask('POST', '/hooks/both', typed('application/json', '{'))).status).toBe(400)
  })

  it('keep what JSON would round', async () => {
    const { ask } = await start(Hooks)
    expect((await ask('POST', '/hooks/bigint', typed('application/json', '{"id":9007199254740993}'))).json()).toEqual({
      id: '9007199254740993',
    })
  })

  it('come as a Buffer where that is the declared type, and as a stream', async () => {
    const { ask } = await start(Hooks)
    const bytes = Buffer.from([0, 255, 13, 10])
    expect((await ask('POST', '/hooks/buffer', typed('image/png', bytes))).bytes).toEqual(bytes)
    expect((await ask('POST', '/hooks/stream', typed('image/png', bytes))).text).toBe(
      createHash('sha256').update(bytes).digest('hex'),
    )
  })

  it('have a limit', async () => {
    const { ask } = await start(Hooks, { limits: { body: 10 } })
    expect((await ask('POST', '/hooks/buffer', typed('image/png', 'x'.repeat(11)))).status).toBe(413)
  })
})

// --- Uploads ---------------------------------------------------------------------------------------------------------

const boundary = 'XbXbX'

function part(name: string, content: string | Buffer, filename?: string): Buffer {
  const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ])
}

const form = (...parts: Buffer[]): Ask =>
  typed(`multipart/form-data; boundary=${boundary}`, Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]))

describe('uploads', () => {
  let temporary = ''

  beforeEach(() => {
    temporary = mkdtempSync(join(os.tmpdir(), 'kumu-test-'))
    jest.spyOn(os, 'tmpdir').mockReturnValue(temporary)
  })

  afterEach(() => {
    jest.restoreAllMocks()
    rmSync(temporary, { recursive: true })
  })

  const left = (): string[] => readdirSync(temporary)

  let seen: string[] = []
  let wasThere = false

  @Resource('/uploads')
  class Uploads {
    @Post() async take(@File('file') file: UploadedFile, @Body('title', { type: String, default: '' }) title: string) {
      seen = left()
      wasThere = existsSync(file.path)
      return { title, size: file.size, text: (await file.bytes()).toString().slice(0, 20) }
    }
    @Post('/many') @Limit({ files: 2, fileSize: 100, parts: 4 }) many(@Files('file') files: UploadedFile[]) {
      return files.map(({ size }) => size)
    }
    @Post('/failing') failing(@File('file') _file: UploadedFile): never {
      throw new Error('hunter2')
    }
    @Post('/kept') async kept(@File('file') file: UploadedFile) {
      await file.moveTo(join(temporary, 'kept'))
    }
    @Post('/waiting') async waiting(@File('file') _file: UploadedFile, @Signal() signal: AbortSignal) {
      seen = left()
      await once(signal, 'abort')
    }
    @Post('/plain') plain(@Body() body: Change) {
      return body
    }
    @Post('/form') form(@Body({ a: String }) body: { a: string }) {
      return body
    }
    @Post('/text') text(@Body() body: string) {
      return body
    }
    @Post('/nothing') nothing() {
      return 'nothing read'
    }
  }

  const file = part('file', 'content', 'a.txt')

  describe('B61: a route that declares no upload', () => {
    it.each(['/uploads/plain', '/uploads/form', '/uploads/text'])('%s answers 415 and writes nothing', async (path) => {
      const { ask } = await start(Uploads)
      for (const body of [form(file), form(part('a', 'x')), form(part('a', 'x'), file)]) {
        const answer = await ask('POST', path, body)
        expect([answer.status, answer.headers['accept-post'], left()]).toEqual([
          415,
          expect.not.stringContaining('multipart'),
          [],
        ])
      }
    })

    it('and one that reads no body at all refuses it as well', async () => {
      const { ask } = await start(Uploads)
      expect((await ask('POST', '/uploads/nothing', form(file))).status).toBe(415)
      expect((await ask('POST', '/uploads/nothing')).text).toBe('nothing read')
      expect(left()).toEqual([])
    })

    it('a file under a name that nobody declared is refused, and nothing of it is written', async () => {
      const { ask } = await start(Uploads)
      const answer = await ask('POST', '/uploads', form(part('other', 'x'.repeat(100_000), 'a.txt'), file))
      expect([answer.status, left()]).toEqual([422, []])
    })
  })

  describe('B62: temporary files are gone', () => {
    const gone = () => until(() => left().length === 0)

    it('after the answer, though the handler had them', async () => {
      const { ask } = await start(Uploads)
      const answer = await ask('POST', '/uploads', form(part('title', 'T'), file))
      expect(answer.json()).toEqual({ title: 'T', size: 7, text: 'content' })
      expect([seen.length, wasThere]).toEqual([1, true])
      await gone()
    })

    it('but for those that were moved away', async () => {
      const { ask } = await start(Uploads)
      expect((await ask('POST', '/uploads/kept', form(file))).status).toBe(204)
      await until(() => left().length === 1)
      expect(left()).toEqual(['kept'])
    })

    it.each([
      ['an error of the handler', '/uploads/failing', form(file), 500],
      [
        'a file that is too large',
        '/uploads/many',
        form(part('file', 'x'.repeat(50), 'a'), part('file', 'x'.repeat(101), 'b')),
        413,
      ],
      [
        'too many files',
        '/uploads/many',
        form(part('file', 'x', 'a'), part('file', 'x', 'b'), part('file', 'x', 'c')),
        413,
      ],
      [
        'too many parts',
        '/uploads/many',
        form(part('file', 'x', 'a'), part('a', ''), part('b', ''), part('c', ''), part('d', '')),
        413,
      ],
      ['an unknown file behind a good one', '/uploads', form(file, part('other', 'x', 'b')), 422],
      ['an unknown field', '/uploads', form(file, part('isAdmin', 'true')), 422],
      ['two files where one is declared', '/uploads', form(file, file), undefined],
      ['no file', '/uploads', form(part('title', 'T')), 422],
      ['a body that breaks off', '/uploads', typed(`multipart/form-data; boundary=${boundary}`, file), 400],
      ['a part without a name', '/uploads', form(file, Buffer.from(`--${boundary}\r\nX: y\r\n\r\nz\r\n`)), 400],
      ['no boundary', '/uploads', typed('multipart/form-data', file), 400],
    ] as ReadonlyArray<readonly [string, string, Ask, number | undefined]>)(
      'after %s',
      async (_name, path, body, status) => {
        const { ask } = await start(Uploads)
        const answer = await ask('POST', path, body)
        if (status === undefined) expect([400, 422]).toContain(answer.status)
        else expect(answer.status).toBe(status)
        expect(answer.headers['content-type']).toBe('application/problem+json')
        await gone()
      },
    )

    function sending(port: number, path: string, length: number): ClientRequest {
      const headers = { 'Content-Type': `multipart/form-data; boundary=${boundary}`, 'Content-Length': String(length) }
      return request({ port, host: '127.0.0.1', method: 'POST', path, headers }).on('error', () => undefined)
    }

    it('after a client that leaves in the middle of a file', async () => {
      const { port, log } = await start(Uploads)
      const outgoing = sending(port, '/uploads', 1_000_000)
      outgoing.write(part('file', 'x'.repeat(100_000), 'a.txt'))
      await until(() => left().length === 1)
      outgoing.destroy()
      await gone()
      expect(log).toEqual([])
    })

    it('after a client that leaves while the handler works', async () => {
      const { port, log } = await start(Uploads)
      seen = []
      const body = form(file).body as Buffer
      const outgoing = sending(port, '/uploads/waiting', body.length)
      outgoing.end(body)
      await until(() => seen.length === 1)
      outgoing.destroy()
      await gone()
      expect(log).toEqual([])
    })
  })
})

// --- Streams ---------------------------------------------------------------------------------------------------------

async function open(
  port: number,
  path = '/',
  headers: Record<string, string> = {},
): Promise<{ outgoing: ClientRequest; response: IncomingMessage }> {
  const outgoing = request({ port, host: '127.0.0.1', path, headers }).on('error', () => undefined)
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  return { outgoing, response }
}

describe('B63: streams and bytes go past the serialiser', () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, n) => n))
  const makers: ReadonlyArray<readonly [string, () => unknown]> = [
    ['a Buffer', () => bytes],
    ['a Uint8Array', () => new Uint8Array(bytes)],
    ['a Float64Array', () => new Float64Array(new Uint8Array(bytes).buffer)],
    ['an ArrayBuffer', () => new Uint8Array(bytes).buffer],
    ['a Readable', () => Readable.from([bytes.subarray(0, 100), bytes.subarray(100)])],
    ['a PassThrough', () => new PassThrough().end(bytes)],
    ['a web stream', () => new Blob([bytes]).stream()],
    ['a Blob', () => new Blob([bytes])],
    ['a stream with toJSON', () => Object.assign(Readable.from([bytes]), { toJSON: () => 'never' })],
  ]

  it.each(makers)('%s, untouched', async (_name, make) => {
    const { ask } = await start(
      {},
      { resources: [], plans: [definePlan({ id: 'it', method: 'GET', path: '/', call: make })] },
    )
    const answer = await ask('GET', '/')
    expect([answer.status, answer.headers['content-type'], answer.bytes.equals(bytes)]).toEqual([
      200,
      'application/octet-stream',
      true,
    ])
  })

  it('a stream is read no faster than the client takes it', async () => {
    let read = 0
    const make = (): Readable =>
      new Readable({
        read() {
          read += 65_536
          this.push(read > 64 * 1024 * 1024 ? null : Buffer.alloc(65_536))
        },
      })
    const { port } = await start(
      {},
      { resources: [], plans: [definePlan({ id: 'it', method: 'GET', path: '/', call: make })] },
    )
    const socket = connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined).pause()
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    let before = -1
    await until(() => {
      const isStill = read > 0 && read === before
      before = read
      return isStill
    })
    await sleep(20)
    expect(read).toBeLessThan(64 * 1024 * 1024)
    socket.destroy()
  })
})

describe('B64: the client leaves', () => {
  let signal: AbortSignal | undefined
  let source: Readable | undefined
  let isReturned = false

  function endless(): Readable {
    return new Readable({
      read() {
        setImmediate(() => this.push(Buffer.alloc(1000)))
      },
    })
  }

  @Resource('/endless')
  class Endless {
    @Get('/readable') readable(@Signal() given: AbortSignal) {
      signal = given
      return (source = endless())
    }
    @Get('/web') web(@Signal() given: AbortSignal) {
      signal = given
      source = endless()
      return Readable.toWeb(source)
    }
    @Get('/async') async *rows(@Signal() given: AbortSignal) {
      signal = given
      source = undefined
      try {
        for (let n = 0; ; n++) {
          yield { n }
          await sleep(1)
        }
      } finally {
        isReturned = true
      }
    }
    @Get('/silent') async *silent(@Signal() given: AbortSignal) {
      signal = given
      source = undefined
      try {
        yield { n: 1 }
        await once(given, 'abort')
      } finally {
        isReturned = true
      }
    }
    @Get('/late') async late(@Signal() given: AbortSignal) {
      signal = given
      await once(given, 'abort')
      return (source = endless())
    }
    @Get('/failing') async failing(@Signal() given: AbortSignal) {
      signal = given
      await once(given, 'abort')
      throw given.reason
    }
  }

  beforeEach(() => {
    signal = source = undefined
    isReturned = false
  })

  it.each(['readable', 'web', 'async', 'silent'])(
    '%s: the source is closed, the signal fires, one line of log at most',
    async (path) => {
      const { port, log, ask } = await start(Endless)
      const { outgoing, response } = await open(port, `/endless/${path}`)
      await once(response, 'data')
      outgoing.destroy()
      await until(() => signal?.aborted === true && (source ? source.destroyed : isReturned))
      expect(log.length).toBeLessThanOrEqual(1)
      // And nothing crashed.
      expect((await ask('GET', '/nowhere')).status).toBe(404)
    },
  )

  it.each(['late', 'failing'])('%s: before there is an answer', async (path) => {
    const { port, log, ask } = await start(Endless)
    const outgoing = request({ port, host: '127.0.0.1', path: `/endless/${path}` }).on('error', () => undefined)
    outgoing.end()
    await until(() => signal !== undefined)
    outgoing.destroy()
    await until(() => signal?.aborted === true && (path === 'failing' || source?.destroyed === true))
    expect((await ask('GET', '/nowhere')).status).toBe(404)
    expect(log.length).toBeLessThanOrEqual(1)
  })

  it('a hundred at once', async () => {
    const { port, log, ask } = await start(Endless)
    for (let n = 0; n < 100; n++) {
      const { outgoing } = await open(port, n % 2 === 0 ? '/endless/readable' : '/endless/async')
      outgoing.destroy()
    }
    await sleep(20)
    expect(log.length).toBeLessThanOrEqual(100)
    expect((await ask('GET', '/nowhere')).status).toBe(404)
  })
})

describe('B65: server-sent events', () => {
  let isReturned = false
  let isEntered = false

  @Resource('/news')
  class News {
    @Get() async *news(@Signal() signal: AbortSignal) {
      isEntered = true
      try {
        await once(signal, 'abort')
        yield event('never')
      } finally {
        isReturned = true
      }
    }
    @Get('/deaf') deaf() {
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => ((isEntered = true), new Promise<never>(() => undefined)),
          return: async () => ((isReturned = true), { done: true as const, value: undefined }),
        }),
      }
    }
  }

  beforeEach(() => {
    isReturned = isEntered = false
  })

  const sse = { Accept: 'text/event-stream' }

  it.each(['/news', '/news/deaf'])('%s cleans up when the client leaves before the first event', async (path) => {
    const { port, log } = await start(News)
    const { outgoing, response } = await open(port, path, sse)
    expect(response.headers['content-type']).toBe('text/event-stream')
    await until(() => isEntered)
    outgoing.destroy()
    await until(() => isReturned)
    expect(log).toEqual([])
  })

  it.each(['/news', '/news/deaf'])('%s ends when the application stops, and holds up nothing', async (path) => {
    const { app, port, server, log } = await start(News)
    const { response } = await open(port, path, sse)
    const ended = once(response.resume(), 'end')
    await until(() => isEntered)
    await app.close(server)
    await ended
    expect([isReturned, response.complete, log]).toEqual([true, true, []])
  })

  it('has a heartbeat, and stops it', async () => {
    const started = jest.spyOn(globalThis, 'setInterval')
    const stopped = jest.spyOn(globalThis, 'clearInterval')
    try {
      const { port } = await start(News)
      const { outgoing, response } = await open(port, '/news', sse)
      response.setEncoding('utf8')
      await once(response, 'data')
      const [beat] = started.mock.calls.at(-1) ?? []
      const timer: unknown = started.mock.results.at(-1)?.value
      const next = once(response, 'data')
      beat?.()
      expect(await next).toEqual([':\n\n'])
      outgoing.destroy()
      await until(() => stopped.mock.calls.some(([each]) => each === timer))
    } finally {
      started.mockRestore()
      stopped.mockRestore()
    }
  })
})

describe('B66: what JSON has no word for', () => {
  class Money {
    constructor(readonly cents: bigint) {}
    toJSON() {
      return `${this.cents} ct`
    }
  }

  const values: ReadonlyArray<readonly [string, unknown, unknown]> = [
    ['a URL', new URL('https://a.example/b?c=d#e'), 'https://a.example/b?c=d#e'],
    ['URLSearchParams', new URLSearchParams({ a: '1' }), 'a=1'],
    ['an Error', new RangeError('too far'), { name: 'RangeError', message: 'too far' }],
    [
      'an Error with more',
      Object.assign(new Error('no'), { secret: 'hunter2', cause: 'hunter2' }),
      { name: 'Error', message: 'no' },
    ],
    [
      'an AggregateError',
      new AggregateError([new Error('hunter2')], 'many'),
      { name: 'AggregateError', message: 'many' },
    ],
    ['a RegExp', /a\/b/giu, '/a\\/b/giu'],
    ['a BigInt', 12345678901234567890n, '12345678901234567890'],
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1n],
        [2, new Date(0)],
        [Symbol('s'), 1],
      ]),
      { a: '1', 2: '1970-01-01T00:00:00.000Z' },
    ],
    [
      'a Map with a hostile key',
      new Map([['__proto__', { polluted: true }]]),
      JSON.parse('{"__proto__":{"polluted":true}}'),
    ],
    ['a Set', new Set<unknown>(['a', new Set([1])]), ['a', [1]]],
    ['a Date', new Date(86_400_000), '1970-01-02T00:00:00.000Z'],
    ['an invalid Date', new Date(Number.NaN), null],
    ['NaN', Number.NaN, null],
    ['Infinity', Number.NEGATIVE_INFINITY, null],
    ['minus zero', -0, 0],
    ['bytes', Buffer.from('hi'), 'aGk='],
    ['a typed array', new Uint16Array([1]), 'AQA='],
    ['an ArrayBuffer', new Uint8Array([104, 105]).buffer, 'aGk='],
    ['what has toJSON', new Money(150n), '150 ct'],
    ['a boxed number', Object(1) as unknown, 1],
  ]

  it.each(values)('%s, in a member, a list, a map and a set', async (_name, value, shown) => {
    const call = (): unknown => ({
      it: value,
      list: [value],
      map: new Map([['a', value]]),
      set: new Set([value]),
      deep: { er: [{ it: value }] },
    })
    const { ask } = await start(
      {},
      { resources: [], plans: [definePlan({ id: 'it', method: 'GET', path: '/', call })] },
    )
    const answer = await ask('GET', '/')
    expect(JSON.stringify(answer.json())).toBe(
      JSON.stringify({ it: shown, list: [shown], map: { a: shown }, set: [shown], deep: { er: [{ it: shown }] } }),
    )
    expect(answer.text).not.toContain('hunter2')
    expect(Object.prototype).not.toHaveProperty('polluted')
    const xml = await ask('GET', '/', { headers: { Accept: 'application/xml' } })
    expect([xml.status, xml.text.includes('[object')]).toEqual([200, false])
  })

  it.each([
    ['undefined', undefined],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
  ])('%s is left out of objects and null in lists', async (_name, value) => {
    const { ask } = await start(
      {},
      {
        resources: [],
        plans: [definePlan({ id: 'it', method: 'GET', path: '/', call: () => ({ it: value, list: [value] }) })],
      },
    )
    expect((await ask('GET', '/')).text).toBe('{"list":[null]}')
  })
})
