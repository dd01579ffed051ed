import {
  createClient,
  NetworkError,
  ResponseError,
  retriesFromBackoffMax,
  TimeoutError,
  withRetry,
  type Retry,
} from 'kumu/client'
import { closeAll } from '../support/serve'
import { failureOf, record, sendJson, type Handler } from './support/server'

afterEach(closeAll)

/** Fails so often, then answers with the number of the request. */
const failing =
  (times: number, status = 503, headers: Record<string, string> = {}): Handler =>
  (_, response, count) =>
    sendJson(response, count, count <= times ? status : 200, count <= times ? headers : {})

const soon = { backoff: 1 }

describe('retries', () => {
  it.each([408, 429, 500, 502, 503, 504])('go on after %d', async (status) => {
    const { url, seen } = await record(failing(3, status))
    expect(await createClient(url, soon).get('/')).toBe(4)
    expect(seen).toHaveLength(4)
  })

  it.each([400, 401, 403, 404, 409, 412, 422, 501, 505])('are not for %d', async (status) => {
    const { url, seen } = await record(failing(1, status))
    expect(await failureOf(createClient(url, soon).get('/'))).toMatchObject({ status })
    expect(seen).toHaveLength(1)
  })

  it.each([
    ['GET', undefined, 2],
    ['HEAD', undefined, 2],
    ['OPTIONS', undefined, 2],
    ['PUT', { a: 1 }, 2],
    ['DELETE', undefined, 2],
    ['POST', { a: 1 }, 1],
    ['PATCH', { a: 1 }, 1],
    ['REPORT', undefined, 1],
  ])('%s with %j is sent %#', async (method, args, times) => {
    const { url, seen } = await record(failing(1))
    await createClient(url, soon)
      .request(method, '/', args)
      .catch(() => undefined)
    expect(seen).toHaveLength(times)
    expect(new Set(seen.map(({ body }) => body)).size).toBe(1)
  })

  it.each([
    ['asked for', 'POST', { idempotent: true }, 2],
    ['refused', 'GET', { idempotent: false }, 1],
    ['with an Idempotency-Key', 'POST', { headers: { 'Idempotency-Key': 'k' } }, 2],
    ['of none', 'GET', { retries: 0 }, 1],
  ])('%s', async (_, method, options, times) => {
    const { url, seen } = await record(failing(1))
    const api = createClient(url, soon)
    await api.request(method, '/', undefined, options).catch(() => undefined)
    expect(seen).toHaveLength(times)
  })

  it('end with the last answer', async () => {
    const { url, seen } = await record(failing(99, 502))
    const error = await failureOf(createClient(url, { ...soon, retries: retriesFromBackoffMax(4) }).get('/'))
    expect(error).toBeInstanceOf(ResponseError)
    expect(error).toMatchObject({ status: 502, body: 4 })
    expect(seen).toHaveLength(4)
  })

  it('do not send a stream twice', async () => {
    const { url, seen } = await record(failing(1))
    const body = new Blob(['once']).stream()
    expect(await failureOf(createClient(url, soon).put('/', { body }))).toMatchObject({ status: 503 })
    expect(seen.map((each) => each.body)).toEqual(['once'])
  })

  it('go on after a lost connection, also in the middle of an answer', async () => {
    const { url, seen } = await record(({ method, url: path }, response, count) => {
      if (count === 1) return response.destroy()
      if (count === 3) return sendJson(response, [method, path])
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '100' })
      return response.write('{"a"', () => response.destroy())
    })
    expect(await createClient(url, soon).get('/x')).toEqual(['GET', '/x'])
    expect(seen).toHaveLength(3)
  })

  it('go on after an attempt that took too long', async () => {
    const { url, seen } = await record((_, response, count) => (count > 2 ? sendJson(response, count) : undefined))
    expect(await createClient(url, { ...soon, timeout: 300 }).get('/')).toBe(3)
    expect(seen).toHaveLength(3)
  })

  it('tell before each pause', async () => {
    const { url } = await record((_, response, count) =>
      count === 1 ? response.destroy() : sendJson(response, count, count === 2 ? 503 : 200, { 'Retry-After': '0' }),
    )
    const told: Retry[] = []
    const logged: unknown[] = []
    const logger = { warn: (facts: object, message: string) => logged.push([message, Object.keys(facts).sort()]) }
    const api = createClient(url, { ...soon, onRetry: (retry) => told.push(retry), logger })
    await api.get('/x', { query: { key: 'secret' } })
    expect(told).toEqual([
      {
        method: 'GET',
        url: `${url}/x?key=secret`,
        retry: 1,
        pause: expect.any(Number) as number,
        error: expect.any(NetworkError) as Error,
      },
      { method: 'GET', url: `${url}/x?key=secret`, retry: 2, pause: 0, status: 503 },
    ])
    expect(logged).toEqual([
      ['Trying again', ['err', 'method', 'pause', 'retry', 'url']],
      ['Trying again', ['method', 'pause', 'retry', 'status', 'url']],
    ])
  })
})

