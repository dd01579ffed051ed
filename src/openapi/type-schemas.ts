import type { ParamPlan, TypePlan } from '../route/plan'
import type { ClassSchemas, Extra } from './class-schemas'
import type { Direction } from './class-members'
import { toWholePattern } from './regexp-pattern'
import { mergeSchemas, scalarSchema, toEnum, toJsonValue, withNull } from './schemas'
import type { Schema } from './types'

/** A schema of a library that can say itself as JSON Schema: as Standard JSON Schema has it, or by a method of its own. */
interface Sayable {
  readonly '~standard'?: {
    readonly jsonSchema?: Partial<Record<'input' | 'output', (options: { target: string }) => unknown>>
  }
  readonly toJSONSchema?: (options?: object) => unknown
  readonly toJsonSchema?: (options?: object) => unknown
}

/** A declared type as a schema. */
export function typeSchema(
  type: TypePlan | undefined,
  direction: Direction,
  classes: ClassSchemas,
  extra?: Extra,
): Schema {
  if (!type) return {}
  const one = elementSchema(type, direction, classes, extra)
  return type.list ? { type: 'array', items: one } : one
}

function elementSchema(type: TypePlan, direction: Direction, classes: ClassSchemas, extra: Extra | undefined): Schema {
  switch (type.kind) {
    case 'class':
      return type.class ? classes.refTo(type.class, direction, extra) : {}
    case 'schema':
      return foreignSchema(type.schema as Sayable, direction === 'output' ? 'output' : 'input')
    case 'any':
      return {}
    default:
      return scalarSchema(type.kind)
  }
}

/** What a schema of another library says of itself; nothing where it cannot. */
function foreignSchema(schema: Sayable, way: 'input' | 'output'): Schema {
  try {
    const say = schema['~standard']?.jsonSchema?.[way]
    const said = say ? say({ target: 'draft-2020-12' }) : (schema.toJSONSchema?.() ?? schema.toJsonSchema?.())
    if (typeof said !== 'object' || said === null) return {}
    const { $schema: _dialect, ...rest } = said as Schema
    return rest
  } catch {
    // A transform, a custom check: the library says that it cannot be said.
    return {}
  }
}

/** A parameter's type with all that its options say of a value. */
export function paramSchema(param: ParamPlan, classes: ClassSchemas): Schema {
  const { type, nullable, explain: _explain, default: initial } = param
  const base = elementSchema(type, 'input', classes, undefined)
  const element = mergeSchemas([base, ...choiceSchemas(param), ...(type.list ? [] : [boundSchema(param)])])
  const whole = type.list ? { type: 'array', items: element, ...countSchema(param) } : element
  const open = nullable ? withNull(whole) : whole
  const value = initial === undefined || initial === null ? undefined : toJsonValue(initial)
  return value === undefined ? open : { ...open, default: value }
}

function choiceSchemas({ choices, forbidden, pattern }: ParamPlan): Schema[] {
  const schemas: Schema[] = []
  if (choices) schemas.push(oneOfThese(choices))
  if (forbidden && forbidden.length > 0) schemas.push({ not: oneOfThese(forbidden) })
  if (pattern) schemas.push(patternSchema(pattern))
  return schemas
}

/** Values, and expressions that match a text as a whole. */
function oneOfThese(choices: readonly unknown[]): Schema {
  const values = choices.filter((choice) => !(choice instanceof RegExp))
  const patterns = choices.filter((choice) => choice instanceof RegExp)
  if (patterns.length === 0) return toEnum(values)
  const all = [...(values.length > 0 ? [toEnum(values)] : []), ...patterns.map(patternSchema)]
  return all.length === 1 ? (all[0] as Schema) : { anyOf: all }
}

function patternSchema(expression: RegExp): Schema {
  const pattern = toWholePattern(expression)
  return pattern === undefined
    ? { type: 'string', description: `Matches ${String(expression)} as a whole.` }
    : { type: 'string', pattern }
}

function boundSchema({ type: { kind }, min, max }: ParamPlan): Schema {
  if (kind === 'string') return { minLength: min, maxLength: max }
  if (kind === 'number' || kind === 'integer') return { minimum: min, maximum: max }
  if (kind !== 'date' || (min === undefined && max === undefined)) return {}
  const from = min === undefined ? '' : ` from ${new Date(min).toISOString()}`
  const to = max === undefined ? '' : ` to ${new Date(max).toISOString()}`
  return { description: `A moment${from}${to}.` }
}

function countSchema({ count, min, max }: ParamPlan): Schema {
  if (typeof count === 'number') return { minItems: count, maxItems: count }
  const least = min ?? (count === '+' ? 1 : undefined)
  return { ...(least !== undefined && { minItems: least }), ...(max !== undefined && { maxItems: max }) }
}
