import { validator } from '../lazy'
import type { Rule, RuleArguments } from '../validator'

/** Fills in the message of one rule: text, or whatever else an author made of it. */
export type MessageMemo = (message: unknown, args: RuleArguments) => string

interface Filled {
  readonly property: string
  readonly targetName: string
  readonly constraints: readonly unknown[]
  /** The text of each list among the constraints: the list may be changed. */
  readonly lists: readonly (string | undefined)[]
  readonly text: string
}

// Authors' messages may hold the value: the last few kinds of message are kept, not every one ever made.
const most = 8

/**
 * Makes what fills in the messages of a rule, and remembers the outcome where nothing can change it: class-validator
 * makes a regular expression for each constraint and each message, which is most of what invalid input costs.
 */
export function createMessageMemo(rule: Rule): MessageMemo {
  let known: Map<string, Filled> | undefined
  return function fill(message: unknown, args: RuleArguments): string {
    const { fillMessage } = validator()
    if (message === '') return ''
    if (typeof message === 'function') {
      const made = (message as (args: RuleArguments) => unknown)(args)
      return typeof made === 'string' ? fill(made, args) : fillMessage(() => made as string, args)
    }
    if (typeof message !== 'string') return fillMessage(message as string, args)
    const filled = known?.get(message)
    if (filled && isStill(filled, args)) return filled.text
    const text = fillMessage(message, args)
    if (isQuiet(rule.constraints) && !namesValue(message, args)) {
      if (!known || known.size >= most) known = new Map()
      known.set(message, keep(text, args))
    }
    return text
  }
}

function keep(text: string, { property, targetName, constraints }: RuleArguments): Filled {
  const kept: readonly unknown[] = Array.isArray(constraints) ? [...(constraints as unknown[])] : []
  return { property, targetName, constraints: kept, lists: kept.map(listText), text }
}

function isStill(filled: Filled, args: RuleArguments): boolean {
  if (filled.targetName !== args.targetName || filled.property !== args.property) return false
  const now = (args.constraints ?? []) as readonly unknown[]
  if (now.length !== filled.constraints.length) return false
  for (let index = 0; index < now.length; index++) {
    if (now[index] !== filled.constraints[index]) return false
    if (filled.lists[index] !== undefined && filled.lists[index] !== listText(now[index])) return false
  }
  return true
}

function listText(constraint: unknown): string | undefined {
  return Array.isArray(constraint) ? constraint.join(', ') : undefined
}

/** Whether the value has a part in the message: tokens may come in by the constraints. */
function namesValue(message: string, args: RuleArguments): boolean {
  const before = { ...args, value: undefined, property: '$property', targetName: '$target' }
  return validator().fillMessage(message, before).includes('$value')
}

/** Whether the text of constraints is the same each time, and making it runs no code of the author's. */
function isQuiet(constraints: unknown): boolean {
  return constraints === undefined || (Array.isArray(constraints) && constraints.every(hasQuietText))
}

function hasQuietText(constraint: unknown): boolean {
  if (typeof constraint === 'function') return false
  if (typeof constraint !== 'object' || constraint === null) return true
  if (Array.isArray(constraint)) {
    return constraint.join === Array.prototype.join && constraint.every((item) => !isObject(item))
  }
  const prototype: unknown = Object.getPrototypeOf(constraint)
  const isPlain = prototype === Object.prototype || prototype === RegExp.prototype
  return isPlain && !Object.hasOwn(constraint, 'toString') && Object.getOwnPropertySymbols(constraint).length === 0
}

function isObject(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
