import { performance } from 'node:perf_hooks'
import { routes as manyRoutes } from '../workloads/w4'
import { makeUser } from '../workloads/w2'
import type { AppName, BenchRequest } from '../workloads/workload'
import { ask } from './compare'
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
  const server = await ServerProcess.start(contender, app, routes)
  try {
    const { status } = await ask(server.origin, request)
    const time = performance.now() - begun
    if (status >= 300) throw new Error(`${contender} ${app} answers ${status} at first`)
    return { time, rss: (await server.usage()).rss }
  } finally {
    await server.stop()
  }
}

/** The medians of each start, and of its ratios to bare Koa's in the same round. */
export function startSummary(samples: readonly StartSample[]): string {
  const key = ({ contender, app, routes }: Start): string =>
    `${contender}${app === 'w2' ? ', body and its checks' : ''}${routes > 0 ? `, ${routes} routes more` : ''}`
  const rows = [...new Set(samples.map(key))].map((name) => {
    const own = samples.filter((sample) => key(sample) === name)
    const ratios = own.flatMap(({ round, time }) => {
      const base = samples.find((sample) => sample.round === round && key(sample) === 'koa')
      return base ? [time / base.time] : []
    })
    return [
      name,
      median(own.map(({ time }) => time)).toFixed(0),
      ratios.length > 0 ? median(ratios).toFixed(2) : '-',
      (median(own.map(({ rss }) => rss)) / 1e6).toFixed(0),
    ]
  })
  return table(['start to first answer', 'ms', '× bare Koa', 'RSS MB'], rows)
}
