import { HttpError, ValidationError, type Violation } from '../errors'
import type { Awaitable } from '../types'
import { refusedArguments, type ArgumentsShared, type Take, type TakeBody } from './argument'
import { bodyTake } from './argument-body'
import { createQueryGuard, whereTake, wholeQuery } from './argument-query'
import { groupTake, textTake } from './argument-text'
import type { DecodedBody } from './body'
import { createFinish, settle, type Finish } from './finish'
import type { Context, ParamPlan, RoutePlan } from './plan'
import { parseFields } from './projection'
import { isPromise } from './promise'
import { queryOf } from './query'
import { signalOf } from './signal'

/** Reads all arguments of a route and hands them on: at once where nothing is asynchronous, else when all are there. */
export type ReadArguments = <T>(ctx: Context, use: (ctx: Context, args: unknown[]) => Awaitable<T>) => Awaitable<T>

interface Slot {
  readonly index: number
  readonly take?: Take
  readonly takeBody?: TakeBody
  readonly finish?: Finish
}

const noArguments: unknown[] = []

/**
 * The reader of a route's arguments, specialised at start. What is wrong outside the body is collected and answered 400
 * before a byte of the body is read; what is wrong in it is answered together as well.
 *
 * @param plan the route
 * @param shared its body reader, its paging and the pipes
 */
export function createArguments(plan: RoutePlan, shared: ArgumentsShared): ReadArguments {
  const slots = plan.params.map((param) => createSlot(plan, param, shared))
  const refuseUnknown = createQueryGuard(plan, shared)
  if (slots.length === 0 && !refuseUnknown) return (ctx, use) => use(ctx, noArguments)
  const plain = slots.every((slot) => slot.take && !slot.finish)
  return plain ? readPlain(slots, refuseUnknown) : readInOrder(slots, refuseUnknown, shared)
}

/** Only texts and things of the context: no promise anywhere. */
function readPlain(slots: readonly Slot[], refuseUnknown: Take | undefined): ReadArguments {
  const takes = slots.map((slot) => slot.take as Take)
  const places = slots.map((slot) => slot.index)
  const length = Math.max(-1, ...places) + 1
  return function readArguments(ctx, use) {
    const wrong: Violation[] = []
    const values = new Array<unknown>(length)
    for (let i = 0; i < takes.length; i++) values[places[i] as number] = (takes[i] as Take)(ctx, wrong)
    refuseUnknown?.(ctx, wrong)
    if (wrong.length > 0) throw refusedArguments(wrong)
    return use(ctx, values)
  }
}

function readInOrder(slots: readonly Slot[], refuseUnknown: Take | undefined, shared: ArgumentsShared): ReadArguments {
  const early = slots.filter((slot) => slot.take)
  const late = slots.filter((slot) => slot.takeBody)
  const length = Math.max(-1, ...slots.map((slot) => slot.index)) + 1
  const { body } = shared

  function readLate<T>(ctx: Context, values: unknown[], use: Use<T>): Awaitable<T> {
    if (late.length === 0 || !body) return use(ctx, values)
    return body.decoded(ctx, (decoded) => takeLate(decoded, ctx, values, use))
  }

  function takeLate<T>(decoded: DecodedBody, ctx: Context, values: unknown[], use: Use<T>): Awaitable<T> {
    const wrong: Violation[] = []
    const taken = eachInTurn(late, (slot) => put(values, slot.index, slot.takeBody?.(decoded, wrong, ctx)))
    return taken ? taken.then(() => finishLate(ctx, values, wrong, use)) : finishLate(ctx, values, wrong, use)
  }

  function finishLate<T>(ctx: Context, values: unknown[], wrong: Violation[], use: Use<T>): Awaitable<T> {
    if (wrong.length > 0) throw refusedBody(wrong, shared)
    const finished = eachInTurn(late, ({ index, finish }) => finish && put(values, index, finish(values[index], ctx)))
    return finished ? finished.then(() => use(ctx, values)) : use(ctx, values)
  }

  return function readArguments(ctx, use) {
    const wrong: Violation[] = []
    const values = new Array<unknown>(length)
    for (const { index, take } of early) values[index] = take?.(ctx, wrong)
    refuseUnknown?.(ctx, wrong)
    if (wrong.length > 0) throw refusedArguments(wrong)
    const settled = eachInTurn(early, ({ index, finish }) =>
      put(values, index, finish ? finish(values[index], ctx) : values[index]),
    )
    return settled ? settled.then(() => readLate(ctx, values, use)) : readLate(ctx, values, use)
  }
}

