import { Exclude, Expose, Transform, Type } from 'class-transformer'
import { IsDate, IsISBN, IsOptional, IsString, Length } from 'class-validator'
import { AnyBody, ConfigurationError, createApp, Forbidden, yaml } from 'kumu'
import { collection, docstore } from 'kumu/docstore'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { createDirectory, unmountAll, withCan } from '../support/documents'
import { serve } from '../support/serve'
import { closeCollections, createNote, faults, Note, serveNotes, slowed, type Shown } from './support/collection'

afterEach(async () => {
  await unmountAll()
  await closeCollections()
})

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe.each([
  ['memory', () => memory()],
  ['level', () => level({ dir: createDirectory() })],
])('collection(path, { model, store }) on %s', (_name, createDriver) => {
  it('creates, reads, replaces, patches and deletes', async () => {
    const served = await serveNotes({ driver: createDriver() })
    const created = await served.ask('POST', '/notes', { body: { title: 'One', year: 2001 } })
    expect(created.status).toBe(201)
    const { id } = created.json<Shown>()
    expect(id).toMatch(uuid)
    expect(created.json()).toEqual({ id, title: 'One', year: 2001 })
    expect(created.headers.location).toBe(`/notes/${id}`)
    expect(created.headers.etag).toMatch(/^"[^"]+"$/)

    const read = await served.ask('GET', `/notes/${id}`)
    expect([read.status, read.headers.etag, read.text]).toEqual([200, created.headers.etag, created.text])
    expect(Date.parse(String(read.headers['last-modified']))).toBeGreaterThan(0)

    const replaced = await served.ask('PUT', `/notes/${id}`, { body: { title: 'Two' } })
    expect([replaced.status, replaced.json()]).toEqual([200, { id, title: 'Two' }])
    expect(replaced.headers.etag).not.toBe(created.headers.etag)

    const patched = await served.ask('PATCH', `/notes/${id}`, {
      body: { year: 2002 },
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
    expect([patched.status, patched.json()]).toEqual([200, { id, title: 'Two', year: 2002 }])
    expect((await served.ask('GET', `/notes/${id}`)).headers.etag).toBe(patched.headers.etag)

    const deleted = await served.ask('DELETE', `/notes/${id}`)
    expect([deleted.status, deleted.text]).toEqual([204, ''])
    for (const method of ['GET', 'DELETE']) expect((await served.ask(method, `/notes/${id}`)).status).toBe(404)
    expect((await served.ask('PUT', `/notes/${id}`, { body: { title: 'x' } })).status).toBe(404)
    const gone = await served.ask('PATCH', `/notes/${id}`, {
      body: {},
      headers: { 'Content-Type': 'application/merge-patch+json' },
    })
    expect(gone.status).toBe(404)
    expect((await served.ask('GET', '/notes')).json()).toEqual([])
  })

  it('keeps documents for who reads the store by itself, with their key', async () => {
    const served = await serveNotes({ driver: createDriver() })
    const { note } = await createNote(served, { title: 'One' })
    const doc = await served.store.get(note.id)
    expect(doc?.type).toBe('application/json')
    expect(JSON.parse(Buffer.from(doc?.body as Uint8Array).toString())).toEqual(note)
  })
})

describe('POST /notes', () => {
  it.each([
    ['a rule', { title: '' }, ['/title isLength']],
    ['several', { title: 1, year: -1 }, ['/title isLength', '/title isString', '/year min']],
    ['an unknown member', { title: 'x', isAdmin: true }, ['/isAdmin unknown']],
    ['nothing', {}, ['/title required']],
    ['a list', [{ title: 'x' }], [' type']],
    ['null', null, [' type']],
    ['a key, which the server gives', { id: 'mine', title: 'x' }, ['/id key']],
    ['a key and more', { id: 'mine' }, ['/id key', '/title required']],
  ])('refuses with 422: %s', async (_what, body, expected) => {
    const served = await serveNotes()
    const answer = await served.ask('POST', '/notes', { body })
    expect(answer.status).toBe(422)
    expect(faults(answer)).toEqual(expected)
    expect((await served.ask('GET', '/notes')).json()).toEqual([])
  })

  it('takes XML and forms, coerced, and answers in XML', async () => {
    const served = await serveNotes()
    const inXml = await served.ask('POST', '/notes', {
      body: '<note><title>A &amp; B</title><year>1999</year></note>',
      headers: { 'Content-Type': 'application/xml', Accept: 'application/xml' },
    })
    expect(inXml.status).toBe(201)
    expect(inXml.text).toMatch(/<id>[0-9a-f-]{36}<\/id><title>A &amp; B<\/title><year>1999<\/year>/)
    const id = /<id>(.*)<\/id>/.exec(inXml.text)?.[1]
    expect((await served.ask('GET', `/notes/${id}`)).json()).toEqual({ id, title: 'A & B', year: 1999 })
    const form = await served.ask('PUT', `/notes/${id}`, {
      body: `id=${id}&title=Form&year=7`,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    })
    expect([form.status, form.json()]).toEqual([200, { id, title: 'Form', year: 7 }])
  })

  it('refuses bodies of other types, and bodies that cannot be read', async () => {
    const served = await serveNotes()
    const text = await served.ask('POST', '/notes', { body: 'x', headers: { 'Content-Type': 'text/plain' } })
    expect(text.status).toBe(415)
    expect(text.headers['accept-post']).toContain('application/json')
    const broken = await served.ask('POST', '/notes', { body: '{', headers: { 'Content-Type': 'application/json' } })
    expect(broken.status).toBe(400)
    expect((await served.ask('POST', '/notes')).status).toBe(400)
  })

  it('answers without a body where that is preferred', async () => {
    const served = await serveNotes()
    const answer = await served.ask('POST', '/notes', { body: { title: 'x' }, headers: { Prefer: 'return=minimal' } })
    expect([answer.status, answer.text, answer.headers['preference-applied']]).toEqual([201, '', 'return=minimal'])
    const read = await served.ask('GET', String(answer.headers.location))
    expect([read.status, read.headers.etag]).toEqual([200, answer.headers.etag])
  })

  it('says where the document is under the prefix of the application', async () => {
    const served = await serveNotes({ app: { prefix: '/api' } })
    const created = await served.ask('POST', '/api/notes/', { body: { title: 'x' } })
    expect(created.headers.location).toBe(`/api/notes/${created.json<Shown>().id}`)
    expect((await served.ask('GET', String(created.headers.location))).status).toBe(200)
  })

  it('says so too under a path with parameters', async () => {
    const store = docstore(memory())
    const served = await serveNotes({ app: { resources: [collection('/by/:key/notes', { model: Note, store })] } })
    const created = await served.ask('POST', '/by/ann/notes', { body: { title: 'x' } })
    expect(created.headers.location).toBe(`/by/ann/notes/${created.json<Shown>().id}`)
    expect((await served.ask('GET', String(created.headers.location))).status).toBe(200)
  })

  it('refuses before it writes what could not be answered acceptably', async () => {
    const served = await serveNotes()
    const headers = { Accept: 'image/png' }
    expect((await served.ask('POST', '/notes', { body: { title: 'x' }, headers })).status).toBe(406)
    expect((await served.ask('GET', '/notes')).json()).toEqual([])
  })

  it('is 413 for what the store does not take, and 503 once that is closed', async () => {
    const served = await serveNotes({ driver: memory({ maxBody: 100 }), batch: true })
    const tags = ['x'.repeat(100)]
    expect((await served.ask('POST', '/notes', { body: { title: 'x', tags } })).status).toBe(413)
    expect((await served.ask('POST', '/notes', { body: [{ title: 'x' }, { title: 'x', tags }] })).status).toBe(413)
    expect((await served.ask('GET', '/notes')).json()).toEqual([])
    await served.store.close()
    expect((await served.ask('POST', '/notes', { body: { title: 'x' } })).status).toBe(503)
  })

  it.each(['7', '[1]', '"x"', 'null'])('needs members, whatever the class lets pass: %s', async (body) => {
    @AnyBody()
    class Anything {
      [name: string]: unknown
    }
    const served = await serveNotes({ model: Anything })
    const headers = { 'Content-Type': 'application/json' }
    expect((await served.ask('POST', '/notes', { body, headers })).status).toBe(422)
    expect((await served.ask('POST', '/notes', { body: { a: { b: [1] } } })).json()).toMatchObject({ a: { b: [1] } })
  })

  it('keeps sets and maps', async () => {
    class Bag {
      @IsString({ each: true }) @Type(() => String) words!: Set<string>
    }
    const served = await serveNotes({ model: Bag })
    const created = await served.ask('POST', '/notes', { body: { words: ['a', 'b'] } })
    expect([created.status, created.json()]).toMatchObject([201, { words: ['a', 'b'] }])
    expect((await served.ask('GET', String(created.headers.location))).json()).toEqual(created.json())
  })

  it('keeps hostile members out', async () => {
    const served = await serveNotes()
    for (const body of ['{"title":"x","__proto__":{"a":1}}', '{"title":"x","constructor":{"prototype":{"a":1}}}']) {
      const answer = await served.ask('POST', '/notes', { body, headers: { 'Content-Type': 'application/json' } })
      expect(answer.status).toBe(422)
    }
    expect(({} as { a?: unknown }).a).toBeUndefined()
  })
})

describe('POST /notes with clientKeys', () => {
  it('takes the key of the body, once', async () => {
    const served = await serveNotes({ clientKeys: true })
    const created = await served.ask('POST', '/notes', { body: { id: 'mine', title: 'x' } })
    expect([created.status, created.headers.location, created.json()]).toEqual([
      201,
      '/notes/mine',
      { id: 'mine', title: 'x' },
    ])
    const again = await served.ask('POST', '/notes', { body: { id: 'mine', title: 'y' } })
    expect([again.status, faults(again)]).toEqual([409, ['/id exists']])
    expect((await served.ask('GET', '/notes/mine')).json<Shown>().title).toBe('x')
    const keyless = await served.ask('POST', '/notes', { body: { title: 'z' } })
    expect([keyless.status, keyless.json<Shown>().id]).toEqual([201, expect.stringMatching(uuid)])
  })

  it.each(['', 'a.b', '../x', 'a/b', 'x'.repeat(256), 7, null, ['a'], '_idempotency_x'])(
    'refuses the key %j with 422 and its pointer',
    async (id) => {
      const served = await serveNotes({ clientKeys: true })
      const answer = await served.ask('POST', '/notes', { body: { id, title: 'x' } })
      expect([answer.status, faults(answer)]).toEqual([422, ['/id key']])
    },
  )

  it('sixteen at once with one key: one is created', async () => {
    const served = await serveNotes({ clientKeys: true, driver: slowed(memory()) })
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => served.ask('POST', '/notes', { body: { id: 'one', title: `t${n}` } })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(15).fill(409)])
    const winner = answers.find(({ status }) => status === 201)
    expect((await served.ask('GET', '/notes/one')).text).toBe(winner?.text)
  })
})

