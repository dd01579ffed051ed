import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { createName } from './names'

/** Buckets on a server that are removed after all tests of the file. */
export function createBuckets(url: string): () => string {
  const made: string[] = []
  afterAll(async () => {
    const connection = await connect({ servers: url })
    const manager = await jetstreamManager(connection)
    // Some were never opened.
    for (const bucket of made) await manager.streams.delete(`KV_${bucket}`).catch(() => undefined)
    await connection.close()
  })
  return () => {
    const bucket = createName()
    made.push(bucket)
    return bucket
  }
}
