import { ConfigurationError } from '../errors'
import { Authority } from './oidc-authority'
import { toParameters, type ClientOptions, type GrantOptions } from './oidc-options'
import { createTokenSource, toTokens, type OAuthTokenSource } from './oidc-source'

/** Options of {@link clientCredentials}. */
export interface ClientCredentialsOptions extends ClientOptions, GrantOptions {}

/**
 * Tokens for a program that acts on its own account, which proves who it is by a secret or a key.
 *
 * @param options server, client, and what the tokens are for
 * @throws ConfigurationError where they do not fit together
 * @see RFC 6749 §4.4, RFC 7523 §2.2, RFC 8707
 *
 * @example
 * const token = clientCredentials({ issuer: 'https://login.example.org', clientId: 'reports', clientSecret: 'secret', scope: 'read' })
 * const api = createClient('https://api.example.org', { token })
 */
export function clientCredentials(options: ClientCredentialsOptions): OAuthTokenSource {
  const where = 'clientCredentials(options)'
  const authority = new Authority(where, options)
  if (authority.isPublic) {
    throw new ConfigurationError(where, 'nothing proves the client', 'Give `clientSecret` or `privateKey`')
  }
  return createTokenSource(authority, {
    async obtain(held) {
      const askedAt = Date.now()
      const response = await authority.ask('Token request failed', (library, configuration) =>
        library.clientCredentialsGrant(configuration, toParameters(options)),
      )
      // A refresh token has no place here (RFC 6749 §4.4.3): the client's own proof is as good.
      const { token, expiresAt } = toTokens(response, askedAt)
      held.tokens = { token, expiresAt }
    },
  })
}
