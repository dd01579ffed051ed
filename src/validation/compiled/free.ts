import { deepest } from '../sift'

/** Stands for a value that only the long way knows what to make of. */
export const doubtful = Symbol('doubtful')

/**
 * A copy of a value that no class describes, as class-transformer makes it.
 *
 * @param depth of the value itself
 * @returns `doubtful` for anything but plain JSON with harmless names
 */
export function copyFree(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    return value === undefined || typeof value === 'function' ? doubtful : value
  }
  if (depth > deepest) return doubtful
  return Array.isArray(value) ? copyList(value, depth) : copyRecord(value as Record<string, unknown>, depth)
}

function copyList(list: readonly unknown[], depth: number): unknown {
  const copy: unknown[] = []
  for (let index = 0; index < list.length; index++) {
    const element = copyFree(list[index], depth + 1)
    if (element === doubtful) return doubtful
    copy.push(element)
  }
  return copy
}

function copyRecord(record: Readonly<Record<string, unknown>>, depth: number): unknown {
  if (!isPlainObject(record)) return doubtful
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(record)) {
    // class-transformer leaves out what would hide a method; some of these names reach into prototypes.
    if (key in Object.prototype) return doubtful
    const member = copyFree(record[key], depth + 1)
    if (member === doubtful) return doubtful
    copy[key] = member
  }
  return copy
}

/** Whether a value is an object as JSON.parse makes one. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
