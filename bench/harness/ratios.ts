import { median } from './statistics'

/** What a ratio is made of: the cost of one contender in one round. */
export interface Cost {
  readonly contender: string
  readonly round: number
  /** CPU microseconds per request. */
  readonly cpu: number
}

/** The contenders of samples, in the order of their first. */
export function contendersOf(samples: readonly Cost[]): string[] {
  return [...new Set(samples.map(({ contender }) => contender))]
}

/**
 * The ratios of a contender to the reference in the same rounds: 0.5 where it takes twice the time.
 *
 * @param reference the contender that ratios refer to
 * @param contender whose ratios
 * @param samples of both
 */
export function ratiosTo(reference: string, contender: string, samples: readonly Cost[]): number[] {
  return samples.flatMap((own) => {
    if (own.contender !== contender) return []
    const base = samples.find((sample) => sample.round === own.round && sample.contender === reference)
    return base ? [base.cpu / own.cpu] : []
  })
}

/** Each contender's median ratio, to two decimals. */
export function medianRatios(reference: string, samples: readonly Cost[]): Record<string, number> {
  return Object.fromEntries(
    contendersOf(samples).flatMap((contender) => {
      const ratios = ratiosTo(reference, contender, samples)
      return ratios.length > 0 ? [[contender, round(median(ratios))]] : []
    }),
  )
}

/** To two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100
}
