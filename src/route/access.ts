import { Forbidden, Unauthorized } from '../errors'
import type { Awaitable } from '../types'
import type { Gate, Principal } from './plan'

/**
 * Finds whom credentials belong to: `undefined` where they are good for nobody.
 *
 * @param credentials the value of `Authorization`, scheme included
 */
export type Verify = ((credentials: string) => Awaitable<Principal | undefined>) & {
  /** Challenges for `WWW-Authenticate`, one a scheme. */
  readonly challenges?: readonly string[]
}

/** How the application knows its callers. */
export interface AuthSettings {
  readonly verify: Verify
  /** Challenges for `WWW-Authenticate`. Default: those of `verify`, else `Bearer`. */
  readonly challenges?: readonly string[]
}

/**
 * The check of a guarded route: 401 with a challenge where credentials are missing or wrong, 403 where the principal
 * lacks the role (RFC 9110 §15.5.2, §15.5.4).
 *
 * @param auth how credentials are verified
 */
export function createGate(auth: AuthSettings): Gate {
  const challenges = auth.challenges ?? auth.verify.challenges ?? ['Bearer']
  const refuse = (detail: string): Unauthorized =>
    new Unauthorized(detail, { headers: { 'WWW-Authenticate': challenges } })
  return async function gate(ctx, access) {
    const credentials = ctx.req.headers.authorization
    if (!credentials) throw refuse('Credentials are needed here')
    const principal = await auth.verify(credentials)
    if (!principal) throw refuse('The credentials are not good')
    const state = ctx.state as { user?: Principal }
    state.user = principal
    if (access.roles.length > 0 && !access.roles.some((role) => principal.roles?.includes(role))) {
      throw new Forbidden('The role for this is missing')
    }
    if (access.rule && !(await access.rule(principal, ctx))) throw new Forbidden('This is not allowed')
    return principal
  }
}
