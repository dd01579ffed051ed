import { join, resolve } from 'node:path'
import { extent, toStream } from '../body'
import { conflict, holds } from '../check'
import type {
  Can,
  DeleteOptions,
  Doc,
  Driver,
  DriverListOptions,
  DriverPutOptions,
  GetOptions,
  Listing,
  Meta,
  Rev,
} from '../driver'
import { Bodies, type OpenBody } from '../file-bodies'
import { fromName, toName } from '../file-format'
import { Heads } from '../file-heads'
import { type FileDirectories, sweep } from '../file-sweep'
import { createDirectory, type FileSystem, hostFileSystem, readAll, syncDirectory } from '../file-system'
import { KeyLocks } from '../key-locks'
import { SortedSet } from '../sorted-set'

/** Where a file store is, and how it is bounded. */
export interface FileOptions {
  /** The directory; made where it is missing. */
  readonly dir: string
  /** Bytes of the largest body. Default: no bound but the disk's. */
  readonly maxBody?: number
  /** Age in milliseconds at which what a crashed writer left is removed, at open. Default one hour. */
  readonly sweepAfter?: number
  /** The clock, in milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number
  /** The calls to the file system; a test may put others in their place. */
  readonly fs?: FileSystem
}

/**
 * A driver that keeps documents as files. Any number of processes of one host may share the directory.
 *
 * @param options the directory, bounds, clock
 *
 * @example
 * const store = docstore(file({ dir: './data/documents' }))
 */
export function file(options: FileOptions): Driver {
  return new FileDriver(options)
}

const pieceLength = 128 * 1024

class FileDriver implements Driver {
  readonly name = 'file'
  readonly can: Can
  readonly #dir: string
  readonly #dirs: FileDirectories
  readonly #fs: FileSystem
  readonly #heads: Heads
  readonly #bodies: Bodies
  readonly #now: () => number
  readonly #sweepAfter: number
  /** Spares the writers of this process the retries; between processes the heads decide alone. */
  readonly #locks = new KeyLocks()
  #opening: Promise<void> | undefined