describe('a model that declares its key', () => {
  class Book {
    @IsISBN() isbn!: string
    @IsString() @Length(1, 200) title!: string
  }

  it('is held to its own rules for it', async () => {
    const served = await serveNotes({ model: Book, key: 'isbn', clientKeys: true })
    const body = { isbn: '9783161484100', title: 'x' }
    const created = await served.ask('POST', '/notes', { body })
    expect([created.status, created.headers.location, created.json()]).toEqual([201, `/notes/${body.isbn}`, body])
    const wrong = await served.ask('POST', '/notes', { body: { ...body, isbn: '1' } })
    expect([wrong.status, faults(wrong)]).toEqual([422, ['/isbn isIsbn']])
    const missing = await served.ask('POST', '/notes', { body: { title: 'x' } })
    expect([missing.status, faults(missing).join()]).toEqual([422, expect.stringContaining('/isbn')])
    const put = await served.ask('PUT', `/notes/${body.isbn}`, { body: { title: 'y' } })
    expect([put.status, put.json()]).toEqual([200, { ...body, title: 'y' }])
  })

  it('gets the key of the server', async () => {
    class Own {
      @IsString() id!: string
      @IsString() title!: string
    }
    const served = await serveNotes({ model: Own })
    const created = await served.ask('POST', '/notes', { body: { title: 'x' } })
    expect([created.status, created.json<Shown>().id]).toEqual([201, expect.stringMatching(uuid)])
  })
})

