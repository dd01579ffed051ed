import { toWrap, type Draft, type Layer } from './draft'
import type { Wrap } from './transport'

/** The trace that a request belongs to, as its headers say it. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate?: string
}

/** Says which trace is under way, for every call anew; nothing: the call begins one. */
export type TraceSource = () => TraceContext | undefined

/**
 * A layer that gives each request a `traceparent` of its own: a new span of the trace that is under way, or of a new one. A
 * request that has one keeps it.
 *
 * @param source the trace under way. Default: none is
 * @see W3C Trace Context §3.2
 *
 * @example
 * const transport = withTrace(() => ({ traceparent: incoming.headers.traceparent }))(fetch)
 */
export function withTrace(source?: TraceSource): Wrap {
  return toWrap(traceLayer(source))
}

/** As {@link withTrace}, for drafts. */
export function traceLayer(source: TraceSource | undefined): Layer {
  return (next) => {
    return function traced(draft) {
      if (draft.headers['traceparent'] !== undefined) return next(draft)
      return next({ ...draft, headers: { ...draft.headers, ...toHeaders(source?.()) } })
    }
  }
}

// Of later versions the first four fields are read as these (§3.2.2); version ff is forbidden.
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:$|-)/

function toHeaders(parent: TraceContext | undefined): Draft['headers'] {
  const found = parent && form.exec(parent.traceparent)
  if (!found) return { traceparent: `00-${randomHex(16)}-${randomHex(8)}-01` }
  // Only what is known of the flags goes on: whether the trace is recorded (§3.2.2.5).
  const flags = (Number.parseInt(found[2]!, 16) & 1).toString().padStart(2, '0')
  const traceparent = `00-${found[1]}-${randomHex(8)}-${flags}`
  return parent.tracestate ? { traceparent, tracestate: parent.tracestate } : { traceparent }
}

function randomHex(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
