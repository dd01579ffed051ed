import type { Findings } from '../findings'
import { createBreaches } from './breaches'
import { createMissing } from './missing'
import type { Plan } from './plan'
import { createScreen, type Inquiry } from './screen'

/**
 * Adds to findings what is wrong with decoded JSON: what the long way would find, in the same order and words.
 *
 * @param value an object, or a list where `list` is set
 * @param whole what sentences call the value
 * @returns `false` where it is not sure: the findings are worthless then, and the long way decides
 */
export type Explain = (value: unknown, list: boolean, findings: Findings, whole: string) => boolean

/** Carries a plan out on what is wrong: the sieve's findings, then what is missing, then broken rules. */
export function createExplain(plan: Plan): Explain {
  const screen = createScreen(plan)
  const findMissing = createMissing()
  const findBreaches = createBreaches()
  const { root } = plan
  return function explain(value, list, findings, whole) {
    if (value === undefined || (list && !Array.isArray(value))) return false
    const inquiry: Inquiry = { findings, refused: false, torn: false }
    try {
      const places: string[] = []
      const objects: Array<Readonly<Record<string, unknown>>> = []
      const elements = list ? (value as readonly unknown[]) : [value]
      for (let index = 0; index < elements.length; index++) {
        const pointer = list ? `/${index}` : ''
        inquiry.torn = false
        const depth = list ? 1 : 0
        const taken = screen(elements[index], root, inquiry, pointer, list ? `element ${index}` : whole, depth)
        // class-transformer gives up an object with a gap in a list of a union: nothing more is said of it.
        if (!taken || inquiry.torn) continue
        places.push(pointer)
        objects.push(elements[index] as Readonly<Record<string, unknown>>)
      }
      for (let index = 0; index < objects.length; index++) {
        findMissing(objects[index] as Readonly<Record<string, unknown>>, root, inquiry, places[index] as string)
      }
      for (let index = 0; index < objects.length; index++) {
        findBreaches(objects[index] as Readonly<Record<string, unknown>>, root, inquiry, places[index] as string)
      }
      findings.settleDoubts()
      return findings.failed
    } catch {
      // Unsure, or a class or rule threw: the long way meets the same again, and says what it says.
      return false
    }
  }
}
