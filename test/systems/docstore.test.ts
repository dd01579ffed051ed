import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { App } from 'kumu'
import { createShowcase } from '../../samples/showcase/app'
import { closeAll, serve, type Served } from '../support/serve'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** A picture of one pixel: its bytes hold zeros, line ends of both kinds and what is no UTF-8. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

let dir: string
let app: App
let served: Served

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kumu-systems-docstore-'))
  app = createShowcase(dir)
  served = await serve(app)
})

afterEach(async () => {
  await closeAll()
  await app.close()
  rmSync(dir, { recursive: true, force: true })
})

describe.each(['/memory', '/files', '/level'])('docstore: %s', (mount) => {
  const text = { 'Content-Type': 'text/plain' }

  it('walks through the article', async () => {
    // Store a text under a key of the client's.
    const stored = await served.ask('POST', `${mount}/12345`, { body: 'This is a document', headers: text })
    expect([stored.status, stored.text]).toEqual([201, '12345'])

    // Read it: the same bytes, no line end added.
    const read = await served.ask('GET', `${mount}/12345`)
    expect([read.status, read.text]).toEqual([200, 'This is a document'])

    // Delete it, and it is not there.
    const deleted = await served.ask('DELETE', `${mount}/12345`)
    expect([deleted.status, deleted.text]).toEqual([204, ''])
    expect((await served.ask('GET', `${mount}/12345`)).status).toBe(404)
    expect((await served.ask('DELETE', `${mount}/12345`)).status).toBe(404)

    // Store without a key: the answer is the key that the store picked, said once.
    const created = await served.ask('PUT', mount, { body: 'Another document', headers: text })
    expect([created.status, created.text]).toEqual([201, expect.stringMatching(uuid)])
    expect(created.headers.location).toBe(`${mount}/${created.text}`)
    expect((await served.ask('GET', `${mount}/${created.text}`)).text).toBe('Another document')

    // A picture, byte for byte and as a picture.
    await served.ask('POST', `${mount}/logo`, { body: png, headers: { 'Content-Type': 'image/png' } })
    const logo = await served.ask('GET', `${mount}/logo`)
    expect([logo.headers['content-type'], logo.bytes.equals(png)]).toEqual(['image/png', true])

    // The keys, for a program and for people.
    const keys = [created.text, 'logo'].sort()
    const list = await served.ask('GET', mount)
    expect(list.json<{ key: string }[]>().map(({ key }) => key)).toEqual(keys)
    const page = await served.ask('GET', `${mount}/`, { headers: { Accept: 'text/html' } })
    expect(page.headers['content-type']).toMatch(/^text\/html/)
    const links = [...page.text.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href, name]) => [href, name])
    expect(links).toEqual(keys.map((key) => [`${mount}/${key}`, key]))
  })

  it('takes the verbs as HTTP has them today: PUT with the key, POST without', async () => {
    expect((await served.ask('PUT', `${mount}/12345`, { body: 'one' })).status).toBe(201)
    expect((await served.ask('PUT', `${mount}/12345`, { body: 'two' })).status).toBe(204)
    const { status, text: key } = await served.ask('POST', mount, { body: 'three' })
    expect([status, key]).toEqual([201, expect.stringMatching(uuid)])
    expect((await served.ask('GET', `${mount}/12345`)).text).toBe('two')
    expect((await served.ask('GET', `${mount}/${key}`)).text).toBe('three')
  })

  it('POST on a key that is there replaces it and answers with the key', async () => {
    await served.ask('POST', `${mount}/12345`, { body: 'one' })
    const again = await served.ask('POST', `${mount}/12345`, { body: 'two' })
    expect([again.status, again.text]).toEqual([200, '12345'])
    expect((await served.ask('GET', `${mount}/12345`)).text).toBe('two')
  })

  it('refuses the keys that the old pattern let pass, and does not store under them', async () => {
    for (const key of ['abc%2F..%2F..%2Fetc%2Fpasswd', 'a'.repeat(300), 'a.b', 'a%0A']) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const { status } = await served.ask(method, `${mount}/${key}`, { body: method === 'GET' ? undefined : 'x' })
        expect([method, key, status]).toEqual([method, key, 400])
      }
    }
    expect((await served.ask('GET', mount)).json()).toEqual([])
  })

  it('a wrong verb is 405 and says the right ones', async () => {
    const answer = await served.ask('DELETE', mount)
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD, POST, PUT, OPTIONS'])
  })

  it('HEAD is GET without the body', async () => {
    await served.ask('PUT', `${mount}/logo`, { body: png, headers: { 'Content-Type': 'image/png' } })
    const head = await served.ask('HEAD', `${mount}/logo`)
    expect([head.status, head.headers['content-type'], head.headers['content-length'], head.bytes.length]).toEqual([
      200,
      'image/png',
      String(png.length),
      0,
    ])
  })

  it('shares nothing with the other mounts', async () => {
    await served.ask('PUT', `${mount}/12345`, { body: 'x' })
    for (const other of ['/memory', '/files', '/level']) {
      expect((await served.ask('GET', `${other}/12345`)).status).toBe(other === mount ? 200 : 404)
    }
  })
})
