import fc from 'fast-check'
import { Body, createApp, Get, HttpError, NotFound, Param, Post, Query, Resource, Status } from 'kumu'
import {
  BadRequestError,
  ClientError,
  createClient,
  DecodeError,
  NetworkError,
  NotFoundError,
  ResponseError,
  ServerError,
  UnprocessableError,
} from 'kumu/client'
import { IsInt, IsString } from 'class-validator'
import { createServer } from 'node:net'
import { closeAll, serve } from '../support/serve'
import { failureOf, record, sendJson } from './support/server'

afterEach(closeAll)

const echo = () =>
  record(({ method, url, headers, body }, response) =>
    sendJson(response, { method, url, type: headers['content-type'] ?? null, body }),
  )

describe('createClient(address)', () => {
  it.each([
    ['', '/x', '/x'],
    ['/', 'x', '/x'],
    ['/api', '/x', '/api/x'],
    ['/api/', 'x/y', '/api/x/y'],
    ['/api//', '//x', '/api/x'],
    ['/api', '', '/api'],
    ['/api', '?a=1', '/api?a=1'],
    ['/api', '/x?a=1', '/api/x?a=1'],
    ['/api', 'https://elsewhere.example/x', '/api/https://elsewhere.example/x'],
    ['/api', '//elsewhere.example/x', '/api/elsewhere.example/x'],
  ])('joins %j and %j to %j', async (base, path, expected) => {
    const { url } = await echo()
    expect(await createClient(url + base).request('GET', path)).toMatchObject({ url: expected })
  })

  it.each([
    ['no URL', 'not a URL', /no absolute URL/],
    ['another scheme', 'ftp://host/', /no URL of HTTP/],
    ['credentials', 'http://me:secret@host/', /credentials/],
    ['a query', 'http://host/?a', /query or a fragment/],
    ['a fragment', 'http://host/#a', /query or a fragment/],
  ])('refuses %s', (_, address, message) => {
    expect(() => createClient(address)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringMatching(message) as string }),
    )
    expect(() => createClient(address)).not.toThrow(/secret/)
  })

  it.each([
    [{ timeout: 0 }, /timeout must be positive: 0/],
    [{ timeout: -1 }, /timeout must be positive: -1/],
    [{ timeout: Number.NaN }, /timeout must be positive: NaN/],
    [{ backoff: 0 }, /backoff must be positive: 0/],
    [{ deadline: 0 }, /deadline must be positive: 0/],
    [{ retries: -1 }, /Cannot set and\/or auto-calculate # of retries: -1/],
    [{ retries: 1.5 }, /Cannot set and\/or auto-calculate # of retries: 1.5/],
    [{ retries: () => Number.NaN }, /Cannot set and\/or auto-calculate # of retries: NaN/],
    [{ retries: 31 }, /Cannot set # of retries above 30: 31/],
    [{ retries: () => 31 }, /Cannot set # of retries above 30: 31/],
    [{ token: 'abc\n' }, /token is not of visible ASCII/],
    [{ token: 'a', username: 'b' }, /token excludes username/],
    [{ username: 'a:b' }, /colon/],
    [{ headers: { 'a b': 'c' } }, /header "a b"/],
    [{ headers: { a: 'b\r\nc: d' } }, /header "a"/],
    [{ transport: fetch, tls: {} }, /transport and tls/],
  ])('refuses %j', (options, message) => {
    expect(() => createClient('http://localhost', options as object)).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', message: expect.stringMatching(message) as string }),
    )
  })
})

describe('request(method, path, args)', () => {
  it.each([
    ['GET', { a: 1, b: ['x', true], c: undefined, d: null }, { url: '/x?a=1&b=x&b=true', body: '' }],
    ['get', { q: 'ä & b' }, { method: 'GET', url: '/x?q=%C3%A4+%26+b' }],
    ['GET', undefined, { url: '/x', body: '' }],
    ['GET', {}, { url: '/x' }],
    ['POST', { a: 1 }, { url: '/x', body: '{"a":1}', type: 'application/json' }],
    ['PUT', [1], { body: '[1]', type: 'application/json' }],
    ['PATCH', null, { body: 'null', type: 'application/json' }],
    ['DELETE', { a: 1 }, { method: 'DELETE', url: '/x', body: '{"a":1}', type: 'application/json' }],
    ['DELETE', undefined, { body: '', type: null }],
    ['POST', undefined, { body: '', type: null }],
    ['POST', 'text', { body: '"text"', type: 'application/json' }],
    ['POST', false, { body: 'false' }],
    [
      'POST',
      new URLSearchParams({ a: 'b c' }),
      { body: 'a=b+c', type: 'application/x-www-form-urlencoded;charset=UTF-8' },
    ],
    ['POST', new TextEncoder().encode('bytes'), { body: 'bytes', type: 'application/octet-stream' }],
    ['POST', new TextEncoder().encode('buffer').buffer, { body: 'buffer', type: 'application/octet-stream' }],
    ['POST', new Blob(['blob'], { type: 'image/x' }), { body: 'blob', type: 'image/x' }],
  ])('%s with %j', async (method, args, expected) => {
    const { url } = await echo()
    expect(await createClient(url).request(method, '/x', args)).toMatchObject(expected)
  })

  it('sends streams and async iterables as they come', async () => {
    const { url, seen } = await echo()
    const api = createClient(url)
    const rows = async function* () {
      yield new TextEncoder().encode('one ')
      yield new TextEncoder().encode('two')
    }
    await api.request('POST', '/x', rows())
    await api.request('POST', '/x', new Blob(['three']).stream())
    expect(seen.map(({ body }) => body)).toEqual(['one two', 'three'])
  })

  it.each([
    ['GET', [1], /names with values/],
    ['GET', 'text', /names with values/],
    ['GET', { a: {} }, /"a" is text, a number/],
    ['POST', () => 1, /JSON has no form/],
  ])('%s refuses %p', async (method, args, message) => {
    expect(await failureOf(createClient('http://localhost').request(method, '/x', args))).toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(message) as string,
    })
  })

  it.each([
    ['application/json', '{"a":1}', { a: 1 }],
    ['application/json; charset=utf-8', '"ä"', 'ä'],
    ['application/vnd.x+json', '0', 0],
    ['application/json', '', null],
    [undefined, '', null],
    ['text/plain', 'hello', 'hello'],
    ['text/plain; charset=latin1', Buffer.from([0xe4]), 'ä'],
    ['text/plain; charset=unheard-of', Buffer.from([0xe4]), Uint8Array.of(0xe4)],
    ['application/xml', '<a/>', '<a/>'],
    ['application/x-ndjson', '1\n2\n', '1\n2\n'],
    ['image/x', Buffer.from([0, 255]), Uint8Array.of(0, 255)],
    [undefined, 'x', Uint8Array.of(0x78)],
  ])('gives the value of %s %p', async (type, body, expected) => {
    const { url } = await record((_, response) =>
      response.writeHead(200, type ? { 'Content-Type': type } : {}).end(body),
    )
    expect(await createClient(url).request('GET', '/')).toEqual(expected)
  })

  it('fails where JSON is none', async () => {
    const { url } = await record((_, response) => response.setHeader('Content-Type', 'application/json').end('{"a":'))
    const error = await failureOf(createClient(url).request('GET', '/x', { key: 'secret' }))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error).toMatchObject({ code: 'decode', message: `GET ${url}/x: the answer of 200 is no JSON` })
  })

  it('takes headers over those of the client, and leaves out what is undefined', async () => {
    const { url, seen } = await echo()
    const api = createClient(url, { headers: { 'X-One': '1', 'X-Two': '2' } })
    await api.request('GET', '/', undefined, { headers: { 'x-ONE': 'own', 'X-Two': undefined, 'X-Three': 3 } })
    expect(seen[0]?.headers).toMatchObject({
      'x-one': 'own',
      'x-three': '3',
      accept: expect.stringMatching(/^application\/json,/) as string,
    })
    expect(seen[0]?.headers).not.toHaveProperty('x-two')
  })

  it('sends a query besides a body', async () => {
    const { url } = await echo()
    const answer = await createClient(url).request('PUT', '/x?a=1', { b: 2 }, { query: { ttl: 5 } })
    expect(answer).toMatchObject({ url: '/x?a=1&ttl=5', body: '{"b":2}' })
  })
})

