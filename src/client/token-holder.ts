import { untilAborted } from './abort'
import type { TokenSet, TokenSource } from './token'

/** A token in use. Each is an object of its own, so that an answer of 401 names the one it was about. */
export interface HeldToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Why there is no successor, once somebody asked. */
  failure?: unknown
}

// Milliseconds before its end at which a token is renewed: it has to arrive, too.
const margin = 5000

/** The token of a client: asked for once, whoever needs it, and renewed shortly before it ends. */
export class TokenHolder {
  readonly #source: TokenSource
  #current: HeldToken | undefined
  #request: TokenInFlight | undefined

  constructor(source: TokenSource) {
    this.#source = source
  }

  /** The token to send, at once where it is at hand. */
  get(signal: AbortSignal | undefined): HeldToken | Promise<HeldToken> {
    const current = this.#current
    if (current && Date.now() < current.expiresAt - margin) return current
    return this.#ask(undefined, signal)
  }

  /**
   * Another token than the one that was refused.
   *
   * @returns nothing where the source has no other one
   * @throws what the source threw; the same for everybody whose request went out with the refused token
   */
  async replace(refused: HeldToken, signal: AbortSignal | undefined): Promise<HeldToken | undefined> {
    if ('failure' in refused) throw refused.failure
    const current = this.#current
    const next = current && current !== refused ? current : await this.#ask(refused, signal)
    return next.token === refused.token ? undefined : next
  }

  #ask(refused: HeldToken | undefined, signal: AbortSignal | undefined): Promise<HeldToken> {
    this.#request ??= this.#send(refused)
    return this.#request.wait(signal)
  }

  #send(refused: HeldToken | undefined): TokenInFlight {
    // Whoever begins now waits for the next one too.
    this.#current = undefined
    const work = async (signal: AbortSignal): Promise<HeldToken> => {
      try {
        const held = toHeld(await this.#source({ signal, ...(refused && { rejected: refused.token }) }))
        this.#current = held
        return held
      } catch (error) {
        if (refused) refused.failure = error
        throw error
      }
    }
    const request = new TokenInFlight(work, () => {
      if (this.#request === request) this.#request = undefined
    })
    return request
  }
}

/** A request for a token, with those who wait for it. It is given up when the last of them has left. */
class TokenInFlight {
  readonly #controller = new AbortController()
  readonly #result: Promise<HeldToken>
  readonly #onEnd: () => void
  #waiting = 0

  constructor(work: (signal: AbortSignal) => Promise<HeldToken>, onEnd: () => void) {
    this.#onEnd = onEnd
    this.#result = work(this.#controller.signal).finally(onEnd)
    // Those who wait are told, and perhaps nobody does any more.
    this.#result.catch(() => undefined)
  }

  async wait(signal: AbortSignal | undefined): Promise<HeldToken> {
    this.#waiting += 1
    try {
      return await untilAborted(this.#result, signal)
    } finally {
      this.#waiting -= 1
      if (this.#waiting === 0) this.#giveUp()
    }
  }

  #giveUp(): void {
    this.#onEnd()
    this.#controller.abort()
  }
}

// What `fetch` says of a bad header has the header in it, and with it the token.
const visible = /^[\x21-\x7e]+$/

function toHeld(answer: string | TokenSet): HeldToken {
  const { token, expiresAt } = (typeof answer === 'object' && answer) || { token: answer, expiresAt: undefined }
  if (typeof token !== 'string' || !visible.test(token)) {
    throw new TypeError('The token source gave no token of visible ASCII characters')
  }
  return { token, expiresAt: expiresAt ?? readExpiry(token) ?? Number.POSITIVE_INFINITY }
}

/**
 * When a JWT ends, in milliseconds since the epoch. Its signature is the server's business.
 *
 * @returns nothing where it is no JWT, or does not say
 * @see RFC 7519 §4.1.4
 */
export function readExpiry(token: string): number | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims = JSON.parse(atob(parts[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as { exp?: unknown } | null
    const exp = claims?.exp
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}
