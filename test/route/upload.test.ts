import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { HttpError } from '../../src/errors'
import type { BodyReader } from '../../src/route/body'
import type { Context } from '../../src/route/plan'
import { toFilename, UploadDirectory, UploadedFile } from '../../src/route/upload'
import { decodedBy, openSocket, startBodyServer, stopBodyServers, until, useTemporaryDirectory } from './body-server'

const unhandled: unknown[] = []
const onUnhandled = (reason: unknown): void => void unhandled.push(reason)
const temporary = useTemporaryDirectory()

beforeAll(() => process.on('unhandledRejection', onUnhandled))
afterAll(() => process.off('unhandledRejection', onUnhandled))
afterEach(async () => {
  await stopBodyServers()
  await until(() => temporary.list().length === 0)
  expect(unhandled).toEqual([])
})

interface Part {
  readonly head: string
  readonly body?: string | Buffer
}

function form(parts: readonly Part[], boundary = 'xyz'): Buffer {
  const pieces = parts.flatMap(({ head, body = '' }) => [`--${boundary}\r\n${head}\r\n\r\n`, body, '\r\n'])
  return Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece as string)))
}

function field(name: string, body: string | Buffer): Part {
  return { head: `Content-Disposition: form-data; name="${name}"`, body }
}

function file(name: string, filename: string, body: string | Buffer, type = 'image/png'): Part {
  return {
    head: `Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: ${type}`,
    body,
  }
}

const headers = { 'Content-Type': 'multipart/form-data; boundary=xyz' }
const withFile = { files: ['a', 'b'] }

