import { deepStrictEqual } from 'node:assert'
import { randomBytes } from 'node:crypto'
import { type Doc, docstore, type Store } from 'kumu/docstore'
import type { BareStore, Contest } from './contest'
import { duel, type DuelEffort, type Pair, type Step } from './duel'

/** How much is stored, and how large each is. */
const documents = 2000
const bodyLength = 1024

/** An operation of a driver, measured. */
export interface ThroughputSample {
  readonly driver: string
  readonly op: 'put' | 'get'
  readonly pairs: readonly Pair[]
}

/**
 * Measures `put` without a condition and `get` of a store beside the bare client library.
 *
 * @throws Error where the two do not keep the same
 */
export async function measureThroughput(
  driver: string,
  contest: Contest,
  effort: DuelEffort,
): Promise<readonly ThroughputSample[]> {
  const { bare } = contest
  const store = docstore(contest.driver)
  const body = randomBytes(bodyLength)
  try {
    await fill((key) => bare.put(key, body))
    await fill((key) => store.put(key, body))
    await compare(bare, store, body)
    const get = await duel(effort, { bare: onKeys((key) => bare.get(key)), kumu: onKeys((key) => store.get(key)) })
    const put = await duel(effort, {
      bare: onKeys((key) => bare.put(key, body)),
      kumu: onKeys((key) => store.put(key, body)),
    })
    await compare(bare, store, body)
    return [
      { driver, op: 'put', pairs: put },
      { driver, op: 'get', pairs: get },
    ]
  } finally {
    await store.close()
    await bare.close()
    await contest.clean()
  }
}

function keyOf(number: number): string {
  return `document-${String(number).padStart(6, '0')}`
}

/** All keys by turns, neighbours far apart. */
function onKeys(work: (key: string) => unknown): Step {
  const keys = Array.from({ length: documents }, (_, number) => keyOf(number))
  return (turn) => work(keys[(turn * 787) % documents]!)
}

async function fill(put: (key: string) => unknown): Promise<void> {
  for (let number = 0; number < documents; number += 32) {
    const numbers = Array.from({ length: Math.min(32, documents - number) }, (_, index) => number + index)
    await Promise.all(numbers.map((each) => put(keyOf(each))))
  }
}

async function compare(bare: BareStore, store: Store, body: Buffer): Promise<void> {
  for (const number of [0, documents - 1]) {
    deepStrictEqual(Buffer.from((await bare.get(keyOf(number))) as Uint8Array), body)
    const doc: Doc | undefined = await store.get(keyOf(number))
    deepStrictEqual(Buffer.from(doc?.body as Uint8Array), body)
  }
}
