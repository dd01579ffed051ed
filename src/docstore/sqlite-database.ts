import { isCode } from './system-error'

/** A value of a column or a parameter. */
export type SqliteValue = string | number | Uint8Array | null

/** A row, by the names of its columns. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>

interface PreparedStatement {
  get(...values: readonly SqliteValue[]): unknown
  all(...values: readonly SqliteValue[]): unknown[]
  run(...values: readonly SqliteValue[]): unknown
}

interface Connection {
  exec(text: string): unknown
  prepare(text: string): PreparedStatement
  close(): unknown
}

type OpenConnection = (file: string) => Connection

/** Statements that are kept prepared; those of queries have many texts. */
const maximalPrepared = 200

/** An SQLite file, by whichever library is there; both block the thread they are called in. */
export class SqliteDatabase {
  readonly #connection: Connection
  readonly #prepared = new Map<string, PreparedStatement>()

  constructor(file: string) {
    this.#connection = loadSqlite()(file)
    // Another process holds the file for the time of one transaction.
    this.exec('PRAGMA busy_timeout = 10000')
  }

  exec(text: string): void {
    this.#connection.exec(text)
  }

  get(text: string, ...values: readonly SqliteValue[]): SqliteRow | undefined {
    return (this.#prepare(text).get(...values) as SqliteRow | null | undefined) ?? undefined
  }

  all(text: string, ...values: readonly SqliteValue[]): readonly SqliteRow[] {
    return this.#prepare(text).all(...values) as SqliteRow[]
  }

  run(text: string, ...values: readonly SqliteValue[]): void {
    this.#prepare(text).run(...values)
  }

  close(): void {
    this.#prepared.clear()
    this.#connection.close()
  }

  #prepare(text: string): PreparedStatement {
    const known = this.#prepared.get(text)
    if (known) return known
    if (this.#prepared.size >= maximalPrepared) this.#prepared.clear()
    const statement = this.#connection.prepare(text)
    this.#prepared.set(text, statement)
    return statement
  }
}

/**
 * libsql where it is installed, else the SQLite of Node where it has one.
 *
 * @throws Error that says what to install
 */
export function loadSqlite(): OpenConnection {
  try {
    // A call of `require`, not an import: the package is optional, and here is where it is missed.
    const Database = require('libsql') as new (...options: ConstructorParameters<typeof import('libsql')>) => Connection
    return (file) => new Database(file)
  } catch (cause) {
    if (!isCode(cause, 'MODULE_NOT_FOUND')) throw cause
    const builtin = builtinSqlite()
    if (builtin) return (file) => new builtin.DatabaseSync(file)
    throw new Error('The sqlite driver needs the package libsql, or Node 22.13: npm install libsql', { cause })
  }
}

interface BuiltinSqlite {
  readonly DatabaseSync: new (file: string) => Connection
}

function builtinSqlite(): BuiltinSqlite | undefined {
  return process.getBuiltinModule('node:sqlite') as BuiltinSqlite | undefined
}
