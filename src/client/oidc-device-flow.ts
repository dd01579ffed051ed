import { createHash, randomBytes } from 'node:crypto'
import type { Awaitable } from '../types'
import { untilAborted } from './oidc-abort'
import type { Authority } from './oidc-authority'
import { toPrompt, type DevicePrompt } from './oidc-device-prompt'
import { isUnreachable, OAuthError } from './oidc-errors'
import type { Configuration, DeviceResponse, OpenidClient, TokenResponse } from './oidc-library'
import { toTokens, type Tokens } from './oidc-source'

/** Shows a person what to do. The server is first asked for the answer when it has returned. */
export type Prompt = (prompt: DevicePrompt) => Awaitable<void>

const failure = 'Device authorization failed'

/**
 * Asks a person to approve this device on another one, and waits until they have.
 *
 * @param parameters what is asked for
 * @param signal ends the wait
 * @throws OAuthError where the server has no such grant, the person denies it, or the time is over
 * @see RFC 8628 §3
 */
export async function authorizeDevice(
  authority: Authority,
  parameters: URLSearchParams,
  prompt: Prompt,
  signal: AbortSignal,
): Promise<Tokens> {
  // Whoever wanted a token has gone while the last one was tried: nobody is bothered for it.
  signal.throwIfAborted()
  // Nothing else binds the code to a client without a secret: who asked for it proves so by spending it (RFC 7636 §4).
  const verifier = authority.isPublic ? randomBytes(64).toString('base64url') : undefined
  const asked = new URLSearchParams(parameters)
  if (verifier !== undefined) {
    asked.set('code_challenge', createHash('sha256').update(verifier).digest('base64url'))
    asked.set('code_challenge_method', 'S256')
  }
  const askedAt = Date.now()
  const device = await authority.ask(failure, async (library, configuration) => {
    if (configuration.serverMetadata().device_authorization_endpoint) {
      return library.initiateDeviceAuthorization(configuration, asked)
    }
    throw new OAuthError('unsupported', 'Device grant not supported by server')
  })
  const expiresAt = askedAt + device.expires_in * 1000
  await untilAborted(Promise.resolve(prompt(toPrompt(device, expiresAt))), signal)
  const proof = verifier === undefined ? undefined : { code_verifier: verifier }
  return authority.ask(failure, async (library, configuration) => {
    const late = AbortSignal.timeout(Math.max(0, expiresAt - Date.now()))
    try {
      const response = await poll(library, configuration, device, proof, AbortSignal.any([signal, late]))
      // When the last question was sent is known to the library alone; what that is off by lies within the margin of use.
      return toTokens(response, Date.now())
    } catch (error) {
      if (!late.aborted || signal.aborted) throw error
      throw new OAuthError('expired_token', `${failure}: expired_token (not approved within ${device.expires_in} s)`)
    }
  })
}

/** Asks until there is an answer. The library keeps the interval, and lengthens it by five seconds when told to slow down. */
async function poll(
  library: OpenidClient,
  configuration: Configuration,
  device: DeviceResponse,
  proof: Record<string, string> | undefined,
  signal: AbortSignal,
): Promise<TokenResponse> {
  for (let interval = device.interval ?? 5; ; interval *= 2) {
    try {
      // The library looks at the signal every five seconds.
      return await untilAborted(
        library.pollDeviceAuthorizationGrant(configuration, { ...device, interval }, proof, { signal }),
        signal,
      )
    } catch (error) {
      // A connection that fails for once does not end it: RFC 8628 §3.5 asks twice as seldom then.
      if (signal.aborted || !isUnreachable(error)) throw error
    }
  }
}
