import { untilAborted } from './abort'
import { isStream, readContent, type Content, type Payload } from './content'
import type { Transport, Wrap } from './transport'

/**
 * A request on its way through the layers of the client. They hand on plain data: making a `Request` costs a sixth of a
 * call on loopback, and its body can be read once, while a retry needs it again.
 */
export interface Draft {
  readonly method: string
  readonly url: string
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Payload
  /** Whether the body can be sent a second time: a stream cannot. */
  readonly replayable: boolean
  readonly signal?: AbortSignal
  /** Whether the answer is wanted whole, within the limits of time and the retries, and not piece by piece as it comes. */
  readonly whole: boolean
  /** What the caller wants different for this request, see {@link CallLimits}. */
  readonly limits?: CallLimits
  /** When its deadline is, by `performance.now()`. */
  readonly endsAt?: number
}

/** Limits of one call, in place of those of the client. */
export interface CallLimits {
  /** Milliseconds for one attempt. */
  readonly timeout?: number
  /** Milliseconds for all attempts and the pauses between them. */
  readonly deadline?: number
  /** Attempts after the first at the most. */
  readonly retries?: number
  /** Whether the request may be repeated whatever its method. Default: by its method, or an `Idempotency-Key`. */
  readonly idempotent?: boolean
}

/** An answer, and its content where it was read. */
export interface Answer {
  readonly response: Response
  readonly content?: Content
}

/** One exchange of plain data. */
export type Send = (draft: Draft) => Promise<Answer>

/** What the client is made of: layers of one shape around one function. */
export type Layer = (next: Send) => Send

/** A layer as one around any transport, `fetch` itself say. */
export function toWrap(layer: Layer): Wrap {
  return (next) => {
    const send = layer(async (draft) => ({ response: await next(toRequest(draft)) }))
    return async function wrapped(request) {
      return toResponse(await send(fromRequest(request)))
    }
  }
}

/** A transport of somebody else's as the innermost function: where it is deaf to the signal, nobody waits for it. */
export function toSend(transport: Transport): Send {
  return async function exchange(draft) {
    const response = await untilAborted(transport(toRequest(draft)), draft.signal)
    return { response, content: draft.whole ? await untilAborted(readContent(response), draft.signal) : undefined }
  }
}

/** Which `Request` a draft was, whose body is nowhere else. */
const origins = new WeakMap<object, Request>()

function fromRequest(request: Request): Draft {
  const headers = Object.fromEntries(request.headers)
  const { method, url, signal, body } = request
  if (body === null) return { method, url, headers, signal, replayable: true, whole: true }
  origins.set(body, request)
  return { method, url, headers, signal, body, replayable: true, whole: true }
}

function toRequest({ method, url, headers, body, signal }: Draft): Request {
  const origin = typeof body === 'object' ? origins.get(body) : undefined
  // A clone for every attempt: its body is the same, and the one of the request stays unread.
  if (origin) return new Request(origin.clone(), { headers, signal })
  return new Request(url, { method, headers, body, signal, ...(isStream(body) && { duplex: 'half' }) })
}

function toResponse({ response, content }: Answer): Response {
  if (content === undefined) return response
  const { status, statusText, headers } = response
  return new Response(isNullBody(status) ? null : content.data, { status, statusText, headers })
}

// Fetch §2.2.3: these have no body, and a Response refuses to be made with one.
function isNullBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}
