import { Readable } from 'node:stream'
import type Koa from 'koa'
import {
  accepted,
  Context,
  Conflict,
  createApp,
  created,
  event,
  file,
  Get,
  Gone,
  noContent,
  OnNull,
  Produces,
  Redirect,
  reply,
  Resource,
  ResponseHeader,
  seeOther,
  ServiceUnavailable,
  slice,
  Status,
  Unauthorized,
  Use,
  withETag,
  type AppOptions,
} from 'kumu'
import { closeAll, serve } from '../support/serve'
import { listenTo } from './apps'
import { askRaw, type RawAnswer, type RawAsk } from './raw'

afterEach(closeAll)

/** A handler, and what stands over it. */
type Row = readonly [name: string, answer: (ctx: Context) => unknown, ...declared: MethodDecorator[]]

const day = new Date(Date.UTC(2024, 1, 29, 12))

function loop(): unknown {
  const list: unknown[] = []
  list.push(list)
  return list
}

async function* rows() {
  yield { n: 1 }
  yield await Promise.resolve({ n: 2 })
}

/** What handlers return. */
const values: readonly Row[] = [
  ['an object', () => ({ id: 1, name: 'Zoë' })],
  [
    'a class',
    () =>
      new (class Point {
        x = 1
      })(),
  ],
  ['an array', () => [{ a: 1 }, null]],
  ['an empty array', () => []],
  ['a large array', () => Array.from({ length: 5000 }, (_none, id) => ({ id, name: `row ${id}` }))],
  ['a text', () => 'Grüße'],
  ['no text', () => ''],
  ['a text of a declared type', () => '<p>', Produces('text/html')],
  ['a number', () => 42],
  ['false', () => false],
  ['a date', () => day],
  ['a map', () => new Map([['a', 1]])],
  ['a buffer', () => Buffer.from([0, 1, 255])],
  ['no bytes', () => Buffer.alloc(0)],
  ['a typed array', () => new Uint16Array([1, 2])],
  ['an array buffer', () => new Uint8Array([9, 8]).buffer],
  ['a blob', () => new Blob(['a,b'], { type: 'text/csv' })],
  ['a stream', () => Readable.from([Buffer.from('one'), Buffer.from('two')])],
  ['a web stream', () => new Blob(['web']).stream()],
  [
    'a stream that fails at once',
    () =>
      new Readable({
        read() {
          this.destroy(new Error('broken'))
        },
      }),
  ],
  [
    'a generator',
    function* () {
      yield 1
      yield 2
    },
  ],
  ['values to come', () => rows()],
  [
    'events',
    async function* () {
      yield event({ a: 1 }, { id: '1' })
    },
    Produces('text/event-stream'),
  ],
  ['nothing', () => undefined],
  ['nothing under a status', () => undefined, Status(202)],
  ['null', () => null],
  ['null under a status of its own', () => null, OnNull(200)],
  ['null that is no content', () => null, OnNull(204)],
  ['what is created', () => created({ id: 7 }, '/things/7')],
  ['what is accepted', () => accepted({ job: 1 })],
  ['no content', () => noContent({ 'X-Why': 'gone' })],
  ['another place', () => seeOther('/there')],
  ['a redirection', () => undefined, Redirect('/moved', 308)],
  ['a reply', () => reply(207, { many: true }, { 'X-Own': '1', Link: '<a>; rel=next' })],
  ['a reply without a body', () => reply(418)],
  ['a reply with a type', () => reply(200, 'a,b', { 'Content-Type': 'text/csv' })],
  ['205', () => reply(205)],
  ['a status without content, with some', () => reply(204, { a: 1 }, { 'Content-Type': 'text/x' })],
  ['304 with content', () => reply(304, { a: 1 }, { ETag: '"1"', 'Content-Length': '9' })],
  ['a status without a name', () => reply(299, { a: 1 })],
  ['a reply with cookies', () => reply(200, { a: 1 }, { 'Set-Cookie': ['a=1', 'b=2'] })],
  ['a reply with a list', () => reply(200, { a: 1 }, { 'X-List': ['a', 'b'] })],
  [
    'a reply over a declared header',
    () => reply(200, { a: 1 }, { 'x-own': 'said' }),
    ResponseHeader('X-Own', 'declared'),
  ],
  ['a reply with a header twice', () => reply(200, { a: 1 }, { 'X-Own': '1', 'x-own': '2' })],
  ['a reply with a length of its own', () => reply(200, { a: 1 }, { 'Content-Length': '3' })],
  ['a reply with a length and nothing', () => reply(200, undefined, { 'content-length': '3' })],
  ['a reply in chunks', () => reply(200, { a: 1 }, { 'Transfer-Encoding': 'chunked' })],
  ['a reply with a date', () => reply(200, { a: 1 }, { Date: 'today' })],
  ['a reply that ends the connection', () => reply(200, { a: 1 }, { Connection: 'close' })],
  ['a reply with Vary', () => reply(200, { a: 1 }, { Vary: 'Origin' })],
  ['a reply with the Vary that is there', () => reply(200, { a: 1 }, { Vary: 'accept' })],
  ['a reply with Vary of all', () => reply(200, { a: 1 }, { Vary: '*' })],
  ['a text with Vary', () => reply(200, 'text', { vary: ['Origin', 'Cookie'] })],
  ['a declared Vary', () => ({ a: 1 }), ResponseHeader('Vary', 'Origin')],
  ['a declared type', () => ({ a: 1 }), ResponseHeader('Content-Type', 'text/x')],
  ['a declared link, and another', () => reply(200, { a: 1 }, { Link: '<b>' }), ResponseHeader('Link', '<a>')],
  ['half a character', () => ({ half: '\ud800', whole: '\u00ff' })],
  ['a tagged value', () => withETag({ a: 1 }, 'v1', day)],
  ['a tagged value that the client has', () => withETag({ a: 1 }, 'known', day)],
  ['rows of a slice', () => slice([1, 2], 2)],
  ['a file', () => file(__filename, { type: 'text/plain', filename: 'ü.txt' })],
  ['a file that is not there', () => file(`${__filename}.gone`)],
  ['a status that is declared', () => ({ a: 1 }), Status(201), ResponseHeader('X-Declared', 'yes')],
  [
    'a problem',
    () => {
      throw new Conflict('taken', { headers: { 'Retry-After': '1' } })
    },
  ],
  [
    'a problem with headers',
    () => {
      throw new Conflict('taken', { headers: { Vary: 'Origin', 'Set-Cookie': ['a=1', 'b=2'] } })
    },
  ],
  [
    'a problem with a header that is none',
    () => {
      throw new Conflict('taken', { headers: { 'X-Bad': 'a\nb' } })
    },
  ],
  [
    'a problem of a type of its own',
    () => {
      throw new Conflict('taken', { headers: { 'Content-Type': 'text/x', 'X-Own': '1' } })
    },
  ],
  [
    'a problem that may be kept',
    () => {
      throw new Gone('for ever', { headers: { 'Cache-Control': 'max-age=60' } })
    },
  ],
  [
    'a problem of credentials',
    () => {
      throw new Unauthorized('who', { headers: { 'WWW-Authenticate': 'Basic' } })
    },
  ],
  [
    'a problem that is not ours',
    () => {
      throw new ServiceUnavailable('later', { headers: { 'Retry-After': '9' } })
    },
  ],
  ['an error of Koa', (ctx) => ctx.throw(403, 'no', { headers: { 'X-Error': '1' } })],
  [
    'an error that nobody knows',
    () => {
      throw new Error('hidden')
    },
  ],
  ['no error', () => Promise.reject('text')],
  ['what JSON cannot hold', () => ({ big: 1n })],
  ['what contains itself', () => loop()],
]

