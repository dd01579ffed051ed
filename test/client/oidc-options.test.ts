import { generateKeyPairSync } from 'node:crypto'
import { ConfigurationError } from 'kumu'
import { clientCredentials, deviceGrant, refreshToken, registerClient, savedDeviceGrant } from 'kumu/client/oidc'
import { toScopes } from '../../src/client/oidc-options'

const issuer = 'https://login.example.org'
const clientId = 'shell'
const clientSecret = 'a secret'
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const locked = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string
const jwk = privateKey.export({ format: 'jwk' })

describe('bad configuration is refused before anything is sent, with its cure', () => {
  test.each<[string, () => unknown, string, string]>([
    ['no URL', () => deviceGrant({ issuer: 'login', clientId }), 'the issuer "login" is no URL', 'https://'],
    ['no web', () => deviceGrant({ issuer: 'ftp://a/', clientId }), 'the issuer "ftp://a/" is no URL', 'https://'],
    ...[
      'http://login.example.org',
      'http://127.0.0.1.example.org',
      'http://localhost.example.org',
      'http://10.0.0.1',
    ].map((address): [string, () => unknown, string, string] => [
      `clear text to ${address}`,
      () => deviceGrant({ issuer: address, clientId }),
      'would be sent secrets in clear text',
      'Give it with https',
    ]),
    [
      'the document in place of the issuer',
      () => deviceGrant({ issuer: `${issuer}/.well-known/openid-configuration`, clientId }),
      'is the address of a document',
      'Give what that document calls "issuer"',
    ],
    ['a query', () => deviceGrant({ issuer: `${issuer}?a=b`, clientId }), 'is the address of a document', 'Give'],
    ['no client', () => deviceGrant({ issuer, clientId: '' }), 'there is no client', 'Give `clientId`'],
    ['no proof', () => clientCredentials({ issuer, clientId }), 'nothing proves the client', 'Give `clientSecret`'],
    ['an empty secret', () => deviceGrant({ issuer, clientId, clientSecret: '' }), 'the secret is empty', 'Leave'],
    [
      'two proofs',
      () => clientCredentials({ issuer, clientId, clientSecret, privateKey }),
      'there are a secret and a key',
      'Give one',
    ],
    [
      'a method without its secret',
      () => deviceGrant({ issuer, clientId, method: 'basic' }),
      'the method "basic" does not fit',
      'Give `clientSecret`',
    ],
    [
      'a method without its key',
      () => clientCredentials({ issuer, clientId, clientSecret, method: 'private_key_jwt' }),
      'the method "private_key_jwt" does not fit',
      'Give `privateKey`',
    ],
    [
      'a secret that is not used',
      () => clientCredentials({ issuer, clientId, clientSecret, method: 'none' }),
      'the method "none" does not fit',
      'Methods are',
    ],
    ...[publicKey, locked, 'no key', { kty: 'oct', k: 'AAAA' }, publicKey.export({ format: 'jwk' })].map(
      (given, index): [string, () => unknown, string, string] => [
        `a key that cannot be read: ${index}`,
        () => clientCredentials({ issuer, clientId, privateKey: given }),
        'the private key cannot be read',
        'Give PKCS#8 text without a passphrase, or a private JWK',
      ],
    ),
    [
      'a key that signs nothing',
      () => clientCredentials({ issuer, clientId, privateKey: generateKeyPairSync('x25519').privateKey }),
      'the private key cannot sign as "X25519"',
      'Give an RSA',
    ],
    [
      'an algorithm nobody knows',
      () => clientCredentials({ issuer, clientId, privateKey: { ...jwk, alg: 'none' } }),
      'the private key cannot sign as "none"',
      'Give an RSA',
    ],
    [
      'an algorithm of another key',
      () => clientCredentials({ issuer, clientId, privateKey: { ...jwk, alg: 'RS256' } }),
      'the private key cannot sign as "RS256"',
      'Give an RSA',
    ],
    [
      'no refresh token',
      () => refreshToken({ issuer, clientId, refreshToken: '' }),
      'there is no refresh token',
      'Give',
    ],
    ['no file', () => savedDeviceGrant({ issuer, clientId, filename: '' }), 'there is no file', 'Give `filename`'],
  ])('%s', (_, create, problem, cure) => {
    expect(create).toThrow(ConfigurationError)
    expect(create).toThrow(problem)
    expect(create).toThrow(cure)
  })

  test.each(['http://127.0.0.1:1', 'http://127.8.9.10', 'http://[::1]', 'http://localhost:3000', 'http://a.localhost'])(
    '%s is loopback',
    (address) => {
      expect(() => deviceGrant({ issuer: address, clientId })).not.toThrow()
    },
  )

  it('of a registration as well', async () => {
    await expect(registerClient({ issuer: 'http://a.example/', clientName: 'A' })).rejects.toThrow(ConfigurationError)
  })
})

describe('toScopes(scope)', () => {
  test.each<[string | string[] | undefined, string[]]>([
    [undefined, []],
    ['', []],
    ['a  b ', ['a', 'b']],
    [
      ['a', 'b c'],
      ['a', 'b', 'c'],
    ],
  ])('%j', (scope, scopes) => {
    expect(toScopes(scope)).toEqual(scopes)
  })
})
