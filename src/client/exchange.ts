import { isStream, readContent } from './content'
import type { Draft, Layer, Send } from './draft'
import { ClientError, NetworkError } from './errors'
import type { Transport } from './transport'

/** `fetch`, or a function like it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The function in the middle of all layers: `fetch` without a `Request` in between. */
export function fetchSend(fetch: Fetch, init: RequestInit | undefined): Send {
  return async function exchange(draft) {
    try {
      const response = await fetch(draft.url, toInit(draft, init))
      return draft.whole ? { response, content: await readContent(response) } : { response }
    } catch (error) {
      throw toFailure(error, draft)
    }
  }
}

/** `fetch` as a transport, for layers of the application's own. */
export function fetchTransport(fetch: Fetch, init: RequestInit | undefined): Transport {
  return (request) => {
    const { method, url, headers, body, signal } = request
    return fetch(url, { ...init, method, headers, body, signal, ...(body && { duplex: 'half' }) })
  }
}

function toInit({ method, headers, body, signal }: Draft, init: RequestInit | undefined): RequestInit {
  if (body === undefined) return init ? { ...init, method, headers, signal } : { method, headers, signal }
  return { ...init, method, headers, signal, body, ...(isStream(body) && { duplex: 'half' }) }
}

/** Whatever goes wrong below becomes the one error that the layers above know. */
export const withFailures: Layer = (next) => {
  return async function explained(draft) {
    try {
      return await next(draft)
    } catch (error) {
      throw toFailure(error, draft)
    }
  }
}

/**
 * What an error of a transport means: the reason of the signal where that ended it, a {@link NetworkError} where no answer
 * came, and itself otherwise, a mistake in the code of a layer say.
 */
export function toFailure(error: unknown, { method, url, signal }: Pick<Draft, 'method' | 'url' | 'signal'>): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof ClientError || !isNetworkFault(error)) return error
  return new NetworkError({ method, url }, isTransient(error), error)
}

// Fetch §5.6 rejects with a TypeError for faults and mistakes alike, so the words of each engine tell them apart: undici,
// Chromium, Firefox, WebKit (its "Load failed" and its word of being offline).
const words =
  /^(?:fetch failed|terminated|Failed to fetch|network error|NetworkError when attempting to fetch resource\.|Load failed|The Internet connection appears to be offline\.|Network connection lost\.?|other side closed)/i
const codes = /^(?:E[A-Z]+|UND_ERR_[A-Z_]+|HPE_[A-Z_]+|CERT_[A-Z_]+|ERR_TLS_[A-Z_]+|ERR_SSL_[A-Z_]+)$/

function isNetworkFault(error: unknown): boolean {
  const { name, message, code } = (error ?? {}) as Partial<Record<'name' | 'message' | 'code', unknown>>
  if (typeof code === 'string' && codes.test(code)) return true
  return name === 'TypeError' && typeof message === 'string' && words.test(message)
}

const certificate = /CERT|^ERR_(?:TLS|SSL)_|^DEPTH_ZERO|^UNABLE_TO_|SELF_SIGNED|HOSTNAME_MISMATCH/

/** With a cause it must have the code of a fault that may pass; browsers tell no cause. */
function isTransient(error: unknown): boolean {
  const { cause, code } = error as { readonly cause?: unknown; readonly code?: unknown }
  const found = typeof code === 'string' ? code : codeOf(cause)
  if (cause === undefined || cause === null) return !certificate.test(found ?? '')
  return found !== undefined && !certificate.test(found)
}

function codeOf(cause: unknown): string | undefined {
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' ? code : undefined
}
