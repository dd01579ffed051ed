/** One part of a range: from a first position on, to a last one where it is given; or so many at the end. */
export type RangeSpec = { readonly first: number; readonly last?: number } | { readonly suffix: number }

/** A parsed `Range` header. */
export interface RangeSet {
  /** The unit as it was sent; compare it without regard to case. */
  readonly unit: string
  /** At least one part, in the order sent. */
  readonly ranges: readonly RangeSpec[]
}

const header = /^([!#$%&'*+\-.^_`|~\w]+)=(.*)$/
const digits = /^\d+$/

/**
 * Parses a `Range` header of integer and suffix ranges.
 *
 * Positions beyond 2⁵³−1 are taken as that: they lie past any end all the same.
 *
 * @param value the header's value
 * @returns nothing where it is malformed: such a header may be ignored or refused
 * @see RFC 9110 §14.1.1, §14.2
 *
 * @example
 * parseRange('items=0-9') // { unit: 'items', ranges: [{ first: 0, last: 9 }] }
 */
export function parseRange(value: string): RangeSet | undefined {
  const match = header.exec(value.trim())
  if (!match) return undefined
  const ranges: RangeSpec[] = []
  for (const part of match[2]!.split(',')) {
    const text = part.trim()
    // RFC 9110 §5.6.1.2: empty list elements are skipped.
    if (text === '') continue
    const spec = parseSpec(text)
    if (!spec) return undefined
    ranges.push(spec)
  }
  return ranges.length === 0 ? undefined : { unit: match[1]!, ranges }
}

function parseSpec(text: string): RangeSpec | undefined {
  const dash = text.indexOf('-')
  if (dash < 0) return undefined
  const before = text.slice(0, dash)
  const after = text.slice(dash + 1)
  if (before === '') return digits.test(after) ? { suffix: position(after) } : undefined
  if (!digits.test(before)) return undefined
  const first = position(before)
  if (after === '') return { first }
  if (!digits.test(after)) return undefined
  const last = position(after)
  return last < first ? undefined : { first, last }
}

function position(text: string): number {
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER)
}

/**
 * Applies one part of a range to a representation of known length.
 *
 * @param spec the part
 * @param total the length, in units
 * @returns the positions of the first and last unit, inclusive; nothing where the range is unsatisfiable
 * @see RFC 9110 §14.1.2
 *
 * @example
 * resolveRange({ suffix: 3 }, 10) // { first: 7, last: 9 }
 */
export function resolveRange(
  spec: RangeSpec,
  total: number,
): { readonly first: number; readonly last: number } | undefined {
  if ('suffix' in spec) {
    if (spec.suffix === 0 || total === 0) return undefined
    return { first: Math.max(0, total - spec.suffix), last: total - 1 }
  }
  if (spec.first >= total) return undefined
  return { first: spec.first, last: Math.min(spec.last ?? total - 1, total - 1) }
}

/**
 * Formats `Content-Range` for a part.
 *
 * @param unit the range unit
 * @param first position of the first unit
 * @param last position of the last unit, inclusive
 * @param total the length of the whole; none: unknown, `*`
 * @see RFC 9110 §14.4
 *
 * @example
 * formatContentRange('items', 0, 9, 25) // 'items 0-9/25'
 */
export function formatContentRange(unit: string, first: number, last: number, total: number | undefined): string {
  return `${unit} ${first}-${last}/${total ?? '*'}`
}

/**
 * Formats `Content-Range` where no part is sent: for 416, and for an empty set.
 *
 * @param unit the range unit
 * @param total the length of the whole
 * @see RFC 9110 §14.4
 *
 * @example
 * formatUnsatisfied('items', 25) // 'items *\/25'
 */
export function formatUnsatisfied(unit: string, total: number): string {
  return `${unit} */${total}`
}
