import { once } from 'node:events'
import { bytes, docstore, type Store, text } from 'kumu/docstore'
import type { RaceOutcome, RaceWrite } from './support/conditions-worker'
import { createDirectory } from './support/directories'
import { contentOf, historyKeys, writeOf } from './support/history'
import { createBuckets } from './support/nats'
import { openDriver } from './support/open-driver'
import { createPrefixes } from './support/redis'
import { describeWithService } from './support/services'
import { createTables } from './support/tables'
import './support/typescript-workers'
import { linesOf, startWorker } from './support/workers'

describe.each(['file', 'sqlite'])('%s shared by processes', (name) => {
  itIsShared(name, createDirectory)
})

describe.each([
  ['file', 20],
  ['level', 20],
  ['sqlite', 12],
])('%s and kill -9', (name, kills) => {
  it('loses nothing acknowledged and tears nothing', () => killAndLook(name, createDirectory(), kills), 60_000)
})

describeWithService('postgres', (url) => {
  const tables = createTables(url)

  describe('postgres shared by processes', () => {
    itIsShared('postgres', () => `${url}#${tables.next()}`)
  })

  describe('postgres and kill -9 of its clients', () => {
    it(
      'loses nothing acknowledged and tears nothing',
      () => killAndLook('postgres', `${url}#${tables.next()}`, 6),
      60_000,
    )
  })
})

describeWithService('redis', (url) => {
  const createPrefix = createPrefixes(url)

  describe('redis shared by processes', () => {
    itIsShared('redis', () => `${url}#${createPrefix()}`)
  })

  describe('redis and kill -9 of its clients', () => {
    it(
      'loses nothing acknowledged and tears nothing',
      () => killAndLook('redis', `${url}#${createPrefix()}`, 6),
      60_000,
    )
  })
})

describeWithService('nats', (url) => {
  const createBucket = createBuckets(url)

  describe('nats shared by processes', () => {
    itIsShared('nats', () => `${url}#${createBucket()}`)
  })
})

function itIsShared(name: string, createPlace: () => string): void {
  it('loses no update and lets one in at a time', () => race(name, createPlace()), 60_000)
  it('lets one of sixteen writers in two processes win, by each condition', () => raceBy(name, createPlace()), 120_000)
}

/** A race for a key: what each of sixteen writes, given the revision that is there, and how many of them succeed. */
interface Race {
  readonly title: string
  readonly toWrite: (key: string, rev: string | null, index: number) => RaceWrite
  /** Whether there is a document at first. Default true. */
  readonly meets?: boolean
  /** Default 1. */
  readonly wins?: number
  /** Default 15; the others found nothing to delete. */
  readonly losses?: number
  /** Default 50. */
  readonly rounds?: number
}

/** Each finds the keys as the one before has left them: what is deleted by one is created again by the next. */
const races: readonly Race[] = [
  { title: 'put if null', meets: false, toWrite: (key) => ({ op: 'put', key, if: null }) },
  { title: 'put if a revision', toWrite: (key, rev) => ({ op: 'put', key, if: rev }) },
  { title: 'delete if a revision', toWrite: (key, rev) => ({ op: 'delete', key, if: rev }) },
  { title: 'put if null after a deletion', meets: false, toWrite: (key) => ({ op: 'put', key, if: null }) },
  {
    title: 'put or delete if a revision',
    toWrite: (key, rev, index) => ({ op: index % 4 < 2 ? 'put' : 'delete', key, if: rev }),
  },
  { title: 'delete if *', toWrite: (key) => ({ op: 'delete', key, if: '*' }) },
  { title: 'delete', losses: 0, toWrite: (key) => ({ op: 'delete', key }) },
  { title: 'put if *', wins: 16, losses: 0, rounds: 10, toWrite: (key) => ({ op: 'put', key, if: '*' }) },
]

async function raceBy(name: string, place: string): Promise<void> {
  const store = docstore(openDriver(name, place))
  const look = async (keys: readonly string[]): Promise<Array<string | undefined>> =>
    Promise.all(keys.map(async (key) => (await store.get(key, { body: false }))?.rev))
  const enter = await startRacers(name, place)
  const revs = new Set<string>()
  let written = 0
  for (const { title, toWrite, meets = true, wins = 1, losses = 15, rounds = 50 } of races) {
    const keys = Array.from({ length: rounds }, (_, round) => `k${round}`)
    const before = await look(keys)
    for (const [round, key] of keys.entries()) {
      if (!meets) expect([title, before[round]]).toEqual([title, undefined])
      else before[round] ??= (await store.put(key, 'old')).rev
    }
    const outcomes: RaceOutcome[][] = []
    for (const [round, key] of keys.entries()) {
      outcomes.push(await enter(Array.from({ length: 16 }, (_, index) => toWrite(key, before[round] ?? null, index))))
    }
    const after = await look(keys)
    for (const [round, key] of keys.entries()) {
      const won = outcomes[round]!.filter((outcome) => 'rev' in outcome || ('deleted' in outcome && outcome.deleted))
      const lost = outcomes[round]!.filter((outcome) => 'lost' in outcome)
      expect([title, won.length, lost.length]).toEqual([title, wins, losses])
      const own = won.map((outcome) => ('rev' in outcome ? outcome.rev : undefined))
      expect(own).toContain(after[round])
      for (const rev of own.filter((each) => each !== undefined)) {
        revs.add(`${key} ${rev}`)
        written++
      }
    }
  }
  expect(revs.size).toBe(written)
  await enter.end()
  await store.close()
}

