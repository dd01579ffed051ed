import { performance } from 'node:perf_hooks'
import { median, table } from '../harness/statistics'

/** One way to do something, timed beside others. */
export interface Candidate {
  readonly name: string
  /** Does it once; what it returns is kept from being optimized away. */
  readonly run: (turn: number) => unknown
}

/** Ways to do the same; the first is what ratios refer to. */
export interface Row {
  readonly title: string
  readonly candidates: readonly Candidate[]
  /** Why somebody is missing. */
  readonly notes?: readonly string[]
}

/** A row whose steps are awaited, which is part of what they cost. */
export interface AsyncRow extends Omit<Row, 'candidates'> {
  readonly candidates: ReadonlyArray<{ readonly name: string; readonly run: (turn: number) => Promise<unknown> }>
}

const samples = 21
/** Milliseconds of one sample, about. */
const sampleTime = 3
/** Milliseconds of each candidate before the first sample. */
const warmUpTime = 200

/** Takes each result: nobody reads it, but no compiler can know that. */
export const sink: { last: unknown } = { last: undefined }

/** Times the candidates in turn, sample by sample, and prints median nanoseconds and ratios. */
export function timeRow({ title, candidates, notes = [] }: Row): void {
  const times = candidates.map(({ run }) => ({ batch: calibrate(run), values: [] as number[], run }))
  for (let sample = 0; sample < samples; sample++) {
    for (const { run, batch, values } of times) values.push(timeBatch(run, batch))
  }
  print(title, names(candidates), times, notes)
}

/** The same for steps that are awaited. */
export async function timeAsyncRow({ title, candidates, notes = [] }: AsyncRow): Promise<void> {
  const batch = 500
  const times = candidates.map(({ run }) => ({ values: [] as number[], run }))
  for (const { run } of times) await timeAsyncBatch(run, batch * 4)
  for (let sample = 0; sample < samples; sample++) {
    for (const { run, values } of times) values.push(await timeAsyncBatch(run, batch))
  }
  print(title, names(candidates), times, notes)
}

function names(candidates: ReadonlyArray<{ readonly name: string }>): string[] {
  return candidates.map(({ name }) => name)
}

/** How often a step runs in one sample, found when it has run long enough to be compiled. */
export function calibrate(run: Candidate['run']): number {
  const warm = performance.now() + warmUpTime
  let calls = 1
  while (performance.now() < warm) {
    timeBatch(run, calls)
    calls = Math.min(calls * 2, 1000)
  }
  return Math.max(1, Math.round((sampleTime * 1e6) / timeBatch(run, calls)))
}

function timeBatch(run: Candidate['run'], batch: number): number {
  const begun = performance.now()
  for (let turn = 0; turn < batch; turn++) sink.last = run(turn)
  return ((performance.now() - begun) * 1e6) / batch
}

async function timeAsyncBatch(run: (turn: number) => Promise<unknown>, batch: number): Promise<number> {
  const begun = performance.now()
  for (let turn = 0; turn < batch; turn++) sink.last = await run(turn)
  return ((performance.now() - begun) * 1e6) / batch
}

function print(
  title: string,
  rowNames: readonly string[],
  times: ReadonlyArray<{ readonly values: readonly number[] }>,
  notes: readonly string[],
): void {
  const medians = times.map(({ values }) => median(values))
  const [reference = NaN] = medians
  const rows = rowNames.map((name, index) => {
    const own = medians[index] ?? NaN
    return [name, own.toFixed(own < 100 ? 1 : 0), (own / reference).toPrecision(3)]
  })
  console.log(`\n${title}\n${table(['', 'ns', `× ${rowNames[0] ?? ''}`], rows)}`)
  for (const note of notes) console.log(note)
}
