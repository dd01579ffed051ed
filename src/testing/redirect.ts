import type { Transport } from '../client/transport'

const mostRedirects = 20
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/** Follows redirects as `fetch` does (Fetch §4.4), as long as they lead to the same application. */
export function followRedirects(next: Transport): Transport {
  return async function redirected(request) {
    let current = request
    for (let followed = 0; ; followed++) {
      // Only 307 and 308 send a body again, and only `fetch` knows whether it can.
      const again = current.redirect === 'follow' && current.body ? current.clone() : current
      const response = await next(current)
      const location = redirects.has(response.status) ? response.headers.get('location') : null
      if (location === null || current.redirect === 'manual') return response
      if (current.redirect === 'error') throw fail('unexpected redirect')
      if (followed === mostRedirects) throw fail('redirect count exceeded')
      await response.body?.cancel()
      current = toNext(again, response.status, location)
    }
  }
}

function toNext(request: Request, status: number, location: string): Request {
  const url = URL.canParse(location, request.url) ? new URL(location, request.url) : undefined
  if (!url) throw fail(`"${location}" is no URL`)
  if (url.origin !== new URL(request.url).origin) throw fail(`${url.origin} is not the application under test`)
  const { method, signal, redirect } = request
  const becomesGet =
    (method === 'POST' && (status === 301 || status === 302)) ||
    (status === 303 && method !== 'GET' && method !== 'HEAD')
  if (!becomesGet) return new Request(url, request)
  const headers = new Headers(request.headers)
  for (const name of [...headers.keys()]) if (name.startsWith('content-')) headers.delete(name)
  return new Request(url, { method: 'GET', headers, signal, redirect })
}

function fail(what: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(what) })
}
