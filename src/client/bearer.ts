import { toWrap, type Draft, type Layer } from './draft'
import { TokenError } from './errors'
import type { TokenSource } from './token'
import { TokenHolder, type HeldToken } from './token-holder'
import type { Wrap } from './transport'

/** What the layer of tokens does besides. */
export interface BearerOptions {
  /** Called once for each request for a token that failed, however many calls waited for it. */
  readonly onFailure?: (error: unknown) => void
}

/**
 * A layer that sends `Authorization: Bearer` with every request. The token is asked for when it is first needed, five seconds
 * before it ends, and after a 401, on which the request is sent once more; all that wait share one request for it.
 *
 * @param token the token, or where to get it
 * @see RFC 6750 §2.1
 *
 * @example
 * const transport = withToken(async () => (await readFile('/run/secrets/token', 'utf8')).trim())(fetch)
 */
export function withToken(token: string | TokenSource, options: BearerOptions = {}): Wrap {
  return toWrap(bearerLayer(token, options))
}

/** As {@link withToken}, for drafts. */
export function bearerLayer(token: string | TokenSource, { onFailure }: BearerOptions = {}): Layer {
  const source = typeof token === 'string' ? () => token : token
  const holder = new TokenHolder(onFailure ? reporting(source, onFailure) : source)
  return (next) => {
    return async function authorized(draft) {
      // What the caller sends is what the caller wants sent.
      if (draft.headers['authorization'] !== undefined) return next(draft)
      const found = holder.get(draft.signal)
      const held = 'then' in found ? await orTokenError(found, draft) : found
      const answer = await next(withBearer(draft, held))
      if (answer.response.status !== 401) return answer
      const other = await orTokenError(holder.replace(held, draft.signal), draft)
      if (!other || !draft.replayable) return answer
      if (answer.content === undefined) await answer.response.body?.cancel()
      return next(withBearer(draft, other))
    }
  }
}

function withBearer(draft: Draft, { token }: HeldToken): Draft {
  return { ...draft, headers: { ...draft.headers, authorization: `Bearer ${token}` } }
}

async function orTokenError<T>(work: Promise<T>, { method, url, signal }: Draft): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (signal?.aborted) throw error
    throw new TokenError({ method, url }, error)
  }
}

function reporting(source: TokenSource, onFailure: (error: unknown) => void): TokenSource {
  return async (request) => {
    try {
      return await source(request)
    } catch (error) {
      if (!request.signal?.aborted) onFailure(error)
      throw error
    }
  }
}
