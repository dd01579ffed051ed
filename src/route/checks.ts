import { ConfigurationError } from '../errors'
import { parseBoolean, parseDate, parseInteger, parseNumber, scalarNouns } from '../http/scalar'
import { Integer, isStandardSchema, type ParamPlan, type ParamType, type TypePlan } from './plan'

/** Why a value was refused: the rule's name and a sentence, and which element of a list it was. Never the value. */
export class Refusal {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly element?: number,
  ) {}
}

/** Checks one value: the value as its type has it, or a refusal. */
export type Check = (value: unknown) => unknown

const nouns: Record<TypePlan['kind'], string> = {
  ...scalarNouns,
  class: 'an object',
  schema: 'a value',
  any: 'a value',
}

const canonicalInteger = /^-?(0|[1-9]\d*)$/

/** Text to a scalar of this kind; `undefined` where it is none. */
function textParser(type: TypePlan, strict: boolean): (text: string) => unknown {
  switch (type.kind) {
    case 'number':
      return parseNumber
    case 'integer':
      return strict ? (text) => (canonicalInteger.test(text) ? parseInteger(text) : undefined) : parseInteger
    case 'boolean':
      return strict ? (text) => (text === 'true' ? true : text === 'false' ? false : undefined) : parseBoolean
    case 'date':
      return parseDate
    default:
      return (text) => text
  }
}

/** A value of JSON of this kind, never coerced; `undefined` where it is none. */
function jsonParser(type: TypePlan): (value: unknown) => unknown {
  switch (type.kind) {
    case 'string':
      return (value) => (typeof value === 'string' ? value : undefined)
    case 'number':
      // JSON has no infinity, but `1e999` becomes one (RFC 8259 §6).
      return (value) => (Number.isFinite(value) ? value : undefined)
    case 'integer':
      return (value) => (Number.isSafeInteger(value) ? value : undefined)
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? value : undefined)
    case 'date':
      return (value) => (typeof value === 'string' ? parseDate(value) : undefined)
    default:
      return (value) => value
  }
}

/**
 * The check of a parameter whose values are text: path, query, header, cookie, form. A list where a scalar is declared
 * is refused; one text where a list is declared is a list of one.
 */
export function createTextCheck(param: ParamPlan): Check {
  const parse = textParser(param.type, param.strict ?? false)
  const wrong = new Refusal('type', param.explain ?? `must be ${nouns[param.type.kind]}`)
  const several = new Refusal('type', param.explain ?? 'must be given once')
  const rules = createRules(param)
  const anything = param.type.kind === 'any'
  const scalar: Check = (text) => {
    // Of a form or XML anything is a text, a list or a tree of them.
    if (typeof text !== 'string' && anything) return rules ? rules(text) : text
    if (typeof text !== 'string') return Array.isArray(text) ? several : wrong
    const value = parse(text)
    return value === undefined ? wrong : rules ? rules(value) : value
  }
  return param.type.list
    ? createListCheck(param, scalar, (value) => (Array.isArray(value) ? (value as unknown[]) : [value]))
    : scalar
}

/** The check of a parameter whose values come from JSON: never coerced. */
export function createJsonCheck(param: ParamPlan): Check {
  const parse = jsonParser(param.type)
  const wrong = new Refusal('type', param.explain ?? `must be ${nouns[param.type.kind]}`)
  const rules = createRules(param)
  const scalar: Check = (input) => {
    const value = input === null && param.type.kind !== 'any' ? undefined : parse(input)
    return value === undefined ? wrong : rules ? rules(value) : value
  }
  const check = param.type.list
    ? createListCheck(param, scalar, (value) => (Array.isArray(value) ? (value as unknown[]) : undefined))
    : scalar
  return param.nullable ? (input) => (input === null ? null : check(input)) : check
}

function createListCheck(param: ParamPlan, scalar: Check, toList: (value: unknown) => unknown[] | undefined): Check {
  const { count, min, max, explain } = param
  const wrong = new Refusal('type', explain ?? 'must be a list')
  const exact =
    typeof count === 'number' ? new Refusal('count', explain ?? `must have exactly ${count} elements`) : undefined
  const least = min ?? (count === '+' ? 1 : 0)
  const short = new Refusal('min', explain ?? `must have at least ${least} elements`)
  const long = new Refusal('max', explain ?? `must have at most ${String(max)} elements`)
  return (input) => {
    const list = toList(input)
    if (!list) return wrong
    if (exact && list.length !== count) return exact
    if (list.length < least) return short
    if (max !== undefined && list.length > max) return long
    const values: unknown[] = []
    for (let i = 0; i < list.length; i++) {
      const value = scalar(list[i])
      if (value instanceof Refusal) return new Refusal(value.code, value.detail, i)
      values.push(value)
    }
    return values
  }
}

