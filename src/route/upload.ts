import { randomUUID } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdtemp, open, readFile, rename, rm, unlink, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/**
 * A file of a multipart body, kept on disk until the answer is out.
 *
 * @example
 * @Post('/photos')
 * async add(@File('photo') photo: UploadedFile) {
 *   await photo.moveTo(join(photoDir, randomUUID()))
 * }
 */
export class UploadedFile {
  #path: string

  constructor(
    /** The name of its part. */
    readonly field: string,
    /** What the client calls it: a base name, for people. Never build a path from it. */
    readonly filename: string,
    /** The media type that the client says it has. */
    readonly type: string,
    /** Bytes. */
    readonly size: number,
    path: string,
  ) {
    this.#path = path
  }

  /** Where it is now. */
  get path(): string {
    return this.#path
  }

  /** Its content at once. */
  bytes(): Promise<Buffer> {
    return readFile(this.#path)
  }

  /** Its content as a stream. */
  stream(): Readable {
    return createReadStream(this.#path)
  }

  /**
   * Keeps the file, readable by this user alone (mode 0600), also across file systems.
   *
   * @param path its new place; a file that is there is replaced
   * @throws what the file system says
   */
  async moveTo(path: string): Promise<void> {
    try {
      await rename(this.#path, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
      await copyFile(this.#path, path, constants.COPYFILE_FICLONE)
      await unlink(this.#path)
    }
    this.#path = path
  }
}

/** The files of one request: a directory of its own, made with the first of them, that only this user can enter. */
export class UploadDirectory {
  #made: Promise<string> | undefined
  #isRemoved = false

  /** A new, empty file with a name of ours. */
  async create(): Promise<{ readonly handle: FileHandle; readonly path: string }> {
    if (this.#isRemoved) throw new Error('The upload is over')
    this.#made ??= mkdtemp(join(tmpdir(), 'kumu-upload-'))
    const path = join(await this.#made, randomUUID())
    return { handle: await open(path, 'wx', 0o600), path }
  }

  /** Removes every file in it that was not moved away, and itself; safe to call again. */
  async remove(): Promise<void> {
    this.#isRemoved = true
    const path = await this.#made?.catch(() => undefined)
    // A file may be opened while the directory is being emptied: then it is emptied once more.
    if (path !== undefined) await rm(path, { recursive: true, force: true, maxRetries: 3 })
  }
}

/**
 * The base name of what a client calls a file, without separators, control characters and names with a meaning.
 *
 * @param name as it came
 *
 * @example
 * toFilename('C:\\temp\\..\\a.txt') // 'a.txt'
 */
export function toFilename(name: string): string {
  const base = name
    .slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1)
    // Control characters, and the marks that turn the direction of text: `exe.gpj` must not show as `jpg.exe`.
    .replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '')
    .trim()
  return base === '' || base === '.' || base === '..' ? 'file' : base.slice(0, 255)
}
