import { join } from 'node:path'
import type { DriverPutOptions, Meta, Rev } from './driver'
import { createRevision, formatTail, readTail, smallBody } from './file-format'
import { DirectorySync, type FileSystem, ifThere, type OpenFile, writeAll } from './file-system'

/** A body that is open for reading, with its metadata and the part of the body that is in memory already. */
export interface OpenBody {
  readonly file: OpenFile
  readonly meta: Meta
  /** The end of the body; the whole of a small one. */
  readonly body: Uint8Array
}

/**
 * One file a revision: the body, its metadata behind it. A file gets its name in `bodies` when it is complete and durable,
 * and keeps a second name in `staging` for as long as the write goes on: what is found there later tells of a crash.
 */
export class Bodies {
  readonly #fs: FileSystem
  readonly #dir: string
  readonly #staging: string
  readonly #syncing: DirectorySync

  constructor(fs: FileSystem, dir: string, staging: string) {
    this.#fs = fs
    this.#dir = dir
    this.#staging = staging
    this.#syncing = new DirectorySync(fs, dir)
  }

  /** Writes a body under a new revision, durably. Nothing refers to it yet. */
  async write(
    key: string,
    body: Uint8Array | AsyncIterable<Uint8Array>,
    { type, expires }: DriverPutOptions,
    now: () => number,
  ): Promise<Meta> {
    const rev = createRevision()
    const staged = join(this.#staging, rev)
    const file = await this.#fs.open(staged, 'wx')
    try {
      let size = 0
      let held: Uint8Array = new Uint8Array(0)
      try {
        for await (const piece of body instanceof Uint8Array ? [body] : body) {
          size += piece.byteLength
          // A small body goes with what stands behind it in one call.
          if (piece === body && size <= smallBody) held = piece
          else await writeAll(file, piece)
        }
        const facts = { key, type, modified: now(), ...(expires === undefined ? {} : { expires }) }
        await writeAll(file, Buffer.concat([held, formatTail(facts)]))
        await file.sync()
        await this.#fs.link(staged, join(this.#dir, rev))
        await this.#syncing.sync()
        return { ...facts, rev, size }
      } finally {
        await file.close()
      }
    } catch (error) {
      await this.discard(rev)
      throw error
    }
  }

  /** Ends a write that came to a good end. */
  async settle(rev: Rev): Promise<void> {
    await this.#fs.unlink(join(this.#staging, rev)).catch(() => undefined)
  }

  /** Ends a write that replaced a body, which nothing refers to any more. */
  async replace(old: Rev, rev: Rev): Promise<void> {
    await Promise.all([this.#fs.unlink(join(this.#dir, old)).catch(() => undefined), this.settle(rev)])
  }

  /** Removes a body that nothing refers to. What cannot be removed now is found by a later sweep. */
  async discard(rev: Rev): Promise<void> {
    await this.#fs.unlink(join(this.#dir, rev)).catch(() => undefined)
    await this.settle(rev)
  }

  /**
   * Opens a body; nothing where it was replaced in the meantime.
   *
   * @param withBody whether its body is wanted too: then one read fetches both where it is small
   */
  async open(rev: Rev, withBody: boolean): Promise<OpenBody | undefined> {
    const file = await ifThere(this.#fs.open(join(this.#dir, rev), 'r'))
    if (!file) return undefined
    try {
      return { file, ...(await readTail(file, rev, withBody)) }
    } catch (error) {
      await file.close()
      throw error
    }
  }
}
