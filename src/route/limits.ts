import { ConfigurationError } from '../errors'
import type { Limits } from './plan'

/** Bounds as an application gives them: numbers, or sizes as text: `'1mb'`. */
export type LimitOptions = { readonly [name in keyof Limits]?: number | string }

const units: Record<string, number> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }

/** Levels of nesting at the most: what walks a value calls itself at each. */
const deepest = 1000

const defaults: Limits = {
  body: 1024 ** 2,
  depth: 32,
  keys: 1000,
  items: 10_000,
  string: 1024 ** 2,
  parts: 100,
  files: 10,
  fileSize: 10 * 1024 ** 2,
  document: 16 * 1024 ** 2,
}

/**
 * The bounds of an application, with the defaults of those left out.
 *
 * @throws ConfigurationError for a name or a size that is none
 */
export function toLimits(options: LimitOptions = {}): Limits {
  const limits: Record<string, number> = { ...defaults }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(defaults, name)) {
      throw new ConfigurationError('limits', `"${name}" is no limit`, `There are ${Object.keys(defaults).join(', ')}`)
    }
    if (value !== undefined) limits[name] = toNumber(name, value)
  }
  if ((limits.depth ?? 0) > deepest) {
    throw new ConfigurationError(
      'limits.depth',
      `${limits.depth} levels are more than can be walked`,
      `Write at most ${deepest}`,
    )
  }
  return limits as unknown as Limits
}

function toNumber(name: string, value: number | string): number {
  const text = String(value).trim()
  const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb)$/i.exec(text)
  const number = match
    ? Number(match[1]) * (units[(match[2] as string).toLowerCase()] as number)
    : Number(text || Number.NaN)
  if (!Number.isSafeInteger(Math.floor(number)) || number < 0) {
    throw new ConfigurationError(
      `limits.${name}`,
      `"${String(value)}" is no number`,
      "Write a number, or a size: '512kb', '1mb'",
    )
  }
  return Math.floor(number)
}