describe('POST /notes with batch', () => {
  it('creates all of a list', async () => {
    const served = await serveNotes({ batch: true })
    const answer = await served.ask('POST', '/notes', { body: [{ title: 'a' }, { title: 'b' }] })
    expect(answer.status).toBe(201)
    expect(answer.json<Shown[]>().map(({ title }) => title)).toEqual(['a', 'b'])
    expect((await served.ask('GET', '/notes')).json()).toEqual(answer.json())
    expect((await served.ask('POST', '/notes', { body: { title: 'c' } })).status).toBe(201)
  })

  it('or nothing, and tells all that is wrong', async () => {
    const served = await serveNotes({ batch: true, clientKeys: true })
    const body = [{ title: 'a' }, { title: '' }, { title: 'b', x: 1 }, { id: 'a b', title: 'c' }, 7]
    const answer = await served.ask('POST', '/notes', { body })
    expect([answer.status, faults(answer)]).toEqual([
      422,
      ['/1/title isLength', '/2/x unknown', '/3/id key', '/4 type'],
    ])
    const twice = await served.ask('POST', '/notes', {
      body: [
        { id: 'a', title: 'a' },
        { id: 'a', title: 'b' },
      ],
    })
    expect([twice.status, faults(twice)]).toEqual([422, ['/1/id unique']])
    await served.ask('POST', '/notes', { body: { id: 'taken', title: 'x' } })
    const taken = await served.ask('POST', '/notes', {
      body: [
        { id: 'free', title: 'a' },
        { id: 'taken', title: 'b' },
      ],
    })
    expect([taken.status, faults(taken)]).toEqual([409, ['/1/id exists']])
    expect((await served.ask('GET', '/notes')).json<Shown[]>().map(({ id }) => id)).toEqual(['taken'])
    expect((await served.ask('POST', '/notes', { body: [] })).status).toBe(422)
    const many = Array.from({ length: 1001 }, () => ({ title: 'x' }))
    expect((await served.ask('POST', '/notes', { body: many })).status).toBe(413)
  })

  it('is 501 where the store cannot, and 422 where lists are not taken', async () => {
    const unable = await serveNotes({ batch: true, driver: withCan(memory(), { batch: false }) })
    expect((await unable.ask('POST', '/notes', { body: [{ title: 'a' }] })).status).toBe(501)
    const single = await serveNotes()
    expect((await single.ask('POST', '/notes', { body: [{ title: 'a' }] })).status).toBe(422)
  })
})