/** What handlers do to the context before they return. */
const deeds: readonly Row[] = [
  ['a header', (ctx) => (ctx.set('X-Own', '1'), { a: 1 })],
  ['headers of one name', (ctx) => (ctx.append('X-Own', '1'), ctx.append('X-Own', '2'), { a: 1 })],
  ['a header of Node', (ctx) => (ctx.res.setHeader('x-OWN', ['1', '2']), { a: 1 })],
  ['a header, then nothing', (ctx) => void ctx.set('X-Own', '1')],
  ['a header, then an error', (ctx) => (ctx.set('X-Own', '1'), ctx.throw(400))],
  ['cookies', (ctx) => (ctx.cookies.set('a', '1'), ctx.cookies.set('b', '2'), { a: 1 })],
  ['Vary', (ctx) => (ctx.vary('Origin'), { a: 1 })],
  ['Vary of all', (ctx) => (ctx.set('Vary', '*'), { a: 1 })],
  ['an entity tag', (ctx) => ((ctx.etag = 'x'), (ctx.lastModified = day), { a: 1 })],
  ['a type', (ctx) => ((ctx.type = 'application/hal+json'), { a: 1 })],
  ['a type, then a text', (ctx) => ((ctx.type = 'text/csv'), 'a,b')],
  ['a type, then bytes', (ctx) => ((ctx.type = 'png'), Buffer.from('x'))],
  ['a length', (ctx) => ((ctx.length = 3), { a: 1 })],
  ['a status', (ctx) => ((ctx.status = 202), { a: 1 })],
  ['a status of Node', (ctx) => ((ctx.res.statusCode = 202), { a: 1 })],
  ['a status, then nothing', (ctx) => void (ctx.status = 202)],
  ['a message', (ctx) => ((ctx.message = 'Own'), { a: 1 })],
  ['a message of Node', (ctx) => ((ctx.res.statusMessage = 'Own'), { a: 1 })],
  ['a body, then a value', (ctx) => ((ctx.body = 'dropped'), { a: 1 })],
  ['a body and a status, then nothing', (ctx) => void Object.assign(ctx, { body: 'own', status: 203 })],
  ['an attachment', (ctx) => (ctx.attachment('a.txt'), 'text')],
  ['a redirection', (ctx) => void ctx.redirect('/x')],
  ['the end of the connection', (ctx) => (ctx.set('Connection', 'close'), { a: 1 })],
  ['a date', (ctx) => (ctx.set('Date', 'today'), { a: 1 })],
  ['a length taken away', (ctx) => ((ctx.body = 'x'), ctx.remove('Content-Length'), undefined)],
  ['no answer of Koa', (ctx) => ((ctx.respond = false), ctx.res.end('raw'), { lost: 1 })],
  ['an answer of Node', (ctx) => (ctx.res.writeHead(202).end('raw'), { lost: 1 })],
  [
    'an answer of Node by parts',
    (ctx) => (ctx.res.write('one '), setImmediate(() => ctx.res.end('two')), (ctx.respond = false)),
  ],
]

