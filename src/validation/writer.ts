import { types } from 'node:util'
import { createKinds } from './writer/kind'
import { createLearningWriter } from './writer/learning'
import { formatNumber, quote } from './writer/text'
import { createValueWriter } from './writer/values'

/** Writes a value as JSON text. */
export type JsonWriter = (value: unknown) => string

/**
 * Makes a writer of JSON: one for each route, for it learns what the replies of a route look like.
 *
 * The text is that of `JSON.stringify(toPlain(value)) ?? 'null'`, without the plain data between. Accessors, methods and
 * transforms of instances are called as often and in the same order; what throws is given to `toPlain` a second time.
 *
 * @param toPlain the step to plain data, as `createToPlain` makes it
 * @returns a function that throws TypeError, naming the path, where a value contains itself
 *
 * @example
 * const write = createJsonWriter(createToPlain())
 * write({ seen: new Set(['a']), at: new Date(0) }) // '{"seen":["a"],"at":"1970-01-01T00:00:00.000Z"}'
 */
export function createJsonWriter(toPlain: (value: unknown) => unknown): JsonWriter {
  let { kinds, write } = createMemory(toPlain)

  function writeObject(value: object): string {
    if (kinds.isStale()) ({ kinds, write } = createMemory(toPlain))
    // Bytes by themselves are passed on by `toPlain`, and what all objects inherit would be taken for their own.
    if (!ArrayBuffer.isView(value) && !isPolluted() && !types.isAnyArrayBuffer(value)) {
      try {
        return write(value) ?? 'null'
      } catch {
        // Only `toPlain` knows what it means, and what to throw.
      }
    }
    return JSON.stringify(toPlain(value)) ?? 'null'
  }

  return function writeJson(value) {
    switch (typeof value) {
      case 'object':
        return value === null ? 'null' : writeObject(value)
      case 'string':
        return quote(value)
      case 'number':
        return formatNumber(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'bigint':
        return `"${value}"`
      default:
        return 'null'
    }
  }
}

function createMemory(toPlain: (value: unknown) => unknown) {
  const kinds = createKinds()
  return { kinds, write: createLearningWriter(createValueWriter(toPlain, kinds), kinds) }
}

const nothing = {}

/** Whether all objects inherit something enumerable. */
function isPolluted(): boolean {
  for (const _ in nothing) return true
  return false
}
