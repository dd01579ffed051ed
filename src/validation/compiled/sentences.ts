import type { Constructor } from '../../types'
import { ruleMessage } from '../messages'
import type { PropertyModel } from '../model'
import type { Rule } from '../validator'

/** Gives the sentence for a broken rule. */
export type Sentence = () => string

// Its own sentence names a class.
const madeEachTime = new Set(['isInstance'])

/**
 * The sentence for a rule on a property, made at the first need and kept as long as nothing in it can have changed.
 *
 * @param rule the only one of its name on the property
 * @returns nothing where the author's own function makes it: that may depend on more than it is given
 */
export function createSentence(rule: Rule, property: PropertyModel, type: Constructor): Sentence | undefined {
  if (typeof rule.message === 'function') return undefined
  const { input, rules } = property
  const code = rule.name ?? rule.type
  const told = { value: undefined, object: {}, property: input, targetName: type.name }
  const make = (): string => ruleMessage(rules, code, '', told)
  const parts = partsOf(rule)
  if (!parts || madeEachTime.has(code)) return make
  let sentence: string | undefined
  let quoted: readonly unknown[] = []
  return function tell() {
    if (sentence !== undefined && isSame(parts, quoted)) return sentence
    quoted = [...parts]
    return (sentence = make())
  }
}

/** The list of values that a sentence may quote, which its author can change; nothing where it may quote anything else. */
function partsOf({ constraints = [], name, message }: Rule): readonly unknown[] | undefined {
  const own = typeof message === 'string' ? message : ''
  // The members that a sentence about an enumeration quotes are listed when it is decorated.
  const told = name === 'isEnum' && !own.includes('$constraint1') ? constraints.slice(1) : constraints
  const lists = told.filter((constraint) => Array.isArray(constraint)) as unknown[][]
  const others = told.filter((constraint) => !Array.isArray(constraint))
  if (lists.length > 1 || !others.every(isFixed) || !lists.flat().every(isFixed)) return undefined
  return lists[0] ?? []
}

function isFixed(constraint: unknown): boolean {
  return (
    (typeof constraint !== 'object' && typeof constraint !== 'function') || constraint === null || isPattern(constraint)
  )
}

function isPattern(value: unknown): boolean {
  return value instanceof RegExp
}

function isSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false
  return true
}
