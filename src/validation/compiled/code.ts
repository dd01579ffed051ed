import { parseDate } from '../../http/scalar'
import { deepest } from '../sift'
import { finish, passes } from './absence'
import type { Accept } from './closures'
import { copyFree, doubtful } from './free'
import type { ClassPlan, MemberPlan, Plan } from './plan'
import type { Refer } from './tests'

/**
 * Generates source that carries a plan out, and compiles it.
 *
 * No text of a request, and none of a class but the names of its members as string literals, gets into the source:
 * classes, expressions, choices are handed in by reference.
 *
 * @throws EvalError where a process may not make code of strings
 */
export function generateAccept(plan: Plan): Accept {
  const constants: unknown[] = []
  const refer: Refer = (constant) => {
    if (typeof constant === 'number') return Object.is(constant, -0) ? '0' : `(${constant})`
    const at = constants.indexOf(constant)
    return `c${at < 0 ? constants.push(constant) - 1 : at}`
  }
  const body = plan.classes.map((each) => objectSource(each, plan.strip, refer)).join('\n')
  const names = constants.map((_, index) => `c${index}`)
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the one place; see above for what gets into it
  const compile = new Function(...names, `'use strict'\n${body}\nreturn accept${plan.root.id}`) as (
    ...values: unknown[]
  ) => Accept
  return compile(...constants)
}

function objectSource(plan: ClassPlan, strip: boolean, refer: Refer): string {
  const cases = plan.members.map((member) => caseSource(member, refer))
  const { tag, bare } = plan
  if (tag)
    cases.push(
      `case ${quote(tag.name)}: ${tag.kept ? `made[${quote(tag.name)}] = value[${quote(tag.name)}]` : ''}; break`,
    )
  if (!strip) cases.push('default: return undefined')
  const settle = `return ${refer(finish)}(${refer(plan)}, value, made) ? made : undefined`
  return `function accept${plan.id}(value, depth) {
    if (typeof value !== 'object' || value === null || depth > ${deepest}) return undefined
    if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
    const made = new ${refer(plan.class)}()
    let seen = 0
    for (const key in value) {
      switch (key) {
        ${cases.join('\n')}
      }
    }
    ${bare ? `if (seen === ${plan.members.length}) return made` : ''}
    ${settle}
  }`
}

function caseSource(member: MemberPlan, refer: Refer): string {
  const { name, input } = member.property
  return `case ${quote(input)}: {
    let v = value[${quote(input)}]
    ${memberSource(member, refer)}
    made[${quote(name)}] = v
    seen++
    break
  }`
}

function memberSource(member: MemberPlan, refer: Refer): string {
  const { list, onNull, checks } = member
  const judged = checks.filter(({ each }) => !(each && list)).map((check) => checkSource(check, 'v', refer))
  const body = list ? listSource(member, judged, refer) : [...elementSource(member, 'v', 'depth + 1', refer), ...judged]
  if (onNull === 'refuse') return ['if (v === null) return undefined', ...body].join('\n')
  const onNothing = onNull === 'pass' ? [] : checks.map((check) => `if (!${refer(check.test)}(v)) return undefined`)
  return `if (v === null) {\n${onNothing.join('\n')}\n} else {\n${body.join('\n')}\n}`
}

function listSource(member: MemberPlan, judged: readonly string[], refer: Refer): string[] {
  const each = member.checks
    .filter((check) => check.each)
    .map(({ source, test }) => {
      return refuseUnless(source ? source('e', refer) : `${refer(test)}(e)`)
    })
  return [
    'if (!Array.isArray(v)) return undefined',
    'const list = []',
    `for (let i = 0; i < v.length; i++) {
      let e = v[i]
      ${[...elementSource(member, 'e', 'depth + 2', refer), ...each].join('\n')}
      list.push(e)
    }`,
    'v = list',
    ...judged,
  ]
}

/** A rule on a value: one on each element looks whether the value has any. */
function checkSource(check: MemberPlan['checks'][number], variable: string, refer: Refer): string {
  if (check.each) return refuseUnless(`${refer(passes)}(${refer(check)}, ${variable})`)
  return refuseUnless(check.source ? check.source(variable, refer) : `${refer(check.test)}(${variable})`)
}

/** Takes the value in a variable over into the same variable. */
function elementSource(member: MemberPlan, variable: string, depth: string, refer: Refer): string[] {
  const { kind, element, union, property, checks, list } = member
  switch (kind) {
    case 'class':
      return [`${variable} = accept${element?.id}(${variable}, ${depth})`, refuseUnless(`${variable} !== undefined`)]
    case 'union': {
      const tag = quote(union?.tag ?? '')
      const cases = [...(union?.classes ?? [])].map(
        ([name, { id }]) => `case ${quote(String(name))}: ${variable} = accept${id}(${variable}, ${depth}); break`,
      )
      return [
        refuseUnless(`typeof ${variable} === 'object' && ${variable} !== null && Object.hasOwn(${variable}, ${tag})`),
        `switch (${variable}[${tag}]) {\n${cases.join('\n')}\ndefault: return undefined\n}`,
        refuseUnless(`${variable} !== undefined`),
      ]
    }
    case 'date':
      return [
        refuseUnless(`typeof ${variable} === 'string'`),
        `${variable} = ${refer(parseDate)}(${variable})`,
        refuseUnless(`${variable} !== undefined`),
      ]
    case 'scalar':
      return [refuseUnless(kindSource(property.scalar, variable))]
    case 'free': {
      if (property.unruledKind && property.scalar) return [refuseUnless(kindSource(property.scalar, variable))]
      // Where a rule lets nothing but texts, numbers and truths pass, there is nothing to copy.
      if (checks.some((check) => check.primitive && check.each === list)) return []
      return [
        `if (typeof ${variable} === 'object' || ${variable} === undefined) ${variable} = ${refer(copyFree)}(${variable}, ${depth})`,
        refuseUnless(`${variable} !== ${refer(doubtful)} && typeof ${variable} !== 'function'`),
      ]
    }
  }
}

function kindSource(kind: MemberPlan['property']['scalar'], variable: string): string {
  return `typeof ${variable} === '${kind === 'integer' ? 'number' : kind}'`
}

function refuseUnless(condition: string): string {
  return `if (!(${condition})) return undefined`
}

function quote(text: string): string {
  return JSON.stringify(text)
}
