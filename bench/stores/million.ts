import { deepStrictEqual } from 'node:assert'
import { docstore, type Driver, type Query, type Store } from 'kumu/docstore'
import { median } from '../harness/statistics'

/** A large collection in one engine: Kumu's, and beside it a table as one would make it by hand, with the same documents. */
export interface Large {
  /** Opens the driver; the members in `index` get their indexes, where they have none yet. */
  open(index: readonly string[]): Driver
  /** Fills the table by hand from the documents that the driver has stored, and indexes it. */
  copy(): Promise<void>
  /** The keys and values that a query by hand gives, parsed. */
  ask(page: HandPage): Promise<readonly HandRow[]>
  /** How many documents there are, counted by hand. */
  count(): Promise<number>
  clean(): unknown
}

/** A row of the table by hand. */
export interface HandRow {
  readonly key: string
  readonly value: unknown
}

/** What a page is made of, for whoever writes it in SQL. */
export interface HandPage {
  readonly limit: number
  /** Documents of this author only. */
  readonly author?: string
  /** Ordered by this member, then by key; else by key alone. */
  readonly sort?: 'author'
  /** Behind this document. */
  readonly after?: { readonly author: string; readonly key: string }
}

/** Milliseconds of both ways, round by round. */
export interface PageSample {
  readonly engine: string
  readonly page: string
  readonly hand: readonly number[]
  readonly kumu: readonly number[]
}

const limit = 100
const batch = 1000

/** Documents of about 150 bytes; a hundred of each author, whatever their number. */
export function makeDocument(number: number, documents: number): { readonly key: string; readonly body: string } {
  const authors = Math.max(1, Math.floor(documents / 100))
  const value = {
    title: `The book of number ${number}`,
    author: authorOf((number * 7919) % authors),
    year: 1900 + (number % 120),
    pages: 100 + (number % 700),
    language: ['en', 'de', 'fr', 'it'][number % 4],
    inStock: number % 3 === 0,
  }
  return { key: keyOf(number), body: JSON.stringify(value) }
}

/**
 * Loads the documents in batches of the store, has the index made afterwards, and measures pages of `store.query`, as a
 * collection asks for them, by turns with SQL by hand.
 *
 * @throws Error where the two do not find the same
 */
export async function measureLarge(
  engine: string,
  large: Large,
  documents: number,
  rounds: number,
): Promise<readonly PageSample[]> {
  try {
    await load(docstore(large.open([])), documents)
    const store = docstore(large.open(['author']))
    await store.ping()
    await large.copy()
    try {
      return await measurePages(engine, large, store, documents, rounds)
    } finally {
      await store.close()
    }
  } finally {
    await large.clean()
  }
}

async function load(store: Store, documents: number): Promise<void> {
  for (let from = 0; from < documents; from += batch) {
    const numbers = Array.from({ length: Math.min(batch, documents - from) }, (_, index) => from + index)
    const type = 'application/json'
    await store.batch(numbers.map((number) => ({ op: 'put', type, ...makeDocument(number, documents) })))
  }
  await store.close()
}

async function measurePages(
  engine: string,
  large: Large,
  store: Store,
  documents: number,
  rounds: number,
): Promise<readonly PageSample[]> {
  const nearEnd = keyOf(documents - limit - 1)
  const authors = Math.max(1, Math.floor(documents / 100))
  const lastAuthor = authorOf(authors - 1)
  const author = authorOf(Math.floor(authors / 2))
  const sort = [{ name: 'author', descending: false }]
  const pages: ReadonlyArray<readonly [page: string, query: Omit<Query, 'limit'>, hand: Omit<HandPage, 'limit'>]> = [
    ['first page', {}, {}],
    ['by cursor at the end', { after: { values: [], key: nearEnd } }, { after: { author: '', key: nearEnd } }],
    ['indexed filter', { where: { author: [author] } }, { author }],
    ['first page in an indexed order', { sort }, { sort: 'author' }],
    [
      'in that order, by cursor at the end',
      { sort, after: { values: [lastAuthor], key: keyOf(0) } },
      { sort: 'author', after: { author: lastAuthor, key: keyOf(0) } },
    ],
  ]
  const samples: PageSample[] = []
  for (const [page, query, hand] of pages) {
    const byKumu = async (): Promise<readonly HandRow[]> =>
      (await store.query({ ...query, limit })).items.map(({ meta, value }) => ({ key: meta.key, value }))
    const byHand = (): Promise<readonly HandRow[]> => large.ask({ ...hand, limit })
    deepStrictEqual(await byKumu(), await byHand())
    samples.push({ engine, page, ...(await alternate(byHand, byKumu, rounds)) })
  }
  const count = async (): Promise<number | undefined> => (await store.query({ limit: 0, count: true })).total
  deepStrictEqual(await count(), await large.count())
  const few = Math.max(3, Math.floor(rounds / 20))
  samples.push({ engine, page: 'count of all', ...(await alternate(() => large.count(), count, few)) })
  return samples
}

async function alternate(
  hand: () => Promise<unknown>,
  kumu: () => Promise<unknown>,
  rounds: number,
): Promise<{ readonly hand: readonly number[]; readonly kumu: readonly number[] }> {
  const times = { hand: [] as number[], kumu: [] as number[] }
  for (let round = -3; round < rounds; round++) {
    const order =
      round % 2 === 0
        ? [['hand', hand] as const, ['kumu', kumu] as const]
        : [['kumu', kumu] as const, ['hand', hand] as const]
    for (const [side, run] of order) {
      const begun = performance.now()
      await run()
      // The first ones open, plan and fill caches.
      if (round >= 0) times[side].push(performance.now() - begun)
    }
  }
  return times
}

/** Medians; the ratio is that of the rounds. */
export function largeSummary({ hand, kumu }: Pick<PageSample, 'hand' | 'kumu'>): {
  readonly hand: number
  readonly kumu: number
  readonly ratio: number
} {
  const ratio = median(kumu.map((time, round) => time / hand[round]!))
  return { hand: median(hand), kumu: median(kumu), ratio }
}

function keyOf(number: number): string {
  return `book-${String(number).padStart(8, '0')}`
}

function authorOf(number: number): string {
  return `Author ${String(number).padStart(6, '0')}`
}
