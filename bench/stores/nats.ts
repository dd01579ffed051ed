import { jetstream, StorageType } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { nats } from 'kumu/docstore/nats'
import type { Contest } from './contest'
import { addresses, createName } from './places'

/** NATS by its key/value client, over a bucket of the driver's kind: in files, sixteen writes of history. */
export async function createNatsContest(): Promise<Contest> {
  const connection = await connect({ servers: addresses.nats })
  const kvm = new Kvm(jetstream(connection))
  const names = { bare: createName(), kumu: createName() }
  const bucket = await kvm.create(names.bare, { history: 16, storage: StorageType.File, replicas: 1 })
  return {
    bare: {
      put: (key, body) => bucket.put(key, body),
      get: async (key) => (await bucket.get(key))?.value,
      close: () => undefined,
    },
    driver: nats({ servers: addresses.nats, bucket: names.kumu }),
    async clean() {
      await bucket.destroy()
      await (await kvm.open(names.kumu)).destroy()
      await connection.close()
    },
  }
}
