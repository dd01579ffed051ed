import { PreconditionRequired, UnsupportedMediaType } from '../errors'
import type { Awaitable } from '../types'
import { createArguments } from './arguments'
import type { BodyReader } from './body'
import { isRuled } from './checks'
import type { Paging } from './paging'
import type { Context, Interceptor, Limits, Middleware, RoutePlan, Settings } from './plan'
import { queryOf } from './query'
import { isPromise } from './promise'
import { createReply } from './reply'

/** The whole of a route: reads, calls, answers. Throws what the catch step answers. */
export type Handle = (ctx: Context) => Awaitable<void>

/** The call of a handler with its arguments. */
type Call = (ctx: Context, args: unknown[]) => unknown

/**
 * The handler of a plan, specialised at start: without readers, with readers that are at once, or with ones that are
 * not; with or without interceptors and middleware.
 *
 * @param plan the route
 * @param settings what the application shares
 * @param straight whether nobody stands around the route, so that answers can be written straight to the response
 */
export function createHandler(plan: RoutePlan, settings: Settings, straight = false): Handle {
  const limits = { ...settings.limits, ...plan.limits }
  const paging = loadPaging(plan, settings)
  const body = loadBody(plan, settings, limits)
  const read = createArguments(plan, { ...settings, body, paging, limits })
  const reply = createReply(plan, settings, straight)
  const { around } = plan
  const plainly = spread(plan)
  const innermost: Call = paging ? (ctx, args) => paging.around(ctx, plainly, args) : plainly
  const call = around.length > 0 ? surround(around, innermost) : innermost

  const { checkReply } = settings
  const write: (ctx: Context, value: unknown) => Awaitable<void> =
    checkReply && plan.reply.type && isRuled(plan.reply.type)
      ? async function checkAndWrite(ctx, value) {
          if (!isProjected(ctx, plan)) await checkReply(value, plan)
          return reply.write(ctx, value)
        }
      : (ctx, value) => reply.write(ctx, value)

  function answer(ctx: Context, args: unknown[]): Awaitable<void> {
    const result = call(ctx, args)
    return isPromise(result) ? result.then((value) => write(ctx, value)) : write(ctx, result)
  }

  function handle(ctx: Context): Awaitable<void> {
    reply.check(ctx)
    return read(ctx, answer)
  }

  const { access } = plan
  const { gate } = settings
  const checks = preconditions(plan)
  const checked: Handle = checks
    ? function check(ctx) {
        checks(ctx)
        return handle(ctx)
      }
    : handle
  const guarded: Handle =
    access && gate
      ? async function guard(ctx) {
          await gate(ctx, access)
          return checked(ctx)
        }
      : checked
  return plan.use.length > 0 ? chain(plan.use, guarded) : guarded
}

// Loaded where a plan needs them: an application that only reads starts without the readers of bodies.

function loadPaging({ paging }: RoutePlan, { toPlain }: Settings): Paging | undefined {
  return paging && (require('./paging') as typeof import('./paging')).createPaging(paging, toPlain)
}

function loadBody({ body, method }: RoutePlan, { codecs }: Settings, limits: Limits): BodyReader | undefined {
  if (!body) return undefined
  const { createBodyReader } = require('./body') as typeof import('./body')
  const { checkShape } = require('../validation/shape') as typeof import('../validation/shape')
  return createBodyReader(body, { codecs, limits, checkShape, method })
}

/** Whether the client asked for some members only: what is left of a row is not of its class. */
function isProjected(ctx: Context, { paging }: RoutePlan): boolean {
  return paging !== undefined && queryOf(ctx).has('fields')
}

/** What is asked of a request's headers before any of it is read; `undefined` where there is nothing to ask. */
function preconditions({ requireMatch, body, method }: RoutePlan): ((ctx: Context) => void) | undefined {
  const mayUpload = !body && (method === 'POST' || method === 'PUT' || method === 'PATCH')
  if (!requireMatch && !mayUpload) return undefined
  return function check({ req: { headers } }) {
    if (requireMatch && headers['if-match'] === undefined && headers['if-none-match'] === undefined) {
      throw new PreconditionRequired('Send If-Match with the entity tag you have, or If-None-Match: *', {
        code: 'precondition-required',
      })
    }
    if (mayUpload && headers['content-type']?.startsWith('multipart/')) {
      throw new UnsupportedMediaType('This takes no upload', { code: 'media-type' })
    }
  }
}

/** The call with its arguments laid out; a short list needs no spread. */
function spread({ call }: RoutePlan): Call {
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
  call: Call,
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
