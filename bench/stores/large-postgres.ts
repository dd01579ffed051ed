import { Pool } from 'pg'
import { postgres } from 'kumu/docstore/postgres'
import type { HandPage, Large } from './million'
import { addresses, createName } from './places'

/** By hand: keys and jsonb, with an index over a member. */
export async function createPostgresLarge(): Promise<Large> {
  const connectionString = addresses.postgres
  const pool = new Pool({ connectionString, max: 2 })
  const schema = createName()
  await pool.query(`CREATE SCHEMA ${schema}`)
  return {
    open: (index) => postgres({ url: connectionString, table: `${schema}.kumu`, index }),
    async copy() {
      await pool.query(`CREATE TABLE ${schema}.hand (key text COLLATE "C" PRIMARY KEY, value jsonb NOT NULL)`)
      await pool.query(
        `INSERT INTO ${schema}.hand SELECT key, convert_from(content, 'UTF8')::jsonb FROM ${schema}.kumu ORDER BY key`,
      )
      await pool.query(`CREATE INDEX ON ${schema}.hand ((value ->> 'author') COLLATE "C", key)`)
      await pool.query(`VACUUM (ANALYZE) ${schema}.hand`)
      await pool.query(`VACUUM (ANALYZE) ${schema}.kumu`)
    },
    async ask(page) {
      const { text, values } = toSql(schema, page)
      return (await pool.query<{ key: string; value: unknown }>({ name: text.slice(-60), text, values: [...values] }))
        .rows
    },
    async count() {
      const text = `SELECT count(*) AS total FROM ${schema}.hand`
      return Number((await pool.query<{ total: string }>({ name: 'count', text })).rows[0]?.total)
    },
    async clean() {
      await pool.query('SET client_min_messages = warning')
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}

function toSql(
  schema: string,
  { limit, author, sort, after }: HandPage,
): { readonly text: string; readonly values: readonly string[] } {
  const member = `(value ->> 'author') COLLATE "C"`
  const values: string[] = []
  const param = (value: string): string => `$${values.push(value)}`
  const conditions = [
    ...(author === undefined ? [] : [`${member} = ${param(author)}`]),
    ...(after
      ? [sort ? `(${member}, key) > (${param(after.author)}, ${param(after.key)})` : `key > ${param(after.key)}`]
      : []),
  ]
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const order = sort ? `${member}, key` : 'key'
  return { text: `SELECT key, value FROM ${schema}.hand ${where} ORDER BY ${order} LIMIT ${limit}`, values }
}
