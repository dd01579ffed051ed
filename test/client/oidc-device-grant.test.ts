import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  deviceGrant,
  refreshToken,
  type DeviceGrantOptions,
  type DevicePrompt,
  type OAuthError,
} from 'kumu/client/oidc'
import { loadModules } from '../support/load-modules'
import { browse } from './support/browser'
import { secret, startProvider, stopProviders, type ProviderSettings } from './support/provider'

jest.mock('openid-client', () => loadModules('openid-client'))
afterAll(stopProviders)

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'

/** A device at a server of its own. Its person approves whatever is asked, unless another prompt is given. */
async function open(options: Partial<DeviceGrantOptions> = {}, settings: ProviderSettings = {}) {
  const at = await startProvider(settings)
  const prompts: DevicePrompt[] = []
  const source = deviceGrant({
    issuer: at.issuer,
    clientId: 'shell',
    scope: 'openid',
    ...options,
    prompt: async (prompt) => {
      prompts.push(prompt)
      await (options.prompt ?? (({ verificationUriComplete }) => browse(verificationUriComplete)))(prompt)
    },
  })
  const polls = async () => (await at.seen('/token')).filter(({ form }) => form?.['grant_type'] === deviceCode)
  return { at, source, prompts, polls }
}

async function failureOf(source: ReturnType<typeof deviceGrant>): Promise<OAuthError> {
  return (await source().catch((error: unknown) => error)) as OAuthError
}

