import { join } from 'node:path'
import type { Rev } from './driver'
import { isRevision, toName } from './file-format'
import { DirectorySync, type FileSystem, ifThere, type OpenFile, syncDirectory } from './file-system'
import { isCode } from './system-error'

/** Keys whose revision is remembered. */
const maximalKnown = 10_000

/**
 * Which revision of a key is the current one: the name of the one empty file, its head, in the key's own directory.
 *
 * To replace a revision is to rename its head, to delete it is to move its head away: of any number of processes, the file
 * system lets exactly one succeed, and the others find the name gone. A key appears when a directory that already holds its
 * head is renamed into place, which fails where there is one with a head, and succeeds over an empty one that a deletion
 * left. Revisions are never used twice, so a writer who slept through any number of changes can only fail.
 */
export class Heads {
  readonly #fs: FileSystem
  readonly #dir: string
  readonly #staging: string
  readonly #syncing: DirectorySync
  /** Revisions that were current when they were last seen; other processes may have replaced them. */
  readonly #known = new Map<string, Rev>()

  /**
   * @param dir holds a directory a key
   * @param staging on the same file system: where such directories are made
   */
  constructor(fs: FileSystem, dir: string, staging: string) {
    this.#fs = fs
    this.#dir = dir
    this.#staging = staging
    this.#syncing = new DirectorySync(fs, dir)
  }

  /** The names of all key directories, foreign names included. */
  names(): Promise<string[]> {
    return this.#fs.readdir(this.#dir)
  }

  /** The current revision in a directory. */
  async current(name: string): Promise<Rev | undefined> {
    const known = this.#known.get(name)
    // One look at a name costs less than a list of them, and tells as much: the name stands there while it is current.
    if (known !== undefined && (await ifThere(this.#fs.stat(join(this.#dir, name, known))))) return known
    const rev = await this.#find(name)
    this.#remember(name, rev)
    return rev
  }

  /** The revision that was current when it was last seen: enough for a write that fails where it no longer is. */
  async likely(name: string): Promise<Rev | undefined> {
    return this.#known.get(name) ?? this.current(name)
  }

  async #find(name: string): Promise<Rev | undefined> {
    // POSIX lets a listing that meets a rename show neither name, or both: look again before believing it.
    for (let attempt = 0, none = 0; attempt < 1000; attempt++) {
      const entries = await ifThere(this.#fs.readdir(join(this.#dir, name)))
      if (!entries) return undefined
      const heads = entries.filter(isRevision)
      if (heads.length === 1) return heads[0]
      if (heads.length === 0 && ++none === 3) return undefined
    }
    throw new Error(`The directory ${name} has more than one head`)
  }

  /** Makes `to` the current revision in place of `from`; false where `from` is no longer the current one. */
  async replace(key: string, from: Rev, to: Rev): Promise<boolean> {
    const path = join(this.#dir, toName(key))
    const done = await this.#consume(path, () => this.#fs.rename(join(path, from), join(path, to)))
    this.#remember(toName(key), done ? to : undefined)
    return done
  }

  /** Makes the key absent; false where `from` is no longer the current revision. */
  async remove(key: string, from: Rev): Promise<boolean> {
    const path = join(this.#dir, toName(key))
    this.#remember(toName(key), undefined)
    // Moved away, not unlinked: it stays as a mark, for as long as the body is not removed too.
    if (!(await this.#consume(path, () => this.#fs.rename(join(path, from), this.#mark(from))))) return false
    await this.clear(toName(key))
    return true
  }

  /** Ends the removal of a revision. */
  async settle(rev: Rev): Promise<void> {
    await this.#fs.unlink(this.#mark(rev)).catch(() => undefined)
  }

  /** Removes the directory of an absent key. Where somebody creates the key at this moment, it is theirs and stays. */
  async clear(name: string): Promise<void> {
    await this.#fs.rmdir(join(this.#dir, name)).catch(() => undefined)
  }

  #mark(rev: Rev): string {
    return join(this.#staging, `${rev}.gone`)
  }

  /** Makes `to` the first revision of an absent key; false where it is not absent any more. */
  async create(key: string, to: Rev): Promise<boolean> {
    const staged = join(this.#staging, `${to}.new`)
    await this.#fs.mkdir(staged)
    const head = await this.#fs.open(join(staged, to), 'wx')
    await head.close()
    await syncDirectory(this.#fs, staged)
    const path = join(this.#dir, toName(key))
    try {
      // Windows does not rename over an empty directory.
      if (process.platform === 'win32') await this.#fs.rmdir(path).catch(() => undefined)
      await this.#fs.rename(staged, path)
    } catch (error) {
      await this.#fs.unlink(join(staged, to)).catch(() => undefined)
      await this.#fs.rmdir(staged).catch(() => undefined)
      if (isCode(error, ...occupied)) return false
      throw error
    }
    await this.#syncing.sync()
    this.#remember(toName(key), to)
    return true
  }

  #remember(name: string, rev: Rev | undefined): void {
    this.#known.delete(name)
    if (rev === undefined) return
    this.#known.set(name, rev)
    if (this.#known.size > maximalKnown) this.#known.delete(this.#known.keys().next().value!)
  }

  /** The directory is opened before the step: afterwards another one may stand at its path, and syncing that is no use. */
  async #consume(path: string, step: () => Promise<void>): Promise<boolean> {
    const directory = process.platform === 'win32' ? noDirectory : await ifThere(this.#fs.open(path, 'r'))
    if (!directory) return false
    try {
      const done = await ifThere(step().then(() => true))
      if (done) await directory.sync()
      return done ?? false
    } finally {
      await directory.close()
    }
  }
}

/** What renaming over a directory that is not empty fails with; on Windows that is a matter of permissions. */
const occupied = process.platform === 'win32' ? ['ENOTEMPTY', 'EEXIST', 'EPERM'] : ['ENOTEMPTY', 'EEXIST']

const noDirectory: Pick<OpenFile, 'sync' | 'close'> = { sync: async () => undefined, close: async () => undefined }
