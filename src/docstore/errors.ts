import type { Meta } from './driver'

/** What went wrong in a store: stable words, each with one HTTP status. */
export type StoreErrorCode = 'conflict' | 'unsupported' | 'bad-key' | 'gone' | 'closed' | 'too-large'

const statuses: Readonly<Record<StoreErrorCode, number>> = {
  conflict: 412,
  unsupported: 501,
  'bad-key': 400,
  gone: 410,
  closed: 503,
  'too-large': 413,
}

/**
 * An error that a store throws on purpose. Whatever else comes out of a store is a fault of its backend.
 *
 * @example
 * try { await store.put('a', 'x', { if: null }) }
 * catch (error) { if (error instanceof StoreError && error.code === 'conflict') console.log(error.current?.rev) }
 */
export class StoreError extends Error {
  readonly code: StoreErrorCode
  /** The HTTP status that says the same (RFC 9110 §15). */
  readonly status: number
  /** The messages name keys and options, never a body: they may be sent. */
  readonly expose = true
  /** On a conflict: what is stored now; nothing where the key is absent. */
  readonly current: Meta | undefined

  /**
   * @param code the stable word
   * @param message a sentence for people
   * @param options on a conflict, `current`: the document that is in the way
   */
  constructor(code: StoreErrorCode, message: string, options: { readonly current?: Meta } = {}) {
    super(message)
    this.name = 'StoreError'
    this.code = code
    this.status = statuses[code]
    this.current = options.current
  }
}
