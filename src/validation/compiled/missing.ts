import { isSimple, type Made, type Plain } from './absence'
import type { ClassPlan, MemberPlan } from './plan'
import { classOf, Unsure, type Inquiry } from './screen'

/** Finds objects and lists of classes that are required and absent, in an object that the sieve has passed. */
export type FindMissing = (value: Plain, plan: ClassPlan, inquiry: Inquiry, pointer: string) => void

export function createMissing(): FindMissing {
  return function findMissing(value, plan, inquiry, pointer) {
    const { nested } = plan
    for (let index = 0; index < nested.length; index++) {
      const member = nested[index] as MemberPlan
      const given = value[member.property.input]
      if (given === undefined) reportMissing(member, plan, inquiry, pointer + member.pointer)
      else if (given !== null) searchBelow(given, member, inquiry, pointer + member.pointer, findMissing)
    }
  }
}

function reportMissing(member: MemberPlan, plan: ClassPlan, inquiry: Inquiry, pointer: string): void {
  const initial = defaultOf(plan, member)
  if (initial !== undefined) {
    if (!isSimple(member, initial)) throw Unsure
  } else if (member.required) {
    inquiry.refused = true
    inquiry.findings.refuse(pointer, 'required', `${member.label} is required`)
  }
}

/** What an instance holds before anything is assigned to it. */
export function defaultOf(plan: ClassPlan, { property }: MemberPlan): unknown {
  return (new plan.class() as Made)[property.name]
}

/** Visits the objects that were taken over of a value, or of its elements. */
export function searchBelow(
  value: unknown,
  member: MemberPlan,
  inquiry: Inquiry,
  pointer: string,
  visit: FindMissing,
): void {
  if (member.list ? !Array.isArray(value) : Array.isArray(value)) return
  if (!member.list) {
    searchElement(value, member, inquiry, pointer, visit)
    return
  }
  const elements = value as readonly unknown[]
  for (let index = 0; index < elements.length; index++) {
    searchElement(elements[index], member, inquiry, `${pointer}/${index}`, visit)
  }
}

function searchElement(
  value: unknown,
  member: MemberPlan,
  inquiry: Inquiry,
  pointer: string,
  visit: FindMissing,
): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  const plan = classOf(member, value as Plain)
  // A list may be silent for the sake of one element: the others are not.
  if (!plan || (inquiry.refused && inquiry.findings.isSilent(pointer))) return
  visit(value as Plain, plan, inquiry, pointer)
}
