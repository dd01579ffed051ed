import type { Codec } from '../plan'
import { decodeText } from './charset'
import { formatJson } from './json'

/** Plain text as a string (RFC 2046 §4.1.3); an object, which has no text of its own, is written as JSON. */
export const text: Codec = {
  type: 'text/plain',
  decode: (bytes, { charset }) => decodeText(bytes, charset),
  encode: formatText,
}

function formatText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? formatJson(value) : `${value as string}`
}
