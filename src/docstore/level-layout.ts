import type { Meta, Rev } from './driver'

/**
 * What stands under which name. Names sort as ASCII, and no key contains `!`.
 *
 * `m!<key>` the document's {@link Stored}, and behind it a small body · `b!<body>!<n>` a chunk of its body · `s!<body>` a body that is being written ·
 * `e!<time>!<key>` when it expires · `l!<number>` a change · `i` the epoch and the last number.
 */
export interface Stored {
  readonly rev: Rev
  readonly type: string
  readonly size: number
  readonly modified: number
  readonly expires?: number
  /** The id of its body's chunks, never used twice; none where the body stands behind its metadata. */
  readonly body?: string
}

/** One change of the database. */
export type LevelOp =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: string }

/** Bytes of a chunk: every one but the last of a body has this length. */
export const chunkLength = 1024 * 1024

/** Bytes of a body that stands behind its metadata at the most: one read fetches both, and lists read past it. */
export const inlineLength = 4 * 1024

export const infoKey = 'i'

export function metaKey(key: string): string {
  return `m!${key}`
}

export function chunkKey(body: string, index: number): string {
  return `b!${body}!${index.toString(16).padStart(8, '0')}`
}

export function stagedKey(body: string): string {
  return `s!${body}`
}

export function logKey(number: number): string {
  return `l!${String(Math.max(0, number)).padStart(16, '0')}`
}

export function expiryKey(expires: number, key: string): string {
  return `e!${String(expires).padStart(16, '0')}!${key}`
}

export function keyOfExpiry(name: string): string {
  return name.slice(name.lastIndexOf('!') + 1)
}

/** What removes a body, its expiry included. */
export function removalOf(key: string, { body, size, expires }: Stored): LevelOp[] {
  const ops: LevelOp[] = expires === undefined ? [] : [{ type: 'del', key: expiryKey(expires, key) }]
  if (body === undefined) return ops
  for (let index = 0; index * chunkLength < size; index++) ops.push({ type: 'del', key: chunkKey(body, index) })
  return ops
}

export function toMeta(key: string, { rev, type, size, modified, expires }: Stored): Meta {
  return { key, rev, type, size, modified, ...(expires === undefined ? {} : { expires }) }
}

const lineFeed = 10

/** JSON, in which there is no line feed; behind one the body. */
export function toValue(value: unknown, body?: Uint8Array): Buffer {
  const head = JSON.stringify(value)
  if (!body) return Buffer.from(head)
  return Buffer.concat([Buffer.from(`${head}\n`), body])
}

export function fromValue<T>(value: Buffer): T {
  const end = value.indexOf(lineFeed)
  return JSON.parse(value.toString('utf8', 0, end < 0 ? value.byteLength : end)) as T
}

/** The body that stands behind the metadata of a document. */
export function bodyOf(value: Buffer): Buffer {
  return value.subarray(value.indexOf(lineFeed) + 1)
}
