import type { Awaitable } from '../types'
import type { Change } from './driver'
import { StoreError } from './errors'

/** A change with its place in the feed as a number. */
export interface Entry extends Change {
  readonly number: number
}

/** A bounded log of changes that a feed reads at its own pace: a slow watcher costs no memory, it may only come too late. */
export interface ChangeLog {
  /** Entries after a number, in order; nothing at all (`undefined`) where the log no longer reaches back so far. */
  read(after: number, limit: number): Awaitable<readonly Entry[] | undefined>
  /** Settles when there is an entry after the number, or the signal is aborted. */
  changed(after: number, signal: AbortSignal): Promise<void>
}

/** Wakes those who wait for a number to be passed. */
export class Pulse {
  readonly #waiting = new Set<() => void>()
  #at: number

  constructor(at: number) {
    this.#at = at
  }

  reach(number: number): void {
    this.#at = number
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  async passed(number: number, signal: AbortSignal): Promise<void> {
    if (this.#at > number || signal.aborted) return
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        this.#waiting.delete(settle)
        signal.removeEventListener('abort', settle)
        resolve()
      }
      this.#waiting.add(settle)
      signal.addEventListener('abort', settle)
    })
  }
}

const pageOfEntries = 256

/** The changes after a number, for as long as the signal allows. @throws StoreError gone */
export async function* follow(
  log: ChangeLog,
  after: number,
  options: { readonly prefix?: string; readonly signal: AbortSignal },
): AsyncGenerator<Change> {
  const { prefix = '', signal } = options
  let position = after
  while (!signal.aborted) {
    const entries = await readOpen(log, position, signal)
    if (!entries) throw tooOld()
    for (const { number, ...change } of entries) {
      if (signal.aborted) return
      position = number
      if (change.key.startsWith(prefix)) yield change
    }
    if (entries.length === 0) await log.changed(position, signal)
  }
}

/** A log that is closed under a feed that has ended meanwhile has nothing to say. */
async function readOpen(log: ChangeLog, after: number, signal: AbortSignal): Promise<readonly Entry[] | undefined> {
  try {
    return await log.read(after, pageOfEntries)
  } catch (error) {
    if (signal.aborted) return []
    throw error
  }
}

/** The error of a `since` that the log does not reach back to, or never knew: list again, then watch from there. */
export function tooOld(): StoreError {
  return new StoreError('gone', 'The change feed does not reach back so far: list again, then watch')
}
