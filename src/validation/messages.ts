import { validator } from './lazy'
import type { Rule } from './validator'

/** What a message is told of the value: a problem never echoes what was submitted. */
const theValue = 'the value'

interface Told {
  readonly value: unknown
  readonly object: object
  readonly property: string
  readonly targetName: string
}

/**
 * The sentence for a broken rule, in the rule's own words.
 *
 * It is made again here, and not taken from class-validator, because a message may quote the submitted value by
 * `$value` or in a function: that is given the words "the value" and an empty object instead.
 *
 * @param rules those of the property
 * @param code the name of the broken rule
 * @param made class-validator's message, default messages left out: tells two rules of one name apart
 * @param told the true value and object, for telling them apart only; the names for both
 */
export function ruleMessage(rules: readonly Rule[], code: string, made: string, told: Told): string {
  const named = rules.filter((rule) => codesOf(rule).includes(code))
  const broken = named.length > 1 ? named.find((rule) => (ownMessage(rule, told) ?? '') === made) : undefined
  const rule = broken ?? named[named.length - 1]
  const safe: Told = { ...told, value: theValue, object: {} }
  return (rule && (ownMessage(rule, safe) || defaultMessage(rule, code, safe))) || `${told.property} is not valid`
}

/** The message that the author gave a rule, if any. */
export function hasOwnMessage(rules: readonly Rule[], code: string): boolean {
  return rules.some((rule) => Boolean(rule.message) && codesOf(rule).includes(code))
}

function codesOf(rule: Rule): string[] {
  const names = validator()
    .constraintsOf(rule)
    .map((constraint) => constraint.name || rule.type)
  return names.length > 0 ? names : [rule.type]
}

function ownMessage(rule: Rule, told: Told): string | undefined {
  return format(rule.message, rule, told)
}

function defaultMessage(rule: Rule, code: string, told: Told): string | undefined {
  const constraint = validator()
    .constraintsOf(rule)
    .find(({ name }) => (name || rule.type) === code)
  const instance = constraint?.instance
  return instance?.defaultMessage && format((args) => instance.defaultMessage?.(args) ?? '', rule, told)
}

function format(message: Rule['message'] | undefined, rule: Rule, told: Told): string | undefined {
  if (!message) return undefined
  const text = typeof message === 'string' ? message : callMessage(message, rule, told)
  return text?.replace(/\$(?:constraint(\d+)|value|property|target)/g, (token: string, index?: string) => {
    if (index !== undefined) return constraintText(rule.constraints, Number(index) - 1) ?? token
    if (token === '$property') return told.property
    if (token === '$target') return told.targetName
    return isPrintable(told.value) ? String(told.value) : token
  })
}

function callMessage(message: Exclude<Rule['message'], string>, rule: Rule, told: Told): string | undefined {
  try {
    const text: unknown = message({ ...told, constraints: rule.constraints })
    return typeof text === 'string' ? text : undefined
  } catch {
    // Written for another kind of value than a text: the sentence is then none of its own.
    return undefined
  }
}

function constraintText(constraints: readonly unknown[] | undefined, index: number): string | undefined {
  if (!constraints || index >= constraints.length) return undefined
  const constraint = constraints[index]
  if (Array.isArray(constraint)) return constraint.join(', ')
  return typeof constraint === 'symbol' ? constraint.description : String(constraint)
}

function isPrintable(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
