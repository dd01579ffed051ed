import { readContent, type Content } from './content'
import { toWrap, type Answer, type Draft, type Layer, type Send } from './draft'
import type { Wrap } from './transport'

/** Bounds of the cache. */
export interface CacheOptions {
  /** Answers at the most; the one longest unused goes first. Default 500. */
  readonly entries?: number
  /** Characters or bytes of the largest content that is kept. Default 1 MiB. */
  readonly maxContent?: number
  /** Whether PUT, PATCH and DELETE send `If-Match` with the entity tag last seen. Default true. */
  readonly ifMatch?: boolean
}

/** What is known of one URL. */
interface Entry {
  readonly etag: string
  /** The answer of which it was the tag; none: only the tag is known. */
  readonly answer?: Answer & { readonly content: Content }
  /** The request's headers that the answer was chosen by. */
  readonly varied: ReadonlyArray<readonly [string, string | undefined]>
}

const conditional = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'range'] as const
const writing: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE'])

/**
 * A layer that remembers entity tags: GET asks with `If-None-Match` and answers a 304 with what it had, and a write carries
 * `If-Match`, so that it fails with 412 where somebody else was faster. Nothing is served without asking the server.
 *
 * @see RFC 9110 §13.1, RFC 9111 §4.3
 *
 * @example
 * const transport = withCache({ entries: 1000 })(fetch)
 */
export function withCache(options: CacheOptions = {}): Wrap {
  return toWrap(cacheLayer(options))
}

/** As {@link withCache}, for drafts. */
export function cacheLayer({ entries = 500, maxContent = 2 ** 20, ifMatch = true }: CacheOptions): Layer {
  const known = new Entries(entries)
  return (next) => {
    return function cached(draft) {
      // Of what is read as it comes nothing is kept.
      if (!draft.whole) return next(draft)
      const isFree = conditional.every((name) => draft.headers[name] === undefined)
      if (draft.method === 'GET') return isFree ? read(next, draft, known, maxContent) : next(draft)
      if (writing.has(draft.method)) return write(next, draft, known, isFree && ifMatch)
      return draft.method === 'POST' ? create(next, draft, known) : next(draft)
    }
  }
}

async function read(next: Send, draft: Draft, known: Entries, maxContent: number): Promise<Answer> {
  const entry = known.get(draft.url)
  const held = entry?.answer && entry.varied.every(([name, value]) => draft.headers[name] === value) ? entry : undefined
  const answer = await next(held ? { ...draft, headers: { ...draft.headers, 'if-none-match': held.etag } } : draft)
  const { response } = answer
  if (response.status === 304 && held) return held.answer!
  if (response.status !== 200) {
    if (response.status === 404 || response.status === 410) known.delete(draft.url)
    return answer
  }
  const etag = response.headers.get('etag')
  const varied = etag === null || isFeed(response) ? undefined : readVaried(response, draft)
  if (etag === null || !varied) {
    known.delete(draft.url)
    return answer
  }
  const content = answer.content ?? (await readContent(response))
  const whole = { response, content }
  known.set(draft.url, content.data.length <= maxContent ? { etag, varied, answer: whole } : { etag, varied })
  return whole
}

/** The headers that chose the answer; nothing where it must not be kept. */
function readVaried({ headers }: Response, draft: Draft): Entry['varied'] | undefined {
  if (/(?:^|,)\s*no-store\s*(?:,|$)/i.test(headers.get('cache-control') ?? '')) return undefined
  const names = (headers.get('vary') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names.includes('*') ? undefined : names.map((name) => [name, draft.headers[name]] as const)
}

/** A `fetch` with this layer does not say that it wants a stream, and there is no end of one to wait for. */
function isFeed({ headers }: Response): boolean {
  return /^(?:text\/event-stream|application\/x-ndjson)/i.test(headers.get('content-type') ?? '')
}

async function write(next: Send, draft: Draft, known: Entries, guarded: boolean): Promise<Answer> {
  const etag = known.get(draft.url)?.etag
  // RFC 9110 §13.1.1: a weak tag never matches.
  const guard = guarded && etag !== undefined && !etag.startsWith('W/')
  const answer = await next(guard ? { ...draft, headers: { ...draft.headers, 'if-match': etag } } : draft)
  const { ok, status, headers } = answer.response
  // After a 412 the old tag stays: the next attempt without a look at what is there shall fail as well.
  if (ok) known.learn(draft.url, draft.method === 'DELETE' ? null : headers.get('etag'))
  else if (status === 404 || status === 410) known.delete(draft.url)
  return answer
}

async function create(next: Send, draft: Draft, known: Entries): Promise<Answer> {
  const answer = await next(draft)
  const { status, headers } = answer.response
  const location = headers.get('location')
  // RFC 9110 §15.3.2: the tag of a 201 is that of the resource at its location.
  if (status === 201 && location !== null && URL.canParse(location, draft.url)) {
    known.learn(new URL(location, draft.url).href, headers.get('etag'))
  }
  return answer
}

/** By URL, the one longest unused first. */
class Entries {
  readonly #entries = new Map<string, Entry>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get(url: string): Entry | undefined {
    const entry = this.#entries.get(url)
    if (entry) {
      this.#entries.delete(url)
      this.#entries.set(url, entry)
    }
    return entry
  }

  set(url: string, entry: Entry): void {
    this.#entries.delete(url)
    this.#entries.set(url, entry)
    if (this.#entries.size > this.#most) this.#entries.delete(this.#entries.keys().next().value!)
  }

  delete(url: string): void {
    this.#entries.delete(url)
  }

  /** A tag without its representation, or none. */
  learn(url: string, etag: string | null): void {
    if (etag === null) this.delete(url)
    else this.set(url, { etag, varied: [] })
  }
}
