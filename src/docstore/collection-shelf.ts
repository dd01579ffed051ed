import { setTimeout as pause } from 'node:timers/promises'
import { Gone, NoSuchResource, ResourceExists } from '../errors'
import { bytes } from './body'
import { isRecord, type Value } from './collection-form'
import type { Cond, Meta } from './driver'
import { isJsonType, parseDocument } from './query'
import { isConflict, tombstone } from './revision'
import type { Store } from './store'

/** Keys that begin so are of answers kept for `Idempotency-Key`, not of documents. */
export const reserved = '_idempotency_'

/** The type under which documents are stored. */
export const documentType = 'application/json'

/** A document with its metadata. */
export interface Found {
  readonly meta: Meta
  readonly value: Value
}

/** The documents of a collection in their store. */
export class Shelf {
  constructor(
    readonly store: Store,
    /** Whether something of a deleted document is left, and answers 410. */
    readonly tombstones: boolean,
  ) {}

  /**
   * The document of a key.
   *
   * @throws NoSuchResource, Gone; StoreError bad-key
   */
  async read(key: string): Promise<Found> {
    const found = await this.peek(key)
    if (found && 'value' in found) return found
    throw this.absence(found?.meta)
  }

  /** The document of a key, the metadata of what stands there in its place, or nothing. */
  async peek(key: string): Promise<Found | { readonly meta: Meta } | undefined> {
    const doc = key.startsWith(reserved) ? undefined : await this.store.get(key)
    if (!doc) return undefined
    const { body, ...meta } = doc
    if (!isJsonType(meta.type)) {
      if (!(body instanceof Uint8Array)) await body.cancel()
      return { meta }
    }
    const value = parseDocument(await bytes({ body }))?.value
    return isRecord(value) ? { meta, value } : { meta }
  }

  /** The metadata of what stands under a key, a tombstone too. */
  async look(key: string): Promise<Meta | undefined> {
    return key.startsWith(reserved) ? undefined : this.store.get(key, { body: false })
  }

  /** The metadata of a document; nothing where only a tombstone stands. */
  live(meta: Meta | undefined): Meta | undefined {
    return meta && this.#isGone(meta) ? undefined : meta
  }

  /** What is said where there is no document. */
  absence(meta: Meta | undefined): Gone | NoSuchResource {
    return meta && this.#isGone(meta) ? new Gone() : new NoSuchResource()
  }

  put(key: string, body: string, condition: Cond, more: { expires?: number; type?: string } = {}): Promise<Meta> {
    return this.store.put(key, body, { type: documentType, ...more, if: condition })
  }

  /** Whether there was one. */
  async remove(key: string, condition: Cond): Promise<boolean> {
    if (!this.tombstones) return this.store.delete(key, { if: condition })
    await this.store.put(key, '', { type: tombstone, if: condition })
    return true
  }

  #isGone({ type }: Pick<Meta, 'type'>): boolean {
    return this.tombstones && type === tombstone
  }
}

const mostTries = 100

/**
 * Reads, decides and writes until nobody was faster: what is written is always made of what it replaces.
 *
 * @param attempt reads anew each time, and writes under the condition of what it read
 * @throws ResourceExists where others were faster a hundred times
 */
export async function untilWritten<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; tries <= mostTries; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error)) throw error
    }
    // Those who collide would do so again if all of them waited as long.
    if (tries > 2) await pause(Math.random() * Math.min(2 ** tries, 50))
  }
  throw new ResourceExists('Too many write this document at once', {
    code: 'contention',
    headers: { 'Retry-After': '1' },
  })
}
