import { Readable } from 'node:stream'
import type { KoaBodyMiddlewareOptions } from 'koa-body'
import { UnsupportedMediaType } from '../errors'
import { malformed } from './codecs/malformed'
import { tooLarge } from './body-bytes'

/** What is understood, by the name that koa-body knows it under. */
const decoders: ReadonlyMap<string, string> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
  ['br', 'br'],
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
  for (const coding of codings.toReversed()) content = await undo(content, decoders.get(coding) ?? coding, limit)
  return content
}

/**
 * One coding undone by koa-body, which is told that the body is a text of one byte a character: its answer is then the
 * very bytes, whatever the content type.
 */
async function undo(bytes: Buffer, coding: string, limit: number): Promise<Buffer> {
  const { koaBody } = require('koa-body') as typeof import('koa-body')
  const options: Partial<KoaBodyMiddlewareOptions> = {
    text: true,
    json: false,
    urlencoded: false,
    multipart: false,
    encoding: 'latin1',
    textLimit: limit,
  }
  const req = Object.assign(Readable.from([bytes]), { headers: { 'content-encoding': coding } })
  const request: { body?: string } = {}
  try {
    await koaBody(options)({ req, request, method: 'POST', is: () => 'text/plain' } as never, async () => undefined)
  } catch (error) {
    if ((error as { status?: number }).status === 413) throw tooLarge(limit)
    throw malformed('The body is not what its content coding says', 'coding')
  }
  return Buffer.from(request.body ?? '', 'latin1')
}
