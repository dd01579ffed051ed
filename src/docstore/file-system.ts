import { closeSync, fstat, fsync, link, open, read, readdir, rename, stat, unlink, write } from 'node:fs'
import { mkdir, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isCode } from './system-error'

/** An open file, or an open directory that can only be synced. */
export interface OpenFile {
  /** Writes at the end; may write less than it was given. */
  write(bytes: Uint8Array): Promise<{ readonly bytesWritten: number }>
  /** Reads at a position; may read less than asked. */
  read(bytes: Uint8Array, position: number): Promise<{ readonly bytesRead: number }>
  stat(): Promise<{ readonly size: number }>
  /** Settles when what was written, or for a directory its entries, survives the loss of power. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** The calls of a file system that the file driver builds on. A test puts one in their place that loses power. */
export interface FileSystem {
  /** `r` to read, `wx` to create exclusively and write. */
  open(path: string, flags: 'r' | 'wx'): Promise<OpenFile>
  /** With `recursive` the topmost directory that it made, if any. */
  mkdir(path: string, options?: { readonly recursive: true }): Promise<string | undefined | void>
  readdir(path: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  link(existing: string, path: string): Promise<void>
  unlink(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  stat(path: string): Promise<{ readonly mtimeMs: number }>
}

/** The file system of this host. */
export const hostFileSystem: FileSystem = {
  mkdir,
  rmdir,
  readdir: (path) => called((done) => readdir(path, done)),
  rename: (from, to) => called((done) => rename(from, to, done)),
  link: (existing, path) => called((done) => link(existing, path, done)),
  unlink: (path) => called((done) => unlink(path, done)),
  stat: (path) => called((done) => stat(path, done)),
  async open(path, flags) {
    return new HostFile(await called<number>((done) => open(path, flags, done)))
  },
}

/** A descriptor: the file handles of `fs/promises` cost more than most of what is done with them here. */
class HostFile implements OpenFile {
  readonly #descriptor: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  async write(bytes: Uint8Array): Promise<{ bytesWritten: number }> {
    return { bytesWritten: await called<number>((done) => write(this.#descriptor, bytes, done)) }
  }

  async read(bytes: Uint8Array, position: number): Promise<{ bytesRead: number }> {
    const { byteLength } = bytes
    return { bytesRead: await called<number>((done) => read(this.#descriptor, bytes, 0, byteLength, position, done)) }
  }

  stat(): Promise<{ size: number }> {
    return called((done) => fstat(this.#descriptor, done))
  }

  sync(): Promise<void> {
    return called((done) => fsync(this.#descriptor, done))
  }

  async close(): Promise<void> {
    // It waits for nothing, and handing it to another thread takes longer.
    closeSync(this.#descriptor)
  }
}

function called<T>(call: (done: (error: Error | null | undefined, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result as T)))
  })
}

/** The result, or nothing where the path is not there. */
export async function ifThere<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Writes all bytes: one write may be short. */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.byteLength > 0;) {
    const { bytesWritten } = await file.write(rest)
    rest = rest.subarray(bytesWritten)
  }
}

/** The bytes from a position up to an end; fewer where the file ends before. */
export async function readAll(file: OpenFile, position: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - position)
  let length = 0
  while (length < bytes.byteLength) {
    const { bytesRead } = await file.read(bytes.subarray(length), position + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/** Makes the entries of a directory durable. Windows has no such call, and journals them by itself. */
export async function syncDirectory(fs: FileSystem, path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await fs.open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Makes the entries of one directory durable, for all who ask while a sync is under way by one more. */
export class DirectorySync {
  readonly #fs: FileSystem
  readonly #path: string
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs
    this.#path = path
  }

  /** Settles when all that stood in the directory at the call is durable. */
  sync(): Promise<void> {
    if (!this.#running) return this.#run()
    // The one that is under way may have begun before what is to be covered.
    return (this.#next ??= this.#running.then(ignore, ignore).then(() => {
      this.#next = undefined
      return this.#run()
    }))
  }

  #run(): Promise<void> {
    const running = syncDirectory(this.#fs, this.#path).finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }
}

function ignore(): void {
  // Whoever asked for it is told.
}

/** Makes a directory and those above it, durably: each of them is an entry of the one above. */
export async function createDirectory(fs: FileSystem, path: string): Promise<void> {
  const topmost = (await fs.mkdir(path, { recursive: true })) ?? path
  for (let made = path; ; made = dirname(made)) {
    // A directory that may be used but not read cannot be synced; whoever set it up so made it long ago.
    await syncDirectory(fs, dirname(made)).catch((error: unknown) => {
      if (!isCode(error, 'EACCES', 'EPERM')) throw error
    })
    if (made === topmost || made === dirname(made)) return
  }
}
