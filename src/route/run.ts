import type { Awaitable } from '../types'
import { checkShape } from '../validation/shape'
import { createArguments } from './arguments'
import { createBodyReader } from './body'
import { createPaging } from './paging'
import type { Context, Interceptor, Middleware, RoutePlan, Settings } from './plan'
import { createReply } from './reply'

/** The whole of a route: reads, calls, answers. Throws what the catch step answers. */
export type Handle = (ctx: Context) => Awaitable<void>

/**
 * The handler of a plan, specialised at start: without readers, with readers that are at once, or with ones that are
 * not; with or without interceptors and middleware.
 *
 * @param plan the route
 * @param settings what the application shares
 */
export function createHandler(plan: RoutePlan, settings: Settings): Handle {
  const limits = { ...settings.limits, ...plan.limits }
  const paging = plan.paging && createPaging(plan.paging, settings.toPlain)
  const body =
    plan.body && createBodyReader(plan.body, { codecs: settings.codecs, limits, checkShape, method: plan.method })
  const read = createArguments(plan, { ...settings, body, paging, limits })
  const reply = createReply(plan, settings)
  const around = paging ? [...plan.around, paging.around] : plan.around
  const call = around.length > 0 ? surround(around, spread(plan)) : spread(plan)

  function answer(ctx: Context, args: unknown[]): Awaitable<void> {
    const result = call(ctx, args)
    return isPromise(result) ? result.then((value) => reply.write(ctx, value)) : reply.write(ctx, result)
  }

  function handle(ctx: Context): Awaitable<void> {
    reply.check(ctx)
    const args = read(ctx)
    return isPromise(args) ? args.then((values) => answer(ctx, values)) : answer(ctx, args)
  }

  const { access } = plan
  const { gate } = settings
  const guarded: Handle =
    access && gate
      ? async function guard(ctx) {
          await gate(ctx, access)
          return handle(ctx)
        }
      : handle
  return plan.use.length > 0 ? chain(plan.use, guarded) : guarded
}

/** The call with its arguments laid out; a short list needs no spread. */
function spread({ call }: RoutePlan): (ctx: Context, args: unknown[]) => unknown {
  return function invoke(_ctx, args) {
    switch (args.length) {
      case 0:
        return call()
      case 1:
        return call(args[0])
      case 2:
        return call(args[0], args[1])
      default:
        return call(...args)
    }
  }
}

/** Interceptors around a call, the first outermost. */
function surround(
  interceptors: readonly Interceptor[],
  call: (ctx: Context, args: unknown[]) => unknown,
): (ctx: Context, args: unknown[]) => Promise<unknown> {
  const innermost = async (ctx: Context, args: unknown[]): Promise<unknown> => call(ctx, args)
  return interceptors.reduceRight<(ctx: Context, args: unknown[]) => Promise<unknown>>(
    (inner, interceptor) =>
      async function intercept(ctx, args) {
        return interceptor(ctx, () => inner(ctx, args))
      },
    innermost,
  )
}

/** Koa middleware around a handler, the first outermost: composed once, at start. */
export function chain(middleware: readonly Middleware[], last: Handle): Handle {
  return middleware.reduceRight<Handle>(
    (inner, each) =>
      function middlewareStep(ctx) {
        let called = false
        return each(ctx, async () => {
          if (called) throw new Error('next() called multiple times')
          called = true
          await inner(ctx)
        }) as Awaitable<void>
      },
    last,
  )
}

function isPromise(value: unknown): value is Promise<unknown[]> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
