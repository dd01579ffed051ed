import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import Koa, { type Next } from 'koa'
import { Context, createApp, Get, Post, Resource, Use, type App, type AppOptions } from 'kumu'

/** Middleware as Koa documents it. */
export type Step = (ctx: Koa.Context, next: Next) => unknown

/** What a handler does with its context, and what it returns. */
export type Handler = (ctx: Context) => unknown

/** An application with one resource at `/`, which answers as it is told. */
export function appOf(
  answer: Handler = () => ({ a: 1 }),
  options: AppOptions = {},
  ...use: readonly Koa.Middleware[]
): App {
  @Resource('/')
  @Use(...use)
  class Things {
    @Get() get(@Context() ctx: Context) {
      return answer(ctx)
    }
    @Post() post(@Context() ctx: Context) {
      return answer(ctx)
    }
  }
  return createApp({ ...options, resources: [Things] })
}

/** Koa as it is, with these middlewares. */
export function stockOf(...steps: readonly Step[]): Koa {
  return mount(new Koa(), steps)
}

/** Adds middlewares to an application, one behind the other. */
export function mount<A extends Koa>(app: A, steps: readonly Step[]): A {
  for (const step of steps) app.use((ctx, next) => step(ctx as Koa.Context, next))
  return app
}

/** What an application tells its error listeners, from now on; nothing is printed. */
export function listenTo(app: Koa): Array<readonly [error: NodeJS.ErrnoException, ctx: Koa.Context | undefined]> {
  const heard: Array<readonly [NodeJS.ErrnoException, Koa.Context | undefined]> = []
  app.on('error', (error: NodeJS.ErrnoException, ctx?: Koa.Context) => void heard.push([error, ctx]))
  return heard
}

/** A server of Node's with any listener. */
export function toListener(handle: (req: IncomingMessage, res: ServerResponse) => void) {
  return { listen: (port: number, host: string): Server => createServer(handle).listen(port, host) }
}

/** Waits for something that comes by itself. */
export async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 1000) throw new Error('It never came')
    await sleep(2)
  }
}
