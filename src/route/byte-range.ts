import { RangeNotSatisfiable } from '../errors'
import { ifRange } from '../http/conditional'
import { formatContentRange, formatUnsatisfied, parseRange, resolveRange } from '../http/range'
import type { Context } from './plan'

/** What a byte range is taken of. */
export interface ByteSource {
  /** In bytes. */
  readonly size: number
  readonly etag?: string
  readonly modified?: Date
}

/**
 * The one byte range that a request asks for, and the headers of its answer; `undefined` for the whole: no `Range`, one
 * that is malformed, of another unit or of several parts, or one whose `If-Range` no longer holds (RFC 9110 §14.2).
 *
 * @throws RangeNotSatisfiable where it lies outside
 */
export function byteRangeOf(ctx: Context, source: ByteSource): { first: number; last: number } | undefined {
  ctx.res.setHeader('Accept-Ranges', 'bytes')
  const header = ctx.req.headers.range
  if (header === undefined || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return undefined
  const range = parseRange(header)
  const [spec, another] = range?.ranges ?? []
  if (range?.unit.toLowerCase() !== 'bytes' || !spec || another) return undefined
  const condition = ctx.req.headers['if-range']
  if (typeof condition === 'string' && !ifRange(condition, source)) return undefined
  const part = resolveRange(spec, source.size)
  if (!part) {
    throw new RangeNotSatisfiable(`There are ${source.size} bytes`, {
      code: 'range',
      headers: { 'Accept-Ranges': 'bytes', 'Content-Range': formatUnsatisfied('bytes', source.size) },
    })
  }
  ctx.res.setHeader('Content-Range', formatContentRange('bytes', part.first, part.last, source.size))
  return part
}
