import { UnsupportedMediaType } from '../errors'
import { matchesMediaType, parseMediaType, type MediaType } from '../http/media-type'
import { codecOf } from './negotiation'
import type { BodyPlan, Codec, DecodeContext, Limits } from './plan'
import { isCharset } from './codecs/charset'
import { bytes as anyBytes } from './codecs/bytes'
import { text as anyText } from './codecs/text'

/** What a content type means to a route: the codec, and what that is told. */
export interface ContentType {
  readonly mediaType: string
  /** None where it is multipart. */
  readonly codec?: Codec
  /** Of multipart. */
  readonly boundary?: string
  readonly context: DecodeContext
}

/** The content types that a route takes. */
export interface ContentTypes {
  /** @throws UnsupportedMediaType where the route does not take this one, or nobody knows its charset */
  find: (header: string) => ContentType
  /** What a body without content type is taken for: bytes, where the route asks for them by name or takes anything. */
  readonly unnamed?: ContentType
  /** The 415, with what would do in `Accept-Post` (W3C LDP §7.1), `Accept-Patch` (RFC 5789 §3.1) or `Accept`. */
  refuse: (detail: string, code: string) => UnsupportedMediaType
}

const multipart = 'multipart/form-data'

/**
 * Settles at start which codec reads which content type.
 *
 * @param plan the body's
 * @param shared codecs of the application, limits and method of the route
 */
export function createContentTypes(
  { consumes, files }: BodyPlan,
  { codecs, limits, method }: { readonly codecs: readonly Codec[]; readonly limits: Limits; readonly method: string },
): ContentTypes {
  const decoding = codecs.filter((codec) => codec.decode !== undefined)
  const patterns = consumes.length > 0 ? consumes : files.length > 0 ? [multipart] : decoding.flatMap(namesOf)
  const takesUpload = files.length > 0 || consumes.includes(multipart)
  const acceptHeader = method === 'POST' ? 'Accept-Post' : method === 'PATCH' ? 'Accept-Patch' : 'Accept'
  const accepted = acceptedTypes(patterns)

  function refuse(detail: string, code: string): UnsupportedMediaType {
    return new UnsupportedMediaType(detail, { code, headers: accepted === '' ? {} : { [acceptHeader]: accepted } })
  }

  function resolve(header: string): ContentType {
    const type = parseMediaType(header)
    const matching = type && patterns.filter((pattern) => matchesMediaType(pattern, type))
    if (!type || !matching || matching.length === 0)
      throw refuse('The media type of the body is not supported', 'media-type')
    const { essence: mediaType, parameters } = type
    const charset = parameters.charset?.toLowerCase() ?? 'utf-8'
    const context = { charset, parameters, limits }
    if (mediaType === multipart) {
      if (!takesUpload) throw refuse('No upload is taken here', 'media-type')
      return { mediaType, boundary: parameters.boundary, context }
    }
    const codec = chooseCodec(decoding, type, matching)
    if (codec.type !== anyBytes.type && !isCharset(charset)) {
      throw refuse('The charset of the body is not supported', 'charset')
    }
    return { mediaType, codec, context }
  }

  const known = new Map<string, ContentType>()
  for (const essence of patterns.filter(isExact)) {
    if (essence === multipart) continue
    for (const header of [
      essence,
      `${essence}; charset=utf-8`,
      `${essence};charset=utf-8`,
      `${essence};charset=UTF-8`,
    ]) {
      known.set(header, resolve(header))
    }
  }
  const takesBytes = consumes.some(
    (pattern) => pattern === '*/*' || pattern === 'application/*' || pattern === anyBytes.type,
  )
  return {
    find: (header) => known.get(header) ?? resolve(header),
    unnamed: takesBytes ? resolve(anyBytes.type) : undefined,
    refuse,
  }
}

/**
 * The codec of a type. What a route takes and no codec knows is text or bytes; so is text of any kind where the route
 * said no more than `text/*`.
 */
function chooseCodec(codecs: readonly Codec[], type: MediaType, matching: readonly string[]): Codec {
  const known = matching.every((pattern) => pattern === 'text/*') ? undefined : codecOf(codecs, type.essence)
  return known ?? (type.type === 'text' ? anyText : anyBytes)
}

function namesOf({ type, also = [] }: Codec): readonly string[] {
  return [type, ...also]
}

function isExact(pattern: string): boolean {
  return !pattern.startsWith('+') && !pattern.includes('*')
}

function acceptedTypes(patterns: readonly string[]): string {
  // A suffix alone is no media range (RFC 9110 §12.5.1).
  return [...new Set(patterns.filter((pattern) => !pattern.startsWith('+')))].join(', ')
}
