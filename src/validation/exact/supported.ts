import { transformer, validator } from '../lazy'

let known: boolean | undefined

/**
 * Whether rules may be compiled here: the installed libraries are of the lines whose behaviour is known to the letter
 * (class-validator >=0.14.1 <0.16, class-transformer 0.5), and `KUMU_VALIDATION_COMPILE` is not `0`, `off` or `false`.
 *
 * Asked once; the answer is kept.
 */
export function isSupported(): boolean {
  known ??= isWanted(process.env.KUMU_VALIDATION_COMPILE) && areKnown()
  return known
}

/** Asks again at the next call: the environment has changed. */
export function forgetSupport(): void {
  known = undefined
}

function isWanted(setting: string | undefined): boolean {
  return !['0', 'off', 'false'].includes(setting?.trim().toLowerCase() ?? '')
}

function areKnown(): boolean {
  return isKnownValidator(validator().validatorVersion) && isKnownTransformer(transformer().transformerVersion)
}

/** Whether a version of class-validator is of a known line. Prereleases are not: their behaviour is not settled. */
export function isKnownValidator(version: string): boolean {
  const patch = /^0\.(14|15)\.(\d+)$/.exec(version)
  return patch !== null && (patch[1] === '15' || Number(patch[2]) >= 1)
}

/** Whether a version of class-transformer is of the known line. */
export function isKnownTransformer(version: string): boolean {
  return /^0\.5\.\d+$/.test(version)
}
