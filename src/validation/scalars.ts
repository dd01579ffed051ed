import { scalarNouns, type Scalar } from '../http/scalar'
import type { Rule } from './validator'

const byConstructor: ReadonlyMap<unknown, Scalar> = new Map<unknown, Scalar>([
  [String, 'string'],
  [Number, 'number'],
  [Boolean, 'boolean'],
  [Date, 'date'],
])

const byRule: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['isString', 'string'],
  ['isNumberString', 'string'],
  ['isBooleanString', 'string'],
  ['isDateString', 'string'],
  ['isIso8601', 'string'],
  ['isRFC3339', 'string'],
  ['isInt', 'integer'],
  ['isNumber', 'number'],
  ['isPositive', 'number'],
  ['isNegative', 'number'],
  ['isDivisibleBy', 'number'],
  ['min', 'number'],
  ['max', 'number'],
  ['isBoolean', 'boolean'],
  ['isDate', 'date'],
  ['minDate', 'date'],
  ['maxDate', 'date'],
])

const datesInText = new Set(['isDateString', 'isIso8601', 'isRFC3339', 'isString'])

/** Whether a rule says by itself what kind of value it takes. */
export function tellsKind({ name }: Rule): boolean {
  return byRule.has(name ?? '')
}

/** A sentence about a value that is not of its kind. */
export function notOfKind(label: string, kind: Scalar): string {
  return `${label} must be ${scalarNouns[kind]}`
}

/**
 * The scalar that a property, or each element of it, declares.
 *
 * @param explicit the type of `@Type`, which decides
 * @param emitted the type that the compiler emitted
 * @param rules its rules: they tell whole numbers from others, and decide where no type is known
 */
export function scalarOf(explicit: unknown, emitted: unknown, rules: readonly Rule[]): Scalar | undefined {
  const names = rules.map((rule) => rule.name ?? '')
  const given = byConstructor.get(explicit)
  if (given) return given === 'number' && names.includes('isInt') ? 'integer' : given
  if (explicit !== undefined) return undefined
  const declared = byConstructor.get(emitted)
  if (declared === 'number') return names.includes('isInt') ? 'integer' : 'number'
  if (declared === 'date') return names.some((name) => datesInText.has(name)) ? 'string' : 'date'
  if (declared) return declared
  const ruled = names.map((name) => byRule.get(name)).filter((kind) => kind !== undefined)
  if (ruled.includes('integer')) return 'integer'
  return ruled[0] ?? scalarOfChoices(rules)
}

/** `@IsIn([1, 2])` and the enumerations of numbers: choices that text could never equal. */
function scalarOfChoices(rules: readonly Rule[]): Scalar | undefined {
  for (const { name, constraints } of rules) {
    const choices: unknown = name === 'isIn' ? constraints[0] : name === 'isEnum' ? constraints[1] : undefined
    if (!Array.isArray(choices) || choices.length === 0) continue
    if (choices.every((choice) => typeof choice === 'number')) return 'number'
    if (choices.every((choice) => typeof choice === 'boolean')) return 'boolean'
  }
  return undefined
}

/** Whether a value of JSON is of a kind; a whole number is the rules' business. */
export function isOfKind(value: unknown, kind: Exclude<Scalar, 'date'>): boolean {
  return typeof value === (kind === 'integer' ? 'number' : kind)
}