describe('multipart/form-data', () => {
  it('is texts and files', async () => {
    const server = await startBodyServer({ plan: withFile })
    const answer = await server.send({
      headers,
      body: form([
        field('t', 'é'),
        file('a', 'x.png', Buffer.from([0, 255, 13, 10])),
        field('u[v]', '1'),
        field('t', '2'),
      ]),
    })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      value: { t: ['é', '2'], u: { v: '1' } },
      text: true,
      empty: false,
      mediaType: 'multipart/form-data',
      files: { a: [{ filename: 'x.png', type: 'image/png', size: 4, content: '\u0000ÿ\r\n' }] },
    })
  })

  it('comes from fetch', async () => {
    const server = await startBodyServer({ plan: withFile })
    const body = new FormData()
    body.append('t "q"\r\n', 'é\n')
    body.append('a', new Blob(['1'.repeat(300_000)], { type: 'text/plain' }), 'ä "q".txt')
    body.append('a', new Blob([]), 'empty')
    const answer = await server.send({ body })
    expect(answer.body).toMatchObject({
      value: { 't "q"\r\n': 'é\r\n' },
      files: {
        a: [
          { filename: 'ä "q".txt', type: 'text/plain', size: 300_000 },
          { filename: 'empty', size: 0, type: 'application/octet-stream' },
        ],
      },
    })
  })

  it.each([
    ['a quoted boundary', 'multipart/form-data; boundary="x y;z"', form([field('t', '1')], 'x y;z'), { t: '1' }],
    [
      'a preamble and an epilogue',
      headers['Content-Type'],
      `before\r\n${String(form([field('t', '1')]))}after`,
      { t: '1' },
    ],
    ['no part at all', headers['Content-Type'], '--xyz--\r\n', {}],
    ['an empty text', headers['Content-Type'], form([field('t', '')]), { t: '' }],
    [
      'a text that looks like a boundary',
      headers['Content-Type'],
      form([field('t', '\r\n--xy\r\n--xyzz\r\n-')]),
      { t: '\r\n--xy\r\n--xyzz\r\n-' },
    ],
    [
      'a field with a type',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name=t\r\nContent-Type: application/json', body: '{}' }]),
      { t: '{}' },
    ],
    [
      'a field in Latin-1',
      headers['Content-Type'],
      form([
        {
          head: 'content-disposition: form-data; name=t\r\ncontent-type: text/plain;charset=iso-8859-1',
          body: Buffer.from([0xe9]),
        },
      ]),
      { t: 'é' },
    ],
    [
      'an escaped name',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name="a\\"b%22c"', body: '1' }]),
      { 'a"b"c': '1' },
    ],
    [
      'a transfer encoding that is none',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name=t\r\nContent-Transfer-Encoding: 7bit', body: '1' }]),
      { t: '1' },
    ],
    [
      'an empty file input',
      headers['Content-Type'],
      form([file('a', '', '', 'application/octet-stream'), field('t', '1')]),
      { t: '1' },
    ],
    [
      'filename*, which counts for nothing',
      headers['Content-Type'],
      form([{ head: "Content-Disposition: form-data; name=t; filename*=UTF-8''x", body: '1' }]),
      { t: '1' },
    ],
  ])('takes %s', async (_name, type, body, value) => {
    const server = await startBodyServer({ plan: withFile })
    const answer = await server.send({ headers: { 'Content-Type': type }, body })
    expect(answer.body).toEqual({ value, text: true, empty: false, mediaType: 'multipart/form-data', files: {} })
  })

  it.each([
    ['x.png', 'x.png'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\temp\\x.png', 'x.png'],
    ['..', 'file'],
    ['a\u0000\tb', 'ab'],
    ['\u202Egnp.exe', 'gnp.exe'],
    ['%22q%22', '"q"'],
  ])('a file called %j is called %j', async (sent, filename) => {
    const server = await startBodyServer({ plan: withFile })
    const answer = await server.send({ headers, body: form([file('a', sent, '1')]) })
    expect(answer.body.files).toMatchObject({ a: [{ filename }] })
  })

  it.each([
    ['no boundary', 'multipart/form-data', form([]), 400, 'syntax'],
    ['an empty boundary', 'multipart/form-data; boundary=""', form([]), 400, 'syntax'],
    ['another boundary', 'multipart/form-data; boundary=abc', form([field('t', '1')]), 400, 'syntax'],
    ['no end', headers['Content-Type'], form([field('t', '1')]).subarray(0, -10), 400, 'syntax'],
    ['no content', headers['Content-Type'], '', 400, 'required'],
    ['rubbish', headers['Content-Type'], 'hunter2', 400, 'syntax'],
    ['a part without head', headers['Content-Type'], '--xyz\r\n\r\n1\r\n--xyz--\r\n', 400, 'syntax'],
    ['a part without name', headers['Content-Type'], form([{ head: 'Content-Disposition: form-data' }]), 400, 'syntax'],
    [
      'a part that is an attachment',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: attachment; name=t' }]),
      400,
      'syntax',
    ],
    [
      'an unclosed quote',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name="t' }]),
      400,
      'syntax',
    ],
    ['a bad header name', headers['Content-Type'], form([{ head: 'X 1: 2' }]), 400, 'syntax'],
    ['a name of a prototype', headers['Content-Type'], form([field('__proto__', '1')]), 400, 'unknown'],
    ['a name within a prototype', headers['Content-Type'], form([field('a[__proto__][b]', '1')]), 400, 'unknown'],
    ['a constructor', headers['Content-Type'], form([field('constructor', '1')]), 400, 'unknown'],
    ['a malformed text', headers['Content-Type'], form([field('t', Buffer.from([0xff]))]), 400, 'charset'],
    [
      'a text in an unknown charset',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name=t\r\nContent-Type: text/plain;charset=klingon' }]),
      415,
      'charset',
    ],
    [
      'base64',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name=t\r\nContent-Transfer-Encoding: base64', body: 'YQ==' }]),
      400,
      'coding',
    ],
    [
      'an encoding that crashed somebody',
      headers['Content-Type'],
      form([{ head: 'Content-Disposition: form-data; name=t\r\nContent-Transfer-Encoding: x', body: 'a' }]),
      400,
      'coding',
    ],
    ['a nameless file with content', headers['Content-Type'], form([file('a', '', 'x')]), 400, 'syntax'],
    [
      'a head without end',
      headers['Content-Type'],
      `--xyz\r\nContent-Disposition: ${'x'.repeat(200_000)}`,
      400,
      'syntax',
    ],
    ['a file nobody declared', headers['Content-Type'], form([file('c', 'x', '1')]), 422, 'unknown'],
    ['a file called __proto__', headers['Content-Type'], form([file('__proto__', 'x', '1')]), 422, 'unknown'],
  ])('with %s is refused', async (_name, type, body, status, code) => {
    const server = await startBodyServer({ plan: withFile })
    const answer = await server.send({ headers: { 'Content-Type': type }, body })
    expect(answer.status).toBe(status)
    expect(answer.body.code).toBe(code)
    expect(JSON.stringify(answer.body)).not.toContain('hunter2')
    expect(temporary.list()).toEqual([])
    expect(server.failures).toEqual([])
  })

  it('names the file that nobody declared', async () => {
    const server = await startBodyServer({ plan: withFile })
    const answer = await server.send({ headers, body: form([file('a', 'x', '1'), file('c/d', 'x', '1')]) })
    expect(answer.body.errors).toMatchObject([{ in: 'body', pointer: '/c~1d', code: 'unknown' }])
  })

  it('is 415 where no upload is declared, and nothing is written', async () => {
    const server = await startBodyServer({ plan: { consumes: ['*/*'] } })
    const answer = await server.send({ headers, body: form([file('a', 'x', '1'.repeat(100_000))]) })
    expect(answer.status).toBe(415)
    expect(temporary.list()).toEqual([])
  })

  it('is texts alone where the route consumes it and declares no file', async () => {
    const server = await startBodyServer({ plan: { consumes: ['multipart/form-data'] } })
    expect((await server.send({ headers, body: form([field('t', '1')]) })).body.value).toEqual({ t: '1' })
    expect((await server.send({ headers, body: form([file('t', 'x', '1')]) })).status).toBe(422)
  })

  it('is all that a route with files takes, unless it says so', async () => {
    const upload = await startBodyServer({ plan: withFile })
    const refused = await upload.send({ headers: { 'Content-Type': 'application/json' }, body: '{}' })
    expect(refused.status).toBe(415)
    expect(refused.headers.get('accept-post')).toBe('multipart/form-data')
    const both = await startBodyServer({ plan: { ...withFile, consumes: ['multipart/form-data', 'application/json'] } })
    expect((await both.send({ headers: { 'Content-Type': 'application/json' }, body: '{}' })).body.value).toEqual({})
    expect((await both.send({ headers, body: form([file('a', 'x', '1')]) })).status).toBe(200)
  })

  it('with a content coding is 415 that asks for none', async () => {
    const server = await startBodyServer({ plan: withFile })
    const body = gzipSync(form([field('t', '1')]))
    const answer = await server.send({ headers: { ...headers, 'Content-Encoding': 'gzip' }, body })
    expect(answer.status).toBe(415)
    expect(answer.headers.get('accept-encoding')).toBe('identity')
  })

  it('is there raw as well, from memory', async () => {
    const handle = async (reader: BodyReader, ctx: Context): Promise<unknown> => {
      const { files, value } = await decodedBy(reader, ctx)
      return { raw: (await reader.raw(ctx)).length, size: files?.get('a')?.[0]?.size, value }
    }
    const server = await startBodyServer({ plan: { ...withFile, raw: 'also' }, handle })
    const body = form([file('a', 'x', '123'), field('t', '1')])
    expect((await server.send({ headers, body })).body).toEqual({ raw: body.length, size: 3, value: { t: '1' } })
  })
})

