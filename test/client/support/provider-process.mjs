// An authorization server of its own process: it and its dependencies are ES modules, which the runtime of the tests does not load.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { parse } from 'node:querystring'
import { Provider } from 'oidc-provider'

const settings = JSON.parse(process.env.PROVIDER_SETTINGS)
const seen = []
/** By device code: the challenge, and how often and when it may be asked for. */
const devices = new Map()
const interval = 1

const server = createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(settings.namedIssuer ?? issuer, {
  clients: settings.clients,
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
  cookies: { keys: ['a key of the tests'] },
  enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'Ed25519'] },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: !settings.withoutDevices },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: !settings.withoutRevocation },
    registration: {
      enabled: !settings.withoutRegistration,
      initialAccessToken: settings.initialAccessToken,
      issueRegistrationAccessToken: !settings.withoutManagement,
    },
    registrationManagement: { enabled: !settings.withoutManagement },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'read write',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: settings.accessTokenTtl,
      }),
    },
  },
  pkce: { required: () => false },
  rotateRefreshToken: settings.rotates,
  scopes: ['openid', 'offline_access', 'read', 'write'],
  ttl: {
    AccessToken: settings.accessTokenTtl,
    ClientCredentials: settings.accessTokenTtl,
    DeviceCode: settings.deviceCodeTtl,
    Grant: 3600,
    Interaction: 600,
    RefreshToken: 3600,
    Session: 3600,
  },
})

provider.use(async (ctx, next) => {
  const request = { at: Date.now(), method: ctx.method, path: ctx.path, authorization: ctx.get('authorization') }
  seen.push(request)
  if (ctx.path === '/token') {
    // The provider takes a body that was read before as it is.
    ctx.req.body = await text(ctx.req)
    request.form = parse(ctx.req.body)
  }
  const refused = ctx.path === '/token' ? refuse(request.form) : undefined
  if (refused === 'drop') return ctx.req.socket.destroy()
  if (refused) Object.assign(ctx, refused)
  else await next()
  Object.assign(request, { status: ctx.status, form: request.form ?? ctx.oidc?.body })
  if (ctx.path === '/device/auth' && ctx.status === 200) {
    if (settings.withoutCompleteUri) delete ctx.body.verification_uri_complete
    ctx.body.interval = interval
    const { code_challenge: challenge, code_challenge_method: method } = ctx.oidc.body
    devices.set(ctx.body.device_code, { challenge, method, interval, askedAt: undefined })
  }
  if (settings.insecureTokenEndpoint && ctx.path === '/.well-known/openid-configuration') {
    ctx.body = { ...ctx.body, token_endpoint: 'http://elsewhere.invalid/token' }
  }
})

/** Where this server is stricter than the provider: it holds devices to PKCE and to their interval. */
function refuse(form) {
  if (settings.broken) return { status: 502, body: 'Bad gateway' }
  const device = devices.get(form.device_code)
  if (!device) return undefined
  if (device.challenge !== undefined) {
    const proven = createHash('sha256')
      .update(form.code_verifier ?? '')
      .digest('base64url')
    if (device.method !== 'S256' || proven !== device.challenge) return error('invalid_grant')
  }
  if (settings.drops > 0) {
    settings.drops -= 1
    return 'drop'
  }
  const isHasty = device.askedAt !== undefined && Date.now() - device.askedAt < device.interval * 1000 - 50
  device.askedAt = Date.now()
  if (!isHasty && !(settings.slowDowns > 0)) return undefined
  settings.slowDowns -= 1
  device.interval += 5
  return error('slow_down')
}

function error(name) {
  return { status: 400, body: { error: name } }
}

/** What a person who has logged in once would have given the client. */
async function mint({ clientId, scope }) {
  const client = await provider.Client.find(clientId)
  const grant = new provider.Grant({ accountId: 'alice', clientId })
  grant.addOIDCScope(scope)
  const grantId = await grant.save()
  const token = new provider.RefreshToken({
    accountId: 'alice',
    authTime: Math.floor(Date.now() / 1000),
    client,
    grantId,
    gty: 'device_code',
    rotations: 0,
    scope,
    sessionUid: 'session',
  })
  return token.save()
}

const commands = {
  mint,
  seen: () => seen,
  set: (changes) => void Object.assign(settings, changes),
}

server.on('request', provider.callback())
process.on('message', async ({ id, name, given }) => {
  try {
    process.send({ id, result: await commands[name](given) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.on('disconnect', () => process.exit())
process.send({ issuer })
