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

/** The statement that writes a document where its condition holds. */
export function putCall(
  { put }: PostgresLayout,
  epoch: string,
  key: string,
  { size, content, body, tokens }: ReadyBody,
  { type, expires, if: condition }: DriverPutOptions,
  clock: number | null,
): PostgresCall {
  const [kind, rev] = toCondition(epoch, condition)
  const bytes = content && Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  return [
    `SELECT * FROM ${put}($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [key, kind, rev, type, size, clock, expires ?? null, bytes, body, tokens],
  ]
}

/** The statement that deletes a document where its condition holds. */
export function deleteCall(
  { remove }: PostgresLayout,
  epoch: string,
  key: string,
  { if: condition }: DeleteOptions,
  clock: number | null,
): PostgresCall {
  return [`SELECT * FROM ${remove}($1, $2, $3, $4)`, [key, ...toCondition(epoch, condition), clock]]
}

/** A condition as the functions take it: its kind, and the number of a revision. */
function toCondition(epoch: string, condition: Cond): readonly [kind: string, rev: string | null] {
  if (condition === undefined) return ['any', null]
  if (condition === null) return ['absent', null]
  if (condition === '*') return ['present', null]
  const digits = condition.startsWith(`${epoch}-`) ? condition.slice(epoch.length + 1) : ''
  // What is no revision of this store is the current one of no document; 0 is none either.
  return ['revision', /^[1-9a-z][0-9a-z]{0,11}$/.test(digits) ? String(fromDigits(digits)) : '0']
}

/** What either of them did: what was written or deleted, or nothing where there was nothing to delete. @throws StoreError conflict */
export function toWritten(epoch: string, key: string, rows: readonly PostgresRow[]): Meta | undefined {
  const row = rows[0]
  if (!row) return undefined
  const meta =
    row.c_rev === null
      ? undefined
      : toMeta(epoch, {
          key,
          rev: row.c_rev,
          type: row.c_type,
          size: row.c_size,
          modified: row.c_modified,
          expires: row.c_expires,
        })
  if (row.done !== true) throw conflict(key, meta)
  return meta
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
