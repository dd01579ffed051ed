import { setTimeout as delay } from 'node:timers/promises'
import { docstore } from 'kumu/docstore'
import { postgres } from 'kumu/docstore/postgres'
import { describeWithPostgresServer } from '../support/postgres-server'

/** A large body is several statements: none of them may be seen by itself. */
function sizeOf(number: number): number {
  return number % 10 === 0 ? 700_000 : 1000
}

describeWithPostgresServer((create) => {
  it('keeps what it acknowledged, and its feeds, over a kill -9 of the server under load', async () => {
    const server = await create()
    await server.start()
    const store = docstore(postgres({ url: server.url, pool: { max: 8 } }))
    const changes = new Map<string, number>()
    const watching = (async () => {
      for await (const { key } of store.watch()) {
        changes.set(key, (changes.get(key) ?? 0) + 1)
        if (key === 'last') return
      }
    })()
    await store.put('first', '')
    const acknowledged = new Map<string, string>()
    const failed = new Set<string>()
    let isLoaded = true
    let strange: unknown
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let number = 0; isLoaded; number++) {
        const key = `k${writer}-${number}`
        try {
          const body = new Uint8Array(sizeOf(number)).fill(writer)
          acknowledged.set(key, (await store.put(key, body, { if: null })).rev)
        } catch (error) {
          if (!String(error).includes('The connection to PostgreSQL failed')) strange ??= error
          failed.add(key)
          await delay(200)
        }
      }
    })
    const untilMore = async (): Promise<void> => {
      const before = acknowledged.size
      for (let turns = 0; acknowledged.size < before + 40; turns++) {
        if (turns > 5000) throw new Error(`Only ${acknowledged.size} writes, ${failed.size} failed: ${String(strange)}`)
        await delay(10)
      }
    }
    try {
      for (let kill = 0; kill < 3; kill++) {
        await untilMore()
        await server.kill()
        await server.start()
      }
      await untilMore()
    } finally {
      isLoaded = false
      await Promise.all(writers)
    }
    expect(strange).toBeUndefined()
    expect(failed.size).toBeGreaterThan(0)
    for (const [key, rev] of acknowledged) {
      const { body, ...meta } = (await store.get(key, { range: [0, 0] }))!
      if (!(body instanceof Uint8Array)) await body.cancel()
      expect(meta).toMatchObject({ rev, size: sizeOf(Number(key.split('-')[1])) })
    }
    // What failed was done, or it was not: never both, never in part.
    for (const key of failed) {
      const meta = await store.get(key, { body: false })
      const created = await store.put(key, 'again', { if: null }).then(
        () => true,
        () => false,
      )
      expect([key, created]).toEqual([key, meta === undefined])
    }
    await store.put('last', '')
    await watching
    for (const key of acknowledged.keys()) expect([key, changes.get(key)]).toEqual([key, expect.any(Number)])
    await store.close()
  }, 120_000)
})
