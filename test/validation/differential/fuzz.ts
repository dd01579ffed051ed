import fc from 'fast-check'
import { compare, type Subject } from './compare'
import { caseModel } from './model'

/** How many cases; `KUMU_FUZZ_RUNS`. */
export const runs = Number(process.env.KUMU_FUZZ_RUNS ?? 3000)

const given = process.env.KUMU_FUZZ_SEED ?? '20261123'

/** The seed; `KUMU_FUZZ_SEED`, a number or `random`. */
export const seed = given === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(given)

/** Compares a subject with the libraries; throws the first case in which they differ, made small. */
export async function fuzz(subject: Subject, options: fc.Parameters<unknown> = {}): Promise<void> {
  await fc.assert(
    fc.asyncProperty(caseModel, (model) => compare(model, subject)),
    { seed, numRuns: runs, ...(options as object) },
  )
}
