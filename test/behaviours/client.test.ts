import { createServer } from 'node:http'
import { createClient, TokenError } from 'kumu/client'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

/** Holds every request until so many are there, so that all of them went out with the same token. */
async function startGate(size: number, isGood: (token: string) => boolean) {
  const counts = { requests: 0, refused: 0 }
  let waiting: Array<() => void> = []
  const server = createServer((request, response) => {
    counts.requests += 1
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    if (isGood(token)) {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(token))
      return
    }
    counts.refused += 1
    waiting.push(() => response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end())
    if (waiting.length < size) return
    // One after the other: the first refresh may be over before the last of them is known.
    const answers = waiting
    waiting = []
    answers.forEach((answer, index) => setTimeout(answer, index))
  })
  return { counts, url: (await serve(server)).url }
}

describe('B91: a hundred concurrent 401s', () => {
  it('lead to one token request, and each call is made once more', async () => {
    const { counts, url } = await startGate(100, (token) => token === 'token-2')
    const rejected: unknown[] = []
    const api = createClient(url, {
      token: (request) => {
        rejected.push(request.rejected)
        return `token-${rejected.length}`
      },
    })
    const answers = await Promise.all(Array.from({ length: 100 }, () => api.get('/')))
    expect(new Set(answers)).toEqual(new Set(['token-2']))
    expect(rejected).toEqual([undefined, 'token-1'])
    expect(counts).toEqual({ requests: 200, refused: 100 })
  })

  it('report a refresh that failed once, and none of them asks again', async () => {
    const { counts, url } = await startGate(100, (token) => token === 'token-3')
    const failure = new Error('the refresh token is revoked')
    let asked = 0
    const reports: unknown[] = []
    const api = createClient(url, {
      token: () => {
        asked += 1
        if (asked === 2) throw failure
        return `token-${asked}`
      },
      logger: { warn: (facts, message) => reports.push([message, facts]) },
    })
    const settled = await Promise.allSettled(Array.from({ length: 100 }, () => api.get('/')))
    const errors = settled.map((each) => (each.status === 'rejected' ? (each.reason as TokenError) : undefined))
    expect(errors.every((error) => error instanceof TokenError && error.cause === failure)).toBe(true)
    expect(asked).toBe(2)
    expect(reports).toEqual([['No token', { err: failure }]])
    expect(counts).toEqual({ requests: 100, refused: 100 })
    // Who comes later is served by a token of their own.
    expect(await api.get('/')).toBe('token-3')
  })
})
