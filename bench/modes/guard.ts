import bounds from '../guard.json'
import { compareAnswers } from '../harness/compare'
import { isInstalled, canPin } from '../harness/pinning'
import { ratiosTo } from '../harness/ratios'
import { median } from '../harness/statistics'
import { measure } from '../harness/throughput'
import { workloads } from '../workloads/all'
import type { Workload } from '../workloads/workload'

const contenders = ['raw', 'kumu']
const effort = { rounds: 3, warmUp: 1, measured: 1, fresh: false }

/** Fails where Kumu's median ratio to raw node is below its bound, twice; says so where it cannot be measured here. */
export async function runGuard(): Promise<void> {
  const lacking = whatIsLacking()
  if (lacking) return console.log(`Not measured: ${lacking}.`)
  for (const [id, bound] of Object.entries(bounds)) {
    const workload = workloads.find((each) => each.id === id)
    if (!workload) throw new Error(`bench/guard.json names ${id}, which is no workload`)
    const { differences } = await compareAnswers(workload, contenders)
    if (differences.length > 0) throw new Error(differences.join('\n'))
    const first = await ratioOf(workload)
    // The machine may have been busy with something else.
    const ratio = first < bound ? Math.max(first, await ratioOf(workload)) : first
    const verdict = verdictOf(ratio, bound)
    console.log(`${id.padEnd(8)} ${ratio.toFixed(2)} of raw node, at least ${bound.toFixed(2)}: ${verdict}`)
    if (verdict !== 'ok') process.exitCode = 1
  }
}

/** Whether a ratio keeps to its bound; one that is no number does not. */
export function verdictOf(ratio: number, bound: number): 'ok' | 'TOO SLOW' {
  return ratio >= bound ? 'ok' : 'TOO SLOW'
}

function whatIsLacking(): string | undefined {
  if (!isInstalled('wrk', ['--version'])) return 'wrk is not installed'
  return canPin ? undefined : 'two cores and taskset are needed'
}

async function ratioOf(workload: Workload): Promise<number> {
  return median(ratiosTo('raw', 'kumu', await measure(workload, contenders, effort)))
}
