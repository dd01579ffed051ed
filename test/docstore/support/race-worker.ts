import { closeSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from '../../../src/docstore/body'
import type { Rev } from '../../../src/docstore/driver'
import { StoreError } from '../../../src/docstore/errors'
import { docstore } from '../../../src/docstore/store'
import { openDriver } from './open-driver'

const [name = '', place = '', inside = '', count] = process.argv.slice(2)
const store = docstore(openDriver(name, place))

async function isWon<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write
  } catch (error) {
    if (error instanceof StoreError && error.code === 'conflict') return undefined
    throw error
  }
}

/** Adds one to the counter, by compare and swap, so many times. */
async function countUp(): Promise<Rev[]> {
  const revs: Rev[] = []
  while (revs.length < Number(count)) {
    const doc = await store.get('counter')
    const next = doc ? Number(await text(doc)) + 1 : 1
    const won = await isWon(store.put('counter', String(next), { if: doc?.rev ?? null }))
    if (won) revs.push(won.rev)
  }
  return revs
}

/** Takes and returns a lock, made and deleted each time; fails where somebody else is inside. */
async function lock(): Promise<void> {
  for (let turns = 0; turns < Number(count);) {
    const held = await isWon(store.put('lock', String(process.pid), { if: null }))
    if (!held) continue
    closeSync(openSync(join(inside, 'marker'), 'wx'))
    await new Promise((resolve) => setImmediate(resolve))
    rmSync(join(inside, 'marker'))
    if (!(await store.delete('lock', { if: held.rev }))) throw new Error('the lock was lost')
    turns++
  }
}

async function run(): Promise<void> {
  await store.list()
  process.stdout.write('ready\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const revs = await countUp()
  await lock()
  await store.close()
  process.stdout.write(`${JSON.stringify(revs)}\n`, () => process.exit(0))
}

void run()
