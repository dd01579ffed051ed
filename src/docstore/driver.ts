import type { ReadableStream } from 'node:stream/web'

/** A revision: opaque, unique for its key for ever (also over delete and re-create), safe inside a strong ETag. */
export type Rev = string

/**
 * The condition of a write: a revision that must be the current one, `null` for "must be absent", `'*'` for "must exist",
 * `undefined` for "in any case". The store decides it in the same atomic step as the write (RFC 9110 §13.1). The
 * type names no `'*'`: to the compiler it is one more text, as a revision is.
 */
export type Cond = Rev | null | undefined

/** What is known of a document besides its body. */
export interface Meta {
  readonly key: string
  readonly rev: Rev
  /** The media type, parameters included. */
  readonly type: string
  /** Bytes of the whole body. */
  readonly size: number
  /** When it was written, in milliseconds since the epoch, by the store's clock. */
  readonly modified: number
  /** When it ceases to be there, in milliseconds since the epoch; none: never. */
  readonly expires?: number
}

/** A document. A streamed body must be read to its end or cancelled: it holds a file or a snapshot open. */
export interface Doc extends Meta {
  readonly body: Uint8Array | ReadableStream<Uint8Array>
}

/** What a driver can do, told before it is asked. */
export interface Can {
  /** Lists come in byte order of the keys, and backwards on request. */
  readonly order: boolean
  /** Documents may expire, to the millisecond or to the second. */
  readonly ttl: 'ms' | 's' | false
  /** Changes can be followed: from a known sequence on, or only from now on. */
  readonly watch: 'resume' | 'live' | false
  /** Several writes in one atomic step. */
  readonly batch: boolean
  /** Bodies pass in pieces, both ways. Without it they pass through memory whole. */
  readonly stream: boolean
  /** Bytes of the largest body. */
  readonly maxBody: number
  /** Which writers see each other's conditions: those of this process, of this host, of all hosts. */
  readonly reach: 'process' | 'host' | 'cluster'
  /** What an acknowledged write survives: nothing, the end of the process, the loss of power. */
  readonly durable: 'memory' | 'crash' | 'power'
}

/** How to read a document. */
export interface GetOptions {
  /** `false`: the metadata alone. Default true. */
  readonly body?: boolean
  /** First and last byte, both inclusive (RFC 9110 §14.1.2). What lies behind the end is left out. */
  readonly range?: readonly [first: number, last: number]
}

/** How to write a document. */
export interface PutOptions {
  /** The media type. Default `application/octet-stream`. */
  readonly type?: string
  /** When it ceases to be there, in milliseconds since the epoch. Default never. */
  readonly expires?: number
  readonly if?: Cond
}

/** How to delete a document. */
export interface DeleteOptions {
  readonly if?: Cond
}

/** Which keys to list. */
export interface ListOptions {
  /** Only keys that begin so. */
  readonly prefix?: string
  /** The `next` of the page before: keys behind it, itself excluded. */
  readonly after?: string
  /** Documents of a page at the most. Default 100; more than 1,000 are 1,000. */
  readonly limit?: number
  /** From the last key to the first. */
  readonly reverse?: boolean
}

/** A page of a list. It is the last one if, and only if, `next` is undefined; it may be short or empty before that. */
export interface Listing {
  readonly items: readonly Meta[]
  readonly next?: string
}

/** One write of a batch. */
export type Op =
  | ({ readonly op: 'put'; readonly key: string; readonly body: string | Uint8Array } & PutOptions)
  | ({ readonly op: 'delete'; readonly key: string } & DeleteOptions)

/** One change, as a watcher sees it: at least once, in order for each key. */
export interface Change {
  /** Where the feed stands: give it as `since` to go on from here. */
  readonly seq: string
  readonly op: 'put' | 'delete' | 'expire'
  readonly key: string
  /** The revision that was written. */
  readonly rev?: Rev
}

/** Which changes to follow. */
export interface WatchOptions {
  /** A `seq` seen before: changes after it. Default: changes from the call on. */
  readonly since?: string
  /** Only keys that begin so. */
  readonly prefix?: string
  /** Ends the feed. */
  readonly signal?: AbortSignal
}

