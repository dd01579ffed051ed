import { generateWriter, type ShapeWriter } from './generate'
import type { Kinds } from './kind'
import { isPlainJson } from './plain-json'
import { isWorthCode, shapeOf } from './shape'
import type { Declared, ValueWriter } from './values'

/** The replies after which a shape is worth its code, and the rows of one that is worth it at once. */
const enoughReplies = 3
const enoughRows = 200

/** So many objects unlike the shape, and it is learned anew; twice as many the next time. */
const firstPatience = 64

/** So many shapes that did not last, and a writer without one is as good. */
const manyShapes = 5

/**
 * Makes a writer that learns the shape of what it is given and writes that shape by generated code. It remembers one
 * shape, and the more often it was another the longer it takes to learn the next.
 *
 * @param write the writer of what has no shape
 * @param kinds what is known of classes
 */
export function createLearningWriter(write: ValueWriter, kinds: Kinds): (value: object) => string | undefined {
  let learned: ShapeWriter | undefined
  let shapes = 0
  let replies = 0
  let nextLook = enoughReplies
  let objects = 0
  let misses = 0
  let patience = firstPatience

  /** Plain data is what V8 writes fastest, where one would have to look at every name. */
  function writeAny(value: unknown, depth: number, declared?: Declared): string | undefined {
    if (typeof value !== 'object' || value === null || declared) return write(value, depth, declared)
    return isPlainJson(value) ? JSON.stringify(value) : write(value, depth)
  }

  function writeOther(value: unknown, depth: number, declared?: Declared): string | undefined {
    misses++
    return writeAny(value, depth, declared)
  }

  function learn(value: object): void {
    const shape = shapeOf(value, kinds)
    const isFast = isWorthCode(shape) || !isPlainJson(value)
    const isKnown = shape.way === 'list' || shape.way === 'record'
    learned = isKnown && isFast ? generateWriter(shape, { write: writeAny, writeOther }) : undefined
    shapes++
    objects = misses = 0
  }

  /** Looks at the replies again where they are not what they were, or were nothing: ever more seldom. */
  function adapt(value: object, rows: number): void {
    replies++
    if (learned) {
      if (misses <= patience) return
      patience *= 2
      if (shapes < manyShapes || misses * 2 < objects) return learn(value)
      learned = undefined
      nextLook = replies * 2
    } else if (replies >= nextLook || (replies === 1 && rows >= enoughRows)) {
      nextLook = replies * 2
      learn(value)
    }
  }

  return function writeLearning(value) {
    const rows = Array.isArray(value) ? value.length : 1
    adapt(value, rows)
    objects += rows
    return learned ? learned(value) : writeAny(value, 0)
  }
}