describe('get(path, { path, query, headers, body })', () => {
  it('fills the path', async () => {
    const { url } = await echo()
    const api = createClient(`${url}/api`)
    const sent = async (name: unknown) => (await api.get<{ url: string }>('/fruits/{name}', { path: { name } })).url
    expect(await sent('apple')).toBe('/api/fruits/apple')
    expect(await sent('a/b?c#d%2e ä')).toBe('/api/fruits/a%2Fb%3Fc%23d%252e%20%C3%A4')
    expect(await sent(7)).toBe('/api/fruits/7')
    expect(await sent(['a', 'b/c'])).toBe('/api/fruits/a/b%2Fc')
  })

  it.each([
    [{}, /needs a value for \{name\}/],
    [{ name: '' }, /\{name\} of the path is empty/],
    [{ name: '.' }, /dot segment/],
    [{ name: '..' }, /dot segment/],
    [{ name: ['a', '..'] }, /dot segment/],
    [{ name: {} }, /"name" is text/],
    [Object.create({ name: 'inherited' }) as object, /needs a value/],
  ])('refuses %j', async (path, message) => {
    const api = createClient('http://localhost')
    expect(await failureOf(api.delete('/fruits/{name}', { path }))).toMatchObject({
      name: 'TypeError',
      message: expect.stringMatching(message) as string,
    })
  })

  it('gives any value to the server as it is', async () => {
    const { url } = await record(({ url: target }, response) => sendJson(response, target))
    const api = createClient(url)
    const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((each) => each !== '.' && each !== '..')
    await fc.assert(
      fc.asyncProperty(text, fc.string({ unit: 'grapheme' }), async (name, value) => {
        const target = new URL(await api.get<string>('/{name}/end', { path: { name }, query: { value } }), url)
        expect(decodeURIComponent(target.pathname)).toBe(`/${name}/end`)
        expect(target.searchParams.get('value')).toBe(value)
      }),
      { numRuns: 100 },
    )
  })

  it('encodes a body as its type says', async () => {
    const { url, seen } = await echo()
    const api = createClient(url)
    await api.patch('/x', { body: { a: null }, type: 'application/merge-patch+json' })
    await api.post('/x', { body: 'text', type: 'text/plain' })
    await api.post('/x', { body: { a: ['1', 2], b: undefined }, type: 'application/x-www-form-urlencoded' })
    await api.post('/x', {
      body: { a: 1, file: new Blob(['content'], { type: 'text/x' }) },
      type: 'multipart/form-data',
    })
    expect(seen.map(({ body }) => body).slice(0, 3)).toEqual(['{"a":null}', 'text', 'a=1&a=2'])
    expect(seen[3]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/)
    expect(seen[3]?.body).toMatch(/name="file"; filename="blob"\r\nContent-Type: text\/x\r\n\r\ncontent\r\n/)
    const refused = await failureOf(api.post('/x', { body: { a: 1 }, type: 'image/x' }))
    expect(refused.message).toBe('A body of image/x is text, bytes, a blob or a stream, not a value of type object')
  })

  it('head gives the headers, full the whole answer', async () => {
    const { url } = await record(({ method }, response) =>
      method === 'HEAD'
        ? response.setHeader('X-Total', '3').end()
        : sendJson(response, { error: 'no' }, 409, { 'X-A': 'b' }),
    )
    const api = createClient(url)
    expect((await api.head('/x')).get('x-total')).toBe('3')
    const answer = await api.full.get('/x')
    expect(answer).toMatchObject({ status: 409, ok: false, body: { error: 'no' } })
    expect(answer.headers.get('x-a')).toBe('b')
    expect(await api.full.head('/x')).toMatchObject({ status: 200, ok: true, body: null })
  })
})

