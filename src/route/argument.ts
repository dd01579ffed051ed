import { BadRequest, type ValueSource, type Violation } from '../errors'
import { escapePointer } from '../http/pointer'
import type { Awaitable } from '../types'
import type { BodyReader, DecodedBody } from './body'
import { Refusal } from './checks'
import type { Paging } from './paging'
import type { Context, Limits, ParamPlan, Settings } from './plan'

/** What the readers of one route share. */
export interface ArgumentsShared extends Pick<
  Settings,
  'validate' | 'declared' | 'pipes' | 'unknownBody' | 'bodyStatus' | 'stopping' | 'toPlain'
> {
  readonly body?: BodyReader
  readonly paging?: Paging
  /** The bounds of this route. */
  readonly limits: Limits
}

/** Takes one value; what is wrong with it goes to the list. */
export type Take = (ctx: Context, wrong: Violation[]) => unknown

/** Takes one value out of a body. */
export type TakeBody = (body: DecodedBody, wrong: Violation[], ctx: Context) => Awaitable<unknown>

const sources: Partial<Record<ParamPlan['source'], ValueSource>> = {
  path: 'path',
  query: 'query',
  header: 'header',
  cookie: 'cookie',
}

/** Where violations of a parameter say that they are. */
export function sourceOf({ source }: ParamPlan): ValueSource {
  return sources[source] ?? 'body'
}

/** The 400 of arguments that are wrong, all of them at once. */
export function refusedArguments(errors: readonly Violation[], detail = 'The request has wrong arguments'): BadRequest {
  return new BadRequest(detail, { code: 'arguments', errors })
}

/** Decides on a named value that is absent, or was refused. */
export interface Judge {
  absent(wrong: Violation[]): unknown
  accept(value: unknown, wrong: Violation[]): unknown
}

/** The default of an absent value on its way past the pipes: it is the author's, so nothing checks or converts it. */
export class Default {
  constructor(readonly value: unknown) {}
}

/** Turns absence and refusals of a named value into its default or into violations, which are made once, at start. */
export function createJudge(param: ParamPlan, source: ValueSource, finished = false): Judge {
  const name = param.name ?? ''
  const pointer = `/${escapePointer(name)}`
  const missing: Violation = Object.freeze({
    in: source,
    pointer,
    code: 'required',
    detail: param.explain ?? `${name} is required`,
  })
  return {
    absent(wrong) {
      if (param.required) wrong.push(missing)
      return finished ? new Default(param.default) : copyDefault(param.default)
    },
    accept(value, wrong) {
      if (!(value instanceof Refusal)) return value
      wrong.push({
        in: source,
        pointer: value.element === undefined ? pointer : `${pointer}/${value.element}`,
        code: value.code,
        detail: param.explain ?? `${name} ${value.detail}`,
      })
      return undefined
    },
  }
}

/** A list as default is not shared between requests. */
export function copyDefault(value: unknown): unknown {
  return Array.isArray(value) ? [...(value as unknown[])] : value
}
