import { parseDate } from '../../http/scalar'
import { isSimple, passes } from './absence'
import { defaultOf, searchBelow, type FindMissing } from './missing'
import type { ClassPlan, MemberPlan } from './plan'
import { Unsure, type Inquiry } from './screen'

/** Finds broken rules in an object that the sieve has passed, and in what it holds. */
export function createBreaches(): FindMissing {
  return function findBreaches(value, plan, inquiry, pointer) {
    const { ruled } = plan
    for (let index = 0; index < ruled.length; index++) {
      const member = ruled[index] as MemberPlan
      const given = value[member.property.input]
      const at = pointer + member.pointer
      if (!inquiry.refused || !inquiry.findings.isSilent(at)) judge(given, member, plan, inquiry, at)
      if (member.kind === 'class' || member.kind === 'union') searchBelow(given, member, inquiry, at, findBreaches)
    }
  }
}

function judge(given: unknown, member: MemberPlan, plan: ClassPlan, inquiry: Inquiry, pointer: string): void {
  if (member.vague) throw Unsure
  if (given === null) {
    if (member.onNull === 'check') reportBroken(null, member, inquiry, pointer)
    return
  }
  if (given !== undefined) {
    reportBroken(member.kind === 'date' ? datesOf(given) : given, member, inquiry, pointer)
    return
  }
  const initial = defaultOf(plan, member)
  if (initial === undefined) {
    if (!member.property.optional) reportAbsent(member, inquiry, pointer)
    return
  }
  if (!isSimple(member, initial)) throw Unsure
  reportBroken(initial, member, inquiry, pointer)
}

function datesOf(value: unknown): unknown {
  return Array.isArray(value) ? value.map((each) => parseDate(String(each))) : parseDate(String(value))
}

function reportBroken(value: unknown, { checks }: MemberPlan, { findings }: Inquiry, pointer: string): void {
  for (let index = 0; index < checks.length; index++) {
    const check = checks[index] as MemberPlan['checks'][number]
    if (passesWhole(check, value)) continue
    const violation = check.tell(findings.source, pointer)
    if (!violation) throw Unsure
    findings.take(violation)
  }
}

/** Asks for each element, as class-validator does: one that makes a rule throw may come after one that breaks it. */
function passesWhole(check: MemberPlan['checks'][number], value: unknown): boolean {
  if (!check.each || !Array.isArray(value)) return passes(check, value)
  let all = true
  for (let index = 0; index < value.length; index++) all = check.test(value[index]) && all
  return all
}

/** An absent value breaks every rule it has: it is only said to be required, in the author's words if there are any. */
function reportAbsent({ checks, label }: MemberPlan, { findings }: Inquiry, pointer: string): void {
  let broken = false
  let worded: MemberPlan['checks'][number] | undefined
  for (const check of checks) {
    if (passes(check, undefined)) continue
    broken = true
    if (!check.ownWords) continue
    if (check.code === 'isDefined' || (check.code === 'isNotEmpty' && worded?.code !== 'isDefined')) worded = check
  }
  if (!broken) return
  if (worded && !worded.sentence) throw Unsure
  findings.add(pointer, 'required', worded?.sentence?.() ?? `${label} is required`)
}
