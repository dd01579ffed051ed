import { randomBytes } from 'node:crypto'
import { Client, type QueryResult } from 'pg'

/** Tables of this run alone, in a schema of their own, dropped after all tests of the file. */
export function createTables(url: string): {
  readonly next: () => string
  readonly query: (text: string) => Promise<QueryResult>
} {
  const schema = `kumu_test_${randomBytes(6).toString('hex')}`
  const client = new Client({ connectionString: url })
  let number = 0
  beforeAll(async () => {
    await client.connect()
    await client.query(`CREATE SCHEMA ${schema}`)
  })
  afterAll(async () => {
    await client.query('SET client_min_messages = warning')
    await client.query(`DROP SCHEMA ${schema} CASCADE`)
    await client.end()
  })
  return { next: () => `${schema}.t${++number}`, query: (text) => client.query(text) }
}
