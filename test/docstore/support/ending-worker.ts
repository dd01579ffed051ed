import { docstore } from '../../../src/docstore/store'
import { openDriver } from './open-driver'

const [name = '', place = '', ending] = process.argv.slice(2)

/** Uses a store and comes to its end, with or without closing it; nothing else keeps the process. */
async function use(): Promise<void> {
  process.stdin.destroy()
  const store = docstore(openDriver(name, place))
  await store.put('a', 'x')
  if (ending === 'close') await store.close()
  process.stdout.write('done\n')
}

void use()
