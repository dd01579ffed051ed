import type { Codec } from '../plan'
import { decodeText } from './charset'
import { malformed } from './malformed'

/** JSON, and whatever ends in `+json` (RFC 8259, RFC 6839 §3.1). */
export const json: Codec = {
  type: 'application/json',
  also: ['text/json', '+json'],
  decode: (bytes, { charset }) => parseJson(decodeText(bytes, charset)),
  encode: formatJson,
}

/**
 * A value as JSON text; what JSON has no word for is `null`.
 *
 * @param value plain data
 * @throws TypeError where it refers to itself or holds a bigint
 */
export function formatJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/**
 * JSON text to a value.
 *
 * @param text one JSON value
 * @param subject what the message calls it; default `The body`
 * @throws BadRequest with the position of the fault where there is one, never with a piece of the text
 */
export function parseJson(text: string, subject = 'The body'): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw malformed(`${subject} is not valid JSON${positionIn(error)}`)
  }
}

// V8 quotes the text in its messages: only the number at the very end is its own.
function positionIn(error: unknown): string {
  const found = /at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(error instanceof Error ? error.message : '')
  return found ? ` at position ${found[1]}` : ''
}
