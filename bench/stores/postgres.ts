import { Pool } from 'pg'
import { postgres } from 'kumu/docstore/postgres'
import { bodyType, type Contest } from './contest'
import { addresses, createName } from './places'

/** PostgreSQL by pg: prepared statements over a pool as large as the driver's. */
export async function createPostgresContest(): Promise<Contest> {
  const connectionString = addresses.postgres
  const pool = new Pool({ connectionString, max: 10 })
  const schema = createName()
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(
    `CREATE TABLE ${schema}.bare (key text COLLATE "C" PRIMARY KEY, type text NOT NULL, modified bigint NOT NULL, body bytea NOT NULL)`,
  )
  const put = `INSERT INTO ${schema}.bare (key, type, modified, body) VALUES ($1, $2, $3, $4)
    ON CONFLICT (key) DO UPDATE SET type = excluded.type, modified = excluded.modified, body = excluded.body`
  const get = `SELECT type, modified, body FROM ${schema}.bare WHERE key = $1`
  return {
    bare: {
      put: (key, body) => pool.query({ name: 'put', text: put, values: [key, bodyType, Date.now(), body] }),
      async get(key) {
        const { rows } = await pool.query<{ body: Buffer }>({ name: 'get', text: get, values: [key] })
        return rows[0]?.body
      },
      close: () => undefined,
    },
    driver: postgres({ url: connectionString, table: `${schema}.kumu` }),
    async clean() {
      await pool.query('SET client_min_messages = warning')
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}
