import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { table } from '../harness/statistics'
import type { MillionOptions } from '../options'
import { type Large, largeSummary, measureLarge, type PageSample } from '../stores/million'

const engines: Readonly<Record<string, () => Large | Promise<Large>>> = {
  sqlite: () => (require('../stores/large-sqlite') as typeof import('../stores/large-sqlite')).createSqliteLarge(),
  postgres: () =>
    (require('../stores/large-postgres') as typeof import('../stores/large-postgres')).createPostgresLarge(),
}

/** Measures pages of a large collection beside SQL by hand, one engine after the other. */
export async function runMillion({ stores, documents, rounds, json }: MillionOptions): Promise<void> {
  console.log(`node ${process.version}; ${documents} documents, pages of 100; medians of ${rounds} rounds`)
  const samples: PageSample[] = []
  for (const name of stores) samples.push(...(await measureLarge(name, await engines[name]!(), documents, rounds)))
  console.log(table(['', 'page', 'by hand ms', 'Kumu ms', 'ratio'], samples.map(cells)))
  if (!json) return
  const rows = samples.map((sample) => ({ ...sample, medians: largeSummary(sample) }))
  const report = { node: process.version, processor: cpus()[0]?.model, documents, rounds, rows }
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
}

function cells(sample: PageSample): string[] {
  const { hand, kumu, ratio } = largeSummary(sample)
  return [sample.engine, sample.page, hand.toFixed(2), kumu.toFixed(2), ratio.toFixed(2)]
}
