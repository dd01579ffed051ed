import { conflict } from './check'
import type { Cond, DeleteOptions, DriverPutOptions, Meta } from './driver'
import type { ReadyBody } from './postgres-bodies'
import { fromDigits, toRev } from './postgres-feed'
import type { PostgresRow } from './postgres-pool'
import type { PostgresLayout } from './postgres-schema'

/** The columns that {@link toMeta} reads. */
export const metaColumns = 'key, rev, type, size, modified, expires'

/** A statement and its parameters. */
export type PostgresCall = readonly [text: string, values: readonly unknown[]]

/** A write, its body ready. */
export type PostgresWrite =
  | { readonly op: 'put'; readonly key: string; readonly options: DriverPutOptions; readonly ready: ReadyBody }
  | { readonly op: 'delete'; readonly key: string; readonly options: DeleteOptions }

/** What a write came to: the metadata of what was put; whether there was something to delete. */
export type Written = Meta | boolean

const nothing = { size: null, content: null, body: null, tokens: null } as const

/**
 * The statement that does some writes of different keys, in one transaction.
 *
 * @param whole whether none is done where the condition of one does not hold
 */
export function writeCall(
  { write }: PostgresLayout,
  epoch: string,
  writes: readonly PostgresWrite[],
  whole: boolean,
  clock: number | null,
): PostgresCall {
  const ready = writes.map((each) => (each.op === 'put' ? each.ready : nothing))
  const options = writes.map((each) => (each.op === 'put' ? each.options : undefined))
  const conditions = writes.map(({ options: { if: condition } }) => toCondition(epoch, condition))
  let end = 0
  // All bodies go as one text of bytes: in an array each would be written out in digits.
  const offsets = ready.map(({ content }) => (end += content?.byteLength ?? 0) - (content?.byteLength ?? 0))
  return [
    `SELECT * FROM ${write}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      writes.map(({ key }) => key),
      conditions.map(([kind]) => kind),
      conditions.map(([, rev]) => rev),
      options.map((put) => put?.type ?? null),
      ready.map(({ size }) => size),
      options.map((put) => put?.expires ?? null),
      ready.map(({ body }) => body),
      offsets,
      concat(ready.flatMap(({ content }) => content ?? [])),
      ready.some(({ tokens }) => tokens !== null) ? `[${ready.map(({ tokens }) => tokens ?? 'null').join()}]` : null,
      whole,
      clock,
    ],
  ]
}

/** A condition as the function takes it: its kind, and the number of a revision. */
function toCondition(epoch: string, condition: Cond): readonly [kind: string, rev: string | null] {
  if (condition === undefined) return ['any', null]
  if (condition === null) return ['absent', null]
  if (condition === '*') return ['present', null]
  const digits = condition.startsWith(`${epoch}-`) ? condition.slice(epoch.length + 1) : ''
  // What is no revision of this store is the current one of no document; 0 is none either.
  return ['revision', /^[1-9a-z][0-9a-z]{0,11}$/.test(digits) ? String(fromDigits(digits)) : '0']
}

/** What a write came to, by its row of the answer. @throws StoreError conflict */
export function toWritten(epoch: string, write: PostgresWrite, row: PostgresRow): Written {
  const { key } = write
  if (row.done !== true) throw conflict(key, row.c_rev === null ? undefined : currentOf(epoch, key, row))
  if (write.op === 'delete') return row.live === true
  const { type, expires } = write.options
  const meta = {
    key,
    rev: toRev(epoch, row.written as string),
    type,
    size: write.ready.size,
    modified: Number(row.now_ms),
  }
  return expires === undefined ? meta : { ...meta, expires }
}

function currentOf(epoch: string, key: string, row: PostgresRow): Meta {
  const { c_rev: rev, c_type: type, c_size: size, c_modified: modified, c_expires: expires } = row
  return toMeta(epoch, { key, rev, type, size, modified, expires })
}

export function toMeta(epoch: string, row: PostgresRow): Meta {
  const meta = {
    key: row.key as string,
    rev: toRev(epoch, row.rev as string),
    type: row.type as string,
    size: Number(row.size),
    modified: Number(row.modified),
  }
  return row.expires === null ? meta : { ...meta, expires: Number(row.expires) }
}

function concat(parts: readonly Uint8Array[]): Buffer {
  const [only] = parts
  return parts.length === 1 && only ? Buffer.from(only.buffer, only.byteOffset, only.byteLength) : Buffer.concat(parts)
}
