import { isCode } from './system-error'

/** A value of a column or a parameter. */
export type SqliteValue = string | number | Uint8Array | null

/** A row, by the names of its columns. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>

interface PreparedStatement {
  get(...values: readonly SqliteValue[]): unknown
  all(...values: readonly SqliteValue[]): unknown[]
  run(...values: readonly SqliteValue[]): unknown
  raw?(): unknown
}

interface Connection {
  exec(text: string): unknown
  prepare(text: string): PreparedStatement
  close(): unknown
}

type OpenConnection = (file: string, options: { readonly readonly: boolean }) => Connection

/** Statements that are kept prepared; those of queries have many texts. */
const maximalPrepared = 200

/** An SQLite file, by whichever library is there; both block the thread they are called in. */
export class SqliteDatabase {
  readonly #connection: Connection
  readonly #prepared = new Map<string, PreparedStatement>()

  /** @param options `readonly`: to read what stands there, in a thread that must not wait. Default false */
  constructor(file: string, { readonly = false }: { readonly readonly?: boolean } = {}) {
    this.#connection = loadSqlite()(file, { readonly })
    // Another process holds the file for the time of one transaction.
    this.exec(`PRAGMA busy_timeout = ${readonly ? 0 : 10_000}`)
  }

  exec(text: string): void {
    this.#connection.exec(text)
  }

  get(text: string, ...values: readonly SqliteValue[]): SqliteRow | undefined {
    return (this.#prepare(text).get(...values) as SqliteRow | null | undefined) ?? undefined
  }

  /** The values of the first row, in the order of its columns, which is quicker; `busy` where the file cannot be read now. */
  tryGetValues(text: string, ...values: readonly SqliteValue[]): readonly SqliteValue[] | undefined | 'busy' {
    try {
      const row = this.#prepare(text, true).get(...values)
      if (row === undefined || row === null) return undefined
      return toValues(row)
    } catch {
      return 'busy'
    }
  }

  all(text: string, ...values: readonly SqliteValue[]): readonly SqliteRow[] {
    return this.#prepare(text).all(...values) as SqliteRow[]
  }

  /** The values of all rows, each in the order of the columns. */
  allValues(text: string, ...values: readonly SqliteValue[]): ReadonlyArray<readonly SqliteValue[]> {
    return this.#prepare(text, true)
      .all(...values)
      .map(toValues)
  }

  run(text: string, ...values: readonly SqliteValue[]): void {
    this.#prepare(text).run(...values)
  }

  close(): void {
    this.#prepared.clear()
    this.#connection.close()
  }

  /** @param inOrder rows as lists, where the library has such; each text is asked for in one way only */
  #prepare(text: string, inOrder = false): PreparedStatement {
    const known = this.#prepared.get(text)
    if (known) return known
    if (this.#prepared.size >= maximalPrepared) this.#prepared.clear()
    const statement = this.#connection.prepare(text)
    if (inOrder) statement.raw?.()
    this.#prepared.set(text, statement)
    return statement
  }
}

function toValues(row: unknown): readonly SqliteValue[] {
  return Array.isArray(row) ? (row as SqliteValue[]) : Object.values(row as SqliteRow)
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
    return (file, { readonly }) => new Database(file, { readonly })
  } catch (cause) {
    if (!isCode(cause, 'MODULE_NOT_FOUND')) throw cause
    const builtin = builtinSqlite()
    if (builtin) return (file, { readonly }) => new builtin.DatabaseSync(file, { readOnly: readonly })
    throw new Error('The sqlite driver needs the package libsql, or Node 22.13: npm install libsql', { cause })
  }
}

interface BuiltinSqlite {
  readonly DatabaseSync: new (file: string, options: { readonly readOnly: boolean }) => Connection
}

function builtinSqlite(): BuiltinSqlite | undefined {
  return process.getBuiltinModule('node:sqlite') as BuiltinSqlite | undefined
}
