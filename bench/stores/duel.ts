import { median } from '../harness/statistics'

/** One side of a duel: does its operation on the key of a turn. What is synchronous need not return a promise. */
export type Step = (turn: number) => unknown

/** How long and how wide. */
export interface DuelEffort {
  /** Pairs of slices: bare, Kumu; then Kumu, bare; and so on. */
  readonly pairs: number
  /** Milliseconds of one slice. */
  readonly slice: number
  /** Operations under way at a time. */
  readonly concurrency: number
}

/** Operations a second of both in one pair of slices. */
export interface Pair {
  readonly bare: number
  readonly kumu: number
}

/**
 * Runs two ways to do the same in short slices, by turns: whatever else the machine does hits both.
 *
 * @param effort pairs, milliseconds a slice, operations at a time
 * @param sides the bare client library, and Kumu over it
 */
export async function duel(
  effort: DuelEffort,
  { bare, kumu }: { readonly bare: Step; readonly kumu: Step },
): Promise<readonly Pair[]> {
  const turns = { bare: 0, kumu: 0 }
  const run = async (side: 'bare' | 'kumu', step: Step): Promise<number> => {
    const { done, perSecond } = await runSlice(step, turns[side], effort)
    turns[side] += done
    return perSecond
  }
  // What compiles, opens and fills caches is not what is measured.
  for (const [side, step] of [['bare', bare] as const, ['kumu', kumu] as const]) await run(side, step)
  const pairs: Pair[] = []
  for (let pair = 0; pair < effort.pairs; pair++) {
    if (pair % 2 === 0) {
      const first = await run('bare', bare)
      pairs.push({ bare: first, kumu: await run('kumu', kumu) })
    } else {
      const first = await run('kumu', kumu)
      pairs.push({ kumu: first, bare: await run('bare', bare) })
    }
  }
  return pairs
}

/** Medians of a duel; the ratio is that of the pairs, not that of the medians. */
export function summaryOf(pairs: readonly Pair[]): Pair & { readonly ratio: number } {
  return {
    bare: median(pairs.map(({ bare }) => bare)),
    kumu: median(pairs.map(({ kumu }) => kumu)),
    ratio: median(pairs.map(({ bare, kumu }) => kumu / bare)),
  }
}

/** Keeps so many operations under way until the time is over; those that have begun count. */
async function runSlice(
  step: Step,
  firstTurn: number,
  { slice, concurrency }: DuelEffort,
): Promise<{ readonly done: number; readonly perSecond: number }> {
  const begun = performance.now()
  const end = begun + slice
  let turn = firstTurn
  const work = async (): Promise<void> => {
    while (performance.now() < end) await step(turn++)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  const done = turn - firstTurn
  return { done, perSecond: (done / (performance.now() - begun)) * 1000 }
}
