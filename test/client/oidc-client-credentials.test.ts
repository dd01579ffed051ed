import { createServer, type AddressInfo } from 'node:net'
import { clientCredentials, OAuthError, type ClientCredentialsOptions } from 'kumu/client/oidc'
import { loadModules } from '../support/load-modules'
import {
  keys,
  secret,
  startProvider,
  stopProviders,
  type ProviderSettings,
  type RunningProvider,
} from './support/provider'

jest.mock('openid-client', () => loadModules('openid-client'))

let provider: RunningProvider

beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => jest.restoreAllMocks())
afterAll(stopProviders)

/** A source at a server that has had no request for a token yet. */
async function open(
  options: Partial<ClientCredentialsOptions> = {},
  settings?: ProviderSettings,
): Promise<{ source: ReturnType<typeof clientCredentials>; requests: () => Promise<number>; at: RunningProvider }> {
  const at = settings ? await startProvider(settings) : provider
  const before = (await at.seen('/token')).length
  const source = clientCredentials({ issuer: at.issuer, clientId: 'basic', clientSecret: secret, ...options })
  return { source, at, requests: async () => (await at.seen('/token')).length - before }
}

async function lastRequest(): Promise<Awaited<ReturnType<RunningProvider['seen']>>[number]> {
  return (await provider.seen('/token')).at(-1)!
}

describe('clientCredentials({ method })', () => {
  it('sends the secret in the header by default, escaped', async () => {
    const { source } = await open()
    const { token, expiresAt } = await source()
    expect(await provider.isActive(token)).toBe(true)
    expect(expiresAt).toBeGreaterThan(Date.now() + 500_000)
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 600_000)
    const { authorization, form } = await lastRequest()
    const [id, password] = Buffer.from(authorization.slice('Basic '.length), 'base64').toString().split(':')
    expect([id, new URLSearchParams(`x=${password}`).get('x')]).toEqual(['basic', secret])
    expect(form).toEqual({ grant_type: 'client_credentials' })
  })

  it('sends the secret in the body where that is asked for', async () => {
    const { source } = await open({ clientId: 'post', method: 'post' })
    expect(await provider.isActive((await source()).token)).toBe(true)
    expect(await lastRequest()).toMatchObject({ authorization: '', form: { client_id: 'post', client_secret: secret } })
  })

  test.each<[string, string, ClientCredentialsOptions['privateKey'], string]>([
    ['RSA as text', 'rs256', keys.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'RS256'],
    ['RSA as an older text', 'rs256', keys.rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string, 'RS256'],
    ['RSA for PSS', 'ps256', { ...keys.rsa.privateKey.export({ format: 'jwk' }), alg: 'PS256', kid: 'ps256' }, 'PS256'],
    ['P-256', 'es256', { ...keys.p256.privateKey.export({ format: 'jwk' }), use: 'sig', key_ops: ['sign'] }, 'ES256'],
    ['Ed25519', 'eddsa', keys.ed25519.privateKey, 'Ed25519'],
  ])('signs in place of a secret: %s', async (_, clientId, privateKey, alg) => {
    const { source } = await open({ clientId, clientSecret: undefined, privateKey })
    expect(await provider.isActive((await source()).token)).toBe(true)
    const { authorization, form } = await lastRequest()
    const parts = form?.['client_assertion']?.split('.') ?? []
    const [header, claims] = parts.map((part) => Buffer.from(part, 'base64url').toString())
    const kid = (privateKey as { readonly kid?: string }).kid
    expect(JSON.parse(header!)).toEqual(kid === undefined ? { alg } : { alg, kid })
    expect(JSON.parse(claims!)).toMatchObject({ iss: clientId, sub: clientId })
    expect([authorization, form!['client_secret']]).toEqual(['', undefined])
  })
})

describe('clientCredentials({ scope, audience, resource })', () => {
  it('asks for nothing that is not given', async () => {
    const { source } = await open()
    await source()
    expect((await lastRequest()).form).toEqual({ grant_type: 'client_credentials' })
  })

  it.each([['read write'], [['read', 'write']]])('asks for the scopes %j', async (scope) => {
    const { source } = await open({ scope })
    await source()
    expect((await lastRequest()).form).toMatchObject({ scope: 'read write' })
  })

  it('asks for a token for one API', async () => {
    const { source } = await open({ scope: 'read', resource: 'https://api.example.org', audience: 'api' })
    const { token } = await source()
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as object
    expect(claims).toMatchObject({ aud: 'https://api.example.org', client_id: 'basic', scope: 'read' })
    expect((await lastRequest()).form).toMatchObject({ audience: 'api', resource: 'https://api.example.org' })
  })
})

