import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Cond } from '../../../src/docstore/driver'
import { StoreError } from '../../../src/docstore/errors'
import { docstore } from '../../../src/docstore/store'
import { openDriver } from './open-driver'

/** A write of a race. */
export interface RaceWrite {
  readonly op: 'put' | 'delete'
  readonly key: string
  /** None: the write has no condition. JSON has no word for `undefined`. */
  readonly if?: Cond
}

/** What a write came to: the revision that it wrote, whether it deleted something, or that it lost. */
export type RaceOutcome = { readonly rev: string } | { readonly deleted: boolean } | { readonly lost: true }

const [name = '', place = ''] = process.argv.slice(2)
const store = docstore(openDriver(name, place))

async function perform({ op, key, if: condition }: RaceWrite): Promise<RaceOutcome> {
  try {
    if (op === 'delete') return { deleted: await store.delete(key, { if: condition }) }
    return { rev: (await store.put(key, `by ${process.pid}`, { if: condition })).rev }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'conflict') return { lost: true }
    throw error
  }
}

/** Answers each line of writes, done all at once, with a line of what they came to; ends with its input. */
async function run(): Promise<void> {
  await store.list()
  process.stdout.write('ready\n')
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    void Promise.all((JSON.parse(line) as RaceWrite[]).map(perform)).then((outcomes) => {
      process.stdout.write(`${JSON.stringify(outcomes)}\n`)
    })
  })
  await once(lines, 'close')
  await store.close()
}

void run()
