import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Agent } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cleanUp, createDirectory, launch, start, type Running } from './showcase/support/launch'
import { begin, openEvents, readBody } from './support/exchange'
import type { Answer } from './support/serve'

const run = promisify(execFile)

interface Problem {
  readonly detail?: string
  readonly requestId: string
  readonly errors?: ReadonlyArray<{ readonly in: string; readonly pointer: string; readonly code: string }>
}

const faults = (answer: Answer): string[] =>
  (answer.json<Problem>().errors ?? []).map(({ in: source, pointer, code }) => `${source} ${pointer} ${code}`).sort()

function linkOf(header: unknown, rel: string): string {
  return new RegExp(`<([^>]*)>; rel="?${rel}"?`).exec(String(header))?.[1] ?? ''
}

function multipart(
  title: string | undefined,
  content: Buffer | undefined,
): { body: Buffer; headers: Record<string, string> } {
  const pieces: Array<string | Buffer> = []
  if (title !== undefined) pieces.push(`--XyZ\r\nContent-Disposition: form-data; name="title"\r\n\r\n${title}\r\n`)
  if (content !== undefined) {
    pieces.push(
      '--XyZ\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\nContent-Type: image/x-own\r\n\r\n',
    )
    pieces.push(content, '\r\n')
  }
  pieces.push('--XyZ--\r\n')
  return {
    body: Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))),
    headers: { 'Content-Type': 'multipart/form-data; boundary=XyZ' },
  }
}

