import {
  createClient,
  TokenError,
  UnauthorizedError,
  withToken,
  type TokenRequest,
  type TokenSource,
} from 'kumu/client'
import { closeAll } from '../support/serve'
import { failureOf, record, sendJson, type Recorder } from './support/server'

afterEach(closeAll)

/** A server that takes the tokens it is told to. */
async function guarded(accepted: Set<string>): Promise<Recorder> {
  return record(({ headers }, response) => {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? ''
    if (accepted.has(token)) return sendJson(response, token)
    return sendJson(response, {}, 401, { 'WWW-Authenticate': 'Bearer error="invalid_token"' })
  })
}

/** A source that counts: one, two, three. */
function counting(): { source: TokenSource; asked: TokenRequest[] } {
  const asked: TokenRequest[] = []
  const source: TokenSource = async (request) => {
    asked.push(request)
    await new Promise((resolve) => setImmediate(resolve))
    return `token-${asked.length}`
  }
  return { source, asked }
}

const jwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), 'ä'].map((part) => Buffer.from(part).toString('base64url')).join('.')

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

describe('token', () => {
  it('is sent as it is, and a 401 is an answer', async () => {
    const { url, seen } = await guarded(new Set(['good']))
    expect(await createClient(url, { token: 'good' }).get('/')).toBe('good')
    const error = await failureOf(createClient(url, { token: 'bad' }).get('/'))
    expect(error).toBeInstanceOf(UnauthorizedError)
    expect(seen).toHaveLength(2)
  })

  it('is not sent where the caller sends another', async () => {
    const { url, seen } = await record((_, response) => response.end())
    const { source, asked } = counting()
    await createClient(url, { token: source }).get('/', { headers: { Authorization: 'Basic x' } })
    expect(seen[0]?.headers.authorization).toBe('Basic x')
    expect(asked).toEqual([])
  })

  it('is asked for once, by a hundred that begin together', async () => {
    const { url } = await guarded(new Set(['token-1']))
    const { source, asked } = counting()
    const api = createClient(url, { token: source })
    expect(new Set(await Promise.all(Array.from({ length: 100 }, () => api.get('/'))))).toEqual(new Set(['token-1']))
    expect(asked).toHaveLength(1)
    expect(asked[0]?.rejected).toBeUndefined()
  })

  it('that is opaque is kept until it is refused', async () => {
    const accepted = new Set(['token-1'])
    const { url, seen } = await guarded(accepted)
    const { source, asked } = counting()
    const api = createClient(url, { token: source })
    for (let each = 0; each < 3; each++) expect(await api.get('/')).toBe('token-1')
    accepted.clear()
    accepted.add('token-2')
    expect(await api.get('/')).toBe('token-2')
    expect(await api.get('/')).toBe('token-2')
    expect(asked.map(({ rejected }) => rejected)).toEqual([undefined, 'token-1'])
    expect(seen.map(({ headers }) => headers.authorization?.slice(-1)).join('')).toBe('111122')
  })

  it.each([
    ['a JWT that ends within five seconds', () => jwt({ exp: inSeconds(4) }), 3],
    ['a JWT that has ended', () => jwt({ exp: inSeconds(-100) }), 3],
    ['a JWT that lasts', () => jwt({ exp: inSeconds(60), name: 'äöü>>>???' }), 1],
    ['a JWT without an end', () => jwt({ sub: 'x' }), 1],
    ['three parts that are no JWT', () => 'a.b.c', 1],
    ['a set that ends within five seconds', () => ({ token: 'x', expiresAt: Date.now() + 4000 }), 3],
    [
      'a set that lasts longer than its JWT says',
      () => ({ token: jwt({ exp: 1 }), expiresAt: Date.now() + 60_000 }),
      1,
    ],
  ])('from %s', async (_, token, times) => {
    const { url } = await record((__, response) => response.end())
    let asked = 0
    const api = createClient(url, {
      token: () => {
        asked += 1
        return token()
      },
    })
    for (let each = 0; each < 3; each++) await api.get('/')
    expect(asked).toBe(times)
  })

  it('that is the same again is not sent again', async () => {
    const { url, seen } = await guarded(new Set())
    let asked = 0
    const api = createClient(url, { token: () => `same${(asked += 1) * 0}` })
    expect(await failureOf(api.get('/'))).toBeInstanceOf(UnauthorizedError)
    expect([seen.length, asked]).toEqual([1, 2])
  })

  it('that is new and refused as well ends it', async () => {
    const { url, seen } = await guarded(new Set())
    const { source, asked } = counting()
    expect(await failureOf(createClient(url, { token: source }).get('/'))).toBeInstanceOf(UnauthorizedError)
    expect([seen.length, asked.length]).toEqual([2, 2])
  })

  it('that does not come is a TokenError, and the next call asks again', async () => {
    const { url, seen } = await guarded(new Set(['late']))
    const failure = new Error('the provider is away')
    let asked = 0
    const api = createClient(url, {
      token: () => {
        asked += 1
        if (asked === 1) throw failure
        return 'late'
      },
    })
    const error = await failureOf(api.get('/x?y'))
    expect(error).toBeInstanceOf(TokenError)
    expect(error).toMatchObject({
      code: 'token',
      cause: failure,
      message: `GET ${url}/x: no token: the provider is away`,
    })
    expect(seen).toEqual([])
    expect(await api.get('/')).toBe('late')
  })

  it.each([[''], ['a\nb'], ['ä'], [undefined], [7]])('%p is none, and is not told', async (token) => {
    const error = await failureOf(createClient('http://localhost', { token: () => token as string }).get('/'))
    expect(error).toBeInstanceOf(TokenError)
    expect(error.message).toBe(
      'GET http://localhost: no token: The token source gave no token of visible ASCII characters',
    )
  })

  it('goes with a request that carries a body, again after a 401, and not with a stream', async () => {
    const { url, seen } = await guarded(new Set(['token-2']))
    const { source } = counting()
    const api = createClient(url, { token: source })
    expect(await api.post('/', { body: { a: 1 } })).toBe('token-2')
    expect(seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}'])

    const streamed = await guarded(new Set(['token-2']))
    const other = createClient(streamed.url, { token: counting().source })
    expect(await failureOf(other.post('/', { body: new Blob(['s']).stream() }))).toBeInstanceOf(UnauthorizedError)
    expect(streamed.seen).toHaveLength(1)
    // The token is renewed all the same.
    expect(await other.get('/')).toBe('token-2')
  })
})

