import type { JsonWebKey, KeyObject } from 'node:crypto'
import { ConfigurationError } from '../errors'

/** An authorization server, and how it is reached. */
export interface IssuerOptions {
  /** Its identifier, as its own metadata says it: `https://login.example.org/realms/main`. `http` for loopback alone. */
  readonly issuer: string | URL
  /** Where its metadata stand: those of OpenID Connect Discovery (the default), or those of RFC 8414. */
  readonly discovery?: 'oidc' | 'oauth2'
  /** Milliseconds that one request to it may take. Default 30,000. */
  readonly timeout?: number
  /** In place of the global `fetch`: another dispatcher, a proxy, a certificate authority. */
  readonly fetch?: typeof fetch
}

/** A client of an authorization server. With neither a secret nor a key it is a public one. */
export interface ClientOptions extends IssuerOptions {
  readonly clientId: string
  readonly clientSecret?: string
  /**
   * The key that signs in the secret's place: PKCS#8 text, a JWK, or a key of `node:crypto`. RSA signs RS256 unless the JWK's
   * `alg` says otherwise; the JWK's `kid` is sent along.
   */
  readonly privateKey?: string | JsonWebKey | KeyObject
  /**
   * How the client proves who it is: its secret in the header (`basic`) or in the body (`post`), or a signed assertion.
   * Default: `private_key_jwt` with a key, `basic` with a secret, else `none`.
   */
  readonly method?: ClientAuthMethod
}

/** @see RFC 6749 §2.3.1, RFC 7523 §2.2 */
export type ClientAuthMethod = 'basic' | 'post' | 'private_key_jwt' | 'none'

/** What a token is asked for. */
export interface GrantOptions {
  /** Scopes, as a list or between spaces. */
  readonly scope?: string | readonly string[]
  /** For whom the token is, where the server knows that parameter (RFC 8693 §2.1, and others before it). */
  readonly audience?: string
  /** The URL of the API that the token is for, or several (RFC 8707). */
  readonly resource?: string | readonly string[]
}

/**
 * Checks the address of an authorization server.
 *
 * @param where the function that the options were given to
 * @throws ConfigurationError where it is no URL, no issuer, or not safe to ask
 */
export function toIssuer(where: string, { issuer }: IssuerOptions): URL {
  const url = URL.canParse(String(issuer)) ? new URL(String(issuer)) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new ConfigurationError(where, `the issuer ${quote(issuer)} is no URL`, 'Give it as https://host/path')
  }
  if (!isSafe(url)) {
    throw new ConfigurationError(
      where,
      `the issuer ${quote(issuer)} would be sent secrets in clear text`,
      'Give it with https; http is for loopback alone',
    )
  }
  // With the address of the document the library would not compare the issuer that the document names.
  if (url.pathname.includes('/.well-known/') || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(
      where,
      `the issuer ${quote(issuer)} is the address of a document`,
      'Give what that document calls "issuer"',
    )
  }
  return url
}

/**
 * Decides how a client proves who it is.
 *
 * @throws ConfigurationError where the means for it are missing, or two are given
 */
export function toMethod(where: string, options: ClientOptions): ClientAuthMethod {
  const { clientId, clientSecret, privateKey, method } = options
  if (typeof clientId !== 'string' || clientId === '') {
    throw new ConfigurationError(where, 'there is no client', 'Give `clientId`')
  }
  if (clientSecret !== undefined && privateKey !== undefined) {
    throw new ConfigurationError(where, 'there are a secret and a key', 'Give one of them')
  }
  if (clientSecret === '') {
    throw new ConfigurationError(where, 'the secret is empty', 'Leave `clientSecret` out for a public client')
  }
  const offered: readonly ClientAuthMethod[] =
    privateKey !== undefined ? ['private_key_jwt'] : clientSecret !== undefined ? ['basic', 'post'] : ['none']
  if (method === undefined) return offered[0]!
  if (offered.includes(method)) return method
  const needs = { basic: 'Give `clientSecret`', post: 'Give `clientSecret`', private_key_jwt: 'Give `privateKey`' }
  throw new ConfigurationError(
    where,
    `the method ${quote(method)} does not fit what is given to prove the client`,
    needs[method as keyof typeof needs] ?? 'Methods are basic, post, private_key_jwt and, for a public client, none',
  )
}

/** Whether secrets may be sent there: by TLS, or to this host itself. */
export function isSafe({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true
  return /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost|.+\.localhost)$/.test(hostname)
}

/** The parameters that ask for it: form fields of the request. */
export function toParameters({ scope, audience, resource }: GrantOptions): URLSearchParams {
  const parameters = new URLSearchParams()
  const scopes = toScopes(scope)
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
  if (audience !== undefined) parameters.set('audience', audience)
  for (const url of [resource ?? []].flat()) parameters.append('resource', url)
  return parameters
}

export function toScopes(scope: GrantOptions['scope']): string[] {
  return [scope ?? []].flat().flatMap((text) => text.split(' ').filter(Boolean))
}

function quote(value: unknown): string {
  return JSON.stringify(String(value))
}
