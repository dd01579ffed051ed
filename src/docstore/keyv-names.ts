import { createHash } from 'node:crypto'

/** Characters of `_h` and a SHA-256 in base64url. */
const hashLength = 45

/** Any text in the alphabet of keys: letters, digits and `-` stand for themselves. It begins as the text's beginning does. */
export function encodeName(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, (character) => {
    const code = character.charCodeAt(0)
    // By code units: half a surrogate pair is a text too.
    return code < 128 ? `_${toHex(code, 2)}` : `_u${toHex(code, 4)}`
  })
}

/** The inverse. */
export function decodeName(name: string): string {
  return name.replace(/_u([0-9a-f]{4})|_([0-9a-f]{2})/g, (_, wide: string | undefined, narrow: string) =>
    String.fromCharCode(Number.parseInt(wide ?? narrow, 16)),
  )
}

/** The name of a text, at most so long: of one that would be longer a beginning and a hash, which no other name looks like. */
export function shortName(text: string, length: number): string {
  const name = encodeName(text)
  if (name.length <= length) return name
  return `${name.slice(0, length - hashLength)}_h${createHash('sha256').update(text, 'utf16le').digest('base64url')}`
}

/** What the short names of all texts with this beginning begin with. Names of others may begin so too, where it is long. */
export function shortPrefix(text: string, length: number): string {
  return encodeName(text).slice(0, length - hashLength)
}

export function isHashed(name: string): boolean {
  return name.includes('_h')
}

function toHex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
