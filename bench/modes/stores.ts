import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { table } from '../harness/statistics'
import type { StoresOptions } from '../options'
import { contests } from '../stores/contests'
import { summaryOf } from '../stores/duel'
import { measureThroughput, type ThroughputSample } from '../stores/throughput'

const slice = 250
const concurrency = 32

/** Measures drivers beside the bare client libraries, one driver after the other. */
export async function runStores({ stores, pairs, json }: StoresOptions): Promise<void> {
  const effort = { pairs, slice, concurrency }
  console.log(`node ${process.version}; ${concurrency} at a time, bodies of 1 KiB; medians of ${pairs} pairs of slices`)
  const samples: ThroughputSample[] = []
  for (const name of stores) {
    const contest = await contests[name]!()
    samples.push(...(await measureThroughput(name, contest, effort)))
  }
  console.log(table(['', 'op', 'bare ops/s', 'Kumu ops/s', 'ratio'], samples.map(cells)))
  if (!json) return
  const rows = samples.map(({ driver, op, pairs: measured }) => ({
    driver,
    op,
    ...summaryOf(measured),
    pairs: measured,
  }))
  const report = { node: process.version, processor: cpus()[0]?.model, effort, rows }
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
}

function cells({ driver, op, pairs }: ThroughputSample): string[] {
  const { bare, kumu, ratio } = summaryOf(pairs)
  return [driver, op, bare.toFixed(0), kumu.toFixed(0), ratio.toFixed(2)]
}