describe('limits of a multipart body', () => {
  it.each([
    ['parts', { parts: 2 }, [field('t', '1'), field('u', '1')], field('v', '1')],
    ['parts, empty file inputs among them', { parts: 2 }, [field('t', '1'), file('a', '', '')], file('a', '', '')],
    ['files', { files: 1 }, [file('a', 'x', '1')], file('a', 'y', '2')],
    ['fileSize', { fileSize: 1000 }, [file('a', 'x', '1'.repeat(1000))], file('b', 'x', '1'.repeat(1001))],
    ['body, of the texts', { body: 1000 }, [field('t', '1'.repeat(999))], field('u', '1')],
  ])('%s', async (_name, limits, within, beyond) => {
    const server = await startBodyServer({ plan: withFile, limits })
    expect((await server.send({ headers, body: form(within) })).status).toBe(200)
    await until(() => temporary.list().length === 0)
    const answer = await server.send({ headers, body: form([...within, beyond]) })
    expect(answer.status).toBe(413)
    expect(temporary.list()).toEqual([])
  })

  it('its length is bounded by its parts, before a byte is sent', async () => {
    const server = await startBodyServer({ plan: withFile, limits: { body: 1000, parts: 2, files: 1, fileSize: 1000 } })
    const socket = await openSocket(server.port)
    const type = headers['Content-Type']
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 1000000\r\n\r\n`)
    expect(await socket.answer()).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  })

  it('a file beyond fileSize is 413 while it still comes, and the connection stays fit', async () => {
    const server = await startBodyServer({ plan: withFile, limits: { fileSize: 100_000 } })
    const socket = await openSocket(server.port)
    const head = `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${headers['Content-Type']}\r\n`
    socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n`)
    const chunk = (data: string): boolean => socket.write(`${data.length.toString(16)}\r\n${data}\r\n`)
    chunk('--xyz\r\nContent-Disposition: form-data; name=a; filename=x\r\n\r\n')
    for (let i = 0; i < 11; i++) chunk('1'.repeat(10_000))
    expect(await socket.answer()).toMatch(/^HTTP\/1.1 413 /)
    expect(temporary.list()).toEqual([])
    for (let i = 0; i < 20; i++) chunk('1'.repeat(10_000))
    socket.write('0\r\n\r\n')
    const next = form([field('t', '1')])
    socket.write(`${head}Content-Length: ${next.length}\r\n\r\n${next.toString()}`)
    await until(() => server.outcomes.length === 2)
    expect(server.outcomes[1]).toMatchObject({ value: { t: '1' } })
    socket.destroy()
  })
})

