import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { checkHost } from '../http/host'
import type { Awaitable } from '../types'
import { answerError } from './answer-error'
import type { CreateContext } from './context'
import type { Context, Settings } from './plan'
import { isPromise } from './promise'
import { enter, type PlanRouter } from './router'

/** Serves a request, or leaves it to Koa: `undefined`. */
export type Straight = (req: IncomingMessage, res: ServerResponse) => Promise<void> | undefined

/** What the straight path is made of. */
export interface StraightParts {
  readonly router: PlanRouter
  readonly settings: Settings
  readonly createContext: CreateContext
  /** Whether the headers of a proxy are trusted, at this moment. */
  readonly proxied: () => boolean
  /** What Koa does once its middleware is through: `ctx.body` becomes the answer. */
  readonly respond: (ctx: Context) => Promise<void>
}

/** What every answer that is complete at once gives back. */
const answered = Promise.resolve()

/**
 * The way of a request from Node's server to its route, where no middleware is mounted: nobody is there to look at
 * `ctx.body`, so the route's answer goes to the response at once. What the index does not find by itself, and HTTP/2, is
 * left to Koa.
 *
 * @param parts router, settings and what is Koa's own
 */
export function createStraight({ router, settings, createContext, proxied, respond }: StraightParts): Straight {
  function end(ctx: Context): Promise<void> | undefined {
    const { res } = ctx
    if (res.writableEnded) return undefined
    // What was in flight when the application began to stop is the last answer of its connection.
    if (settings.stopping?.aborted && !res.headersSent) res.setHeader('Connection', 'close')
    return respond(ctx)
  }

  function fail(error: unknown, ctx: Context): Promise<void> {
    return answerError(error, ctx, settings, true).then(() => end(ctx))
  }

  function finish(ctx: Context, running: Promise<void>): Promise<void> {
    watch(ctx)
    return running.then(
      () => leave(ctx),
      (error: unknown) => answerError(error, ctx, settings, true).then(() => leave(ctx)),
    )
  }

  function leave(ctx: Context): Awaitable<void> {
    const ending = end(ctx)
    if (ending) return ending.then(() => unwatch(ctx))
    unwatch(ctx)
  }

  return function straight(req, res) {
    if (req.httpVersionMajor > 1) return undefined
    const found = router.routeOf(req)
    if (!found) return undefined
    const ctx = createContext(req, res)
    res.statusCode = 404
    try {
      checkHost(req.headers, proxied())
      enter(router, ctx, found.value, found.params)
      const running = found.value.entry.runStraight(ctx)
      if (isPromise(running)) return finish(ctx, running)
      return end(ctx) ?? answered
    } catch (error) {
      return fail(error, ctx)
    }
  }
}

// --- Connections that break -------------------------------------------------------------------------------------------------

/** On a socket: the request that it is busy with, or several where they are pipelined. */
const current = Symbol('kumu.current')

interface WatchedSocket extends Socket {
  [current]?: Context | readonly Context[] | null
}

/**
 * Tells the application of a connection that fails while a request runs, as Koa does with `on-finished`; the listener is one
 * for all requests of a connection.
 */
function watch(ctx: Context): void {
  const socket = ctx.req.socket as WatchedSocket | undefined
  if (!socket) return
  const known = socket[current]
  if (known === undefined) socket.on('error', failRunning)
  socket[current] = known ? [known, ctx].flat() : ctx
}

function failRunning(this: WatchedSocket, error: Error): void {
  for (const ctx of [this[current] ?? []].flat()) if (!ctx.res.writableFinished) ctx.onerror(error)
}

function unwatch(ctx: Context): void {
  const socket = ctx.req.socket as WatchedSocket | undefined
  const known = socket?.[current]
  if (!socket || !known) return
  socket[current] = known === ctx ? null : [known].flat().filter((each) => each !== ctx)
}
