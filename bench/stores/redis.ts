import { Redis } from 'ioredis'
import { redis } from 'kumu/docstore/redis'
import { bodyType, type Contest } from './contest'
import { addresses, createName } from './places'

/** Redis by ioredis: a hash a document. */
export function createRedisContest(): Contest {
  const client = new Redis(addresses.redis)
  const name = createName()
  const prefix = createName()
  return {
    bare: {
      put: (key, body) => client.hset(`${name}:${key}`, 'type', bodyType, 'modified', Date.now(), 'body', body),
      get: async (key) => (await client.hmgetBuffer(`${name}:${key}`, 'type', 'modified', 'body'))[2],
      close: () => undefined,
    },
    driver: redis({ url: addresses.redis, prefix }),
    async clean() {
      for (const match of [`${name}:*`, `{${prefix}}:*`]) {
        for await (const names of client.scanStream({ match, count: 1000 })) {
          if ((names as string[]).length > 0) await client.unlink(names as string[])
        }
      }
      client.disconnect()
    },
  }
}
