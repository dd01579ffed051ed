import type { Driver } from 'kumu/docstore'

/** What a client library does in place of a store: the same operation, as durable, and nothing more. */
export interface BareStore {
  put(key: string, body: Buffer): unknown
  /** The body, beside it whatever a reader of it needs. */
  get(key: string): unknown
  close(): unknown
}

/** A driver beside the client library that it is built on, each over data of its own. */
export interface Contest {
  readonly bare: BareStore
  readonly driver: Driver
  /** Removes the data of both, when both are closed. */
  clean(): unknown
}

/** The media type of the bodies: that of bytes, which nobody looks into. */
export const bodyType = 'application/octet-stream'
