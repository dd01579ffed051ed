import 'reflect-metadata'
import { HttpError, type Violation } from '../../src/errors'
import { TextValue, type ParamPlan, type ParamSource } from '../../src/route/plan'
import type { Constructor } from '../../src/types'
import type { DesignType } from '../../src/validation/model'
import { createValidation, type ValidationOptions } from '../../src/validation/pipe'

export const designType: DesignType = (prototype, property) => Reflect.getMetadata('design:type', prototype, property)

/** A parameter of a class; the body of `Things.make` unless told. */
export function paramOf(type: Constructor, init: Partial<ParamPlan> = {}): ParamPlan {
  const list = init.type?.list ?? false
  return {
    index: 0,
    source: 'body',
    required: true,
    where: 'Things.make, parameter 0',
    ...init,
    type: { kind: 'class', class: type, list },
  }
}

export function listOf(type: Constructor): ParamPlan {
  return paramOf(type, { type: { kind: 'class', class: type, list: true } })
}

interface Given extends ValidationOptions {
  readonly source?: ParamSource
  readonly list?: boolean
  readonly param?: Partial<ParamPlan>
}

/** What the pipe makes of a value for a class. */
export async function take(type: Constructor, value: unknown, given: Given = {}): Promise<unknown> {
  const { source = 'body', list = false, param, ...options } = given
  const validation = createValidation(options, designType)
  const plan = paramOf(type, { ...param, source, type: { kind: 'class', class: type, list } })
  return validation.pipe(value, plan)
}

/** The same of text: of a query, unless told. */
export async function takeText(type: Constructor, value: unknown, given: Given = {}): Promise<unknown> {
  return take(type, new TextValue(value), { source: 'query', ...given })
}

/** The error of an attempt that must be refused: any other outcome is thrown on. */
export async function refusalOf(attempt: Promise<unknown>): Promise<HttpError> {
  const outcome: unknown = await attempt.then(
    (value) => {
      throw new Error(`not refused: ${JSON.stringify(value)}`)
    },
    (error: unknown) => error,
  )
  if (outcome instanceof HttpError) return outcome
  throw outcome
}

/** The status, and `pointer code` a violation, of a refused attempt. */
export async function brief(attempt: Promise<unknown>): Promise<readonly (string | number)[]> {
  const error = await refusalOf(attempt)
  return [error.status, ...(error.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`)]
}

/** The violations of a refused attempt. */
export async function violationsOf(attempt: Promise<unknown>): Promise<readonly Violation[]> {
  return (await refusalOf(attempt)).errors ?? []
}