describe('GET /notes/:id', () => {
  it('answers 304 and 412, for every representation and projection', async () => {
    const served = await serveNotes()
    const { path, etag } = await createNote(served, { title: 'x', year: 1 })
    for (const [url, headers] of [
      [path, {}],
      [path, { Accept: 'application/xml' }],
      [`${path}?fields=title`, {}],
    ] as const) {
      const read = await served.ask('GET', url, { headers })
      expect([read.status, read.headers.etag]).toEqual([200, etag])
      const same = await served.ask('GET', url, { headers: { ...headers, 'If-None-Match': `"z", ${etag}` } })
      expect([same.status, same.text, same.headers.etag]).toEqual([304, '', etag])
      expect((await served.ask('GET', url, { headers: { ...headers, 'If-Match': '"z"' } })).status).toBe(412)
    }
    expect((await served.ask('GET', `${path}?fields=title`)).json()).toEqual({ title: 'x' })
    const head = await served.ask('HEAD', path)
    expect([head.status, head.text, head.headers.etag]).toEqual([200, '', etag])
  })

  it.each(['/notes/a.b', '/notes/%00', '/notes/a%2Fb', `/notes/${'x'.repeat(256)}`])('is 400 for %s', async (path) => {
    const served = await serveNotes({ upsert: true })
    expect((await served.ask('GET', path)).status).toBe(400)
    expect((await served.ask('PUT', path, { body: { title: 'x' } })).status).toBe(400)
    expect((await served.ask('DELETE', path)).status).toBe(400)
  })

  it('does not show what is no document of it', async () => {
    const served = await serveNotes()
    await served.store.put('text', 'x', { type: 'text/plain' })
    await served.store.put('list', '[1]', { type: 'application/json' })
    await served.store.put('broken', '{', { type: 'application/json' })
    for (const key of ['text', 'list', 'broken']) expect((await served.ask('GET', `/notes/${key}`)).status).toBe(404)
  })
})

