import type { Rule } from '../validator'
import { isOfLength, isPlainEmail, isPlainNonsense } from './text'

/** Whether a value passes a rule. */
export type Test = (value: unknown) => boolean

/** Gives the name by which generated source speaks of a value that is not written in it. */
export type Refer = (constant: unknown) => string

/** A rule of class-validator's own, in the two forms that a plan is carried out in. */
export interface Tested {
  readonly test: Test
  /** The same as an expression in the source of a variable; nothing where it is to be called. */
  readonly source?: (variable: string, refer: Refer) => string
  /** Whether only texts, numbers and truths pass. */
  readonly primitive: boolean
}

type Make = (constraints: readonly unknown[], library: Test) => Tested | undefined

const text = (test: Test, condition?: (variable: string, refer: Refer) => string): Tested => ({
  test,
  source: condition && ((variable, refer) => `typeof ${variable} === 'string' && ${condition(variable, refer)}`),
  primitive: true,
})
const whole = (test: Test, source: (variable: string, refer: Refer) => string, primitive = false): Tested => ({
  test,
  source,
  primitive,
})

const makers: Readonly<Record<string, Make>> = {
  isString: () => whole(isString, (v) => `typeof ${v} === 'string'`, true),
  isBoolean: () => whole(isBoolean, (v) => `typeof ${v} === 'boolean'`, true),
  isInt: () => whole(Number.isInteger, (v) => `typeof ${v} === 'number' && Number.isInteger(${v})`, true),
  isNumber: ([options]) =>
    isBare(options)
      ? whole(Number.isFinite, (v) => `typeof ${v} === 'number' && Number.isFinite(${v})`, true)
      : undefined,
  isPositive: () => whole(isPositive, (v) => `typeof ${v} === 'number' && ${v} > 0`, true),
  isNegative: () => whole(isNegative, (v) => `typeof ${v} === 'number' && ${v} < 0`, true),
  min: ([least]) => bound(least, (value, limit) => value >= limit, '>='),
  max: ([most]) => bound(most, (value, limit) => value <= limit, '<='),
  isLength: ([min, max]) => length(min, max),
  minLength: ([min]) => length(min, undefined),
  maxLength: ([max]) => length(0, max),
  matches: ([pattern, modifiers]) => matching(pattern, modifiers),
  isEmail: ([options], library) => (options === undefined ? email(library) : undefined),
  isEnum: ([entity]) =>
    isObject(entity)
      ? whole(
          (value) => isMember(value, entity),
          (v, refer) => `${refer(isMember)}(${v}, ${refer(entity)})`,
        )
      : undefined,
  isIn: ([choices]) =>
    Array.isArray(choices)
      ? whole(
          (value) => isAmong(value, choices),
          (v, refer) => `${refer(isAmong)}(${v}, ${refer(choices)})`,
        )
      : undefined,
  isArray: () => whole(Array.isArray, (v) => `Array.isArray(${v})`),
  arrayNotEmpty: () => size(1, Infinity),
  arrayMinSize: ([min]) => (isFinite(min) ? size(min, Infinity) : undefined),
  arrayMaxSize: ([max]) => (isFinite(max) ? size(-Infinity, max) : undefined),
  isDefined: () => whole(isDefined, (v) => `${v} !== undefined && ${v} !== null`),
  isNotEmpty: () => whole(isNotEmpty, (v) => `${v} !== '' && ${v} !== null && ${v} !== undefined`),
  isDate: () => whole(isDate, (v, refer) => `${refer(isDate)}(${v})`),
  isObject: () => whole(isRecord, (v) => `typeof ${v} === 'object' && ${v} !== null && !Array.isArray(${v})`),
}

// They take a text, a number or a truth, and nothing else.
const primitiveOnly = new Set(
  `isUuid isUrl isIso8601 isDateString isRFC3339 isAlpha isAlphanumeric isAscii isNumberString isBooleanString isIp isFqdn
  isHexColor isHexadecimal isJwt isMongoId isPort isPhoneNumber isMobilePhone isPostalCode isLowercase isUppercase
  isByteLength isDecimal isBase64 isJson isSemVer isTimeZone isStrongPassword isIBAN isCreditCard contains notContains
  isDivisibleBy`.split(/\s+/),
)