describe('who waits for a token', () => {
  it('may leave, and the others get it', async () => {
    const { url } = await guarded(new Set(['slow']))
    let give: (token: string) => void = () => undefined
    const signals: AbortSignal[] = []
    const api = createClient(url, {
      token: ({ signal }) => {
        signals.push(signal!)
        return new Promise<string>((resolve) => (give = resolve))
      },
    })
    const controller = new AbortController()
    const leaving = failureOf(api.get('/', { signal: controller.signal }))
    const staying = api.get('/')
    controller.abort(new Error('gone'))
    expect((await leaving).message).toBe('gone')
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    give('slow')
    expect(await staying).toBe('slow')
  })

  it('takes the request along where nobody is left, and the next one asks anew', async () => {
    const { url } = await guarded(new Set(['second']))
    const signals: AbortSignal[] = []
    const api = createClient(url, {
      token: ({ signal }) => {
        signals.push(signal!)
        return signals.length === 1 ? new Promise<string>(() => undefined) : 'second'
      },
    })
    const controller = new AbortController()
    const leaving = failureOf(api.get('/', { signal: controller.signal }))
    controller.abort(new Error('gone'))
    await leaving
    expect(signals[0]?.aborted).toBe(true)
    expect(await api.get('/')).toBe('second')
  })
})

describe('username and password', () => {
  it.each([
    ['Aladdin', 'open sesame', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    ['test', '123\u00a3', 'Basic dGVzdDoxMjPCow=='],
    ['', 'a:b', 'Basic OmE6Yg=='],
  ])('%j and %j are sent as RFC 7617 says', async (username, password, expected) => {
    const { url, seen } = await record((_, response) => response.end())
    await createClient(url, { username, password }).get('/')
    expect(seen[0]?.headers.authorization).toBe(expected)
  })
})

it('withToken(source)(fetch) is a fetch with a token', async () => {
  const { url, seen } = await guarded(new Set(['token-2']))
  const transport = withToken(counting().source)(fetch)
  const response = await transport(new Request(url, { method: 'POST', body: 'content' }))
  expect([response.status, await response.json()]).toEqual([200, 'token-2'])
  expect(seen.map(({ body }) => body)).toEqual(['content', 'content'])
})
