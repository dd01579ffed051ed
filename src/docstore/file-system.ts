import { link, mkdir, open, readdir, rename, rmdir, stat, unlink } from 'node:fs/promises'
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
  readdir,
  rename,
  link,
  unlink,
  rmdir,
  stat,
  async open(path, flags) {
    const handle = await open(path, flags)
    return {
      write: (bytes) => handle.write(bytes, 0, bytes.byteLength),
      read: (bytes, position) => handle.read(bytes, 0, bytes.byteLength, position),
      stat: () => handle.stat(),
      sync: () => handle.sync(),
      close: () => handle.close(),
    }
  },
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