describe('PUT /notes/:id', () => {
  it('takes what GET gave, and refuses another key', async () => {
    const served = await serveNotes()
    const { path, note } = await createNote(served, { title: 'x' })
    expect((await served.ask('PUT', path, { body: note })).status).toBe(200)
    const other = await served.ask('PUT', path, { body: { ...note, id: 'other' } })
    expect([other.status, faults(other)]).toEqual([422, ['/id key']])
  })

  it('is 204 under return=minimal, and says that it was heard', async () => {
    const served = await serveNotes()
    const { path } = await createNote(served, { title: 'x' })
    for (const [method, type] of [
      ['PUT', 'application/json'],
      ['PATCH', 'application/merge-patch+json'],
    ] as const) {
      const headers = { 'Content-Type': type, Prefer: 'return=minimal' }
      const answer = await served.ask(method, path, { body: { title: 'y' }, headers })
      expect([answer.status, answer.text, answer.headers['preference-applied']]).toEqual([204, '', 'return=minimal'])
      expect((await served.ask('GET', path)).headers.etag).toBe(answer.headers.etag)
    }
  })

  it('creates under upsert: 201 with Location, else 404', async () => {
    const served = await serveNotes({ upsert: true })
    const created = await served.ask('PUT', '/notes/mine', { body: { title: 'x' } })
    expect([created.status, created.headers.location]).toEqual([201, '/notes/mine'])
    const replaced = await served.ask('PUT', '/notes/mine', { body: { title: 'y' } })
    expect([replaced.status, replaced.headers.location]).toEqual([200, undefined])
    const once = { body: { title: 'z' }, headers: { 'If-None-Match': '*' } }
    expect((await served.ask('PUT', '/notes/mine', once)).status).toBe(412)
    expect((await served.ask('PUT', '/notes/new', once)).status).toBe(201)
    expect((await served.ask('PUT', '/notes/_idempotency_x', { body: { title: 'x' } })).status).toBe(404)
    const absent = { body: { title: 'z' }, headers: { 'If-Match': '*' } }
    expect((await served.ask('PUT', '/notes/absent', absent)).status).toBe(412)
  })

  it('sixteen at once under upsert: one creates', async () => {
    const served = await serveNotes({ upsert: true, driver: slowed(memory()) })
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => served.ask('PUT', '/notes/one', { body: { title: `t${n}` } })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(15)
  })

  it('sixteen at once with one If-Match: one wins, fifty rounds', async () => {
    const served = await serveNotes({ driver: slowed(memory()) })
    const { path, etag: first } = await createNote(served, { title: 'x' })
    let etag = first
    for (let round = 0; round < 50; round++) {
      const headers = { 'If-Match': etag }
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, n) => served.ask('PUT', path, { body: { title: `${round}.${n}` }, headers })),
      )
      const won = answers.filter(({ status }) => status === 200)
      expect(won).toHaveLength(1)
      expect(answers.filter(({ status }) => status === 412)).toHaveLength(15)
      etag = String(won[0]?.headers.etag)
      const read = await served.ask('GET', path)
      expect([read.headers.etag, read.text]).toEqual([etag, won[0]?.text])
    }
  })

  it('is 428 without a condition where one is demanded', async () => {
    const served = await serveNotes({ requireMatch: true })
    const { path, etag } = await createNote(served, { title: 'x' })
    expect((await served.ask('PUT', path, { body: { title: 'y' } })).status).toBe(428)
    expect((await served.ask('PUT', path, { body: { title: 'y' }, headers: { 'If-Match': etag } })).status).toBe(200)
    expect((await served.ask('DELETE', path)).status).toBe(428)
  })
})

