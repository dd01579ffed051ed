import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import {
  BadRequest,
  ContentTooLarge,
  Gone,
  NoSuchResource,
  NotImplemented,
  PreconditionFailed,
  UnsupportedMediaType,
} from '../errors'
import { negotiate } from '../http/accept'
import { evaluate, formatETag, formatHttpDate, parseETag, parseETags } from '../http/conditional'
import { parsePrefer } from '../http/prefer'
import { byteRangeOf } from '../route/byte-range'
import {
  definePlan,
  type AnswerDoc,
  type Context,
  type Limits,
  type PageRequest,
  type ParamDoc,
  type PlanInit,
  type PlanSet,
} from '../route/plan'
import { queryOf } from '../route/query'
import { Reply, Slice } from '../route/replies'
import { conditionsOf } from '../route/precondition'
import { signalOf } from '../route/signal'
import { isMediaType } from './check'
import { addressOf } from './documents-address'
import { renderListing, type ListedDocument } from './documents-listing'
import { wantsFeed, watchFeed } from './documents-watch'
import type { Change, Cond, Doc, Meta, PutOptions } from './driver'
import { isConditional, isConflict, refused, tombstone, validatorsOf } from './revision'
import type { Store } from './store'

/** Options of {@link documents}. */
export interface DocumentsOptions {
  /** Documents of a page where the client names no number. Default 100. */
  readonly limit?: number
  /** Documents of a page at the most. Default 1,000. */
  readonly max?: number
  /** Whether a deleted document answers 410 in place of 404. Default false. */
  readonly tombstones?: boolean
  /** Whether the store is closed with the application. Default true. */
  readonly close?: boolean
}

/** Bodies up to here are held, so that a write can be tried again and tell for sure whether it created. */
const held = 1024 ** 2

const safely = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
}

/**
 * A store over HTTP: bytes in, the same bytes out, with entity tags, conditions, byte ranges and a change feed.
 *
 * @param path where it is mounted: `/memory`
 * @param store the store; closed with the application
 * @param options page sizes (default 100, at most 1,000), `tombstones`
 *
 * @example
 * createApp({ resources: [documents('/memory', docstore(memory()))] })
 */
