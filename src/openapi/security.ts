import type { SecurityScheme } from './types'

/**
 * The security schemes behind challenges of `WWW-Authenticate` (RFC 9110 §11.6.1).
 *
 * @example
 * schemesOf(['Bearer realm="api"']) // { bearer: { type: 'http', scheme: 'bearer' } }
 */
export function schemesOf(challenges: readonly string[]): Record<string, SecurityScheme> {
  const schemes: Record<string, SecurityScheme> = {}
  for (const challenge of challenges) {
    const scheme = /^[!#$%&'*+.^`|~\w-]+/.exec(challenge.trim())?.[0]?.toLowerCase()
    if (scheme !== undefined) schemes[scheme.replace(/[^A-Za-z0-9._-]/g, '_')] = { type: 'http', scheme }
  }
  return schemes
}
