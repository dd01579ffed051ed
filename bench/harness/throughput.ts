import type { Workload } from '../workloads/workload'
import { load } from './load'
import { ServerProcess } from './server-process'
import { median, table } from './statistics'

/** One contender in one round. */
export interface Sample {
  readonly contender: string
  readonly round: number
  /** CPU microseconds of the server process per request. */
  readonly cpu: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  /** Bytes after the load. */
  readonly rss: number
}

export interface Effort {
  readonly rounds: number
  /** Seconds. */
  readonly warmUp: number
  /** Seconds. */
  readonly measured: number
}

/**
 * Measures the contenders in turn, round by round, each time in a new process: what shakes the machine for a while
 * shakes all of them, and no process keeps its luck.
 */
export async function measure(
  workload: Workload,
  contenders: readonly string[],
  routes: number,
  { rounds, warmUp, measured }: Effort,
): Promise<Sample[]> {
  const refused = (workload.probes[0]?.status ?? 200) >= 400
  const samples: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      const server = await ServerProcess.start(contender, workload.app, routes)
      try {
        await load(server.origin, workload.load, warmUp, refused)
        const before = await server.usage()
        const { requests, ...rest } = await load(server.origin, workload.load, measured, refused)
        const after = await server.usage()
        samples.push({ contender, round, cpu: (after.cpu - before.cpu) / requests, rss: after.rss, ...rest })
      } finally {
        await server.stop()
      }
    }
  }
  return samples
}

/** The medians of each contender, and the median of its ratios to the reference in the same round. */
export function summary(samples: readonly Sample[], reference: string): string {
  const names = [...new Set(samples.map(({ contender }) => contender))]
  const rows = names.map((name) => {
    const own = samples.filter(({ contender }) => contender === name)
    const ratios = own.flatMap(({ round, cpu }) => {
      const base = samples.find((sample) => sample.round === round && sample.contender === reference)
      return base ? [base.cpu / cpu] : []
    })
    const ratio = (pick: (values: number[]) => number): string => (ratios.length > 0 ? pick(ratios).toFixed(2) : '-')
    return [
      name,
      median(own.map(({ cpu }) => cpu)).toFixed(2),
      ratio(median),
      ratio((values) => Math.min(...values)),
      ratio((values) => Math.max(...values)),
      median(own.map(({ perSecond }) => perSecond)).toFixed(0),
      median(own.map(({ p50 }) => p50)).toFixed(2),
      median(own.map(({ p99 }) => p99)).toFixed(2),
      (median(own.map(({ rss }) => rss)) / 1e6).toFixed(0),
    ]
  })
  return table(['', 'CPU µs', `ratio to ${reference}`, 'least', 'most', 'req/s', 'p50 ms', 'p99 ms', 'RSS MB'], rows)
}