describe('deviceGrant({ clientId })', () => {
  it('shows code and addresses, waits for the approval, and renews the token without asking again', async () => {
    const { at, source, prompts, polls } = await open()
    const { token, expiresAt } = await source()
    expect(await at.isActive(token)).toBe(true)
    expect(expiresAt).toBeGreaterThan(Date.now() + 500_000)
    const [prompt] = prompts
    expect(prompt).toMatchObject({
      userCode: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
      verificationUri: `${at.issuer}/device`,
      verificationUriComplete: `${at.issuer}/device?user_code=${prompt!.userCode}`,
    })
    for (const part of [prompt!.userCode, `${at.issuer}/device`, '█']) expect(prompt!.text).toContain(part)
    expect(prompt!.expiresAt).toBeGreaterThan(Date.now() + 500_000)

    const first = source.refreshToken
    expect(first).toEqual(expect.any(String))
    const renewed = await source({ rejected: token })
    expect([await at.isActive(renewed.token), renewed.token === token, source.refreshToken === first]).toEqual([
      true,
      false,
      false,
    ])
    expect([prompts.length, (await polls()).length]).toEqual([1, 1])
  })

  it('proves by PKCE that it asked for the code, having no secret', async () => {
    const { at, source, polls } = await open()
    await source()
    const { form } = (await at.seen('/device/auth'))[0]!
    const verifier = (await polls())[0]!.form!['code_verifier']!
    expect(verifier).toMatch(/^[\w-]{86}$/)
    expect(form).toEqual({
      client_id: 'shell',
      scope: 'offline_access openid',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
  })

  it('proves who it is where it has a secret', async () => {
    const { at, source, polls } = await open({ clientId: 'terminal', clientSecret: secret, offline: false })
    const { token } = await source()
    expect(await at.isActive(token)).toBe(true)
    const [asked, polled] = [(await at.seen('/device/auth'))[0]!, (await polls())[0]!]
    expect([asked.authorization, polled.authorization]).toEqual([1, 2].map(() => expect.stringMatching(/^Basic /)))
    expect([asked.form, polled.form!['code_verifier']]).toEqual([{ client_id: 'terminal', scope: 'openid' }, undefined])
    expect(source.refreshToken).toBeUndefined()
  })

  it('makes the address with the code in it where the server has none', async () => {
    const { source, prompts } = await open(
      { prompt: ({ verificationUri, userCode }) => browse(verificationUri, 'approve', userCode).then(() => undefined) },
      { withoutCompleteUri: true },
    )
    await source()
    expect(prompts[0]!.verificationUriComplete).toBe(`${prompts[0]!.verificationUri}?user_code=${prompts[0]!.userCode}`)
  })

  it('asks one person once, whoever waits', async () => {
    const { at, source, prompts } = await open()
    const sets = await Promise.all(Array.from({ length: 20 }, () => source()))
    expect([new Set(sets.map(({ token }) => token)).size, prompts.length]).toEqual([1, 1])
    expect(await at.seen('/device/auth')).toHaveLength(1)
  })

  it('asks again where the refresh token serves no more, and only then', async () => {
    const { at, source, prompts } = await open()
    const { token } = await source()
    await refreshToken({ issuer: at.issuer, clientId: 'shell', refreshToken: source.refreshToken! }).revoke()
    await at.set({ broken: true })
    await expect(source({ rejected: token })).rejects.toThrow('Token request failed: HTTP 502')
    expect(prompts).toHaveLength(1)
    await at.set({ broken: false })
    const renewed = await source({ rejected: token })
    expect([await at.isActive(renewed.token), prompts.length]).toEqual([true, 2])
  })

  it('asks again where there never was a refresh token', async () => {
    const { source, prompts } = await open({ clientId: 'once', offline: false })
    const { token } = await source()
    expect(source.refreshToken).toBeUndefined()
    expect((await source({ rejected: token })).token).not.toBe(token)
    expect(prompts).toHaveLength(2)
  })
})

describe('polling', () => {
  it('waits for the person, at the interval that the server names', async () => {
    let approve: () => unknown = () => undefined
    const { source, polls } = await open({
      prompt: ({ verificationUriComplete }) => void (approve = () => browse(verificationUriComplete)),
    })
    const waiting = source()
    while ((await polls()).length < 2) await new Promise((resolve) => setTimeout(resolve, 50))
    await approve()
    await waiting
    const times = (await polls()).map(({ at }) => at)
    expect(times.length).toBeGreaterThanOrEqual(3)
    times.slice(1).forEach((time, index) => expect(time - times[index]!).toBeGreaterThan(950))
  })

  it('waits five seconds longer when it is told to slow down', async () => {
    const { source, polls } = await open({}, { slowDowns: 1 })
    await source()
    const [first, second, ...more] = (await polls()).map(({ at }) => at)
    expect(more).toEqual([])
    expect(second! - first!).toBeGreaterThan(5950)
  })

  it('goes on after a connection is lost', async () => {
    const { at, source, polls } = await open({}, { drops: 1 })
    expect(await at.isActive((await source()).token)).toBe(true)
    const [first, second] = (await polls()).map((poll) => poll.at)
    expect(second! - first!).toBeGreaterThan(1950)
  })

  it('ends when the last who wanted a token has gone', async () => {
    const { source, prompts } = await open({ prompt: () => undefined })
    const controller = new AbortController()
    const waiting = [1, 2].map(() => source({ signal: controller.signal }))
    while (prompts.length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    controller.abort(new Error('Enough'))
    for (const each of waiting) await expect(each).rejects.toThrow('Enough')
    // The next starts anew: the old code may be approved, but nobody asks for it.
    const next = source()
    while (prompts.length === 1) await new Promise((resolve) => setTimeout(resolve, 20))
    expect(prompts[1]!.userCode).not.toBe(prompts[0]!.userCode)
    await browse(prompts[1]!.verificationUriComplete)
    expect((await next).token).toEqual(expect.any(String))
  })

  it('ends when the source is closed', async () => {
    const prompted = new EventTarget()
    const { source } = await open({ prompt: () => void prompted.dispatchEvent(new Event('prompt')) })
    const shown = once(prompted, 'prompt')
    const waiting = source()
    await shown
    source.close()
    await expect(waiting).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('refusals', () => {
  it('the person denies it', async () => {
    const { source } = await open({
      prompt: ({ verificationUriComplete }) => browse(verificationUriComplete, 'deny').then(() => undefined),
    })
    const error = await failureOf(source)
    expect([error.code, error.message]).toEqual([
      'access_denied',
      expect.stringMatching(/^Device authorization failed: access_denied/),
    ])
  })

  it('the time is over', async () => {
    const { source, polls } = await open({ prompt: () => undefined }, { deviceCodeTtl: 1 })
    const error = await failureOf(source)
    expect([error.code, error.message]).toEqual([
      'expired_token',
      'Device authorization failed: expired_token (not approved within 1 s)',
    ])
    expect(await polls()).toEqual([])
  })

  it('the server has no such grant', async () => {
    const { source } = await open({}, { withoutDevices: true })
    const error = await failureOf(source)
    expect([error.code, error.message]).toEqual(['unsupported', 'Device grant not supported by server'])
  })

  it('the client is not who it says', async () => {
    const { source, prompts } = await open({ clientId: 'terminal', clientSecret: 'wrong' })
    const error = await failureOf(source)
    expect([error.code, error.message]).toEqual([
      'invalid_client',
      expect.stringMatching(/^Device authorization failed: invalid_client/),
    ])
    expect(prompts).toEqual([])
  })

  it('the prompt fails', async () => {
    const { source } = await open({ prompt: () => Promise.reject(new Error('No screen')) })
    await expect(source()).rejects.toThrow('No screen')
  })
})
