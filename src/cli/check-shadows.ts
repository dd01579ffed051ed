import { parsePattern } from '../route/pattern'
import type { RoutePlan } from '../route/plan'
import type { Finding } from './finding'
import type { Route } from './load-app'
import { sampleRegExp } from './sample-regexp'

/**
 * Routes that are never reached, because others are given all of their requests: a RegExp below a parameter, say. The
 * router itself is asked, with paths made up for each route; a route that one of them leads to is none of these.
 */
export function findShadowed(routes: readonly Route[]): Finding[] {
  const routers = new Set(routes.map(({ router }) => router))
  const tables = new Map([...routers].map((router) => [router, router.tableFor(undefined)]))
  return routes.flatMap((route) => {
    const { plan, path, router } = route
    const index = tables.get(router)?.indexes.get(plan.method)
    for (const samples of samplesOf(path)) {
      const winners = samples.flatMap((sample) => {
        const winner = index?.find(sample)?.value.plan
        return winner ? [{ sample, winner }] : []
      })
      const [first] = winners
      if (first && winners.every(({ winner }) => winner !== plan)) return [toFinding(route, first.sample, first.winner)]
    }
    return []
  })
}

/** Values that no fixed segment has. */
const values = ['x7q', '4711', 'Zz.y~w'] as const

/** Paths that a route takes, form by form where parts of it are optional. */
function samplesOf(path: string | RegExp): string[][] {
  if (path instanceof RegExp) return [sampleRegExp(path)]
  return parsePattern(path).map(({ shape }) =>
    values.map((value) => encodeURI(shape.replaceAll('*', `${value}/${value}`).replaceAll(':', value))),
  )
}

function toFinding({ plan, path }: Route, sample: string, winner: RoutePlan): Finding {
  const isRegExp = path instanceof RegExp
  return {
    code: 'shadowed-route',
    level: 'error',
    where: plan.id,
    what: `${plan.method} ${String(path)} is never reached: ${sample}, for one, goes to ${winner.id} (${String(winner.path)})`,
    cure: isRegExp
      ? 'A RegExp comes behind paths with parameters, and behind each RegExp before it: write it as a path, or change the other'
      : 'Change the path of one of them',
  }
}