describe('npm start: what it prints', () => {
  afterEach(cleanUp)

  it('the address and three commands, each of which works', async () => {
    const { url, out, err } = await start()
    expect(out()).toContain(url)
    const commands = out()
      .split('\n')
      .filter((line) => line.trim().startsWith('curl '))
    expect(commands).toHaveLength(3)
    const answers = await Promise.all(commands.map((command) => run('sh', ['-c', command.trim()])))
    const statuses = answers.map(({ stdout }) => /^HTTP\/1\.1 (\d+)/.exec(stdout)?.[1])
    expect(statuses).toEqual(['200', '206', '201'])
    expect(answers[0]?.stdout).toContain('{"id":7,"hello":"world"}')
    expect(answers[2]?.stdout).toMatch(/location: \/files\/greeting/i)
    const { stdout } = await run('curl', ['-s', `${url}/files/greeting`])
    expect(stdout).toBe('Hello there')
    expect(err()).toBe('')
  })

  it('its data are in ./data where nobody says otherwise', async () => {
    const cwd = createDirectory()
    const served = await start({ DATA_DIR: './data' }, cwd)
    expect((await served.ask('PUT', '/files/a', { body: 'x' })).status).toBe(201)
    expect(existsSync(join(cwd, 'data', 'files'))).toBe(true)
  })

  it('a port in use is said, with exit code 1', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { exit, out, err } = launch({ PORT: String(port), DATA_DIR: createDirectory() })
    expect(await exit).toEqual({ code: 1, signal: null })
    expect(err()).toMatch(new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`))
    expect(err()).not.toMatch(/\n {4}at /)
    expect(out()).toBe('')
    other.close()
    await once(other, 'close')
  })

  it.each<Record<string, string>>([
    { STORE_URL: 'mysql://root:hunter2@127.0.0.1/test' },
    { STORE_URL: 'postgres://127.0.0.1/test', STORE_NAMESPACE: 'No Name' },
  ])('%p is refused with what there is, in one line, and exit code 1', async (environment) => {
    const { exit, out, err } = launch({ PORT: '0', DATA_DIR: createDirectory(), ...environment })
    expect(await exit).toEqual({ code: 1, signal: null })
    expect(err()).toMatch(/^Cannot start: STORE_[A-Z]+ .*\n$/)
    expect(err()).not.toContain('hunter2')
    expect(out()).toBe('')
  })
})

describe('npm start: the routes', () => {
  let served: Running

  // One process for all of them: no test leaves anything that another one reads.
  beforeAll(async () => {
    served = await start()
  })

  afterAll(cleanUp)

  it('GET /hello/:id', async () => {
    const hello = await served.ask('GET', '/hello/7')
    expect([hello.status, hello.text]).toEqual([200, '{"id":7,"hello":"world"}'])
    expect((await served.ask('GET', '/hello/0')).json()).toEqual({ id: 0, hello: 'world' })
    expect((await served.ask('GET', '/hello/9007199254740991')).status).toBe(200)
    for (const id of ['-1', '1.5', 'x', '9007199254740993', '1e400', '%207', '0x7', 'NaN']) {
      expect([id, (await served.ask('GET', `/hello/${id}`)).status]).toEqual([id, 400])
    }
    const xml = await served.ask('GET', '/hello/7', { headers: { Accept: 'application/xml' } })
    expect(xml.text).toMatch(/<response[^>]*><id>7<\/id><hello>world<\/hello><\/response>/)
    expect((await served.ask('GET', '/hello')).status).toBe(404)
    expect((await served.ask('HEAD', '/hello/7')).headers['content-length']).toBe(hello.headers['content-length'])
    const wrong = await served.ask('POST', '/hello/7')
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
  })

  it('/employees', async () => {
    const empty = await served.ask('GET', '/employees')
    expect([empty.status, empty.text, empty.headers['content-range']]).toEqual([200, '[]', 'employees */0'])

    const ann = { name: 'Ann & Bob', position: 'boss' }
    const created = await served.ask('POST', '/employees', { body: ann })
    expect([created.status, created.json()]).toEqual([201, ann])
    expect(created.headers.location).toBe('/employees?name=Ann%20%26%20Bob')
    expect((await served.ask('GET', String(created.headers.location))).json()).toEqual([ann])
    expect((await served.ask('POST', '/employees', { body: ann })).status).toBe(409)

    const xml = { 'Content-Type': 'application/xml', Accept: 'application/xml' }
    const body = '<employee><name>Cid</name><position>clerk</position></employee>'
    const inXml = await served.ask('POST', '/employees', { body, headers: xml })
    expect([inXml.status, inXml.headers['content-type']]).toEqual([201, 'application/xml; charset=utf-8'])
    expect(inXml.text).toMatch(/<name>Cid<\/name><position>clerk<\/position>/)
    await served.ask('POST', '/employees', { body: { name: 'Dora', position: 'clerk' } })

    const names = async (query: string): Promise<string[]> =>
      (await served.ask('GET', `/employees?${query}`)).json<{ name: string }[]>().map(({ name }) => name)
    expect(await names('position=clerk')).toEqual(['Cid', 'Dora'])
    expect(await names('position=clerk&name=Cid')).toEqual(['Cid'])
    expect(await names('sort=-name')).toEqual(['Dora', 'Cid', 'Ann & Bob'])
    expect((await served.ask('GET', '/employees?fields=position&name=Cid')).json()).toEqual([{ position: 'clerk' }])
    const page = await served.ask('GET', '/employees', { headers: { Range: 'employees=1-1' } })
    expect([page.status, page.headers['content-range'], page.json()]).toEqual([
      206,
      'employees 1-1/3',
      [{ name: 'Cid', position: 'clerk' }],
    ])
    const listed = await served.ask('GET', '/employees', { headers: { Accept: 'application/xml' } })
    expect(listed.text).toMatch(/<item><name>Ann (&amp;|&#38;) Bob<\/name>/)

    for (const [wrong, violations] of [
      [{}, ['body /name required', 'body /position required']],
      [{ name: '', position: 'x' }, ['body /name isLength']],
      [{ name: 'x'.repeat(81), position: 'x' }, ['body /name isLength']],
      [{ name: 'E', position: 'x', salary: 1 }, ['body /salary unknown']],
      [{ name: 1, position: 'x' }, ['body /name isString']],
    ] as const) {
      const answer = await served.ask('POST', '/employees', { body: wrong })
      expect(answer.status).toBe(422)
      expect(faults(answer)).toEqual(expect.arrayContaining([...violations]))
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const answer = await served.ask(method, '/employees', { body: method === 'DELETE' ? undefined : ann })
      expect([method, answer.status === 405 || answer.status === 501]).toEqual([method, true])
      expect(answer.headers.allow).toBe('GET, HEAD, POST, OPTIONS')
      if (method !== 'PATCH') expect(answer.status).toBe(405)
    }
    for (const query of ['limit=-1', 'limit=x', 'offset=1&range=1-2', 'sort=salary', 'unknown=1']) {
      expect([query, (await served.ask('GET', `/employees?${query}`)).status]).toEqual([query, 400])
    }
    expect((await served.ask('GET', '/employees?offset=3')).status).toBe(416)
  })

  it.each(['/memory', '/files', '/level'])('%s', async (mount) => {
    const text = { 'Content-Type': 'text/plain' }
    expect((await served.ask('PUT', `${mount}/a`, { body: 'x', headers: text })).status).toBe(201)
    const read = await served.ask('GET', `${mount}/a`)
    expect([read.status, read.text, read.headers['content-type']]).toEqual([200, 'x', 'text/plain'])
    const etag = String(read.headers.etag)
    expect((await served.ask('GET', `${mount}/a`, { headers: { 'If-None-Match': etag } })).status).toBe(304)
    expect((await served.ask('PUT', `${mount}/a`, { body: 'y', headers: { 'If-Match': '"x"' } })).status).toBe(412)
    expect((await served.ask('PUT', `${mount}/a`, { body: 'y', headers: { 'If-Match': etag } })).status).toBe(204)
    const created = await served.ask('POST', mount, { body: 'z' })
    expect([created.status, created.headers.location]).toEqual([201, `${mount}/${created.text}`])
    const list = await served.ask('GET', mount)
    expect(list.json<{ key: string }[]>().map(({ key }) => key)).toEqual([created.text, 'a'].sort())
    const feed = await openEvents(served.port, `${mount}?watch`)
    expect(feed.status).toBe(mount === '/files' ? 501 : 200)
    if (feed.status === 200) {
      await served.ask('PUT', `${mount}/b?ttl=60`, { body: 'x' })
      expect(await feed.next()).toMatchObject({ event: 'put', data: expect.stringContaining('"key":"b"') as string })
    }
    feed.leave()
    for (const key of ['a', 'b', created.text]) await served.ask('DELETE', `${mount}/${key}`)
    expect((await served.ask('GET', mount)).json()).toEqual([])
    expect((await served.ask('PUT', `${mount}/a.b`, { body: 'x' })).status).toBe(400)
  })

  it('/books', async () => {
    const book = { isbn: '978-3-16-148410-0', title: 'Trees', year: 2009, authors: ['Ada', 'Bob'] }
    const headers = { 'Idempotency-Key': 'first' }
    const created = await served.ask('POST', '/books', { body: book, headers })
    const { id } = created.json<{ id: string }>()
    expect([created.status, created.json(), created.headers.location]).toEqual([201, { id, ...book }, `/books/${id}`])
    const again = await served.ask('POST', '/books', { body: book, headers })
    expect([again.status, again.text]).toEqual([201, created.text])
    expect((await served.ask('POST', '/books', { body: { ...book, year: 1 }, headers })).status).toBe(422)

    const etag = String(created.headers.etag)
    const path = `/books/${id}`
    expect((await served.ask('GET', path, { headers: { 'If-None-Match': etag } })).status).toBe(304)
    const feed = await openEvents(served.port, '/books')
    const renamed = await served.ask('PATCH', path, {
      body: { title: 'Trunks', year: null },
      headers: { 'Content-Type': 'application/merge-patch+json', 'If-Match': etag },
    })
    const { year: _year, ...rest } = book
    expect([renamed.status, renamed.json()]).toEqual([200, { id, ...rest, title: 'Trunks' }])
    const sent = await feed.next()
    expect([sent?.event, JSON.parse(sent?.data ?? '')]).toMatchObject(['put', { key: id, value: { title: 'Trunks' } }])
    feed.leave()
    const authors = await served.ask('PATCH', path, {
      body: [
        { op: 'test', path: '/title', value: 'Trunks' },
        { op: 'add', path: '/authors/-', value: 'Cid' },
      ],
      headers: { 'Content-Type': 'application/json-patch+json' },
    })
    expect(authors.json()).toMatchObject({ authors: ['Ada', 'Bob', 'Cid'] })
    expect((await served.ask('PUT', path, { body: book, headers: { 'If-Match': etag } })).status).toBe(412)
    expect((await served.ask('PUT', path, { body: book })).status).toBe(200)
    expect((await served.ask('GET', '/books?year=2009&fields=title&sort=-title')).json()).toEqual([{ title: 'Trees' }])

    for (const [wrong, violations] of [
      [{ ...book, isbn: '1' }, ['body /isbn isIsbn']],
      [{ ...book, title: 'x'.repeat(201) }, ['body /title isLength']],
      [{ ...book, year: 10_000 }, ['body /year max']],
      [{ ...book, year: null }, ['body /year type']],
      [{ ...book, authors: [] }, ['body /authors arrayMinSize']],
      [{ ...book, authors: Array(21).fill('x') }, ['body /authors arrayMaxSize']],
      [{ ...book, price: 1 }, ['body /price unknown']],
    ] as const) {
      const answer = await served.ask('POST', '/books', { body: wrong })
      expect([answer.status, faults(answer)]).toEqual([422, [...violations]])
    }
    expect((await served.ask('DELETE', path)).status).toBe(204)
    const empty = await served.ask('GET', '/books')
    expect([empty.status, empty.json(), empty.headers['content-range']]).toEqual([200, [], 'books */0'])
  })

  it('GET /fruits', async () => {
    for (const [query, expected] of [
      ['name=apple&amount=1.5', { name: 'apple', otherNames: [], isCitrus: false, amount: 1.5 }],
      ['name=a&amount=2&alias=x&alias=y', { name: 'a', otherNames: ['x', 'y'], isCitrus: false, amount: 2 }],
      ['name=a&amount=-2e3&is-citrus=YES', { name: 'a', otherNames: [], isCitrus: true, amount: -2000 }],
      ['name=&amount=0&is-citrus=off&alias=', { name: '', otherNames: [''], isCitrus: false, amount: 0 }],
    ] as const) {
      const answer = await served.ask('GET', `/fruits?${query}`)
      expect([query, answer.status, answer.json()]).toEqual([query, 200, expected])
    }
    for (const [query, violations] of [
      ['', ['query /amount required', 'query /name required']],
      ['name=a', ['query /amount required']],
      ['name=a&amount=x', ['query /amount type']],
      ['name=a&amount=Infinity', ['query /amount type']],
      ['name=a&amount=1&is-citrus=maybe', ['query /is-citrus type']],
      ['name=a&name=b&amount=1', ['query /name type']],
      ['name=a&amount=1&otherNames=x', ['query /otherNames unknown']],
      ['name=a&amount=1&__proto__=x', ['query /__proto__ unknown']],
    ] as const) {
      const answer = await served.ask('GET', `/fruits?${query}`)
      expect([query, answer.status]).toEqual([query, 400])
      expect([query, faults(answer).length]).toEqual([query, violations.length])
      expect(faults(answer).map((fault) => fault.replace(/ \w+$/, ''))).toEqual(
        violations.map((fault) => fault.replace(/ \w+$/, '')),
      )
    }
  })

  it('POST /fruits', async () => {
    const fruit = { name: 'apple', supply: { kg: 3, from: ['x'] }, country_code: 'USA' }
    const created = await served.ask('POST', '/fruits', { body: fruit })
    expect([created.status, created.json()]).toEqual([
      201,
      { name: 'apple', otherNames: [], supply: fruit.supply, origin: 'United States of America' },
    ])
    const other = await served.ask('POST', '/fruits', {
      body: { ...fruit, 'other-names': ['a', 'b'], country_code: 'MEX' },
    })
    expect(other.json()).toMatchObject({ otherNames: ['a', 'b'], origin: 'Mexico' })
    for (const code of ['FRA', '', '__proto__', 'constructor', 'usa']) {
      const refused = await served.ask('POST', '/fruits', { body: { ...fruit, country_code: code } })
      expect([code, refused.status]).toEqual([code, 400])
      expect(refused.text).toContain('Invalid origin')
    }
    for (const supply of ['much', 1, [], ['x']]) {
      const refused = await served.ask('POST', '/fruits', { body: { ...fruit, supply } })
      expect([supply, refused.status]).toEqual([supply, 400])
    }
    for (const wrong of [
      {},
      { ...fruit, name: 1 },
      { ...fruit, supply: undefined },
      { ...fruit, 'other-names': 'a' },
      { ...fruit, 'other-names': [1] },
      { ...fruit, country_code: 1 },
      { ...fruit, otherNames: [] },
      [fruit],
      'null',
    ]) {
      const headers = { 'Content-Type': 'application/json' }
      const refused = await served.ask('POST', '/fruits', { body: wrong, headers })
      expect([wrong, refused.status]).toEqual([wrong, 422])
    }
    expect((await served.ask('POST', '/fruits')).status).toBe(400)
    expect((await served.ask('POST', '/fruits', { body: 'x', headers: { 'Content-Type': 'text/plain' } })).status).toBe(
      415,
    )
  })

  it('POST /users, GET /users/:id', async () => {
    const user = {
      name: 'Ann',
      email: 'ann@example.com',
      age: 40,
      tags: ['a', 'b'],
      address: { street: 'Main St 1', city: 'X', zip: '12345' },
      role: 'editor',
    }
    const created = await served.ask('POST', '/users', { body: user })
    const { id, ...rest } = created.json<typeof user & { id: string }>()
    expect([created.status, rest, created.headers.location]).toEqual([201, user, `/users/${id}`])
    expect((await served.ask('GET', `/users/${id}`)).json()).toEqual({ ...user, id })
    for (const unknown of ['nobody', '__proto__', 'constructor', '00000000-0000-4000-8000-000000000000']) {
      expect((await served.ask('GET', `/users/${unknown}`)).status).toBe(404)
    }
    for (const [pointer, wrong] of [
      ['/name', { ...user, name: '' }],
      ['/name', { ...user, name: 'x'.repeat(81) }],
      ['/email', { ...user, email: 'nobody' }],
      ['/age', { ...user, age: 151 }],
      ['/age', { ...user, age: -1 }],
      ['/age', { ...user, age: 1.5 }],
      ['/age', { ...user, age: '40' }],
      ['/tags', { ...user, tags: Array<string>(11).fill('x') }],
      ['/tags', { ...user, tags: 'x' }],
      ['/address/zip', { ...user, address: { ...user.address, zip: '1234\n5' } }],
      ['/address/zip', { ...user, address: { ...user.address, zip: '12345\n' } }],
      ['/address/street', { ...user, address: { city: 'X', zip: '12345' } }],
      ['/address', { ...user, address: 'X' }],
      ['/address', { ...user, address: null }],
      ['/address/country', { ...user, address: { ...user.address, country: 'DE' } }],
      ['/role', { ...user, role: 'root' }],
      ['/isAdmin', { ...user, isAdmin: true }],
    ] as const) {
      const refused = await served.ask('POST', '/users', { body: wrong })
      expect([pointer, refused.status]).toEqual([pointer, 422])
      expect(refused.json<Problem>().errors?.map((fault) => fault.pointer)).toContain(pointer)
      expect(refused.text).not.toContain('nobody')
    }
  })

  it('GET /items', async () => {
    const first = await served.ask('GET', '/items')
    expect([first.status, first.headers['content-range'], first.json<unknown[]>().length]).toEqual([
      206,
      'items 0-49/10000',
      50,
    ])
    expect(first.json<object[]>()[0]).toEqual({ id: 1, name: 'Item 1', price: expect.any(Number) as number })
    expect(linkOf(first.headers.link, 'next')).toBe('/items?offset=50&limit=50')
    expect((await served.ask('GET', '/items?limit=9999')).headers['content-range']).toBe('items 0-499/10000')
    const last = await served.ask('GET', '/items', { headers: { Range: 'items=-2' } })
    expect(last.json<{ id: number }[]>().map(({ id }) => id)).toEqual([9999, 10_000])
    expect((await served.ask('GET', '/items?id=77')).json<{ name: string }[]>()).toMatchObject([{ name: 'Item 77' }])

    const prices = (await served.ask('GET', '/items?sort=-price,id&limit=500')).json<{ id: number; price: number }[]>()
    const sorted = [...prices].sort((a, b) => b.price - a.price || a.id - b.id)
    expect(prices).toEqual(sorted)
    expect(prices[0]?.price).toBe(99.9)

    const seen: number[] = []
    for (let target = '/items?cursor=&sort=price&limit=500'; target !== '';) {
      const page = await served.ask('GET', target)
      seen.push(...page.json<{ id: number }[]>().map(({ id }) => id))
      target = linkOf(page.headers.link, 'next')
    }
    expect([seen.length, new Set(seen).size]).toEqual([10_000, 10_000])

    for (const query of ['limit=-1', 'sort=color', 'cursor=forged', 'price=x', 'color=red', 'cursor=&offset=1']) {
      expect([query, (await served.ask('GET', `/items?${query}`)).status]).toEqual([query, 400])
    }
    const beyond = await served.ask('GET', '/items?offset=10000')
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'items */10000'])
    const none = await served.ask('GET', '/items?limit=0')
    expect([none.status, none.text, none.headers['content-range']]).toEqual([206, '[]', 'items */10000'])
  })

  it('GET /events', async () => {
    const feed = await openEvents(served.port, '/events')
    expect([feed.status, feed.headers['content-type']]).toEqual([200, 'text/event-stream'])
    const first = await feed.next()
    expect([first?.event, first?.id]).toEqual(['tick', '1'])
    expect(JSON.parse(String(first?.data))).toMatchObject({ count: 1 })
    feed.leave()
    expect((await served.ask('GET', '/events', { headers: { Accept: 'application/json' } })).status).toBe(406)
  })

  it('POST /uploads', async () => {
    const limit = 1024 ** 2
    for (const content of [Buffer.from('hello'), Buffer.alloc(0), Buffer.alloc(limit, 7)]) {
      const answer = await served.ask('POST', '/uploads', multipart('Grüße', content))
      expect([answer.status, answer.json()]).toEqual([
        201,
        {
          title: 'Grüße',
          filename: 'a.bin',
          type: 'image/x-own',
          size: content.length,
          sha256: createHash('sha256').update(content).digest('hex'),
        },
      ])
    }
    expect((await served.ask('POST', '/uploads', multipart('x', Buffer.alloc(limit + 1)))).status).toBe(413)
    expect((await served.ask('POST', '/uploads', multipart(undefined, Buffer.from('x')))).status).toBe(422)
    expect((await served.ask('POST', '/uploads', multipart('x', undefined))).status).toBe(422)
    expect((await served.ask('POST', '/uploads', { body: { title: 'x' } })).status).toBe(415)
    const { body, headers } = multipart('x', Buffer.from('hello'))
    expect((await served.ask('POST', '/uploads', { body: body.subarray(0, -20), headers })).status).toBe(400)
  })

  it('POST /counter: 50 at once count to 50', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => served.ask('POST', '/counter')))
    const values = answers.map((answer) => answer.json<{ value: number }>().value).sort((a, b) => a - b)
    expect(values).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
  })

  it('GET /boom: its secret is in no answer, and in the log under the id of the request', async () => {
    const before = served.err().length
    for (const accept of ['application/json', 'text/html', 'text/plain', 'application/xml']) {
      const answer = await served.ask('GET', '/boom', { headers: { Accept: accept } })
      expect(answer.status).toBe(500)
      expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toMatch(/hunter2|password|boom\.ts|at fail/)
    }
    const { requestId } = (await served.ask('GET', '/boom')).json<Problem>()
    while (!served.err().includes(requestId)) await once(served.process.stderr!, 'data')
    const report = served.err().slice(served.err().indexOf(requestId))
    expect(report).toMatch(/^\S+ GET \/boom/)
    while (!/hunter2[\s\S]*secret/.test(served.err().slice(before))) await once(served.process.stderr!, 'data')
  })

  it('everything else is 404, as a problem or as a page', async () => {
    const answer = await served.ask('GET', '/nothing')
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json'])
    const page = await served.ask('GET', '/%3Cscript%3Ealert(1)%3C/script%3E', { headers: { Accept: 'text/html' } })
    expect([page.status, page.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
    expect(page.text).not.toContain('<script>')
    expect((await served.ask('GET', '/%')).status).toBe(400)
  })
})

describe.each(['SIGTERM', 'SIGINT'] as const)('npm start: on %s', (signal) => {
  afterEach(cleanUp)

  it('streams end, what is in flight is answered, and it exits with 0; documents are there again', async () => {
    const DATA_DIR = createDirectory()
    const first = await start({ DATA_DIR })
    for (const mount of ['/memory', '/files', '/level']) {
      expect((await first.ask('PUT', `${mount}/kept`, { body: `kept in ${mount}` })).status).toBe(201)
    }

    // A connection that is kept alive and idle, two streams without end, and two uploads that wait for their rest.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect((await first.ask('GET', '/hello/7', { agent })).status).toBe(200)
    const [idle] = Object.values(agent.freeSockets).flat()
    const idleClosed = once(idle!, 'close')
    const events = await openEvents(first.port, '/events')
    expect((await events.next())?.id).toBe('1')
    const changes = await openEvents(first.port, '/memory?watch')
    const document = begin(first.port, 'PUT', '/files/slow', { Expect: '100-continue', 'Content-Type': 'text/plain' })
    const form = multipart('in flight', Buffer.alloc(50_000, 1))
    const upload = begin(first.port, 'POST', '/uploads', {
      ...form.headers,
      Expect: '100-continue',
      'Content-Length': String(form.body.length),
    })
    await Promise.all([once(document.request, 'continue'), once(upload.request, 'continue')])
    document.request.write('first half, ')
    upload.request.write(form.body.subarray(0, 20_000))

    const signalled = performance.now()
    first.process.kill(signal)
    expect([await events.next(), await changes.next()]).toEqual([undefined, undefined])
    await idleClosed
    await expect(first.ask('GET', '/hello/7', { agent: new Agent() })).rejects.toMatchObject({ code: 'ECONNREFUSED' })

    document.request.end('second half')
    upload.request.end(form.body.subarray(20_000))
    const [stored, uploaded] = await Promise.all([document.response, upload.response])
    expect([stored.statusCode, uploaded.statusCode]).toEqual([201, 201])
    expect(JSON.parse((await readBody(uploaded)).toString())).toMatchObject({ title: 'in flight', size: 50_000 })
    expect(stored.headers.connection).toBe('close')
    await readBody(stored)
    expect(await first.exit).toEqual({ code: 0, signal: null })
    expect(performance.now() - signalled).toBeLessThan(2000)
    expect(first.err()).toBe('')

    const second = await start({ DATA_DIR })
    expect((await second.ask('GET', '/files/kept')).text).toBe('kept in /files')
    expect((await second.ask('GET', '/level/kept')).text).toBe('kept in /level')
    expect((await second.ask('GET', '/memory/kept')).status).toBe(404)
    expect((await second.ask('GET', '/files/slow')).text).toBe('first half, second half')
    second.process.kill(signal)
    expect(await second.exit).toEqual({ code: 0, signal: null })
    expect(second.err()).toBe('')
  })
})
