import { escapePointer } from '../http/pointer'
import { expandQuery } from '../http/query'
import type { ArgumentsShared, Take } from './argument'
import { isRuled } from './checks'
import { TextValue, type ParamPlan, type RoutePlan } from './plan'
import { queryOf } from './query'

/** Names of the query that somebody reads by name. */
function namedQuery(plan: RoutePlan, shared: ArgumentsShared): Set<string> {
  const names = new Set([...plan.queryNames, ...(shared.paging?.names ?? [])])
  for (const param of plan.params) {
    if (param.source === 'fields') names.add('fields')
    if (param.source !== 'query') continue
    for (const { name, type } of param.members ?? [param]) {
      if (name === undefined) continue
      names.add(name)
      if (type.list) names.add(`${name}[]`)
    }
  }
  return names
}

/** Takes the whole query, without the names that others read. */
export function wholeQuery(plan: RoutePlan, param: ParamPlan, shared: ArgumentsShared): Take {
  const taken = namedQuery(plan, shared)
  const checked = isRuled(param.type)
  // What a schema takes is its own business: it is shown all that nobody else reads.
  const filtered = plan.unknownQuery === 'ignore' && param.type.kind === 'class'
  const declared = filtered ? new Set(shared.declared(param)) : undefined
  return (ctx) => {
    const query = queryOf(ctx, shared.limits.keys)
    const wanted = (name: string): boolean => !taken.has(name) && (!declared || declared.has(name.replace(/\[.*/s, '')))
    const rest = taken.size > 0 || declared ? new Map([...query].filter(([name]) => wanted(name))) : query
    const value = expandQuery(rest, { keys: shared.limits.keys })
    return checked ? new TextValue(value) : value
  }
}

/** Refuses parameters that nobody reads, where somebody reads some and no class takes the rest. */
export function createQueryGuard(plan: RoutePlan, shared: ArgumentsShared): Take | undefined {
  const whole = plan.params.some((param) => param.source === 'query' && !param.members && param.name === undefined)
  const names = namedQuery(plan, shared)
  if (whole || names.size === 0 || plan.unknownQuery === 'ignore') return undefined
  return (ctx, wrong) => {
    const url = ctx.req.url ?? ''
    if (!url.includes('?')) return
    for (const name of queryOf(ctx, shared.limits.keys).keys()) {
      if (names.has(name)) continue
      wrong.push({
        in: 'query',
        pointer: `/${escapePointer(name)}`,
        code: 'unknown',
        detail: `${name.slice(0, 80)} is not a parameter here`,
      })
    }
  }
}

/** The filters of the query; none at all would mean everything, and is refused. */
export function whereTake({ paging, limits }: ArgumentsShared): Take {
  return (ctx, wrong) => {
    const where = paging?.read(ctx).where ?? {}
    if (Object.keys(where).length === 0) {
      wrong.push({ in: 'query', pointer: '', code: 'required', detail: 'Say in the query which ones' })
    }
    // Who sends a limit expects that no more than so many are touched.
    for (const name of paging?.names ?? []) {
      if (name in where || !queryOf(ctx, limits.keys).has(name)) continue
      wrong.push({ in: 'query', pointer: `/${name}`, code: 'unknown', detail: `${name} says nothing of which ones` })
    }
    return where
  }
}