export function documents(path: string, store: Store, options: DocumentsOptions = {}): PlanSet {
  const base = path.endsWith('/') ? path.slice(0, -1) : path
  const mount = new Mount(store, options)
  const key = { source: 'path', name: 'key', type: { kind: 'string', list: false } } as const
  const context = { source: 'context' } as const
  const write = [context, { source: 'limits' }, ttlParam] as const
  const body = { consumes: ['*/*'], required: false, stream: true } as const
  const bytes = { produces: ['*/*'] }
  const gone: AnswerDoc[] = options.tombstones ? [{ status: 410, description: 'It was deleted' }] : []
  const missing: AnswerDoc = { status: 404, description: 'There is no such document' }
  const failed: AnswerDoc = { status: 412, description: 'The document has another revision' }
  const written = { conditional: true, throws: [NotImplemented] }

  const plan = (name: string, init: Omit<PlanInit, 'id'>): ReturnType<typeof definePlan> =>
    definePlan({
      ...init,
      id: `documents(${path}).${name}`,
      doc: { tags: [base.slice(1) || 'documents'], ...init.doc },
    })

  return {
    plans: [
      plan('list', {
        method: 'GET',
        path: base || '/',
        params: [{ source: 'page' }, { source: 'query', name: 'prefix', type: key.type, required: false }, context],
        queryNames: ['watch'],
        around: [mount.feed, renderListing(path)],
        paging: {
          unit: 'documents',
          limit: options.limit ?? 100,
          max: options.max ?? 1000,
          status: 206,
          count: 'exact',
          sort: [],
          filter: [],
          cursor: { key: [] },
        },
        reply: { produces: ['application/json', 'text/html', 'text/plain', 'application/xml', 'text/event-stream'] },
        call: ((page: PageRequest, prefix: string | undefined, ctx: Context) =>
          mount.list(page, prefix, ctx)) as PlanInit['call'],
        doc: {
          summary: 'The keys',
          params: feedDocs,
          answers: [{ status: 200, schema: listedSchema, headers: pageHeaders }],
          throws: [Gone],
        },
      }),
      plan('read', {
        method: 'GET',
        path: `${base}/:key`,
        params: [key, context],
        reply: bytes,
        call: ((name: string, ctx: Context) => mount.read(name, ctx)) as PlanInit['call'],
        doc: { summary: 'A document', answers: [...parts, missing, ...gone, failed] },
      }),
      plan('put', {
        method: 'PUT',
        path: `${base}/:key`,
        params: [key, ...write],
        reply: bytes,
        body,
        call: ((name: string, ctx: Context, limits: Limits, ttl?: number) =>
          mount.put(name, ctx, limits, ttl, 204)) as PlanInit['call'],
        doc: {
          ...written,
          summary: 'Stores a document under its key',
          answers: [{ status: 201, produces: [] }, { status: 204 }, failed],
        },
      }),
      plan('store', {
        method: 'POST',
        path: `${base}/:key`,
        params: [key, ...write],
        reply: bytes,
        body,
        call: ((name: string, ctx: Context, limits: Limits, ttl?: number) =>
          mount.put(name, ctx, limits, ttl, 200)) as PlanInit['call'],
        doc: {
          ...written,
          summary: 'Stores a document under its key, and answers with the key',
          answers: [keyAnswer(201), keyAnswer(200), failed],
        },
      }),
      ...(['POST', 'PUT'] as const).map((method) =>
        plan(method === 'POST' ? 'create' : 'createByPut', {
          method,
          path: base || '/',
          params: write,
          reply: bytes,
          body,
          call: ((ctx: Context, limits: Limits, ttl?: number) => mount.create(ctx, limits, ttl)) as PlanInit['call'],
          doc: {
            ...written,
            conditional: false,
            summary: 'Stores a document under a new UUID',
            answers: [keyAnswer(201)],
          },
        }),
      ),
      plan('delete', {
        method: 'DELETE',
        path: `${base}/:key`,
        params: [key, context],
        reply: bytes,
        call: ((name: string, ctx: Context) => mount.remove(name, ctx)) as PlanInit['call'],
        doc: { conditional: true, summary: 'Deletes a document', answers: [{ status: 204 }, missing, ...gone, failed] },
      }),
    ],
    close: options.close === false ? undefined : () => store.close(),
  }
}

/** Seconds until the document is gone. */
const ttlParam = {
  source: 'query',
  name: 'ttl',
  type: { kind: 'integer', list: false },
  required: false,
  min: 1,
  max: 10 * 365 * 24 * 3600,
} as const

// --- What is only said ------------------------------------------------------------------------------------------------

const feedDocs: readonly ParamDoc[] = [
  { source: 'query', name: 'watch', description: 'Present: the changes instead, as server-sent events.' },
  {
    source: 'header',
    name: 'Last-Event-ID',
    description: 'The last event that the client has: the feed goes on behind it.',
  },
]

const text = { type: 'string' } as const

const listedSchema = {
  type: 'object',
  properties: {
    key: text,
    type: { ...text, description: 'Its media type.' },
    size: { type: 'integer', minimum: 0, description: 'Its bytes.' },
    modified: { ...text, format: 'date-time' },
    etag: text,
  },
  required: ['key', 'type', 'size', 'modified', 'etag'],
}

const pageHeaders = { 'Content-Security-Policy': 'What the page for people may do.' }

const parts: readonly AnswerDoc[] = [{ status: 200 }, { status: 206, description: 'The part that `Range` names' }]

/** The key, as text or as an object. */
function keyAnswer(status: number): AnswerDoc {
  return {
    status,
    etag: true,
    schema: { type: 'object', properties: { key: text, etag: text }, required: ['key', 'etag'] },
    produces: ['text/plain', 'application/json', 'application/xml'],
  }
}

/** The operations of one mounted store. */
class Mount {
  constructor(
    readonly store: Store,
    readonly options: DocumentsOptions,
  ) {}

