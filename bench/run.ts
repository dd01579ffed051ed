import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { differences } from './harness/compare'
import { checkLoadGenerator } from './harness/load'
import { canPin } from './harness/pinning'
import { measureStarts, startSummary, type StartSample } from './harness/startup'
import { type Effort, measure, type Sample, summary } from './harness/throughput'
import { workloads } from './workloads/all'
import { routes as manyRoutes } from './workloads/w4'
import type { Workload } from './workloads/workload'

const usage = `npm run bench -- [NAMES] [--quick] [--check] [--rounds N] [--json FILE]

NAMES      workloads (w1 w2 w3 w4 w5, w4-last …, startup) and contenders (raw koa koa-router koa-validator kumu);
           none of a kind: all of it. The first contender is what ratios refer to.
--quick    few and short rounds: to see that it works, not to learn a figure
--check    only compare the answers
--json     write every sample to FILE`

const allContenders = ['raw', 'koa', 'koa-router', 'koa-validator', 'kumu']

interface Options {
  readonly workloads: readonly Workload[]
  readonly startup: boolean
  readonly contenders: readonly string[]
  readonly check: boolean
  readonly effort: Effort
  readonly json?: string
}

function parseOptions(given: readonly string[]): Options {
  const names: string[] = []
  let [quick, check, rounds, json]: [boolean, boolean, number | undefined, string | undefined] = [
    false,
    false,
    undefined,
    undefined,
  ]
  for (let at = 0; at < given.length; at++) {
    const word = given[at] ?? ''
    if (word === '--quick') quick = true
    else if (word === '--check') check = true
    else if (word === '--rounds') rounds = positive(given[++at])
    else if (word === '--json') json = given[++at]
    else if (isName(word)) names.push(word)
    else throw new Error(usage)
  }
  const contenders = names.filter((name) => allContenders.includes(name))
  const asked = names.filter((name) => !allContenders.includes(name))
  const effort = quick ? { rounds: 3, warmUp: 1, measured: 1 } : { rounds: 7, warmUp: 2, measured: 4 }
  return {
    workloads: asked.length === 0 ? workloads : workloads.filter(({ id }) => asked.some((name) => covers(name, id))),
    startup: asked.length === 0 || asked.includes('startup'),
    contenders: contenders.length > 0 ? contenders : allContenders,
    check,
    effort: { ...effort, rounds: rounds ?? effort.rounds },
    json,
  }
}

function isName(word: string): boolean {
  return word === 'startup' || allContenders.includes(word) || workloads.some(({ id }) => covers(word, id))
}

function covers(name: string, id: string): boolean {
  return id === name || id.startsWith(`${name}-`)
}

function positive(word: string | undefined): number {
  const value = Number(word)
  if (!Number.isInteger(value) || value < 1) throw new Error(usage)
  return value
}

/** Those of the contenders that wrote the application of a workload. */
function entrants({ app }: Workload, contenders: readonly string[]): string[] {
  return contenders.filter((name) => name !== 'koa-validator' || app === 'w2')
}

function routesOf({ app }: Workload): number {
  return app === 'w4' ? manyRoutes : 0
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (!options.check && options.workloads.length > 0) checkLoadGenerator()

  let different = 0
  for (const workload of options.workloads) {
    const found = await differences(workload, entrants(workload, options.contenders), routesOf(workload))
    different += found.length
    console.log(found.length === 0 ? `${workload.id}: equal answers` : found.join('\n'))
  }
  if (different > 0) throw new Error(`${different} answers differ: nothing was measured`)
  if (options.check) return

  console.log(
    `node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${canPin ? 'pinned' : 'NOT pinned: two cores and taskset are needed'}`,
  )
  const throughput: Record<string, Sample[]> = {}
  for (const workload of options.workloads) {
    const contenders = entrants(workload, options.contenders)
    const samples = await measure(workload, contenders, routesOf(workload), options.effort)
    throughput[workload.id] = samples
    console.log(`\n${workload.id}: ${workload.title}\n${summary(samples, contenders[0] ?? 'raw')}`)
  }
  let starts: StartSample[] = []
  if (options.startup) {
    starts = await measureStarts(options.contenders, options.effort.rounds * 3)
    console.log(`\nstartup\n${startSummary(starts)}`)
  }
  if (options.json) {
    const report = {
      node: process.version,
      processor: cpus()[0]?.model,
      pinned: canPin,
      effort: options.effort,
      throughput,
      starts,
    }
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
