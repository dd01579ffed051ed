import type { Awaitable } from '../types'
import { untilAborted } from './oidc-abort'
import type { Authority } from './oidc-authority'
import { OAuthError } from './oidc-errors'
import type { TokenResponse } from './oidc-library'
import type { TokenRequest, TokenSet } from './token'

/** A source of access tokens for `createClient`, which can be used without one just as well. */
export interface OAuthTokenSource {
  /**
   * The token at hand, or a new one where there is none, it ends within five seconds, or it is the one that was rejected. One
   * request serves all who ask meanwhile.
   *
   * @throws OAuthError where the server refuses or does not answer; the signal's reason where that ends the wait
   */
  (request?: TokenRequest): Promise<TokenSet>
  /**
   * Has the server forget a token (RFC 7009); the next call obtains another one, as it did first.
   *
   * @param token default: the refresh token, and with it the access tokens it gave; the access token where there is none
   * @throws OAuthError `unsupported` where the server revokes nothing
   */
  revoke(token?: string): Promise<void>
  /** Ends what is under way, forgets the tokens, and refuses further calls. Nothing is revoked. */
  close(): void
}

/** A source that renews its tokens with a refresh token. */
export interface RefreshingTokenSource extends OAuthTokenSource {
  /** The refresh token as it was last given. */
  readonly refreshToken: string | undefined
}

/** What a source has at a time. */
export interface Tokens {
  readonly token?: string
  readonly expiresAt?: number
  readonly refreshToken?: string
}

/** Where a grant puts the tokens as soon as it has them: whatever fails later, they are not lost. */
export interface Held {
  tokens: Tokens
}

/** How tokens are obtained. */
export interface Grant {
  /** What is there at first. */
  readonly initial?: Tokens
  /** @param signal ends the wait for a person; a request that was sent is better waited for: its answer may hold the only token */
  obtain(held: Held, signal: AbortSignal): Promise<void>
  /** Takes over the refresh token where it is kept elsewhere. */
  recall?(held: Held): Awaitable<void>
  /** Forgets it there. */
  forget?(): Awaitable<void>
}

/** What is under way, and how many wait for it. */
interface Flight {
  /** Settles when it has done all it does. */
  readonly done: Promise<void>
  /** Settles then, or as soon as nobody is to wait any longer. */
  readonly over: Promise<void>
  readonly controller: AbortController
  waiting: number
}

/** Milliseconds before its end from which on a token is not used: a request takes a while to arrive. */
const margin = 5000

export function createTokenSource(authority: Authority, grant: Grant): RefreshingTokenSource {
  const held: Held = { tokens: grant.initial ?? {} }
  let flight: Flight | undefined
  let isClosed = false

  async function getToken({ signal, rejected }: TokenRequest = {}): Promise<TokenSet> {
    for (;;) {
      signal?.throwIfAborted()
      if (isClosed) throw closed()
      const known = toTokenSet(held.tokens)
      if (known && known.token !== rejected && !isEnding(known)) return known
      if (!flight?.controller.signal.aborted) return await board((flight ??= depart()), signal)
      // Everybody had left. What it brings all the same is used: a second request would spend the same refresh token twice.
      await untilAborted(flight.done.catch(ignore), signal)
    }
  }

  function depart(): Flight {
    const controller = new AbortController()
    const done = grant.obtain(held, controller.signal).finally(() => {
      flight = undefined
      if (isClosed) held.tokens = {}
    })
    const over = untilAborted(done, controller.signal)
    over.catch(ignore)
    return { done, over, controller, waiting: 0 }
  }

  async function board(joined: Flight, signal: AbortSignal | undefined): Promise<TokenSet> {
    joined.waiting++
    try {
      await untilAborted(joined.over, signal)
    } finally {
      if (--joined.waiting === 0) joined.controller.abort()
    }
    // It is used however soon it ends: another one would end no later. It may be gone again, revoked in the same moment.
    return toTokenSet(held.tokens) ?? getToken({ signal })
  }

  async function revoke(token?: string): Promise<void> {
    if (isClosed) throw closed()
    await grant.recall?.(held)
    const { refreshToken, token: accessToken } = held.tokens
    const target = token ?? refreshToken ?? accessToken
    if (target !== undefined) {
      const hint = target === refreshToken ? 'refresh_token' : 'access_token'
      await authority.ask('Token revocation failed', async (library, configuration) => {
        if (!configuration.serverMetadata().revocation_endpoint) {
          throw new OAuthError('unsupported', 'Token revocation not supported by server')
        }
        // What was given may be of either kind; a server that finds none of the hinted kind looks for others (RFC 7009 §2.1).
        await library.tokenRevocation(configuration, target, token === undefined ? { token_type_hint: hint } : {})
      })
    }
    if (target === refreshToken || token === undefined) {
      held.tokens = {}
      await grant.forget?.()
    } else if (target === held.tokens.token) {
      held.tokens = { refreshToken: held.tokens.refreshToken }
    }
  }

  function close(): void {
    isClosed = true
    held.tokens = {}
    flight?.controller.abort(closed())
  }

  return Object.defineProperty(Object.assign(getToken, { revoke, close, refreshToken: undefined }), 'refreshToken', {
    get: () => held.tokens.refreshToken,
    enumerable: true,
  })
}

/**
 * The tokens of an answer.
 *
 * @param askedAt when it was asked for: the life of the token began no earlier
 * @param previous the refresh token that stays good where the answer brings no other (RFC 6749 §6)
 */
export function toTokens(response: TokenResponse, askedAt: number, previous?: string): Tokens {
  const { access_token: token, expires_in: seconds, refresh_token: refreshToken = previous } = response
  return { token, refreshToken, expiresAt: seconds === undefined ? undefined : askedAt + seconds * 1000 }
}

function toTokenSet({ token, expiresAt }: Tokens): TokenSet | undefined {
  if (token === undefined) return undefined
  return expiresAt === undefined ? { token } : { token, expiresAt }
}

function isEnding({ expiresAt = Infinity }: TokenSet): boolean {
  return expiresAt - margin <= Date.now()
}

function closed(): OAuthError {
  return new OAuthError('closed', 'The token source is closed')
}

function ignore(): void {
  // Whoever waits for it is told.
}
