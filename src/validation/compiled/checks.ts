import type { ValueSource, Violation } from '../../errors'
import type { Constructor } from '../../types'
import { ownRule } from '../exact/own-rules'
import { validator } from '../lazy'
import type { PropertyModel } from '../model'
import { isNotNull } from '../nullable'
import type { Rule } from '../validator'
import { createSentence, type Sentence } from './sentences'
import { createTest, type Tested } from './tests'

/** One rule on a property. */
export interface Check extends Tested {
  /** The name that class-validator gives the violation. */
  readonly code: string
  /** Whether it is on each element of a list. */
  readonly each: boolean
  /** Whether the author has worded what is said. */
  readonly ownWords: boolean
  /** What is said where it is broken; nothing where only the long way can tell. */
  readonly sentence: Sentence | undefined
  /** The violation that says so at a place: the same object again and again where nothing of it changes. */
  readonly tell: (source: ValueSource, pointer: string) => Violation | undefined
}

const silent = new Set(['conditionalValidation', 'nestedValidation', 'whitelistValidation'])

/**
 * The rules of a property in the order in which class-validator runs them.
 *
 * @returns nothing where one of them is not proven to be class-validator's own
 */
export function planChecks(property: PropertyModel, type: Constructor): readonly Check[] | undefined {
  const { rules } = property
  if (!rules.every(isProven)) return undefined
  if (rules.filter((rule) => rule.type === 'nestedValidation').length > 1) return undefined
  const tested = rules.filter((rule) => !silent.has(rule.type))
  const first = tested.filter((rule) => rule.type === 'isDefined')
  const later = tested.filter((rule) => rule.type !== 'isDefined')
  return [...first, ...later].map((rule) => planCheck(rule, property, tested, type))
}

function planCheck(rule: Rule, property: PropertyModel, all: readonly Rule[], type: Constructor): Check {
  const name = ownRule(rule) ?? ''
  const isAlone = all.filter((other) => other.name === rule.name).length === 1
  const code = rule.name ?? name
  // Two rules of one name are told apart by what their messages make of the value.
  const sentence = isAlone ? createSentence(rule, property, type) : undefined
  return {
    ...createTest(rule, name),
    code,
    each: Boolean(rule.each),
    ownWords: Boolean(rule.message),
    sentence,
    tell: createTold(code, sentence),
  }
}

function createTold(code: string, sentence: Sentence | undefined): Check['tell'] {
  let last: Violation | undefined
  return function tell(source, pointer) {
    const detail = sentence?.()
    if (detail === undefined) return undefined
    if (last?.pointer === pointer && last.detail === detail && last.in === source) return last
    return (last = Object.freeze({ in: source, pointer, code, detail }))
  }
}

function isProven(rule: Rule): boolean {
  if (rule.validateIf) return false
  switch (rule.type) {
    case 'conditionalValidation':
      return rule.constraints[0] === isNotNull || (rule.name === 'isOptional' && ownRule(rule) === 'isOptional')
    case 'nestedValidation':
    case 'whitelistValidation':
      return true
    case 'customValidation':
    case 'isDefined':
      return isOwn(rule)
    default:
      return false
  }
}

function isOwn(rule: Rule): boolean {
  const name = ownRule(rule)
  if (name === undefined || name !== rule.name || validator().constraintsOf(rule)[0]?.name !== name) return false
  return name !== 'matches' || !remembers(rule.constraints[0])
}

/** A sticky expression starts where it stopped: how often it is asked makes a difference. */
function remembers(pattern: unknown): boolean {
  return pattern instanceof RegExp && pattern.sticky && !pattern.global
}
