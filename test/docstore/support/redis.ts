import { Redis } from 'ioredis'
import { createName } from './names'

/** Prefixes of stores on a server that are removed, with all that has them, after all tests of the file. */
export function createPrefixes(url: string): () => string {
  const made: string[] = []
  afterAll(async () => {
    const client = new Redis(url)
    for (const prefix of made) {
      for await (const names of client.scanStream({ match: `{${prefix}}:*`, count: 1000 })) {
        if ((names as string[]).length > 0) await client.unlink(names as string[])
      }
    }
    client.disconnect()
  })
  return () => {
    const prefix = createName()
    made.push(prefix)
    return prefix
  }
}
