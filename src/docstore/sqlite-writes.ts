import { conflict, holds } from './check'
import type { Change, DeleteOptions, Meta } from './driver'
import { takesPart, toTokens } from './query-tokens'
import type { SqliteDatabase, SqliteRow } from './sqlite-database'
import type { SqliteCalls, SqliteSettings, SqliteWrite, WriteResult } from './sqlite-protocol'
import { metaColumns, readWhole, toMeta, toRev } from './sqlite-rows'
import { chunkLength, inlineLength } from './sqlite-schema'

type Put = Extract<SqliteWrite, { readonly op: 'put' }>

const findRow = `SELECT id, body, tokens IS NOT NULL AS counted, ${metaColumns} FROM kumu_documents WHERE key = ?`
const insertRow = `INSERT INTO kumu_documents (rev, type, size, modified, expires, body, tokens, content, key)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
const updateRow = `UPDATE kumu_documents SET rev = ?, type = ?, size = ?, modified = ?, expires = ?, body = ?, tokens = ?, content = ?
  WHERE id = ?`

/** What is written, always inside a transaction; conditions are decided there before anything is written. */
export class SqliteWrites {
  readonly #db: SqliteDatabase
  readonly #settings: SqliteSettings
  readonly #epoch: string
  #last = 0
  #begun = 0
  /** By how many the documents that take part in queries have become more. */
  #more = 0

  constructor(db: SqliteDatabase, settings: SqliteSettings, epoch: string) {
    this.#db = db
    this.#settings = settings
    this.#epoch = epoch
  }

  /** At the start of a transaction: other processes write too. */
  begin(): void {
    this.#more = 0
    this.#begun = this.#last = this.#db.get('SELECT last FROM kumu_info')!.last as number
  }

  /** At its end. */
  finish(): void {
    if (this.#last === this.#begun) return
    this.#db.run('UPDATE kumu_info SET last = ?, counted = counted + ?', this.#last, this.#more)
    this.#db.run('DELETE FROM kumu_changes WHERE number <= ?', this.#last - this.#settings.log)
  }

  /** What is stored, expired or not. @throws StoreError where the condition does not hold */
  check(
    key: string,
    options: DeleteOptions,
    now: number,
  ): { readonly row: SqliteRow; readonly live: boolean } | undefined {
    const row = this.#db.get(findRow, key)
    const live = row !== undefined && !isExpired(row, now)
    const current = live ? toMeta(this.#epoch, row) : undefined
    if (!holds(options.if, current)) throw conflict(key, current)
    return row && { row, live }
  }

  /** All or nothing: every condition is looked at before the first write. */
  write({ writes, now }: SqliteCalls['write']['input']): WriteResult {
    const found = writes.map(({ key, options }) => this.check(key, options, now))
    const metas: Meta[] = []
    let removed = 0
    writes.forEach((write, index) => {
      const previous = found[index]
      if (write.op === 'put') metas.push(this.#put(write, previous?.row, now))
      else if (previous) {
        this.#remove(previous.row, previous.live ? 'delete' : 'expire')
        if (previous.live) removed++
      }
    })
    return { metas, removed, last: this.#last }
  }

  /** Lets go of some of what has expired. */
  reclaim(now: number): WriteResult {
    const due = this.#db.all(
      `SELECT id, body, tokens IS NOT NULL AS counted, key FROM kumu_documents WHERE expires IS NOT NULL AND expires <= ? LIMIT 1000`,
      now,
    )
    for (const row of due) this.#remove(row, 'expire')
    return { metas: [], removed: due.length, last: this.#last }
  }

  /** Writes a chunk of a body that no document has yet; the body's number. */
  stage({ body, number, bytes }: SqliteCalls['stage']['input']): number {
    // Without a number it is a new body; a number that is gone was taken for what a crash left.
    const row =
      body === undefined
        ? this.#db.get('INSERT INTO kumu_staged (touched) VALUES (?) RETURNING body', Date.now())
        : this.#db.get('UPDATE kumu_staged SET touched = ? WHERE body = ? RETURNING body', Date.now(), body)
    if (!row) throw heldUp()
    this.#writeChunk(row.body as number, number, bytes)
    return row.body as number
  }

  /** Removes a body that no document has; one that a document has got meanwhile is left alone. */
  discard(body: number): void {
    const staged = this.#db.get('DELETE FROM kumu_staged WHERE body = ? RETURNING body', body)
    if (staged) this.#db.run('DELETE FROM kumu_chunks WHERE body = ?', body)
  }

  /** Removes what a crash left half written, once nobody can be writing it any more. */
  sweep(): void {
    const limit = Date.now() - this.#settings.sweepAfter
    const left = this.#db.all('SELECT body FROM kumu_staged WHERE touched < ?', limit)
    for (const { body } of left) this.discard(body as number)
  }

  #put({ key, options, bytes, staged }: Put, previous: SqliteRow | undefined, now: number): Meta {
    if (previous) this.#removeChunks(previous)
    const size = staged?.size ?? bytes!.byteLength
    const isInline = !staged && size <= inlineLength
    const body = isInline ? null : staged ? this.#takeStaged(staged.body) : this.#writeBody(bytes!)
    const { type, expires = null } = options
    const tokens = takesPart(type, size) ? toTokens(type, bytes ?? readWhole(this.#db, body!)) : null
    this.#more += (tokens === null ? 0 : 1) - ((previous?.counted as number | undefined) ?? 0)
    const number = this.#append('put', key)
    const columns = [number, type, size, now, expires, body, tokens, isInline ? bytes! : null] as const
    if (previous) this.#db.run(updateRow, ...columns, previous.id!)
    else this.#db.run(insertRow, ...columns, key)
    const meta = { key, rev: toRev(this.#epoch, number), type, size, modified: now }
    return expires === null ? meta : { ...meta, expires }
  }

  #remove(row: SqliteRow, op: Change['op']): void {
    this.#removeChunks(row)
    this.#more -= row.counted as number
    this.#db.run('DELETE FROM kumu_documents WHERE id = ?', row.id!)
    this.#append(op, row.key as string)
  }

  #append(op: Change['op'], key: string): number {
    const number = ++this.#last
    this.#db.run('INSERT INTO kumu_changes (number, op, key) VALUES (?, ?, ?)', number, op, key)
    return number
  }

  #takeStaged(body: number): number {
    if (!this.#db.get('DELETE FROM kumu_staged WHERE body = ? RETURNING body', body)) throw heldUp()
    return body
  }

  #writeBody(bytes: Uint8Array): number {
    // A row that comes and goes: the number is never given to another body.
    const { body } = this.#db.get('INSERT INTO kumu_staged (touched) VALUES (0) RETURNING body')!
    this.#takeStaged(body as number)
    for (let at = 0; at < bytes.byteLength; at += chunkLength) {
      this.#writeChunk(body as number, at / chunkLength, bytes.subarray(at, at + chunkLength))
    }
    return body as number
  }

  #writeChunk(body: number, number: number, bytes: Uint8Array): void {
    this.#db.run('INSERT INTO kumu_chunks (body, number, bytes) VALUES (?, ?, ?)', body, number, bytes)
  }

  #removeChunks({ body }: SqliteRow): void {
    if (body !== null) this.#db.run('DELETE FROM kumu_chunks WHERE body = ?', body!)
  }
}

function isExpired({ expires }: SqliteRow, now: number): boolean {
  return expires !== null && (expires as number) <= now
}

function heldUp(): Error {
  return new Error('The write was held up for too long: what there was of its body has been removed')
}
