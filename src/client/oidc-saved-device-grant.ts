import { ConfigurationError } from '../errors'
import { Authority } from './oidc-authority'
import { createDeviceSource, type DeviceGrantOptions } from './oidc-device-grant'
import type { RefreshingTokenSource } from './oidc-source'
import { createTokenFile } from './oidc-token-file'

/** Options of {@link savedDeviceGrant}. */
export interface SavedDeviceGrantOptions extends DeviceGrantOptions {
  /** The file of the refresh token. It is written with mode 0600, atomically, and again at each rotation. */
  readonly filename: string
}

/**
 * {@link deviceGrant} whose refresh token is kept in a file: the person is asked again only where that token serves no more,
 * for whatever reason. `revoke` removes the file.
 *
 * @param options the file, and those of `deviceGrant`
 * @throws ConfigurationError where they do not fit together
 * @see RFC 8628
 *
 * @example
 * const filename = join(homedir(), '.config', 'shell', 'token.json')
 * const token = savedDeviceGrant({ issuer: 'https://login.example.org', clientId: 'shell', filename })
 */
export function savedDeviceGrant(options: SavedDeviceGrantOptions): RefreshingTokenSource {
  const where = 'savedDeviceGrant(options)'
  const authority = new Authority(where, options)
  if (typeof options.filename !== 'string' || options.filename === '') {
    throw new ConfigurationError(where, 'there is no file', 'Give `filename`')
  }
  return createDeviceSource(authority, options, createTokenFile(options.filename, authority))
}
