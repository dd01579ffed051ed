import assert from 'node:assert/strict'
import type { Awaitable } from '../types'
import { bytes } from './body'
import type { Can, Change, Doc, Meta } from './driver'
import { StoreError, type StoreErrorCode } from './errors'
import type { Store } from './store'

/** The time as the driver sees it. */
export interface Clock {
  now(): number
  /** @param duration milliseconds */
  advance(duration: number): Awaitable<void>
}

/** What a test is given. */
export interface Bench {
  /** Over an empty store. */
  readonly store: Store
  readonly clock: Clock
  readonly log: number | undefined
  readonly rounds: number
  /** Milliseconds to wait for a change. */
  readonly patience: number
  /** One more store over the same data, where the driver's tests can make one. */
  readonly another: () => Promise<Store | undefined>
}

/** One test of the suite. */
export interface Test {
  readonly title: string
  /** The abilities that it is about: a driver that does not declare them is not tested. Default: every driver is. */
  readonly needs?: (can: Can) => boolean
  /** What only those who run the suite can give; without it the test has nothing to go by. */
  readonly wants?: 'reopen' | 'log'
  readonly run: (bench: Bench) => Promise<void>
}

/** Asserts that it fails with this code; the error. */
export async function assertRefused(code: StoreErrorCode, work: () => unknown): Promise<StoreError> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    assert.equal(error.code, code)
    return error
  }
  assert.fail(`expected a StoreError ${code}`)
}

/** Whether a body can be too large: a store without a bound, or with one too far for a test, has nothing to refuse. */
export function isBounded({ maxBody }: Can): boolean {
  return maxBody <= 256 * 1024 * 1024
}

/** Lets timers and I/O have their turn: a loop over a store in memory would starve them. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Asserts that nothing is stored. */
export async function assertEmpty(store: Store): Promise<void> {
  assert.deepEqual(await store.list(), { items: [] })
}

/** Runs them all at once: what those that succeeded gave, and the conflicts of the others. Any other error is thrown. */
export async function race<T>(
  count: number,
  write: (index: number) => Promise<T>,
): Promise<{ readonly won: T[]; readonly lost: StoreError[] }> {
  const results = await Promise.allSettled(Array.from({ length: count }, (_, index) => write(index)))
  const won: T[] = []
  const lost: StoreError[] = []
  for (const result of results) {
    if (result.status === 'fulfilled') won.push(result.value)
    else if (result.reason instanceof StoreError && result.reason.code === 'conflict') lost.push(result.reason)
    else throw toError(result.reason)
  }
  return { won, lost }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason), { cause: reason })
}

/** The document with its whole body; fails where there is none. */
export async function read(
  store: Store,
  key: string,
  range?: readonly [number, number],
): Promise<Meta & { bytes: Uint8Array }> {
  const doc: Doc | undefined = await store.get(key, { range })
  assert.ok(doc, `${key} is absent`)
  const { body, ...meta } = doc
  return { ...meta, bytes: await bytes({ body }) }
}

/** The whole list, page by page. */
export async function listAll(
  store: Store,
  options: { readonly prefix?: string; readonly limit?: number; readonly reverse?: boolean } = {},
): Promise<Meta[]> {
  const items: Meta[] = []
  let after: string | undefined
  let pages = 0
  do {
    assert.ok(++pages <= 10_000, 'the list does not end')
    const page = await store.list({ ...options, after })
    items.push(...page.items)
    after = page.next
  } while (after !== undefined)
  return items
}

/** A feed whose silence fails the test, and does not hang it. */
export function impatient(feed: AsyncIterable<Change>, patience: number): AsyncIterator<Change> {
  const changes = feed[Symbol.asyncIterator]()
  return {
    async next() {
      let timer: NodeJS.Timeout | undefined
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`the feed says nothing for ${patience} ms`)), patience)
      })
      try {
        return await Promise.race([changes.next(), silence])
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

/** The next changes of a feed; fails where it ends before. */
export async function take(feed: AsyncIterator<Change>, count: number): Promise<Change[]> {
  const changes: Change[] = []
  while (changes.length < count) {
    const result = await feed.next()
    assert.ok(result.done !== true, 'the feed has ended')
    changes.push(result.value)
  }
  return changes
}

/** Bytes that are no text, repeated with a period that fits no chunk: a piece that is missing or displaced shows. */
export function pattern(size: number, seed = 1): Uint8Array {
  const block = new Uint8Array(4099)
  let state = seed | 0
  for (let index = 0; index < block.byteLength; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    block[index] = state >>> 24
  }
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += block.byteLength) bytes.set(block.subarray(0, size - at), at)
  return bytes
}

/** One more store over the same data, for a test that wants it. */
export async function reopened({ another }: Pick<Bench, 'another'>): Promise<Store> {
  const store = await another()
  assert.ok(store, 'there is no `reopen`')
  return store
}

export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