  /** The change feed, where it is asked for, in place of the list. */
  readonly feed: NonNullable<PlanInit['around']>[number] = async (ctx, next) => {
    const query = queryOf(ctx)
    if (!wantsFeed(query.has('watch'), ctx.req.headers.accept)) return next()
    const since = ctx.req.headers['last-event-id']
    return watchFeed(this.store, {
      since: typeof since === 'string' && since !== '' ? since : undefined,
      prefix: query.get('prefix')?.[0],
      signal: signalOf(ctx),
      translate: this.options.tombstones ? (change) => this.#withTombstones(change) : undefined,
    })
  }

  /** What the store calls a put is a deletion, where a tombstone was put. */
  async #withTombstones(change: Change): Promise<Change> {
    if (change.op !== 'put') return change
    const meta = await this.store.get(change.key, { body: false })
    const { seq, key } = change
    return meta?.rev === change.rev && meta && this.#isGone(meta) ? { seq, key, op: 'delete' } : change
  }

  /** A page of the keys. Their number is known only where the store is at its end: counting would read all of them. */
  async list(page: PageRequest, prefix: string | undefined, ctx: Context): Promise<Slice<ListedDocument>> {
    const exact = page.last !== undefined || page.limit === 0 || parsePrefer(ctx.get('Prefer')).get('count') === 'exact'
    const total = exact ? await this.#count(prefix) : undefined
    const offset = page.last !== undefined && total !== undefined ? Math.max(0, total - page.last) : page.offset
    const items: ListedDocument[] = []
    let skip = page.cursor ? 0 : offset
    let after = page.cursor?.raw || undefined
    let next: string | undefined
    do {
      const listing = await this.store.list({
        prefix,
        after,
        limit: Math.min(1000, skip + page.limit - items.length + 1),
      })
      next = listing.next
      for (const meta of listing.items) {
        if (this.#isGone(meta)) continue
        if (skip > 0) skip--
        else if (items.length < page.limit) items.push(toListed(meta))
        else return new Slice(items, total, items.at(-1)?.key ?? after)
      }
      after = next
    } while (next !== undefined)
    const known = page.cursor ? undefined : offset - skip + items.length
    return new Slice(items, total ?? known)
  }

  async #count(prefix: string | undefined): Promise<number> {
    let count = 0
    let after: string | undefined
    do {
      const listing = await this.store.list({ prefix, after, limit: 1000 })
      count += listing.items.filter((meta) => !this.#isGone(meta)).length
      after = listing.next
    } while (after !== undefined)
    return count
  }

  /** The document, its metadata for HEAD, or the part of it that `Range` names; metadata and bytes of one revision. */
  async read(key: string, ctx: Context): Promise<Reply> {
    if (ctx.method === 'HEAD' || ctx.req.headers.range !== undefined) return this.#readPart(key, ctx)
    const found = this.#found(await this.store.get(key))
    const verdict = evaluate(conditionsOf(ctx), validatorsOf(found))
    if (verdict !== 'proceed') {
      await letGo(found)
      return this.#unchanged(verdict, found)
    }
    ctx.res.setHeader('Accept-Ranges', 'bytes')
    return new Reply(200, toBody(found), { ...headersOf(found), 'Content-Length': String(found.size) })
  }

  async #readPart(key: string, ctx: Context): Promise<Reply> {
    for (;;) {
      const meta = this.#found(await this.store.get(key, { body: false }))
      const verdict = evaluate(conditionsOf(ctx), validatorsOf(meta))
      if (verdict !== 'proceed') return this.#unchanged(verdict, meta)
      const part = byteRangeOf(ctx, { size: meta.size, etag: formatETag(meta.rev), modified: new Date(meta.modified) })
      const length = part ? part.last - part.first + 1 : meta.size
      const headers = { ...headersOf(meta), 'Content-Length': String(length) }
      if (ctx.method === 'HEAD') return new Reply(part ? 206 : 200, undefined, headers)
      const doc = await this.store.get(key, part && { range: [part.first, part.last] })
      if (doc?.rev === meta.rev) return new Reply(part ? 206 : 200, toBody(doc), headers)
      await letGo(doc)
      // Another revision: what was said of the part is asked again.
      ctx.remove('Content-Range')
    }
  }

  /** 201 where it is new, else the given status; POST and 200 answer with the key. */
  async put(key: string, ctx: Context, limits: Limits, ttl: number | undefined, replaced: 200 | 204): Promise<Reply> {
    const options = this.#putOptions(ctx, ttl)
    const { meta, created } = await this.#write(key, ctx, limits, options)
    const headers = { ETag: formatETag(meta.rev), ...(created && { Location: addressOf(ctx, key) }) }
    if (replaced === 204) return new Reply(created ? 201 : 204, undefined, headers)
    return new Reply(created ? 201 : 200, keyBody(ctx, meta), headers)
  }

  async create(ctx: Context, limits: Limits, ttl: number | undefined): Promise<Reply> {
    const key = randomUUID()
    const body = streamOf(ctx, Math.min(limits.document, this.store.can.maxBody))
    const meta = await uploading(ctx, this.store.put(key, body, { ...this.#putOptions(ctx, ttl), if: null }))
    return new Reply(201, keyBody(ctx, meta), { ETag: formatETag(meta.rev), Location: addressOf(ctx, key) })
  }

  async remove(key: string, ctx: Context): Promise<Reply> {
    for (;;) {
      const current = await this.store.get(key, { body: false })
      const live = this.#found(current)
      if (evaluate(conditionsOf(ctx), validatorsOf(live)) !== 'proceed') throw refused(live)
      try {
        if (this.options.tombstones) await this.store.put(key, '', { type: tombstone, if: live.rev })
        else if (!(await this.store.delete(key, { if: live.rev }))) continue
        return new Reply(204)
      } catch (error) {
        // Somebody else was faster: the conditions are asked again of what is there now.
        if (!isConflict(error)) throw error
      }
    }
  }

  #putOptions(ctx: Context, ttl: number | undefined): PutOptions {
    const type = ctx.req.headers['content-type'] ?? 'application/octet-stream'
    if (!isMediaType(type) || type === tombstone) throw new UnsupportedMediaType('The Content-Type is no media type')
    const coding = ctx.req.headers['content-encoding']
    if (coding !== undefined && coding.toLowerCase() !== 'identity') {
      throw new UnsupportedMediaType('Documents are stored as they come: send them without a content coding', {
        headers: { 'Accept-Encoding': 'identity' },
      })
    }
    return { type, expires: ttl === undefined ? undefined : Date.now() + ttl * 1000 }
  }

  /**
   * Writes under the request's conditions, in one step at the store. A body that is held can be offered again, so that
   * "created" is exact; a streamed one is offered once, on the state that was there when the request began.
   */
  async #write(
    key: string,
    ctx: Context,
    limits: Limits,
    options: PutOptions,
  ): Promise<{ meta: Meta; created: boolean }> {
    const max = Math.min(limits.document, this.store.can.maxBody)
    const body = lengthOf(ctx) <= Math.min(held, max) ? await uploading(ctx, collect(ctx.req)) : streamOf(ctx, max)
    for (;;) {
      const current = await this.store.get(key, { body: false })
      const live = current && !this.#isGone(current) ? current : undefined
      if (evaluate(conditionsOf(ctx), live && validatorsOf(live)) !== 'proceed') throw refused(live)
      const repeatable = Buffer.isBuffer(body)
      const condition = repeatable || isConditional(ctx) ? (current?.rev ?? null) : undefined
      try {
        const meta = await uploading(ctx, this.store.put(key, body, { ...options, if: condition }))
        return { meta, created: !live }
      } catch (error) {
        if (!isConflict(error)) throw error
        if (!repeatable) throw refused(error.current)
      }
    }
  }

  #found<T extends Meta>(doc: T | undefined): T {
    if (!doc) throw new NoSuchResource()
    if (this.#isGone(doc)) throw new Gone()
    return doc
  }

  #isGone({ type }: Meta): boolean {
    return this.options.tombstones === true && type === tombstone
  }

  /** 304 where the client has it, 412 where it wants another revision. */
  #unchanged(verdict: 'not-modified' | 'failed', meta: Meta): Reply {
    if (verdict === 'failed') throw refused(meta)
    return new Reply(304, undefined, headersOf(meta))
  }
}

