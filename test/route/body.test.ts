import { once } from 'node:events'
import { connect, createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { text as readText } from 'node:stream/consumers'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Middleware } from 'koa'
import { HttpError } from '../../src/errors'
import type { BodyReader } from '../../src/route/body'
import type { Codec, Context } from '../../src/route/plan'
import { decodedBy, openSocket, startBodyServer, stopBodyServers, until, useTemporaryDirectory } from './body-server'

const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
const temporary = useTemporaryDirectory()

beforeAll(() => process.on('unhandledRejection', onUnhandled))
afterAll(() => process.off('unhandledRejection', onUnhandled))
afterEach(async () => {
  await stopBodyServers()
  expect(unhandled).toEqual([])
  expect(temporary.list()).toEqual([])
})

const jsonType = { 'Content-Type': 'application/json' }

describe('decoded(ctx)', () => {
  it.each([
    ['application/json', '{"a":[1,null]}', { value: { a: [1, null] }, text: false, mediaType: 'application/json' }],
    ['application/json; charset=utf-8', '"é"', { value: 'é', text: false }],
    ['Application/JSON ; Charset="UTF-8"', '"é"', { value: 'é', mediaType: 'application/json' }],
    ['application/merge-patch+json', '{"a":null}', { value: { a: null }, mediaType: 'application/merge-patch+json' }],
    ['application/json-patch+json', '[]', { value: [], mediaType: 'application/json-patch+json' }],
    ['application/vnd.x+json;v=1', '1', { value: 1 }],
    ['application/json', 'false', { value: false, empty: false }],
    ['application/json', 'null', { value: null, empty: false }],
    ['application/xml', '<a><b>1</b></a>', { value: { b: '1' }, text: true }],
    ['text/xml', '<a><item>1</item></a>', { value: ['1'], text: true }],
    ['application/atom+xml', '<a>1</a>', { value: '1', text: true }],
    ['application/x-www-form-urlencoded', 'a=1&b[c]=x+y', { value: { a: '1', b: { c: 'x y' } }, text: true }],
    ['application/x-ndjson', '1\n{"a":2}\n', { value: [1, { a: 2 }], text: false }],
    ['text/plain', 'é', { value: 'é', text: false, mediaType: 'text/plain' }],
    ['text/plain;charset=iso-8859-1', Buffer.from([0xe9]), { value: 'é' }],
    ['text/plain;charset=utf-16le', Buffer.from('é', 'utf16le'), { value: 'é' }],
    ['application/octet-stream', Buffer.from([0, 255]), { value: { type: 'Buffer', data: [0, 255] } }],
    ['application/octet-stream;charset=klingon', 'a', { value: { type: 'Buffer', data: [97] } }],
  ])('%s', async (type, body, expected) => {
    const server = await startBodyServer()
    const answer = await server.send({ headers: { 'Content-Type': type }, body })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ empty: false, ...expected })
  })

  it.each([
    ['application/json', '{"a":hunter2', 400, 'syntax'],
    ['application/json', Buffer.from([0x22, 0xff, 0x22]), 400, 'charset'],
    ['application/x-ndjson', '1\nhunter2', 400, 'syntax'],
    ['application/xml', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 400, 'doctype'],
    ['application/x-www-form-urlencoded', '__proto__[a]=1', 400, 'unknown'],
    ['application/json', `${'['.repeat(5000)}${']'.repeat(5000)}`, 400, 'limit'],
    ['application/json', '{"a":'.repeat(5000) + '1' + '}'.repeat(5000), 400, 'limit'],
    ['application/xml', '<a>'.repeat(5000) + '</a>'.repeat(5000), 400, 'limit'],
    ['application/json; charset=klingon', '{}', 415, 'charset'],
    ['text/plain; charset=', 'a', 415, 'media-type'],
    ['text/plain; charset=base64', 'a', 415, 'charset'],
    ['image/png', 'a', 415, 'media-type'],
    ['json', '{}', 415, 'media-type'],
    ['application/*', '{}', 415, 'media-type'],
    ['', '{}', 415, 'media-type'],
    ['multipart/form-data; boundary=x', '--x--\r\n', 415, 'media-type'],
    ['multipart/mixed; boundary=x', '--x--\r\n', 415, 'media-type'],
  ])('%s %p is %i %s', async (type, body, status, code) => {
    const server = await startBodyServer()
    const answer = await server.send({ headers: { 'Content-Type': type }, body })
    expect(answer.status).toBe(status)
    expect(answer.body.code).toBe(code)
    expect(JSON.stringify(answer.body)).not.toContain('hunter2')
  })

  it('waits for a codec that takes its time, and passes on what it throws', async () => {
    const slow: Codec = {
      type: 'text/csv',
      decode: async (bytes, { parameters }) => {
        await new Promise((resolve) => setImmediate(resolve))
        if (bytes.length > 3) throw new HttpError(422, 'too many', { code: 'csv' })
        return [bytes.toString(), parameters.header]
      },
    }
    const server = await startBodyServer({ codecs: [slow] })
    const headers = { 'Content-Type': 'text/csv; header=present' }
    expect((await server.send({ headers, body: 'a,b' })).body.value).toEqual(['a,b', 'present'])
    expect((await server.send({ headers, body: 'a,b,c' })).status).toBe(422)
  })
})

