import type { ClassPlan, MemberPlan } from './plan'

/** A decoded object. */
export type Plain = Readonly<Record<string, unknown>>

/** An instance while it is made. */
export type Made = Record<string, unknown>

/**
 * Judges what the input left out, by the defaults of the class, and takes away what is not there.
 *
 * @returns whether all of it is right: `false` says nothing
 */
export function finish(plan: ClassPlan, value: Plain, made: Made): boolean {
  for (const member of plan.members) {
    const { name, input } = member.property
    if (value[input] === undefined && !mayStay(member, made[name])) return false
  }
  const names = Object.keys(made)
  // The last ones first: V8 takes back the last step of a shape, and turns an object into a dictionary at any other.
  for (let index = names.length - 1; index >= 0; index--) {
    const name = names[index] as string
    if (made[name] === undefined) Reflect.deleteProperty(made, name)
  }
  return true
}

/** Whether a member that was not given may be what the class made it. */
function mayStay(member: MemberPlan, initial: unknown): boolean {
  if (initial === undefined) return !member.required && (member.property.optional || passesAll(member, undefined))
  return isSimple(member, initial) && passesAll(member, initial)
}

/** Whether a default is judged by its rules alone, and not by those of a class it may be of. */
export function isSimple({ element, union, list }: MemberPlan, initial: unknown): boolean {
  if (element || union) return list && Array.isArray(initial) && initial.length === 0
  if (typeof initial !== 'object') return typeof initial !== 'function'
  return initial instanceof Date || Array.isArray(initial)
}

function passesAll({ checks }: MemberPlan, value: unknown): boolean {
  for (const check of checks) if (!passes(check, value)) return false
  return true
}

/** Whether a value passes a rule, or all its elements do where the rule is on each. */
export function passes({ each, test }: MemberPlan['checks'][number], value: unknown): boolean {
  if (!each || !Array.isArray(value)) return test(value)
  for (let index = 0; index < value.length; index++) if (!test(value[index])) return false
  return true
}
