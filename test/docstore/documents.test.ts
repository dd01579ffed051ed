import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { ReadableStream } from 'node:stream/web'
import { Body, Context, Patch, Put, Param, Resource, createApp, withETag, type Middleware } from 'kumu'
import { conditionOf, docstore, documents, type Store } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { memory } from 'kumu/docstore/memory'
import type { Context as KoaContext } from 'koa'
import { createClock } from './support/clock'
import {
  createDirectory,
  drivers,
  keysOf,
  mount,
  override,
  unmountAll,
  withCan,
  type Mounted,
} from '../support/documents'
import { begin, openWire, readBody } from '../support/exchange'
import { serve, type Answer } from '../support/serve'

afterEach(unmountAll)

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const allBytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))

const put = (served: Mounted, key: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  served.ask('PUT', `/docs/${key}`, { body, headers: { 'Content-Type': 'text/plain', ...headers } })

/** The body of a request sent in pieces, without a length. */
async function putChunked(
  served: Mounted,
  path: string,
  pieces: readonly Uint8Array[],
  headers: Record<string, string> = {},
): Promise<{ status: number; etag: string | undefined; text: string }> {
  const { request, response } = begin(served.port, 'PUT', path, headers)
  for (const piece of pieces) request.write(piece)
  request.end()
  const answer = await response
  return { status: answer.statusCode ?? 0, etag: answer.headers.etag, text: (await readBody(answer)).toString() }
}

function isSafe(answer: Answer): void {
  expect(answer.headers['x-content-type-options']).toBe('nosniff')
  expect(answer.headers['content-security-policy']).toMatch(/(^|;) *sandbox *(;|$)/)
}

describe.each(drivers)('documents on %s', (_name, createDriver) => {
  describe('PUT /:key', () => {
    it('is 201 for a new key and 204 for a known one, each with another strong entity tag', async () => {
      const served = await mount(createDriver())
      const first = await put(served, 'a', 'one')
      expect(first.status).toBe(201)
      expect(first.headers.location).toBe('/docs/a')
      expect(first.headers.etag).toMatch(/^"[^"]+"$/)
      const second = await put(served, 'a', 'two')
      expect(second.status).toBe(204)
      expect(second.headers.location).toBeUndefined()
      expect(second.bytes).toHaveLength(0)
      expect(second.headers.etag).not.toBe(first.headers.etag)
      const read = await served.ask('GET', '/docs/a')
      expect([read.status, read.text, read.headers.etag]).toEqual([200, 'two', second.headers.etag])
    })

    it('says where the document is under the prefix of the application', async () => {
      const served = await mount(createDriver(), { app: { prefix: '/api' } })
      const stored = await served.ask('PUT', '/api/docs/a?ttl=60', { body: 'x' })
      expect(stored.headers.location).toBe('/api/docs/a')
      const created = await served.ask('POST', '/api/docs', { body: 'x' })
      expect(created.headers.location).toBe(`/api/docs/${created.text}`)
      expect((await served.ask('GET', String(created.headers.location))).text).toBe('x')
    })

    it.each([
      ['no body', undefined, ''],
      ['an empty body', '', ''],
      ['text', 'grüße\r\n', 'grüße\r\n'],
      ['JSON as it was written', '{ "a" :1,\n"a":2 }', '{ "a" :1,\n"a":2 }'],
      ['JSON that is none', '{', '{'],
      ['every byte', allBytes, allBytes],
      ['a picture', png, png],
    ])('stores %s byte for byte', async (_what, body, expected) => {
      const served = await mount(createDriver())
      const stored = await served.ask('PUT', '/docs/a', { body, headers: { 'Content-Type': 'application/json' } })
      expect(stored.status).toBe(201)
      const read = await served.ask('GET', '/docs/a')
      expect(read.bytes.equals(Buffer.from(expected))).toBe(true)
      expect(read.headers['content-type']).toBe('application/json')
      expect(read.headers['content-length']).toBe(String(Buffer.byteLength(expected)))
      isSafe(read)
    })

    it.each([
      ['no type', undefined, 'application/octet-stream'],
      ['parameters', 'text/html; charset="utf-8"; a=b', 'text/html; charset="utf-8"; a=b'],
      ['a form', 'application/x-www-form-urlencoded', 'application/x-www-form-urlencoded'],
      ['an upload', 'multipart/form-data; boundary=x', 'multipart/form-data; boundary=x'],
      ['a type of its own', 'application/vnd.example+json', 'application/vnd.example+json'],
    ])('keeps the media type: %s', async (_what, type, expected) => {
      const served = await mount(createDriver())
      const headers: Record<string, string> = type === undefined ? {} : { 'Content-Type': type }
      await served.ask('PUT', '/docs/a', { body: 'a=1', headers })
      const read = await served.ask('GET', '/docs/a')
      expect([read.headers['content-type'], read.text]).toEqual([expected, 'a=1'])
      isSafe(read)
    })

    it('refuses with 415 what is no media type, and nothing happens', async () => {
      const served = await mount(createDriver())
      for (const type of [
        'text',
        'text/',
        '/plain',
        'a b/c',
        'text/plain; a',
        `text/${'x'.repeat(300)}`,
        '',
      ] as const) {
        const { status } = await served.ask('PUT', '/docs/a', { body: 'x', headers: { 'Content-Type': type } })
        expect([type, status]).toEqual([type, 415])
        expect((await served.ask('GET', '/docs/a')).status).toBe(404)
      }
    })

    it('refuses content codings with 415, and nothing happens', async () => {
      const served = await mount(createDriver())
      for (const coding of ['gzip', 'GZIP', 'br, gzip', 'identity, gzip', 'x'] as const) {
        const headers = { 'Content-Encoding': coding }
        for (const [method, path] of [
          ['PUT', '/docs/a'],
          ['POST', '/docs/a'],
          ['POST', '/docs'],
          ['PUT', '/docs'],
        ] as const) {
          const answer = await served.ask(method, path, { body: 'x', headers })
          expect([coding, method, path, answer.status]).toEqual([coding, method, path, 415])
          expect(answer.headers['accept-encoding']).toBe('identity')
        }
        expect(keysOf(await served.ask('GET', '/docs'))).toEqual([])
      }
    })

    it('takes the coding that is none', async () => {
      const served = await mount(createDriver())
      expect((await put(served, 'a', 'x', { 'Content-Encoding': 'Identity' })).status).toBe(201)
    })

    it.each([
      ['with a length', (served: Mounted, body: Buffer) => put(served, 'big', body)],
      ['in pieces', (served: Mounted, body: Buffer) => putChunked(served, '/docs/big', slices(body, 50_000))],
      ['in one piece', (served: Mounted, body: Buffer) => putChunked(served, '/docs/big', [body])],
    ])('stores megabytes %s byte for byte', async (_how, send) => {
      const served = await mount(createDriver())
      for (const size of [1024 ** 2, 1024 ** 2 + 1, 5 * 1024 ** 2 + 17]) {
        const body = randomBytes(size)
        expect((await send(served, body)).status).toBeLessThan(205)
        const read = await served.ask('GET', '/docs/big')
        expect([read.status, read.headers['content-length'], sha256(read.bytes)]).toEqual([
          200,
          `${size}`,
          sha256(body),
        ])
      }
    })
  })

  describe('PUT /:key with conditions', () => {
    it('If-Match: of 16 at once with one entity tag exactly one succeeds', async () => {
      const served = await mount(createDriver())
      const etag = (await put(served, 'a', 'zero')).headers.etag as string
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => put(served, 'a', `n${index}`, { 'If-Match': etag })),
      )
      const winners = answers.filter(({ status }) => status === 204)
      expect(winners).toHaveLength(1)
      expect(answers.filter(({ status }) => status === 412)).toHaveLength(15)
      const read = await served.ask('GET', '/docs/a')
      expect(read.text).toBe(`n${answers.indexOf(winners[0]!)}`)
      expect(read.headers.etag).toBe(winners[0]!.headers.etag)
    })

    it('If-Match: of 16 at once in pieces exactly one succeeds', async () => {
      const served = await mount(createDriver())
      const etag = (await put(served, 'a', 'zero')).headers.etag as string
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          putChunked(served, '/docs/a', [Buffer.from(`n${index}`)], { 'If-Match': etag }),
        ),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(15).fill(412)])
      const winner = answers.findIndex(({ status }) => status === 204)
      expect((await served.ask('GET', '/docs/a')).text).toBe(`n${winner}`)
    })

    it('If-None-Match: *: of 16 at once exactly one creates', async () => {
      const served = await mount(createDriver())
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => put(served, 'a', `n${index}`, { 'If-None-Match': '*' })),
      )
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(412)])
      const winner = answers.findIndex(({ status }) => status === 201)
      expect((await served.ask('GET', '/docs/a')).text).toBe(`n${winner}`)
    })

    it('without: of 16 at once exactly one creates', async () => {
      const served = await mount(createDriver())
      const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => put(served, 'a', `n${index}`)))
      expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(204)])
      const tags = answers.map(({ headers }) => headers.etag)
      expect(new Set(tags).size).toBe(16)
      const read = await served.ask('GET', '/docs/a')
      expect(read.text).toBe(`n${tags.indexOf(read.headers.etag)}`)
    })

    it.each([
      ['If-Match: * on a known key', 'known', { 'If-Match': '*' }, 204],
      ['If-Match: * on a new key', 'new', { 'If-Match': '*' }, 412],
      ['If-Match: the current tag', 'known', { 'If-Match': 'ETAG' }, 204],
      ['If-Match: the current tag in a list', 'known', { 'If-Match': '"x", ETAG , W/"y"' }, 204],
      ['If-Match: the current tag, weak', 'known', { 'If-Match': 'W/ETAG' }, 412],
      ['If-Match: another tag', 'known', { 'If-Match': '"another"' }, 412],
      ['If-Match: a tag on a new key', 'new', { 'If-Match': 'ETAG' }, 412],
      ['If-Match: malformed', 'known', { 'If-Match': 'ETAG"' }, 412],
      ['If-Match: nothing', 'known', { 'If-Match': '' }, 412],
      ['If-None-Match: * on a known key', 'known', { 'If-None-Match': '*' }, 412],
      ['If-None-Match: * on a new key', 'new', { 'If-None-Match': '*' }, 201],
      ['If-None-Match: the current tag', 'known', { 'If-None-Match': '"x", W/ETAG' }, 412],
      ['If-None-Match: another tag', 'known', { 'If-None-Match': '"another"' }, 204],
      ['If-None-Match: malformed', 'known', { 'If-None-Match': 'x' }, 412],
      ['If-Unmodified-Since: long ago', 'known', { 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 412],
      ['If-Unmodified-Since: the future', 'known', { 'If-Unmodified-Since': 'Fri, 31 Dec 2100 23:59:59 GMT' }, 204],
      ['If-Unmodified-Since: no date', 'known', { 'If-Unmodified-Since': 'tomorrow' }, 204],
      ['both', 'known', { 'If-Match': 'ETAG', 'If-None-Match': '*' }, 412],
    ] as const)('%s', async (_what, key, conditions, expected) => {
      for (const send of [put, putInPieces]) {
        const served = await mount(createDriver())
        const etag = (await put(served, 'known', 'old')).headers.etag as string
        const headers = Object.fromEntries(
          Object.entries(conditions).map(([name, value]) => [name, value.replace('ETAG', etag)]),
        )
        const answer = await send(served, key, 'new', headers)
        expect(answer.status).toBe(expected)
        const read = await served.ask('GET', `/docs/${key}`)
        const before = key === 'new' ? [404] : [200, 'old']
        expect(read.status === 200 ? [200, read.text] : [read.status]).toEqual(expected === 412 ? before : [200, 'new'])
        if (expected !== 412) expect(read.headers.etag).toBe('etag' in answer ? answer.etag : answer.headers.etag)
      }
    })

    it('a 412 tells the current entity tag, if there is one', async () => {
      const served = await mount(createDriver())
      const { etag } = (await put(served, 'a', 'x')).headers
      expect((await put(served, 'a', 'y', { 'If-Match': '"b"' })).headers.etag).toBe(etag)
      expect((await put(served, 'b', 'y', { 'If-Match': '"b"' })).headers.etag).toBeUndefined()
    })
  })

  describe('GET and HEAD /:key', () => {
    it('agree on everything but the body', async () => {
      const served = await mount(createDriver())
      await put(served, 'a', '0123456789')
      const get = await served.ask('GET', '/docs/a')
      const head = await served.ask('HEAD', '/docs/a')
      expect(head.bytes).toHaveLength(0)
      const { date: _got, ...expected } = get.headers
      const { date: _had, ...actual } = head.headers
      expect([head.status, actual]).toEqual([get.status, expected])
      expect(get.headers).toMatchObject({
        'content-type': 'text/plain',
        'content-length': '10',
        'accept-ranges': 'bytes',
      })
      const modified = Date.parse(String(get.headers['last-modified']))
      expect(Math.abs(Date.now() - modified)).toBeLessThan(60_000)
      isSafe(head)
    })

    it('are 404 for a key that is not there', async () => {
      const served = await mount(createDriver())
      const get = await served.ask('GET', '/docs/nothing')
      expect([get.status, get.headers['content-type']]).toEqual([404, 'application/problem+json'])
      expect((await served.ask('HEAD', '/docs/nothing')).status).toBe(404)
    })

    it('do not negotiate: a document is what it is', async () => {
      const served = await mount(createDriver())
      await put(served, 'a', 'x')
      const read = await served.ask('GET', '/docs/a', { headers: { Accept: 'image/png' } })
      expect([read.status, read.headers['content-type'], read.text]).toEqual([200, 'text/plain', 'x'])
    })

    it('Range', async () => {
      const served = await mount(createDriver())
      await put(served, 'a', '0123456789')
      for (const [range, status, text, contentRange] of [
        ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
        ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
        ['bytes=7-', 206, '789', 'bytes 7-9/10'],
        ['bytes=7-99', 206, '789', 'bytes 7-9/10'],
        ['bytes=-3', 206, '789', 'bytes 7-9/10'],
        ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
        ['BYTES=0-1', 206, '01', 'bytes 0-1/10'],
        ['bytes=10-', 416, undefined, 'bytes */10'],
        ['bytes=99-100', 416, undefined, 'bytes */10'],
        ['bytes=-0', 416, undefined, 'bytes */10'],
        ['bytes=0-1,3-4', 200, '0123456789', undefined],
        ['bytes=4-2', 200, '0123456789', undefined],
        ['bytes=a-b', 200, '0123456789', undefined],
        ['bytes=', 200, '0123456789', undefined],
        ['bytes=1.5-2', 200, '0123456789', undefined],
        ['lines=0-1', 200, '0123456789', undefined],
      ] as const) {
        const get = await served.ask('GET', '/docs/a', { headers: { Range: range } })
        expect([range, get.status, get.headers['content-range']]).toEqual([range, status, contentRange])
        const head = await served.ask('HEAD', '/docs/a', { headers: { Range: range } })
        expect([range, head.status, head.bytes.length]).toEqual([range, status, 0])
        if (text === undefined) continue
        expect([range, get.text]).toEqual([range, text])
        expect(get.headers['content-length']).toBe(String(text.length))
        expect(head.headers['content-length']).toBe(String(text.length))
        expect(get.headers['content-type']).toBe('text/plain')
        isSafe(get)
      }
    })

    it('Range over large documents', async () => {
      const served = await mount(createDriver())
      const body = randomBytes(400_000)
      await put(served, 'a', body)
      for (const first of [0, 1, 65_535, 65_536, 131_071, 131_072, 300_000]) {
        for (const last of [first, first + 70_000, 399_999]) {
          const part = await served.ask('GET', '/docs/a', { headers: { Range: `bytes=${first}-${last}` } })
          expect([part.status, part.bytes.equals(body.subarray(first, last + 1))]).toEqual([206, true])
        }
      }
    })

    it('Range of an empty document is 416', async () => {
      const served = await mount(createDriver())
      for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-1'] as const) {
        await put(served, 'a', '')
        const answer = await served.ask('GET', '/docs/a', { headers: { Range: range } })
        expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */0'])
        expect((await served.ask('GET', '/docs/a')).status).toBe(200)
      }
    })

    it('If-Range: a part where it still is the same, else all', async () => {
      const served = await mount(createDriver())
      const { etag } = (await put(served, 'a', '0123456789')).headers
      const { 'last-modified': modified } = (await served.ask('HEAD', '/docs/a')).headers
      const cases: ReadonlyArray<readonly [string, number]> = [
        [String(etag), 206],
        [String(modified), 206],
        [`W/${String(etag)}`, 200],
        ['"another"', 200],
        ['Sun, 06 Nov 1994 08:49:37 GMT', 200],
        ['nonsense', 200],
      ]
      for (const [condition, status] of cases) {
        const headers = { Range: 'bytes=2-4', 'If-Range': condition }
        const answer = await served.ask('GET', '/docs/a', { headers })
        expect([condition, answer.status, answer.text]).toEqual([
          condition,
          status,
          status === 206 ? '234' : '0123456789',
        ])
        expect(answer.headers['content-range']).toBe(status === 206 ? 'bytes 2-4/10' : undefined)
      }
    })

    it('with conditions', async () => {
      const served = await mount(createDriver())
      await put(served, 'a', randomBytes(200_000))
      const { etag, 'last-modified': modified } = (await served.ask('HEAD', '/docs/a')).headers
      for (const [what, conditions, status] of [
        ['If-None-Match: the tag', { 'If-None-Match': 'ETAG' }, 304],
        ['If-None-Match: the tag, weak', { 'If-None-Match': 'W/ETAG' }, 304],
        ['If-None-Match: a list with the tag', { 'If-None-Match': '"x",  ETAG' }, 304],
        ['If-None-Match: *', { 'If-None-Match': '*' }, 304],
        ['If-None-Match: another', { 'If-None-Match': '"x", "y"' }, 200],
        ['If-None-Match: malformed', { 'If-None-Match': 'x"' }, 200],
        ['If-Modified-Since: now', { 'If-Modified-Since': 'MODIFIED' }, 304],
        ['If-Modified-Since: long ago', { 'If-Modified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 200],
        ['If-Modified-Since: no date', { 'If-Modified-Since': 'yesterday' }, 200],
        ['If-None-Match wins', { 'If-None-Match': '"x"', 'If-Modified-Since': 'MODIFIED' }, 200],
        ['If-Match: the tag', { 'If-Match': 'ETAG' }, 200],
        ['If-Match: another', { 'If-Match': '"x"' }, 412],
        ['If-Unmodified-Since: long ago', { 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 412],
        ['304 before 416', { 'If-None-Match': 'ETAG', Range: 'bytes=99-' }, 304],
        ['412 before 206', { 'If-Match': '"x"', Range: 'bytes=0-1' }, 412],
      ] as const) {
        const headers = Object.fromEntries(
          Object.entries(conditions).map(([name, value]) => [
            name,
            value.replace('ETAG', String(etag)).replace('MODIFIED', String(modified)),
          ]),
        )
        for (const method of ['GET', 'HEAD']) {
          const answer = await served.ask(method, '/docs/a', { headers })
          expect([what, method, answer.status, answer.headers.etag]).toEqual([what, method, status, etag])
          if (status !== 304) continue
          expect(answer.bytes).toHaveLength(0)
          expect(answer.headers['last-modified']).toBe(modified)
          isSafe(answer)
        }
      }
    })
  })

  describe('POST /', () => {
    it.each([
      ['POST', '/docs'],
      ['POST', '/docs/'],
      ['PUT', '/docs'],
      ['PUT', '/docs/'],
    ])('%s %s stores under a new UUID and answers with the key', async (method, path) => {
      const served = await mount(createDriver())
      const created = await served.ask(method, path, { body: png, headers: { 'Content-Type': 'image/png' } })
      expect([created.status, created.headers['content-type']]).toEqual([201, 'text/plain; charset=utf-8'])
      expect(created.text).toMatch(uuid)
      expect(created.headers.location).toBe(`/docs/${created.text}`)
      const read = await served.ask('GET', `/docs/${created.text}`)
      expect([read.status, read.headers['content-type'], read.headers.etag]).toEqual([
        200,
        'image/png',
        created.headers.etag,
      ])
      expect(read.bytes.equals(png)).toBe(true)
    })

    it('gives every document a key of its own', async () => {
      const served = await mount(createDriver())
      const answers = await Promise.all(Array.from({ length: 8 }, () => served.ask('POST', '/docs', { body: 'x' })))
      expect(new Set(answers.map(({ text }) => text)).size).toBe(8)
      expect(keysOf(await served.ask('GET', '/docs')).sort()).toEqual(answers.map(({ text }) => text).sort())
    })

    it('answers with an object where one is asked for', async () => {
      const served = await mount(createDriver())
      const headers = { Accept: 'application/json' }
      const created = await served.ask('POST', '/docs', { body: 'x', headers })
      const { key, etag } = created.json<{ key: string; etag: string }>()
      expect([created.status, etag]).toEqual([201, created.headers.etag])
      expect((await served.ask('GET', `/docs/${key}`)).text).toBe('x')
      const xml = await served.ask('POST', '/docs', { body: 'x', headers: { Accept: 'application/xml' } })
      expect(xml.headers['content-type']).toMatch(/^application\/xml/)
      expect(xml.text).toMatch(/<key>[0-9a-f-]{36}<\/key>/)
    })

    it('stores nothing as well', async () => {
      const served = await mount(createDriver())
      const { status, text } = await served.ask('POST', '/docs')
      expect(status).toBe(201)
      expect((await served.ask('GET', `/docs/${text}`)).headers['content-length']).toBe('0')
    })
  })

  describe('POST /:key', () => {
    it('stores under this key and answers with it', async () => {
      const served = await mount(createDriver())
      const first = await served.ask('POST', '/docs/12345', { body: 'one' })
      expect([first.status, first.text, first.headers.location]).toEqual([201, '12345', '/docs/12345'])
      const second = await served.ask('POST', '/docs/12345', { body: 'two' })
      expect([second.status, second.text, second.headers.location]).toEqual([200, '12345', undefined])
      expect((await served.ask('GET', '/docs/12345')).text).toBe('two')
    })

    it('takes the conditions of PUT', async () => {
      const served = await mount(createDriver())
      await put(served, 'a', 'old')
      const refused = await served.ask('POST', '/docs/a', { body: 'x', headers: { 'If-None-Match': '*' } })
      expect(refused.status).toBe(412)
      expect((await served.ask('GET', '/docs/a')).text).toBe('old')
    })
  })

  describe('DELETE /:key', () => {
    it('is 204, and then 404', async () => {
      const served = await mount(createDriver())
      await put(served, 'a', 'x')
      const deleted = await served.ask('DELETE', '/docs/a')
      expect([deleted.status, deleted.bytes.length]).toEqual([204, 0])
      expect((await served.ask('GET', '/docs/a')).status).toBe(404)
      expect((await served.ask('DELETE', '/docs/a')).status).toBe(404)
    })

    it.each([
      ['If-Match: the tag', { 'If-Match': 'ETAG' }, 204],
      ['If-Match: a list with the tag', { 'If-Match': '"x", ETAG' }, 204],
      ['If-Match: *', { 'If-Match': '*' }, 204],
      ['If-Match: another', { 'If-Match': '"x"' }, 412],
      ['If-Match: malformed', { 'If-Match': 'x' }, 412],
      ['If-None-Match: *', { 'If-None-Match': '*' }, 412],
      ['If-Unmodified-Since: long ago', { 'If-Unmodified-Since': 'Sun, 06 Nov 1994 08:49:37 GMT' }, 412],
    ] as const)('%s', async (_what, conditions, status) => {
      const served = await mount(createDriver())
      const etag = (await put(served, 'a', 'x')).headers.etag as string
      const headers = Object.fromEntries(
        Object.entries(conditions).map(([name, value]) => [name, value.replace('ETAG', etag)]),
      )
      expect((await served.ask('DELETE', '/docs/a', { headers })).status).toBe(status)
      expect((await served.ask('GET', '/docs/a')).status).toBe(status === 204 ? 404 : 200)
    })

    it('of 16 at once exactly one deletes', async () => {
      for (const conditional of [false, true]) {
        const served = await mount(createDriver())
        const etag = (await put(served, 'a', 'x')).headers.etag as string
        const headers: Record<string, string> = conditional ? { 'If-Match': etag } : {}
        const answers = await Promise.all(
          Array.from({ length: 16 }, () => served.ask('DELETE', '/docs/a', { headers })),
        )
        expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(15).fill(404)])
      }
    })

    it('gives a document that is stored again another entity tag', async () => {
      const served = await mount(createDriver())
      const first = (await put(served, 'a', 'x')).headers.etag
      await served.ask('DELETE', '/docs/a')
      const again = await put(served, 'a', 'x')
      expect(again.status).toBe(201)
      expect(again.headers.etag).not.toBe(first)
    })
  })

  describe('a key', () => {
    it('is letters, digits, dashes and underscores', async () => {
      const served = await mount(createDriver())
      for (const key of [
        'a',
        '0',
        '-',
        '_',
        'A-b_9',
        '__proto__',
        'constructor',
        'toString',
        'CON',
        'nul',
        'x'.repeat(255),
        '-'.repeat(255),
      ] as const) {
        expect([key, (await put(served, key, `<${key}>`)).status]).toEqual([key, 201])
        expect((await served.ask('GET', `/docs/${key}`)).text).toBe(`<${key}>`)
        expect(keysOf(await served.ask('GET', '/docs'))).toEqual([key])
        expect((await served.ask('DELETE', `/docs/${key}`)).status).toBe(204)
      }
    })

    it('is decoded once, and its case matters', async () => {
      const served = await mount(createDriver())
      await put(served, 'a%62', 'lower')
      await put(served, 'AB', 'upper')
      expect((await served.ask('GET', '/docs/ab')).text).toBe('lower')
      expect((await served.ask('GET', '/docs/AB')).text).toBe('upper')
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['AB', 'ab'])
    })

    it('of any other kind is 400, and nothing happens', async () => {
      const served = await mount(createDriver())
      for (const key of [
        '.',
        '..',
        '...',
        '%2e',
        '%2e%2e',
        'a.b',
        '.a',
        'a~',
        'a+b',
        'a:b',
        'a;b',
        'a=b',
        'a,b',
        'a*',
        '@a',
        "a'b",
        'a%20b',
        '%20',
        'a%2Fb',
        'a%2fb',
        '%2F',
        'a%5Cb',
        '..%2f..%2fetc%2fpasswd',
        'abc%2F..%2F..%2Fetc%2Fpasswd',
        '%252F',
        'a%25',
        'a%00',
        '%00',
        'a%0A',
        'a%0D%0A',
        '%0Aa',
        'a%7F',
        '%C3%A9',
        '\u00e9',
        '%F0%9F%98%80',
        '%EF%BC%A1',
        'a%E2%80%8B',
        '%C0%AF',
        '%E0%A4%A',
        '%ff',
        '%',
        'a%2',
        'a%zz',
        'x'.repeat(256),
        'x'.repeat(4000),
      ] as const) {
        for (const [method, body] of [
          ['GET', undefined],
          ['HEAD', undefined],
          ['PUT', 'x'],
          ['POST', 'x'],
          ['DELETE', undefined],
        ] as const) {
          const answer = await served.ask(method, `/docs/${key}`, { body })
          expect([method, key, answer.status]).toEqual([method, key, 400])
        }
        expect(keysOf(await served.ask('GET', '/docs'))).toEqual([])
      }
    })

    it('is one segment of a path: of more it is 404, and nothing happens', async () => {
      const served = await mount(createDriver())
      for (const path of ['a/b', 'a/../b', '../docs/a/b', 'a/%2e%2e'] as const) {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          expect((await served.ask(method, `/docs/${path}`, { body: 'x' })).status).toBe(404)
        }
        expect(keysOf(await served.ask('GET', '/docs'))).toEqual([])
      }
    })
  })

  describe('?ttl', () => {
    it('lets a document be gone when its time is up', async () => {
      const clock = createClock(Date.now())
      const served = await mount(createDriver({ now: clock.now }))
      expect((await served.ask('PUT', '/docs/a?ttl=60', { body: 'x' })).status).toBe(201)
      expect((await served.ask('POST', '/docs/b?ttl=60', { body: 'x' })).status).toBe(201)
      const { text: key } = await served.ask('POST', '/docs?ttl=60', { body: 'x' })
      await served.ask('PUT', '/docs/stays', { body: 'x' })
      for (const each of ['a', 'b', key]) expect((await served.ask('GET', `/docs/${each}`)).status).toBe(200)
      await clock.advance(61_000)
      for (const each of ['a', 'b', key]) expect((await served.ask('GET', `/docs/${each}`)).status).toBe(404)
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['stays'])
      expect((await put(served, 'a', 'y', { 'If-None-Match': '*' })).status).toBe(201)
      await clock.advance(10 ** 9)
      expect((await served.ask('GET', '/docs/a')).text).toBe('y')
    })

    it('that is no number of seconds is 400, and nothing happens', async () => {
      const served = await mount(createDriver())
      for (const ttl of [
        '0',
        '-1',
        '1.5',
        'abc',
        '',
        '1e400',
        '9007199254740993',
        '99999999999',
        '60&ttl=60',
      ] as const) {
        for (const [method, path] of [
          ['PUT', '/docs/a'],
          ['POST', '/docs/a'],
          ['POST', '/docs'],
        ] as const) {
          expect((await served.ask(method, `${path}?ttl=${ttl}`, { body: 'x' })).status).toBe(400)
        }
        expect(keysOf(await served.ask('GET', '/docs'))).toEqual([])
      }
    })

    it('is 501 where the driver has none, and nothing happens', async () => {
      const served = await mount(withCan(createDriver(), { ttl: false }))
      for (const body of ['x', randomBytes(1024 ** 2 + 1)]) {
        expect((await served.ask('PUT', '/docs/a?ttl=60', { body })).status).toBe(501)
        expect((await served.ask('POST', '/docs?ttl=60', { body })).status).toBe(501)
      }
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual([])
      expect((await put(served, 'a', 'x')).status).toBe(201)
    })
  })

  describe('limits', () => {
    const large = 2 * 1024 ** 2

    it.each([
      ['the application', { app: { limits: { document: 1000 } } }, undefined],
      ['the driver', {}, 1000],
    ] as const)('of %s: the last byte is taken, one more is 413', async (_whose, options, maxBody) => {
      const served = await mount(createDriver({ maxBody }), options)
      expect((await put(served, 'a', 'x'.repeat(1000))).status).toBe(201)
      expect((await putChunked(served, '/docs/a', [Buffer.alloc(999), Buffer.alloc(1)])).status).toBe(204)
      for (const [method, path] of [
        ['PUT', '/docs/b'],
        ['POST', '/docs/b'],
        ['POST', '/docs'],
        ['PUT', '/docs/a'],
      ] as const) {
        expect((await served.ask(method, path, { body: 'x'.repeat(1001) })).status).toBe(413)
      }
      expect((await putChunked(served, '/docs/b', [Buffer.alloc(1000), Buffer.alloc(1)])).status).toBe(413)
      expect((await putChunked(served, '/docs/a', [Buffer.alloc(1001)], { 'If-Match': '*' })).status).toBe(413)
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['a'])
      expect((await served.ask('GET', '/docs/a')).headers['content-length']).toBe('1000')
    })

    it('a length above the limit is refused before a byte of the body came', async () => {
      const served = await mount(createDriver(), { app: { limits: { document: '2mb' } } })
      const wire = openWire(served.port, `PUT /docs/a HTTP/1.1\r\nHost: x\r\nContent-Length: ${large + 1}\r\n\r\n`)
      expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 413 /)
      wire.socket.destroy()
      expect((await served.ask('GET', '/docs/a')).status).toBe(404)
    })

    it('a streamed body that turns out too large leaves nothing, and what was there stays', async () => {
      const served = await mount(createDriver(), { app: { limits: { document: large } } })
      await put(served, 'a', 'old')
      const pieces = slices(randomBytes(large + 1), 100_000)
      for (const key of ['a', 'b']) {
        const wire = openWire(served.port, `PUT /docs/${key} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
        for (const piece of pieces) {
          wire.socket.write(`${piece.length.toString(16)}\r\n`)
          wire.socket.write(piece)
          wire.socket.write('\r\n')
        }
        expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 413 /)
        wire.socket.destroy()
      }
      expect((await served.ask('GET', '/docs/a')).text).toBe('old')
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['a'])
    })
  })

  describe('an upload that is broken off', () => {
    const whole = 1_500_000

    it.each([
      ['a held body', 'Content-Length: 5000\r\n', Buffer.alloc(1000)],
      ['a streamed body', `Content-Length: ${whole}\r\n`, Buffer.alloc(1_200_000)],
      ['a chunked body', 'Transfer-Encoding: chunked\r\n', Buffer.from(`400\r\n${'x'.repeat(1024)}\r\n`)],
    ])('%s leaves nothing visible', async (_what, framing, part) => {
      const settled: unknown[] = []
      let wake: () => void = () => undefined
      const watch: Middleware = async (ctx, next) => {
        await next().catch((error: unknown) => {
          settled.push(error)
          ctx.status = 400
        })
        wake()
      }
      const served = await mount(createDriver(), { app: { middleware: [watch] } })
      await put(served, 'known', 'old')
      for (const target of ['PUT /docs/a', 'POST /docs', 'PUT /docs/known']) {
        const over = new Promise<void>((resolve) => (wake = resolve))
        const arrived = once(served.server, 'request')
        const wire = openWire(served.port, `${target} HTTP/1.1\r\nHost: x\r\n${framing}\r\n`)
        wire.socket.write(part)
        await arrived
        wire.socket.destroy()
        await over
      }
      expect(settled).toEqual(Array(3).fill(expect.objectContaining({ status: 400, code: 'aborted' })))
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['known'])
      expect((await served.ask('GET', '/docs/known')).text).toBe('old')
    })
  })

  describe('tombstones', () => {
    it('make a deleted document 410, out of the list, and free to be stored again', async () => {
      const served = await mount(createDriver(), { documents: { tombstones: true } })
      const first = (await put(served, 'a', 'x')).headers.etag
      await put(served, 'b', 'x')
      expect((await served.ask('DELETE', '/docs/a')).status).toBe(204)
      for (const method of ['GET', 'HEAD', 'DELETE']) expect((await served.ask(method, '/docs/a')).status).toBe(410)
      expect((await served.ask('GET', '/docs/a', { headers: { Range: 'bytes=0-' } })).status).toBe(410)
      expect((await served.ask('GET', '/docs/never')).status).toBe(404)
      expect((await served.ask('DELETE', '/docs/never')).status).toBe(404)
      const list = await served.ask('GET', '/docs', { headers: { Prefer: 'count=exact' } })
      expect([keysOf(list), list.headers['content-range']]).toEqual([['b'], 'documents 0-0/1'])
      expect((await put(served, 'a', 'y', { 'If-Match': '*' })).status).toBe(412)
      expect((await put(served, 'a', 'y', { 'If-Match': String(first) })).status).toBe(412)
      const again = await put(served, 'a', 'y', { 'If-None-Match': '*' })
      expect([again.status, again.headers.location]).toEqual([201, '/docs/a'])
      expect((await served.ask('GET', '/docs/a')).text).toBe('y')
      expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['a', 'b'])
    })

    it('are no media type that a client can store', async () => {
      const served = await mount(createDriver(), { documents: { tombstones: true } })
      for (const type of ['application/vnd.kumu.tombstone', 'Application/VND.kumu.tombstone']) {
        const headers = { 'Content-Type': type }
        const answer = await served.ask('PUT', '/docs/a', { body: 'x', headers })
        expect([type, answer.status === 415 || (await served.ask('GET', '/docs/a')).text === 'x']).toEqual([type, true])
      }
    })

    it('of 16 deletions at once exactly one succeeds', async () => {
      const served = await mount(createDriver(), { documents: { tombstones: true } })
      await put(served, 'a', 'x')
      const answers = await Promise.all(Array.from({ length: 16 }, () => served.ask('DELETE', '/docs/a')))
      expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(15).fill(410)])
    })
  })

  it('a closed store is 503', async () => {
    const served = await mount(createDriver())
    await put(served, 'a', 'x')
    await served.store.close()
    for (const [method, path] of [
      ['GET', '/docs'],
      ['GET', '/docs/a'],
      ['HEAD', '/docs/a'],
      ['PUT', '/docs/a'],
      ['POST', '/docs'],
      ['DELETE', '/docs/a'],
      ['GET', '/docs?watch'],
    ] as const) {
      const { status } = await served.ask(method, path, { body: method === 'GET' ? undefined : 'x' })
      expect([method, path, status]).toEqual([method, path, 503])
    }
  })

  it('is closed with the application, unless it is shared', async () => {
    const own = await mount(createDriver())
    await own.app.close()
    await expect(own.store.get('a')).rejects.toMatchObject({ code: 'closed' })
    const shared = await mount(createDriver(), { documents: { close: false } })
    await shared.app.close()
    expect(await shared.store.get('a')).toBeUndefined()
    await shared.store.close()
  })
})

describe('documents(path, store)', () => {
  it.each(['/', '/a', '/a/b', '/a/'])('at %s', async (path) => {
    const app = createApp({ resources: [documents(path, docstore(memory()))] })
    const served = await serve(app)
    const base = path.replace(/\/$/, '')
    const created = await served.ask('POST', path, { body: 'x' })
    expect(created.headers.location).toBe(`${base}/${created.text}`)
    expect((await served.ask('PUT', `${base}/k`, { body: 'y' })).headers.location).toBe(`${base}/k`)
    expect((await served.ask('GET', String(created.headers.location))).text).toBe('x')
    expect(keysOf(await served.ask('GET', path)).sort()).toEqual([created.text, 'k'].sort())
    await app.close()
  })

  it('two in one application share nothing', async () => {
    const app = createApp({ resources: [documents('/a', docstore(memory())), documents('/b', docstore(memory()))] })
    const served = await serve(app)
    await served.ask('PUT', '/a/k', { body: 'x' })
    expect((await served.ask('GET', '/b/k')).status).toBe(404)
    await app.close()
  })

  @Resource('/patches')
  class Patches {
    @Patch()
    patch() {
      return 'patched'
    }
  }

  it.each([
    ['DELETE', '/docs', 'GET, HEAD, POST, PUT, OPTIONS'],
    ['PATCH', '/docs', 'GET, HEAD, POST, PUT, OPTIONS'],
    ['PATCH', '/docs/a', 'GET, HEAD, POST, PUT, DELETE, OPTIONS'],
  ])('%s %s is 405 with Allow', async (method, path, allow) => {
    const served = await mount(memory(), { app: { resources: [Patches] } })
    const answer = await served.ask(method, path, { body: 'x' })
    expect([answer.status, answer.headers.allow]).toEqual([405, allow])
    const options = await served.ask('OPTIONS', path)
    expect([options.status, options.headers.allow]).toEqual([204, allow])
  })

  it.each([
    ['PUT', '/docs/a?x=1'],
    ['POST', '/docs?ttl=60&x=1'],
    ['GET', '/docs?key=a'],
  ])('%s %s: a parameter that nobody declared is 400', async (method, path) => {
    const served = await mount(memory())
    const answer = await served.ask(method, path, { body: method === 'PUT' ? 'x' : undefined })
    expect(answer.status).toBe(400)
    expect(answer.json<{ errors: { code: string }[] }>().errors[0]?.code).toBe('unknown')
  })

  it('reads metadata and bytes of one revision, whatever is written between', async () => {
    const inner = memory()
    let writes = 2
    const served = await mount(
      override(inner, {
        async get(key, options) {
          const doc = await inner.get(key, options)
          if (options.body === false && writes-- > 0) {
            await inner.put(key, Buffer.from('another length'), { type: 'text/x-other' })
          }
          return doc
        },
      }),
    )
    await served.store.put('a', '0123456789', { type: 'text/plain' })
    const etag = `"${(await inner.get('a', {}))!.rev}"`
    const part = await served.ask('GET', '/docs/a', { headers: { Range: 'bytes=0-6' } })
    expect([part.status, part.text, part.headers['content-type']]).toEqual([206, 'another', 'text/x-other'])
    expect(part.headers['content-range']).toBe('bytes 0-6/14')
    writes = 1
    const current = `"${(await inner.get('a', {}))!.rev}"`
    const whole = await served.ask('GET', '/docs/a', { headers: { Range: 'bytes=0-6', 'If-Range': current } })
    expect([whole.status, whole.text]).toEqual([200, 'another length'])
    expect(whole.headers['content-range']).toBeUndefined()
    expect(etag).not.toBe(current)
  })

  it('a write that lost a race is tried on what is there now', async () => {
    const inner = memory()
    let races = 3
    const served = await mount(
      override(inner, {
        async get(key, options) {
          const doc = await inner.get(key, options)
          if (races-- > 0) await inner.put(key, Buffer.from('between'), { type: 'text/plain' })
          return doc
        },
      }),
    )
    expect((await put(served, 'a', 'mine')).status).toBe(204)
    expect((await inner.get('a', {}))?.body).toEqual(new Uint8Array(Buffer.from('mine')))
    races = 3
    expect((await served.ask('DELETE', '/docs/a')).status).toBe(204)
    expect(await inner.get('a', {})).toBeUndefined()
  })

  it('lets go of what a client reads only a part of', async () => {
    const inner = file({ dir: createDirectory() })
    let open = 0
    let wake: () => void = () => undefined
    const served = await mount(
      override(inner, {
        async get(key, options) {
          const doc = await inner.get(key, options)
          if (!doc || doc.body instanceof Uint8Array) return doc
          open++
          const reader = doc.body.getReader()
          const body = new ReadableStream<Uint8Array>({
            async pull(controller) {
              const { done, value } = await reader.read()
              if (done) controller.close()
              else controller.enqueue(value)
            },
            async cancel() {
              await reader.cancel()
              open--
              wake()
            },
          })
          return { ...doc, body }
        },
      }),
    )
    await served.store.put('big', randomBytes(12 * 1024 ** 2))
    const over = new Promise<void>((resolve) => (wake = resolve))
    const { request, response } = begin(served.port, 'GET', '/docs/big')
    request.end()
    const answer = await response
    await once(answer, 'readable')
    answer.destroy()
    await over
    expect(open).toBe(0)
    const etag = String((await served.ask('HEAD', '/docs/big')).headers.etag)
    expect((await served.ask('GET', '/docs/big', { headers: { 'If-None-Match': etag } })).status).toBe(304)
    expect((await served.ask('GET', '/docs/big', { headers: { 'If-Match': '"x"' } })).status).toBe(412)
    expect(open).toBe(0)
  })

  it('HTML that was stored cannot run: sandboxed without an origin, its type not guessed', async () => {
    const served = await mount(memory())
    const headers = { 'Content-Type': 'text/html' }
    await served.ask('PUT', '/docs/a', { body: '<script>alert(1)</script>', headers })
    const read = await served.ask('GET', '/docs/a')
    isSafe(read)
    expect(read.headers['content-security-policy']).not.toMatch(/allow-(same-origin|scripts)/)
  })
})

describe('conditionOf(ctx)', () => {
  @Resource('/notes')
  class Notes {
    constructor(private readonly store: Store) {}

    @Put('/:key')
    async save(@Param('key') key: string, @Context() ctx: KoaContext, @Body() text: string) {
      const { rev } = await this.store.put(key, text, { type: 'text/plain', if: conditionOf(ctx as never) })
      return withETag({ key }, rev)
    }
  }

  it.each([
    ['nothing', 'known', {}, 200],
    ['nothing, a new key', 'new', {}, 200],
    ['If-None-Match: *', 'known', { 'If-None-Match': '*' }, 412],
    ['If-None-Match: *, a new key', 'new', { 'If-None-Match': ' * ' }, 200],
    ['If-Match: *', 'known', { 'If-Match': '*' }, 200],
    ['If-Match: *, a new key', 'new', { 'If-Match': '*' }, 412],
    ['If-Match: the tag', 'known', { 'If-Match': 'ETAG' }, 200],
    ['If-Match: another', 'known', { 'If-Match': '"x"' }, 412],
    ['If-Match: weak', 'known', { 'If-Match': 'W/ETAG' }, 412],
    ['If-Match: two', 'known', { 'If-Match': 'ETAG, "x"' }, 412],
    ['If-Match: malformed', 'known', { 'If-Match': 'ETAG"' }, 412],
    ['If-Match: no tag of this store', 'known', { 'If-Match': '"%zz"' }, 412],
    ['If-None-Match: a tag, which a store cannot ask for', 'known', { 'If-None-Match': 'ETAG' }, 412],
    ['both', 'known', { 'If-Match': 'ETAG', 'If-None-Match': '*' }, 412],
  ] as const)('%s', async (_what, key, conditions, status) => {
    const store = docstore(memory())
    const served = await serve(createApp({ resources: [new Notes(store)] }))
    const { rev } = await store.put('known', 'old')
    const headers: Record<string, string> = { 'Content-Type': 'text/plain' }
    for (const [name, value] of Object.entries(conditions)) headers[name] = value.replace('ETAG', `"${rev}"`)
    const answer = await served.ask('PUT', `/notes/${key}`, { body: 'new', headers })
    expect(answer.status).toBe(status)
    const doc = await store.get(key)
    const stored = doc && Buffer.from(doc.body as Uint8Array).toString()
    expect(stored).toBe(status === 200 ? 'new' : key === 'known' ? 'old' : undefined)
    if (status === 200) expect(answer.headers.etag).toBe(`"${doc?.rev}"`)
  })

  it('of 16 handlers at once with one entity tag exactly one writes', async () => {
    const store = docstore(memory())
    const served = await serve(createApp({ resources: [new Notes(store)] }))
    const { rev } = await store.put('a', 'old')
    const headers = { 'Content-Type': 'text/plain', 'If-Match': `"${rev}"` }
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => served.ask('PUT', '/notes/a', { body: `n${index}`, headers })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(15).fill(412)])
  })
})

const putInPieces = (
  served: Mounted,
  key: string,
  body: string,
  headers: Record<string, string>,
): ReturnType<typeof putChunked> => putChunked(served, `/docs/${key}`, [Buffer.from(body)], headers)

function slices(body: Buffer, size: number): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0; at < body.length; at += size) pieces.push(body.subarray(at, at + size))
  return pieces
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex')
}
