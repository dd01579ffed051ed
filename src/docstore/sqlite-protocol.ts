import type { Change, DeleteOptions, DriverListOptions, DriverPutOptions, DriverQuery, Listing, Meta } from './driver'
import type { StoreErrorCode } from './errors'

/** What a worker is started with. */
export interface SqliteSettings {
  readonly file: string
  /** Changes to keep. */
  readonly log: number
  /** Milliseconds after which a body that nobody goes on writing is removed, at open. */
  readonly sweepAfter: number
  /** Paths to index. */
  readonly index: ReadonlyArray<readonly string[]>
}

/** A write, its body in memory or staged. */
export type SqliteWrite =
  | {
      readonly op: 'put'
      readonly key: string
      readonly options: DriverPutOptions
      readonly bytes?: Uint8Array
      readonly staged?: { readonly body: number; readonly size: number }
    }
  | { readonly op: 'delete'; readonly key: string; readonly options: DeleteOptions }

/** What a document comes as: with its bytes, or with a reader that holds them. */
export interface FoundDocument {
  readonly meta: Meta
  readonly bytes?: Uint8Array
  readonly reader?: number
}

/** The changes after a number, or nothing where the log does not reach back so far. */
export interface ChangePage {
  readonly entries:
    ReadonlyArray<{ readonly number: number; readonly op: Change['op']; readonly key: string }> | undefined
}

/** Everything that can be asked of the worker: its input, and what it answers. */
export interface SqliteCalls {
  get: {
    input: {
      readonly key: string
      readonly body: boolean
      readonly range?: readonly [number, number]
      readonly now: number
    }
    output: FoundDocument | undefined
  }
  check: { input: { readonly key: string; readonly options: DeleteOptions; readonly now: number }; output: void }
  list: { input: DriverListOptions & { readonly now: number }; output: Listing }
  query: {
    input: { readonly query: DriverQuery; readonly now: number }
    output: {
      readonly epoch: string
      /** Items as JSON, to be joined by commas; those of the page, and one more where there are more. */
      readonly items: readonly string[]
      readonly total?: number
    }
  }
  read: { input: { readonly reader: number; readonly position: number; readonly end: number }; output: Uint8Array }
  release: { input: { readonly reader: number }; output: void }
  changes: { input: { readonly after: number; readonly limit: number }; output: ChangePage }
  state: { input: object; output: { readonly epoch: string; readonly last: number } }
  stage: { input: { readonly body?: number; readonly number: number; readonly bytes: Uint8Array }; output: number }
  discard: { input: { readonly body: number }; output: void }
  write: { input: { readonly writes: readonly SqliteWrite[]; readonly now: number }; output: WriteResult }
  reclaim: { input: { readonly now: number }; output: WriteResult }
}

/** What writes came to. */
export interface WriteResult {
  readonly metas: readonly Meta[]
  /** How many documents ceased to be there. */
  readonly removed: number
  /** The number of the last change. */
  readonly last: number
}

/** The name of a call. */
export type SqliteCall = keyof SqliteCalls

/** A call under way. */
export interface SqliteRequest<Call extends SqliteCall = SqliteCall> {
  readonly id: number
  readonly call: Call
  readonly input: SqliteCalls[Call]['input']
}

/** What it came to. */
export type SqliteResponse =
  { readonly id: number; readonly output: unknown } | { readonly id: number; readonly error: SqliteFailure }

/** An error on its way from one thread to another: of those that are cloned, the code is lost. */
export interface SqliteFailure {
  readonly message: string
  readonly stack?: string
  readonly code?: string
  /** Of a `StoreError`. */
  readonly store?: { readonly code: StoreErrorCode; readonly current?: Meta }
}