describe('an empty body', () => {
  const empties: Array<[string, RequestInit & { duplex?: 'half' }]> = [
    ['no headers', {}],
    ['a content type', { headers: jsonType }],
    ['a content type and length 0', { headers: jsonType, body: '' }],
    [
      'chunks without content',
      { headers: jsonType, body: new ReadableStream({ start: (c) => c.close() }), duplex: 'half' },
    ],
    ['chunks without content or type', { body: new ReadableStream({ start: (c) => c.close() }), duplex: 'half' }],
    ['gzip of nothing', { headers: { ...jsonType, 'Content-Encoding': 'gzip' }, body: gzipSync('') }],
  ]

  it.each(empties)('is 400 where one is required: %s', async (_name, init) => {
    const server = await startBodyServer()
    const answer = await server.send(init)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ code: 'required', errors: [{ in: 'body', pointer: '', code: 'required' }] })
  })

  it.each(empties)('is undefined and no {} where none is: %s', async (_name, init) => {
    const server = await startBodyServer({
      plan: { required: false },
      handle: async (reader, ctx) => {
        const { value, empty } = await decodedBy(reader, ctx)
        return { type: typeof value, empty }
      },
    })
    // A stream is read once; fetch needs its own for this server.
    const body = init.body instanceof ReadableStream ? new ReadableStream({ start: (c) => c.close() }) : init.body
    expect((await server.send({ ...init, body })).body).toEqual({ type: 'undefined', empty: true })
  })
})

describe('a content type', () => {
  it.each([
    ['POST', 'accept-post'],
    ['PATCH', 'accept-patch'],
    ['PUT', 'accept'],
  ])('415 to %s says in %s what is taken', async (method, header) => {
    const server = await startBodyServer({ method, plan: { consumes: ['application/json', '+json', 'text/csv'] } })
    const answer = await server.send({ method, headers: { 'Content-Type': 'image/png' }, body: 'x' })
    expect(answer.status).toBe(415)
    expect(answer.headers.get(header)).toBe('application/json, text/csv')
  })

  it('415 lists the codecs of the application', async () => {
    const server = await startBodyServer()
    const answer = await server.send({ headers: { 'Content-Type': 'image/png' }, body: 'x' })
    const listed = answer.headers.get('accept-post')?.split(', ')
    expect(listed).toEqual(expect.arrayContaining(['application/json', 'application/xml', 'text/plain']))
    expect(listed?.some((type) => type.startsWith('+'))).toBe(false)
  })

  it.each([
    [['application/json'], 'application/json', 200],
    [['application/json'], 'application/problem+json', 415],
    [['application/json'], 'application/xml', 415],
    [['+json'], 'application/problem+json', 200],
    [['+json'], 'application/json', 415],
    [['application/*'], 'application/json', 200],
    [['application/*'], 'text/plain', 415],
    [['*/*'], 'application/json', 200],
    [['APPLICATION/JSON'], 'application/json', 200],
  ])('consumes %j: %s is %i', async (consumes, type, status) => {
    const server = await startBodyServer({ plan: { consumes } })
    expect((await server.send({ headers: { 'Content-Type': type }, body: '1' })).status).toBe(status)
  })

  it.each([
    [['*/*'], 'image/png', { type: 'Buffer', data: [97] }],
    [['image/*'], 'image/png', { type: 'Buffer', data: [97] }],
    [['text/*'], 'text/csv', 'a'],
    [['text/*'], 'text/xml', 'a'],
    [['text/csv'], 'text/csv', 'a'],
  ])('consumes %j: %s without codec is %j', async (consumes, type, value) => {
    const server = await startBodyServer({ plan: { consumes } })
    expect((await server.send({ headers: { 'Content-Type': type }, body: 'a' })).body.value).toEqual(value)
  })

  it.each([
    [[], 415],
    [['application/json'], 415],
    [['text/plain'], 415],
    [['application/octet-stream'], 200],
    [['*/*'], 200],
  ])('missing, with consumes %j, is %i', async (consumes, status) => {
    const server = await startBodyServer({ plan: { consumes } })
    expect((await server.send({ body: Buffer.from('a') })).status).toBe(status)
    const chunked = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('a'))
        controller.close()
      },
    })
    const answer = await server.send({ body: chunked, duplex: 'half' })
    expect(answer.status).toBe(status)
    if (status === 200) expect(answer.body.value).toEqual({ type: 'Buffer', data: [97] })
    else expect(answer.headers.has('accept-post')).toBe(true)
  })
})

