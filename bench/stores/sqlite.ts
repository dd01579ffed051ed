import Database from 'libsql'
import { sqlite } from 'kumu/docstore/sqlite'
import { bodyType, type Contest } from './contest'
import { createDirectory } from './places'

/** SQLite by libsql, in the calling thread: each write is a transaction of its own, synced. */
export function createSqliteContest(): Contest {
  const { path, remove } = createDirectory()
  const db = new Database(path('bare.db'))
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL')
  db.exec(
    'CREATE TABLE documents (key TEXT PRIMARY KEY, type TEXT NOT NULL, modified INTEGER NOT NULL, body BLOB NOT NULL)',
  )
  const put = db.prepare(
    `INSERT INTO documents (key, type, modified, body) VALUES (?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET type = excluded.type, modified = excluded.modified, body = excluded.body`,
  )
  const get = db.prepare('SELECT type, modified, body FROM documents WHERE key = ?')
  return {
    bare: {
      put: (key, body) => put.run(key, bodyType, Date.now(), body),
      get: (key) => (get.get(key) as { body: unknown }).body,
      close: () => db.close(),
    },
    driver: sqlite({ file: path('kumu.db') }),
    clean: remove,
  }
}
