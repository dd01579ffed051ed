import { Exclude, Expose, Transform } from 'class-transformer'
import { Readable } from 'node:stream'
import {
  Context,
  createApp,
  definePlan,
  Get,
  OnNull,
  Post,
  Produces,
  Redirect,
  reply,
  Resource,
  ResponseHeader,
  slice,
  Status,
  withETag,
  type Codec,
  type PlanInit,
} from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

type Options = Parameters<typeof createApp>[0]

/** An application of one operation that returns what it is told. */
function answering(call: () => unknown, plan: Partial<PlanInit> = {}, options: Options = {}): Promise<Served> {
  const plans = [definePlan({ id: 'it', method: 'GET', path: '/', ...plan, call })]
  return serve(createApp({ logger: { error: () => undefined }, ...options, plans }))
}

async function* numbers() {
  yield 1
  yield { two: 2 }
}

function* counting() {
  yield 1
  yield 2
}

class Account {
  id = 7
  @Exclude() password = 'hunter2'
  @Expose({ name: 'mail' }) email = 'ann@example.org'
  @Transform(({ value }: { value: Date }) => value.getUTCFullYear()) since = new Date(Date.UTC(2020, 5, 1))
}

const shown = { id: 7, mail: 'ann@example.org', since: 2020 }
const json = 'application/json; charset=utf-8'
const text = 'text/plain; charset=utf-8'
const bytes = 'application/octet-stream'

type Row = readonly [name: string, value: () => unknown, status: number, type: string | undefined, body: string]