function appOf([, answer, ...declared]: Row, options: AppOptions, ...use: Koa.Middleware[]): Koa {
  @Resource('/')
  @Use(...use)
  class Answers {
    @Get() get(@Context() ctx: Context) {
      return answer(ctx)
    }
    @Get('/later') async later(@Context() ctx: Context) {
      return answer(ctx)
    }
  }
  for (const name of ['get', 'later']) {
    for (const declare of declared) {
      declare(Answers.prototype, name, Object.getOwnPropertyDescriptor(Answers.prototype, name) as PropertyDescriptor)
    }
  }
  return createApp({ ...options, resources: [Answers] })
}

const asks: readonly RawAsk[] = [
  {},
  { headers: { Accept: 'application/xml;q=0.5, text/html;q=0.1' } },
  { headers: { Accept: 'image/png', 'If-None-Match': '"known"', 'If-Modified-Since': day.toUTCString() } },
]

/** What an application answers, and the messages of what it reports. */
async function all(app: Koa): Promise<readonly [answers: RawAnswer[], reports: string[]]> {
  const heard = listenTo(app)
  const { port } = await serve(app)
  const answers: RawAnswer[] = []
  for (const path of ['/', '/later']) {
    for (const method of ['GET', 'HEAD']) {
      for (const { headers } of asks) {
        // The id of a request is made up where the client gives none.
        answers.push(await askRaw(port, method, path, { headers: { ...headers, 'X-Request-Id': 'known' } }))
      }
    }
  }
  return [answers, heard.map(([error]) => error.message)]
}

const pass: Koa.Middleware = (_ctx, next) => next()
const wait: Koa.Middleware = async (_ctx, next) => {
  await Promise.resolve()
  await next()
}

describe('an answer does not depend on whether there is middleware', () => {
  describe.each<readonly [name: string, options: AppOptions]>([
    ['default', {}],
    ['envelope: urest', { envelope: 'urest' }],
    ['negotiation: lenient, errors: text', { negotiation: 'lenient', errors: { format: 'text' } }],
  ])('%s', (_options, options) => {
    it.each([...values, ...deeds].map((row) => ({ name: row[0], row })))('$name', async ({ row }) => {
      const expected = await all(appOf(row, { ...options, middleware: [pass] }))
      expect(await all(appOf(row, options))).toEqual(expected)
      expect(await all(appOf(row, options, pass))).toEqual(expected)
      expect(await all(appOf(row, { ...options, middleware: [wait] }, wait))).toEqual(expected)
      expect(await all(appOf(row, options).use(pass))).toEqual(expected)
    })
  })
})

