import 'reflect-metadata'
import { connect } from 'node:net'
import { once } from 'node:events'
import { ConfigurationError, createApp, Get, Options, Param, Post, Resource } from 'kumu'
import type { OpenApiDocument } from 'kumu/openapi'
import { parse } from 'yaml'
import { closeAll, serve } from '../support/serve'
import { createWide } from './support/wide'

afterEach(closeAll)

@Resource('/pets')
class Pets {
  @Get() list() {
    return []
  }

  @Get('/:id') one(@Param('id') id: string) {
    return { id }
  }

  @Post('/:id/feed') feed(@Param('id') id: string) {
    return { id }
  }

  @Options('/:id/feed') options() {
    return { own: true }
  }
}

describe('createApp({ openapi })', () => {
  test('nothing is served where it is not asked for, and app.document() tells all the same', async () => {
    const app = createApp({ resources: [Pets] })
    const { ask } = await serve(app)
    expect((await ask('GET', '/openapi.json')).status).toBe(404)
    expect((await ask('GET', '/docs')).status).toBe(404)
    expect(Object.keys(app.document().paths)).toEqual(['/pets', '/pets/{id}', '/pets/{id}/feed'])
    expect(app.document()).toBe(app.document())
  })

  test('true: the defaults', async () => {
    const { ask } = await serve(createApp({ resources: [Pets], openapi: true }))
    expect((await ask('GET', '/openapi.json')).json()).toMatchObject({
      openapi: '3.1.1',
      info: { title: 'API', version: '0.0.0' },
    })
    expect((await ask('GET', '/docs')).status).toBe(200)
  })

  test('other paths, a prefix, no page', async () => {
    const openapi = { path: '/api.json', ui: false, info: { title: 'Pets', version: '2.0.0' } } as const
    const { ask } = await serve(createApp({ resources: [Pets], prefix: '/v1', openapi }))
    const document = (await ask('GET', '/v1/api.json')).json<OpenApiDocument>()
    expect(Object.keys(document.paths)).toEqual(['/v1/pets', '/v1/pets/{id}', '/v1/pets/{id}/feed'])
    expect((await ask('GET', '/v1/docs')).status).toBe(404)
  })

  test('a page on the path of a resource is refused at start', () => {
    expect(() => createApp({ resources: [Pets], openapi: { ui: '/pets' } })).toThrow(ConfigurationError)
  })
})

describe('GET /openapi.json', () => {
  test('a strong entity tag, and 304 to who has it', async () => {
    const { ask } = await serve(createWide())
    const first = await ask('GET', '/openapi.json')
    expect(first.headers).toMatchObject({
      'content-type': 'application/json',
      etag: expect.stringMatching(/^"[^"]+"$/) as string,
    })
    const again = await ask('GET', '/openapi.json', { headers: { 'If-None-Match': first.headers.etag as string } })
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', first.headers.etag])
    expect((await ask('HEAD', '/openapi.json')).headers['content-length']).toBe(String(first.bytes.length))
  })

  test.each(['application/yaml', 'text/yaml', 'application/openapi+yaml', 'application/json;q=0.1, application/yaml'])(
    'Accept: %s is YAML, under another tag',
    async (accept) => {
      const { ask } = await serve(createWide())
      const json = await ask('GET', '/openapi.json')
      const yaml = await ask('GET', '/openapi.json', { headers: { Accept: accept } })
      expect(parse(yaml.text)).toEqual(json.json())
      expect(yaml.headers['content-type']).toMatch(/yaml/)
      expect(yaml.headers.vary).toBe('Accept')
      expect(yaml.headers.etag).not.toBe(json.headers.etag)
    },
  )

  test('Accept: image/png is 406', async () => {
    const { ask } = await serve(createWide())
    expect((await ask('GET', '/openapi.json', { headers: { Accept: 'image/png' } })).status).toBe(406)
  })
})

describe('OPTIONS <resource>', () => {
  const json = { headers: { Accept: 'application/json' } }

  test('its part of the document, with Allow', async () => {
    const { ask } = await serve(createWide())
    const answer = await ask('OPTIONS', '/things/7', json)
    const part = answer.json<OpenApiDocument>()
    expect(answer.status).toBe(200)
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD, OPTIONS, PATCH, PUT')
    expect(Object.keys(part.paths)).toEqual(['/things/{id}'])
    expect(Object.keys(part.paths['/things/{id}'] ?? {}).sort()).toEqual(['delete', 'get', 'patch', 'put'])
    expect(Object.keys(part.components?.schemas ?? {}).sort()).toEqual([
      'Account',
      'AccountInput',
      'Problem',
      'Violation',
    ])
  })

  test.each([{}, { headers: { Accept: '*/*' } }, { headers: { Accept: 'text/html' } }])(
    'without a body: %j',
    async (ask) => {
      const served = await serve(createWide())
      const answer = await served.ask('OPTIONS', '/things/7', ask)
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(answer.headers.allow).toContain('GET')
    },
  )

  test('a handler of the resource has the first say, and an unknown path is 404', async () => {
    const { ask } = await serve(createApp({ resources: [Pets], openapi: true }))
    expect((await ask('OPTIONS', '/pets/1/feed', json)).json()).toEqual({ own: true })
    expect((await ask('OPTIONS', '/nowhere', json)).status).toBe(404)
    expect((await ask('POST', '/pets', json)).status).toBe(405)
  })
})

test('no other request passes anything of it', async () => {
  const app = createApp({ resources: [Pets], openapi: true })
  const { port } = await serve(app)
  // What goes straight to the response is written with the header in this order, and by one call.
  const socket = connect(port, '127.0.0.1')
  socket.end('GET /pets/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const pieces: Buffer[] = []
  socket.on('data', (piece) => pieces.push(piece))
  await once(socket, 'close')
  const plain = createApp({ resources: [Pets] })
  const other = await serve(plain)
  const second = connect(other.port, '127.0.0.1')
  second.end('GET /pets/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const others: Buffer[] = []
  second.on('data', (piece) => others.push(piece))
  await once(second, 'close')
  const text = (all: Buffer[]) =>
    Buffer.concat(all)
      .toString()
      .replace(/Date: .*\r\n/, '')
  expect(text(pieces)).toBe(text(others))
})