const rows: readonly Row[] = [
  ['an object', () => ({ a: 1 }), 200, json, '{"a":1}'],
  ['an empty object', () => ({}), 200, json, '{}'],
  ['an array', () => [1, 'two', null], 200, json, '[1,"two",null]'],
  ['an empty array', () => [], 200, json, '[]'],
  ['a promise', async () => ({ a: 1 }), 200, json, '{"a":1}'],
  ['a number', () => 42, 200, json, '42'],
  ['zero', () => 0, 200, json, '0'],
  ['NaN', () => Number.NaN, 200, json, 'null'],
  ['true', () => true, 200, json, 'true'],
  ['false', () => false, 200, json, 'false'],
  ['a bigint', () => 2n ** 70n, 200, json, '"1180591620717411303424"'],
  ['undefined', () => undefined, 204, undefined, ''],
  ['a string', () => 'Grüß Gott', 200, text, 'Grüß Gott'],
  ['an empty string', () => '', 200, text, ''],
  ['a string like HTML', () => '<b>bold</b>', 200, text, '<b>bold</b>'],
  ['a Buffer', () => Buffer.from('bytes'), 200, bytes, 'bytes'],
  ['an empty Buffer', () => Buffer.alloc(0), 200, bytes, ''],
  ['a typed array', () => new Uint8Array([104, 105]), 200, bytes, 'hi'],
  ['a view of a part', () => new Uint16Array(new Uint8Array([0, 0, 104, 105, 0, 0]).buffer, 2, 1), 200, bytes, 'hi'],
  ['a DataView', () => new DataView(new Uint8Array([104, 105]).buffer), 200, bytes, 'hi'],
  ['an ArrayBuffer', () => new Uint8Array([104, 105]).buffer, 200, bytes, 'hi'],
  ['a SharedArrayBuffer', () => new SharedArrayBuffer(2), 200, bytes, '\0\0'],
  ['a Readable', () => Readable.from(['a', 'b'], { objectMode: false }), 200, bytes, 'ab'],
  ['a Readable of texts', () => Readable.from(['a', 'b']), 200, bytes, 'ab'],
  ['an empty Readable', () => Readable.from([]), 200, bytes, ''],
  ['a web stream', () => new Blob(['web']).stream(), 200, bytes, 'web'],
  ['a Blob', () => new Blob(['blob']), 200, bytes, 'blob'],
  ['a Blob with a type', () => new Blob(['{}'], { type: 'image/x-own' }), 200, 'image/x-own', '{}'],
  ['an async generator', numbers, 200, 'application/x-ndjson', '1\n{"two":2}\n'],
  ['a generator', counting, 200, json, '[1,2]'],
  ['an iterator of a map', () => new Map([['a', 1]]).entries(), 200, json, '[["a",1]]'],
  [
    'a Map',
    () =>
      new Map<unknown, unknown>([
        ['a', 1],
        [2, new Set(['b'])],
      ]),
    200,
    json,
    '{"2":["b"],"a":1}',
  ],
  ['a Set', () => new Set([1, { a: 2n }]), 200, json, '[1,{"a":"2"}]'],
  ['a Date', () => new Date(0), 200, json, '"1970-01-01T00:00:00.000Z"'],
  ['an invalid Date', () => new Date('never'), 200, json, 'null'],
  ['a URL', () => new URL('http://a.example/b?c#d'), 200, json, '"http://a.example/b?c#d"'],
  ['URLSearchParams', () => new URLSearchParams('a=1&b=2'), 200, json, '"a=1&b=2"'],
  ['a RegExp', () => /a"b/gi, 200, json, '"/a\\"b/gi"'],
  ['an Error', () => new TypeError('no such thing'), 200, json, '{"name":"TypeError","message":"no such thing"}'],
  ['a boxed text', () => Object('text') as unknown, 200, json, '"text"'],
  ['a symbol', () => Symbol('s'), 200, json, 'null'],
  ['a function', () => () => 1, 200, json, 'null'],
  ['an object without prototype', () => Object.assign(Object.create(null) as object, { a: 1 }), 200, json, '{"a":1}'],
  [
    'a key named __proto__',
    () => JSON.parse('{"__proto__":{"x":1n}}'.replace('1n', '1')) as unknown,
    200,
    json,
    '{"__proto__":{"x":1}}',
  ],
  ['what has toJSON', () => ({ toJSON: () => ({ mine: true }) }), 200, json, '{"mine":true}'],
  ['an instance', () => new Account(), 200, json, JSON.stringify(shown)],
  ['instances in an array', () => [new Account()], 200, json, JSON.stringify([shown])],
  ['instances in a Map', () => new Map([['ann', new Account()]]), 200, json, JSON.stringify({ ann: shown })],
  ['instances in a reply', () => reply(200, { data: [new Account()] }), 200, json, JSON.stringify({ data: [shown] })],
  ['an instance with a tag', () => withETag(new Account(), '1'), 200, json, JSON.stringify(shown)],
  ['a slice without @Paged', () => slice([new Account()], 12), 200, json, JSON.stringify([shown])],
  ['a reply without body', () => reply(202), 202, undefined, ''],
  ['a reply of null', () => reply(200, null), 200, json, 'null'],
  ['a reply of a text', () => reply(201, 'made'), 201, text, 'made'],
  ['a reply of bytes', () => reply(203, Buffer.from('x'), { 'Content-Type': 'image/png' }), 203, 'image/png', 'x'],
  ['a reply of a stream', () => reply(200, Readable.from(['x']), { 'Content-Type': 'text/css' }), 200, 'text/css', 'x'],
  ['a reply of a generator', () => reply(200, numbers()), 200, 'application/x-ndjson', '1\n{"two":2}\n'],
  ['a reply with a status of errors', () => reply(418, { tea: true }), 418, json, '{"tea":true}'],
  ['a reply of a reply with a tag', () => reply(201, withETag({ a: 1 }, '1')), 201, json, '{"a":1}'],
]

describe('what a handler returns', () => {
  it.each(rows)('%s', async (_name, value, status, type, body) => {
    const { ask } = await answering(value)
    const answer = await ask('GET', '/')
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([status, type, body])
  })

  it.each(rows)('HEAD: %s', async (_name, value, status, type) => {
    const { ask } = await answering(value)
    const [get, head] = [await ask('GET', '/'), await ask('HEAD', '/')]
    expect([head.status, head.headers['content-type'], head.bytes.length]).toEqual([status, type, 0])
    const { date: _a, connection: _b, 'transfer-encoding': _c, 'keep-alive': _d, ...headers } = get.headers
    // RFC 9110 §9.3.2: what only the writing of the body shows may be left out.
    if (headers['content-length'] === '0') delete headers['content-length']
    expect(head.headers).toMatchObject(headers)
  })
})

describe('null', () => {
  it.each([
    ['GET', 404],
    ['PUT', 204],
    ['POST', 204],
    ['PATCH', 204],
    ['DELETE', 204],
  ] as const)('%s is %i', async (method, status) => {
    const { ask } = await answering(() => null, { method })
    expect((await ask(method, '/')).status).toBe(status)
  })

  it('@OnNull changes it', async () => {
    @Resource('/null')
    class Nulls {
      @Get('/empty') @OnNull(204) empty(): null {
        return null
      }
      @Get('/word') @OnNull(200) word(): null {
        return null
      }
      @Post('/gone') @OnNull(404) gone(): null {
        return null
      }
      @Post('/made') @Status(201) made(): null {
        return null
      }
      @Post('/nothing') @Status(202) nothing(): void {}
    }
    const { ask } = await serve(createApp({ resources: [Nulls] }))
    expect((await ask('GET', '/null/empty')).status).toBe(204)
    expect(await ask('GET', '/null/word')).toMatchObject({ status: 200, text: 'null' })
    expect((await ask('POST', '/null/gone')).json()).toMatchObject({ status: 404 })
    expect((await ask('POST', '/null/made')).status).toBe(201)
    expect(await ask('POST', '/null/nothing')).toMatchObject({ status: 202, text: '' })
  })
})

describe('the status and headers of a route', () => {
  @Resource('/things')
  @ResponseHeader('Cache-Control', 'no-store')
  class Things {
    @Get('/status') @Status(203) status() {
      return { a: 1 }
    }
    @Get('/empty') @Status(204) empty() {
      return { never: 'sent' }
    }
    @Get('/head') @ResponseHeader('X-Own', 'a') @ResponseHeader('Link', '</b>; rel="next"') head() {
      return reply(200, [], { 'Cache-Control': 'max-age=1' })
    }
    @Get('/moved') @Redirect('/elsewhere', 308) moved(): void {}
    @Get('/found') @Redirect('/elsewhere') found() {
      return '/better'
    }
    @Get('/image') @Produces('image/png') image() {
      return Buffer.from('png')
    }
    @Get('/html') @Produces('text/html') html() {
      return '<p>hi</p>'
    }
    @Get('/quoted') @Produces('application/json') quoted() {
      return 'a "text"'
    }
    @Get('/json') @Produces('application/vnd.own+json') own() {
      return { a: 1 }
    }
    @Get('/broken') broken() {
      return reply(200, 'x', { 'X-Broken': 'a\r\nSet-Cookie: b=c' })
    }
  }

  it('a Blob says how long it is', async () => {
    const { ask } = await answering(() => new Blob(['four']))
    expect((await ask('HEAD', '/')).headers['content-length']).toBe('4')
  })

  it.each([
    ['/status', 203, { 'cache-control': 'no-store' }, '{"a":1}'],
    ['/empty', 204, {}, ''],
    ['/head', 200, { 'x-own': 'a', link: '</b>; rel="next"', 'cache-control': 'max-age=1' }, '[]'],
    ['/moved', 308, { location: '/elsewhere' }, ''],
    ['/found', 302, { location: '/better' }, ''],
    ['/image', 200, { 'content-type': 'image/png' }, 'png'],
    ['/html', 200, { 'content-type': 'text/html; charset=utf-8' }, '<p>hi</p>'],
    ['/quoted', 200, { 'content-type': json }, '"a \\"text\\""'],
    ['/json', 200, { 'content-type': 'application/vnd.own+json; charset=utf-8' }, '{"a":1}'],
  ])('%s', async (path, status, headers, body) => {
    const { ask } = await serve(createApp({ resources: [Things] }))
    const answer = await ask('GET', `/things${path}`)
    expect([answer.status, answer.text]).toEqual([status, body])
    expect(answer.headers).toMatchObject(headers)
  })

  it('a line break in a header is a failure of ours, and splits nothing', async () => {
    const { ask } = await serve(createApp({ resources: [Things], logger: { error: () => undefined } }))
    const answer = await ask('GET', '/things/broken')
    expect(answer.status).toBe(500)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })
})

describe('withETag(value, rev, modified?)', () => {
  const modified = new Date('2024-05-06T07:08:09.500Z')
  const tagged = (method = 'GET') => answering(() => withETag({ a: 1 }, '7', modified), { method })

  it.each([
    [{}, 200],
    [{ 'If-None-Match': '"7"' }, 304],
    [{ 'If-None-Match': 'W/"7"' }, 304],
    [{ 'If-None-Match': '*' }, 304],
    [{ 'If-None-Match': '"6", "7"' }, 304],
    [{ 'If-None-Match': '"6"' }, 200],
    [{ 'If-None-Match': '7' }, 200],
    [{ 'If-None-Match': '"6"', 'If-Modified-Since': 'Mon, 06 May 2024 07:08:09 GMT' }, 200],
    [{ 'If-Modified-Since': 'Mon, 06 May 2024 07:08:09 GMT' }, 304],
    [{ 'If-Modified-Since': 'Mon, 06 May 2024 07:08:08 GMT' }, 200],
    [{ 'If-Modified-Since': 'yesterday' }, 200],
    [{ 'If-Match': '"7"' }, 200],
    [{ 'If-Match': '*' }, 200],
    [{ 'If-Match': '"6"' }, 412],
    [{ 'If-Match': 'W/"7"' }, 412],
    [{ 'If-Match': 'garbage' }, 412],
    [{ 'If-Unmodified-Since': 'Mon, 06 May 2024 07:08:08 GMT' }, 412],
    [{ 'If-Unmodified-Since': 'Mon, 06 May 2024 07:08:09 GMT' }, 200],
  ])('GET with %j is %i', async (headers: Record<string, string>, status) => {
    const { ask } = await tagged()
    const [answer, head] = [await ask('GET', '/', { headers }), await ask('HEAD', '/', { headers })]
    expect([answer.status, head.status]).toEqual([status, status])
    expect(answer.headers.etag).toBe('"7"')
    if (status === 412) expect(answer.json()).toMatchObject({ status: 412 })
    else expect(answer.headers['last-modified']).toBe('Mon, 06 May 2024 07:08:09 GMT')
    if (status === 304) expect([answer.text, answer.headers['content-type']]).toEqual(['', undefined])
    expect(answer.headers.vary).toContain('Accept')
  })

  it('has one tag for every representation', async () => {
    const { ask } = await tagged()
    const tags = await Promise.all(
      ['application/json', 'application/xml', 'text/xml'].map(
        async (Accept) => (await ask('GET', '/', { headers: { Accept } })).headers.etag,
      ),
    )
    expect(tags).toEqual(['"7"', '"7"', '"7"'])
  })

  it.each([
    ['a"b\\c', '"a%22b%5cc"'],
    ['line\r\nbreak', '"line%0d%0abreak"'],
    ['ünï', '"%fcn%ef"'],
    ['', '""'],
  ])('the revision %j goes out as %s', async (rev, etag) => {
    const { ask } = await answering(() => withETag('x', rev))
    const answer = await ask('GET', '/')
    expect([answer.status, answer.headers.etag]).toEqual([200, etag])
    expect((await ask('GET', '/', { headers: { 'If-None-Match': etag } })).status).toBe(304)
  })

  it('a write is answered with the new tag, and its conditions are the handler’s', async () => {
    const { ask } = await tagged('PUT')
    const answer = await ask('PUT', '/', { headers: { 'If-None-Match': '"7"' } })
    expect([answer.status, answer.headers.etag]).toEqual([200, '"7"'])
  })

  it.each([
    ['text', 'text', 'text/plain; charset=utf-8'],
    ['bytes', Buffer.from('text'), bytes],
  ])('tags %s as well', async (_name, value, type) => {
    const { ask } = await answering(() => withETag(value, '1'))
    expect(await ask('GET', '/')).toMatchObject({
      status: 200,
      text: 'text',
      headers: { etag: '"1"', 'content-type': type },
    })
  })

  it('nothing with a tag is 204 with the tag', async () => {
    const { ask } = await answering(() => withETag(undefined, '1'), { method: 'PUT' })
    const answer = await ask('PUT', '/')
    expect([answer.status, answer.headers.etag, answer.text]).toEqual([204, '"1"', ''])
  })
})

describe("envelope: 'urest'", () => {
  const wrapped = (call: () => unknown) => answering(call, {}, { envelope: 'urest' })

  it.each([
    ['an object', () => ({ a: 1 }), '{"success":true,"result":{"a":1}}'],
    ['an array', () => [new Account()], `{"success":true,"result":[${JSON.stringify(shown)}]}`],
    ['a text', () => 'hello', '{"success":true,"result":"hello"}'],
    ['a number', () => 0, '{"success":true,"result":0}'],
    ['a reply', () => reply(201, { a: 1 }), '{"success":true,"result":{"a":1}}'],
    ['a tagged value', () => withETag({ a: 1 }, '1'), '{"success":true,"result":{"a":1}}'],
  ])('wraps %s', async (_name, call, body) => {
    const { ask } = await wrapped(call)
    expect((await ask('GET', '/')).text).toBe(body)
  })

  it('wraps in XML too', async () => {
    const { ask } = await wrapped(() => ({ a: 1 }))
    const answer = await ask('GET', '/', { headers: { Accept: 'application/xml' } })
    expect(answer.text).toContain('<success>true</success><result><a>1</a></result>')
  })

  it.each([
    ['bytes', () => Buffer.from('x'), 'x'],
    ['nothing', () => undefined, ''],
    ['a stream of lines', numbers, '1\n{"two":2}\n'],
  ])('leaves %s alone', async (_name, call, body) => {
    const { ask } = await wrapped(call)
    expect((await ask('GET', '/')).text).toBe(body)
  })

  it('wraps failures as exceptions', async () => {
    const { ask } = await answering(() => null, {}, { envelope: 'urest' })
    const answer = await ask('GET', '/')
    expect([answer.status, answer.json()]).toEqual([404, { success: false, exception: 'NoSuchResource: Not Found' }])
  })
})

describe('codecs', () => {
  const csv: Codec = {
    type: 'text/csv',
    encode: (value) =>
      (value as Array<Record<string, unknown>>).map((row) => `${Object.values(row).join(',')}\r\n`).join(''),
  }

  it('one more media type, offered before the built-in ones', async () => {
    const { ask } = await answering(() => [{ a: 1, b: new Date(0) }], {}, { codecs: [csv] })
    expect(await ask('GET', '/', { headers: { Accept: 'text/csv' } })).toMatchObject({
      status: 200,
      text: '1,1970-01-01T00:00:00.000Z\r\n',
      headers: { 'content-type': 'text/csv; charset=utf-8', vary: 'Accept' },
    })
    expect((await ask('GET', '/', { headers: { Accept: 'application/json' } })).headers['content-type']).toBe(json)
  })

  it('replaces a built-in one of the same type', async () => {
    const own: Codec = { type: 'application/json', encode: (value) => Buffer.from(JSON.stringify({ own: value })) }
    const { ask } = await answering(() => ({ a: 1 }), {}, { codecs: [own] })
    expect(await ask('GET', '/')).toMatchObject({ text: '{"own":{"a":1}}', headers: { 'content-length': '15' } })
  })

  it('one that fails is a 500 that tells nothing', async () => {
    const broken: Codec = {
      type: 'application/json',
      encode() {
        throw new Error('hunter2')
      },
    }
    const { ask } = await answering(() => ({ a: 1 }), {}, { codecs: [broken] })
    const answer = await ask('GET', '/')
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('hunter2')
  })
})

it('what a handler writes to the context by itself stands', async () => {
  @Resource('/own')
  class Own {
    @Get() write(@Context() ctx: Context): void {
      ctx.body = 'mine'
      ctx.status = 203
    }
    @Get('/empty') empty(@Context() ctx: Context): void {
      ctx.set('X-Own', 'set')
    }
  }
  const { ask } = await serve(createApp({ resources: [Own] }))
  expect(await ask('GET', '/own')).toMatchObject({ status: 203, text: 'mine' })
  expect(await ask('GET', '/own/empty')).toMatchObject({ status: 204, headers: { 'x-own': 'set' } })
})

it('what contains itself is a 500 and crashes nothing', async () => {
  const loop: Record<string, unknown> = { list: [] }
  ;(loop.list as unknown[]).push(loop)
  const { ask } = await answering(() => loop)
  expect((await ask('GET', '/')).status).toBe(500)
  expect((await ask('GET', '/')).status).toBe(500)
})
