import { type ChangeLog, type Entry, Pulse } from './changes'
import type { Change, Rev } from './driver'
import {
  expiryKey,
  fromValue,
  infoKey,
  type LevelOp,
  logKey,
  metaKey,
  removalOf,
  type Stored,
  toValue,
} from './level-layout'
import { Sequence } from './sequence'

/** What the journal asks of a database. */
export interface LevelDatabase {
  get(key: string): Promise<Buffer | undefined>
  batch(ops: LevelOp[], options: { readonly sync: boolean }): Promise<void>
  clear(range: { readonly gte: string; readonly lt: string }): Promise<void>
  values(range: { readonly gte: string; readonly lt: string; readonly limit: number }): { all(): Promise<Buffer[]> }
}

/** A write whose condition holds; its key is locked until it is done. */
export interface LevelWrite {
  readonly op: Change['op']
  readonly key: string
  /** What was there. */
  readonly previous?: Stored
  /** What will be there. */
  readonly next?: Omit<Stored, 'rev'>
  /** The whole of a small body, which stands behind that. */
  readonly content?: Uint8Array
  /** Goes into the same step. */
  readonly ops?: readonly LevelOp[]
}

interface Waiting {
  readonly writes: readonly LevelWrite[]
  readonly resolve: (revs: readonly Rev[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * The one writer of a database. It numbers the writes in the order in which they become visible (else a watcher could see
 * number 2 before number 1 exists, and never 1), and takes all that wait at a time into one atomic, synced step.
 */
export class Journal implements ChangeLog {
  readonly #db: LevelDatabase
  readonly #sequence: Sequence
  readonly #pulse: Pulse
  readonly #size: number
  #committed: number
  #waiting: Waiting[] = []
  #writing = false

  private constructor(db: LevelDatabase, sequence: Sequence, size: number) {
    this.#db = db
    this.#sequence = sequence
    this.#size = size
    this.#committed = sequence.last
    this.#pulse = new Pulse(sequence.last)
  }

  /** @param size changes to keep */
  static async open(db: LevelDatabase, size: number): Promise<Journal> {
    const info = await db.get(infoKey)
    const { epoch, last } = info ? fromValue<{ epoch: string; last: number }>(info) : { epoch: undefined, last: 0 }
    await db.clear({ gte: logKey(0), lt: logKey(last - size + 1) })
    return new Journal(db, new Sequence(epoch ?? Sequence.createEpoch(), last), size)
  }

  /** The number of the last change that can be seen. */
  get last(): number {
    return this.#committed
  }

  parse(seq: string): number | undefined {
    return this.#sequence.parse(seq)
  }

  /** Writes all or nothing, durably; the sequences of the writes, which are the revisions of the puts. */
  append(writes: readonly LevelWrite[]): Promise<readonly Rev[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ writes, resolve, reject })
      void this.#writeAll()
    })
  }

  async read(after: number, limit: number): Promise<readonly Entry[] | undefined> {
    const last = this.#committed
    if (after < last - this.#size) return undefined
    const range = { gte: logKey(after + 1), lt: logKey(last + 1), limit }
    const entries = (await this.#db.values(range).all()).map((value) => fromValue<Entry>(value))
    // What was read may have been trimmed away under the reading.
    return after < this.#committed - this.#size ? undefined : entries
  }

  changed(after: number, signal: AbortSignal): Promise<void> {
    return this.#pulse.passed(after, signal)
  }

  async #writeAll(): Promise<void> {
    if (this.#writing) return
    this.#writing = true
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      await this.#writeGroup(group)
    }
    this.#writing = false
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const ops: LevelOp[] = []
    const revs = group.map(({ writes }) => writes.map((write) => this.#toOps(write, ops)))
    const { epoch, last } = this.#sequence
    ops.push({ type: 'put', key: infoKey, value: toValue({ epoch, last }) })
    try {
      await this.#db.batch(ops, { sync: true })
    } catch (error) {
      // The numbers are lost, not given out again: the failed step may yet be found in the log of the database.
      for (const { reject } of group) reject(error)
      return
    }
    this.#committed = last
    this.#pulse.reach(last)
    group.forEach(({ resolve }, index) => resolve(revs[index]!))
  }

  #toOps({ op, key, previous, next, content, ops: extra = [] }: LevelWrite, ops: LevelOp[]): Rev {
    const number = this.#sequence.next()
    const seq = this.#sequence.format(number)
    if (previous) ops.push(...removalOf(key, previous))
    if (next) {
      ops.push({ type: 'put', key: metaKey(key), value: toValue({ ...next, rev: seq }, content) })
      if (next.expires !== undefined) {
        ops.push({ type: 'put', key: expiryKey(next.expires, key), value: Buffer.alloc(0) })
      }
    } else {
      ops.push({ type: 'del', key: metaKey(key) })
    }
    const entry: Entry = next ? { number, seq, op, key, rev: seq } : { number, seq, op, key }
    ops.push(...extra, { type: 'put', key: logKey(number), value: toValue(entry) })
    ops.push({ type: 'del', key: logKey(number - this.#size) })
    return seq
  }
}
