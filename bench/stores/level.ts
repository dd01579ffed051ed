import { ClassicLevel } from 'classic-level'
import { level } from 'kumu/docstore/level'
import type { Contest } from './contest'
import { createDirectory } from './places'

/** LevelDB: each write is synced, as each of the driver is. */
export async function createLevelContest(): Promise<Contest> {
  const { path, remove } = createDirectory()
  const db = new ClassicLevel<string, Buffer>(path('bare'), { keyEncoding: 'utf8', valueEncoding: 'buffer' })
  await db.open()
  return {
    bare: {
      put: (key, body) => db.put(key, body, { sync: true }),
      get: (key) => db.get(key),
      close: () => db.close(),
    },
    driver: level({ dir: path('kumu') }),
    clean: remove,
  }
}
