import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { isPeer, wrote } from '../contenders'
import { compareAnswers } from '../harness/compare'
import { checkLoadGenerator } from '../harness/load'
import { nodeVersion } from '../harness/node-binary'
import { canPin } from '../harness/pinning'
import { measureStarts, startSummary } from '../harness/startup'
import { measure, type Sample, summary } from '../harness/throughput'
import type { MeasureOptions } from '../options'
import { toReport } from '../report'
import type { Workload } from '../workloads/workload'

/**
 * Compares the answers of the contenders, then what each of them costs.
 *
 * @throws Error where answers differ
 */
export async function runMeasure(options: MeasureOptions): Promise<void> {
  const node = nodeVersion()
  if (!options.check && options.workloads.length > 0) checkLoadGenerator()
  const present = await compareAll(options)
  if (options.check) return

  const processor = cpus()[0]?.model
  const cores = canPin ? 'pinned' : 'NOT pinned: two cores and taskset are needed'
  console.log(`node ${node}, ${processor ?? 'unknown processor'}, ${cores}`)
  const reference = options.contenders[0] ?? 'raw'
  const throughput: Record<string, Sample[]> = {}
  for (const workload of options.workloads) {
    const samples = await measure(workload, entrants(workload, present), options.effort)
    throughput[workload.id] = samples
    console.log(`\n${workload.id}: ${workload.title}\n${summary(samples, reference)}`)
  }
  const starts = options.startup ? await measureStarts(present, options.effort.rounds * 3) : []
  if (options.startup) console.log(`\nstartup\n${startSummary(starts)}`)
  if (!options.json) return
  const circumstances = { node, processor, pinned: canPin, reference, effort: options.effort }
  writeFileSync(options.json, `${JSON.stringify(toReport(circumstances, throughput, starts), null, 2)}\n`)
}

/**
 * Prints what differs and who is missing.
 *
 * @returns those of the contenders that start here
 * @throws Error where answers differ
 */
async function compareAll({ workloads, contenders }: MeasureOptions): Promise<string[]> {
  let different = 0
  let present = [...contenders]
  for (const workload of workloads) {
    const { differences, absent } = await compareAnswers(workload, entrants(workload, present))
    for (const [contender, reason] of absent) {
      console.log(`${contender} is left out, it does not run on node ${nodeVersion()} here: ${reason}`)
    }
    present = present.filter((contender) => !absent.has(contender))
    different += differences.length
    const which = present.some(isPeer) ? ', what peers refuse by status and what they name' : ''
    console.log(differences.length === 0 ? `${workload.id}: equal answers${which}` : differences.join('\n'))
  }
  if (different > 0) throw new Error(`${different} answers differ: nothing was measured`)
  return present
}

function entrants({ app }: Workload, contenders: readonly string[]): string[] {
  return contenders.filter((contender) => wrote(contender, app))
}
