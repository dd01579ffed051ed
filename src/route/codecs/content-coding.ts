import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, type ZlibOptions } from 'node:zlib'
import { UnsupportedMediaType } from '../../errors'
import { malformed } from './malformed'
import { tooLarge } from './request-bytes'

type Decode = (bytes: Buffer, options: ZlibOptions) => Promise<Buffer>

const ungzip: Decode = promisify<Buffer, ZlibOptions, Buffer>(gunzip)
const unbrotli: Decode = promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress)
const unzlib: Decode = promisify<Buffer, ZlibOptions, Buffer>(inflate)
const unraw: Decode = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw)

const decoders: ReadonlyMap<string, Decode> = new Map([
  ['gzip', ungzip],
  ['x-gzip', ungzip],
  ['br', unbrotli],
  // RFC 9110 §8.4.1.2: `deflate` is the zlib format, and some clients send it without its header.
  ['deflate', (bytes, options) => (isZlib(bytes) ? unzlib(bytes, options) : unraw(bytes, options))],
])

/** Codings of one body at the most: more has no use but to cost time. */
const mostCodings = 3

/**
 * The codings of a `Content-Encoding` header, in the order they were applied; `identity` is none.
 *
 * @param header its value; undefined where there is none
 * @throws UnsupportedMediaType naming in `Accept-Encoding` what is understood (RFC 9110 §12.5.3)
 *
 * @example
 * parseCodings('gzip, br') // ['gzip', 'br']
 */
export function parseCodings(header: string | undefined): readonly string[] {
  if (header === undefined) return none
  const codings = header
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  if (codings.length > mostCodings || !codings.every((coding) => decoders.has(coding))) {
    throw unsupportedCoding('gzip, deflate, br')
  }
  return codings
}

const none: readonly string[] = []

/** The 415 of a content coding, with those that would do. */
export function unsupportedCoding(accepted: string): UnsupportedMediaType {
  const headers = { 'Accept-Encoding': accepted }
  return new UnsupportedMediaType('The content coding of the body is not supported', { code: 'coding', headers })
}

/**
 * Undoes content codings, the last first.
 *
 * @param bytes the coded body
 * @param codings what {@link parseCodings} returned
 * @param limit bytes of the result, and of every step to it, at the most
 * @throws ContentTooLarge beyond the limit, BadRequest where the data are corrupt
 */
export async function decodeContent(bytes: Buffer, codings: readonly string[], limit: number): Promise<Buffer> {
  let content = bytes
  for (let at = codings.length - 1; at >= 0; at--) {
    const decode = decoders.get(codings[at]!)!
    try {
      content = await decode(content, { maxOutputLength: limit })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limit)
      throw malformed('The body is not what its content coding says', 'coding')
    }
  }
  return content
}

function isZlib(bytes: Buffer): boolean {
  // RFC 1950 §2.2: method 8, and a header divisible by 31.
  return bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0
}
