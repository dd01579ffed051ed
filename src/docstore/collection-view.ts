import { escapePointer } from '../http/pointer'
import { isRecord, type Value } from './collection-form'
import { isEqual } from './collection-json-patch'

/** Where an object of the view comes from. */
interface Origin {
  /** Its names from the root on; elements of a list share one. */
  readonly place: string
  readonly stored: Value
  readonly shown: Value
}

/**
 * A document as operations may reach it: what its client sees, at every depth, and the way back.
 *
 * Members that their class does not show stay with the object that they belong to. An object is the same one where it
 * stands under the same names; in a list, where operations left it or moved it. What is copied, moved to other names, or
 * new in a list takes along what can be seen, and nothing else: its class there may show what it hides here.
 */
export class View {
  /** For operations to change in place. */
  readonly document: unknown
  readonly #stored: unknown
  readonly #shown: unknown
  readonly #origins = new WeakMap<object, Origin>()

  /**
   * @param stored the document, under the names that a body has
   * @param shown what a client gets of it
   */
  constructor(stored: unknown, shown: unknown) {
    this.#stored = stored
    this.#shown = shown
    this.document = JSON.parse(JSON.stringify(shown))
    this.#trace(this.document, stored, shown, '')
  }

  /** The whole document again: unchanged values as they are stored, and what the client does not see. */
  restore(patched: unknown): unknown {
    return this.#restore(patched, this.#stored, this.#shown, '')
  }

  #trace(node: unknown, stored: unknown, shown: unknown, place: string): void {
    if (isRecord(node) && isRecord(stored) && isRecord(shown)) {
      this.#origins.set(node, { place, stored, shown })
      for (const name of Object.keys(node)) {
        if (Object.hasOwn(stored, name)) this.#trace(node[name], stored[name], shown[name], memberOf(place, name))
      }
    } else if (Array.isArray(node) && Array.isArray(stored) && Array.isArray(shown) && node.length === stored.length) {
      for (const [index, element] of node.entries()) {
        this.#trace(element, stored[index], shown[index], elementOf(place))
      }
    }
  }

  #restore(patched: unknown, stored: unknown, shown: unknown, place: string): unknown {
    if (stored !== undefined && isEqual(patched, shown)) return stored
    if (Array.isArray(patched)) {
      return patched.map((element: unknown) => this.#restore(element, undefined, undefined, elementOf(place)))
    }
    if (!isRecord(patched)) return patched
    const own = this.#origins.get(patched)
    const origin = own?.place === place ? own : isRecord(stored) && isRecord(shown) ? { stored, shown } : none
    const hidden = Object.entries(origin.stored).filter(([name]) => !Object.hasOwn(origin.shown, name))
    const entries = Object.entries(patched)
      // What the class computes is shown and not stored: as it was, it is no change.
      .filter(([name, value]) => Object.hasOwn(origin.stored, name) || !isEqual(value, memberValue(origin.shown, name)))
      .map(([name, value]): [string, unknown] => {
        const [before, seen] = [memberValue(origin.stored, name), memberValue(origin.shown, name)]
        return [name, this.#restore(value, seen === undefined ? undefined : before, seen, memberOf(place, name))]
      })
    return Object.fromEntries([...hidden, ...entries])
  }
}

const none = { stored: {}, shown: {} }

function memberOf(place: string, name: string): string {
  return `${place}/${escapePointer(name)}`
}

/** No name of a member: those are escaped. */
function elementOf(place: string): string {
  return `${place}/~`
}

function memberValue(value: Value, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined
}
