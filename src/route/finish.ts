import { BadRequest, HttpError, ValidationError, type Violation } from '../errors'
import { escapePointer } from '../http/pointer'
import type { Awaitable } from '../types'
import {
  copyDefault,
  createJudge,
  Default,
  refusedArguments,
  sourceOf,
  type ArgumentsShared,
  type Judge,
} from './argument'
import { Refusal } from './checks'
import type { Context, ParamPlan, Pipe } from './plan'
import { isPromise } from './promise'

/** A step after a value is taken: validation, pipes, conversion. */
export type Finish = (value: unknown, ctx: Context) => Awaitable<unknown>

/** The step that changes nothing, but waits. */
export const settle: Finish = (value) => value

/** Validation where the type is a class or a schema, then the pipes, then the conversion; `undefined` where there is none of it. */
export function createFinish(param: ParamPlan, shared: ArgumentsShared): Finish | undefined {
  if (param.members) {
    const needs = param.members.some((member) => createFinish(member, shared))
    return needs ? settle : undefined
  }
  const pipes = [...shared.pipes, ...(param.pipes ?? [])]
  const validated = isValidated(param)
  if (validated) pipes.unshift(placed(param, shared.validate))
  const { convert } = param
  if (pipes.length === 0 && !convert) return undefined
  const refuse = createJudge(param, sourceOf(param))

  function pass(input: unknown, from: number, ctx: Context): Awaitable<unknown> {
    let value = input
    for (let at = from; at < pipes.length; at++) {
      const next = (pipes[at] as Pipe)(value, param)
      if (isPromise(next)) return next.then((settled) => pass(settled, at + 1, ctx))
      value = next
    }
    if (!convert) return accept(value)
    return convertValue(convert, value, ctx, refuse).then(accept)
  }

  function accept(value: unknown): unknown {
    if (isNothing(value)) throw refusedConversion('', refuse)
    return value
  }

  return function finish(input, ctx): Awaitable<unknown> {
    if (isPromise(input)) return input.then((value) => finish(value, ctx))
    if (input instanceof Default) return copyDefault(input.value)
    if (input === undefined && !param.required) return input
    return pass(input, 0, ctx)
  }
}

/**
 * Whether the validation pipe checks this parameter: by a schema wherever it stands, by a class in a body or a whole
 * query. A class behind a single text is what a pipe or a converter of the author's makes of it.
 */
export function isValidated({ type, source, name, convert }: ParamPlan): boolean {
  if (type.kind === 'schema') return true
  return type.kind === 'class' && !convert && (source === 'body' || (source === 'query' && name === undefined))
}

/** The validation pipe knows where a value with a schema stands; an object of a class is all there is to it. */
function placed({ name, type }: ParamPlan, validate: Pipe): Pipe {
  return name === undefined || type.kind === 'schema' ? validate : below(name, validate)
}

/** The same pipe on a named value: its violations point below the name. */
function below(name: string, pipe: Pipe): Pipe {
  const prefix = `/${escapePointer(name)}`
  function fail(error: unknown): never {
    if (!(error instanceof HttpError) || !error.errors) throw error
    const errors = error.errors.map((violation) => ({ ...violation, pointer: prefix + violation.pointer }))
    const options = { code: error.code, errors }
    if (error.status === 422) throw new ValidationError(error.detail, options)
    if (error.status === 400) throw new BadRequest(error.detail, options)
    throw new HttpError(error.status, error.detail, options)
  }
  return (value, param) => {
    try {
      const result = pipe(value, param)
      return isPromise(result) ? result.catch(fail) : result
    } catch (error) {
      return fail(error)
    }
  }
}

async function convertValue(
  convert: NonNullable<ParamPlan['convert']>,
  value: unknown,
  ctx: Context,
  judge: Judge,
): Promise<unknown> {
  try {
    return await convert(value as never, ctx)
  } catch (error) {
    if (error instanceof HttpError || hasStatus(error)) throw error
    // What the engine throws (new URL, JSON.parse, BigInt) quotes the value: only a message of the author's is passed on.
    throw refusedConversion(error instanceof Error && !engineErrors.has(error.constructor) ? error.message : '', judge)
  }
}

function refusedConversion(authored: string, judge: Judge): BadRequest {
  const errors: Violation[] = []
  judge.accept(new Refusal('convert', authored || 'is not valid'), errors)
  const [violation] = errors
  const said = violation && authored ? { ...violation, detail: authored } : violation
  return refusedArguments(said ? [said] : [], authored || undefined)
}

/** `Number('x')`, `new Date('x')`: a conversion that found nothing to convert, and did not throw. */
function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isNothing)
  return Number.isNaN(value) || (value instanceof Date && Number.isNaN(value.getTime()))
}

const engineErrors = new Set<unknown>([TypeError, SyntaxError, RangeError, ReferenceError, URIError])

function hasStatus(error: unknown): boolean {
  return error instanceof Error && 'status' in error && typeof error.status === 'number'
}

/** The same for the members of a group, each by its own steps. */
export async function finishGroup(
  group: Record<string, unknown>,
  members: ReadonlyArray<{ as: string; finish: Finish | undefined }>,
  ctx: Context,
): Promise<Record<string, unknown>> {
  for (const { as, finish } of members) if (finish) group[as] = await finish(group[as], ctx)
  return group
}
