import { setTimeout as delay } from 'node:timers/promises'
import type { Awaitable } from '../types'
import { StoreError } from './errors'

/** The connection to a backend is lost or does not come about. A write that was under way may have been done. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/**
 * A connection that is made when it is needed, shared while it lasts, and made anew after it was lost. Nothing is queued for
 * a later one: what was written to a lost connection fails, and is never sent again behind its caller's back.
 */
export class Link<T> {
  readonly #connect: (onLost: () => void) => Promise<T>
  readonly #disconnect: (connection: T) => Awaitable<void>
  #current: Promise<T> | undefined
  #closed = false

  constructor(connect: (onLost: () => void) => Promise<T>, disconnect: (connection: T) => Awaitable<void>) {
    this.#connect = connect
    this.#disconnect = disconnect
  }

  /** @throws StoreError closed, ConnectionLost where nobody answers */
  get(): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError('closed', 'The store is closed'))
    if (this.#current) return this.#current
    let isLost = false
    let opening: Promise<T> | undefined = undefined
    const forget = (): void => {
      isLost = true
      if (this.#current === opening) this.#current = undefined
    }
    opening = this.#connect(forget).catch((error: unknown) => {
      forget()
      throw error
    })
    // A connection may be lost before it was ever handed out.
    if (!isLost) this.#current = opening
    return opening
  }

  /** Lets go of the connection; the next `get` makes another. */
  async drop(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    const connection = await current?.catch(() => undefined)
    if (connection !== undefined) await this.#disconnect(connection)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.drop()
  }
}

/** Does the work until the connection holds for it, or the signal ends it: then there is nothing (`undefined`). */
export async function persist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (signal.aborted) return undefined
      if (!(error instanceof ConnectionLost)) throw error
    }
    await pause(attempt, signal)
  }
  return undefined
}

/** The longer, the more attempts there were before: 50 ms to two seconds. It ends with the signal. */
export async function pause(attempt: number, signal: AbortSignal): Promise<void> {
  await delay(Math.min(2000, 50 * 2 ** Math.min(attempt, 10)), undefined, { signal }).catch(() => undefined)
}
