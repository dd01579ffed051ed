import { createClient, NetworkError, type Transport, type Wrap } from 'kumu/client'
import { closeAll } from '../support/serve'
import { failureOf, record, sendJson } from './support/server'

afterEach(closeAll)

describe('transport', () => {
  it('gets a request and gives a response, in place of fetch', async () => {
    const seen: unknown[] = []
    const transport: Transport = async (request) => {
      seen.push([request.method, request.url, request.headers.get('authorization'), await request.text()])
      return Response.json({ ok: true }, { status: 201 })
    }
    const api = createClient('http://nowhere.invalid/api', { transport, token: 't' })
    expect(await api.full.post('/x', { body: { a: 1 } })).toMatchObject({ status: 201, body: { ok: true } })
    expect(await api.get('/x', { query: { a: 'b' } })).toEqual({ ok: true })
    expect(seen).toEqual([
      ['POST', 'http://nowhere.invalid/api/x', 'Bearer t', '{"a":1}'],
      ['GET', 'http://nowhere.invalid/api/x?a=b', 'Bearer t', ''],
    ])
  })

  it.each([
    [
      'as fetch says it',
      new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }),
      true,
    ],
    ['as a browser says it', new TypeError('Failed to fetch'), true],
    ['as a socket says it', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), true],
    [
      'of a certificate',
      new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }) }),
      false,
    ],
    ['of a port that no browser asks', new TypeError('fetch failed', { cause: new Error('bad port') }), false],
  ])('whose fault comes %s', async (_, fault, transient) => {
    let calls = 0
    const transport = () => {
      calls += 1
      return Promise.reject(fault)
    }
    const error = await failureOf(createClient('http://localhost', { transport, retries: 1, backoff: 1 }).get('/'))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ transient, cause: fault })
    expect(calls).toBe(transient ? 2 : 1)
  })
})

describe('wrap', () => {
  it('sees every attempt as it goes out, the first layer outermost', async () => {
    const { url } = await record((_, response, count) => sendJson(response, count, count < 3 ? 503 : 200))
    const log: string[] = []
    const layer =
      (name: string): Wrap =>
      (next) =>
      async (request) => {
        request.headers.set(`x-${name}`, '1')
        log.push(`${name} ${request.headers.get('authorization')} ${request.headers.get('x-outer')}`)
        const response = await next(request)
        log.push(`${name} ${response.status}`)
        return response
      }
    const api = createClient(url, { wrap: [layer('outer'), layer('inner')], token: 't', backoff: 1 })
    expect(await api.put('/', { body: { a: 1 } })).toBe(3)
    const attempt = (status: number) => ['outer Bearer t 1', 'inner Bearer t 1', `inner ${status}`, `outer ${status}`]
    expect(log).toEqual([...attempt(503), ...attempt(503), ...attempt(200)])
  })

  it('passes bodies on, and may answer by itself', async () => {
    const { url, seen } = await record(({ body }, response) => sendJson(response, body))
    const wrap: Wrap = (next) => async (request) =>
      request.url.endsWith('/own') ? new Response(null, { status: 204 }) : next(request)
    const api = createClient(url, { wrap })
    expect(await api.post('/x', { body: { a: 'ä' } })).toBe('{"a":"ä"}')
    expect(await api.post('/x', { body: new Blob(['stream']).stream() })).toBe('stream')
    expect(await api.post('/own', { body: 1 })).toBeNull()
    expect(seen).toHaveLength(2)
  })
})

it('init goes to fetch with every request', async () => {
  const { url } = await record((_, response) => response.writeHead(302, { Location: '/elsewhere' }).end())
  const answer = await createClient(url, { init: { redirect: 'manual' } }).full.get('/')
  expect(answer.status).toBe(302)
})