class Fruit {
  @IsString() name!: string
  @IsInt() amount!: number
}

@Resource('/fruits')
class Fruits {
  @Get('/:name') one(@Param('name') name: string) {
    if (name !== 'apple') throw new NotFound(`There is no ${name}`, { code: 'no-fruit' })
    return { name, amount: 3 }
  }
  @Get() find(@Query('amount', { type: Number }) amount: number) {
    return [amount]
  }
  @Post() @Status(201) add(@Body() fruit: Fruit) {
    return fruit
  }
  @Get('/boom') boom() {
    throw new HttpError(503, 'Later')
  }
}

describe('the error of an answer', () => {
  const start = async () => createClient((await serve(createApp({ resources: [Fruits] }))).url, { retries: 0 })

  it('carries the problem that the server told', async () => {
    const api = await start()
    expect(await api.get('/fruits/apple')).toEqual({ name: 'apple', amount: 3 })
    const error = (await failureOf(api.get('/fruits/pear', { query: {} }))) as unknown as NotFoundError
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toBeInstanceOf(ResponseError)
    expect(error).toBeInstanceOf(ClientError)
    expect(error.message).toBe(`GET ${api.address}/fruits/pear: 404 There is no pear`)
    expect(error).toMatchObject({
      name: 'NotFoundError',
      code: 'status',
      status: 404,
      problem: {
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'There is no pear',
        code: 'no-fruit',
        instance: '/fruits/pear',
      },
      request: { method: 'GET', url: `${api.address}/fruits/pear` },
    })
    expect(error.headers.get('content-type')).toBe('application/problem+json')
  })

  it.each([
    ['GET', '/fruits', { amount: 'many' }, BadRequestError, [{ in: 'query', pointer: '/amount', code: 'type' }]],
    [
      'POST',
      '/fruits',
      { name: 1, amount: 2 },
      UnprocessableError,
      [{ in: 'body', pointer: '/name', code: 'isString' }],
    ],
    ['GET', '/fruits/boom', undefined, ServerError, undefined],
  ])('%s %s %j is of its class', async (method, path, args, Class, errors) => {
    const api = await start()
    const error = await failureOf(api.request(method, path, args))
    expect(error).toBeInstanceOf(Class)
    if (errors) expect(error['problem']).toMatchObject({ errors })
  })

  it.each([
    ['text/plain', 'teapot', { body: 'teapot' }],
    ['application/json', '{"error":"x"}', { body: { error: 'x' } }],
    ['application/json', '{"error', { body: '{"error' }],
    ['application/problem+json', '"text"', { body: 'text' }],
    [
      'application/problem+json',
      '{"title":7,"status":200,"detail":"d","more":1}',
      { problem: { title: "I'm a Teapot", status: 418, detail: 'd', more: 1 } },
    ],
  ])('of %s %s has a problem all the same', async (type, body, expected) => {
    const { url } = await record((_, response) => response.writeHead(418, { 'Content-Type': type }).end(body))
    const error = await failureOf(createClient(url).get('/'))
    expect(error).toMatchObject({
      status: 418,
      problem: { type: 'about:blank', title: "I'm a Teapot", status: 418 },
      ...expected,
    })
  })

  it('shows neither query nor credentials', async () => {
    const { url } = await record((_, response) => response.writeHead(400).end())
    const error = await failureOf(createClient(url, { token: 'topsecret' }).get('/x', { query: { key: 'topsecret' } }))
    expect(error.message).not.toMatch(/topsecret/)
    expect(JSON.stringify({ ...error, request: { ...(error['request'] as object), url: '' } })).not.toMatch(/topsecret/)
  })

  it('is no answer of a server that calls another one', async () => {
    const api = await start()
    @Resource('/relay')
    class Relay {
      @Get() relay() {
        return api.get('/fruits/pear')
      }
    }
    const relay = await serve(createApp({ resources: [Relay], logger: { error: () => undefined } }))
    const { status, text } = await relay.ask('GET', '/relay')
    expect(status).toBe(500)
    expect(text).not.toMatch(/pear/)
  })
})

describe('a fault of the network', () => {
  const gone = async (): Promise<string> => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    return `http://127.0.0.1:${port}`
  }

  it('is a NetworkError with its cause', async () => {
    const error = await failureOf(createClient(await gone(), { retries: 0 }).get('/x', { query: { a: 'secret' } }))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ code: 'network', transient: true, cause: { message: 'fetch failed' } })
    expect(error['status']).toBeUndefined()
    expect(error.message).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/x: connect ECONNREFUSED/)
  })

  it('is one where the answer breaks off', async () => {
    const { url } = await record((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' })
      response.write('{"a"', () => response.destroy())
    })
    const error = await failureOf(createClient(url, { retries: 0 }).get('/x'))
    expect(error).toBeInstanceOf(NetworkError)
  })

  it('is not what a mistake in a layer is', async () => {
    const mistake = new TypeError('x is not a function')
    const wrap = () => () => Promise.reject(mistake)
    expect(await failureOf(createClient('http://localhost', { wrap }).get('/'))).toBe(mistake)
  })
})
