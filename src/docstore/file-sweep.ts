import { join } from 'node:path'
import type { Rev } from './driver'
import { fromName, isRevision } from './file-format'
import type { Heads } from './file-heads'
import { type FileSystem, ifThere } from './file-system'

/** The directories of a file store. */
export interface FileDirectories {
  readonly keys: string
  readonly bodies: string
  readonly staging: string
}

/**
 * Removes what crashed writers left, and nothing of a live one: it must be older than `age`. Every key is looked at only
 * where something was left: a name in `staging`, or more bodies than keys.
 *
 * @param age milliseconds since the last write to it
 */
export async function sweep(fs: FileSystem, dirs: FileDirectories, heads: Heads, age: number): Promise<void> {
  const staged = await olderThan(fs, dirs.staging, await fs.readdir(dirs.staging), age)
  const bodies = (await fs.readdir(dirs.bodies)).filter(isRevision)
  if (staged.length === 0 && bodies.length <= (await keysOf(heads)).length) return
  // In this order: a body that was seen before the heads, and is not current then, is of the past or still being written.
  const old = await olderThan(fs, dirs.bodies, bodies, age)
  const current = new Set<Rev | undefined>()
  for (const name of await keysOf(heads)) {
    const rev = await heads.current(name)
    current.add(rev)
    if (rev === undefined) await heads.clear(name)
  }
  for (const rev of old) if (!current.has(rev)) await remove(fs.unlink(join(dirs.bodies, rev)))
  for (const name of staged) await removeStaged(fs, dirs.staging, name)
}

async function keysOf(heads: Heads): Promise<string[]> {
  return (await heads.names()).filter(fromName)
}

async function removeStaged(fs: FileSystem, dir: string, name: string): Promise<void> {
  const path = join(dir, name)
  const [rev = '', kind] = name.split('.')
  if (!isRevision(rev)) return
  if (kind !== 'new') return remove(fs.unlink(path))
  await remove(fs.unlink(join(path, rev)))
  await remove(fs.rmdir(path))
}

async function olderThan(fs: FileSystem, dir: string, names: readonly string[], age: number): Promise<string[]> {
  const old: string[] = []
  for (const name of names) {
    const found = await ifThere(fs.stat(join(dir, name)))
    if (found && found.mtimeMs <= Date.now() - age) old.push(name)
  }
  return old
}

/** What cannot be removed, or is removed by another sweep at the same time, is no reason not to open. */
async function remove(removal: Promise<void>): Promise<void> {
  await removal.catch(() => undefined)
}
