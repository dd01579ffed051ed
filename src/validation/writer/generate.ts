import { declaredType, exposedValue, type ExposedProperty } from '../exposure'
import type { ListShape, RecordShape } from './shape'
import { toSource } from './source'
import { isVerbatim } from './text'
import type { Declared, ValueWriter } from './values'

/** Writes values of one shape fast, all others as well. */
export type ShapeWriter = (value: unknown) => string | undefined

/** What a generated writer leaves to others. */
interface Tools {
  /** Writes what has no shape. */
  readonly write: ValueWriter
  /** Writes an object that is not of the shape it should have. */
  readonly writeOther: ValueWriter
}

/**
 * Makes the writer of one shape as a function of its own. V8 keeps what it learns of types per function: one writer for
 * all shapes is slower than `JSON.stringify`, one for each is faster.
 *
 * The source holds nothing of a value but the names of its members, as literals.
 *
 * @param tools what to write all else with
 * @returns nothing where the process may not make code out of text
 */
export function generateWriter(shape: ListShape | RecordShape, tools: Tools): ShapeWriter | undefined {
  const { source, constants } = toSource(shape)
  const parameters: Readonly<Record<string, unknown>> = { constants, ...runtime, ...tools }
  let make: (...values: readonly unknown[]) => ShapeWriter
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the source is ours, but for names written as literals
    make = new Function(...Object.keys(parameters), source) as typeof make
  } catch {
    return undefined
  }
  return make(...Object.values(parameters))
}

/** What the source calls; see {@link toSource}. */
const runtime = {
  isVerbatim,
  exposedValue,
  declare: (instance: object, holder: ExposedProperty): Declared => ({ type: declaredType(instance, holder), holder }),
  // A scalar type is for objects too: what is not one is made one.
  isScalar: ({ type }: Declared): boolean => type === String || type === Number || type === Boolean,
  isArray: Array.isArray,
  prototypeOf: Object.getPrototypeOf,
  stringify: JSON.stringify,
  flatten: (text: string): string => (/^$/.test(text) ? '' : text),
  // Where the first member was left out the second began with a comma.
  reopen: (members: string): string => (members === '' ? '{}' : '{' + members.slice(1) + '}'),
}
