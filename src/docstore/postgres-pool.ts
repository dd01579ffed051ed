import type { Pool, PoolClient } from 'pg'
import { createHash } from 'node:crypto'
import { StoreError } from './errors'
import { isCode } from './system-error'

/** A row, by the names of its columns; a bigint is text. */
export type PostgresRow = Readonly<Record<string, unknown>>

/** A connection that listens to a channel. */
export interface Listener {
  readonly end: () => Promise<void>
}

/** Connections to one database; calls after `end` are refused. */
export class PostgresPool {
  readonly #config: Readonly<Record<string, unknown>>
  #pool: Pool | undefined
  #ended = false

  /** @param config options of the `Pool` of pg */
  constructor(config: Readonly<Record<string, unknown>>) {
    this.#config = { connectionTimeoutMillis: 10_000, ...config }
  }

  /** Runs one statement; it is prepared once a connection where `name` is not false. */
  async query(
    text: string,
    values: readonly unknown[] = [],
    options: { readonly prepared?: boolean; readonly writes?: boolean } = {},
  ): Promise<readonly PostgresRow[]> {
    try {
      const named = options.prepared ? { name: nameOf(text) } : {}
      const { rows } = await this.#open().query<Record<string, unknown>>({ text, values: [...values], ...named })
      return rows
    } catch (error) {
      throw toPlain(error, options.writes === true)
    }
  }

  /** Runs statements in one transaction; where one fails, none has happened. */
  async transact<T>(work: (client: Pick<PoolClient, 'query'>) => Promise<T>): Promise<T> {
    const client = await this.#open()
      .connect()
      .catch((error: unknown) => {
        throw toPlain(error, false)
      })
    // A connection that is lost tells those who wait for an answer, and, as an event, everybody: that must not end the process.
    client.on('error', ignore)
    let failure: unknown
    try {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      failure = error
      await client.query('ROLLBACK').catch(ignore)
      throw toPlain(error, true)
    } finally {
      client.off('error', ignore)
      client.release(isConnectionError(failure))
    }
  }

  /**
   * Listens to a channel until it is ended.
   *
   * @param onLoss called once where the connection is lost
   */
  async listen(channel: string, onNotice: () => void, onLoss: () => void): Promise<Listener> {
    this.#assertOpen()
    const { Client } = load()
    const client = new Client({ ...this.#config })
    let isOver = false
    const lose = (): void => {
      if (isOver) return
      isOver = true
      onLoss()
    }
    client.on('error', lose)
    client.on('end', lose)
    client.on('notification', onNotice)
    try {
      await client.connect()
      await client.query(`LISTEN "${channel}"`)
    } catch (error) {
      await client.end().catch(ignore)
      throw error
    }
    const end = async (): Promise<void> => {
      isOver = true
      await client.end().catch(ignore)
    }
    return { end }
  }

  async end(): Promise<void> {
    this.#ended = true
    await this.#pool?.end()
  }

  #open(): Pool {
    this.#assertOpen()
    if (this.#pool) return this.#pool
    const { Pool } = load()
    this.#pool = new Pool({ ...this.#config })
    // Idle connections that are lost: the pool has let go of them already.
    this.#pool.on('error', ignore)
    return this.#pool
  }

  #assertOpen(): void {
    if (this.#ended) throw new StoreError('closed', 'The store is closed')
  }
}

/** Whether the connection is what failed, and another one may do better. */
export function isConnectionError(error: unknown): boolean {
  const { code, message, cause } = (error ?? {}) as { code?: unknown; message?: unknown; cause?: unknown }
  if (cause !== undefined && isConnectionError(cause)) return true
  // Class 08: connection exception; 57P01 to 57P03: shutdown, crash, starting up; 53300: too many connections.
  if (typeof code === 'string' && /^(?:08...|57P0[123]|53300|E[A-Z]+)$/.test(code)) return true
  return typeof message === 'string' && /connection (?:terminated|error|ended|timeout)|timeout exceeded/i.test(message)
}

/** Whether the server has answered that it will not: then nothing was done. */
export function isRefusal(error: unknown): boolean {
  const { severity } = (error ?? {}) as { readonly severity?: unknown }
  return typeof severity === 'string' && !isConnectionError(error)
}

function toPlain(error: unknown, writes: boolean): unknown {
  if (!isConnectionError(error)) return error
  const unknown = writes ? '; whether the write happened is not known' : ''
  return new Error(`The connection to PostgreSQL failed: ${(error as Error).message}${unknown}`, { cause: error })
}

const names = new Map<string, string>()

function nameOf(text: string): string {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = `kumu_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
  names.set(text, name)
  return name
}

function load(): typeof import('pg') {
  try {
    // A call of `require`, not an import: the package is optional, and here is where it is missed.
    return require('pg') as typeof import('pg')
  } catch (cause) {
    if (!isCode(cause, 'MODULE_NOT_FOUND')) throw cause
    throw new Error('The postgres driver needs the package pg: npm install pg', { cause })
  }
}

function ignore(): void {
  // Whoever waits for an answer is told.
}