describe('source({ signal, rejected })', () => {
  it('keeps a token until five seconds before its end', async () => {
    const { source, requests } = await open()
    const first = await source()
    const now = Date.now()
    const clock = jest.spyOn(Date, 'now')
    clock.mockReturnValue(first.expiresAt! - 5001)
    expect(await source()).toEqual(first)
    clock.mockReturnValue(first.expiresAt! - 5000)
    expect((await source()).token).not.toBe(first.token)
    clock.mockReturnValue(now)
    expect(await requests()).toBe(2)
  })

  it('obtains another in place of one that was rejected, and of no other', async () => {
    const { source, requests } = await open()
    const first = await source()
    expect(await source({ rejected: 'another' })).toEqual(first)
    const second = await source({ rejected: first.token })
    expect(second.token).not.toBe(first.token)
    expect(await source({ rejected: first.token })).toEqual(second)
    expect(await requests()).toBe(2)
  })

  it('asks once for a hundred who call at once, at first and when their token is rejected', async () => {
    const { source, at, requests } = await open({}, {})
    const hundred = Array.from({ length: 100 })
    const first = await Promise.all(hundred.map(() => source()))
    expect(new Set(first.map(({ token }) => token)).size).toBe(1)
    const second = await Promise.all(hundred.map(() => source({ rejected: first[0]!.token })))
    expect(new Set(second.map(({ token }) => token)).size).toBe(1)
    expect(second[0]!.token).not.toBe(first[0]!.token)
    expect(await requests()).toBe(2)
    expect(await at.seen('/.well-known/openid-configuration')).toHaveLength(1)
  })

  it('lets one of them go, and serves the others', async () => {
    const { source, requests } = await open()
    const controller = new AbortController()
    const reason = new Error('No need')
    const [left, stayed] = [source({ signal: controller.signal }), source()]
    controller.abort(reason)
    await expect(left).rejects.toBe(reason)
    expect(await provider.isActive((await stayed).token)).toBe(true)
    expect(await requests()).toBe(1)
  })

  it('uses what was under way when all had gone', async () => {
    const { source, requests } = await open()
    const controller = new AbortController()
    const left = source({ signal: controller.signal })
    controller.abort()
    const next = source()
    await expect(left).rejects.toThrow('aborted')
    expect(await provider.isActive((await next).token)).toBe(true)
    expect(await requests()).toBe(1)
  })

  it('sends nothing for a signal that is over', async () => {
    const { source, requests } = await open()
    await expect(source({ signal: AbortSignal.abort(new Error('Over')) })).rejects.toThrow('Over')
    expect(await requests()).toBe(0)
  })

  it('tells all who wait of a failure, and asks again for the next', async () => {
    const { source, at, requests } = await open({}, { broken: true })
    const failed = await Promise.allSettled([source(), source()])
    expect(failed.map((result) => (result as PromiseRejectedResult).reason as unknown)).toEqual([
      expect.objectContaining({ code: 'unexpected', status: 502, message: 'Token request failed: HTTP 502' }),
      expect.any(OAuthError),
    ])
    await at.set({ broken: false })
    expect(await at.isActive((await source()).token)).toBe(true)
    expect(await requests()).toBe(2)
  })
})

