import Database from 'libsql'
import { sqlite } from 'kumu/docstore/sqlite'
import type { HandPage, Large } from './million'
import { createDirectory } from './places'

/** By hand: keys and JSON texts, with an index over a member. */
export function createSqliteLarge(): Large {
  const { path, remove } = createDirectory()
  const file = path('kumu.db')
  let db: Database.Database | undefined
  const open = (): Database.Database => {
    if (db) return db
    db = new Database(file)
    db.exec('PRAGMA busy_timeout = 60000')
    return db
  }
  return {
    open: (index) => sqlite({ file, index }),
    async copy() {
      open().exec(`CREATE TABLE hand (key TEXT PRIMARY KEY, value TEXT NOT NULL);
        INSERT INTO hand SELECT key, CAST(content AS TEXT) FROM kumu_documents ORDER BY key;
        CREATE INDEX hand_author ON hand (value ->> 'author', key)`)
    },
    async ask(page) {
      const { text, values } = toSql(page)
      const rows = prepared(open(), text).all(...values) as Array<{ key: string; value: string }>
      return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) as unknown }))
    },
    async count() {
      return (prepared(open(), 'SELECT count(*) AS total FROM hand').get() as { total: number }).total
    },
    clean() {
      db?.close()
      remove()
    },
  }
}

const statements = new Map<string, Database.Statement>()

function prepared(db: Database.Database, text: string): Database.Statement {
  const known = statements.get(text) ?? db.prepare(text)
  statements.set(text, known)
  return known
}

function toSql({ limit, author, sort, after }: HandPage): {
  readonly text: string
  readonly values: readonly string[]
} {
  const member = `value ->> 'author'`
  const conditions = [
    ...(author === undefined ? [] : [`${member} = ?`]),
    ...(after ? [sort ? `${member} >= ?1 AND (${member} > ?1 OR key > ?2)` : 'key > ?'] : []),
  ]
  const values = [
    ...(author === undefined ? [] : [author]),
    ...(after ? (sort ? [after.author, after.key] : [after.key]) : []),
  ]
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const order = sort ? `${member}, key` : 'key'
  return { text: `SELECT key, value FROM hand ${where} ORDER BY ${order} LIMIT ${limit}`, values }
}
