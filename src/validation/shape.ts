import { BadRequest, type ValueSource } from '../errors'
import type { Limits } from '../route/plan'
import { below } from './pointer'

/** The bounds of a decoded tree. */
export type ShapeLimits = Pick<Limits, 'depth' | 'keys' | 'items' | 'string'>

interface Excess {
  readonly pointer: string
  readonly detail: string
}

/**
 * Refuses a decoded value that is nested too deep, or holds an object, list or text that is too large, before a class is
 * built of it.
 *
 * @param value decoded JSON, XML or the like
 * @param limits levels of nesting, members of one object, elements of one list, characters of one text
 * @param where the part of the request it came from
 * @throws BadRequest `limit`, with the pointer of what is too large
 *
 * @example
 * checkShape({ tags: ['a', 'b'] }, { depth: 32, keys: 1000, items: 10_000, string: 1_000_000 }, 'body')
 */
export function checkShape(value: unknown, limits: ShapeLimits, where: ValueSource): void {
  const excess = inspect(value, limits, 1)
  if (!excess) return
  const { pointer, detail } = excess
  throw new BadRequest(detail, { code: 'limit', errors: [{ in: where, pointer, code: 'limit', detail }] })
}

/** Numbers and truths are as large as they are. */
function inspect(value: unknown, limits: ShapeLimits, level: number): Excess | undefined {
  if (typeof value === 'string') {
    return value.length > limits.string
      ? { pointer: '', detail: `A text has more than ${limits.string} characters` }
      : undefined
  }
  return typeof value === 'object' && value !== null ? findExcess(value, limits, level) : undefined
}

/** Recurses no deeper than the limit; a pointer is put together only on the way back from what it points to. */
function findExcess(value: object, limits: ShapeLimits, level: number): Excess | undefined {
  if (level > limits.depth) return { pointer: '', detail: `There are more than ${limits.depth} levels of nesting` }
  if (Array.isArray(value)) return findExcessInList(value, limits, level)
  if (ArrayBuffer.isView(value)) return undefined
  let count = 0
  for (const key in value) {
    if (++count > limits.keys) return { pointer: '', detail: `An object has more than ${limits.keys} members` }
    const excess = inspect((value as Record<string, unknown>)[key], limits, level + 1)
    if (excess) return { ...excess, pointer: below('', key) + excess.pointer }
  }
  return undefined
}

function findExcessInList(list: readonly unknown[], limits: ShapeLimits, level: number): Excess | undefined {
  if (list.length > limits.items) return { pointer: '', detail: `A list has more than ${limits.items} elements` }
  for (let index = 0; index < list.length; index++) {
    const excess = inspect(list[index], limits, level + 1)
    if (excess) return { ...excess, pointer: below('', index) + excess.pointer }
  }
  return undefined
}
