import { open, type FileHandle } from 'node:fs/promises'
import { extname } from 'node:path'
import { NoSuchResource, PreconditionFailed } from '../errors'
import { evaluate, formatHttpDate } from '../http/conditional'
import { byteRangeOf } from './byte-range'
import type { Context } from './plan'
import { conditionsOf } from './precondition'
import type { FileReply } from './replies'

/** What the file system says of a path that names no file; of one with a NUL, Node says the last. */
const missing = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'])

/**
 * Streams a file of the server: type, length, entity tag, `Last-Modified`, conditions and one byte range.
 *
 * @throws NoSuchResource where there is no such file
 * @throws PreconditionFailed, RangeNotSatisfiable as the request's headers have it
 */
export async function sendFile(ctx: Context, reply: FileReply): Promise<void> {
  const handle = await openFile(reply.path)
  let handed = false
  try {
    const { size, mtime, mtimeNs, ino } = await describe(handle)
    const etag = `"${ino.toString(36)}-${size.toString(36)}-${mtimeNs.toString(36)}"`
    const current = { etag, modified: mtime, size }
    ctx.res.setHeader('ETag', etag)
    ctx.res.setHeader('Last-Modified', formatHttpDate(mtime))
    const verdict = evaluate(conditionsOf(ctx), current)
    if (verdict === 'failed') throw new PreconditionFailed('The file has another revision')
    if (verdict === 'not-modified') {
      ctx.body = null
      ctx.status = 304
      return
    }
    const part = byteRangeOf(ctx, current)
    if (part) ctx.status = 206
    if (reply.options.filename !== undefined) ctx.attachment(reply.options.filename)
    if (reply.options.type !== undefined) ctx.res.setHeader('Content-Type', reply.options.type)
    else if (!ctx.res.hasHeader('Content-Type')) ctx.type = extname(reply.path) || 'application/octet-stream'
    const { first, last } = part ?? { first: 0, last: size - 1 }
    if (size === 0) {
      ctx.body = ''
      return
    }
    ctx.body = handle.createReadStream({ start: first, end: last, autoClose: true })
    handed = true
    ctx.length = last - first + 1
  } finally {
    if (!handed) await handle.close()
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (missing.has((error as NodeJS.ErrnoException).code ?? '')) throw new NoSuchResource(undefined, { cause: error })
    throw error
  }
}

async function describe(handle: FileHandle): Promise<{ size: number; mtime: Date; mtimeNs: bigint; ino: bigint }> {
  const stats = await handle.stat({ bigint: true })
  if (!stats.isFile()) throw new NoSuchResource()
  return { size: Number(stats.size), mtime: stats.mtime, mtimeNs: stats.mtimeNs, ino: stats.ino }
}
