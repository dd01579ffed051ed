import { isUtf8 } from 'node:buffer'

/** What a part of a form says about itself. */
export interface Disposition {
  readonly name?: string
  readonly filename?: string
}

const parameter = /[ \t]*;[ \t]*([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\[^])*)"|([^\s;"]*))[ \t]*/y

/**
 * Takes the `Content-Disposition` of a part apart. `filename*` counts for nothing, as RFC 7578 §4.2 has it.
 *
 * @param value the header's bytes: UTF-8, or Latin-1 where they are none
 * @returns undefined where it is malformed or no `form-data`
 * @see RFC 7578 §4.2, WHATWG HTML (multipart form data): of a quoted name, `%22`, `%0D` and `%0A` are escapes
 */
export function parseDisposition(value: Buffer): Disposition | undefined {
  const text = value.toString(isUtf8(value) ? 'utf8' : 'latin1').trimEnd()
  const type = /^form-data(?=[ \t]*(?:;|$))/i.exec(text)
  if (!type) return undefined
  const found = new Map<string, string>()
  parameter.lastIndex = type[0].length
  for (let at = parameter.lastIndex; at < text.length; at = parameter.lastIndex) {
    const match = parameter.exec(text)
    if (!match) return undefined
    const name = match[1]!.toLowerCase()
    if (!found.has(name)) found.set(name, match[2] === undefined ? match[3]! : unescape(match[2]))
  }
  return { name: found.get('name'), filename: found.get('filename') }
}

// Browsers write a backslash as it is, others escape with it: only what can be nothing else is undone.
function unescape(text: string): string {
  return text
    .replace(/\\(["\\])/g, '$1')
    .replace(/%(22|0d|0a)/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
