import type { Awaitable } from '../types'

/** A token and what is known of its life. */
export interface TokenSet {
  /** The token as it is sent after `Bearer`. */
  readonly token: string
  /** When it ends, in milliseconds since the epoch; none: where it is a JWT its `exp` says, else nobody knows. */
  readonly expiresAt?: number
}

/** What a {@link TokenSource} is told. */
export interface TokenRequest {
  /** Ends the wait: nobody needs the token any more. */
  readonly signal?: AbortSignal
  /** The token that a server has just answered with 401: another one is wanted. */
  readonly rejected?: string
}

/**
 * Where tokens come from. It is asked when there is no token, when the last one is about to end and when a server
 * refuses it; never twice at once by one client.
 */
export type TokenSource = (options: TokenRequest) => Awaitable<string | TokenSet>
