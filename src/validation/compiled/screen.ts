import { parseDate } from '../../http/scalar'
import type { Findings } from '../findings'
import { below, clip } from '../pointer'
import { isOfKind, notOfKind } from '../scalars'
import { deepest } from '../sift'
import type { Plain } from './absence'
import { copyFree, doubtful, isPlainObject } from './free'
import type { ClassPlan, MemberPlan, Plan, UnionPlan } from './plan'

/** Thrown where only the long way can tell. */
export const Unsure = new Error('only the long way can tell')

/** What is found out about one value. */
export interface Inquiry {
  readonly findings: Findings
  /** Whether a value was refused or silenced: the rules below it have nothing to say then. */
  refused: boolean
  /** Whether a list of a union has lost an element. */
  torn: boolean
}

/** Whether an object is taken over; what is wrong in it is among the findings. */
export type Screen = (
  value: unknown,
  plan: ClassPlan,
  inquiry: Inquiry,
  pointer: string,
  label: string,
  depth: number,
) => boolean

/** Finds what the sieve would: undeclared members, and values that are not of their declared kinds. */
export function createScreen({ strip }: Plan): Screen {
  function screenObject(...[value, plan, inquiry, pointer, label, depth]: Parameters<Screen>): boolean {
    if (!isPlainObject(value)) return refuseObject(value, inquiry, pointer, label)
    if (depth > deepest) throw Unsure
    const { byInput, tag } = plan
    for (const key of Object.keys(value)) {
      const member = byInput.get(key)
      if (member) screenMember(value[key], member, inquiry, pointer + member.pointer, depth + 1)
      else if (key !== tag?.name && !strip) {
        inquiry.findings.add(below(pointer, key), 'unknown', `${clip(key)} should not exist`)
      }
    }
    return true
  }

  function screenMember(value: unknown, member: MemberPlan, inquiry: Inquiry, pointer: string, depth: number): void {
    const { list, onNull, property, label } = member
    if (value === undefined) throw Unsure
    if (value === null) {
      if (onNull === 'refuse') refuse(inquiry, pointer, nullSentence(member))
      return
    }
    if (!list) {
      const { scalar, unruledKind } = property
      if (unruledKind && scalar && scalar !== 'date' && !isOfKind(value, scalar)) {
        inquiry.findings.doubt(pointer, notOfKind(label, scalar))
      }
      screenElement(value, member, inquiry, pointer, label, depth)
    } else if (Array.isArray(value)) screenList(value as unknown[], member, inquiry, pointer, depth)
    else refuse(inquiry, pointer, `${label} must be a list`)
  }

  function screenList(
    list: readonly unknown[],
    member: MemberPlan,
    inquiry: Inquiry,
    pointer: string,
    depth: number,
  ): void {
    const { kind, label } = member
    for (let index = 0; index < list.length; index++) {
      const element = list[index]
      if (element === undefined) throw Unsure
      if (kind === 'free' && typeof element !== 'object' && typeof element !== 'function') continue
      const at = `${pointer}/${index}`
      if (screenElement(element, member, inquiry, at, `${label}[${index}]`, depth + 1)) continue
      inquiry.findings.silence(pointer)
      inquiry.torn ||= kind === 'union'
    }
  }

  function screenElement(
    value: unknown,
    { kind, element, union, property: { scalar } }: MemberPlan,
    inquiry: Inquiry,
    pointer: string,
    label: string,
    depth: number,
  ): boolean {
    switch (kind) {
      case 'class':
        return screenObject(value, element as ClassPlan, inquiry, pointer, label, depth)
      case 'union':
        return screenUnion(value, union as UnionPlan, inquiry, pointer, label, depth)
      case 'date':
        if (typeof value === 'string' && parseDate(value)) return true
        return refuse(inquiry, pointer, notOfKind(label, 'date'))
      case 'scalar':
        if (!scalar || scalar === 'date' || isOfKind(value, scalar)) return true
        return refuse(inquiry, pointer, notOfKind(label, scalar))
      case 'free':
        if (typeof value === 'function' || (typeof value === 'object' && copyFree(value, depth) === doubtful)) {
          throw Unsure
        }
        return true
    }
  }

  function screenUnion(
    value: unknown,
    { tag, classes }: UnionPlan,
    inquiry: Inquiry,
    pointer: string,
    label: string,
    depth: number,
  ): boolean {
    if (!isPlainObject(value)) return refuseObject(value, inquiry, pointer, label)
    const given = Object.hasOwn(value, tag) ? value[tag] : undefined
    const plan = classes.get(given)
    if (plan) {
      screenObject(value, plan, inquiry, pointer, label, depth)
      // Without the member that named its class, class-transformer makes nothing of an object.
      if (inquiry.refused && plan.byInput.has(tag) && inquiry.findings.isSilent(below(pointer, tag))) throw Unsure
      return true
    }
    const detail = `${tag} must be one of: ${[...classes.keys()].map(String).join(', ')}`
    inquiry.refused = true
    inquiry.findings.refuse(below(pointer, tag), given === undefined ? 'required' : 'discriminator', detail, pointer)
    return false
  }

  return screenObject
}

/** What is neither JSON's nor an object of nobody's class is something that only the sieve knows. */
function refuseObject(value: unknown, inquiry: Inquiry, pointer: string, label: string): false {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) throw Unsure
  return refuse(inquiry, pointer, `${label} must be an object`)
}

function refuse(inquiry: Inquiry, pointer: string, detail: string): false {
  inquiry.refused = true
  inquiry.findings.refuse(pointer, 'type', detail)
  return false
}

function nullSentence({ property, list, label }: MemberPlan): string {
  if (property.optional) return `${label} must not be null`
  return `${label} must be ${list ? 'a list' : 'an object'}`
}

/** The class of a value that was taken over. */
export function classOf({ element, union }: MemberPlan, value: Plain): ClassPlan | undefined {
  return element ?? union?.classes.get(value[union.tag])
}