// --- HTTP to store and back --------------------------------------------------------------------------------------------------------

/**
 * The condition that a request puts on a write, for a store's `if`; `undefined` where it puts none. Of several entity
 * tags the one that is current has to be found first, which `documents` does.
 *
 * @throws PreconditionFailed for conditions that a store cannot ask for: several tags, weak ones, both headers at once
 *
 * @example
 * await store.put(key, body, { if: conditionOf(ctx) })
 */
export function conditionOf(ctx: Context): Cond {
  const { 'if-match': match, 'if-none-match': noneMatch } = ctx.req.headers
  if (noneMatch !== undefined) {
    if (noneMatch.trim() === '*' && match === undefined) return null
    throw new PreconditionFailed('If-None-Match takes * here, and no If-Match beside it')
  }
  if (match === undefined) return undefined
  const tags = parseETags(match)
  if (tags === '*') return '*'
  const [tag] = tags ?? []
  const rev = tag && !tag.weak && tags?.length === 1 ? parseETag(tag.tag) : undefined
  if (rev === undefined) throw new PreconditionFailed('If-Match takes one strong entity tag here')
  return rev
}

function headersOf(meta: Meta): Record<string, string> {
  return {
    'Content-Type': meta.type,
    ETag: formatETag(meta.rev),
    'Last-Modified': formatHttpDate(new Date(meta.modified)),
    ...safely,
  }
}

