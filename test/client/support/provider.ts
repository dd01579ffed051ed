import { fork, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'

/** A request that the server has had. */
export interface Seen {
  readonly at: number
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly status?: number
  readonly form?: Readonly<Record<string, string>>
}

export interface ProviderSettings {
  /** Seconds. */
  readonly accessTokenTtl?: number
  readonly deviceCodeTtl?: number
  readonly rotates?: boolean
  readonly initialAccessToken?: string
  /** How many of the next questions for a device's token are told to slow down, or lose their connection. */
  readonly slowDowns?: number
  readonly drops?: number
  /** Whether the token endpoint is broken. */
  readonly broken?: boolean
  /** The issuer that it says it is. */
  readonly namedIssuer?: string
  readonly insecureTokenEndpoint?: boolean
  readonly withoutCompleteUri?: boolean
  readonly withoutDevices?: boolean
  readonly withoutRevocation?: boolean
  readonly withoutRegistration?: boolean
  readonly withoutManagement?: boolean
}

/** A real authorization server on loopback. */
export interface RunningProvider {
  readonly issuer: string
  /** The requests for a path, in the order in which they came. */
  seen(path: string): Promise<Seen[]>
  /** A refresh token of alice. */
  mint(clientId: string, scope?: string): Promise<string>
  set(changes: ProviderSettings): Promise<void>
  /** Whether the server still takes a token. */
  isActive(token: string): Promise<boolean>
}

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'

/** The keys that clients of the server sign with. */
export const keys = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ed25519: generateKeyPairSync('ed25519'),
}

function keyClient(name: string, key: keyof typeof keys, alg: string): object {
  const jwk: JsonWebKey = keys[key].publicKey.export({ format: 'jwk' })
  return {
    client_id: name,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    jwks: { keys: [{ ...jwk, kid: name, use: 'sig' }] },
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }
}

function secretClient(name: string, method: string, grants: readonly string[]): object {
  return {
    client_id: name,
    // A space, a colon and a percent sign: Basic has them escaped before they are joined (RFC 6749 §2.3.1).
    ...(method === 'none' ? {} : { client_secret: secret }),
    token_endpoint_auth_method: method,
    grant_types: grants,
    redirect_uris: [],
    response_types: [],
  }
}

export const secret = 'a secret: 100% unique/+&='

const clients = [
  secretClient('basic', 'client_secret_basic', ['client_credentials']),
  secretClient('post', 'client_secret_post', ['client_credentials']),
  secretClient('shell', 'none', [deviceCode, 'refresh_token']),
  secretClient('terminal', 'client_secret_basic', [deviceCode, 'refresh_token']),
  secretClient('once', 'none', [deviceCode]),
  keyClient('rs256', 'rsa', 'RS256'),
  keyClient('ps256', 'rsa', 'PS256'),
  keyClient('es256', 'p256', 'ES256'),
  keyClient('eddsa', 'ed25519', 'Ed25519'),
]

const running = new Set<ChildProcess>()

export async function startProvider(settings: ProviderSettings = {}): Promise<RunningProvider> {
  const given = { accessTokenTtl: 600, deviceCodeTtl: 600, rotates: true, clients, ...settings }
  const child = fork(join(__dirname, 'provider-process.mjs'), {
    env: { ...process.env, NODE_OPTIONS: '', PROVIDER_SETTINGS: JSON.stringify(given) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  running.add(child)
  let said = ''
  child.stderr?.on('data', (text: Buffer) => (said += text.toString()))
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error(`The provider has ended: ${said}`))),
  ])) as [{ readonly issuer: string }]
  return createHandle(child, message.issuer)
}

export async function stopProviders(): Promise<void> {
  const stopped = [...running].map(async (child) => {
    running.delete(child)
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill()
    await exit
  })
  await Promise.all(stopped)
}

let lastId = 0

function createHandle(child: ChildProcess, issuer: string): RunningProvider {
  function command(name: string, given?: unknown): Promise<unknown> {
    const id = ++lastId
    return new Promise((resolve, reject) => {
      const hear = (answer: { readonly id?: number; readonly result?: unknown; readonly error?: string }): void => {
        if (answer.id !== id) return
        child.off('message', hear)
        if (answer.error === undefined) resolve(answer.result)
        else reject(new Error(answer.error))
      }
      child.on('message', hear)
      child.send({ id, name, given })
    })
  }
  return {
    issuer,
    seen: async (path) => ((await command('seen')) as Seen[]).filter((request) => request.path === path),
    mint: async (clientId, scope = 'openid offline_access') => (await command('mint', { clientId, scope })) as string,
    set: async (changes) => void (await command('set', changes)),
    async isActive(token) {
      const response = await fetch(`${issuer}/token/introspection`, {
        method: 'POST',
        body: new URLSearchParams({ token, client_id: 'post', client_secret: secret }),
      })
      return ((await response.json()) as { readonly active: boolean }).active
    },
  }
}
