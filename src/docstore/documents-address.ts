import type { Context } from '../route/plan'

/**
 * Where a document is, as the client of this request knows it: prefixes of the application, and of others around it,
 * included. Always a path of this host (RFC 3986 §4.2).
 *
 * @param name the parameter of the path that holds the key of a document, where the request is for one;
 *   empty: it is for all of them
 */
export function addressOf(ctx: Context, key: string, name = 'key'): string {
  const target = ctx.originalUrl.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
  const path = target.replace(/\/+$/, '')
  const mount = name in ctx.params ? path.slice(0, path.lastIndexOf('/')) : path
  return `${mount.replace(/^\/+/, '/')}/${key}`
}
