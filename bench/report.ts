import { medianRatios } from './harness/ratios'
import { startGoals, startMedians, type StartSample } from './harness/startup'
import type { Effort, Sample } from './harness/throughput'

/** Where and how it was measured. */
export interface Circumstances {
  readonly node: string
  readonly processor?: string
  readonly pinned: boolean
  /** The contender that ratios refer to. */
  readonly reference: string
  readonly effort: Effort
}

type Ratios = Readonly<Record<string, number>>

/** Everything that was measured. */
export interface Report extends Circumstances {
  readonly W1?: Ratios
  readonly W2?: Ratios
  readonly W3?: Ratios
  /** By contender those of the `first`, `middle` and `last` route; Kumu's beside them as well. */
  readonly W4?: Readonly<Record<string, number | Ratios>>
  readonly W5?: Ratios
  readonly startup: object
  readonly samples: {
    readonly throughput: Readonly<Record<string, readonly Sample[]>>
    readonly starts: readonly StartSample[]
  }
}

/**
 * Median ratios by workload and contender, with the samples that they were made of.
 *
 * @param circumstances where and how
 * @param throughput samples by the id of their workload
 * @param starts samples of starts
 */
export function toReport(
  circumstances: Circumstances,
  throughput: Readonly<Record<string, readonly Sample[]>>,
  starts: readonly StartSample[],
): Report {
  const { reference } = circumstances
  const plain = Object.entries(throughput).flatMap(([id, samples]) =>
    id.startsWith('w4-') ? [] : [[id.toUpperCase(), medianRatios(reference, samples)]],
  )
  const w4 = manyRoutes(reference, throughput)
  return {
    ...circumstances,
    ...(Object.fromEntries(plain) as Record<string, Ratios>),
    ...(Object.keys(w4).length > 0 && { W4: w4 }),
    startup: { medians: startMedians(starts), goals: startGoals(starts) },
    samples: { throughput, starts },
  }
}

/** `{ first, middle, last }` of each contender, Kumu's at the top as well. */
function manyRoutes(
  reference: string,
  throughput: Readonly<Record<string, readonly Sample[]>>,
): Record<string, Ratios> {
  const byContender: Record<string, Record<string, number>> = {}
  for (const place of ['first', 'middle', 'last']) {
    const ratios = medianRatios(reference, throughput[`w4-${place}`] ?? [])
    for (const [contender, ratio] of Object.entries(ratios)) (byContender[contender] ??= {})[place] = ratio
  }
  return { ...byContender.kumu, ...byContender } as Record<string, Ratios>
}
