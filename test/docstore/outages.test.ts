import { setTimeout as delay } from 'node:timers/promises'
import { type Change, docstore, type Driver, type Store } from 'kumu/docstore'
import { nats } from '../../src/docstore/drivers/nats'
import { redis } from '../../src/docstore/drivers/redis'
import { createBuckets } from './support/nats'
import { createProxy, type Proxy } from './support/proxy'
import { createPrefixes } from './support/redis'
import { describeWithService } from './support/services'

/** What a feed has said so far; it ends with the store. */
function record(store: Store, since?: string): Change[] {
  const changes: Change[] = []
  void (async () => {
    for await (const change of store.watch({ since })) changes.push(change)
  })()
  return changes
}

async function until(isSo: () => boolean): Promise<void> {
  for (let turns = 0; !isSo(); turns++) {
    if (turns > 500) throw new Error('It does not come to that')
    await delay(20)
  }
}

function itSurvivesOutages(url: string, createName: () => string, open: (url: string, name: string) => Driver): void {
  let proxy: Proxy
  let store: Store
  let direct: Store

  beforeEach(async () => {
    proxy = await createProxy(url)
    const name = createName()
    store = docstore(open(proxy.url, name))
    direct = docstore(open(url, name))
    await direct.put('first', '')
  })

  afterEach(async () => {
    await store.close()
    await direct.close()
    await proxy.close()
  })

  it('fails what is in flight, once and for all, and goes on by itself', async () => {
    const changes = record(direct)
    // A store's own writes wait for its feed to stand; those of others do not.
    await direct.put('first', '')
    await store.put('before', '')
    proxy.mute(true)
    const lost = Array.from({ length: 5 }, (_, index) => store.put(`lost-${index}`, 'x'))
    const results = Promise.allSettled(lost)
    await delay(100)
    proxy.cut()
    for (const result of await results) expect(result).toMatchObject({ reason: { name: 'ConnectionLost' } })
    proxy.mute(false)
    await store.put('after', '', { if: null })
    await delay(200)
    await until(() => changes.some(({ key }) => key === 'after'))
    const keys = changes.map(({ key }) => key)
    // Here they were done: the answer was lost. None was sent again.
    expect([...keys].sort()).toEqual(['after', 'before', 'first', 'lost-0', 'lost-1', 'lost-2', 'lost-3', 'lost-4'])
  })

  it('does each acknowledged write once, and each failed one at most once', async () => {
    const changes = record(direct)
    await direct.put('first', '')
    const outcomes = new Map<string, boolean>()
    let number = 0
    const writers = Array.from({ length: 8 }, async () => {
      while (number < 1500) {
        const key = `k${number++}`
        outcomes.set(
          key,
          await store.put(key, 'x', { if: null }).then(
            () => true,
            (error: Error) => {
              expect(error.name).toBe('ConnectionLost')
              return false
            },
          ),
        )
      }
    })
    const cutting = setInterval(() => proxy.cut(), 25)
    await Promise.all(writers)
    clearInterval(cutting)
    await direct.put('last', '')
    await until(() => changes.some(({ key }) => key === 'last'))
    const counts = new Map<string, number>()
    for (const { key } of changes) counts.set(key, (counts.get(key) ?? 0) + 1)
    expect([...outcomes.values()]).toContain(true)
    expect([...outcomes.values()]).toContain(false)
    for (const [key, acknowledged] of outcomes) {
      if (acknowledged) expect([key, counts.get(key)]).toEqual([key, 1])
      else expect(counts.get(key) ?? 0).toBeLessThanOrEqual(1)
    }
  }, 30_000)

  it('fails at once where nobody answers, and does nothing of it later', async () => {
    await store.get('first')
    proxy.refuse(true)
    proxy.cut()
    await delay(50)
    const start = performance.now()
    await expect(store.put('never', '')).rejects.toMatchObject({ name: 'ConnectionLost' })
    await expect(store.get('first')).rejects.toMatchObject({ name: 'ConnectionLost' })
    await expect(store.list()).rejects.toMatchObject({ name: 'ConnectionLost' })
    await expect(store.ping()).rejects.toMatchObject({ name: 'ConnectionLost' })
    expect(performance.now() - start).toBeLessThan(5000)
    proxy.refuse(false)
    expect((await store.get('first'))?.key).toBe('first')
    await delay(200)
    expect((await store.list()).items.map(({ key }) => key)).toEqual(['first'])
  })

  it('goes on with a feed where it stood, whatever happened meanwhile', async () => {
    const changes = record(store)
    await store.put('start', '')
    const written: string[] = []
    for (let round = 0; round < 6; round++) {
      for (let index = 0; index < 10; index++) written.push((await direct.put(`k${index}`, '')).rev)
      if (round === 2) proxy.refuse(true)
      proxy.cut()
      for (let index = 0; index < 5; index++) written.push((await direct.put(`k${index}`, '')).rev)
      if (round === 4) proxy.refuse(false)
      await delay(round * 20)
    }
    await until(() => changes.at(-1)?.rev === written.at(-1))
    expect(changes.slice(1).map(({ rev }) => rev)).toEqual(written)
  })

  it('lists all that there is after an outage', async () => {
    expect((await store.list()).items).toHaveLength(1)
    proxy.cut()
    await direct.put('second', '')
    await direct.delete('first')
    const keys = async (): Promise<string[]> => (await store.list()).items.map(({ key }) => key)
    // The first call may meet the connection that is just going.
    expect(await keys().catch(keys)).toEqual(['second'])
  })

  it('does not mind a connection that goes while nobody uses it', async () => {
    await store.get('first')
    for (let times = 0; times < 3; times++) {
      proxy.cut()
      await delay(30)
      expect((await store.get('first'))?.key).toBe('first')
    }
  })
}

describeWithService('redis', (url) => {
  itSurvivesOutages(url, createPrefixes(url), (address, prefix) => redis({ url: address, prefix }))
})

describeWithService('nats', (url) => {
  itSurvivesOutages(url, createBuckets(url), (servers, bucket) => nats({ servers, bucket }))
})
