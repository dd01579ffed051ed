import type { Codec, DecodeContext } from '../plan'
import { decodeText } from './charset'
import { formatJson, parseJson } from './json'
import { malformed } from './malformed'

/** One JSON value a line, as a list. Blank lines are skipped, lines end in `\n` or `\r\n`. */
export const ndjson: Codec = {
  type: 'application/x-ndjson',
  also: ['application/ndjson', 'application/jsonl'],
  decode: decodeLines,
  encode: (value) => (isIterable(value) ? Array.from(value, encodeLine).join('') : encodeLine(value)),
}

/**
 * One value as a line of NDJSON, its newline included.
 *
 * @param value plain data
 * @throws TypeError where it refers to itself or holds a bigint
 *
 * @example
 * encodeLine({ id: 1 }) // '{"id":1}\n'
 */
export function encodeLine(value: unknown): string {
  return `${formatJson(value)}\n`
}

function decodeLines(bytes: Buffer, { charset, limits }: DecodeContext): unknown[] {
  const text = decodeText(bytes, charset)
  const values: unknown[] = []
  let start = 0
  for (let line = 1; start < text.length; line++) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    const content = text.slice(start, end)
    start = end + 1
    if (content.trim() === '') continue
    if (values.length >= limits.items) throw malformed(`The body has more than ${limits.items} lines`, 'limit')
    values.push(parseJson(content, `Line ${line} of the body`))
  }
  return values
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
