import { toOAuthError, OAuthError } from './oidc-errors'
import { importSigningKey, toSigningKey, type SigningKey } from './oidc-key'
import { loadOpenidClient, type ClientAuth, type Configuration, type OpenidClient } from './oidc-library'
import {
  isSafe,
  toIssuer,
  toMethod,
  type ClientAuthMethod,
  type ClientOptions,
  type IssuerOptions,
} from './oidc-options'

/** An authorization server as one client sees it. Its metadata are read when they are first needed, and once. */
export class Authority {
  readonly #options: ClientOptions
  readonly #issuer: URL
  readonly #method: ClientAuthMethod
  readonly #key: SigningKey | undefined
  #configuration: Promise<Configuration> | undefined

  /**
   * @param where the function that the options were given to
   * @throws ConfigurationError where they do not fit together
   */
  constructor(where: string, options: ClientOptions) {
    this.#options = options
    this.#issuer = toIssuer(where, options)
    this.#method = toMethod(where, options)
    this.#key = options.privateKey === undefined ? undefined : toSigningKey(where, options.privateKey)
  }

  get clientId(): string {
    return this.#options.clientId
  }

  get issuer(): string {
    return this.#issuer.href
  }

  /** Whether anybody may call themselves this client: nothing proves it. */
  get isPublic(): boolean {
    return this.#method === 'none'
  }

  /**
   * Asks the server.
   *
   * @param what is said where it fails: `Token request failed`
   * @throws OAuthError
   */
  async ask<T>(what: string, call: (library: OpenidClient, configuration: Configuration) => Promise<T>): Promise<T> {
    const library = loadOpenidClient()
    const configuration = await this.#discover(library)
    try {
      return await call(library, configuration)
    } catch (error) {
      throw await toOAuthError(what, error)
    }
  }

  #discover(library: OpenidClient): Promise<Configuration> {
    this.#configuration ??= this.#read(library).catch(async (error: unknown) => {
      // What failed is not kept: the next call asks again.
      this.#configuration = undefined
      throw await toDiscoveryError(this.#issuer, error)
    })
    return this.#configuration
  }

  async #read(library: OpenidClient): Promise<Configuration> {
    const { clientId } = this.#options
    const proof = await this.#prove(library)
    return library.discovery(this.#issuer, clientId, undefined, proof, toRequestOptions(library, this.#options))
  }

  async #prove(library: OpenidClient): Promise<ClientAuth> {
    const { clientSecret } = this.#options
    switch (this.#method) {
      case 'basic':
        return library.ClientSecretBasic(clientSecret)
      case 'post':
        return library.ClientSecretPost(clientSecret)
      case 'private_key_jwt':
        return library.PrivateKeyJwt({ key: await importSigningKey(this.#key!), kid: this.#key!.kid })
      case 'none':
        return library.None()
    }
  }
}

/** How the library reaches a server. */
export function toRequestOptions(
  library: OpenidClient,
  options: IssuerOptions,
): Parameters<OpenidClient['discovery']>[4] {
  return {
    algorithm: options.discovery ?? 'oidc',
    timeout: (options.timeout ?? 30_000) / 1000,
    // A server on loopback chooses the addresses of its endpoints: each request is looked at once more, below.
    execute: String(options.issuer).startsWith('https:') ? [] : [library.allowInsecureRequests],
    [library.customFetch]: (url, init) => fetchSafely(url, init, options),
  }
}

/**
 * Sends a request where its secrets are safe.
 *
 * @throws OAuthError where they would go in clear text to another host
 */
export async function fetchSafely(url: string, init: RequestInit, options: IssuerOptions): Promise<Response> {
  if (!isSafe(new URL(url))) {
    throw new OAuthError(
      'unexpected',
      `The server's metadata name ${url}, where secrets would go in clear text: let it say https there`,
    )
  }
  return (options.fetch ?? fetch)(url, init)
}

/** @param issuer the one that was asked for */
export async function toDiscoveryError(issuer: URL, error: unknown): Promise<OAuthError> {
  const { attribute, body } = ((error as { readonly cause?: unknown }).cause ?? {}) as {
    readonly attribute?: unknown
    readonly body?: { readonly issuer?: unknown }
  }
  if (attribute === 'issuer') {
    return new OAuthError(
      'unexpected',
      `Discovery failed: ${issuer.href} calls itself ${JSON.stringify(body?.issuer)}; where that is whom you trust, give it as the issuer`,
    )
  }
  return toOAuthError('Discovery failed', error)
}
