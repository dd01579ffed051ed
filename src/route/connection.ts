import { constants } from 'node:http2'
import { discard } from './discard'
import type { Context } from './plan'

/** Whether it is too late to answer: the answer is on its way, or the client has left. */
export function isGone(ctx: Context): boolean {
  // A response without a socket belongs to a transport in process, and Koa calls it writable.
  return ctx.headerSent || !ctx.writable || ctx.res.destroyed || Boolean(ctx.req.socket?.destroyed)
}

/** Cuts an answer off, so that the client cannot take a part for the whole (RFC 9112 §8). */
export function abandon(ctx: Context): void {
  ctx.respond = false
  const { body, res } = ctx
  discard(body)
  // An answer that has ended is whole, though it may still be on its way.
  if (res.writableEnded) return
  // Over HTTP/2 only a stream that is reset tells the client that something is missing (RFC 9113 §8.1).
  const { stream } = res as { stream?: { close(code: number): void } }
  if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else res.destroy()
}
