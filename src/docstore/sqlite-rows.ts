import type { Meta, QueryPage } from './driver'
import type { SqliteDatabase, SqliteRow } from './sqlite-database'

/** The columns that {@link toMeta} reads. */
export const metaColumns = 'key, rev, type, size, modified, expires'

/** A number of the log as text. The epoch tells the revisions of a file from those of a file that stood there before. */
export function toRev(epoch: string, number: number): string {
  return `${epoch}-${number.toString(36)}`
}

export function toMeta(epoch: string, row: SqliteRow): Meta {
  const { key, rev, type, size, modified, expires } = row
  const meta = {
    key: key as string,
    rev: toRev(epoch, rev as number),
    type: type as string,
    size: size as number,
    modified: modified as number,
  }
  return expires === null ? meta : { ...meta, expires: expires as number }
}

/** The same as an object of this realm: what another thread sends is one of the main realm, whoever receives it. */
export function toOwnMeta(meta: Meta): Meta {
  return { ...meta }
}

/** All chunks of a body as one. */
export function readWhole(db: SqliteDatabase, body: number): Buffer {
  const rows = db.all('SELECT bytes FROM kumu_chunks WHERE body = ? ORDER BY number', body)
  // One by one libsql gives a row's bytes as a Buffer, many at a time as an ArrayBuffer.
  return Buffer.concat(rows.map(({ bytes }) => new Uint8Array(bytes as Uint8Array)))
}

/** Items from their JSON, in which revisions are numbers. */
export function toItems(epoch: string, json: string): QueryPage['items'] {
  const found = JSON.parse(`[${json}]`) as ReadonlyArray<{ meta: Omit<Meta, 'rev'> & { rev: number }; value: unknown }>
  return found.map(({ meta, value }) => ({ meta: { ...meta, rev: toRev(epoch, meta.rev) }, value }))
}
