import { parseDate } from '../../http/scalar'
import { isOfKind } from '../scalars'
import { deepest } from '../sift'
import { finish, passes, type Made } from './absence'
import { copyFree, doubtful, isPlainObject } from './free'
import type { ClassPlan, MemberPlan, Plan } from './plan'

/** A checked instance of decoded JSON; nothing where only the long way can tell what to make of it. */
export type Accept = (value: unknown, depth: number) => object | undefined

type Take = (value: unknown, depth: number) => unknown

/**
 * Carries a plan out without generated code: where a process may not make code of strings.
 *
 * It gives what `generateAccept` gives.
 */
export function createAccept(plan: Plan): Accept {
  const accepts = plan.classes.map((each) => acceptObject(each, plan, (id) => (value, depth) => call(id, value, depth)))
  const call = (id: number, value: unknown, depth: number): object | undefined => accepts[id]?.(value, depth)
  return accepts[plan.root.id] as Accept
}

function acceptObject(plan: ClassPlan, { strip }: Plan, acceptOf: (id: number) => Accept): Accept {
  const takes = new Map<string, Take>()
  for (const member of plan.members) takes.set(member.property.input, takeMember(member, acceptOf))
  const { byInput, tag, bare } = plan
  const all = plan.members.length
  return function accept(value, depth) {
    if (!isPlainObject(value) || depth > deepest) return undefined
    const made = new plan.class() as Made
    let seen = 0
    for (const key of Object.keys(value)) {
      const take = takes.get(key)
      if (take) {
        const member = take(value[key], depth + 1)
        if (member === doubtful) return undefined
        made[byInput.get(key)?.property.name as string] = member
        seen++
      } else if (key === tag?.name) {
        if (tag.kept) made[key] = value[key]
      } else if (!strip) return undefined
    }
    return (seen === all && bare) || finish(plan, value, made) ? made : undefined
  }
}

/** A member with all its rules: `doubtful` where anything is not as it must be. */
function takeMember(member: MemberPlan, acceptOf: (id: number) => Accept): Take {
  const { list, onNull, checks } = member
  const takeOne = takeElement(member, acceptOf)
  const judge = (value: unknown): unknown => {
    for (const check of checks) if (!passes(check, value)) return doubtful
    return value
  }
  return function take(value, depth) {
    if (value === null && onNull !== 'check') return onNull === 'pass' ? null : doubtful
    if (value === null || value === undefined) return value === null ? judge(value) : doubtful
    if (!list) {
      const taken = takeOne(value, depth)
      return taken === doubtful ? doubtful : judge(taken)
    }
    if (!Array.isArray(value)) return doubtful
    const taken: unknown[] = []
    for (let index = 0; index < value.length; index++) {
      const element = takeOne(value[index], depth + 1)
      if (element === doubtful) return doubtful
      taken.push(element)
    }
    return judge(taken)
  }
}

function takeElement({ kind, property, element, union }: MemberPlan, acceptOf: (id: number) => Accept): Take {
  const { scalar, unruledKind } = property
  switch (kind) {
    case 'class': {
      const accept = acceptOf(element?.id ?? -1)
      return (value, depth) => accept(value, depth) ?? doubtful
    }
    case 'union': {
      const accepts = new Map([...(union?.classes ?? [])].map(([name, { id }]) => [name, acceptOf(id)]))
      const tag = union?.tag ?? ''
      return (value, depth) => {
        if (!isPlainObject(value) || !Object.hasOwn(value, tag)) return doubtful
        return accepts.get(value[tag])?.(value, depth) ?? doubtful
      }
    }
    case 'date':
      return (value) => (typeof value === 'string' && parseDate(value)) || doubtful
    case 'scalar':
    case 'free': {
      const kindOf = scalar === undefined || scalar === 'date' || (kind === 'free' && !unruledKind) ? undefined : scalar
      if (!kindOf) return copyFree
      return (value) => (isOfKind(value, kindOf) ? value : doubtful)
    }
  }
}
