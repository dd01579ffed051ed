import { randomBytes } from 'node:crypto'
import type { Change, Meta } from './driver'

/** One message of the stream behind a bucket, with or without its body. */
export interface NatsMessage {
  /** Its number in the stream. */
  readonly seq: number
  readonly key: string
  /** When the server stored it, in milliseconds since the epoch. */
  readonly time: number
  /** What became of the key. */
  readonly op: Change['op']
  /** Of a put. */
  readonly meta?: Meta
}

/** What this driver says of a document, in a header beside the body. Other writers of the bucket say nothing. */
interface Description {
  /** Makes the revision unique: a bucket that is made anew counts from one again. */
  readonly nonce: string
  readonly type: string
  readonly size: number
  readonly modified: number
  readonly expires?: number
}

const descriptionHeader = 'Kumu-Document'
const reasonHeader = 'Kumu-Reason'
/** The header by which a bucket marks what is deleted. */
const operationHeader = 'KV-Operation'

/** The header of a document to be written; its metadata, once the server has given it a number. */
export function describeDocument(
  key: string,
  known: Omit<Description, 'nonce'>,
): { readonly headers: ReadonlyArray<readonly [string, string]>; readonly toMeta: (seq: number) => Meta } {
  const description = { nonce: randomBytes(9).toString('base64url'), ...known }
  return {
    headers: [[descriptionHeader, JSON.stringify(description)]],
    toMeta: (seq) => toMeta(key, seq, description),
  }
}

export function describeRemoval(op: 'delete' | 'expire'): ReadonlyArray<readonly [string, string]> {
  return [
    [operationHeader, 'DEL'],
    [reasonHeader, op],
  ]
}

/** @param size bytes of the body, for what others wrote */
export function readMessage(
  { seq, key, time }: Pick<NatsMessage, 'seq' | 'key' | 'time'>,
  header: (name: string) => string | undefined,
  size: number,
): NatsMessage {
  const operation = header(operationHeader)
  if (operation === 'DEL' || operation === 'PURGE') {
    return { seq, key, time, op: header(reasonHeader) === 'expire' ? 'expire' : 'delete' }
  }
  const text = header(descriptionHeader)
  const foreign: Description = { nonce: '', type: 'application/octet-stream', size, modified: time }
  return {
    seq,
    key,
    time,
    op: 'put',
    meta: toMeta(key, seq, text ? (JSON.parse(text) as Description) : foreign),
  }
}

/** Whether it is a key of ours: others may keep what they like in the bucket. */
export function isKey(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,255}$/.test(text)
}

function toMeta(key: string, seq: number, { nonce, type, size, modified, expires }: Description): Meta {
  const meta = { key, rev: `${seq}-${nonce}`, type, size, modified }
  return expires === undefined ? meta : { ...meta, expires }
}
