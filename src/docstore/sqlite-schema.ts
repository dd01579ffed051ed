import { indexesOf, type QueryDialect } from './query-sql'
import { toMemberName } from './query-tokens'
import type { SqliteDatabase } from './sqlite-database'
import { Sequence } from './sequence'

/** Bytes of a body that lies in the row of its document. A larger one lies in chunks. */
export const inlineLength = 64 * 1024

/** Bytes of a chunk: every one but the last of a body has this length. */
export const chunkLength = 128 * 1024

const version = 2

// `content` is last: to reach a column, SQLite walks over those before it.
const tables = `
CREATE TABLE kumu_info (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL, epoch TEXT NOT NULL, last INTEGER NOT NULL,
  counted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE kumu_documents (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL, type TEXT NOT NULL, size INTEGER NOT NULL,
  modified INTEGER NOT NULL, expires INTEGER, body INTEGER, tokens TEXT, content BLOB);
CREATE INDEX kumu_expiries ON kumu_documents (expires) WHERE expires IS NOT NULL;
CREATE TABLE kumu_chunks (body INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (body, number));
CREATE TABLE kumu_staged (body INTEGER PRIMARY KEY AUTOINCREMENT, touched INTEGER NOT NULL);
CREATE TABLE kumu_changes (number INTEGER PRIMARY KEY, op TEXT NOT NULL, key TEXT NOT NULL);
`

/** How SQLite says what queries need. */
export const sqliteDialect: QueryDialect = {
  table: 'kumu_documents',
  token: (path) => `CASE json_type(tokens, ${pathOf(path)}) WHEN 'text' THEN json_extract(tokens, ${pathOf(path)}) END`,
  isList: (path) => `coalesce(json_type(tokens, ${pathOf(path)}) = 'array', 0)`,
  hasElement: (path, tokens) =>
    `EXISTS (SELECT 1 FROM json_each(tokens, ${pathOf(path)}) WHERE value IN (${tokens.join(', ')}))`,
  isOneOf: (expression, tokens) =>
    tokens.length === 1 ? `${expression} = ${tokens[0]!}` : `${expression} IN (${tokens.join(', ')})`,
  placeholder: (position) => `?${position}`,
}

function pathOf(path: readonly string[]): string {
  return `'$${path.map((name) => `."${toMemberName(name)}"`).join('')}'`
}

/** Opens a file, with its tables and indexes; several processes may do so at once. The epoch of its revisions. */
export function prepareSchema(db: SqliteDatabase, index: ReadonlyArray<readonly string[]>): string {
  patiently(() => db.exec('PRAGMA journal_mode = WAL'))
  db.exec('PRAGMA synchronous = FULL')
  db.exec('BEGIN IMMEDIATE')
  try {
    if (!hasTable(db, 'kumu_info')) {
      db.exec(tables)
      const epoch = Sequence.createEpoch()
      db.run('INSERT INTO kumu_info (one, version, epoch, last) VALUES (1, ?, ?, 0)', version, epoch)
    }
    if (db.get('SELECT version FROM kumu_info')!.version === 1) count(db)
    const info = db.get('SELECT version, epoch FROM kumu_info')!
    if (info.version !== version) {
      throw new Error(`The tables of this file have version ${String(info.version)}, this driver knows ${version}`)
    }
    for (const { suffix, definition } of index.flatMap((path) => indexesOf(sqliteDialect, path))) {
      db.exec(`CREATE INDEX IF NOT EXISTS kumu_${suffix} ON kumu_documents ${definition}`)
    }
    db.exec('COMMIT')
    return info.epoch as string
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** In files of the first version nobody has counted the documents that take part in queries. */
function count(db: SqliteDatabase): void {
  db.exec(`ALTER TABLE kumu_info ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
    UPDATE kumu_info SET version = 2, counted = (SELECT count(*) FROM kumu_documents WHERE tokens IS NOT NULL)`)
}

function hasTable(db: SqliteDatabase, name: string): boolean {
  return db.get("SELECT 1 AS found FROM sqlite_schema WHERE type = 'table' AND name = ?", name) !== undefined
}

/** For the one step in which SQLite does not wait for other processes by itself. */
function patiently(step: () => void): void {
  for (let attempts = 1; ; attempts++) {
    try {
      return step()
    } catch (error) {
      if (attempts === 200 || !/locked|busy/i.test((error as Error).message)) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25)
    }
  }
}
