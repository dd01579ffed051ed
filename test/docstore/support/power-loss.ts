import { basename, dirname } from 'node:path'
import type { FileSystem, OpenFile } from '../../../src/docstore/file-system'

interface FileNode {
  readonly kind: 'file'
  readonly mtimeMs: number
  data: Buffer
  durable: Buffer
}

interface DirectoryNode {
  readonly kind: 'directory'
  readonly mtimeMs: number
  readonly entries: Map<string, Node>
  readonly durable: Map<string, Node>
}

type Node = FileNode | DirectoryNode

interface Effect {
  readonly dir: DirectoryNode
  readonly name: string
  readonly node: Node | undefined
}

/** What became of what was not synced: nothing of it reached the disk, all of it, some entries, or some bytes. */
export type Loss = 'dropped' | 'kept' | 'some' | 'truncated' | 'zeroed'

/** Thrown by every call from the cut on. */
export class PowerCut extends Error {}

/**
 * A disk in memory that knows what of it is durable: the bytes of a file since its last sync, the entries of a directory
 * since its own. `crash` gives the disk as it may be found afterwards.
 */
export class Disk {
  calls = 0
  /** The call at which the power goes. */
  cutAt = Infinity
  /** Runs before every call: lets the calls of several writers interleave. */
  pause: () => Promise<void> = async () => undefined
  readonly #root: DirectoryNode
  #pending: Array<readonly Effect[]> = []

  constructor(root: DirectoryNode = createDirectoryNode()) {
    this.#root = root
  }

  /** Names below a directory, for a look from outside. */
  names(path: string): string[] {
    return [...this.#directory(path).entries.keys()]
  }

  fileSystem(): FileSystem {
    return {
      open: (path, flags) => this.#call(() => this.#open(path, flags)),
      mkdir: (path, options) => this.#call(() => this.#mkdir(path, options?.recursive ?? false)),
      readdir: (path) => this.#call(() => [...this.#directory(path).entries.keys()]),
      rename: (from, to) => this.#call(() => this.#rename(from, to)),
      link: (existing, path) => this.#call(() => this.#link(existing, path)),
      unlink: (path) => this.#call(() => this.#remove(path, 'file')),
      rmdir: (path) => this.#call(() => this.#remove(path, 'directory')),
      stat: (path) => this.#call(() => ({ mtimeMs: this.#node(path).mtimeMs })),
    }
  }

  crash(loss: Loss, random: () => number): Disk {
    const keeps = { dropped: 0, kept: 1, some: 0.5, truncated: 1, zeroed: 1 }[loss]
    for (const step of this.#pending) if (random() < keeps) apply(step, 'durable')
    const seen = new Map<Node, Node>()
    const survive = (node: Node): Node => {
      const known = seen.get(node)
      if (known) return known
      if (node.kind === 'file') {
        const data = surviving(node, loss, random)
        const copy: FileNode = { kind: 'file', mtimeMs: 0, data, durable: data }
        seen.set(node, copy)
        return copy
      }
      // Of long ago: what may be swept is swept at once.
      const copy = createDirectoryNode(0)
      seen.set(node, copy)
      for (const [name, entry] of node.durable) {
        copy.entries.set(name, survive(entry))
        copy.durable.set(name, survive(entry))
      }
      return copy
    }
    return new Disk(survive(this.#root) as DirectoryNode)
  }

  async #call<T>(work: () => T): Promise<T> {
    await this.pause()
    if (this.calls++ >= this.cutAt) throw new PowerCut()
    return work()
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path.split('/').filter(Boolean)) {
      if (node?.kind !== 'directory') return undefined
      node = node.entries.get(name)
    }
    return node
  }

  #node(path: string): Node {
    const node = this.#find(path)
    if (!node) throw systemError('ENOENT', path)
    return node
  }

  #directory(path: string): DirectoryNode {
    const node = this.#node(path)
    if (node.kind !== 'directory') throw systemError('ENOTDIR', path)
    return node
  }

