import { HttpError, type BadRequest, type Violation } from '../errors'
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

/** Validation where the type is a class, then the pipes, then the conversion; `undefined` where there is none of it. */
export function createFinish(param: ParamPlan, shared: ArgumentsShared): Finish | undefined {
  if (param.members) {
    const needs = param.members.some((member) => createFinish(member, shared))
    return needs ? settle : undefined
  }
  const pipes = [...shared.pipes, ...(param.pipes ?? [])]
  const validated = isValidated(param)
  if (validated) pipes.unshift(param.name === undefined ? shared.validate : below(param.name, shared.validate))
  const { convert } = param
  if (pipes.length === 0 && !convert) return undefined
  const refuse = createJudge(param, sourceOf(param))
  return async (input, ctx) => {
    let value = isPromise(input) ? await input : input
    if (value instanceof Default) return copyDefault(value.value)
    if (value === undefined && !param.required) return value
    for (const pipe of pipes) value = await pipe(value, param)
    if (convert) value = await convertValue(convert, value, ctx, refuse)
    if (isNothing(value)) throw refusedConversion('', refuse)
    return value
  }
}

/**
 * Whether the validation pipe checks this parameter: a class, taken from a body or from a whole query. A class behind a
 * single text is what a pipe or a converter of the author's makes of it.
 */
export function isValidated({ type, source, name, convert }: ParamPlan): boolean {
  return type.kind === 'class' && !convert && (source === 'body' || (source === 'query' && name === undefined))
}

/** The same pipe on a named value: its violations point below the name. */
function below(name: string, pipe: Pipe): Pipe {
  const prefix = `/${escapePointer(name)}`
  return async (value, param) => {
    try {
      return await pipe(value, param)
    } catch (error) {
      if (!(error instanceof HttpError) || !error.errors) throw error
      const errors = error.errors.map((violation) => ({ ...violation, pointer: prefix + violation.pointer }))
      throw new HttpError(error.status, error.detail, { code: error.code, errors })
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
