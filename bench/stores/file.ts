import { mkdirSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { file } from 'kumu/docstore/file'
import type { Contest } from './contest'
import { createDirectory } from './places'

/** A file a document, replaced as a careful program replaces one: written beside it, synced, renamed, the directory synced. */
export function createFileContest(): Contest {
  const { path, remove } = createDirectory()
  const directory = path('bare')
  mkdirSync(directory)
  let number = 0
  return {
    bare: {
      async put(key, body) {
        const staged = join(directory, `${key}.${number++}`)
        const handle = await open(staged, 'wx')
        await handle.writeFile(body)
        await handle.sync()
        await handle.close()
        await rename(staged, join(directory, key))
        const parent = await open(directory, 'r')
        await parent.sync()
        await parent.close()
      },
      get: (key) => readFile(join(directory, key)),
      close: () => undefined,
    },
    driver: file({ dir: path('kumu') }),
    clean: remove,
  }
}
