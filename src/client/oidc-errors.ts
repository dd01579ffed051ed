/**
 * Why there is no token: the server's own word (RFC 6749 §5.2, RFC 8628 §3.5, RFC 7591 §3.2.2), or one of ours. Ours are
 * `unreachable`, nobody answered; `unexpected`, what was answered cannot be used; `unsupported`, the server has no such
 * thing; `closed`, the source was closed.
 */
export type OAuthErrorCode =
  | 'access_denied'
  | 'expired_token'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_target'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unreachable'
  | 'unexpected'
  | 'unsupported'
  | 'closed'
  | (string & {})

/**
 * An authorization server has refused, or could not be asked.
 *
 * @example
 * try {
 *   await api.get('/me')
 * } catch (error) {
 *   if (error instanceof OAuthError && error.code === 'invalid_grant') await login()
 * }
 */
export class OAuthError extends Error {
  override readonly name = 'OAuthError'
  readonly code: OAuthErrorCode
  /** The status of the server's answer, where there was one. */
  readonly status: number | undefined

  constructor(
    code: OAuthErrorCode,
    message: string,
    options: { readonly status?: number; readonly cause?: unknown } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.status = options.status
  }
}

/** What the errors of the library and of `fetch` may have. By its shape: they may come from another realm. */
interface Failure {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly cause?: unknown
  readonly error?: unknown
  readonly error_description?: unknown
  readonly response?: Response
}

/**
 * Says what has failed, and why. The library's error is kept only where nobody answered: others hold whole answers, and so tokens.
 *
 * @param what `Token request failed`
 */
export async function toOAuthError(what: string, error: unknown): Promise<OAuthError> {
  // The library wraps what the `fetch` that it was given has thrown.
  const own = chainOf(error).find((link) => link instanceof OAuthError)
  if (own) return own
  const failure = (error ?? {}) as Failure
  const response = failure.response ?? toResponse(failure.cause)
  const said = typeof failure.error === 'string' ? failure : await readRefusal(response)
  if (said) {
    const { error: code, error_description: description } = said
    const more = typeof description === 'string' ? ` (${toLine(description)})` : ''
    return new OAuthError(toLine(String(code)), `${what}: ${toLine(String(code))}${more}`, { status: response?.status })
  }
  if (response) return new OAuthError('unexpected', `${what}: HTTP ${response.status}`, { status: response.status })
  if (isUnreachable(error)) return new OAuthError('unreachable', `${what}: ${describe(error)}`, { cause: error })
  const code = failure.code === 'OAUTH_MISSING_SERVER_METADATA' ? 'unsupported' : 'unexpected'
  return new OAuthError(code, `${what}: ${describe(error)}`)
}

/** Whether nobody has answered, and another try may do better. */
export function isUnreachable(error: unknown): boolean {
  return chainOf(error).some(
    ({ name, code, message }) =>
      name === 'TimeoutError' || message === 'fetch failed' || /^(?:E[A-Z]+|UND_ERR_\w+)$/.test(String(code)),
  )
}

/** Text of a server as one line that a terminal shows as it is: no control or format characters, and not too long. */
export function toLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 300)
}

function describe(error: unknown): string {
  const said = chainOf(error).flatMap(({ message, code }) => {
    const text = typeof message === 'string' && message !== '' ? message : code
    // The library's word for whatever it does not know; what it means is the next in the chain.
    return typeof text === 'string' && text !== 'something went wrong' ? [toLine(text)] : []
  })
  return [...new Set(said)].join(': ')
}

function chainOf(error: unknown): Failure[] {
  const chain: Failure[] = []
  for (let current = error; typeof current === 'object' && current !== null && chain.length < 5;) {
    chain.push(current)
    current = (current as Failure).cause
  }
  return chain
}

function toResponse(cause: unknown): Response | undefined {
  const { status, headers } = (cause ?? {}) as Partial<Response>
  return typeof status === 'number' && headers ? (cause as Response) : undefined
}

/** A refusal with a challenge comes from the library unread (RFC 6749 §5.2: `invalid_client`). */
async function readRefusal(response: Response | undefined): Promise<Failure | undefined> {
  if (!response || response.bodyUsed) return undefined
  const body = (await response.json().catch(() => undefined)) as Failure | undefined
  return typeof body?.error === 'string' ? body : undefined
}
