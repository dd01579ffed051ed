import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { describeWithService } from '../../docstore/support/services'

/** What a showcase is told of an engine that several processes share. */
export interface SharedEngine {
  /** `STORE_URL` and `STORE_NAMESPACE`. */
  readonly environment: Record<string, string>
  /** Whether it has a feed of changes. */
  readonly hasFeed: boolean
}

/**
 * Tests on every engine that lets processes share it, each in a place of its own that is removed after them: behind their
 * own `afterAll`, since Jest goes through these in order. Those whose server is not there are skipped, with one line that
 * says so.
 */
export function describeWithSharedEngines(define: (engine: SharedEngine) => void): void {
  const namespace = `kumu_${randomBytes(6).toString('hex')}`

  describe('with sqlite', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kumu-engine-'))
    define({ environment: { STORE_URL: `sqlite:${join(dir, 'showcase.db')}` }, hasFeed: true })
    afterAll(() => rmSync(dir, { recursive: true, force: true }))
  })

  describe('with file', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kumu-engine-'))
    define({ environment: { STORE_URL: `file:${dir}` }, hasFeed: false })
    afterAll(() => rmSync(dir, { recursive: true, force: true }))
  })

  describeWithService('postgres', (address) => {
    const url = new URL(address)
    url.searchParams.set('options', `-c search_path=${namespace}`)
    beforeAll(() => onPostgres(address, `CREATE SCHEMA ${namespace}`))
    define({ environment: { STORE_URL: url.href }, hasFeed: true })
    afterAll(() => onPostgres(address, `SET client_min_messages = warning; DROP SCHEMA ${namespace} CASCADE`))
  })

  describeWithService('redis', (url) => {
    define({ environment: { STORE_URL: url, STORE_NAMESPACE: namespace }, hasFeed: true })
    afterAll(async () => {
      const client = new Redis(url)
      for await (const names of client.scanStream({ match: `{${namespace}_*`, count: 1000 })) {
        if ((names as string[]).length > 0) await client.unlink(names as string[])
      }
      client.disconnect()
    })
  })

  describeWithService('nats', (url) => {
    define({ environment: { STORE_URL: url, STORE_NAMESPACE: namespace }, hasFeed: true })
    afterAll(async () => {
      const connection = await connect({ servers: url })
      const manager = await jetstreamManager(connection)
      for await (const name of manager.streams.names()) {
        if (name.startsWith(`KV_${namespace}_`)) await manager.streams.delete(name)
      }
      await connection.close()
    })
  })
}

async function onPostgres(url: string, statements: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(statements)
  await client.end()
}