describe('a header that is none', () => {
  it.each([
    ['a value', 'X-Bad', 'a\nb', 'Invalid character in header content ["X-Bad"]'],
    ['a name', 'X Bad', 'a', 'Header name must be a valid HTTP token ["X Bad"]'],
  ])('is a 500, and nothing of it is sent: %s', async (_what, name, value, message) => {
    for (const options of [{}, { middleware: [pass] }]) {
      const app = appOf(['', () => reply(200, { a: 1 }, { 'X-Good': '1', [name]: value })], options)
      const heard = listenTo(app)
      const answer = await askRaw((await serve(app)).port, 'GET')
      expect(answer).toMatchObject({ status: 500, message: 'Internal Server Error' })
      expect(JSON.parse(answer.body)).toMatchObject({ status: 500 })
      expect(answer.headers.join()).not.toMatch(/Bad|ETag/)
      expect(heard.map(([error]) => error.message)).toEqual([message])
    }
  })
})

describe('what was sent', () => {
  const answers: ReadonlyArray<
    readonly [name: string, answer: (ctx: Context) => unknown, type: string, length: number]
  > = [
    ['an object', () => ({ a: 1 }), 'application/json', 7],
    ['a text', () => 'Grüße', 'text/plain', 7],
    ['bytes', () => Buffer.from('abc'), 'application/octet-stream', 3],
    ['a body of its own', (ctx) => void (ctx.body = '<p>'), 'text/html', 3],
  ]

  describe.each<readonly [name: string, options: AppOptions]>([
    ['without middleware', {}],
    ['under middleware', { middleware: [pass] }],
  ])('%s', (_where, options) => {
    it.each(answers)(
      '%s can be read when the answer is finished, by the context and by the response',
      async (...row) => {
        const [, answer, type, length] = row
        const seen: unknown[] = []
        const app = appOf(
          [
            '',
            (ctx) => {
              ctx.res.once('finish', () => {
                seen.push(ctx.status, ctx.message, ctx.type, ctx.length, ctx.headerSent)
                seen.push(String(ctx.res.getHeader('Content-Length')))
              })
              return answer(ctx)
            },
          ],
          options,
        )
        await askRaw((await serve(app)).port, 'GET')
        expect(seen).toEqual([200, 'OK', type, length, true, String(length)])
      },
    )
  })
})

describe('what a handler did to the context', () => {
  async function answerOf(answer: (ctx: Context) => unknown, options: AppOptions = {}): Promise<RawAnswer> {
    const app = appOf(['', answer], options)
    listenTo(app)
    return askRaw((await serve(app)).port, 'GET')
  }

  it('stands: headers, cookies, Vary, the type', async () => {
    const answer = await answerOf((ctx) => {
      ctx.set('X-One', '1')
      ctx.append('X-Two', 'a')
      ctx.append('X-Two', 'b')
      ctx.res.setHeader('X-Three', 'node')
      ctx.cookies.set('crumb', 'x')
      ctx.vary('Origin')
      ctx.etag = 'tag'
      ctx.type = 'application/hal+json'
      return { a: 1 }
    })
    expect(answer).toEqual({
      status: 200,
      message: 'OK',
      headers: [
        'Connection: close',
        'Content-Length: 7',
        'Content-Type: application/hal+json',
        'ETag: "tag"',
        'Set-Cookie: crumb=x; path=/; httponly',
        'Vary: Origin, Accept',
        'X-One: 1',
        'X-Three: node',
        'X-Two: a',
        'X-Two: b',
      ],
      body: '{"a":1}',
    })
  })

  it('does not change the status of a value: that is declared, or said by reply()', async () => {
    const set = (ctx: Context) => Object.assign(ctx, { status: 202, message: 'Own' })
    expect(await answerOf((ctx) => (set(ctx), { a: 1 }))).toMatchObject({ status: 200, message: 'OK' })
    expect(await answerOf((ctx) => (set(ctx), 'text'))).toMatchObject({ status: 200, body: 'text' })
    expect(await answerOf((ctx) => void set(ctx))).toMatchObject({ status: 204, message: 'No Content', body: '' })
    expect(await answerOf(() => reply(202, { a: 1 }))).toMatchObject({ status: 202, message: 'Accepted' })
  })

  it('stands whole where the handler sets the body and returns nothing', async () => {
    const answer = await answerOf((ctx) => void Object.assign(ctx, { status: 202, message: 'Own', body: { a: 1 } }))
    expect(answer).toMatchObject({ status: 202, message: 'Own', body: '{"a":1}' })
    expect(answer.headers).toContain('Content-Type: application/json; charset=utf-8')
    expect(answer.headers.some((line) => line.startsWith('Vary'))).toBe(false)
  })

  it('the value that is returned goes before a body', async () => {
    expect((await answerOf((ctx) => ((ctx.body = 'set'), { returned: 1 }))).body).toBe('{"returned":1}')
  })
})
