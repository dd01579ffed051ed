import { parseCookies } from '../http/cookie'
import type { QueryMap } from '../http/query'
import { createJudge, sourceOf, type ArgumentsShared, type Take } from './argument'
import { createTextCheck, isRuled } from './checks'
import { createFinish, finishGroup } from './finish'
import type { Context, ParamPlan } from './plan'
import { queryOf } from './query'

/** Takes one named value whose text stands in the path, the query, a header or a cookie. */
export function textTake(param: ParamPlan, shared: ArgumentsShared): Take {
  const source = textSource(param, shared.limits.keys)
  const check = isRuled(param.type) ? undefined : createTextCheck(param)
  const judge = createJudge(param, sourceOf(param), createFinish(param, shared) !== undefined)
  return (ctx, wrong) => {
    const text = source(ctx)
    if (text === undefined) return judge.absent(wrong)
    return check ? judge.accept(check(text), wrong) : text
  }
}

/** Where the text of a named value stands. */
function textSource(param: ParamPlan, keys: number): (ctx: Context) => string | readonly string[] | undefined {
  const name = param.name as string
  const { list } = param.type
  const one = (values: readonly string[] | undefined): string | readonly string[] | undefined =>
    values === undefined || values.length !== 1 ? values : values[0]
  switch (param.source) {
    case 'path':
      return (ctx) => ctx.params[name]
    case 'query':
      return list ? (ctx) => listed(queryOf(ctx, keys), name) : (ctx) => one(queryOf(ctx, keys).get(name))
    case 'cookie':
      return (ctx) => parseCookies(ctx.req.headers.cookie).get(name)
    default: {
      const header = name.toLowerCase()
      return (ctx) => {
        const value = ctx.req.headers[header]
        return list && typeof value === 'string' ? splitList(value) : value
      }
    }
  }
}

/** A list may be spelled with brackets as well: `?tag=a&tag[]=b`. */
function listed(query: QueryMap, name: string): readonly string[] | undefined {
  const plain = query.get(name)
  const bracketed = query.get(`${name}[]`)
  return plain && bracketed ? [...plain, ...bracketed] : (plain ?? bracketed)
}

/** The elements of a list-valued field (RFC 9110 §5.6.1), empty ones left out. */
function splitList(value: string): string[] {
  return value
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '')
}

/** Takes several named values into one object. */
export function groupTake(param: ParamPlan, shared: ArgumentsShared): Take {
  const members = (param.members ?? []).map((member) => ({
    as: member.as ?? member.name ?? '',
    take: textTake(member, shared),
    finish: createFinish(member, shared),
  }))
  return (ctx, wrong) => {
    const before = wrong.length
    const group: Record<string, unknown> = {}
    for (const { as, take } of members) group[as] = take(ctx, wrong)
    if (wrong.length > before || members.every(({ finish }) => !finish)) return group
    return finishGroup(group, members, ctx)
  }
}
