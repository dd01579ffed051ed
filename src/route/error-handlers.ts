import type { HttpError } from '../errors'
import { isGone } from './connection'
import { isDestroyable } from './discard'
import {
  clearContent,
  setHeaders,
  toCheckedHeaders,
  toJson,
  write,
  writeError,
  type CatchSettings,
} from './error-answer'
import type { Context, ErrorHandlerPlan } from './plan'
import { Reply } from './replies'

/** Whether a handler of the application is there for an error: by its status, a class of them, or its own class. */
export function isHandledBy(on: ErrorHandlerPlan['on'], status: number, original: unknown): boolean {
  if (typeof on === 'number') return on === status
  if (typeof on === 'function') return original instanceof on
  const digits = String(status)
  return on.length === 3 && [...on.toLowerCase()].every((digit, at) => digit === 'x' || digit === digits[at])
}

/**
 * Answers with what a handler of the application makes of an error; with the error itself where it makes nothing.
 *
 * @param handler the handler
 * @param original what was thrown
 * @param error the same with its status
 * @param ctx the request
 * @param settings format of the error's own answer
 * @throws what the handler throws, and TypeError where it returns what cannot be written
 */
export async function answerByHandler(
  handler: ErrorHandlerPlan,
  original: unknown,
  error: HttpError,
  ctx: Context,
  settings: CatchSettings,
): Promise<void> {
  const result = await handler.call(original, ctx)
  // It has answered by itself, or the client has left meanwhile.
  if (isGone(ctx) || ctx.respond === false) return
  if (result === undefined) {
    clearContent(ctx)
    return writeError(error, ctx, settings)
  }
  const reply = result instanceof Reply ? result : new Reply(error.status, result)
  const body = toBody(reply.body, settings)
  const headers = toCheckedHeaders({ ...(reply.status === error.status && error.headers), ...reply.headers })
  if (reply.status >= 500 || reply.status === 401) ctx.set('Cache-Control', 'no-store')
  setHeaders(ctx, headers)
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  write(
    ctx,
    reply.status,
    type === undefined ? ctx.response.get('Content-Type') || body.type : String(type),
    body.content,
  )
}

/** What a handler returned, as Koa writes it. */
function toBody(value: unknown, settings: CatchSettings): { type: string; content: unknown } {
  if (value === undefined) return { type: '', content: null }
  if (typeof value === 'string') return { type: 'text/plain; charset=utf-8', content: value }
  if (value instanceof Uint8Array) {
    return { type: 'application/octet-stream', content: Buffer.from(value.buffer, value.byteOffset, value.byteLength) }
  }
  if (isDestroyable(value) && 'pipe' in value) return { type: 'application/octet-stream', content: value }
  return { type: 'application/json', content: toJson(value, settings) }
}