  #open(path: string, flags: 'r' | 'wx'): OpenFile {
    if (flags === 'wx') {
      if (this.#find(path)) throw systemError('EEXIST', path)
      const node: FileNode = { kind: 'file', mtimeMs: Date.now(), data: Buffer.alloc(0), durable: Buffer.alloc(0) }
      this.#step([{ dir: this.#directory(dirname(path)), name: basename(path), node }])
      return this.#handle(node)
    }
    return this.#handle(this.#node(path))
  }

  #handle(node: Node): OpenFile {
    const file = node as FileNode
    return {
      // Short writes and reads, as the contract of both allows.
      write: (bytes) =>
        this.#call(() => {
          const part = bytes.subarray(0, 700)
          file.data = Buffer.concat([file.data, part])
          return { bytesWritten: part.byteLength }
        }),
      read: (bytes, position) =>
        this.#call(() => {
          const part = file.data.subarray(position, position + Math.min(bytes.byteLength, 1500))
          bytes.set(part)
          return { bytesRead: part.byteLength }
        }),
      stat: () => this.#call(() => ({ size: file.data.byteLength })),
      sync: () => this.#call(() => this.#sync(node)),
      close: () => this.#call(() => undefined),
    }
  }

  #sync(node: Node): void {
    if (node.kind === 'file') {
      node.durable = node.data
      return
    }
    const [mine, others] = [[] as Array<readonly Effect[]>, [] as Array<readonly Effect[]>]
    for (const step of this.#pending) (step.some(({ dir }) => dir === node) ? mine : others).push(step)
    for (const step of mine) apply(step, 'durable')
    const settled = mine.flat()
    // What became durable later wins over what is still pending for the same name.
    const isSettled = ({ dir, name }: Effect): boolean => settled.some((each) => each.dir === dir && each.name === name)
    this.#pending = others.map((step) => step.filter((effect) => !isSettled(effect)))
  }

  #step(effects: readonly Effect[]): void {
    apply(effects, 'entries')
    this.#pending.push(effects)
  }

  #mkdir(path: string, recursive: boolean): string | undefined {
    if (this.#find(path)) {
      if (recursive) return undefined
      throw systemError('EEXIST', path)
    }
    const above = recursive && !this.#find(dirname(path)) ? this.#mkdir(dirname(path), true) : undefined
    this.#step([{ dir: this.#directory(dirname(path)), name: basename(path), node: createDirectoryNode() }])
    return above ?? path
  }

  #rename(from: string, to: string): void {
    const node = this.#node(from)
    const target = this.#find(to)
    if (node.kind === 'directory' && target?.kind === 'directory' && target.entries.size > 0) {
      throw systemError('ENOTEMPTY', to)
    }
    this.#step([
      { dir: this.#directory(dirname(from)), name: basename(from), node: undefined },
      { dir: this.#directory(dirname(to)), name: basename(to), node },
    ])
  }

  #link(existing: string, path: string): void {
    const node = this.#node(existing)
    if (this.#find(path)) throw systemError('EEXIST', path)
    this.#step([{ dir: this.#directory(dirname(path)), name: basename(path), node }])
  }

  #remove(path: string, kind: Node['kind']): void {
    const node = this.#node(path)
    if (node.kind !== kind) throw systemError('EPERM', path)
    if (node.kind === 'directory' && node.entries.size > 0) throw systemError('ENOTEMPTY', path)
    this.#step([{ dir: this.#directory(dirname(path)), name: basename(path), node: undefined }])
  }
}

function createDirectoryNode(mtimeMs = Date.now()): DirectoryNode {
  return { kind: 'directory', mtimeMs, entries: new Map(), durable: new Map() }
}

function apply(effects: readonly Effect[], side: 'entries' | 'durable'): void {
  for (const { dir, name, node } of effects) {
    if (node) dir[side].set(name, node)
    else dir[side].delete(name)
  }
}

function surviving({ data, durable }: FileNode, loss: Loss, random: () => number): Buffer {
  if (loss === 'dropped') return durable
  if (loss === 'kept' || data.byteLength <= durable.byteLength) return data
  const kept = durable.byteLength + Math.floor(random() * (data.byteLength - durable.byteLength))
  if (loss === 'zeroed') return Buffer.concat([data.subarray(0, kept), Buffer.alloc(data.byteLength - kept)])
  return data.subarray(0, kept)
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

/** Numbers from 0 to 1 that a seed determines. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