describe('DELETE /notes/:id', () => {
  it('holds to conditions', async () => {
    const served = await serveNotes()
    const { path, etag } = await createNote(served, { title: 'x' })
    const failed = await served.ask('DELETE', path, { headers: { 'If-Match': '"z"' } })
    expect([failed.status, failed.headers.etag]).toEqual([412, etag])
    expect((await served.ask('DELETE', path, { headers: { 'If-Match': etag } })).status).toBe(204)
    expect((await served.ask('DELETE', path, { headers: { 'If-Match': etag } })).status).toBe(404)
  })

  it('sixteen at once: one deletes', async () => {
    for (const tombstones of [false, true]) {
      const served = await serveNotes({ driver: slowed(memory()), tombstones })
      const { path, etag } = await createNote(served, { title: 'x' })
      const headers = { 'If-Match': etag }
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, n) => served.ask('DELETE', path, n % 2 === 0 ? {} : { headers })),
      )
      const lost = Array<number>(15).fill(tombstones ? 410 : 404)
      expect(answers.map(({ status }) => status).sort()).toEqual([204, ...lost])
    }
  })

  it('of a PUT and a DELETE with one If-Match one wins', async () => {
    for (let round = 0; round < 10; round++) {
      const served = await serveNotes({ driver: slowed(memory()) })
      const { path, etag } = await createNote(served, { title: 'x' })
      const headers = { 'If-Match': etag }
      const [put, deleted] = await Promise.all([
        served.ask('PUT', path, { body: { title: 'y' }, headers }),
        served.ask('DELETE', path, { headers }),
      ])
      expect([
        [200, 412],
        [404, 204],
      ]).toContainEqual([put.status, deleted.status])
    }
  })

  it('leaves 410 behind with tombstones', async () => {
    const served = await serveNotes({ tombstones: true, clientKeys: true, batch: true })
    const { path } = await createNote(served, { id: 'a', title: 'x' })
    expect((await served.ask('DELETE', path)).status).toBe(204)
    const merge = { 'Content-Type': 'application/merge-patch+json' }
    expect((await served.ask('GET', path)).status).toBe(410)
    expect((await served.ask('DELETE', path)).status).toBe(410)
    expect((await served.ask('PUT', path, { body: { title: 'x' } })).status).toBe(410)
    expect((await served.ask('PATCH', path, { body: {}, headers: merge })).status).toBe(410)
    const list = await served.ask('GET', '/notes')
    expect([list.json(), list.headers['content-range']]).toEqual([[], 'notes */0'])
    expect((await served.ask('POST', '/notes', { body: { id: 'a', title: 'again' } })).status).toBe(201)
    expect((await served.ask('DELETE', path)).status).toBe(204)
    const many = await served.ask('POST', '/notes', {
      body: [
        { id: 'b', title: 'b' },
        { id: 'a', title: 'again' },
      ],
    })
    expect(many.status).toBe(201)
    expect((await served.ask('GET', path)).json<Shown>().title).toBe('again')
  })
})

describe('OPTIONS and other methods', () => {
  it('say what is taken', async () => {
    const served = await serveNotes()
    const list = await served.ask('OPTIONS', '/notes')
    expect([list.status, list.headers.allow]).toEqual([204, 'GET, HEAD, POST, OPTIONS'])
    expect(list.headers['accept-post']).toContain('application/json')
    const item = await served.ask('OPTIONS', '/notes/a')
    expect([item.status, item.headers.allow]).toEqual([204, 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS'])
    expect(item.headers['accept-patch']).toBe('application/merge-patch+json, application/json-patch+json')
    const wrong = await served.ask('PUT', '/notes', { body: {} })
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'GET, HEAD, POST, OPTIONS'])
  })
})

describe('what a class keeps for itself', () => {
  class Account {
    @IsString() @Transform(({ value }) => String(value).trim()) name!: string
    @Exclude({ toPlainOnly: true }) @IsString() password!: string
    @IsOptional() @IsDate() @Type(() => Date) since?: Date
    @Expose() get greeting(): string {
      return `Hello ${this.name}`
    }
  }

  it('is stored and not shown, whatever is asked', async () => {
    const served = await serveNotes({ model: Account })
    const body = { name: ' Ann ', password: 'secret', since: '2020-01-02T03:04:05Z' }
    const created = await served.ask('POST', '/notes', { body })
    const { id } = created.json<Shown>()
    const shown = { id, name: 'Ann', since: '2020-01-02T03:04:05.000Z', greeting: 'Hello Ann' }
    expect([created.status, created.json()]).toEqual([201, shown])
    const path = `/notes/${id}`
    expect((await served.ask('GET', path)).json()).toEqual(shown)
    expect((await served.ask('GET', '/notes')).json()).toEqual([shown])
    expect((await served.ask('GET', `${path}?fields=name,password`)).json()).toEqual({ name: 'Ann' })
    expect((await served.ask('GET', '/notes?fields=name,password')).json()).toEqual([{ name: 'Ann' }])
    const json = { 'Content-Type': 'application/json-patch+json' }
    for (const operation of [
      { op: 'test', path: '/password', value: 'secret' },
      { op: 'copy', from: '/password', path: '/name' },
      { op: 'move', from: '/password', path: '/name' },
    ]) {
      expect((await served.ask('PATCH', path, { body: [operation], headers: json })).status).toBe(409)
    }
    const renamed = await served.ask('PATCH', path, {
      body: [{ op: 'replace', path: '/name', value: 'Bob' }],
      headers: json,
    })
    expect([renamed.status, renamed.json<{ name: string }>().name]).toEqual([200, 'Bob'])
    const merge = { 'Content-Type': 'application/merge-patch+json' }
    expect((await served.ask('PATCH', path, { body: { password: 'new' }, headers: merge })).status).toBe(200)
    const stored = await served.store.get(id)
    expect(JSON.parse(Buffer.from(stored?.body as Uint8Array).toString())).toMatchObject({
      name: 'Bob',
      password: 'new',
      since: '2020-01-02T03:04:05.000Z',
    })
    expect((await served.ask('GET', `/notes?since=2020-01-02T03:04:05Z`)).json<unknown[]>()).toHaveLength(1)
    expect((await served.ask('GET', `/notes?since=2020-01-02T03:04:06Z`)).json()).toEqual([])
  })

  it('the key is shown also of a class that exposes nothing else', async () => {
    @Exclude()
    class Closed {
      @Expose() @IsString() title!: string
    }
    const served = await serveNotes({ model: Closed })
    const created = await served.ask('POST', '/notes', { body: { title: 'x' } })
    expect(created.json()).toEqual({ id: expect.stringMatching(uuid) as unknown, title: 'x' })
  })
})

