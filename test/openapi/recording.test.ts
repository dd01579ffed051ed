import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { App } from 'kumu'
import { createShowcase } from '../../samples/showcase/app'
import { openEvents } from '../support/exchange'
import { closeAll, serve, type Ask, type Served } from '../support/serve'
import { Recorder } from './support/recorder'
import { createWide, goodThing } from './support/wide'

type Request = readonly [method: string, path: string, ask?: Ask]

const headers = (all: Record<string, string>): Ask => ({ headers: all })
const text = (body: string): Ask => ({ body, headers: { 'Content-Type': 'text/plain' } })

/** What every list is asked for, well and badly. */
const listRequests = (path: string, name: string): Request[] => [
  ['GET', path],
  ['HEAD', path],
  ['GET', `${path}?limit=1`],
  ['GET', `${path}?limit=0`],
  ['GET', `${path}?offset=1000000`],
  ['GET', `${path}?fields=${name}&limit=2`],
  ['GET', `${path}?limit=x`],
  ['GET', `${path}?nothing=1`],
  ['GET', `${path}?offset=0&range=0-1`],
  ['GET', `${path}?limit=%zz`],
  ['GET', path, headers({ Accept: 'application/xml' })],
  ['GET', path, headers({ Accept: 'image/png' })],
  ['GET', path, headers({ Prefer: 'count=none' })],
]

const user = {
  name: 'Ada',
  email: 'ada@example.org',
  age: 36,
  tags: ['a'],
  address: { street: 'S', city: 'C', zip: '12345' },
  role: 'admin',
}

const fruit = { name: 'apple', 'other-names': ['pomme'], supply: { kg: 3 }, country_code: 'USA' }

/** Bodies that no class takes, and no codec. */
const badBodies = (method: string, path: string): Request[] => [
  [method, path, { body: '{', headers: { 'Content-Type': 'application/json' } }],
  [method, path, { body: {} }],
  [method, path, { body: [] }],
  [method, path, { body: { nothing: 1 } }],
  [method, path, { body: 'x', headers: { 'Content-Type': 'image/png' } }],
  [method, path, { body: 'x', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'unknown' } }],
  [method, path, { body: `"${'x'.repeat(2 ** 20)}"`, headers: { 'Content-Type': 'application/json' } }],
  [method, path],
]

const documentRequests = (path: string): Request[] => [
  ...listRequests(path, 'key').filter(([, target]) => !target.includes('offset=1000000')),
  ['GET', path, headers({ Accept: 'text/plain' })],
  ['PUT', `${path}/a`, text('one')],
  ['PUT', `${path}/a`, text('two')],
  ['GET', `${path}/a`],
  ['HEAD', `${path}/a`],
  ['GET', `${path}/a`, headers({ Range: 'bytes=0-1' })],
  ['GET', `${path}/a`, headers({ Range: 'bytes=99-' })],
  ['GET', `${path}/a`, headers({ 'If-Match': '"other"' })],
  ['GET', `${path}/a`, headers({ 'If-None-Match': '*' })],
  ['GET', `${path}/none`],
  ['GET', `${path}/${encodeURIComponent('a b')}`],
  ['PUT', `${path}/a`, { body: 'x', headers: { 'If-None-Match': '*' } }],
  ['PUT', `${path}/a`, { body: 'x', headers: { 'Content-Type': 'no type' } }],
  ['PUT', `${path}/a?ttl=no`, text('x')],
  ['PUT', `${path}/a?ttl=9`, text('x')],
  ['GET', path, headers({ Accept: 'text/html' })],
  ['POST', path, { body: 'x', headers: { Accept: 'application/json' } }],
  ['POST', `${path}/b`, text('one')],
  ['POST', `${path}/b`, text('two')],
  ['POST', path, text('three')],
  ['PUT', path, text('four')],
  ['DELETE', `${path}/a`, headers({ 'If-Match': '"other"' })],
  ['DELETE', `${path}/a`],
  ['DELETE', `${path}/a`],
]

