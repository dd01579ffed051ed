import { extent } from './body'
import type { Listing } from './driver'
import { SqliteDatabase, type SqliteRow } from './sqlite-database'
import type { ChangePage, FoundDocument, SqliteCalls, SqliteSettings } from './sqlite-protocol'
import { metaColumns, toMeta } from './sqlite-rows'
import { chunkLength } from './sqlite-schema'

/** Readers that are kept for the next body. */
const maximalIdle = 4

interface Reader {
  readonly db: SqliteDatabase
  readonly body: number
}

/** What is read. A body that is read in pieces has a connection of its own, whose transaction sees one moment. */
export class SqliteReads {
  readonly #db: SqliteDatabase
  readonly #settings: SqliteSettings
  readonly #epoch: string
  readonly #readers = new Map<number, Reader>()
  #idle: SqliteDatabase[] = []
  #readerNumber = 0

  constructor(db: SqliteDatabase, settings: SqliteSettings, epoch: string) {
    this.#db = db
    this.#settings = settings
    this.#epoch = epoch
  }

  get({ key, body, range, now }: SqliteCalls['get']['input']): FoundDocument | undefined {
    if (!body) {
      const row = this.#findRow(this.#db, key, '', now)
      return row && { meta: toMeta(this.#epoch, row) }
    }
    const row = this.#findRow(this.#db, key, ', body, content', now)
    if (!row) return undefined
    const meta = toMeta(this.#epoch, row)
    if (row.body === null) {
      const { start, end } = extent(meta.size, range)
      const content = row.content as Uint8Array
      return { meta, bytes: range ? content.subarray(start, end) : content }
    }
    return this.#openReader(key, range, now)
  }

  list({ prefix, after, limit, reverse, now }: SqliteCalls['list']['input']): Listing {
    // `~` is above every character of a key, the empty text below.
    const low = !reverse && after !== undefined && after >= prefix ? after : undefined
    const high = reverse && after !== undefined && after < `${prefix}~` ? after : `${prefix}~`
    const rows = this.#db.all(
      `SELECT ${metaColumns} FROM kumu_documents WHERE key ${low === undefined ? '>=' : '>'} ? AND key < ?
       AND (expires IS NULL OR expires > ?) ORDER BY key ${reverse ? 'DESC' : 'ASC'} LIMIT ?`,
      low ?? prefix,
      high,
      now,
      limit + 1,
    )
    const items = rows.slice(0, limit).map((row) => toMeta(this.#epoch, row))
    return rows.length > limit ? { items, next: items.at(-1)!.key } : { items }
  }

  /** The changes after a number, and none at all where some of them are gone. */
  changes({ after, limit }: SqliteCalls['changes']['input']): ChangePage {
    const rows = this.#db.all(
      'SELECT number, op, key FROM kumu_changes WHERE number > ? ORDER BY number LIMIT ?',
      after,
      limit,
    )
    const next = rows[0] ? (rows[0].number as number) : this.last() + 1
    // Every number has its change: where the next one is missing, it has been trimmed away.
    if (next > after + 1) return { entries: undefined }
    return { entries: rows as unknown as NonNullable<ChangePage['entries']> }
  }

  last(): number {
    return this.#db.get('SELECT last FROM kumu_info')!.last as number
  }

  read({ reader, position, end }: SqliteCalls['read']['input']): Uint8Array {
    const { db, body } = this.#readers.get(reader)!
    return readChunk(db, body, position, end)
  }

  release(id: number): void {
    const reader = this.#readers.get(id)
    if (!reader) return
    this.#readers.delete(id)
    reader.db.exec('COMMIT')
    if (this.#idle.length < maximalIdle) this.#idle.push(reader.db)
    else reader.db.close()
  }

  close(): void {
    for (const { db } of this.#readers.values()) db.close()
    for (const db of this.#idle) db.close()
    this.#readers.clear()
    this.#idle = []
  }

  #openReader(key: string, range: readonly [number, number] | undefined, now: number): FoundDocument | undefined {
    const db = this.#idle.pop() ?? new SqliteDatabase(this.#settings.file)
    const id = ++this.#readerNumber
    db.exec('BEGIN')
    this.#readers.set(id, { db, body: 0 })
    let isKept = false
    try {
      // Looked up again: only now the moment is held.
      const row = this.#findRow(db, key, ', body, content', now)
      if (!row) return undefined
      const meta = toMeta(this.#epoch, row)
      const { start, end } = extent(meta.size, range)
      if (row.body === null) return { meta, bytes: (row.content as Uint8Array).subarray(start, end) }
      const body = row.body as number
      if (start === end) return { meta, bytes: new Uint8Array(0) }
      if (Math.floor(start / chunkLength) === Math.floor((end - 1) / chunkLength)) {
        return { meta, bytes: readChunk(db, body, start, end) }
      }
      this.#readers.set(id, { db, body })
      isKept = true
      return { meta, reader: id }
    } finally {
      if (!isKept) this.release(id)
    }
  }

  #findRow(db: SqliteDatabase, key: string, columns: string, now: number): SqliteRow | undefined {
    const row = db.get(`SELECT ${metaColumns}${columns} FROM kumu_documents WHERE key = ?`, key)
    return row && (row.expires === null || (row.expires as number) > now) ? row : undefined
  }
}

function readChunk(db: SqliteDatabase, body: number, position: number, end: number): Uint8Array {
  const number = Math.floor(position / chunkLength)
  const row = db.get('SELECT bytes FROM kumu_chunks WHERE body = ? AND number = ?', body, number)
  if (!row) throw new Error('A chunk of a stored body is missing')
  const from = number * chunkLength
  return (row.bytes as Uint8Array).subarray(position - from, end - from)
}