/**
 * The test of a rule that is proven to be class-validator's own.
 *
 * What costs little is written out; for anything else, and for options that change the meaning, the library's own
 * function is called. What an author may change later (members of an enumeration, choices) is looked up at each call.
 *
 * @param name the rule's name by proof
 */
export function createTest(rule: Rule, name: string): Tested {
  const library = callLibrary(rule)
  const made = makers[name]?.(rule.constraints ?? [], library)
  return made ?? { test: library, primitive: primitiveOnly.has(name) }
}

/** The library's rules have no state, so one instance serves all; they read nothing of the arguments but the constraints. */
function callLibrary(rule: Rule): Test {
  const constraint = new (rule.constraintCls as new () => { validate(value: unknown, told: object): unknown })()
  const told = {
    targetName: '',
    property: rule.propertyName,
    object: {},
    value: undefined,
    constraints: rule.constraints,
  }
  return (value) => Boolean(constraint.validate(value, told))
}

function bound(limit: unknown, test: (value: number, limit: number) => boolean, operator: string): Tested | undefined {
  if (!isFinite(limit)) return undefined
  return whole(
    (value) => typeof value === 'number' && test(value, limit),
    (v, refer) => `typeof ${v} === 'number' && ${v} ${operator} ${refer(limit)}`,
    true,
  )
}

function length(min: unknown, max: unknown): Tested | undefined {
  const least = min ?? 0
  const most = max ?? Infinity
  if (max === null || !isFinite(least) || typeof most !== 'number' || Number.isNaN(most)) return undefined
  return text(
    (value) => typeof value === 'string' && isOfLength(value, least, most),
    (v, refer) => `${refer(isOfLength)}(${v}, ${refer(least)}, ${refer(most)})`,
  )
}

/** A text is made into an expression once; one that remembers where it stopped is left to the library. */
function matching(pattern: unknown, modifiers: unknown): Tested | undefined {
  const expression = isExpression(pattern) ? pattern : new RegExp(pattern as string, modifiers as string | undefined)
  if (Object.getPrototypeOf(expression) !== RegExp.prototype || /[gy]/.test(expression.flags)) return undefined
  if (Object.keys(expression).length > 0) return undefined
  return text(
    (value) => typeof value === 'string' && expression.test(value),
    (v, refer) => `${refer(expression)}.test(${v})`,
  )
}

function email(library: Test): Tested {
  const isEmail = (value: string): boolean => isPlainEmail(value) || (!isPlainNonsense(value) && library(value))
  return text(
    (value) => typeof value === 'string' && isEmail(value),
    (v, refer) => `${refer(isEmail)}(${v})`,
  )
}

function size(min: number, max: number): Tested {
  return whole(
    (value) => Array.isArray(value) && value.length >= min && value.length <= max,
    (v, refer) => `Array.isArray(${v}) && ${v}.length >= ${refer(min)} && ${v}.length <= ${refer(max)}`,
  )
}

function isMember(value: unknown, entity: Readonly<Record<string, unknown>>): boolean {
  for (const key in entity) {
    const member = entity[key]
    if ((member === value || (value !== value && member !== member)) && Object.hasOwn(entity, key)) return true
  }
  return false
}

function isAmong(value: unknown, choices: readonly unknown[]): boolean {
  for (let index = 0; index < choices.length; index++) {
    if (choices[index] === value && index in choices) return true
  }
  return false
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0
}

function isNegative(value: unknown): boolean {
  return typeof value === 'number' && value < 0
}

function isDefined(value: unknown): boolean {
  return value !== undefined && value !== null
}

function isNotEmpty(value: unknown): boolean {
  return value !== '' && value !== null && value !== undefined
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime())
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isBare(options: unknown): boolean {
  return options === undefined || (isObject(options) && Object.keys(options).length === 0)
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value)
}

// The library asks a text like this, and so does this: an expression of another realm is one as well.
function isExpression(value: unknown): value is RegExp {
  return Object.prototype.toString.call(value) === '[object RegExp]'
}
