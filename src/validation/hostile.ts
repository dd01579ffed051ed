import type { Findings } from './findings'
import type { Place } from './place'
import { clip } from './pointer'

type Plain = Record<string, unknown>

// A schema may recurse with its input; deeper than this nothing is looked at, whatever the application's limits are.
const deepest = 500

/** Whether a value holds no member `__proto__` or `constructor` and is not nested too deep: most are so. */
export function isHarmless(value: unknown, level = 0): boolean {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return true
  if (level > deepest) return false
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, level + 1))
  for (const key of Object.keys(value)) {
    if (isHostile(key) || !isHarmless((value as Plain)[key], level + 1)) return false
  }
  return true
}

function isHostile(key: string): boolean {
  return key === '__proto__' || key === 'constructor'
}

/**
 * A value without the members `__proto__` and `constructor`, at any depth: who copies such an object without care gives
 * it another prototype. They are refused, or left out of a copy; a value without them is returned as it is.
 *
 * @param strip whether they are left out in silence
 */
export function withoutHostile(value: unknown, strip: boolean, findings: Findings, place: Place): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (place.depth > deepest) {
    if (!findings.failed) findings.add(place.pointer, 'limit', `${place.label} is nested too deep`)
    return undefined
  }
  return Array.isArray(value)
    ? copyList(value as unknown[], strip, findings, place)
    : copyRecord(value as Plain, strip, findings, place)
}

function copyList(list: unknown[], strip: boolean, findings: Findings, place: Place): unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    if (typeof item !== 'object' || item === null) continue
    const clean = withoutHostile(item, strip, findings, place.element(index))
    if (clean !== item) (copy ??= [...list])[index] = clean
  }
  return copy ?? list
}

function copyRecord(record: Plain, strip: boolean, findings: Findings, place: Place): Plain {
  let copy: Plain | undefined
  for (const key of Object.keys(record)) {
    const item = record[key]
    if (isHostile(key)) {
      if (!strip) findings.add(place.entry(key).pointer, 'unknown', `${clip(key)} should not exist`)
      copy ??= { ...record }
      delete copy[key]
    } else if (typeof item === 'object' && item !== null) {
      const clean = withoutHostile(item, strip, findings, place.entry(key))
      if (clean !== item) (copy ??= { ...record })[key] = clean
    }
  }
  return copy ?? record
}
