import { Agent } from 'node:http'
import { openEvents } from '../support/exchange'
import type { Answer } from '../support/serve'
import { describeWithSharedEngines } from './support/engines'
import { cleanUp, start, type Running } from './support/launch'

const rounds = Number(process.env.KUMU_ROUNDS ?? 50)
const writers = 16

const book = { isbn: '978-3-16-148410-0', title: 'Trees', year: 2009, authors: ['Ada', 'Bob'] }

describeWithSharedEngines(({ environment, hasFeed }) => {
  let one: Running
  let other: Running

  // Both begin at once: what the engine has to have is made by either of them.
  beforeAll(async () => {
    ;[one, other] = await Promise.all([start(environment), start(environment)])
  })

  afterAll(async () => {
    await cleanUp()
    expect([one.err(), other.err()]).toEqual(['', ''])
  })

  describe('two showcases are one service', () => {
    it('what one writes the other reads, with the same entity tag', async () => {
      const [created, second] = await Promise.all([
        one.ask('POST', '/books', { body: book }),
        other.ask('POST', '/books', { body: { ...book, title: 'Leaves' } }),
      ])
      expect([created.status, second.status]).toEqual([201, 201])
      const path = String(created.headers.location)
      const read = await other.ask('GET', path)
      expect([read.status, read.text, read.headers.etag]).toEqual([200, created.text, created.headers.etag])
      const lists = await Promise.all([one, other].map((each) => each.ask('GET', '/books?sort=title')))
      expect(lists.map((list) => list.json<{ title: string }[]>().map(({ title }) => title))).toEqual([
        ['Leaves', 'Trees'],
        ['Leaves', 'Trees'],
      ])

      expect((await other.ask('DELETE', path)).status).toBe(204)
      expect((await one.ask('GET', path)).status).toBe(404)
      expect((await one.ask('DELETE', String(second.headers.location))).status).toBe(204)
      expect((await other.ask('GET', '/books')).json()).toEqual([])
    })

    it('an entity tag that the other has outdated is 412', async () => {
      const created = await one.ask('POST', '/books', { body: book })
      const path = String(created.headers.location)
      const etag = String(created.headers.etag)
      const headers = { 'If-Match': etag }
      const replaced = await other.ask('PUT', path, { body: { ...book, title: 'Trunks' }, headers })
      expect(replaced.status).toBe(200)
      const merge = { ...headers, 'Content-Type': 'application/merge-patch+json' }
      for (const late of [
        await one.ask('PUT', path, { body: book, headers }),
        await one.ask('PATCH', path, { body: { title: 'Twigs' }, headers: merge }),
        await one.ask('DELETE', path, { headers }),
      ]) {
        expect([late.status, late.headers.etag]).toEqual([412, replaced.headers.etag])
      }
      const unchanged = await one.ask('GET', path, { headers: { 'If-None-Match': String(replaced.headers.etag) } })
      expect(unchanged.status).toBe(304)
      await one.ask('DELETE', path)
    })

    it('an Idempotency-Key counts for both', async () => {
      const headers = { 'Idempotency-Key': 'one-for-both' }
      const created = await one.ask('POST', '/books', { body: book, headers })
      const again = await other.ask('POST', '/books', { body: book, headers })
      expect([again.status, again.text, again.headers.etag]).toEqual([201, created.text, created.headers.etag])
      expect((await other.ask('POST', '/books', { body: { ...book, year: 1 }, headers })).status).toBe(422)
      expect((await other.ask('GET', '/books')).json()).toHaveLength(1)
      await one.ask('DELETE', String(created.headers.location))
    })

    it('documents of one mount are not those of another', async () => {
      const mounts = ['/memory', '/files', '/level']
      for (const mount of mounts) {
        expect((await one.ask('PUT', `${mount}/a`, { body: `in ${mount}` })).status).toBe(201)
      }
      for (const mount of mounts) expect((await other.ask('GET', `${mount}/a`)).text).toBe(`in ${mount}`)
      expect((await one.ask('GET', '/books')).json()).toEqual([])
      for (const mount of mounts) expect((await other.ask('DELETE', `${mount}/a`)).status).toBe(204)
    })

    it('the feed of one tells of what the other writes', async () => {
      const feed = await openEvents(one.port, '/books?watch')
      expect(feed.status).toBe(hasFeed ? 200 : 501)
      if (!hasFeed) return feed.leave()
      const created = await other.ask('POST', '/books', { body: book })
      const path = String(created.headers.location)
      const { id } = created.json<{ id: string }>()
      const first = await feed.next()
      expect([first?.event, JSON.parse(first?.data ?? '')]).toMatchObject(['put', { key: id, value: { id, ...book } }])
      feed.leave()

      // What was missed meanwhile is made up for by either of the two.
      await other.ask('PUT', path, { body: { ...book, title: 'Trunks' } })
      await one.ask('DELETE', path)
      for (const { port } of [one, other]) {
        const resumed = await openEvents(port, '/books?watch', { 'Last-Event-ID': String(first?.id) })
        let event = await resumed.next()
        while (event?.event === 'put') event = await resumed.next()
        expect([event?.event, JSON.parse(event?.data ?? '')]).toMatchObject(['delete', { key: id }])
        resumed.leave()
      }
    })
  })

  describe(`${writers} PUTs at once with the same current If-Match, half of them to each process`, () => {
    it(
      `one is taken, ${writers - 1} are 412, in ${rounds} rounds of ${rounds}`,
      async () => {
        const agents = [one, other].map(() => new Agent({ keepAlive: true }))
        const created = await one.ask('POST', '/books', { body: book })
        const path = String(created.headers.location)
        let etag = String(created.headers.etag)
        for (let round = 0; round < rounds; round++) {
          const answers = await Promise.all(
            Array.from({ length: writers }, (_, writer) => {
              const body = { ...book, title: `round ${round}, writer ${writer}` }
              const options = { body, headers: { 'If-Match': etag }, agent: agents[writer % 2] }
              return (writer % 2 ? other : one).ask('PUT', path, options)
            }),
          )
          expect([round, statusesOf(answers)]).toEqual([round, [200, ...Array<number>(writers - 1).fill(412)]])
          const won = answers.find(({ status }) => status === 200)!
          expect(won.headers.etag).not.toBe(etag)
          etag = String(won.headers.etag)
          for (const each of [one, other]) {
            const now = await each.ask('GET', path)
            expect([now.text, now.headers.etag]).toEqual([won.text, etag])
          }
        }
        for (const agent of agents) agent.destroy()
        await one.ask('DELETE', path)
      },
      30_000 + rounds * 2_000,
    )
  })
})

function statusesOf(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort((a, b) => a - b)
}
