import fc from 'fast-check'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createApp, Get, NotFound, Resource } from 'kumu'
import { createClient, DecodeError, NetworkError, NotFoundError } from 'kumu/client'
import { readLines } from '../../src/client/lines'
import { closeAll, serve } from '../support/serve'
import { failureOf, record } from './support/server'

afterEach(closeAll)

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const row of rows) all.push(row)
  return all
}

/** Cut into pieces of this many bytes. */
async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('readLines(chunks)', () => {
  const text = fc
    .array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('\n', '\r\n', '\r', '\u2028', '😀', 'ä')))
    .map((parts) => parts.join(''))

  it('splits at LF whatever the pieces, inside characters too', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (content, size) => {
        const plain = content.replace(/^\ufeff/, '')
        const lines = plain.split('\n')
        if (lines.at(-1) === '') lines.pop()
        expect(await collect(readLines(chunked(Buffer.from(content), size)))).toEqual(lines)
      }),
      { numRuns: 300 },
    )
  })

  it('splits at CR, LF and CRLF where it is asked to', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 9 }), async (content, size) => {
        const lines = content.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)
        if (lines.at(-1) === '') lines.pop()
        expect(await collect(readLines(chunked(Buffer.from(content), size), 'any'))).toEqual(lines)
      }),
      { numRuns: 300 },
    )
  })

  it('takes time in proportion to the bytes of a long line', async () => {
    const bytes = Buffer.alloc(4 * 2 ** 20, 'x')
    const [line] = await collect(readLines(chunked(bytes, 256)))
    expect(line).toHaveLength(bytes.length)
  })
})

describe('stream(method, path, args)', () => {
  const values = [0, false, [], {}, '', null, 'ä😀', { a: [1, 'x'] }, 1.5]
  const body = Buffer.from(`\n${values.map((value) => JSON.stringify(value)).join('\r\n \t\n')}`)

  it.each([1, 2, 3, 7, 64, 32_768])('gives every value, falsy ones too, in pieces of %d bytes', async (size) => {
    const { url } = await record(async (_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
      for await (const chunk of chunked(body, size)) {
        if (!response.write(chunk)) await once(response, 'drain')
        await new Promise((resolve) => setImmediate(resolve))
      }
      response.end()
    })
    expect(await collect(createClient(url).stream('GET', '/rows'))).toEqual(values)
  })

  it('sends arguments as a request does', async () => {
    const { url, seen } = await record((_, response) => response.end())
    const api = createClient(url)
    await collect(api.stream('GET', '/rows', { a: 1 }))
    await collect(api.stream('POST', '/rows', { a: 1 }, { headers: { 'X-A': 'b' } }))
    expect(seen.map(({ method, url: target, body: sent }) => [method, target, sent])).toEqual([
      ['GET', '/rows?a=1', ''],
      ['POST', '/rows', '{"a":1}'],
    ])
    expect(seen[1]?.headers).toMatchObject({
      accept: expect.stringMatching(/^application\/x-ndjson,/) as string,
      'x-a': 'b',
    })
  })

  it('reads what a Kumu application streams', async () => {
    @Resource('/rows')
    class Rows {
      @Get() async *all() {
        for (let id = 0; id < 1000; id++) yield { id }
      }
      @Get('/none') none() {
        throw new NotFound('Nothing here')
      }
    }
    const { url } = await serve(createApp({ resources: [Rows] }))
    const api = createClient(url, { cache: true })
    expect(await collect(api.stream<{ id: number }>('GET', '/rows'))).toEqual(
      Array.from({ length: 1000 }, (_, id) => ({ id })),
    )
    const error = await failureOf(collect(api.stream('GET', '/rows/none')))
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ problem: { detail: 'Nothing here' } })
  })

  it('gives a value as soon as its line is there, and ends the connection where the reader leaves', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).write('1\n2\n')
      response.once('close', () => server.emit('left'))
    })
    const left = once(server, 'left')
    const { url } = await serve(server)
    for await (const value of createClient(url).stream('GET', '/')) {
      if (value === 2) break
    }
    await left
  })

  it('fails with the reason of its signal, and ends the connection', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).write('1\n')
      response.once('close', () => server.emit('left'))
    })
    const left = once(server, 'left')
    const { url } = await serve(server)
    const controller = new AbortController()
    const rows = createClient(url, { timeout: 5000 }).stream('GET', '/', undefined, { signal: controller.signal })
    expect(await rows.next()).toEqual({ done: false, value: 1 })
    const reason = new Error('enough')
    const next = failureOf(rows.next())
    controller.abort(reason)
    expect(await next).toBe(reason)
    await left
  })

  it.each([
    ['a line that is no JSON', '1\n{"a"\n2\n', 'line 2 of the answer is no JSON'],
    ['a last line that was cut', '1\n{"a"', 'line 2 of the answer is no JSON'],
  ])('fails at %s, behind the values before it', async (_, text, message) => {
    const { url } = await record((__, response) => response.end(text))
    const rows = createClient(url).stream('GET', '/')
    expect((await rows.next()).value).toBe(1)
    const error = await failureOf(rows.next())
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toMatch(message)
  })

  it('fails where the connection breaks', async () => {
    const { url } = await record((_, response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
      response.write('1\n', () => setImmediate(() => response.destroy()))
    })
    expect(await failureOf(collect(createClient(url).stream('GET', '/')))).toBeInstanceOf(NetworkError)
  })
})

it('a stream is not what the cache knows of its path', async () => {
  const { url, seen } = await record(({ headers }, response) => {
    const isLines = headers.accept?.startsWith('application/x-ndjson')
    if (headers['if-none-match']) return response.writeHead(304).end()
    return response
      .writeHead(200, { ETag: '"1"', 'Content-Type': isLines ? 'application/x-ndjson' : 'application/json' })
      .end(isLines ? '1\n2\n' : '[1,2]')
  })
  const api = createClient(url, { cache: true })
  expect(await api.get('/')).toEqual([1, 2])
  expect(await collect(api.stream('GET', '/'))).toEqual([1, 2])
  expect(seen).toHaveLength(2)
})
