import { bytes } from './body'
import type { Driver, DriverQuery, Meta, QueryPage, QueryValue } from './driver'
import { compareSortValues, hasValues, parseDocument, sortValues } from './query'
import { takesPart } from './query-tokens'

interface Found {
  readonly meta: Meta
  readonly value: unknown
}

/** A document that was seen, without its value: those of a whole store may not fit into memory. */
interface Place {
  readonly values: readonly QueryValue[]
  readonly key: string
}

const pageOfKeys = 100

/** What a driver without queries answers: all documents are read, and as many places kept as the page reaches to. */
export async function scan(driver: Driver, query: DriverQuery): Promise<QueryPage> {
  if (driver.can.order && query.sort.length === 0 && !query.count) return scanInOrder(driver, query)
  const kept = new Places(query, query.offset + query.limit + 1)
  let total = 0
  for await (const { meta, value } of passing(driver, query)) {
    total++
    kept.add({ values: sortValues(value, query.sort), key: meta.key })
  }
  const page = kept.sorted().slice(query.offset)
  const items: Found[] = []
  for (const { key } of page.slice(0, query.limit)) {
    // Read again; what ceased to pass in between is no longer wanted.
    const found = await findOne(driver, query, key)
    if (found) items.push(found)
  }
  return { items, ...(query.count ? { total } : {}), more: page.length > query.limit }
}

/** Keys come in the order that is asked for: it ends where the page does. */
async function scanInOrder(driver: Driver, query: DriverQuery): Promise<QueryPage> {
  const items: Found[] = []
  let skipped = 0
  for await (const found of passing(driver, query, query.after?.key)) {
    if (skipped++ < query.offset) continue
    if (items.length === query.limit) return { items, more: true }
    items.push(found)
  }
  return { items, more: false }
}

/** The first places of an order, out of any number. */
class Places {
  readonly #query: DriverQuery
  readonly #wanted: number
  #places: Place[] = []

  constructor(query: DriverQuery, wanted: number) {
    this.#query = query
    this.#wanted = wanted
  }

  add(place: Place): void {
    const { after } = this.#query
    if (after && this.#compare(place, after) <= 0) return
    this.#places.push(place)
    if (this.#places.length > 2 * this.#wanted + 1000) this.#places = this.sorted()
  }

  sorted(): Place[] {
    return this.#places.sort((left, right) => this.#compare(left, right)).slice(0, this.#wanted)
  }

  #compare(left: Place, right: Place): number {
    const difference = compareSortValues(left.values, right.values, this.#query.sort)
    return difference || (left.key < right.key ? -1 : left.key > right.key ? 1 : 0)
  }
}

async function* passing(driver: Driver, query: DriverQuery, behind?: string): AsyncGenerator<Found> {
  let after = behind
  do {
    const page = await driver.list({ prefix: query.prefix, after, limit: pageOfKeys, reverse: false })
    for (const { key, type, size } of page.items) {
      if (!takesPart(type, size)) continue
      const found = await findOne(driver, query, key)
      if (found) yield found
    }
    after = page.next
  } while (after !== undefined)
}

async function findOne(driver: Driver, query: DriverQuery, key: string): Promise<Found | undefined> {
  const doc = await driver.get(key, {})
  if (!doc) return undefined
  if (!takesPart(doc.type, doc.size)) {
    if (!(doc.body instanceof Uint8Array)) await doc.body.cancel()
    return undefined
  }
  const { body, ...meta } = doc
  const parsed = parseDocument(await bytes({ body }))
  return parsed && hasValues(parsed.value, query.where) ? { meta, value: parsed.value } : undefined
}
