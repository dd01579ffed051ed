import { fetchSafely, toRequestOptions } from './oidc-authority'
import { OAuthError, toOAuthError } from './oidc-errors'
import { loadOpenidClient, type ClientMetadata } from './oidc-library'
import { toIssuer, toScopes, type ClientAuthMethod, type GrantOptions, type IssuerOptions } from './oidc-options'

/** Options of {@link registerClient}. */
export interface RegisterClientOptions extends IssuerOptions {
  /** The name that people are shown when they approve it. */
  readonly clientName: string
  readonly scopes?: GrantOptions['scope']
  /** What the server demands of those who register, where it does not take everybody. */
  readonly initialAccessToken?: string
  /** Where the server sends people back to: without one there is no grant by authorization code. */
  readonly redirectUris?: readonly string[]
  /** Default: device code and refresh token; by authorization code as well, with `redirectUris`. */
  readonly grantTypes?: readonly string[]
  /** How the client will prove who it is. Default `basic`. */
  readonly method?: Exclude<ClientAuthMethod, 'private_key_jwt'>
  /** Further metadata of the client, under their registered names (RFC 7591 §2). They win over the options above. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** A client that a server has just taken in. */
export interface RegisteredClient {
  readonly clientId: string
  /** None for a public client. */
  readonly clientSecret: string | undefined
  /** All that the server says of it, under the registered names. */
  readonly metadata: Readonly<Record<string, unknown>>
  /**
   * Has the server forget the client (RFC 7592 §2.3).
   *
   * @throws OAuthError `unsupported` where the server gave no means to
   */
  remove(): Promise<void>
}

const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'
const methods = { basic: 'client_secret_basic', post: 'client_secret_post', none: 'none' }

/**
 * Registers a client with a server.
 *
 * @param options server, name and what the client will do
 * @throws ConfigurationError for an issuer that is none; OAuthError where the server refuses
 * @see RFC 7591, RFC 7592
 *
 * @example
 * const { clientId, clientSecret, remove } = await registerClient({ issuer: 'https://login.example.org', clientName: 'Shell' })
 */
export async function registerClient(options: RegisterClientOptions): Promise<RegisteredClient> {
  const issuer = toIssuer('registerClient(options)', options)
  const library = loadOpenidClient()
  const requestOptions = toRequestOptions(library, options)
  const failure = 'Client registration failed'
  try {
    const configuration = await library.dynamicClientRegistration(issuer, toMetadata(options), library.None(), {
      ...requestOptions,
      initialAccessToken: options.initialAccessToken,
    })
    const metadata = configuration.clientMetadata() as Readonly<Record<string, unknown>>
    const { client_id: clientId, client_secret: clientSecret } = metadata as {
      client_id: string
      client_secret?: string
    }
    return { clientId, clientSecret, metadata, remove: () => remove(metadata, options) }
  } catch (error) {
    const known = await toOAuthError(failure, error)
    throw known.code === 'unsupported'
      ? new OAuthError('unsupported', 'Client registration not supported by server')
      : known
  }
}

function toMetadata(options: RegisterClientOptions): ClientMetadata {
  const { clientName, redirectUris = [], method = 'basic' } = options
  const scopes = toScopes(options.scopes)
  const byCode = redirectUris.length > 0 ? ['authorization_code'] : []
  return {
    client_name: clientName,
    grant_types: [...(options.grantTypes ?? [...byCode, deviceCode, 'refresh_token'])],
    // Unsaid, it would be `code`, which needs an address to come back to (RFC 7591 §2).
    response_types: redirectUris.length > 0 ? ['code'] : [],
    redirect_uris: [...redirectUris],
    token_endpoint_auth_method: methods[method],
    ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
    ...(options.metadata as ClientMetadata),
  }
}

async function remove(metadata: Readonly<Record<string, unknown>>, options: IssuerOptions): Promise<void> {
  const { registration_client_uri: url, registration_access_token: token } = metadata
  if (typeof url !== 'string' || typeof token !== 'string') {
    throw new OAuthError('unsupported', 'Client removal not supported by server')
  }
  const failure = 'Client removal failed'
  const init: RequestInit = {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${token}` },
    redirect: 'manual',
    signal: AbortSignal.timeout(options.timeout ?? 30_000),
  }
  const response = await fetchSafely(url, init, options).catch(async (error: unknown) => {
    throw await toOAuthError(failure, error)
  })
  if (response.status !== 204) throw await toOAuthError(failure, { response })
  await response.body?.cancel()
}
