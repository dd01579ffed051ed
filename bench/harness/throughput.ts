import { isRefused, type Workload } from '../workloads/workload'
import { load } from './load'
import { contendersOf, ratiosTo } from './ratios'
import { ServerProcess } from './server-process'
import { lowerQuartile, median, table } from './statistics'

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
  /** Whether a process is started for each round: no process keeps its luck, and it takes longer. */
  readonly fresh: boolean
}

/** Measures the contenders in turn, round by round: what shakes the machine for a while shakes all of them. */
export async function measure(workload: Workload, contenders: readonly string[], effort: Effort): Promise<Sample[]> {
  const samples: Sample[] = []
  const kept = new Map<string, ServerProcess>()
  try {
    for (let round = 0; round < effort.rounds; round++) {
      for (const contender of contenders) {
        const server = kept.get(contender) ?? (await startWarm(workload, contender, effort))
        kept.set(contender, server)
        samples.push({ contender, round, ...(await sample(server, workload, effort)) })
        if (!effort.fresh) continue
        kept.delete(contender)
        await server.stop()
      }
    }
  } finally {
    await Promise.all([...kept.values()].map((server) => server.stop()))
  }
  return samples
}

/** Requests until a server runs the code that it goes on to run, and how often its share of seconds it may take for them. */
const [warm, patience] = [50_000, 4]

async function startWarm(workload: Workload, contender: string, { warmUp }: Effort): Promise<ServerProcess> {
  const server = await ServerProcess.start({ ...workload, contender })
  try {
    // By requests, not by time: where the machine is busy, compiling would otherwise be counted as serving.
    for (let times = 0, sent = 0; times < patience && sent < warm; times++) {
      sent += (await load(server.origin, workload.load, warmUp, isRefused(workload))).requests
    }
    return server
  } catch (error) {
    await server.stop()
    throw error
  }
}

async function sample(
  server: ServerProcess,
  workload: Workload,
  { measured }: Effort,
): Promise<Omit<Sample, 'contender' | 'round'>> {
  const before = await server.usage()
  const { requests, ...rest } = await load(server.origin, workload.load, measured, isRefused(workload))
  const after = await server.usage()
  return { cpu: (after.cpu - before.cpu) / requests, rss: after.rss, ...rest }
}

/**
 * The medians of each contender, the median of its ratios to the reference in the same round, and the ratio of the lower
 * quartiles, which a busy neighbour shakes least.
 */
export function summary(samples: readonly Sample[], reference: string): string {
  const costsOf = (name: string): number[] =>
    samples.filter(({ contender }) => contender === name).map(({ cpu }) => cpu)
  const rows = contendersOf(samples).map((name) => {
    const own = samples.filter(({ contender }) => contender === name)
    const ratios = ratiosTo(reference, name, samples)
    const ratio = (pick: (values: number[]) => number): string => (ratios.length > 0 ? pick(ratios).toFixed(2) : '-')
    return [
      name,
      median(own.map(({ cpu }) => cpu)).toFixed(2),
      ratio(median),
      ratio((values) => Math.min(...values)),
      ratio((values) => Math.max(...values)),
      (lowerQuartile(costsOf(reference)) / lowerQuartile(costsOf(name))).toFixed(2),
      median(own.map(({ perSecond }) => perSecond)).toFixed(0),
      median(own.map(({ p50 }) => p50)).toFixed(2),
      median(own.map(({ p99 }) => p99)).toFixed(2),
      (median(own.map(({ rss }) => rss)) / 1e6).toFixed(0),
    ]
  })
  const ratioNames = [`ratio to ${reference}`, 'least', 'most', 'of quartiles']
  return table(['', 'CPU µs', ...ratioNames, 'req/s', 'p50 ms', 'p99 ms', 'RSS MB'], rows)
}