describe('collection(path, options).plans', () => {
  it('are served by themselves as well, with the key as the only filter', async () => {
    const { plans, complete } = collection('/x', { model: Note, store: docstore(memory()) })
    const app = createApp({ plans })
    const served = await serve(app)
    const created = await served.ask('POST', '/x', { body: { title: 'x' } })
    expect(created.status).toBe(201)
    expect((await served.ask('GET', `/x?id=${created.json<Shown>().id}`)).json()).toEqual([created.json()])
    expect((await served.ask('GET', '/x?title=x')).status).toBe(400)
    expect(complete).toBeDefined()
    expect(plans.map(({ id, method, path }) => `${id} ${method} ${String(path)}`)).toEqual([
      'collection(/x).list GET /x',
      'collection(/x).create POST /x',
      'collection(/x).read GET /x/:id',
      'collection(/x).replace PUT /x/:id',
      'collection(/x).patch PATCH /x/:id',
      'collection(/x).delete DELETE /x/:id',
    ])
  })

  it('take what the codecs of the application decode', async () => {
    const served = await serveNotes({ app: { codecs: [yaml()] } })
    const headers = { 'Content-Type': 'application/yaml', Accept: 'application/yaml' }
    const created = await served.ask('POST', '/notes', { body: 'title: x\nyear: 7\n', headers })
    expect([created.status, created.text]).toEqual([201, expect.stringMatching(/title: x\nyear: 7/)])
  })

  it('close their stores with the application, unless they are told not to', async () => {
    for (const close of [true, false]) {
      const served = await serveNotes({ close })
      await served.app.close(served.server)
      const listed = served.store.list()
      if (close) await expect(listed).rejects.toThrow(expect.objectContaining({ code: 'closed' }))
      else expect((await listed).items).toEqual([])
      await served.store.close()
    }
  })

  it('stand inside the middleware that is given', async () => {
    const served = await serveNotes({
      use: [
        async (ctx, next) => {
          if (ctx.method !== 'GET') throw new Forbidden()
          await next()
        },
      ],
    })
    expect((await served.ask('GET', '/notes')).status).toBe(200)
    expect((await served.ask('POST', '/notes', { body: '{' })).status).toBe(403)
    expect((await served.ask('DELETE', '/notes/a')).status).toBe(403)
  })
})

describe('collection(path, options): mistakes', () => {
  const store = docstore(memory())

  it.each([
    ['no model', () => collection('/x', { store } as never), /no model/],
    ['a key that is no name', () => collection('/x', { model: Note, store, key: 'a b' }), /cannot name the key/],
    ['a unit that is no token', () => collection('/x', { model: Note, store, name: 'a b' }), /no range unit/],
    ['a page of nothing', () => collection('/x', { model: Note, store, paged: { limit: 0 } }), /whole numbers/],
    [
      'a key that is no text',
      () => createApp({ resources: [collection('/x', { model: Note, store, key: 'year' })] }),
      /is no text/,
    ],
    [
      'a class without rules',
      () => createApp({ resources: [collection('/x', { model: class Bare {}, store })] }),
      /Bare/,
    ],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(ConfigurationError)
    expect(make).toThrow(message)
  })
})