function toListed({ key, type, size, modified, rev }: Meta): ListedDocument {
  return { key, type, size, modified: new Date(modified).toISOString(), etag: formatETag(rev) }
}

/** The key as text, or as an object for who asks for one. */
function keyBody(ctx: Context, { key, rev }: Meta): unknown {
  const type = negotiate(ctx.req.headers.accept, ['text/plain', 'application/json', 'application/xml'])
  return type === 'text/plain' || type === undefined ? key : { key, etag: formatETag(rev) }
}

function toBody({ body }: Doc): Buffer | Readable {
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return Readable.fromWeb(body as ReadableStream)
}

async function letGo(doc: Doc | undefined): Promise<void> {
  if (doc && !(doc.body instanceof Uint8Array)) await doc.body.cancel()
}

/** The bytes that a body is announced to have; not a number where nobody knows (RFC 9112 §6.3). */
function lengthOf({ req: { headers, httpVersionMajor } }: Context): number {
  const length = headers['content-length']
  if (length !== undefined) return Number(length)
  return headers['transfer-encoding'] === undefined && httpVersionMajor < 2 ? 0 : Number.NaN
}

/** The request's body piece by piece, up to the bound. */
function streamOf(ctx: Context, max: number): AsyncIterable<Uint8Array> {
  if (lengthOf(ctx) > max) throw tooLarge(max)
  return bounded(ctx.req, max)
}

async function* bounded(source: IncomingMessage, max: number): AsyncGenerator<Uint8Array> {
  let size = 0
  try {
    // A request that is given up is not destroyed: its answer could not be sent any more.
    for await (const piece of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += piece.byteLength
      if (size > max) throw tooLarge(max)
      yield piece
    }
  } finally {
    // Node drops the rest by itself only where nothing was read, and the connection's next request waits behind it.
    source.resume()
  }
}

function tooLarge(max: number): ContentTooLarge {
  return new ContentTooLarge(`A document has at most ${max} bytes here`, { code: 'too-large' })
}

async function collect(source: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of source as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** A client that leaves in the middle of its upload is not a failure of the store. */
async function uploading<T>(ctx: Context, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (ctx.req.errored || (ctx.req.destroyed && !ctx.req.complete)) {
      throw new BadRequest('The upload was broken off', { code: 'aborted', cause: error })
    }
    throw error
  }
}
