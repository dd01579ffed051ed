import { isAscii, isUtf8 } from 'node:buffer'
import { UnsupportedMediaType } from '../../errors'
import { malformed } from './malformed'

type Decode = (bytes: Buffer) => string

const known = new Map<string, Decode>([
  ['utf-8', fromUtf8],
  ['utf8', fromUtf8],
  ['us-ascii', fromAscii],
  ['ascii', fromAscii],
  ['iso-8859-1', fromLatin1],
  ['latin1', fromLatin1],
  ['utf-16', fromUtf16],
])

/**
 * The text that bytes are in a charset, without its byte order mark.
 *
 * @param bytes what came
 * @param charset its name in any case: `utf-8`, `us-ascii`, `iso-8859-1`, `utf-16`, or another that the platform knows
 * @throws UnsupportedMediaType where nobody knows the charset, BadRequest where the bytes are none of it
 * @see RFC 9110 §8.3.2 (charset), RFC 2781 §4.3 (UTF-16 without a mark is big-endian)
 *
 * @example
 * decodeText(Buffer.from([0xe9]), 'iso-8859-1') // 'é'
 */
export function decodeText(bytes: Buffer, charset: string): string {
  return decoderOf(charset)(bytes)
}

/**
 * Whether {@link decodeText} can read this charset.
 *
 * @param charset its name in any case
 */
export function isCharset(charset: string): boolean {
  return find(charset) !== undefined
}

function decoderOf(charset: string): Decode {
  const decode = find(charset)
  if (!decode) throw new UnsupportedMediaType('The charset of the body is not supported', { code: 'charset' })
  return decode
}

function find(charset: string): Decode | undefined {
  const name = charset.toLowerCase()
  const found = known.get(name)
  if (found) return found
  try {
    const decoder = new TextDecoder(name, { fatal: true })
    const decode = decoder.encoding === 'windows-1252' ? fromWindows1252 : orMalformed((bytes) => decoder.decode(bytes))
    // Only names that the platform knows are kept, so a client cannot make this grow.
    known.set(name, decode)
    return decode
  } catch {
    return undefined
  }
}

function fromUtf8(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw misencoded()
  return hasUtf8Mark(bytes) ? bytes.toString('utf8', 3) : bytes.toString('utf8')
}

function hasUtf8Mark(bytes: Buffer): boolean {
  return bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

function fromAscii(bytes: Buffer): string {
  if (!isAscii(bytes)) throw misencoded()
  return bytes.toString('latin1')
}

// TextDecoder takes this name for windows-1252, which differs from it between 0x80 and 0x9F (Encoding Standard §4.2).
function fromLatin1(bytes: Buffer): string {
  return bytes.toString('latin1')
}

const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

// By hand: some releases of Node read it as Latin-1 (Encoding Standard, index windows-1252).
function fromWindows1252(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80]!)
}

function fromUtf16(bytes: Buffer): string {
  const isLittle = bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe
  return decodeText(bytes, isLittle ? 'utf-16le' : 'utf-16be')
}

function orMalformed(decode: Decode): Decode {
  return function decodeStrictly(bytes) {
    try {
      return decode(bytes)
    } catch {
      throw misencoded()
    }
  }
}

function misencoded(): Error {
  return malformed('The body is not valid text of its charset', 'charset')
}