describe('Retry-After', () => {
  it.each([
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 2000).toUTCString()],
  ])('in %s is waited for', async (_, header) => {
    const { url } = await record((request, response, count) =>
      failing(1, 429, { 'Retry-After': header() })(request, response, count),
    )
    const pauses: number[] = []
    const begin = performance.now()
    expect(await createClient(url, { ...soon, onRetry: ({ pause }) => pauses.push(pause) }).get('/')).toBe(2)
    expect(pauses).toHaveLength(1)
    expect(performance.now() - begin).toBeGreaterThanOrEqual(pauses[0]! - 2)
    expect(pauses[0]).toBeGreaterThan(100)
  })

  it('of more than two minutes is not', async () => {
    const { url, seen } = await record(failing(1, 503, { 'Retry-After': '121' }))
    expect(await failureOf(createClient(url, soon).get('/'))).toMatchObject({ status: 503 })
    expect(seen).toHaveLength(1)
  })

  it('behind the deadline is not', async () => {
    const { url, seen } = await record(failing(1, 503, { 'Retry-After': '60' }))
    expect(await failureOf(createClient(url, { ...soon, deadline: 50_000 }).get('/'))).toMatchObject({ status: 503 })
    expect(seen).toHaveLength(1)
  })

  it('that is malformed counts for nothing', async () => {
    const { url } = await record(failing(1, 503, { 'Retry-After': 'soon' }))
    expect(await createClient(url, soon).get('/')).toBe(2)
  })
})

describe('an abort', () => {
  it('ends a pause at once, with the reason', async () => {
    const { url, seen } = await record(failing(9, 503, { 'Retry-After': '100' }))
    const controller = new AbortController()
    const reason = new Error('enough')
    const api = createClient(url, { onRetry: () => setImmediate(() => controller.abort(reason)) })
    expect(await failureOf(api.get('/', { signal: controller.signal }))).toBe(reason)
    expect(seen).toHaveLength(1)
  })
})

describe('withRetry(options)(fetch)', () => {
  it('is a fetch that tries again, a body included', async () => {
    const { url, seen } = await record(failing(2))
    const transport = withRetry({ retries: 2, backoff: 1 })(fetch)
    const response = await transport(new Request(url, { method: 'PUT', body: 'again' }))
    expect([response.status, await response.json()]).toEqual([200, 3])
    expect(seen.map(({ body, method }) => [method, body])).toEqual([
      ['PUT', 'again'],
      ['PUT', 'again'],
      ['PUT', 'again'],
    ])
  })

  it('gives the last answer, whatever its status', async () => {
    const { url } = await record(failing(9))
    const response = await withRetry({ retries: 1, backoff: 1 })(fetch)(new Request(url))
    expect([response.status, await response.json()]).toEqual([503, 2])
  })
})

it('TimeoutError is no failure of the server', () => {
  expect(new TimeoutError({ method: 'GET', url: 'http://host/' }, 'attempt', 5)).not.toBeInstanceOf(ResponseError)
})