/** Choices, bounds and pattern; `undefined` where nothing of it is declared. Bounds of a list are its list check's. */
function createRules(param: ParamPlan): Check | undefined {
  const { choices, forbidden, pattern, explain } = param
  const checks: Check[] = []
  if (choices) {
    const refusal = new Refusal('choices', explain ?? `must be one of: ${choices.map(formatChoice).join(', ')}`)
    checks.push((value) => (choices.some((choice) => isChoice(choice, value)) ? value : refusal))
  }
  if (forbidden) {
    const refusal = new Refusal('forbidden', explain ?? 'must be none of the forbidden values')
    checks.push((value) => (forbidden.some((choice) => isChoice(choice, value)) ? refusal : value))
  }
  if (!param.type.list) checks.push(...boundChecks(param))
  if (pattern) {
    const whole = wholeMatch(pattern)
    const refusal = new Refusal('pattern', explain ?? `must match ${pattern.source}`)
    checks.push((value) => (typeof value === 'string' && whole.test(value) ? value : refusal))
  }
  if (checks.length === 0) return undefined
  if (checks.length === 1) return checks[0]
  return (value) => {
    for (const check of checks) {
      const result = check(value)
      if (result instanceof Refusal) return result
    }
    return value
  }
}

function boundChecks({ min, max, explain, type }: ParamPlan): Check[] {
  const checks: Check[] = []
  const [low, high, unit] =
    type.kind === 'string' ? ['have at least', 'have at most', ' characters'] : ['be at least', 'be at most', '']
  if (min !== undefined) {
    const refusal = new Refusal('min', explain ?? `must ${low} ${min}${unit}`)
    checks.push((value) => (sizeOf(value) >= min ? value : refusal))
  }
  if (max !== undefined) {
    const refusal = new Refusal('max', explain ?? `must ${high} ${max}${unit}`)
    checks.push((value) => (sizeOf(value) <= max ? value : refusal))
  }
  return checks
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length
  return Number(value)
}

function isChoice(choice: unknown, value: unknown): boolean {
  if (choice instanceof RegExp) return typeof value === 'string' && wholeMatch(choice).test(value)
  if (choice instanceof Date && value instanceof Date) return choice.getTime() === value.getTime()
  return choice === value
}

function formatChoice(choice: unknown): string {
  return choice instanceof RegExp ? choice.source : String(choice)
}

const wholes = new WeakMap<RegExp, RegExp>()

/** The same expression, on the whole text, and without the state that `g` and `y` keep. */
function wholeMatch(pattern: RegExp): RegExp {
  const known = wholes.get(pattern)
  if (known) return known
  const whole = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gym]/g, ''))
  wholes.set(pattern, whole)
  return whole
}

/** Whether the validation pipe is shown values of this type as they came. */
export function isRuled({ kind }: TypePlan): boolean {
  return kind === 'class' || kind === 'schema'
}

/**
 * A declared type as the plan knows it; `undefined` where none is declared.
 *
 * @param where class, method and parameter, for the message
 * @throws ConfigurationError where it is no type at all, or a schema that cannot be asked
 */
export function toTypePlan(type: ParamType | undefined, where: string): TypePlan | undefined {
  if (type === undefined) return undefined
  if (isStandardSchema(type)) return { kind: 'schema', schema: type, list: false }
  if (Array.isArray(type)) {
    const element = toTypePlan((type as readonly ParamType[])[0], where)
    return element && { ...element, list: true }
  }
  switch (type) {
    case String:
      return { kind: 'string', list: false }
    case Number:
      return { kind: 'number', list: false }
    case Integer:
      return { kind: 'integer', list: false }
    case Boolean:
      return { kind: 'boolean', list: false }
    case Date:
      return { kind: 'date', list: false }
    case Object:
      return { kind: 'any', list: false }
    default:
      if (typeof type !== 'function' || '~standard' in type) throw noType(type, where)
      // An arrow function has no prototype: it is a promise of a type that is declared further down.
      if (!type.prototype) return toTypePlan((type as () => ParamType)(), where)
      return { kind: 'class', class: type as NonNullable<TypePlan['class']>, list: false }
  }
}

function noType(type: unknown, where: string): ConfigurationError {
  const standard = (
    Object(type) as { readonly '~standard'?: { readonly vendor?: unknown; readonly version?: unknown } }
  )['~standard']
  if (standard === undefined) {
    return new ConfigurationError(
      where,
      `its type (${type === null ? 'null' : `a value of the kind ${typeof type}`}) is neither a class nor a schema`,
      'Give String, Number, Integer, Boolean, Date, a class, or a schema of a library that implements Standard Schema',
    )
  }
  const { vendor = 'an unnamed library', version } = Object(standard) as typeof standard
  return new ConfigurationError(
    where,
    `its schema (of ${String(vendor)}) is of version ${String(version)} of Standard Schema, or has no validate()`,
    'Use a release of that library that implements version 1',
  )
}
