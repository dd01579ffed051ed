import type { Agent } from 'node:http'
import type { Answer } from '../../support/serve'
import type { Running } from './launch'

/** A book as it is sent. */
export interface Book {
  readonly isbn: string
  readonly title: string
  readonly year: number
  readonly authors: readonly string[]
}

interface Entry {
  /** What was acknowledged; nothing where that was the deletion. */
  book: Book | undefined
  etag: string
  /** What was sent and not answered: it may have happened. */
  pending?: { readonly book: Book | undefined }
}

const isbn = '978-3-16-148410-0'

/** The book of a title: what is stored under the title is this to the last byte, or it is torn. */
export function bookOf(title: string): Book {
  const number = Number(/\d+$/.exec(title)?.[0])
  const authors = Array.from({ length: 1 + (number % 20) }, (_, index) =>
    `${title}/${index}`.padEnd((number * 37) % 3000),
  )
  return { isbn, title, year: number % 10_000, authors }
}

/** One client that writes books of its own, one request after the other, and remembers what it was promised. */
export class Ledger {
  readonly #name: string
  readonly #entries = new Map<string, Entry>()
  #posted: Book | undefined
  #number = 0
  acknowledged = 0

  constructor(name: string) {
    this.#name = name
  }

  /** Writes until the connection breaks. */
  async writeUntilBroken(served: Running, agent: Agent, onAcknowledged: () => void): Promise<void> {
    for (;;) {
      try {
        await this.#write(served, agent)
      } catch (error) {
        if (served.process.killed) return
        throw error
      }
      this.acknowledged++
      onAcknowledged()
    }
  }

  async #write(served: Running, agent: Agent): Promise<void> {
    const number = ++this.#number
    const book = bookOf(`${this.#name} ${number}`)
    const own = [...this.#entries].filter(([, { book: stored }]) => stored)
    const [id, entry] = own[number % Math.max(own.length, 1)] ?? []
    if (!id || !entry || own.length < 4 || number % 4 === 0) {
      this.#posted = book
      const created = assertStatus(201, await served.ask('POST', '/books', { body: book, agent }))
      this.#posted = undefined
      this.#entries.set(created.json<{ id: string }>().id, { book, etag: String(created.headers.etag) })
    } else if (own.length > 20 || number % 7 === 0) {
      entry.pending = { book: undefined }
      assertStatus(204, await served.ask('DELETE', `/books/${id}`, { agent }))
      entry.book = entry.pending = undefined
    } else {
      entry.pending = { book }
      const headers: Record<string, string> = number % 2 ? { 'If-Match': entry.etag } : {}
      const replaced = assertStatus(200, await served.ask('PUT', `/books/${id}`, { body: book, headers, agent }))
      Object.assign(entry, { book, etag: String(replaced.headers.etag), pending: undefined })
    }
  }

  /** Whether a stored book can be one of this client's that was posted without an answer; it is one from now on. */
  adopt(id: string, book: Book, etag: string): boolean {
    if (this.#posted?.title !== book.title) return false
    this.#entries.set(id, { book, etag })
    this.#posted = undefined
    return true
  }

  /** What was lost, for people: compares what was promised with what is there, and goes on from the latter. */
  reconcile(stored: ReadonlyMap<string, { readonly book: Book; readonly etag: string }>): string[] {
    const faults: string[] = []
    this.#posted = undefined
    for (const [id, entry] of this.#entries) {
      const now = stored.get(id)
      const possible = [entry.book, ...(entry.pending ? [entry.pending.book] : [])].map((book) => book?.title)
      if (!possible.includes(now?.book.title)) {
        faults.push(
          `${id} is ${now?.book.title ?? 'absent'}, and ${possible.map((each) => each ?? 'absent').join(' or ')} was promised`,
        )
      }
      if (now) this.#entries.set(id, now)
      else this.#entries.delete(id)
    }
    return faults
  }

  knows(id: string): boolean {
    return this.#entries.has(id)
  }
}

function assertStatus(status: number, answer: Answer): Answer {
  if (answer.status !== status) throw new Error(`${status} was due, and it is ${answer.status}: ${answer.text}`)
  return answer
}
