import { performance } from 'node:perf_hooks'
import { routes as manyRoutes } from '../workloads/w4'
import { makeUser } from '../workloads/w2'
import type { AppName, BenchRequest } from '../workloads/workload'
import { ask } from './compare'
import { round } from './ratios'
import { ServerProcess } from './server-process'
import { median, table } from './statistics'

/** One way to start one contender. */
interface Start {
  readonly contender: string
  readonly app: AppName
  readonly routes: number
}

export interface StartSample extends Start {
  readonly round: number
  /** Milliseconds from the start of the process to the end of its first answer. */
  readonly time: number
  /** Bytes, after that answer. */
  readonly rss: number
}

const firstRequests: Partial<Record<AppName, BenchRequest>> = {
  w1: { method: 'GET', path: '/hello/7' },
  w2: { method: 'POST', path: '/users', body: JSON.stringify(makeUser(1)) },
}

const starts: readonly Start[] = [
  { contender: 'raw', app: 'w1', routes: 0 },
  { contender: 'koa', app: 'w1', routes: 0 },
  ...[0, 10, manyRoutes].flatMap((routes) => [
    { contender: 'koa-router', app: 'w1' as const, routes },
    { contender: 'kumu', app: 'w1' as const, routes },
  ]),
  { contender: 'koa-router', app: 'w2', routes: 0 },
  { contender: 'koa-validator', app: 'w2', routes: 0 },
  { contender: 'kumu', app: 'w2', routes: 0 },
]

/**
 * Starts each contender in turn, round by round.
 *
 * @param contenders those asked for
 * @param rounds how often
 */
export async function measureStarts(contenders: readonly string[], rounds: number): Promise<StartSample[]> {
  const samples: StartSample[] = []
  for (let round = 0; round < rounds; round++) {
    for (const start of starts.filter(({ contender }) => contenders.includes(contender))) {
      samples.push({ ...start, round, ...(await measureStart(start)) })
    }
  }
  return samples
}

async function measureStart({ contender, app, routes }: Start): Promise<{ time: number; rss: number }> {
  const request = firstRequests[app]
  if (!request) throw new Error(`${app} has no first request`)
  const begun = performance.now()
  const server = await ServerProcess.start({ contender, app, routes })
  try {
    const { status } = await ask(server.origin, request)
    const time = performance.now() - begun
    if (status >= 300) throw new Error(`${contender} ${app} answers ${status} at first`)
    return { time, rss: (await server.usage()).rss }
  } finally {
    await server.stop()
  }
}

/** What a start is called in the table. */
function nameOf({ contender, app, routes }: Start): string {
  return `${contender}${app === 'w2' ? ', body and its checks' : ''}${routes > 0 ? `, ${routes} routes more` : ''}`
}

/** The medians of one start. */
export interface StartMedian {
  /** Milliseconds. */
  readonly time: number
  /** As a multiple of bare Koa's in the same rounds. */
  readonly timesKoa?: number
  /** Bytes. */
  readonly rss: number
}

/** The medians of each start by its name. */
export function startMedians(samples: readonly StartSample[]): Record<string, StartMedian> {
  const names = [...new Set(samples.map(nameOf))]
  return Object.fromEntries(
    names.map((name) => {
      const own = samples.filter((sample) => nameOf(sample) === name)
      const time = round(median(own.map((sample) => sample.time)))
      return [name, { time, timesKoa: compared(samples, name, 'koa', over), rss: median(own.map(({ rss }) => rss)) }]
    }),
  )
}

type Measure = (own: StartSample, base: StartSample) => number

const over: Measure = (own, base) => own.time / base.time
const added: Measure = (own, base) => own.time - base.time
const memory: Measure = (own, base) => own.rss / base.rss

/** The median of what one start is to another in the same round. */
function compared(samples: readonly StartSample[], name: string, base: string, measure: Measure): number | undefined {
  const values = samples.flatMap((own) => {
    if (nameOf(own) !== name) return []
    const other = samples.find((sample) => sample.round === own.round && nameOf(sample) === base)
    return other ? [measure(own, other)] : []
  })
  return values.length > 0 ? round(median(values)) : undefined
}

const goals: ReadonlyArray<readonly [title: string, name: string, base: string, measure: Measure]> = [
  ['no body routes, × bare Koa', 'kumu', 'koa', over],
  ['DTO, × koa-validator', 'kumu, body and its checks', 'koa-validator, body and its checks', over],
  [`${manyRoutes} routes add, ms`, `kumu, ${manyRoutes} routes more`, 'kumu', added],
  ['no body routes, RSS idle × koa-router', 'kumu', 'koa-router', memory],
  ['DTO, RSS idle × koa-router', 'kumu, body and its checks', 'koa-router, body and its checks', memory],
  ['DTO, RSS idle × koa-validator', 'kumu, body and its checks', 'koa-validator, body and its checks', memory],
]

/** What is asked of Kumu's starts, as medians over the rounds; without those of which a part was not measured. */
export function startGoals(samples: readonly StartSample[]): Record<string, number> {
  return Object.fromEntries(
    goals.flatMap(([title, name, base, measure]) => {
      const value = compared(samples, name, base, measure)
      return value === undefined ? [] : [[title, value]]
    }),
  )
}

/** The medians and what is asked of them as two tables. */
export function startSummary(samples: readonly StartSample[]): string {
  const rows = Object.entries(startMedians(samples)).map(([name, { time, timesKoa, rss }]) => [
    name,
    time.toFixed(0),
    timesKoa?.toFixed(2) ?? '-',
    (rss / 1e6).toFixed(0),
  ])
  const asked = Object.entries(startGoals(samples)).map(([title, value]) => [title, value.toFixed(2)])
  const medians = table(['start to first answer', 'ms', '× bare Koa', 'RSS MB'], rows)
  return asked.length > 0 ? `${medians}\n\n${table(['Kumu', ''], asked)}` : medians
}
