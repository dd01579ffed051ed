import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createClient, TimeoutError, withTimeout } from 'kumu/client'
import { closeAll, serve } from '../support/serve'
import { failureOf, record } from './support/server'

afterEach(closeAll)

/** A server that never answers, and says when it lost a request. */
async function silent(begin = ''): Promise<{ url: string; lost: Promise<unknown>; server: Server }> {
  const server = createServer((_, response) => {
    if (begin) response.writeHead(200, { 'Content-Type': 'application/json' }).write(begin)
    response.once('close', () => server.emit('lost'))
  })
  const lost = once(server, 'lost')
  const { url } = await serve(server)
  return { url, lost, server }
}

describe('timeout', () => {
  it.each([
    ['of an answer that does not come', ''],
    ['of an answer that does not end', '{"a"'],
  ])('%s', async (_, begin) => {
    const { url, lost } = await silent(begin)
    const error = await failureOf(createClient(url, { timeout: 100, retries: 0 }).get('/x?y'))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error).toMatchObject({
      code: 'timeout',
      phase: 'attempt',
      limit: 100,
      message: `GET ${url}/x: no answer within 100 ms`,
    })
    await lost
  })

  it('of one call in place of that of the client', async () => {
    const { url } = await silent()
    expect(await failureOf(createClient(url, { retries: 0 }).get('/', { timeout: 50 }))).toMatchObject({ limit: 50 })
  })

  it('that is longer than timers last is none', async () => {
    const { url } = await record((_, response) => response.end())
    expect(await createClient(url, { timeout: 2 ** 31, deadline: Number.POSITIVE_INFINITY }).get('/')).toBeNull()
  })

  it('of a transport that is deaf to the signal', async () => {
    const transport = () => new Promise<Response>(() => undefined)
    const error = await failureOf(createClient('http://localhost', { transport, timeout: 20, retries: 0 }).get('/'))
    expect(error).toBeInstanceOf(TimeoutError)
  })
})

describe('deadline', () => {
  it('ends a call with all its retries', async () => {
    const { url, lost } = await silent()
    const error = await failureOf(createClient(url, { timeout: 60, deadline: 200, backoff: 1, retries: 30 }).get('/'))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(['attempt', 'deadline']).toContain(error['phase'])
    await lost
  })

  it('is told apart from the time of an attempt', async () => {
    const { url } = await silent()
    const error = await failureOf(createClient(url).get('/', { deadline: 50 }))
    expect(error).toMatchObject({ phase: 'deadline', limit: 50, message: `GET ${url}: no answer within 50 ms in all` })
  })
})

describe('signal', () => {
  it.each([
    ['while the answer does not come', ''],
    ['while the answer does not end', '{"a"'],
  ])('%s', async (_, begin) => {
    const { url, lost, server } = await silent(begin)
    const controller = new AbortController()
    server.once('request', () => setTimeout(() => controller.abort(), 20))
    const error = await failureOf(createClient(url).get('/', { signal: controller.signal }))
    expect(error).toBe(controller.signal.reason)
    expect(error.name).toBe('AbortError')
    await lost
  })

  it('that is aborted already sends nothing', async () => {
    const { url, seen } = await record((_, response) => response.end())
    const reason = new Error('before')
    expect(await failureOf(createClient(url).get('/', { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(seen).toEqual([])
  })

  it('is left as it was: no listener stays', async () => {
    const { url } = await record((_, response) => response.end())
    const { signal } = new AbortController()
    let listening = 0
    const { addEventListener: add, removeEventListener: remove } = signal
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listening += 1
      add.apply(signal, args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listening -= 1
      remove.apply(signal, args)
    }
    const api = createClient(url, { deadline: 60_000, token: 'static' })
    for (let each = 0; each < 10; each++) await api.get('/', { signal })
    expect(listening).toBe(0)
  })
})

it('withTimeout(limit)(fetch) is a fetch that gives up', async () => {
  const { url } = await silent()
  expect(await failureOf(withTimeout(30)(fetch)(new Request(url)))).toBeInstanceOf(TimeoutError)
})
