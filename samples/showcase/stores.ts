import { mkdirSync } from 'node:fs'
import { join, parse } from 'node:path'
import { docstore, type Driver, type Store } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { nats } from 'kumu/docstore/nats'
import { postgres } from 'kumu/docstore/postgres'
import { redis } from 'kumu/docstore/redis'
import { sqlite } from 'kumu/docstore/sqlite'

/** Makes the store of a name; it is on the given driver where no engine is set for all stores. */
export type CreateStore = (name: string, own: Driver) => Store

/**
 * Where the stores are: all on the engine of a URL, each in a table, prefix, bucket, file or directory of its own, or each
 * on the driver that its route names.
 *
 * @param url `postgres://…`, `redis://…`, `nats://…`, `sqlite:FILE`, `level:DIR`, `file:DIR` or `memory:`
 * @param namespace what the names on a server begin with: two showcases with two of them share nothing
 * @throws Error where the URL is none of these, or the namespace none
 */
export function createStores(url = '', namespace = 'showcase'): CreateStore {
  if (!/^[a-z][a-z0-9_]{0,19}$/.test(namespace)) {
    throw new Error('STORE_NAMESPACE takes 1 to 20 of the characters a-z 0-9 _, a letter first')
  }
  const engine = url === '' ? undefined : toEngine(url, namespace)
  return (name, own) => docstore(engine ? engine(name) : own)
}

function toEngine(url: string, namespace: string): (name: string) => Driver {
  switch (url.slice(0, url.indexOf(':') + 1)) {
    case 'postgres:':
    case 'postgresql:':
      assertServer(url)
      return (name) => postgres({ url, table: `${namespace}_${name}` })
    case 'redis:':
    case 'rediss:':
      assertServer(url)
      return (name) => redis({ url, prefix: `${namespace}_${name}` })
    case 'nats:': {
      const { host, username, password } = assertServer(url)
      const client = username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {}
      return (name) => nats({ servers: host, client, bucket: `${namespace}_${name}` })
    }
    case 'sqlite:': {
      const { dir, name: base, ext } = parse(pathOf(url))
      mkdirSync(dir || '.', { recursive: true })
      return (name) => sqlite({ file: join(dir, `${base}-${name}${ext}`) })
    }
    case 'level:': {
      const dir = pathOf(url)
      return (name) => level({ dir: join(dir, name) })
    }
    case 'file:': {
      const dir = pathOf(url)
      return (name) => file({ dir: join(dir, name) })
    }
    case 'memory:':
      if (url !== 'memory:') throw refused(url)
      return () => memory()
    default:
      throw refused(url)
  }
}

/** `postgres://user:password@host:5432/database` and the like: there has to be a host. */
function assertServer(url: string): URL {
  const server = URL.canParse(url) ? new URL(url) : undefined
  if (!server?.hostname) throw refused(url)
  return server
}

/** `file:data/store` and `file:/var/store` say a path; so does `file:///var/store`. */
function pathOf(url: string): string {
  const path = url.slice(url.indexOf(':') + 1).replace(/^\/\/(?=\/)/, '')
  if (path === '' || path.startsWith('//')) throw refused(url)
  return path
}

function refused(url: string): Error {
  // No more of it is shown: it may hold a password.
  const scheme = /^[a-z]+:/.exec(url)?.[0]
  return new Error(
    `STORE_URL${scheme ? ` (${scheme}…)` : ''} is not one of postgres://HOST/DATABASE, redis://HOST, nats://HOST, ` +
      'sqlite:FILE, level:DIR, file:DIR, memory:',
  )
}
