import { bytes, docstore, type Store } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { createRandom, Disk, type Loss, PowerCut } from './support/power-loss'

const losses: readonly Loss[] = ['dropped', 'kept', 'some', 'some', 'truncated', 'zeroed']
const keys = ['a', 'B', 'C'.repeat(200)] as const

/** What stands under a key: the number of the write, or nothing. */
type State = number | undefined

/** A history of acknowledged writes; at a cut, the one that was under way. */
class History {
  readonly acknowledged = new Map<string, State>()
  pending: { readonly key: string; readonly state: State } | undefined

  async write(key: string, state: State, work: () => Promise<unknown>): Promise<void> {
    this.pending = { key, state }
    await work()
    this.acknowledged.set(key, state)
    this.pending = undefined
  }

  allows(key: string, state: State): boolean {
    if (this.pending?.key === key && this.pending.state === state) return true
    return this.acknowledged.get(key) === state
  }
}

function body(version: number): Uint8Array {
  return new Uint8Array(version * 211).fill(version)
}

async function* pieces(version: number): AsyncGenerator<Uint8Array> {
  const whole = body(version)
  yield whole.subarray(0, 300)
  yield whole.subarray(300)
}

async function runWorkload(store: Store, history: History): Promise<void> {
  const [a, b, c] = keys
  const put = (key: string, version: number, options = {}): Promise<void> =>
    history.write(key, version, () => store.put(key, body(version), { type: `test/${version}`, ...options }))
  await put(a, 1, { if: null })
  await put(b, 2)
  const { rev } = (await store.get(a, { body: false }))!
  await put(a, 3, { if: rev })
  await put(c, 4)
  await history.write(a, undefined, () => store.delete(a))
  await history.write(b, 5, () => store.put(b, pieces(5), { type: 'test/5' }))
  await put(a, 6, { if: null })
  await put(a, 7)
  await history.write(b, undefined, () => store.delete(b, { if: '*' }))
  await put(c, 8)
}

async function look(store: Store, key: string): Promise<State> {
  const doc = await store.get(key)
  if (!doc) return undefined
  const version = Number(doc.type.slice('test/'.length))
  expect(Buffer.compare(await bytes(doc), body(version))).toBe(0)
  return version
}

/** Runs the workload until the power goes; undefined where it went through. */
async function runUntil(cutAt: number): Promise<{ disk: Disk; history: History } | undefined> {
  const disk = new Disk()
  const history = new History()
  disk.cutAt = cutAt
  const store = docstore(file({ dir: '/data/store', fs: disk.fileSystem() }))
  try {
    await runWorkload(store, history)
    return undefined
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error
    return { disk, history }
  }
}

async function checkAfter(disk: Disk, history: History): Promise<void> {
  const store = docstore(file({ dir: '/data/store', fs: disk.fileSystem() }))
  const found = new Map<string, State>()
  for (const key of keys) {
    const state = await look(store, key)
    if (!history.allows(key, state))
      throw new Error(`${key} is ${state}, acknowledged ${history.acknowledged.get(key)}`)
    found.set(key, state)
  }
  const present = keys.filter((key) => found.get(key) !== undefined).sort()
  expect((await store.list()).items.map((item) => item.key)).toEqual(present)
  // And it is a store like any other.
  for (const key of keys) {
    const current = await store.get(key, { body: false })
    await store.put(key, body(9), { type: 'test/9', if: current?.rev ?? null })
    expect(await look(store, key)).toBe(9)
  }
  await store.close()
}

describe('file({ dir }) and the loss of power', () => {
  it('loses nothing acknowledged and mixes nothing, at whichever call the power goes', async () => {
    let cuts = 0
    for (let cutAt = 0; ; cutAt++) {
      if ((await runUntil(cutAt)) === undefined) break
      for (const [variant, loss] of losses.entries()) {
        const { disk, history } = (await runUntil(cutAt))!
        const random = createRandom(cutAt * 16 + variant)
        await checkAfter(disk.crash(loss, random), history).catch((error: unknown) => {
          throw new Error(`cut at call ${cutAt}, ${loss}`, { cause: error })
        })
      }
      cuts++
    }
    expect(cuts).toBeGreaterThan(150)
  }, 60_000)

  it('sweeps what the writers of the past left', async () => {
    for (let cutAt = 0; ; cutAt++) {
      const crashed = await runUntil(cutAt)
      if (!crashed) break
      const disk = crashed.disk.crash('kept', Math.random)
      const store = docstore(file({ dir: '/data/store', fs: disk.fileSystem() }))
      const { items } = await store.list()
      expect(disk.names('/data/store/bodies').sort()).toEqual(items.map(({ rev }) => rev).sort())
      expect(disk.names('/data/store/staging')).toEqual([])
    }
  }, 60_000)

  it('is a model that tells: without any sync, acknowledged writes are lost', async () => {
    const disk = new Disk()
    const fs = disk.fileSystem()
    const careless = {
      ...fs,
      open: async (path: string, flags: 'r' | 'wx') => ({
        ...(await fs.open(path, flags)),
        sync: async () => undefined,
      }),
    }
    await docstore(file({ dir: '/data/store', fs: careless })).put('a', body(1))
    const found = docstore(file({ dir: '/data/store', fs: disk.crash('dropped', Math.random).fileSystem() }))
    expect(await found.get('a')).toBeUndefined()
  })
})