type Use<T> = (ctx: Context, args: unknown[]) => Awaitable<T>

/** Puts a value in its place: at once, or when it is there. */
function put(values: unknown[], index: number, value: unknown): Promise<void> | undefined {
  if (isPromise(value)) return value.then((settled) => void (values[index] = settled))
  values[index] = value
  return undefined
}

/** Takes one step after the other; a promise from the first on that gives one. */
function eachInTurn(
  slots: readonly Slot[],
  step: (slot: Slot) => Promise<void> | undefined,
  from = 0,
): Promise<void> | undefined {
  for (let at = from; at < slots.length; at++) {
    const waiting = step(slots[at] as Slot)
    if (waiting) return waiting.then(() => eachInTurn(slots, step, at + 1))
  }
  return undefined
}

function refusedBody(errors: Violation[], { bodyStatus }: ArgumentsShared): HttpError {
  const detail = 'The body breaks its rules'
  if (bodyStatus === 422) return new ValidationError(detail, { code: 'validation', errors })
  return new HttpError(bodyStatus, detail, { code: 'validation', errors })
}

function createSlot(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): Slot {
  const { index } = param
  switch (param.source) {
    case 'path':
    case 'query':
    case 'header':
    case 'cookie':
      if (param.members) return { index, take: groupTake(param, shared), finish: createFinish(param, shared) }
      if (param.name === undefined)
        return { index, take: wholeQuery(plan, param, shared), finish: createFinish(param, shared) }
      return { index, take: textTake(param, shared), finish: createFinish(param, shared) }
    case 'body':
    case 'file':
    case 'files':
      return { index, takeBody: bodyTake(plan, param, shared), finish: createFinish(param, shared) }
    case 'page':
      return { index, take: (ctx) => shared.paging?.read(ctx) }
    case 'where':
      return { index, take: whereTake(shared) }
    case 'fields':
      return { index, take: (ctx) => parseFields(queryOf(ctx, shared.limits.keys).get('fields')?.join(',') ?? '') }
    case 'context':
      return { index, take: (ctx) => ctx }
    case 'state':
      return { index, take: stateTake(param), finish: createFinish(param, shared) }
    case 'user':
      return { index, take: (ctx) => (ctx.state as { user?: unknown }).user, finish: createFinish(param, shared) }
    case 'signal':
      return { index, take: (ctx) => signalOf(ctx, shared.stopping) }
    case 'limits':
      return { index, take: () => shared.limits }
    case 'validator': {
      // For what a handler makes by itself, a patched document say: it is held to what a body of its type is.
      const body: ParamPlan = { ...param, source: 'body' }
      const validate = (value: unknown): unknown => shared.validate(value, body)
      return { index, take: () => validate }
    }
    case 'plain':
      return { index, take: () => shared.toPlain }
    case 'rawBody':
      return { index, take: (ctx) => shared.body?.raw(ctx), finish: createFinish(param, shared) ?? settle }
    case 'custom':
      return { index, take: (ctx) => param.read?.(ctx), finish: createFinish(param, shared) ?? settle }
  }
}

function stateTake({ name }: ParamPlan): Take {
  if (name === undefined) return (ctx) => ctx.state
  return (ctx) => (ctx.state as Record<string, unknown>)[name]
}