describe('temporary files', () => {
  it('are private, and gone once the answer is out', async () => {
    let seen: { file: number; directory: number; inside: boolean } | undefined
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => {
        const path = (await decodedBy(reader, ctx)).files?.get('a')?.[0]?.path ?? ''
        const directory = join(path, '..')
        seen = {
          file: (await stat(path)).mode & 0o777,
          directory: (await stat(directory)).mode & 0o777,
          inside: directory.startsWith(temporary.path) && !path.includes('x.png'),
        }
        return {}
      },
    })
    expect((await server.send({ headers, body: form([file('a', 'x.png', '1')]) })).status).toBe(200)
    expect(seen).toEqual({ file: 0o600, directory: 0o700, inside: true })
    await until(() => temporary.list().length === 0)
  })

  it('are there while the answer streams from one of them', async () => {
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => (await decodedBy(reader, ctx)).files?.get('a')?.[0]?.stream(),
    })
    const response = await fetch(server.url, {
      method: 'POST',
      headers,
      body: form([file('a', 'x', 'z'.repeat(1_000_000))]),
    })
    expect((await response.text()).length).toBe(1_000_000)
    await until(() => temporary.list().length === 0)
  })

  it.each([
    ['an HttpError', () => new HttpError(409)],
    ['any other', () => new Error('boom')],
  ])('are gone after a handler that threw %s', async (_name, error) => {
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => {
        await decodedBy(reader, ctx)
        expect(temporary.list()).toHaveLength(1)
        throw error()
      },
    })
    expect((await server.send({ headers, body: form([file('a', 'x', '1')]) })).status).toBeGreaterThanOrEqual(409)
    await until(() => temporary.list().length === 0)
  })

  it('are gone after the client left in the middle of one', async () => {
    const server = await startBodyServer({ plan: withFile })
    const socket = await openSocket(server.port)
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${headers['Content-Type']}\r\nContent-Length: 900000\r\n\r\n`,
    )
    socket.write(form([file('a', 'x', '1'.repeat(100_000)), file('b', 'y', '2')]).subarray(0, -20))
    socket.write('3'.repeat(100_000))
    await until(() => temporary.list().length === 1)
    socket.destroy()
    await until(() => server.outcomes.length === 1)
    expect(server.outcomes[0]).toMatchObject({ code: 'aborted' })
    expect(temporary.list()).toEqual([])
  })

  it('are gone after the client left while the handler worked', async () => {
    let isRead = false
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => {
        await decodedBy(reader, ctx)
        isRead = true
        await once(ctx.res, 'close')
        return {}
      },
    })
    const socket = await openSocket(server.port)
    const body = form([file('a', 'x', '1')])
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${headers['Content-Type']}\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    socket.write(body)
    await until(() => isRead)
    expect(temporary.list()).toHaveLength(1)
    socket.destroy()
    await until(() => server.outcomes.length === 1 && temporary.list().length === 0)
  })

  it('are one directory a request, and none for texts alone', async () => {
    let directories = -1
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => {
        await decodedBy(reader, ctx)
        directories = temporary.list().length
        return {}
      },
    })
    await server.send({ headers, body: form([field('t', '1')]) })
    expect(directories).toBe(0)
    await server.send({ headers, body: form([file('a', 'x', '1'), file('a', 'y', '2')]) })
    expect(directories).toBe(1)
  })

  it('that cannot be made are 500, and no fault of the client', async () => {
    const server = await startBodyServer({ plan: withFile })
    jest.mocked(os.tmpdir).mockReturnValueOnce(join(temporary.path, 'missing'))
    expect((await server.send({ headers, body: form([file('a', 'x', '1')]) })).status).toBe(500)
    expect(server.failures).toMatchObject([{ code: 'ENOENT' }])
  })

  it('arrive whole under back-pressure, many at a time', async () => {
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => {
        const [uploaded] = (await decodedBy(reader, ctx)).files?.get('a') ?? []
        const content = (await uploaded?.bytes()) ?? Buffer.alloc(0)
        return { size: uploaded?.size, whole: content.every((byte, index) => byte === index % 251) }
      },
    })
    const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 251))
    const answers = await Promise.all(
      [1, 2, 3].map(() => server.send({ headers, body: form([file('a', 'x', content)]) })),
    )
    for (const { body } of answers) expect(body).toEqual({ size: content.length, whole: true })
  })
})

describe('UploadedFile', () => {
  let directory = ''
  beforeEach(async () => {
    directory = await mkdtemp(join(temporary.path, 'kept-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('gives its content at once and as a stream', async () => {
    const path = join(directory, 'x')
    await writeFile(path, 'abc')
    const uploaded = new UploadedFile('a', 'x.txt', 'text/plain', 3, path)
    expect((await uploaded.bytes()).toString()).toBe('abc')
    expect((await buffer(uploaded.stream())).toString()).toBe('abc')
    expect({ ...uploaded }).toEqual({ field: 'a', filename: 'x.txt', type: 'text/plain', size: 3 })
  })

  it('moveTo(path) keeps it beyond the answer', async () => {
    const target = join(directory, 'kept')
    const server = await startBodyServer({
      plan: withFile,
      handle: async (reader, ctx) => {
        const [uploaded] = (await decodedBy(reader, ctx)).files?.get('a') ?? []
        await uploaded?.moveTo(target)
        return { path: uploaded?.path, content: (await uploaded?.bytes())?.toString() }
      },
    })
    const answer = await server.send({ headers, body: form([file('a', 'x', 'abc'), file('b', 'y', '')]) })
    expect(answer.body).toEqual({ path: target, content: 'abc' })
    await until(() => temporary.list().filter((name) => name.startsWith('kumu-')).length === 0)
    expect(await readFile(target, 'utf8')).toBe('abc')
    expect((await stat(target)).mode & 0o777).toBe(0o600)
  })

  it('moveTo(path) into nowhere throws and leaves it where it was', async () => {
    const path = join(directory, 'x')
    await writeFile(path, 'abc')
    const uploaded = new UploadedFile('a', 'x.txt', 'text/plain', 3, path)
    await expect(uploaded.moveTo(join(directory, 'no', 'where'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(uploaded.path).toBe(path)
  })
})

describe('UploadDirectory', () => {
  it('makes nothing before its first file, and takes none after its end', async () => {
    const directory = new UploadDirectory()
    expect(temporary.list()).toEqual([])
    await directory.remove()
    await expect(directory.create()).rejects.toThrow('over')
    expect(temporary.list()).toEqual([])
  })

  it('removes files that are still open, and itself', async () => {
    const directory = new UploadDirectory()
    const { handle, path } = await directory.create()
    await handle.appendFile('abc')
    await directory.remove()
    await directory.remove()
    await handle.close()
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(temporary.list()).toEqual([])
  })
})

describe('toFilename(name)', () => {
  it.each([
    ['a.txt', 'a.txt'],
    ['a/b\\c.txt', 'c.txt'],
    ['/', 'file'],
    ['', 'file'],
    ['.', 'file'],
    ['...', '...'],
    ['.htaccess', '.htaccess'],
    [' a ', 'a'],
    ['a\r\nSet-Cookie: b', 'aSet-Cookie: b'],
    ['\u0085\u009f', 'file'],
    ['x'.repeat(300), 'x'.repeat(255)],
  ])('%j is %j', (name, filename) => {
    expect(toFilename(name)).toBe(filename)
  })
})
