import { once } from 'node:events'
import { bytes, docstore, type Store, text } from 'kumu/docstore'
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
  it('loses no update and lets one in at a time', () => race(name, createDirectory()), 60_000)
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
    it('loses no update and lets one in at a time', () => race('postgres', `${url}#${tables.next()}`), 60_000)
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
    it('loses no update and lets one in at a time', () => race('redis', `${url}#${createPrefix()}`), 60_000)
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
    it('loses no update and lets one in at a time', () => race('nats', `${url}#${createBucket()}`), 60_000)
  })
})

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
