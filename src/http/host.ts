import type { IncomingHttpHeaders } from 'node:http'
import { BadRequest } from '../errors'

const registeredName = String.raw`(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*`
const literal = String.raw`\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[\w.~!$&'()*+,;=:-]+)\]`
const valid = new RegExp(String.raw`^(?:${registeredName}|${literal})(?::\d{0,5})?$`)

// Most requests of a server name the same host.
let lastValid: unknown

/**
 * Refuses a request whose host is none: `evil@good` has a user, and those who read it do not agree on the rest.
 *
 * @param headers those of the request; a host that is absent or empty is allowed
 * @param proxied whether `X-Forwarded-Host` is trusted, and so the host that counts
 * @throws BadRequest where it is malformed (RFC 9112 §3.2, RFC 3986 §3.2.2)
 *
 * @example
 * checkHost({ host: '[::1]:3000' }, false)
 */
export function checkHost(headers: IncomingHttpHeaders, proxied: boolean): void {
  const forwarded = proxied ? headers['x-forwarded-host'] : undefined
  const host = forwarded ? String(forwarded).split(',', 1)[0]?.trim() : (headers[':authority'] ?? headers.host)
  if (!host || host === lastValid) return
  if (!valid.test(String(host))) throw new BadRequest('The Host header is malformed', { code: 'host' })
  lastValid = host
}
