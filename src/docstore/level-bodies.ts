import { randomBytes } from 'node:crypto'
import { chunked } from './body'
import { chunkKey, chunkLength, inlineLength, type LevelOp, stagedKey } from './level-layout'

/** What the bodies ask of a database. */
export interface ChunkDatabase<Snapshot> {
  get(key: string, options: { readonly snapshot: Snapshot }): Promise<Buffer | undefined>
  batch(ops: LevelOp[], options: { readonly sync: boolean }): Promise<void>
  clear(range: { readonly gte: string; readonly lt: string }): Promise<void>
  keys(range: { readonly gte: string; readonly lt: string }): { all(): Promise<string[]> }
}

/** A body that is written, or small enough to be written with its metadata; nothing refers to it yet. */
export interface StagedBody {
  readonly size: number
  /** The id of its chunks. */
  readonly id?: string
  /** The whole of a small one, which has none. */
  readonly content?: Uint8Array
  /** What the step that refers to it has to do besides. */
  readonly ops: readonly LevelOp[]
}

/** Writes a body in chunks, each durable: of the files of LevelDB a later sync covers only the newest. */
export async function stageBody(
  db: Pick<ChunkDatabase<unknown>, 'batch' | 'clear'>,
  body: Uint8Array | AsyncIterable<Uint8Array>,
): Promise<StagedBody> {
  if (body instanceof Uint8Array && body.byteLength <= inlineLength) return toInline(body)
  const id = randomBytes(12).toString('hex')
  let first: Extract<LevelOp, { readonly type: 'put' }> | undefined
  let size = 0
  let index = 0
  try {
    for await (const chunk of chunked(body, chunkLength)) {
      const value = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      const write = { type: 'put', key: chunkKey(id, index), value } as const
      // The mark goes first, so that what a crash leaves can be found.
      if (index === 1)
        await db.batch([{ type: 'put', key: stagedKey(id), value: Buffer.alloc(0) }, first!], { sync: true })
      if (index === 0) first = write
      else await db.batch([write], { sync: true })
      size += chunk.byteLength
      index++
    }
  } catch (error) {
    if (index > 1) await discardBody(db, id)
    throw error
  }
  if (index > 1) return { id, size, ops: [{ type: 'del', key: stagedKey(id) }] }
  if (size <= inlineLength) return toInline(first?.value ?? Buffer.alloc(0))
  return { id, size, ops: [first!] }
}

function toInline(content: Uint8Array): StagedBody {
  return { size: content.byteLength, content, ops: [] }
}

/** Removes the chunks of a body that nothing refers to, and its mark. */
export async function discardBody(db: Pick<ChunkDatabase<unknown>, 'batch' | 'clear'>, id: string): Promise<void> {
  await db.clear({ gte: chunkKey(id, 0), lt: `b!${id}"` })
  await db.batch([{ type: 'del', key: stagedKey(id) }], { sync: false })
}

/** Removes what a crash left half written. Only the process that has the database open may, and before it writes. */
export async function sweepBodies(db: ChunkDatabase<unknown>): Promise<void> {
  for (const mark of await db.keys({ gte: 's!', lt: 's"' }).all()) await discardBody(db, mark.slice(2))
}

/** Bytes of a body from a position to an end, at most to the end of the chunk that holds the position. */
export async function readChunk<Snapshot>(
  db: Pick<ChunkDatabase<Snapshot>, 'get'>,
  body: string,
  start: number,
  end: number,
  snapshot: Snapshot,
): Promise<Uint8Array> {
  const index = Math.floor(start / chunkLength)
  const chunk = await db.get(chunkKey(body, index), { snapshot })
  if (!chunk) throw new Error(`A chunk of the body ${body} is missing`)
  const from = index * chunkLength
  return chunk.subarray(start - from, end - from)
}