  constructor({ dir, maxBody = Infinity, sweepAfter = 3_600_000, now = Date.now, fs = hostFileSystem }: FileOptions) {
    this.can = {
      order: true,
      ttl: 'ms',
      watch: false,
      batch: false,
      stream: true,
      maxBody,
      reach: 'host',
      durable: process.platform === 'win32' ? 'crash' : 'power',
    }
    this.#dir = resolve(dir)
    this.#fs = fs
    this.#now = now
    this.#sweepAfter = sweepAfter
    this.#dirs = {
      keys: join(this.#dir, 'keys'),
      bodies: join(this.#dir, 'bodies'),
      staging: join(this.#dir, 'staging'),
    }
    this.#heads = new Heads(fs, this.#dirs.keys, this.#dirs.staging)
    this.#bodies = new Bodies(fs, this.#dirs.bodies, this.#dirs.staging)
  }

  async get(key: string, { body = true, range }: GetOptions): Promise<Doc | undefined> {
    await this.#open()
    const found = await this.#find(toName(key), body)
    if (!found) return undefined
    const { meta, file } = found
    if (this.#isExpired(meta)) {
      await file.close()
      await this.#remove(key, meta.rev)
      return undefined
    }
    const { start, end } = extent(body ? meta.size : 0, range)
    const inMemory = meta.size - found.body.byteLength
    if (start >= inMemory || start === end) {
      // Nobody waits for it: nothing was written.
      file.close().catch(() => undefined)
      return { ...meta, body: found.body.subarray(Math.max(0, start - inMemory), Math.max(0, end - inMemory)) }
    }
    const read = (position: number, to: number): Promise<Uint8Array> =>
      readAll(file, position, Math.min(to, position + pieceLength))
    return { ...meta, body: toStream({ start, end }, read, () => file.close()) }
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    await this.#open()
    // A stream may take its time: it is written first and waits for nobody, unless its condition fails already.
    const streamed = body instanceof Uint8Array ? undefined : await this.#writeAhead(key, body, options)
    const write = (): Promise<Meta> => this.#bodies.write(key, body, options, this.#now)
    return this.#locks.run(key, () => this.#commit(key, options, streamed, write))
  }

  async delete(key: string, options: DeleteOptions): Promise<boolean> {
    await this.#open()
    return this.#locks.run(key, async () => {
      for (;;) {
        const { head, live } = await this.#check(key, options)
        if (head === undefined) return false
        if (await this.#remove(key, head)) return live
      }
    })
  }

  async list({ prefix, after, limit, reverse }: DriverListOptions): Promise<Listing> {
    await this.#open()
    const keys = new SortedSet(await this.#keys()).page(prefix, after, limit, reverse)
    const more = keys.length > limit
    if (more) keys.pop()
    const items: Meta[] = []
    // A few at a time: each costs an open file.
    for (let at = 0; at < keys.length; at += 16) {
      const found = await Promise.all(keys.slice(at, at + 16).map((key) => this.#liveMeta(key)))
      items.push(...found.filter((meta) => meta !== undefined))
    }
    return more ? { items, next: keys.at(-1) } : { items }
  }

  async close(): Promise<void> {
    await this.#opening?.catch(() => undefined)
  }

  #open(): Promise<void> {
    this.#opening ??= this.#prepare().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  async #prepare(): Promise<void> {
    await createDirectory(this.#fs, this.#dir)
    const { keys, bodies, staging } = this.#dirs
    for (const dir of [keys, bodies, staging]) await this.#fs.mkdir(dir, { recursive: true })
    await syncDirectory(this.#fs, this.#dir)
    await sweep(this.#fs, this.#dirs, this.#heads, this.#sweepAfter)
  }

  async #writeAhead(key: string, body: AsyncIterable<Uint8Array>, options: DriverPutOptions): Promise<Meta> {
    await this.#check(key, options)
    return this.#bodies.write(key, body, options, this.#now)
  }

  /** Writes the body, once the condition holds, and makes it the current one; begins again where another was faster. */
  async #commit(
    key: string,
    options: DriverPutOptions,
    written: Meta | undefined,
    write: () => Promise<Meta>,
  ): Promise<Meta> {
    let meta = written
    let writtenAt = Date.now()
    for (let refused = 0; refused < 1000;) {
      const head = await this.#headFor(key, options).catch(async (error: unknown) => {
        if (meta) await this.#bodies.discard(meta.rev)
        throw error
      })
      if (!meta) {
        meta = await write()
        writtenAt = Date.now()
      }
      // A host that slept: to another process that woke up with it, this body may be what a crash left.
      if (Date.now() - writtenAt > this.#sweepAfter / 2) throw new Error(`The write of ${key} was held up for too long`)
      // Where this fails with an error, nobody knows whether it happened: the body stays, and a sweep decides by the head.
      const done = await (head === undefined
        ? this.#heads.create(key, meta.rev)
        : this.#heads.replace(key, head, meta.rev))
      if (done) {
        await (head === undefined ? this.#bodies.settle(meta.rev) : this.#bodies.replace(head, meta.rev))
        return meta
      }
      if (head === undefined) refused++
    }
    throw new Error(`The directory ${toName(key)} holds something foreign`)
  }

  /** The current revision, expired or not; without a condition the likely one will do. @throws StoreError conflict */
  async #headFor(key: string, options: DeleteOptions): Promise<Rev | undefined> {
    return options.if === undefined ? this.#heads.likely(toName(key)) : (await this.#check(key, options)).head
  }

  /** The current revision, expired or not, and whether it is live. @throws StoreError where the condition does not hold */
  async #check(key: string, { if: condition }: DeleteOptions): Promise<{ head: Rev | undefined; live: boolean }> {
    const found = await this.#find(toName(key))
    await found?.file.close()
    const live = found && !this.#isExpired(found.meta) ? found.meta : undefined
    if (!holds(condition, live)) throw conflict(key, live)
    return { head: found?.meta.rev, live: live !== undefined }
  }

  async #remove(key: string, rev: Rev): Promise<boolean> {
    const removed = await this.#heads.remove(key, rev)
    if (!removed) return false
    await this.#bodies.discard(rev)
    await this.#heads.settle(rev)
    return true
  }

  /** Opens the current document of a directory. */
  async #find(name: string, withBody = false): Promise<OpenBody | undefined> {
    let missed: Rev | undefined
    for (;;) {
      const rev = await this.#heads.current(name)
      if (rev === undefined) return undefined
      const found = await this.#bodies.open(rev, withBody)
      if (found) return found
      // Replaced between the two looks. The same revision twice would be for ever.
      if (rev === missed) throw new Error(`The body of revision ${rev} is missing`)
      missed = rev
    }
  }

  async #liveMeta(key: string): Promise<Meta | undefined> {
    const found = await this.#find(toName(key))
    await found?.file.close()
    return found && !this.#isExpired(found.meta) ? found.meta : undefined
  }

  async #keys(): Promise<string[]> {
    const keys: string[] = []
    for (const name of await this.#heads.names()) {
      const known = fromName(name)
      if (known !== 'hashed') {
        if (known) keys.push(known.key)
        continue
      }
      const found = await this.#find(name)
      await found?.file.close()
      if (found) keys.push(found.meta.key)
    }
    return keys
  }

  #isExpired({ expires }: Meta): boolean {
    return expires !== undefined && expires <= this.#now()
  }
}
