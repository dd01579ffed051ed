import { writeSync } from 'node:fs'
import { docstore } from '../../../src/docstore/store'
import { contentOf, writeOf } from './history'
import { openDriver } from './open-driver'

const [name = '', place = '', from] = process.argv.slice(2)
const store = docstore(openDriver(name, place))

async function* cut(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

/** Writes one after another, and says so after each, until it is killed. */
async function writeForEver(): Promise<void> {
  for (let number = Number(from); ; number++) {
    const write = writeOf(number)
    if (write.op === 'delete') {
      await store.delete(write.key)
    } else {
      const content = contentOf(number, write.size)
      await store.put(write.key, write.streamed ? cut(content) : content, { type: `test/${number}` })
    }
    writeSync(1, `${number}\n`)
  }
}

void writeForEver()
