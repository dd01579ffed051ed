import {
  createApp,
  Delete,
  Get,
  Header,
  NotFound,
  Param,
  Patch,
  Body,
  Put,
  Resource,
  withETag,
  PreconditionFailed,
  Post,
  created,
} from 'kumu'
import { createClient, PreconditionFailedError, withCache } from 'kumu/client'
import { IsString } from 'class-validator'
import { closeAll, serve } from '../support/serve'
import { failureOf, record, sendJson, type Handler } from './support/server'

afterEach(closeAll)

/** Answers with an entity tag, and 304 where it is the one asked with. */
const tagged =
  (etag: () => string, headers: Record<string, string> = {}): Handler =>
  (request, response) => {
    if (request.headers['if-none-match'] === etag()) return response.writeHead(304, { ETag: etag() }).end()
    return sendJson(response, { tag: etag(), accept: request.headers.accept }, 200, { ETag: etag(), ...headers })
  }

describe('cache: true', () => {
  it('asks with the entity tag it knows, and answers a 304 with what it has', async () => {
    let etag = '"1"'
    const { url, seen } = await record(tagged(() => etag))
    const api = createClient(url, { cache: true })
    const first = await api.get<Record<string, unknown>>('/x')
    first['tag'] = 'changed by the caller'
    expect(await api.get('/x')).toMatchObject({ tag: '"1"' })
    expect(await api.full.get('/x')).toMatchObject({ status: 200, ok: true, body: { tag: '"1"' } })
    etag = '"2"'
    expect(await api.get('/x')).toMatchObject({ tag: '"2"' })
    expect(await api.get('/x?other')).toMatchObject({ tag: '"2"' })
    expect(seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"', '"1"', '"1"', undefined])
  })

  it.each([
    ['without a tag', {}],
    ['no-store', { 'Cache-Control': 'max-age=1, No-Store' }],
    ['Vary: *', { Vary: '*' }],
  ])('keeps no answer that is %s', async (_, headers) => {
    const { url, seen } = await record((request, response) =>
      Object.keys(headers).length === 0 ? sendJson(response, 1) : tagged(() => '"1"', headers)(request, response, 0),
    )
    const api = createClient(url, { cache: true })
    await api.get('/')
    await api.get('/')
    expect(seen.map((each) => each.headers['if-none-match'])).toEqual([undefined, undefined])
  })

  it('keeps answers apart by what they vary with', async () => {
    const { url } = await record(tagged(() => '"1"', { Vary: 'Accept' }))
    const api = createClient(url, { cache: true })
    const as = (accept: string) => api.get('/', { headers: { accept } })
    for (const accept of ['a/a', 'b/b', 'b/b', 'a/a']) expect(await as(accept)).toMatchObject({ accept })
  })

  it('leaves conditions and ranges of the caller alone', async () => {
    const { url, seen } = await record(tagged(() => '"1"'))
    const api = createClient(url, { cache: true })
    await api.get('/')
    expect(await api.full.get('/', { headers: { 'If-None-Match': '"1"' } })).toMatchObject({ status: 304, body: null })
    await api.get('/', { headers: { Range: 'items=0-1' } })
    expect(seen[2]?.headers['if-none-match']).toBeUndefined()
  })

  it('keeps so many, and nothing that is too large', async () => {
    const { url, seen } = await record(tagged(() => '"1"'))
    const api = createClient(url, { cache: { entries: 2 } })
    for (const path of ['/a', '/b', '/a', '/c', '/a', '/b']) await api.get(path)
    expect(seen.map(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
    ])
    const small = createClient(url, { cache: { maxContent: 10 } })
    await small.get('/a')
    await small.get('/a')
    expect(seen.at(-1)?.headers['if-none-match']).toBeUndefined()
  })

  it('is off by default', async () => {
    const { url, seen } = await record(tagged(() => '"1"'))
    const api = createClient(url)
    await api.get('/')
    await api.get('/')
    await api.put('/', { body: 1 })
    expect(seen.some(({ headers }) => headers['if-none-match'] ?? headers['if-match'])).toBe(false)
  })
})

class Note {
  @IsString() text!: string
}

/** Notes with revisions; who writes must name the one that is there, if any is named. */
@Resource('/notes')
class Notes {
  readonly notes = new Map<string, { text: string; rev: number }>()
  @Get('/:id') one(@Param('id') id: string) {
    const { text, rev } = this.find(id)
    return withETag({ text }, String(rev))
  }
  @Post() add(@Body() { text }: Note) {
    this.notes.set('new', { text, rev: 1 })
    return created(withETag({ text }, '1'), '/notes/new')
  }
  @Put('/:id') put(
    @Param('id') id: string,
    @Body() { text }: Note,
    @Header('if-match', { required: false }) match?: string,
  ) {
    return this.write(id, text, match)
  }
  @Patch('/:id') patch(
    @Param('id') id: string,
    @Body() { text }: Note,
    @Header('if-match', { required: false }) match?: string,
  ) {
    return this.write(id, text, match)
  }
  @Delete('/:id') remove(@Param('id') id: string, @Header('if-match', { required: false }) match?: string) {
    this.guard(this.find(id).rev, match)
    this.notes.delete(id)
  }
  private write(id: string, text: string, match?: string) {
    const { rev } = this.find(id)
    this.guard(rev, match)
    this.notes.set(id, { text, rev: rev + 1 })
    return withETag({ text }, String(rev + 1))
  }
  private guard(rev: number, match?: string): void {
    if (match !== undefined && match !== `"${rev}"`) throw new PreconditionFailed()
  }
  private find(id: string) {
    const found = this.notes.get(id)
    if (!found) throw new NotFound()
    return found
  }
}

describe('If-Match', () => {
  async function start() {
    const notes = new Notes()
    notes.notes.set('1', { text: 'one', rev: 1 })
    const { url } = await serve(createApp({ resources: [notes] }))
    return { notes, mine: createClient(url, { cache: true }), theirs: createClient(url) }
  }
  const path = { path: { id: '1' } }

  it('goes with a write of what was read: who came second loses', async () => {
    const { notes, mine, theirs } = await start()
    await mine.get('/notes/{id}', path)
    await theirs.put('/notes/{id}', { ...path, body: { text: 'theirs' } })
    const lost = () => mine.put('/notes/{id}', { ...path, body: { text: 'mine' } })
    expect(await failureOf(lost())).toBeInstanceOf(PreconditionFailedError)
    expect(await failureOf(lost())).toBeInstanceOf(PreconditionFailedError)
    expect(await mine.get('/notes/{id}', path)).toEqual({ text: 'theirs' })
    await lost()
    expect(notes.notes.get('1')).toEqual({ text: 'mine', rev: 3 })
  })

  it('knows the tag of its own writes', async () => {
    const { notes, mine, theirs } = await start()
    await mine.get('/notes/{id}', path)
    for (const text of ['a', 'b', 'c']) await mine.patch('/notes/{id}', { ...path, body: { text } })
    expect(notes.notes.get('1')).toEqual({ text: 'c', rev: 4 })
    await theirs.put('/notes/{id}', { ...path, body: { text: 'theirs' } })
    expect(await failureOf(mine.delete('/notes/{id}', path))).toBeInstanceOf(PreconditionFailedError)
  })

  it('knows the tag of what it created', async () => {
    const { mine, theirs } = await start()
    await mine.post('/notes', { body: { text: 'new' } })
    await theirs.put('/notes/new', { body: { text: 'theirs' } })
    expect(await failureOf(mine.put('/notes/new', { body: { text: 'mine' } }))).toBeInstanceOf(PreconditionFailedError)
  })

  it('is forgotten with the resource', async () => {
    const { notes, mine } = await start()
    await mine.get('/notes/{id}', path)
    await mine.delete('/notes/{id}', path)
    notes.notes.set('1', { text: 'again', rev: 9 })
    await mine.put('/notes/{id}', { ...path, body: { text: 'over it' } })
    expect(notes.notes.get('1')).toMatchObject({ text: 'over it' })
  })

  it('is left out where the caller says so, and for weak tags', async () => {
    const { url, seen } = await record(tagged(() => 'W/"1"'))
    const strong = await record(tagged(() => '"1"'))
    const off = createClient(strong.url, { cache: { ifMatch: false } })
    const own = createClient(strong.url, { cache: true })
    const weak = createClient(url, { cache: true })
    for (const api of [weak, off, own]) await api.get('/')
    await weak.put('/', { body: 1 })
    await off.put('/', { body: 1 })
    await own.put('/', { body: 1, headers: { 'If-Match': '*' } })
    expect(seen.at(-1)?.headers['if-match']).toBeUndefined()
    expect(strong.seen.slice(-2).map(({ headers }) => headers['if-match'])).toEqual([undefined, '*'])
  })
})

it('withCache()(fetch) is a fetch that answers a 304 with what it has', async () => {
  const { url, seen } = await record(tagged(() => '"1"'))
  const transport = withCache()(fetch)
  for (let each = 0; each < 3; each++) {
    const response = await transport(new Request(url))
    expect([response.status, response.headers.get('etag'), await response.json()]).toMatchObject([
      200,
      '"1"',
      { tag: '"1"' },
    ])
  }
  expect(seen.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"', '"1"'])
})