/** What members of JSON documents are compared with. Objects, lists and absent members count as `null`. */
export type QueryValue = string | number | boolean | null

/** One name of an order. */
export interface QuerySort {
  /** A member; dotted ones reach into objects. */
  readonly name: string
  readonly descending: boolean
}

/** Which JSON documents to find, and in what order. */
export interface Query {
  /** Only keys that begin so. */
  readonly prefix?: string
  /** A document has one of these values under each name; of a list in it one element is enough. Dotted names reach into objects. */
  readonly where?: Readonly<Record<string, readonly QueryValue[]>>
  /** Numbers first, then texts by UTF-16 code unit, `false`, `true`; null is last in either direction. Ties go by key, rising. */
  readonly sort?: readonly QuerySort[]
  /** Documents to leave out first. Default 0. */
  readonly offset?: number
  /** Documents of the page at the most; they are in memory together. */
  readonly limit: number
  /** Only documents behind this place of the order. */
  readonly after?: { readonly values: readonly QueryValue[]; readonly key: string }
  /** Whether to count all documents that pass `prefix` and `where`. Default false. */
  readonly count?: boolean
}

/** A page of documents with their values. */
export interface QueryPage {
  readonly items: ReadonlyArray<{ readonly meta: Meta; readonly value: unknown }>
  /** All documents that pass `prefix` and `where`, where `count` asked for it. */
  readonly total?: number
  /** Whether there are documents behind this page. */
  readonly more: boolean
}

/** {@link Query} with the defaults filled in, each name as the way from member to member. */
export interface DriverQuery {
  readonly prefix: string
  readonly where: ReadonlyArray<{ readonly path: readonly string[]; readonly values: readonly QueryValue[] }>
  readonly sort: ReadonlyArray<{ readonly path: readonly string[]; readonly descending: boolean }>
  readonly offset: number
  readonly limit: number
  readonly after?: { readonly values: readonly QueryValue[]; readonly key: string }
  readonly count: boolean
}

/** A write of a batch as a driver gets it. */
export type DriverOp =
  | { readonly op: 'put'; readonly key: string; readonly body: Uint8Array; readonly options: DriverPutOptions }
  | { readonly op: 'delete'; readonly key: string; readonly options: DeleteOptions }

/** {@link PutOptions} with the default filled in. */
export interface DriverPutOptions extends PutOptions {
  readonly type: string
}

/** {@link ListOptions} with the defaults filled in. */
export interface DriverListOptions {
  readonly prefix: string
  readonly after?: string
  readonly limit: number
  readonly reverse: boolean
}

/**
 * A backend. {@link docstore} checks what callers say, a driver does it: keys, options, sizes and types arrive valid, no
 * option arrives that `can` does not declare, and no call arrives after `close`.
 */
export interface Driver {
  readonly name: string
  readonly can: Can
  /** The document, or nothing. With `body: false` its body is empty. */
  get(key: string, options: GetOptions): Promise<Doc | undefined>
  /** Writes where the condition holds. An iterable comes only with `can.stream`. @throws StoreError conflict */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta>
  /** Deletes where the condition holds; whether there was something. @throws StoreError conflict */
  delete(key: string, options: DeleteOptions): Promise<boolean>
  list(options: DriverListOptions): Promise<Listing>
  /** Called once. */
  close(): Promise<void>
  /** All or nothing; the metadata of what was put, in the order of the puts. */
  batch?(ops: readonly DriverOp[]): Promise<readonly Meta[]>
  /** Ends when the signal is aborted. Without `since` it starts where the feed stands at the call. @throws StoreError gone */
  watch?(options: WatchOptions & { readonly signal: AbortSignal }): AsyncIterable<Change>
  /** As `Store.query`. Without it the store reads all documents, page by page, and picks. */
  query?(query: DriverQuery): Promise<QueryPage>
  /** Asks whether the backend answers; throws what is wrong. Without it a key is looked up. */
  ping?(): Promise<void>
}
