import { refreshToken, type RefreshTokenOptions } from 'kumu/client/oidc'
import { loadModules } from '../support/load-modules'
import { startProvider, stopProviders, type RunningProvider } from './support/provider'

jest.mock('openid-client', () => loadModules('openid-client'))

let provider: RunningProvider
let fixed: RunningProvider

beforeAll(async () => {
  ;[provider, fixed] = await Promise.all([startProvider(), startProvider({ rotates: false })])
})
afterAll(stopProviders)

async function open(options: Partial<RefreshTokenOptions> = {}, at = provider) {
  const first = await at.mint('shell', 'openid offline_access read')
  const rotated: [string, string][] = []
  const before = (await at.seen('/token')).length
  const source = refreshToken({
    issuer: at.issuer,
    clientId: 'shell',
    refreshToken: first,
    onRotate: (access, refresh) => void rotated.push([access, refresh]),
    ...options,
  })
  return { source, first, rotated, requests: async () => (await at.seen('/token')).slice(before) }
}

describe('refreshToken({ refreshToken, onRotate })', () => {
  it('sends nothing before it is asked', async () => {
    const { source, first, requests } = await open()
    expect([source.refreshToken, await requests()]).toEqual([first, []])
  })

  it('keeps each new refresh token, and tells of it with its access token', async () => {
    const { source, first, rotated, requests } = await open()
    const one = await source()
    const second = source.refreshToken!
    const two = await source({ rejected: one.token })
    const third = source.refreshToken!
    expect(new Set([first, second, third]).size).toBe(3)
    expect(rotated).toEqual([
      [one.token, second],
      [two.token, third],
    ])
    expect((await requests()).map(({ form }) => form)).toEqual(
      [first, second].map((spent) => ({ grant_type: 'refresh_token', refresh_token: spent, client_id: 'shell' })),
    )
    expect(await provider.isActive(two.token)).toBe(true)
  })

  it('goes on with the one it has where the server sends no other, and tells nobody', async () => {
    const { source, first, rotated } = await open({}, fixed)
    const one = await source()
    const two = await source({ rejected: one.token })
    expect([source.refreshToken, rotated]).toEqual([first, []])
    expect(two.token).not.toBe(one.token)
  })

  it('spends a refresh token once, whoever asks', async () => {
    const { source, requests } = await open()
    const { token } = await source()
    const renewed = await Promise.all(Array.from({ length: 100 }, () => source({ rejected: token })))
    expect(new Set(renewed.map((set) => set.token)).size).toBe(1)
    expect(await requests()).toHaveLength(2)
  })

  it('does not lose the new token where all who asked have gone', async () => {
    const { source, requests } = await open()
    const controller = new AbortController()
    const left = source({ signal: controller.signal })
    controller.abort()
    await expect(left).rejects.toThrow('aborted')
    expect(await provider.isActive((await source()).token)).toBe(true)
    expect(await requests()).toHaveLength(1)
  })

  it('fails where onRotate does, and goes on with the new token', async () => {
    const { source, first, requests } = await open({
      onRotate: async () => {
        throw new Error('The disk is full')
      },
    })
    await expect(source()).rejects.toThrow('The disk is full')
    expect(source.refreshToken).not.toBe(first)
    expect(await provider.isActive((await source()).token)).toBe(true)
    expect(await requests()).toHaveLength(1)
  })

  it('narrows what was granted', async () => {
    const { source, requests } = await open({ scope: ['openid', 'read'] })
    await source()
    expect((await requests())[0]!.form).toMatchObject({ scope: 'openid read' })
  })

  it('says that the token serves no more', async () => {
    const { source } = await open({ refreshToken: 'none' })
    await expect(source()).rejects.toMatchObject({
      code: 'invalid_grant',
      message: expect.stringMatching(/^Token request failed: invalid_grant/),
    })
  })

  it('revokes the refresh token, and with it what it gave', async () => {
    const { source } = await open()
    const { token } = await source()
    const held = source.refreshToken!
    await source.revoke()
    expect(await Promise.all([token, held].map(provider.isActive))).toEqual([false, false])
    expect(source.refreshToken).toBeUndefined()
    await expect(source()).rejects.toThrow('Token request failed: the refresh token was revoked')
    const { form } = (await provider.seen('/token/revocation')).at(-1)!
    expect(form).toMatchObject({ token: held, token_type_hint: 'refresh_token' })
  })
})