describe('file({ dir }) in several processes', () => {
  /** Drivers of their own, over one disk, whose calls come in an order that the seed decides. */
  function createStores(seed: number, count: number): { stores: Store[]; disk: Disk } {
    const disk = new Disk()
    const random = createRandom(seed)
    disk.pause = async () => {
      for (let turns = Math.floor(random() * 12); turns > 0; turns--) await Promise.resolve()
    }
    return {
      stores: Array.from({ length: count }, () => docstore(file({ dir: '/data/store', fs: disk.fileSystem() }))),
      disk,
    }
  }

  const succeeds = async (work: Promise<unknown>): Promise<boolean> => {
    try {
      return (await work) !== false
    } catch (error) {
      if ((error as { code?: string }).code !== 'conflict') throw error
      return false
    }
  }

  const count = async (works: ReadonlyArray<Promise<unknown>>): Promise<number> =>
    (await Promise.all(works.map(succeeds))).filter(Boolean).length

  it('has one winner, whatever the interleaving', async () => {
    for (let seed = 1; seed <= 150; seed++) {
      const { stores } = createStores(seed, 5)
      const [one] = stores as [Store]
      expect(await count(stores.map((store) => store.put('a', body(1), { if: null })))).toBe(1)
      const { rev } = (await one.get('a', { body: false }))!
      expect(
        await count(
          stores.map((store, index) =>
            index % 2 ? store.delete('a', { if: rev }) : store.put('a', body(2), { if: rev }),
          ),
        ),
      ).toBe(1)
      await one.put('a', body(3))
      expect(await count(stores.map((store) => store.delete('a')))).toBe(1)
    }
  }, 30_000)

  it('loses no update, through deletions and new creations', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { stores } = createStores(seed, 4)
      let expected = 0
      await Promise.all(
        stores.map(async (store) => {
          for (let wins = 0; wins < 5;) {
            const doc = await store.get('a')
            const current = doc ? Number(Buffer.from(await bytes(doc)).toString()) : 0
            if (!(await succeeds(store.put('a', String(current + 1), { if: doc?.rev ?? null })))) continue
            wins++
            expected++
            if (wins === 3) {
              const next = await store.get('a', { body: false })
              const value = next && (await store.get('a'))
              if (value && value.rev === next.rev && (await succeeds(store.delete('a', { if: value.rev })))) {
                expected -= Number(Buffer.from(await bytes(value)).toString())
              }
            }
          }
        }),
      )
      const last = await stores[0]!.get('a')
      expect(last ? Number(Buffer.from(await bytes(last)).toString()) : 0).toBe(expected)
    }
  }, 30_000)

  it('keeps readers and lists whole under writers', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { stores } = createStores(seed, 3)
      const [writer, reader, other] = stores as [Store, Store, Store]
      await writer.put('a', body(1), { type: 'test/1' })
      await other.put('Z', body(1), { type: 'test/1' })
      let writing = true
      const write = async (): Promise<void> => {
        for (let version = 2; version < 9; version++) {
          await writer.put('a', body(version), { type: `test/${version}` })
          await other.put('b', '')
          await other.delete('b')
        }
        writing = false
      }
      const watch = async (): Promise<void> => {
        while (writing) {
          expect(await look(reader, 'a')).toBeGreaterThan(0)
          const listed = (await reader.list()).items.map(({ key }) => key)
          expect(listed.filter((key) => key !== 'b')).toEqual(['Z', 'a'])
        }
      }
      await Promise.all([write(), watch()])
    }
  }, 30_000)
})