describe('Content-Encoding', () => {
  const text = JSON.stringify({ a: 'é'.repeat(1000) })

  it.each([
    ['gzip', gzipSync(text)],
    ['GZIP', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['identity', Buffer.from(text)],
    ['', Buffer.from(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity, gzip', gzipSync(text)],
  ])('%p is undone', async (coding, body) => {
    const server = await startBodyServer()
    const answer = await server.send({ headers: { ...jsonType, 'Content-Encoding': coding }, body })
    expect(answer.status).toBe(200)
    expect(answer.body.value).toEqual(JSON.parse(text))
  })

  it.each(['zstd', 'compress', 'gzip, zstd', 'toString', '__proto__', 'gzip;q=1', 'gzip,gzip,gzip,gzip'])(
    '%p is 415 with Accept-Encoding',
    async (coding) => {
      const server = await startBodyServer()
      const answer = await server.send({ headers: { ...jsonType, 'Content-Encoding': coding }, body: gzipSync(text) })
      expect(answer.status).toBe(415)
      expect(answer.body.code).toBe('coding')
      expect(answer.headers.get('accept-encoding')).toBe('gzip, deflate, br')
    },
  )

  it.each([
    ['gzip', Buffer.from(text)],
    ['gzip', gzipSync(text).subarray(0, 20)],
    ['gzip', Buffer.concat([gzipSync(text).subarray(0, -8), Buffer.alloc(8)])],
    ['deflate', Buffer.from(text)],
    ['br', Buffer.from(text)],
    ['gzip, br', gzipSync(text)],
  ])('corrupt %s is 400', async (coding, body) => {
    const server = await startBodyServer()
    const answer = await server.send({ headers: { ...jsonType, 'Content-Encoding': coding }, body })
    expect(answer.status).toBe(400)
    expect(answer.body.code).toBe('coding')
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('a bomb of %s is 413', async (coding, compress) => {
    const server = await startBodyServer({ limits: { body: 100_000 } })
    const bomb = compress(Buffer.alloc(50 * 1024 * 1024, '0'))
    expect(bomb.length).toBeLessThan(100_000)
    const answer = await server.send({ headers: { ...jsonType, 'Content-Encoding': coding }, body: bomb })
    expect(answer.status).toBe(413)
  })

  it('a bomb in a bomb is 413', async () => {
    const server = await startBodyServer({ limits: { body: 100_000 } })
    const bomb = gzipSync(gzipSync(Buffer.alloc(20 * 1024 * 1024)))
    const answer = await server.send({ headers: { ...jsonType, 'Content-Encoding': 'gzip, gzip' }, body: bomb })
    expect(answer.status).toBe(413)
  })

  it('the limit holds for what comes out of it', async () => {
    const server = await startBodyServer({ limits: { body: text.length + 1000 } })
    const headers = { ...jsonType, 'Content-Encoding': 'gzip' }
    expect((await server.send({ headers, body: gzipSync(text) })).status).toBe(200)
    expect((await server.send({ headers, body: gzipSync(`${text}${' '.repeat(2000)}`) })).status).toBe(413)
  })
})

describe('limits.body', () => {
  it.each([
    [100, 200],
    [101, 413],
  ])('100: %i bytes are %i', async (size, status) => {
    const server = await startBodyServer({ limits: { body: 100 } })
    const answer = await server.send({ headers: jsonType, body: `"${'x'.repeat(size - 2)}"` })
    expect(answer.status).toBe(status)
    if (status === 413)
      expect(answer.body).toMatchObject({ code: 'too-large', detail: 'The body is larger than 100 bytes' })
  })

  it('an announced length beyond it is 413 before a byte is sent', async () => {
    const server = await startBodyServer({ limits: { body: 100 } })
    const socket = await openSocket(server.port)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 101\r\n\r\n')
    expect(await socket.answer()).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })

  it('chunks beyond it are 413 while they still come', async () => {
    const server = await startBodyServer({ limits: { body: 100 } })
    const socket = await openSocket(server.port)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (let i = 0; i < 11; i++) socket.write(`a\r\n${'1'.repeat(10)}\r\n`)
    expect(await socket.answer()).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })

  it('leaves the connection fit for the next request', async () => {
    const server = await startBodyServer({ limits: { body: 100 } })
    const socket = await openSocket(server.port)
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    for (let i = 0; i < 20; i++) socket.write(`3e8\r\n${'1'.repeat(1000)}\r\n`)
    expect(await socket.answer()).toMatch(/^HTTP\/1.1 413 /)
    socket.write(`0\r\n\r\n${head}Content-Length: 2\r\n\r\n{}`)
    await until(() => server.outcomes.length === 2)
    expect(server.outcomes[1]).toMatchObject({ value: {} })
    socket.destroy()
  })
})

describe('a client that', () => {
  it('sends slowly, byte by byte', async () => {
    const server = await startBodyServer()
    const socket = await openSocket(server.port)
    socket.setNoDelay(true)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
    for (const byte of Buffer.from('{"a":"é"}')) {
      await new Promise((resolve) =>
        socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]), resolve),
      )
    }
    socket.write('0\r\n\r\n')
    expect(await socket.answer()).toMatch(/^HTTP\/1.1 200 /)
    expect(server.outcomes).toMatchObject([{ value: { a: 'é' } }])
    socket.destroy()
  })

  it.each([
    ['announces more than it sends', 'Content-Length: 100\r\n\r\n{"a":'],
    ['leaves between chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'],
    ['leaves before the first byte', 'Content-Length: 100\r\n\r\n'],
  ])('%s and leaves: aborted, and nothing is left behind', async (_name, rest) => {
    let request: Context['req'] | undefined
    const server = await startBodyServer({
      handle: (reader, ctx) => {
        request = ctx.req
        return decodedBy(reader, ctx)
      },
    })
    const socket = await openSocket(server.port)
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${rest}`)
    await until(() => (request?.listenerCount('data') ?? 0) > 0)
    socket.destroy()
    await until(() => server.outcomes.length === 1)
    expect(server.outcomes[0]).toMatchObject({ status: 400, code: 'aborted' })
    expect(server.failures).toEqual([])
    for (const event of ['data', 'error', 'aborted']) expect(request?.listenerCount(event)).toBe(0)
  })

  it('has left before the body is asked for', async () => {
    const server = await startBodyServer({
      handle: async (reader, ctx) => {
        await once(ctx.res, 'close')
        return decodedBy(reader, ctx)
      },
    })
    const socket = await openSocket(server.port)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
    socket.end()
    await until(() => server.outcomes.length === 1)
    expect(server.outcomes[0]).toMatchObject({ code: 'aborted' })
  })

  it('sends more than it announced: the rest is no part of the body', async () => {
    const server = await startBodyServer()
    const socket = await openSocket(server.port)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}{"a":1}')
    await until(() => server.outcomes.length === 1)
    expect(server.outcomes).toMatchObject([{ value: {} }])
    socket.destroy()
  })
})

describe('HTTP/2', () => {
  it.each([
    ['{"a":1}', { 'content-type': 'application/json' }, { value: { a: 1 } }],
    ['', { 'content-type': 'application/json' }, { code: 'required' }],
    ['', {}, { code: 'required' }],
    ['{}', {}, { code: 'media-type' }],
  ])('%j with %j', async (body, headers, expected) => {
    type Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => void
    const server = await startBodyServer({ create: (listener) => createServer(listener as unknown as Listener) })
    const session = connect(server.url)
    const stream = session.request({ ':method': 'POST', ...headers })
    stream.end(body)
    expect(JSON.parse(await readText(stream))).toMatchObject(expected)
    session.close()
    await once(session, 'close')
  })

  it('a client that leaves', async () => {
    type Listener = (req: Http2ServerRequest, res: Http2ServerResponse) => void
    const server = await startBodyServer({ create: (listener) => createServer(listener as unknown as Listener) })
    const session = connect(server.url)
    const stream = session.request({ ':method': 'POST', 'content-type': 'application/json' })
    stream.on('error', () => undefined)
    stream.write('{"a":')
    await once(stream, 'ready').catch(() => undefined)
    stream.close(8)
    await until(() => server.outcomes.length === 1)
    expect(server.outcomes[0]).toMatchObject({ code: 'aborted' })
    session.destroy()
  })
})

describe('raw(ctx)', () => {
  const both = async (reader: BodyReader, ctx: Context): Promise<unknown> => {
    const raw = await reader.raw(ctx)
    const { value } = await decodedBy(reader, ctx)
    return { raw: raw.toString('latin1'), value, same: (await reader.raw(ctx)) === raw }
  }
  const reversed = async (reader: BodyReader, ctx: Context): Promise<unknown> => {
    const { value } = await decodedBy(reader, ctx)
    return { raw: (await reader.raw(ctx)).toString('latin1'), value, same: true }
  }

  it.each([
    ['raw first', both],
    ['decoded first', reversed],
  ])('beside the decoded body: %s', async (_name, handle) => {
    const server = await startBodyServer({ plan: { raw: 'also' }, handle })
    const answer = await server.send({ headers: jsonType, body: '{"big":12345678901234567890}' })
    expect(answer.body).toEqual({
      raw: '{"big":12345678901234567890}',
      value: { big: 12345678901234567000 },
      same: true,
    })
  })

  it('is there where the body cannot be parsed', async () => {
    const server = await startBodyServer({
      plan: { raw: 'also' },
      handle: async (reader, ctx) => {
        const parsed = await decodedBy(reader, ctx).then(
          () => 'parsed',
          (error: HttpError) => error.code,
        )
        return { parsed, raw: (await reader.raw(ctx)).toString() }
      },
    })
    const answer = await server.send({ headers: jsonType, body: '{"a":' })
    expect(answer.body).toEqual({ parsed: 'syntax', raw: '{"a":' })
  })

  it('alone takes any type that the route consumes, decodable or not', async () => {
    const handle = async (reader: BodyReader, ctx: Context): Promise<unknown> => ({
      raw: (await reader.raw(ctx)).toString(),
    })
    const any = await startBodyServer({ plan: { raw: 'only' }, handle })
    expect((await any.send({ headers: { 'Content-Type': 'nonsense' }, body: '{"' })).body).toEqual({ raw: '{"' })
    expect((await any.send({ body: Buffer.from('x') })).body).toEqual({ raw: 'x' })
    expect((await any.send({})).body.code).toBe('required')
    const json = await startBodyServer({ plan: { raw: 'only', consumes: ['application/json'] }, handle })
    expect((await json.send({ headers: jsonType, body: '{"' })).body).toEqual({ raw: '{"' })
    expect((await json.send({ headers: { 'Content-Type': 'text/plain' }, body: '{"' })).status).toBe(415)
  })

  it('is empty where nothing came and nothing is required', async () => {
    const server = await startBodyServer({
      plan: { raw: 'only', required: false },
      handle: async (reader, ctx) => ({ length: (await reader.raw(ctx)).length }),
    })
    expect((await server.send({})).body).toEqual({ length: 0 })
  })

  it('has its content codings undone, and its limit', async () => {
    const server = await startBodyServer({
      plan: { raw: 'only' },
      limits: { body: 1000 },
      handle: async (reader, ctx) => ({ length: (await reader.raw(ctx)).length }),
    })
    const headers = { 'Content-Encoding': 'gzip' }
    expect((await server.send({ headers, body: gzipSync('a'.repeat(1000)) })).body).toEqual({ length: 1000 })
    expect((await server.send({ headers, body: gzipSync('a'.repeat(1001)) })).status).toBe(413)
    expect((await server.send({ body: 'a'.repeat(1001) })).status).toBe(413)
  })

  it('that fails unheard is no unhandled rejection', async () => {
    const server = await startBodyServer({
      plan: { raw: 'also' },
      limits: { body: 10 },
      handle: (reader, ctx) => {
        void reader.raw(ctx)
        throw new HttpError(403)
      },
    })
    expect((await server.send({ headers: jsonType, body: '"01234567890"' })).status).toBe(403)
    await new Promise((resolve) => setImmediate(resolve))
    expect(unhandled).toEqual([])
  })
})

describe('a body that middleware in front has read', () => {
  const reading =
    (use: (text: string) => object): Middleware =>
    async (ctx, next) => {
      const chunks: Buffer[] = []
      for await (const chunk of ctx.req.iterator({ destroyOnReturn: false })) chunks.push(chunk as Buffer)
      Object.assign(ctx.request, use(Buffer.concat(chunks).toString()))
      await next()
    }

  it('is taken as it was decoded', async () => {
    const server = await startBodyServer({ before: reading((text) => ({ body: JSON.parse(text) as unknown })) })
    const answer = await server.send({ headers: jsonType, body: '{"a":1}' })
    expect(answer.body).toMatchObject({ value: { a: 1 }, text: false, empty: false, mediaType: 'application/json' })
  })

  it.each([
    ['application/x-www-form-urlencoded', 'a=1', { a: '1' }, { a: '1' }],
    ['application/xml', '<a><b>1</b></a>', '<a><b>1</b></a>', { b: '1' }],
  ])('is text where it was: %s', async (type, body, earlier, value) => {
    const server = await startBodyServer({ before: reading(() => ({ body: earlier })) })
    const answer = await server.send({ headers: { 'Content-Type': type }, body })
    expect(answer.body).toMatchObject({ value, text: true })
  })

  it('is bounded all the same', async () => {
    const server = await startBodyServer({ before: reading((text) => ({ body: JSON.parse(text) as unknown })) })
    const answer = await server.send({ headers: jsonType, body: `${'['.repeat(100)}${']'.repeat(100)}` })
    expect(answer.body.code).toBe('limit')
  })

  it('has its bytes in rawBody', async () => {
    const server = await startBodyServer({
      before: reading((text) => ({ body: {}, rawBody: text })),
      plan: { raw: 'also' },
      handle: async (reader, ctx) => ({
        raw: (await reader.raw(ctx)).toString(),
        value: (await decodedBy(reader, ctx)).value,
      }),
    })
    const answer = await server.send({ headers: jsonType, body: '{"a":1}' })
    expect(answer.body).toEqual({ raw: '{"a":1}', value: { a: 1 } })
  })

  it.each(['also', 'no'] as const)('is 500 and does not hang where nothing of it is left: raw %s', async (raw) => {
    const server = await startBodyServer({ before: reading(() => ({})), plan: { raw } })
    const answer = await server.send({ headers: jsonType, body: '{"a":1}' })
    expect(answer.status).toBe(500)
    expect(answer.body.message).toContain('was read by middleware')
  })

  it('is no {} where there was none', async () => {
    const server = await startBodyServer({ before: reading(() => ({ body: {} })) })
    expect((await server.send({ headers: jsonType })).body.code).toBe('required')
  })

  it('that left the stream alone is read', async () => {
    const before: Middleware = (ctx, next) => {
      Object.assign(ctx.request, { body: {} })
      return next()
    }
    const server = await startBodyServer({ before })
    expect((await server.send({ headers: jsonType, body: '{"a":1}' })).body.value).toEqual({ a: 1 })
  })
})
