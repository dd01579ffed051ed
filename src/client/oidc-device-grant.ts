import { Authority } from './oidc-authority'
import { authorizeDevice, type Prompt } from './oidc-device-flow'
import type { DevicePrompt } from './oidc-device-prompt'
import { OAuthError } from './oidc-errors'
import { toParameters, toScopes, type ClientOptions, type GrantOptions } from './oidc-options'
import { refresh } from './oidc-refresh-token'
import { createTokenSource, type Held, type RefreshingTokenSource } from './oidc-source'

/** Options of {@link deviceGrant}. Without a secret or a key the client is a public one, and PKCE is used. */
export interface DeviceGrantOptions extends ClientOptions, GrantOptions {
  /** Asks for a refresh token, by the scope `offline_access`. Default true; false for servers that do not know that scope. */
  readonly offline?: boolean
  /** Shows a person what to do. Default: the box with code, address and QR code, on the standard error stream. */
  readonly prompt?: Prompt
}

/** Where a refresh token outlives the process. */
export interface Keeper {
  /** Nothing where there is none, or none that can be read. */
  load(): Promise<string | undefined>
  save(refreshToken: string): Promise<void>
  remove(): Promise<void>
}

/**
 * Tokens for a person at a program without a browser: they approve it on another device, once; then a refresh token serves,
 * until the server takes it no more.
 *
 * The first call waits for that person: make it when the program starts, before requests whose time is limited wait for it.
 *
 * @param options server, client and what the tokens are for
 * @throws ConfigurationError where they do not fit together
 * @see RFC 8628, RFC 7636
 *
 * @example
 * const token = deviceGrant({ issuer: 'https://login.example.org', clientId: 'shell', scope: 'openid profile' })
 * await token()
 * const api = createClient('https://api.example.org', { token })
 */
export function deviceGrant(options: DeviceGrantOptions): RefreshingTokenSource {
  return createDeviceSource(new Authority('deviceGrant(options)', options), options)
}

/** @param keeper none: the refresh token lives as long as the source */
export function createDeviceSource(
  authority: Authority,
  options: DeviceGrantOptions,
  keeper?: Keeper,
): RefreshingTokenSource {
  const { prompt = print, offline = true, scope } = options
  const scopes = [...new Set([...(offline ? ['offline_access'] : []), ...toScopes(scope)])]

  /** What was in the keeping when it was last looked at. */
  let known: string | undefined

  async function obtain(held: Held, signal: AbortSignal): Promise<void> {
    const isFirst = held.tokens.token === undefined
    await recall(held)
    if (held.tokens.refreshToken !== undefined && (await isRefreshed(held, isFirst))) return
    const parameters = toParameters({ ...options, scope: scopes })
    held.tokens = await authorizeDevice(authority, parameters, prompt, signal)
    if (held.tokens.refreshToken === undefined) await keeper?.remove()
    else await keep(held.tokens.refreshToken)
  }

  /** Another process may have spent the token that is here, and kept the one that came for it. */
  async function recall(held: Held): Promise<void> {
    const kept = await keeper?.load()
    // What is kept as it was is older than what is here, where that could not be saved.
    if (kept !== undefined && kept !== known) held.tokens = { ...held.tokens, refreshToken: kept }
    known = kept
  }

  async function keep(refreshToken: string): Promise<void> {
    await keeper?.save(refreshToken)
    known = refreshToken
  }

  /** Whether the refresh token still served. */
  async function isRefreshed(held: Held, isFirst: boolean): Promise<boolean> {
    const spent = held.tokens.token
    try {
      await refresh(authority, held, toParameters({ ...options, scope: undefined }), (_, token) => keep(token))
      return true
    } catch (error) {
      // What came and could not be saved is no reason to ask the person again.
      const isSpent = held.tokens.token === spent
      const isRefused = error instanceof OAuthError && error.code === 'invalid_grant'
      if (isSpent && (isRefused || (isFirst && keeper))) return false
      throw error
    }
  }

  return createTokenSource(authority, { obtain, recall, forget: () => keeper?.remove() })
}

function print({ text }: DevicePrompt): void {
  process.stderr.write(text)
}
