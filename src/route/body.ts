import { Readable } from 'node:stream'
import type { Awaitable } from '../types'
import { checkLength, mayHaveBody, readBytes, readChunks } from './body-bytes'
import { decodeContent, parseCodings, unsupportedCoding } from './body-coding'
import { createContentTypes, type ContentType } from './body-types'
import { malformed } from './codecs/malformed'
import { multipartLimit, readMultipart } from './multipart'
import type { BodyPlan, Codec, Context, Limits } from './plan'
import { isPromise } from './promise'
import { UploadDirectory, type UploadedFile } from './upload'

/** A body, read and decoded. */
export interface DecodedBody {
  readonly value: unknown
  /** Whether the leaves of the value are text, to be coerced by the declared types. */
  readonly text: boolean
  /** Whether there was no body at all; the value is `undefined` then. */
  readonly empty: boolean
  /** Lower case, without parameters; empty where there was none. */
  readonly mediaType: string
  /** The files of a multipart body by the names of their parts. */
  readonly files?: ReadonlyMap<string, readonly UploadedFile[]>
}

/** The body of a request. */
export interface BodyReader {
  /**
   * The body, decoded by the codec of its content type; asked for once a request.
   *
   * @param use what is done with it
   * @throws UnsupportedMediaType, ContentTooLarge, BadRequest
   */
  decoded<T>(ctx: Context, use: (body: DecodedBody) => Awaitable<T>): Awaitable<T>
  /**
   * The bytes, their content codings undone, read once however often they are asked for. Whether a codec can decode them
   * does not matter here.
   *
   * @throws ContentTooLarge, UnsupportedMediaType for a content coding, BadRequest where that is corrupt
   */
  raw(ctx: Context): Promise<Buffer>
}

/** What a body reader is given beside its plan. */
export interface BodyShared {
  readonly codecs: readonly Codec[]
  readonly limits: Limits
  /** Bounds the depth and size of a decoded value; codecs of text bound what they build. */
  readonly checkShape: (value: unknown, limits: Limits, where: 'body') => void
  readonly method: string
}

/** What a parser in front of this one leaves behind. */
interface EarlierBody {
  readonly body?: unknown
  readonly rawBody?: unknown
}

/**
 * The reader of a route's body; what can be decided without a request is decided here.
 *
 * A body that middleware of the host application read before is taken from `ctx.request.body`, and its bytes from
 * `ctx.request.rawBody`; an upload must be left to this reader.
 *
 * @param plan what the route takes
 * @param shared codecs, limits and method
 */
