import { extent } from './body'
import type { Doc, DriverQuery, GetOptions, QueryPage } from './driver'
import { SqliteDatabase } from './sqlite-database'
import { countOfAll, regularity } from './sqlite-items'
import type { SqliteSettings } from './sqlite-protocol'
import { rangeOf } from './sqlite-range'
import { toItems, toRev } from './sqlite-rows'

const metaOf = 'SELECT rev, type, modified, expires, size FROM kumu_documents WHERE key = ?'
const wholeOf = 'SELECT rev, type, modified, expires, content FROM kumu_documents WHERE key = ?'

/** What these give; the content of a large body lies elsewhere. */
type Found = readonly [
  rev: number,
  type: string,
  modified: number,
  expires: number | null,
  rest: number | Uint8Array | null,
]

/**
 * Reads small documents and short pages in the calling thread: asking another one takes longer than such a read does. In WAL mode a reader
 * neither waits for writers nor holds them up, and sees what was committed before it began.
 */
export class SqliteReader {
  readonly #db: SqliteDatabase
  readonly #epoch: string
  readonly #indexed: ReadonlySet<string>

  /** @param settings the file with its tables, as the worker has opened it */
  constructor({ file, index }: Pick<SqliteSettings, 'file' | 'index'>, epoch: string) {
    this.#db = new SqliteDatabase(file, { readonly: true })
    this.#epoch = epoch
    this.#indexed = new Set(index.map((path) => path.join('.')))
  }

  /** The document, or nothing; `undefined` where it is large, or the file is not to be had now: then the worker is asked. */
  find(key: string, { body, range }: GetOptions, now: number): { readonly doc: Doc | undefined } | undefined {
    const row = this.#db.tryGetValues(body === false ? metaOf : wholeOf, key)
    if (row === 'busy') return undefined
    if (!row) return { doc: undefined }
    const [rev, type, modified, expires, rest] = row as unknown as Found
    if (rest === null) return undefined
    if (expires !== null && expires <= now) return { doc: undefined }
    const size = typeof rest === 'number' ? rest : rest.byteLength
    const { start, end } = extent(size, range)
    const bytes = typeof rest === 'number' ? new Uint8Array(0) : range ? rest.subarray(start, end) : rest
    const doc = { key, rev: toRev(this.#epoch, rev), type, size, modified, body: bytes }
    return { doc: expires === null ? doc : { ...doc, expires } }
  }

  /** A page of a query; nothing where it may take a while. */
  query(query: DriverQuery, now: number): QueryPage | undefined {
    if (query.count && (query.prefix !== '' || query.where.length > 0)) return undefined
    try {
      this.#db.exec('BEGIN')
      try {
        return this.#queryAtOnce(query, now)
      } finally {
        this.#db.exec('COMMIT')
      }
    } catch {
      return undefined
    }
  }

  #queryAtOnce(query: DriverQuery, now: number): QueryPage | undefined {
    const call = rangeOf(query, now, regularity(this.#db, this.#indexed))
    const row = call && this.#db.tryGetValues(...call)
    if (!row || row === 'busy') return undefined
    const [json, rows, live, isSpecial] = row
    const isShort = (live ?? 0) !== rows && rows === query.limit + 1
    if (isShort || isSpecial === 1) return undefined
    const found = toItems(this.#epoch, (json as string | null) ?? '')
    const page = { items: found.slice(0, query.limit), more: found.length > query.limit }
    return query.count ? { ...page, total: this.#db.get(countOfAll, now)!.total as number } : page
  }

  close(): void {
    this.#db.close()
  }
}
