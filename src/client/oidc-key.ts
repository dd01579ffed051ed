import { createPrivateKey, KeyObject, webcrypto, type JsonWebKey } from 'node:crypto'
import { ConfigurationError } from '../errors'
import type { ClientOptions } from './oidc-options'

/** A key that signs assertions. */
export interface SigningKey {
  readonly jwk: JsonWebKey
  readonly algorithm: webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams | webcrypto.Algorithm
  /** Which of the client's keys it is. */
  readonly kid: string | undefined
}

/** The algorithms of signatures (RFC 7518 §3.1, RFC 8037, RFC 9864) in the words of WebCrypto. */
const algorithms: Readonly<Record<string, SigningKey['algorithm']>> = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  RS512: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-512' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  PS384: { name: 'RSA-PSS', hash: 'SHA-384' },
  PS512: { name: 'RSA-PSS', hash: 'SHA-512' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521' },
  EdDSA: { name: 'Ed25519' },
  Ed25519: { name: 'Ed25519' },
}

const usual: Readonly<Record<string, string>> = {
  RSA: 'RS256',
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'Ed25519',
}

/**
 * Reads a private key.
 *
 * @param where the function that it was given to
 * @throws ConfigurationError where it is none, or cannot sign
 */
export function toSigningKey(where: string, given: NonNullable<ClientOptions['privateKey']>): SigningKey {
  const jwk = toJwk(where, given)
  const { alg, kid } = (typeof given === 'object' && !isKeyObject(given) ? given : {}) as {
    readonly alg?: string
    readonly kid?: string
  }
  const name = alg ?? usual[jwk.kty === 'RSA' ? 'RSA' : String(jwk.crv)]
  const algorithm = name === undefined ? undefined : algorithms[name]
  if (algorithm && isFor(jwk, algorithm)) return { jwk, algorithm, kid }
  throw new ConfigurationError(
    where,
    `the private key cannot sign as ${JSON.stringify(alg ?? jwk.crv ?? jwk.kty)}`,
    `Give an RSA, P-256, P-384, P-521 or Ed25519 key, with one of ${Object.keys(algorithms).join(', ')} as its alg`,
  )
}

function isFor({ kty, crv }: JsonWebKey, algorithm: SigningKey['algorithm']): boolean {
  if ('namedCurve' in algorithm) return crv === algorithm.namedCurve
  return algorithm.name === 'Ed25519' ? crv === 'Ed25519' : kty === 'RSA'
}

function toJwk(where: string, given: NonNullable<ClientOptions['privateKey']>): JsonWebKey {
  try {
    const key = isKeyObject(given)
      ? given
      : createPrivateKey(typeof given === 'string' ? given : { key: given, format: 'jwk' })
    // The type of a public key has no private member: what is exported below would verify, and never sign.
    if (key.type !== 'private') throw new TypeError(`it is ${key.type}`)
    return key.export({ format: 'jwk' })
  } catch (error) {
    throw new ConfigurationError(
      where,
      `the private key cannot be read: ${(error as Error).message}`,
      'Give PKCS#8 text without a passphrase, or a private JWK',
    )
  }
}

/** By its shape: a key of another realm is no `instanceof KeyObject`. */
function isKeyObject(given: object | string): given is KeyObject {
  return typeof given === 'object' && (given instanceof KeyObject || typeof (given as KeyObject).export === 'function')
}

/** The key as WebCrypto takes it, for signing and nothing else. */
export function importSigningKey({ jwk, algorithm }: SigningKey): Promise<webcrypto.CryptoKey> {
  // Members that say what the key is for would be held against the use asked for.
  const { alg: _alg, use: _use, key_ops: _operations, ...bare } = jwk as JsonWebKey & Record<string, unknown>
  return webcrypto.subtle.importKey('jwk', bare as webcrypto.JsonWebKey, algorithm, false, ['sign'])
}
