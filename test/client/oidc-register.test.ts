import { clientCredentials, deviceGrant, registerClient } from 'kumu/client/oidc'
import { loadModules } from '../support/load-modules'
import { browse } from './support/browser'
import { startProvider, stopProviders } from './support/provider'

jest.mock('openid-client', () => loadModules('openid-client'))
afterAll(stopProviders)

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'

describe('registerClient({ issuer, clientName })', () => {
  it('registers a client for devices, which works until it is removed', async () => {
    const { issuer, isActive, seen } = await startProvider()
    const client = await registerClient({ issuer, clientName: 'A shell', scopes: ['openid', 'offline_access'] })
    expect(client.metadata).toMatchObject({
      client_name: 'A shell',
      grant_types: [deviceCode, 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid offline_access',
    })
    const { clientId, clientSecret } = client
    const source = deviceGrant({
      issuer,
      clientId,
      clientSecret,
      scope: 'openid',
      prompt: ({ verificationUriComplete }) => browse(verificationUriComplete).then(() => undefined),
    })
    expect(await isActive((await source()).token)).toBe(true)
    await client.remove()
    expect((await seen(`/reg/${clientId}`)).map(({ method, status }) => [method, status])).toEqual([['DELETE', 204]])
    await expect(source({ rejected: (await source()).token })).rejects.toThrow('Token request failed: invalid_client')
    await expect(client.remove()).rejects.toThrow(/^Client removal failed: invalid_token/)
  })

  it('registers for whatever grants are named', async () => {
    const { issuer, isActive } = await startProvider()
    const { clientId, clientSecret } = await registerClient({
      issuer,
      clientName: 'Reports',
      grantTypes: ['client_credentials'],
      method: 'post',
      metadata: { contacts: ['reports@example.org'] },
    })
    const source = clientCredentials({ issuer, clientId, clientSecret, method: 'post' })
    expect(await isActive((await source()).token)).toBe(true)
  })

  it('registers for authorization codes where there is an address to come back to', async () => {
    const { issuer } = await startProvider()
    const { clientSecret, metadata } = await registerClient({
      issuer,
      clientName: 'A site',
      redirectUris: ['https://site.example.org/back'],
      method: 'none',
    })
    expect(clientSecret).toBeUndefined()
    expect(metadata).toMatchObject({
      grant_types: ['authorization_code', deviceCode, 'refresh_token'],
      response_types: ['code'],
      redirect_uris: ['https://site.example.org/back'],
      token_endpoint_auth_method: 'none',
    })
  })

  it('shows the token that lets it register', async () => {
    const { issuer } = await startProvider({ initialAccessToken: 'let-me-in' })
    await expect(registerClient({ issuer, clientName: 'A shell' })).rejects.toMatchObject({
      message: expect.stringMatching(/^Client registration failed: invalid_(token|request)/),
    })
    const client = await registerClient({ issuer, clientName: 'A shell', initialAccessToken: 'let-me-in' })
    expect(client.clientId).toEqual(expect.any(String))
  })

  it('says what the server refuses', async () => {
    const { issuer } = await startProvider()
    await expect(registerClient({ issuer, clientName: 'A shell', grantTypes: ['theft'] })).rejects.toMatchObject({
      code: 'invalid_client_metadata',
      status: 400,
    })
  })

  it('says that the server registers nobody', async () => {
    const { issuer } = await startProvider({ withoutRegistration: true, withoutManagement: true })
    await expect(registerClient({ issuer, clientName: 'A shell' })).rejects.toMatchObject({
      code: 'unsupported',
      message: 'Client registration not supported by server',
    })
  })

  it('says that the server removes nobody', async () => {
    const { issuer } = await startProvider({ withoutManagement: true })
    const client = await registerClient({ issuer, clientName: 'A shell' })
    await expect(client.remove()).rejects.toMatchObject({
      code: 'unsupported',
      message: 'Client removal not supported by server',
    })
  })
})
