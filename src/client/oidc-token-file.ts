import { randomUUID } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Keeper } from './oidc-device-grant'

/** Whose refresh token a file holds: it is never sent to another server, nor for another client. */
export interface TokenOwner {
  readonly issuer: string
  readonly clientId: string
}

/**
 * A file with a refresh token, readable by its owner alone. Whoever reads it finds the token before or the one after, and
 * never a part: it is written under another name, made durable, and put in its place.
 *
 * @param filename its path; directories that are missing are made, for the owner alone
 */
export function createTokenFile(filename: string, { issuer, clientId }: TokenOwner): Keeper {
  async function load(): Promise<string | undefined> {
    const text = await readFile(filename, 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    await restrict(filename)
    const saved = parse(text)
    return saved?.issuer === issuer && saved.clientId === clientId ? saved.refreshToken : undefined
  }

  async function save(refreshToken: string): Promise<void> {
    const folder = dirname(filename)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const draft = `${filename}.${randomUUID()}.tmp`
    try {
      await write(draft, `${JSON.stringify({ issuer, clientId, refreshToken }, undefined, 2)}\n`)
      await rename(draft, filename)
    } catch (error) {
      await unlink(draft).catch(ignore)
      throw new Error(`The refresh token cannot be saved: ${(error as Error).message}`, { cause: error })
    }
    await syncFolder(folder)
  }

  async function remove(): Promise<void> {
    await unlink(filename).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }

  return { load, save, remove }
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A file that was copied or written by something else may be open to others: they have seen it, but see no more. */
async function restrict(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) await chmod(path, 0o600).catch(ignore)
}

/** Makes the file's entry durable. Windows has no such call, and journals entries by itself. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(ignore)
  try {
    await folder?.sync().catch(ignore)
  } finally {
    await folder?.close()
  }
}

function parse(text: string): Partial<Readonly<Record<'issuer' | 'clientId' | 'refreshToken', string>>> | undefined {
  try {
    const value = JSON.parse(text) as unknown
    if (typeof value !== 'object' || value === null) return undefined
    const { refreshToken } = value as { readonly refreshToken?: unknown }
    return typeof refreshToken === 'string' && refreshToken !== '' ? value : undefined
  } catch {
    return undefined
  }
}

function ignore(): undefined {
  // It is not the token's file, or not its entry, that matters.
}
