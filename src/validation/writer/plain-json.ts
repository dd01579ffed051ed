/** Deeper than this a value is taken for one that contains itself. */
const deepest = 500

/**
 * Whether `JSON.stringify` alone writes a value as the reply writer would: numbers, texts, booleans, lists and plain
 * objects, without `toJSON()`, class instances and bigints anywhere in it.
 *
 * @param value any value; 500 levels of it are looked at, what is deeper is not called plain
 *
 * @example
 * isPlainJson({ tags: ['a'], price: NaN }) // true
 * isPlainJson({ at: new Date() }) // false
 */
export function isPlainJson(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? isPlain(value, 0) : typeof value !== 'bigint'
}

function isPlain(value: object, depth: number): boolean {
  if (depth > deepest || hasToJSON(value)) return false
  if (Array.isArray(value)) {
    const list = value as unknown[]
    for (let index = 0; index < list.length; index++) {
      const element = list[index]
      if (
        typeof element === 'object' ? element !== null && !isPlain(element, depth + 1) : typeof element === 'bigint'
      ) {
        return false
      }
    }
    return true
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name]
    if (typeof member === 'object' ? member !== null && !isPlain(member, depth + 1) : typeof member === 'bigint') {
      return false
    }
  }
  return true
}

/** Whether JSON.stringify would ask the value itself. */
export function hasToJSON(value: object): value is { toJSON(key: string): unknown } {
  const { toJSON } = value as { toJSON?: unknown }
  return toJSON !== undefined && typeof toJSON === 'function'
}