describe('source.revoke(token), source.close()', () => {
  it('has the server forget the token, and obtains another', async () => {
    const { source, requests } = await open()
    const { token } = await source()
    await source.revoke()
    expect(await provider.isActive(token)).toBe(false)
    expect(await provider.isActive((await source()).token)).toBe(true)
    expect(await requests()).toBe(2)
  })

  it('revokes any token of the client, and keeps its own', async () => {
    const { source, requests } = await open()
    const [own, other] = [await source(), await (await open()).source()]
    await source.revoke(other.token)
    expect(await Promise.all([own, other].map(({ token }) => provider.isActive(token)))).toEqual([true, false])
    expect(await source()).toEqual(own)
    await source.revoke(own.token)
    expect((await source()).token).not.toBe(own.token)
    expect(await requests()).toBe(3)
  })

  it('asks nobody where there is nothing to revoke', async () => {
    const { source } = await open()
    const before = (await provider.seen('/token/revocation')).length
    await source.revoke()
    expect((await provider.seen('/token/revocation')).length).toBe(before)
  })

  it('says so where the server revokes nothing', async () => {
    const { source } = await open({}, { withoutRevocation: true })
    await source()
    await expect(source.revoke()).rejects.toMatchObject({
      code: 'unsupported',
      message: 'Token revocation not supported by server',
    })
  })

  it('refuses calls once it is closed, those under way as well', async () => {
    const { source } = await open()
    await source()
    source.close()
    source.close()
    await expect(source()).rejects.toMatchObject({ code: 'closed', message: 'The token source is closed' })
    await expect(source.revoke()).rejects.toMatchObject({ code: 'closed' })
    const { source: other } = await open()
    const waiting = other()
    other.close()
    await expect(waiting).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('refusals', () => {
  test.each<[string, Partial<ClientCredentialsOptions>, string, string]>([
    ['a wrong secret in the header', { clientSecret: 'wrong' }, 'invalid_client', 'client authentication failed'],
    ['a wrong secret in the body', { clientSecret: 'wrong', method: 'post', clientId: 'post' }, 'invalid_client', ''],
    ['a client nobody knows', { clientId: 'nobody' }, 'invalid_client', ''],
    ['a scope that is not for it', { scope: 'a"b' }, 'invalid_scope', ''],
    ['a resource that is none', { resource: 'no-url' }, 'invalid_target', ''],
  ])('%s', async (_, options, code, description) => {
    const { source } = await open(options)
    const error = (await source().catch((thrown: unknown) => thrown)) as OAuthError
    expect(error).toBeInstanceOf(OAuthError)
    expect(error.code).toBe(code)
    expect(error.message).toMatch(`Token request failed: ${code}`)
    expect(error.message).toContain(description)
    expect(error.status).toBe(code === 'invalid_client' ? 401 : 400)
  })

  it('never quote the secret, nor an answer', async () => {
    const { source } = await open({ clientSecret: 'wrong-and-secret' })
    const error = (await source().catch((thrown: unknown) => thrown)) as OAuthError
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('wrong-and-secret')
  })
})

describe('discovery', () => {
  it('refuses a server that calls itself otherwise', async () => {
    const { source, requests } = await open({}, { namedIssuer: 'http://127.0.0.1:1/' })
    await expect(source()).rejects.toMatchObject({
      code: 'unexpected',
      message: expect.stringMatching(/^Discovery failed: .* calls itself "http:\/\/127\.0\.0\.1:1\/"/),
    })
    expect(await requests()).toBe(0)
  })

  it('sends no secret in clear text to another host', async () => {
    const { source } = await open({}, { insecureTokenEndpoint: true })
    await expect(source()).rejects.toThrow('http://elsewhere.invalid/token, where secrets would go in clear text')
  })

  it('says what is missing', async () => {
    const { source } = await open({ issuer: `${provider.issuer}/nothing` })
    await expect(source()).rejects.toMatchObject({ message: 'Discovery failed: HTTP 404', status: 404 })
  })

  it('reads the metadata of RFC 8414', async () => {
    const paths: string[] = []
    const { source } = await open({
      discovery: 'oauth2',
      fetch: (url, init) => {
        paths.push(new URL(String(url)).pathname)
        return fetch(url, init)
      },
    })
    await source()
    expect(paths).toEqual(['/.well-known/oauth-authorization-server', '/token'])
  })

  it('is tried again after it has failed', async () => {
    let isDown = true
    const { source } = await open({
      fetch: (url, init) => (isDown ? fetch('http://127.0.0.1:1/', init) : fetch(url, init)),
    })
    const error = (await source().catch((thrown: unknown) => thrown)) as OAuthError
    expect(error.code).toBe('unreachable')
    expect(error.message).toMatch(/^Discovery failed: fetch failed/)
    isDown = false
    expect(await provider.isActive((await source()).token)).toBe(true)
  })

  it('waits no longer than it may', async () => {
    const silent = createServer((socket) => void socket.once('close', () => silent.close())).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    const { source } = await open({ issuer: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`, timeout: 50 })
    const error = (await source().catch((thrown: unknown) => thrown)) as OAuthError
    expect([error.code, error.message]).toEqual([
      'unreachable',
      expect.stringMatching(/^Discovery failed: .*timed? ?out/i),
    ])
  })
})
