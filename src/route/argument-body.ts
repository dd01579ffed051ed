import type { Violation } from '../errors'
import { escapePointer } from '../http/pointer'
import { createJudge, type ArgumentsShared, type TakeBody } from './argument'
import { createJsonCheck, createTextCheck, isRuled, Refusal, type Check } from './checks'
import { createFinish, finishGroup } from './finish'
import { TextValue, type ParamPlan, type RoutePlan } from './plan'

/** Takes an argument out of the body: the whole of it, one member, several in one object, or files. */
export function bodyTake(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): TakeBody {
  if (param.source === 'file' || param.source === 'files') return fileTake(param)
  if (param.members) {
    const members = param.members.map((member) => ({
      as: member.as ?? member.name ?? '',
      take: memberTake(plan, member, shared),
      finish: createFinish(member, shared),
    }))
    return async (body, wrong, ctx) => {
      const before = wrong.length
      const group: Record<string, unknown> = {}
      for (const { as, take } of members) group[as] = await take(body, wrong, ctx)
      return wrong.length > before ? group : finishGroup(group, members, ctx)
    }
  }
  if (param.name !== undefined) return memberTake(plan, param, shared)
  if (isRuled(param.type)) {
    return ({ value, text, empty }) => (empty ? undefined : text ? new TextValue(value) : value)
  }
  const judge = createJudge({ ...param, name: 'body' }, 'body', createFinish(param, shared) !== undefined)
  const json = createJsonCheck(param)
  const fromText = createTextCheck(param)
  return ({ value, text, empty }, wrong) => {
    if (empty) return judge.absent(wrong)
    const before = wrong.length
    const result = judge.accept(text ? fromText(value) : json(value), wrong)
    const last = wrong[before]
    // The whole body has the empty pointer.
    if (last) wrong[before] = { ...last, pointer: last.pointer.slice('/body'.length) }
    return result
  }
}

const notAnObject: Violation = Object.freeze({
  in: 'body',
  pointer: '',
  code: 'type',
  detail: 'The body must be an object',
})

/** One member of an object body. Names that nobody reads are refused once, by the first member. */
function memberTake(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): TakeBody {
  const name = param.name as string
  const judge = createJudge(param, 'body', createFinish(param, shared) !== undefined)
  const checks: Record<'json' | 'text', Check | undefined> = isRuled(param.type)
    ? { json: undefined, text: undefined }
    : { json: createJsonCheck(param), text: createTextCheck(param) }
  const known = bodyNames(plan)
  const first = known.values().next().value === name
  return ({ value, text, empty }, wrong) => {
    if (empty) return judge.absent(wrong)
    if (!isRecord(value)) {
      if (first || !wrong.includes(notAnObject)) wrong.push(notAnObject)
      return undefined
    }
    if (first && shared.unknownBody === 'refuse') refuseMembers(value, known, wrong)
    if (!Object.hasOwn(value, name)) return judge.absent(wrong)
    const member = value[name]
    const check = text ? checks.text : checks.json
    if (check) return judge.accept(check(member), wrong)
    return text ? new TextValue(member) : member
  }
}

function bodyNames(plan: RoutePlan): Set<string> {
  const names = new Set<string>()
  for (const param of plan.params) {
    if (param.source !== 'body') continue
    for (const each of param.members ?? [param]) if (each.name !== undefined) names.add(each.name)
  }
  return names
}

function refuseMembers(value: Record<string, unknown>, known: Set<string>, wrong: Violation[]): void {
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue
    wrong.push({
      in: 'body',
      pointer: `/${escapePointer(name)}`,
      code: 'unknown',
      detail: `${name.slice(0, 80)} is not a member here`,
    })
  }
}

/** Takes the uploaded file, or files, of one name. */
function fileTake(param: ParamPlan): TakeBody {
  const name = param.name as string
  const judge = createJudge(param, 'body')
  const { min = 0, max = Infinity } = param
  return ({ files }, wrong) => {
    const found = files?.get(name)
    if (!found || found.length === 0) return param.source === 'files' && !param.required ? [] : judge.absent(wrong)
    if (param.source === 'file') {
      return found.length === 1 ? found[0] : judge.accept(new Refusal('type', 'must be one file'), wrong)
    }
    if (found.length < min) return judge.accept(new Refusal('min', `must be at least ${min} files`), wrong)
    if (found.length > max) return judge.accept(new Refusal('max', `must be at most ${max} files`), wrong)
    return [...found]
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}
