import type { Driver } from '../../../src/docstore/driver'
import { file } from '../../../src/docstore/drivers/file'
import { level } from '../../../src/docstore/drivers/level'
import { nats } from '../../../src/docstore/drivers/nats'
import { postgres } from '../../../src/docstore/drivers/postgres'
import { redis } from '../../../src/docstore/drivers/redis'
import { sqlite } from '../../../src/docstore/drivers/sqlite'

/** A driver over what other processes may have open too: a directory, or the URL of a server with the table, prefix or bucket behind a `#`. */
export function openDriver(name: string, place: string): Driver {
  switch (name) {
    case 'file':
      return file({ dir: place })
    case 'level':
      return level({ dir: place })
    case 'sqlite':
      return sqlite({ file: `${place}/store.db` })
    case 'postgres':
      return postgres({ url: place.slice(0, place.indexOf('#')), table: place.slice(place.indexOf('#') + 1) })
    case 'redis':
      return redis({ url: place.slice(0, place.indexOf('#')), prefix: place.slice(place.indexOf('#') + 1) })
    case 'nats':
      return nats({ servers: place.slice(0, place.indexOf('#')), bucket: place.slice(place.indexOf('#') + 1) })
    default:
      throw new Error(`There is no driver ${name} for several processes`)
  }
}
