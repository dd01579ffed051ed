import type { Codec } from '../plan'
import { text } from './text'

/** Any bytes, as a `Buffer` (RFC 2046 §4.5.1); what is no bytes is written as its text. */
export const bytes: Codec = {
  type: 'application/octet-stream',
  decode: (body) => body,
  encode: (value) => asBytes(value) ?? text.encode!(value),
}

function asBytes(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  return undefined
}
