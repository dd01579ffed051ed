/** The library that speaks OAuth 2 and OpenID Connect. Its types are written once, here: it is optional. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- the rule takes the import's attributes for a value
export type OpenidClient = typeof import('openid-client', { with: { 'resolution-mode': 'import' } })

/** A server's metadata and a client of it. */
export type Configuration = InstanceType<OpenidClient['Configuration']>

/** How a client proves who it is. */
export type ClientAuth = ReturnType<OpenidClient['None']>

/** What a client says of itself (RFC 7591 §2). */
export type ClientMetadata = Parameters<OpenidClient['dynamicClientRegistration']>[1]

/** What a token endpoint has answered (RFC 6749 §5.1). */
export type TokenResponse = Awaited<ReturnType<OpenidClient['clientCredentialsGrant']>>

/** What a device authorization endpoint has answered (RFC 8628 §3.2). */
export type DeviceResponse = Awaited<ReturnType<OpenidClient['initiateDeviceAuthorization']>>

/** @throws Error where openid-client is not installed */
export function loadOpenidClient(): OpenidClient {
  try {
    // A call of `require`, not an import: the package is optional, and here is where it is missed.
    return require('openid-client') as OpenidClient
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code !== 'MODULE_NOT_FOUND') throw cause
    throw new Error('kumu/client/oidc needs the package openid-client: npm install openid-client', { cause })
  }
}
