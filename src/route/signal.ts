import type { Context } from './plan'

const controllers = new WeakMap<object, AbortController>()

function controllerOf(ctx: Context, stopping: AbortSignal | undefined): AbortController {
  const known = controllers.get(ctx.req)
  if (known) return known
  const controller = new AbortController()
  controllers.set(ctx.req, controller)
  const leave = (): void => {
    stopping?.removeEventListener('abort', stop)
    if (!ctx.res.writableFinished) controller.abort(new DOMException('The client has gone', 'AbortError'))
  }
  const stop = (): void => controller.abort(new DOMException('The application stops', 'AbortError'))
  if (stopping?.aborted) stop()
  else stopping?.addEventListener('abort', stop, { once: true })
  if (ctx.res.closed || (ctx.req.destroyed && !ctx.req.complete)) leave()
  else ctx.res.once('close', leave)
  return controller
}

/**
 * The signal of one request: it fires when the client leaves before the answer is complete, when the time of the
 * operation is up, and when the application stops.
 */
export function signalOf(ctx: Context, stopping?: AbortSignal): AbortSignal {
  return controllerOf(ctx, stopping).signal
}

/** Fires the signal of a request. */
export function abortRequest(ctx: Context, reason: unknown): void {
  controllerOf(ctx, undefined).abort(reason)
}