export function createBodyReader(plan: BodyPlan, shared: BodyShared): BodyReader {
  const { limits, checkShape } = shared
  const types = createContentTypes(plan, shared)
  const rawBodies = new WeakMap<object, Promise<Buffer>>()

  function raw(ctx: Context): Promise<Buffer> {
    const known = rawBodies.get(ctx.req)
    if (known) return known
    const bytes = plan.raw === 'only' ? readOnlyRaw(ctx) : readRaw(ctx)
    // Whoever asked may fail of something else before it waits for this.
    bytes.catch(() => undefined)
    rawBodies.set(ctx.req, bytes)
    return bytes
  }

  function decoded<T>(ctx: Context, use: (body: DecodedBody) => Awaitable<T>): Awaitable<T> {
    const { req } = ctx
    if (!mayHaveBody(req)) return use(nothing())
    const header = req.headers['content-type']
    const type = header === undefined ? types.unnamed : types.find(header)
    if (!type) return refuseUnnamed(ctx).then(use)
    const { codec } = type
    if (!codec) return readUpload(ctx, type).then(use)
    if (req.readableEnded && !rawBodies.has(req)) return then(decodeEarlier(ctx, codec, type), use)
    // The bytes are kept only where somebody wants them as well.
    if (plan.raw === 'no') return then(content(ctx), (bytes) => then(decode(bytes, codec, type), use))
    return raw(ctx).then((bytes) => then(decode(bytes, codec, type), use))
  }

  /** Nobody decodes the body, so nobody else would refuse its type. */
  async function readOnlyRaw(ctx: Context): Promise<Buffer> {
    const header = ctx.req.headers['content-type']
    if (header !== undefined && plan.consumes.length > 0 && mayHaveBody(ctx.req)) types.find(header)
    const bytes = await readRaw(ctx)
    if (bytes.length === 0) nothing()
    return bytes
  }

  async function readRaw(ctx: Context): Promise<Buffer> {
    return mayHaveBody(ctx.req) ? content(ctx) : noBytes
  }

  /** The bytes without their codings. */
  function content(ctx: Context): Awaitable<Buffer> {
    const { req } = ctx
    const codings = parseCodings(req.headers['content-encoding'])
    checkLength(req, limits.body)
    if (req.readableEnded) return earlierBytes(ctx)
    const bytes = readBytes(req, limits.body)
    return codings.length === 0 ? bytes : bytes.then((coded) => decodeContent(coded, codings, limits.body))
  }

  /** Without a content type, a body is nothing or refused; a chunked one shows which only when it is read. */
  async function refuseUnnamed(ctx: Context): Promise<DecodedBody> {
    const announced = Number(ctx.req.headers['content-length'] ?? 0)
    if (announced === 0 && (await raw(ctx)).length === 0) return nothing()
    throw types.refuse('The body has no content type', 'media-type')
  }

  function decode(bytes: Buffer, codec: Codec, type: ContentType): DecodedBody | Promise<DecodedBody> {
    if (bytes.length === 0) return nothing()
    const value = codec.decode?.(bytes, type.context)
    return value instanceof Promise ? value.then((late) => accept(late, codec, type)) : accept(value, codec, type)
  }

  function accept(value: unknown, { text = false }: Codec, { mediaType }: ContentType): DecodedBody {
    if (!(value instanceof Uint8Array)) checkShape(value, limits, 'body')
    return { value, text, empty: false, mediaType }
  }

  function nothing(): DecodedBody {
    if (plan.required) throw malformed('A body is required', 'required')
    return emptyBody
  }

  /** A body that middleware in front of this one has decoded. */
  function decodeEarlier(ctx: Context, codec: Codec, type: ContentType): DecodedBody | Promise<DecodedBody> {
    const { body } = ctx.request as EarlierBody
    if (body === undefined) throw readTwice(ctx)
    if (typeof body !== 'string' || !codec.text) return accept(body, codec, type)
    // A parser that knows no XML hands it on as a string.
    return decode(Buffer.from(body), codec, {
      ...type,
      context: { ...type.context, charset: 'utf-8', parameters: utf8 },
    })
  }

  async function readUpload(ctx: Context, { boundary, mediaType }: ContentType): Promise<DecodedBody> {
    if (!boundary) throw malformed('The content type has no boundary')
    const source =
      plan.raw === 'no' ? streamOf(ctx, multipartLimit(limits, plan.files.length > 0)) : Readable.from([await raw(ctx)])
    const directory = new UploadDirectory()
    try {
      const form = await readMultipart(source, boundary, { files: plan.files, limits }, directory)
      removeWhenAnswered(ctx, directory)
      return { ...form, text: true, empty: false, mediaType }
    } catch (error) {
      await directory.remove()
      throw error
    }
  }

  return { decoded, raw }
}

/** What comes next: at once, or when a promise has settled. */
function then<T, R>(value: Awaitable<T>, use: (value: T) => Awaitable<R>): Awaitable<R> {
  return isPromise(value) ? value.then(use) : use(value)
}

const noBytes = Buffer.alloc(0)
const utf8: Readonly<Record<string, string>> = Object.freeze({ charset: 'utf-8' })
const emptyBody: DecodedBody = Object.freeze({ value: undefined, text: false, empty: true, mediaType: '' })

function earlierBytes(ctx: Context): Buffer {
  const { rawBody } = ctx.request as EarlierBody
  if (typeof rawBody === 'string') return Buffer.from(rawBody)
  if (Buffer.isBuffer(rawBody)) return rawBody
  throw readTwice(ctx)
}

function readTwice(ctx: Context): Error {
  return new Error(`The body of ${ctx.method} ${ctx.path} was read by middleware that left nothing of it for the route`)
}

/** The request as a stream that can be given up without the request. */
function streamOf(ctx: Context, limit: number): Readable {
  const { req } = ctx
  if (req.readableEnded) throw readTwice(ctx)
  if (parseCodings(req.headers['content-encoding']).length > 0) throw unsupportedCoding('identity')
  checkLength(req, limit)
  const givenUp = new AbortController()
  const stream = new Readable({
    read: () => void req.resume(),
    destroy(error, callback) {
      givenUp.abort()
      callback(error)
    },
  })
  readChunks(req, {
    limit,
    take: (chunk) => void (stream.push(chunk) || req.pause()),
    signal: givenUp.signal,
  }).then(
    () => stream.push(null),
    (error: Error) => stream.destroy(error),
  )
  return stream
}

function removeWhenAnswered({ res }: Context, directory: UploadDirectory): void {
  // Nobody is left to hear of a file that cannot be removed.
  const remove = (): void => void directory.remove().catch(() => undefined)
  if (res.closed || res.writableFinished) remove()
  else res.once('close', remove).once('finish', remove)
}
