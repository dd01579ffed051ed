import { parseMediaType } from '../http/media-type'

/** What a request carries: anything that `fetch` sends. */
export type Payload = NonNullable<RequestInit['body']>

/** What a media type makes of bytes. */
export type ContentKind = 'json' | 'text' | 'bytes'

/** The content of an answer, read to its end: text where its media type is one of text, bytes otherwise. */
export interface Content {
  readonly kind: ContentKind
  readonly data: string | Uint8Array
}

/**
 * What the content of a media type is read as: JSON, text (XML and NDJSON too), or bytes.
 *
 * @param type the `Content-Type` header; none: bytes
 */
export function contentKind(type: string | null): ContentKind {
  // The ones that almost all answers have need no parsing.
  if (type === 'application/json' || type === 'application/json; charset=utf-8') return 'json'
  if (type === null) return 'bytes'
  const essence = (parseMediaType(type)?.essence ?? type).toLowerCase()
  if (essence === 'application/json' || essence.endsWith('+json') || essence === 'text/json') return 'json'
  return textual.test(essence) ? 'text' : 'bytes'
}

const textual =
  /^text\/|[/+]xml$|^application\/(?:x-ndjson|ndjson|jsonl|yaml|x-yaml|javascript|x-www-form-urlencoded)$|\+yaml$/

/** Reads an answer to its end. */
export async function readContent(response: Response): Promise<Content> {
  const type = response.headers.get('content-type')
  const kind = contentKind(type)
  if (kind === 'json') return { kind, data: await response.text() }
  const charset = kind === 'text' ? (parseMediaType(type ?? '')?.parameters['charset'] ?? 'utf-8') : undefined
  if (charset && /^utf-?8$/i.test(charset)) return { kind, data: await response.text() }
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = charset === undefined ? undefined : decodeText(bytes, charset)
  return text === undefined ? { kind: 'bytes', data: bytes } : { kind, data: text }
}

/** Nothing where nobody here knows the charset: then the bytes are all there is. */
function decodeText(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * The value of an answer's content: JSON is parsed, text and bytes stay what they are, nothing at all is `null`.
 *
 * @throws SyntaxError where it says it is JSON and is not
 */
export function decodeContent(content: Content | undefined): unknown {
  if (content === undefined || content.data.length === 0) return null
  const { kind, data } = content
  return kind === 'json' ? (JSON.parse(data as string) as unknown) : data
}

/** A body ready to be sent. */
export interface Encoded {
  readonly payload: Payload
  /** The media type to declare; none: `fetch` knows it from the payload. */
  readonly type?: string
  readonly replayable: boolean
}

// By name, not by `instanceof`: there may be several of each (realms, polyfills).
const payloadTags: ReadonlySet<string> = new Set(['FormData', 'URLSearchParams', 'Blob', 'File'])
const binary = 'application/octet-stream'

/**
 * What is sent for a value: forms, blobs, bytes and streams as they are, all else as JSON, unless the media type says text
 * or a form.
 *
 * @param value anything but `undefined`
 * @param type the media type that the caller asks for
 * @throws TypeError where the value cannot be sent as that type
 */
export function encodeBody(value: unknown, type?: string): Encoded {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (payloadTags.has(tag)) {
    const own = tag === 'FormData' ? undefined : type
    return { payload: value as Payload, type: own, replayable: true }
  }
  if (ArrayBuffer.isView(value) || tag === 'ArrayBuffer') {
    return { payload: value as Payload, type: type ?? binary, replayable: true }
  }
  if (isStream(value)) {
    return { payload: value as Payload, type: type ?? binary, replayable: false }
  }
  if (type === undefined) return { payload: toJson(value), type: 'application/json', replayable: true }
  if (contentKind(type) === 'json') return { payload: toJson(value), type, replayable: true }
  if (typeof value === 'string') return { payload: value, type, replayable: true }
  return encodeForm(value, type)
}

function encodeForm(value: unknown, type: string): Encoded {
  const essence = parseMediaType(type)?.essence
  const isMultipart = essence === 'multipart/form-data'
  if (
    typeof value !== 'object' ||
    value === null ||
    (!isMultipart && essence !== 'application/x-www-form-urlencoded')
  ) {
    throw new TypeError(`A body of ${type} is text, bytes, a blob or a stream, not ${describe(value)}`)
  }
  // The boundary is in the type that `fetch` gives a form.
  if (isMultipart) return { payload: fill(new FormData(), value), replayable: true }
  return { payload: fill(new URLSearchParams(), value), type, replayable: true }
}

function fill<Form extends FormData | URLSearchParams>(form: Form, members: object): Form {
  for (const [name, value] of Object.entries(members) as ReadonlyArray<readonly [string, unknown]>) {
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (each === undefined || each === null) continue
      const isFile = payloadTags.has(Object.prototype.toString.call(each).slice(8, -1))
      if (isFile && 'getAll' in form && form instanceof FormData) form.append(name, each)
      else form.append(name, formatValue(name, each))
    }
  }
  return form
}

/**
 * A value as text of a query, a path or a form.
 *
 * @throws TypeError where it has none: an object that is no date
 */
export function formatValue(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (Object.prototype.toString.call(value) === '[object Date]') return (value as Date).toISOString()
  throw new TypeError(`"${name}" is text, a number, a boolean, a date or a list of these, not ${describe(value)}`)
}

function toJson(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) throw new TypeError(`JSON has no form for ${describe(value)}`)
  return text
}

function describe(value: unknown): string {
  return value === null ? 'null' : `a value of type ${typeof value}`
}

function isAsyncIterable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Whether a payload is read as it is sent: it can be sent once, and `fetch` must be told. */
export function isStream(body: unknown): boolean {
  return isAsyncIterable(body) || Object.prototype.toString.call(body) === '[object ReadableStream]'
}