/** Two processes that share the writes of a race between them, and give what each write came to. */
async function startRacers(
  name: string,
  place: string,
): Promise<((writes: readonly RaceWrite[]) => Promise<RaceOutcome[]>) & { end: () => Promise<void> }> {
  const children = [1, 2].map(() => startWorker('conditions-worker', [name, place]))
  const outputs = children.map(linesOf)
  const answer = async (at: number): Promise<string> => (await outputs[at]!.next()).value as string
  for (const at of children.keys()) expect(await answer(at)).toBe('ready')
  const enter = async (writes: readonly RaceWrite[]): Promise<RaceOutcome[]> => {
    const half = writes.length / 2
    for (const [at, child] of children.entries()) {
      child.stdin!.write(`${JSON.stringify(writes.slice(half * at, half * (at + 1)))}\n`)
    }
    const lines = await Promise.all([...children.keys()].map(answer))
    return lines.flatMap((line) => JSON.parse(line) as RaceOutcome[])
  }
  return Object.assign(enter, {
    async end() {
      for (const child of children) child.stdin!.end()
      await Promise.all(children.map((child) => once(child, 'close')))
    },
  })
}

async function race(name: string, place: string): Promise<void> {
  const inside = createDirectory()
  const count = 60
  const children = Array.from({ length: 3 }, () => startWorker('race-worker', [name, place, inside, String(count)]))
  const outputs = children.map(linesOf)
  for (const output of outputs) expect((await output.next()).value).toBe('ready')
  for (const child of children) child.stdin!.write('go\n')
  const revs = (
    await Promise.all(outputs.map(async (output) => JSON.parse((await output.next()).value as string) as string[]))
  ).flat()
  const store = docstore(openDriver(name, place))
  expect(await text((await store.get('counter'))!)).toBe(String(3 * count))
  expect(new Set(revs).size).toBe(3 * count)
  expect(await store.get('lock')).toBeUndefined()
  await store.close()
}

async function killAndLook(name: string, place: string, kills: number): Promise<void> {
  let number = 0
  let acknowledged = 0
  let state = new Map<string, number | undefined>()
  for (let kill = 0; kill < kills; kill++) {
    const last = await writeUntilKilled(name, place, number, 3 + ((kill * 7) % 23))
    acknowledged += last - number + 1
    for (; number <= last; number++) apply(state, number)
    const store = docstore(openDriver(name, place))
    const found = await lookAt(store)
    // The write that was under way happened, or it did not.
    const further = apply(new Map(state), number)
    expect([asObject(state), asObject(further)]).toContainEqual(asObject(found))
    await store.close()
    state = found
    number++
  }
  expect(acknowledged).toBeGreaterThanOrEqual(kills * 3)
}

/** The last write that was acknowledged. */
async function writeUntilKilled(name: string, place: string, from: number, writes: number): Promise<number> {
  const child = startWorker('crash-worker', [name, place, String(from)])
  const closed = once(child, 'close')
  let last = from - 1
  for await (const line of linesOf(child)) {
    last = Number(line)
    if (last - from + 1 >= writes) child.kill('SIGKILL')
  }
  await closed
  return last
}

function apply(state: Map<string, number | undefined>, number: number): Map<string, number | undefined> {
  const write = writeOf(number)
  return state.set(write.key, write.op === 'put' ? number : undefined)
}

function asObject(state: ReadonlyMap<string, number | undefined>): Record<string, number | undefined> {
  return Object.fromEntries(historyKeys.map((key) => [key, state.get(key)]))
}

async function lookAt(store: Store): Promise<Map<string, number | undefined>> {
  const found = new Map<string, number | undefined>()
  for (const { key } of (await store.list()).items) {
    const doc = (await store.get(key))!
    const number = Number(doc.type.slice('test/'.length))
    const write = writeOf(number)
    expect(write).toMatchObject({ op: 'put', key })
    expect(Buffer.compare(await bytes(doc), contentOf(number, doc.size))).toBe(0)
    expect(write).toMatchObject({ size: doc.size })
    found.set(key, number)
  }
  return found
}
