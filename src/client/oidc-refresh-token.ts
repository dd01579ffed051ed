import type { Awaitable } from '../types'
import { ConfigurationError } from '../errors'
import { Authority } from './oidc-authority'
import { OAuthError } from './oidc-errors'
import { toParameters, type ClientOptions, type GrantOptions } from './oidc-options'
import { createTokenSource, toTokens, type Held, type RefreshingTokenSource } from './oidc-source'

/** Told of every refresh token that takes the place of another; with the access token that came along. */
export type OnRotate = (accessToken: string, refreshToken: string) => Awaitable<void>

/** Options of {@link refreshToken}. `scope` can only narrow what was granted. */
export interface RefreshTokenOptions extends ClientOptions, GrantOptions {
  readonly refreshToken: string
  /**
   * Keeps the new refresh token: most servers take the old one no more. It is waited for before the access token is given out,
   * and where it throws so does the call; the source itself goes on with the new one.
   */
  readonly onRotate?: OnRotate
}

/**
 * Tokens for who has logged in before and kept a refresh token.
 *
 * @param options server, client and refresh token
 * @throws ConfigurationError where they do not fit together
 * @see RFC 6749 §6, RFC 9700 §4.14.2 (rotation)
 *
 * @example
 * const token = refreshToken({
 *   issuer: 'https://login.example.org',
 *   clientId: 'shell',
 *   refreshToken: await keychain.get('shell'),
 *   onRotate: (_, refreshed) => keychain.set('shell', refreshed),
 * })
 */
export function refreshToken(options: RefreshTokenOptions): RefreshingTokenSource {
  const where = 'refreshToken(options)'
  const authority = new Authority(where, options)
  if (typeof options.refreshToken !== 'string' || options.refreshToken === '') {
    throw new ConfigurationError(where, 'there is no refresh token', 'Give `refreshToken`')
  }
  return createTokenSource(authority, {
    initial: { refreshToken: options.refreshToken },
    obtain: (held) => refresh(authority, held, toParameters(options), options.onRotate),
  })
}

/** Spends the refresh token, and keeps what comes for it. */
export async function refresh(
  authority: Authority,
  held: Held,
  parameters: URLSearchParams,
  onRotate?: OnRotate,
): Promise<void> {
  const spent = held.tokens.refreshToken
  if (spent === undefined) throw new OAuthError('invalid_grant', 'Token request failed: the refresh token was revoked')
  const askedAt = Date.now()
  const response = await authority.ask('Token request failed', (library, configuration) =>
    library.refreshTokenGrant(configuration, spent, parameters),
  )
  const { token, refreshToken } = (held.tokens = toTokens(response, askedAt, spent))
  if (token !== undefined && refreshToken !== undefined && refreshToken !== spent) await onRotate?.(token, refreshToken)
}