function upload(title: string | undefined): Ask {
  const part = (name: string, more: string, value: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`
  const body = `${title === undefined ? '' : part('title', '', title)}${part('file', '; filename="a.txt"', 'abc')}--x--\r\n`
  return { body, headers: { 'Content-Type': 'multipart/form-data; boundary=x' } }
}

const book = { isbn: '978-3-16-148410-0', title: 'T', authors: ['A'] }

const showcase: Request[] = [
  ...['7', '0', '-1', 'x', '%zz', '1.5'].map((id): Request => ['GET', `/hello/${id}`]),
  ['GET', '/hello/7', headers({ Accept: 'application/xml' })],
  ['GET', '/hello/7', headers({ Accept: 'image/png' })],
  ['GET', '/hello/x', headers({ Accept: 'text/html' })],
  ['GET', '/hello/x', headers({ Accept: 'text/plain' })],
  ['GET', '/hello/x', headers({ Accept: 'application/problem+xml' })],
  ['POST', '/hello/7'],
  ['PURGE', '/hello/7'],
  ['OPTIONS', '/hello/7'],
  ...listRequests('/employees', 'name').slice(0, 1),
  ['POST', '/employees', { body: { name: 'Ada', position: 'Analyst' } }],
  ...listRequests('/employees', 'name'),
  ['GET', '/employees', headers({ Range: 'employees=0-0' })],
  ['GET', '/employees?sort=-name&position=Analyst'],
  ['GET', '/employees?sort=nothing'],
  ['POST', '/employees', { body: { name: 'Ada', position: 'Analyst' } }],
  ...badBodies('POST', '/employees'),
  ['GET', '/fruits?name=a&amount=1.5&alias=b&alias=c&is-citrus=yes'],
  ['GET', '/fruits?name=a&amount=x'],
  ['GET', '/fruits'],
  ['POST', '/fruits', { body: fruit }],
  ['POST', '/fruits', { body: { ...fruit, country_code: 'XXX' } }],
  ['POST', '/fruits', { body: { ...fruit, name: 1 } }],
  ...badBodies('POST', '/fruits'),
  ['POST', '/users', { body: user }],
  ['POST', '/users', { body: { ...user, role: 'king', address: { zip: 'x' } } }],
  ['POST', '/users', { body: user, headers: { Accept: 'image/png' } }],
  ...badBodies('POST', '/users'),
  ['GET', '/users/none'],
  ...listRequests('/items', 'name'),
  ['GET', '/items', headers({ Range: 'items=0-9' })],
  ['GET', '/items', headers({ Range: 'items=99999-' })],
  ['GET', '/items?sort=-price&cursor=&limit=3'],
  ['GET', '/items?cursor=broken'],
  ['GET', '/items', headers({ Accept: 'application/x-ndjson' })],
  ['POST', '/uploads', upload('T')],
  ['POST', '/uploads', upload(undefined)],
  ['POST', '/uploads', { body: 'x', headers: { 'Content-Type': 'multipart/form-data' } }],
  ['POST', '/uploads', { body: {} }],
  ['POST', '/counter'],
  ['POST', '/counter', headers({ Accept: 'image/png' })],
  ['GET', '/boom'],
  ['GET', '/nowhere'],
  ['GET', '/events', headers({ Accept: 'image/png' })],
  ...documentRequests('/memory'),
  ...documentRequests('/files'),
  ...documentRequests('/level'),
  ...listRequests('/books', 'title'),
  ...['minimal', 'representation', 'other'].map((wish): Request => {
    return ['POST', '/books', { body: book, headers: { Prefer: `return=${wish}` } }]
  }),
  ...[1, 2, 2].map((edition): Request => {
    return ['POST', '/books', { body: { ...book, title: `T${edition}` }, headers: { 'Idempotency-Key': 'one' } }]
  }),
  ...listRequests('/books', 'title').slice(0, 6),
  ['GET', '/books?watch', headers({ Accept: 'application/json' })],
  ['GET', '/books?watch', headers({ Accept: 'text/event-stream', 'Last-Event-ID': 'none' })],
  ...badBodies('POST', '/books'),
]

/** Sends requests one after the other and holds each answer to the document. */
async function record(app: App, { ask }: Served, requests: readonly Request[], recorder: Recorder): Promise<void> {
  app.silent = true
  for (const [method, path, what = {}] of requests) recorder.note(method, path, what, await ask(method, path, what))
}

let directory = ''
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'kumu-recording-'))))
afterEach(async () => {
  await closeAll()
  rmSync(directory, { recursive: true, force: true })
})

describe('every answer is documented', () => {
  test('of the showcase', async () => {
    const app = createShowcase(directory)
    const served = await serve(app)
    const recorder = new Recorder(app.document())
    await record(app, served, showcase, recorder)
    const { id } = (await served.ask('POST', '/users', { body: user })).json<{ id: string }>()
    const items: Request[] = [['GET', `/users/${id}`], ...(await bookRequests(served))]
    await record(app, served, items, recorder)
    const feed = await openEvents(served.port, '/events')
    recorder.note('GET', '/events', {}, { ...feed, bytes: Buffer.from('x'), text: '', json: () => undefined as never })
    feed.leave()
    expect(recorder.findings).toEqual([])
    const operations = Object.entries(app.document().paths).flatMap(([path, item]) =>
      Object.keys(item).map((verb) => `${verb} ${path}`),
    )
    expect([...recorder.asked].sort()).toEqual(operations.sort())
    await app.close()
  })

  test('of an application with one of everything', async () => {
    const app = createWide()
    const served = await serve(app)
    const recorder = new Recorder(app.document())
    await record(app, served, wide, recorder)
    expect(recorder.findings).toEqual([])
  })
})

/** A book's life: whatever is answered, with the tags that it has then. */
async function bookRequests({ ask }: Served): Promise<Request[]> {
  const made = await ask('POST', '/books', { body: book })
  const path = String(made.headers.location)
  const { etag = '' } = (await ask('GET', path)).headers
  return [
    ['GET', path],
    ['GET', `${path}?fields=title`],
    ['GET', path, headers({ 'If-None-Match': etag })],
    ['GET', '/books/none'],
    ['PUT', path, { body: book }],
    ['PUT', path, { body: book, headers: { Prefer: 'return=minimal' } }],
    ['PUT', path, { body: book, headers: { 'If-Match': '"other"' } }],
    ['PUT', '/books/none', { body: book }],
    ...badBodies('PUT', path),
    ['PATCH', path, { body: { title: 'U' }, headers: { 'Content-Type': 'application/merge-patch+json' } }],
    ['PATCH', path, { body: { title: 1 }, headers: { 'Content-Type': 'application/merge-patch+json' } }],
    ['PATCH', path, { body: [], headers: { 'Content-Type': 'application/json-patch+json' } }],
    ['PATCH', path, { body: [{ op: 'fly' }], headers: { 'Content-Type': 'application/json-patch+json' } }],
    ['PATCH', path, { body: {} }],
    [
      'PATCH',
      path,
      {
        body: [{ op: 'test', path: '/title', value: 'another' }],
        headers: { 'Content-Type': 'application/json-patch+json' },
      },
    ],
    ['DELETE', path, headers({ 'If-Match': '"other"' })],
    ['DELETE', path],
    ['DELETE', path],
  ]
}

const wide: Request[] = [
  ['POST', '/things', { body: goodThing }],
  ...badBodies('POST', '/things'),
  ...listRequests('/things', 'name'),
  ['GET', '/things/7'],
  ['GET', '/things/7', headers({ 'If-None-Match': '"1"' })],
  ['GET', '/things/7', headers({ 'If-Match': '"2"' })],
  ['GET', '/things/101'],
  ['GET', '/things/x'],
  ['PUT', '/things/7', { body: {} }],
  ['PUT', '/things/7', { body: { login: 'ada', password: 'abcdefgh' }, headers: { 'If-Match': '"1"' } }],
  ['DELETE', '/things/7'],
  ['PATCH', '/things/7', { body: { any: 'thing' } }],
  ['GET', '/v2/calls/search?q=a&depth=2', headers({ 'X-Tenant': 'a' })],
  ['GET', '/v2/calls/search?depth=x'],
  ['GET', '/v2/calls/named?ids=1&ids=2&mode=slow-7&word=yes&when=2026-01-31'],
  ['GET', '/v2/calls/named?mode=quick&word=no'],
  ['GET', '/v2/calls/old'],
  ['GET', '/v2/calls/elsewhere'],
  ['GET', '/v2/calls/archive'],
  ['GET', '/v2/calls/archive/2026'],
  ['GET', '/v2/calls/files/a/b'],
  ['POST', '/v2/calls/money', { body: { amount: 1, currency: 'EUR' } }],
  ['POST', '/v2/calls/money', { body: { amount: 1, currency: 'USD' } }],
  ['POST', '/v2/calls/jobs'],
  ['GET', '/v2/calls/stream'],
  ['POST', '/v2/calls/raw', text('abc')],
  ['POST', '/v2/calls/text', text('abc')],
  ['POST', '/v2/calls/text', { body: {} }],
  ['POST', '/v2/calls/notes', { body: { text: 'a' } }],
  ['GET', '/v2/calls/context'],
  ['POST', '/admin/reset'],
  ['POST', '/admin/reset', headers({ Authorization: 'Bearer ada' })],
  ['GET', '/admin/who'],
  ['GET', '/admin/who', headers({ Authorization: 'Bearer ada' })],
  ['GET', '/admin/who', headers({ Authorization: 'Bearer eve' })],
]

describe('the recorder', () => {
  type Members = Record<string, Record<string, unknown>>

  test.each<[string, (response: Members) => void, RegExp]>([
    ['a status', (responses) => delete responses['404'], /this status is not documented/],
    [
      'a header',
      (responses) => delete (responses['200']?.headers as Members).ETag,
      /the header etag is not documented/,
    ],
    [
      'a media type',
      (responses) => delete (responses['200']?.content as Members)['application/json'],
      /a body of application\/json is not/,
    ],
    [
      'a body',
      (responses) => {
        const content = responses['200']?.content as Members
        content['application/json'] = { schema: { type: 'object', properties: { login: { type: 'number' } } } }
      },
      /the body is another/,
    ],
  ])('misses %s that is not documented', async (_name, plant, finding) => {
    const app = createWide()
    const document = JSON.parse(JSON.stringify(app.document())) as ReturnType<App['document']>
    plant(document.paths['/things/{id}']?.get?.responses as unknown as Members)
    const recorder = new Recorder(document)
    await record(
      app,
      await serve(app),
      [
        ['GET', '/things/7'],
        ['GET', '/things/101'],
      ],
      recorder,
    )
    expect(recorder.findings).toEqual([expect.stringMatching(finding)])
  })
})
