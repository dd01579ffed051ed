import { checkLoadGenerator, load } from '../harness/load'
import { nodeVersion } from '../harness/node-binary'
import { ServerProcess } from '../harness/server-process'
import { table } from '../harness/statistics'
import type { MemoryOptions } from '../options'
import { workloads } from '../workloads/all'
import { isRefused, type Workload } from '../workloads/workload'

const driven = workloads.filter(({ id }) => id !== 'w4-first' && id !== 'w4-middle')

/** Seconds of load between two looks at how many requests it was. */
const longest = 30

/** Heap and memory of one server over its requests, in bytes. */
export interface MemorySample {
  readonly requests: number
  readonly idle: number
  readonly loaded: number
  /** Heap in use after a collection, at a tenth of the requests. */
  readonly early: number
  /** The same at the end. */
  readonly late: number
}

/** Shows whether servers keep something of each request: each workload is asked its share, in a process of its own. */
export async function runMemory({ requests, contenders }: MemoryOptions): Promise<void> {
  checkLoadGenerator()
  const share = Math.ceil(requests / driven.length)
  console.log(`node ${nodeVersion()}, ${requests} requests to each, ${share} of each workload`)
  const rows: string[][] = []
  for (const workload of driven) {
    for (const contender of contenders) {
      rows.push([`${workload.id} ${contender}`, ...cells(await watch(workload, contender, share))])
    }
  }
  console.log(table(['', 'requests', 'idle RSS', 'loaded RSS', 'heap at 10 %', 'at 100 %', 'growth %'], rows))
}

async function watch(workload: Workload, contender: string, share: number): Promise<MemorySample> {
  const server = await ServerProcess.start({ ...workload, contender, settles: true })
  try {
    const { rss: idle } = await server.usage()
    const before = await drive(server.origin, workload, share / 10)
    const { heap: early } = await server.usage('settled')
    const after = before < share ? await drive(server.origin, workload, share - before) : 0
    const { rss: loaded } = await server.usage()
    const { heap: late } = await server.usage('settled')
    return { requests: before + after, idle, loaded, early, late }
  } finally {
    await server.stop()
  }
}

/** Sends at least so many requests: the load generator counts seconds, so it is asked again until they were enough. */
async function drive(origin: string, workload: Workload, wanted: number): Promise<number> {
  let sent = 0
  let perSecond = Infinity
  while (sent < wanted) {
    const seconds = Math.min(longest, Math.max(1, Math.round((wanted - sent) / perSecond)))
    const result = await load(origin, workload.load, seconds, isRefused(workload))
    sent += result.requests
    perSecond = result.perSecond
  }
  return sent
}

/** By how much the heap grew between its two samples, in percent. */
export function growthOf({ early, late }: Pick<MemorySample, 'early' | 'late'>): number {
  return ((late - early) / early) * 100
}

function cells(sample: MemorySample): string[] {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)
  const { requests, idle, loaded, early, late } = sample
  const bytes = [idle, loaded, early, late].map(megabytes)
  return [String(requests), ...bytes, growthOf(sample).toFixed(1)]
}
