import { isDeepStrictEqual } from 'node:util'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { cleanUp, createDirectory, start, type Running } from './support/launch'
import { type Book, bookOf, Ledger } from './support/ledger'

const kills = Number(process.env.KUMU_KILLS ?? 3)
const mounts = ['/files', '/level']

afterEach(cleanUp)

describe.each([
  ['embedded stores', () => ''],
  ['level', (dir: string) => `level:${join(dir, 'level')}`],
  ['sqlite', (dir: string) => `sqlite:${join(dir, 'showcase.db')}`],
  ['file', (dir: string) => `file:${join(dir, 'file')}`],
])('the showcase on %s, killed while 8 clients write to /books', (name, toUrl) => {
  it(
    `loses no write that was acknowledged and tears none, over ${kills} kills`,
    async () => {
      const DATA_DIR = createDirectory()
      const environment = { DATA_DIR, STORE_URL: toUrl(DATA_DIR) }
      const ledgers = Array.from({ length: 8 }, (_, index) => new Ledger(`client ${index}, book`))
      for (let kill = 0; kill < kills; kill++) {
        const served = await start(environment)
        expect(await lookAt(served, ledgers)).toEqual([])
        await visitMounts(served, kill)
        await writeUntilKilled(served, ledgers, 20 + Math.floor(Math.random() * 200))
        expect(served.err()).toBe('')
      }
      const last = await start(environment)
      expect(await lookAt(last, ledgers)).toEqual([])
      await visitMounts(last, kills)
      const acknowledged = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0)
      expect(acknowledged).toBeGreaterThanOrEqual(kills * 20)
      if (process.env.KUMU_KILLS) {
        process.stdout.write(`${name}: ${kills} kills, ${acknowledged} acknowledged writes, none lost, none torn\n`)
      }
    },
    60_000 + kills * 15_000,
  )
})

/** Ends the process, once so many writes were acknowledged, with others under way. */
async function writeUntilKilled(served: Running, ledgers: readonly Ledger[], writes: number): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  let left = writes
  const count = (): void => {
    if (--left === 0) served.process.kill('SIGKILL')
  }
  await Promise.all(ledgers.map((ledger) => ledger.writeUntilBroken(served, agent, count)))
  await served.exit
  agent.destroy()
}

/** What is wrong with what is stored, for people. */
async function lookAt(served: Running, ledgers: readonly Ledger[]): Promise<string[]> {
  const faults: string[] = []
  const stored = new Map<string, { book: Book; etag: string }>()
  const list = await served.ask('GET', '/books?limit=1000')
  // All of them, not a part.
  expect(list.status).toBe(200)
  for (const listed of list.json<Array<Book & { id: string }>>()) {
    const answer = await served.ask('GET', `/books/${listed.id}`)
    if (answer.status !== 200) {
      faults.push(`${listed.id} is listed, and reading it is ${answer.status}`)
      continue
    }
    const { id, ...book } = answer.json<Book & { id: string }>()
    const whole = { id, ...bookOf(book.title) }
    if (!isDeepStrictEqual({ id, ...book }, whole) || !isDeepStrictEqual(listed, whole)) faults.push(`${id} is torn`)
    const etag = String(answer.headers.etag)
    stored.set(id, { book, etag })
    if (ledgers.some((ledger) => ledger.knows(id) || ledger.adopt(id, book, etag))) continue
    faults.push(`${id} is ${book.title}, which nobody can have left there`)
  }
  return [...faults, ...ledgers.flatMap((ledger) => ledger.reconcile(stored))]
}

/** The other stores have come up as well, with what was acknowledged before the kill. */
async function visitMounts(served: Running, round: number): Promise<void> {
  for (const mount of mounts) {
    const read = await served.ask('GET', `${mount}/round`)
    expect([mount, read.status, round === 0 || read.text]).toEqual([
      mount,
      round === 0 ? 404 : 200,
      round === 0 || `round ${round - 1}`,
    ])
    const put = await served.ask('PUT', `${mount}/round`, { body: `round ${round}` })
    expect(put.status).toBe(round === 0 ? 201 : 204)
  }
}
