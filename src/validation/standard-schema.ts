import type { HttpError, ValueSource } from '../errors'
import { TextValue, type ParamPlan, type Pipe, type SchemaResult, type StandardSchema } from '../route/plan'
import type { Awaitable } from '../types'
import { Findings } from './findings'
import { isHarmless, withoutHostile } from './hostile'
import { mostIssues, takeIssues, type Refused } from './issues'
import { Place } from './place'

/** How strict schemas are taken. */
export interface SchemaPipeOptions {
  /** Whether members that reach into prototypes are left out in silence, and not refused. */
  readonly strip: boolean
  /** The status of a body that breaks its schema. */
  readonly bodyStatus: number
}

/**
 * The validation pipe for parameters whose type is a schema of Standard Schema: what the schema makes of the value, or a
 * violation for each of its issues.
 *
 * The value is decoded JSON, or the text of a query, form, path, header or cookie as it came: what becomes of text is the
 * schema's business. Members named `__proto__` or `constructor` never reach the schema. Messages are told without what
 * they quote of the value. What a schema throws is passed on: a failure of ours, unless it is an HttpError.
 */
export function createSchemaPipe({ strip, bodyStatus }: SchemaPipeOptions): Pipe {
  function refusal(param: ParamPlan, tell: (findings: Findings, place: Place) => void): HttpError {
    const source = sourceOf(param)
    const findings = new Findings(source)
    tell(findings, placeOf(param, source))
    return findings.toError(bodyStatus)
  }

  function refusalOf(param: ParamPlan, code: string, why: string): HttpError {
    return refusal(param, (findings, place) =>
      findings.add(place.pointer, code, param.explain ?? `${place.label} ${why}`),
    )
  }

  function disarm(value: unknown, param: ParamPlan): unknown {
    const source = sourceOf(param)
    const findings = new Findings(source)
    const harmless = withoutHostile(value, strip, findings, placeOf(param, source))
    if (findings.failed) throw findings.toError(bodyStatus)
    return harmless
  }

  return function checkSchema(value, param) {
    const { schema, list } = param.type
    if (!schema || (value === undefined && !param.required) || (value === null && param.nullable)) return value
    if (value === undefined) throw refusalOf(param, 'required', 'is required')
    const given = value instanceof TextValue ? value.value : value
    const input = isHarmless(given) ? given : disarm(given, param)

    function settle(refused: readonly Refused[], output: unknown): unknown {
      if (refused.length === 0) return output
      throw refusal(param, (findings, place) => takeIssues(refused, input, place, findings, param.explain))
    }

    if (list) {
      const text = value instanceof TextValue || sourceOf(param) !== 'body'
      const elements = Array.isArray(input) ? (input as unknown[]) : text ? [input] : undefined
      if (!elements) throw refusalOf(param, 'type', 'must be a list')
      return checkList(schema, elements, param.where, settle)
    }
    const settleOne = (result: SchemaResult<unknown>): unknown =>
      result.issues ? settle([{ value: input, issues: result.issues }], undefined) : result.value
    const outcome = ask(schema, input, param.where)
    return outcome instanceof Promise ? outcome.then(settleOne) : settleOne(outcome)
  }
}

/** One element after the other: a list of thousands must not ask a database thousands of questions at once. */
async function checkList(
  schema: StandardSchema,
  elements: readonly unknown[],
  where: string,
  settle: (refused: readonly Refused[], output: unknown) => unknown,
): Promise<unknown> {
  const refused: Refused[] = []
  const output: unknown[] = []
  for (const [index, value] of elements.entries()) {
    const outcome = ask(schema, value, where)
    const result = outcome instanceof Promise ? await outcome : outcome
    if (!result.issues) output.push(result.value)
    else if (refused.push({ value, index, issues: result.issues }) >= mostIssues) break
  }
  return settle(refused, output)
}

/** What a schema says of a value, at once where it can. */
function ask(schema: StandardSchema, value: unknown, where: string): Awaitable<SchemaResult<unknown>> {
  const outcome: unknown = schema['~standard'].validate(value)
  if (isObject(outcome) && 'then' in outcome) {
    return Promise.resolve(outcome).then((result) => resultOf(result, schema, where))
  }
  return resultOf(outcome, schema, where)
}

function resultOf(outcome: unknown, schema: StandardSchema, where: string): SchemaResult<unknown> {
  if (isObject(outcome) && (Array.isArray((outcome as { issues?: unknown }).issues) || 'value' in outcome)) {
    return outcome as SchemaResult<unknown>
  }
  throw new TypeError(`${where}: the schema (of ${schema['~standard'].vendor}) gave neither a value nor issues`)
}

const elsewhere: ReadonlySet<string> = new Set<ValueSource>(['query', 'path', 'header', 'cookie'])

function sourceOf({ source }: ParamPlan): ValueSource {
  return elsewhere.has(source) ? (source as ValueSource) : 'body'
}

function placeOf({ name }: ParamPlan, source: ValueSource): Place {
  const whole = Place.whole(source === 'body' ? 'The body' : `The ${source}`)
  return name === undefined ? whole : whole.member(name)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
