import { ConfigurationError, ValidationError, type Violation } from '../errors'
import { escapePointer } from '../http/pointer'
import { TextValue, type FilterPlan } from '../route/plan'
import type { Constructor } from '../types'

/** A document as it is stored: an object of JSON. */
export type Value = Readonly<Record<string, unknown>>

/** A body taken apart. */
export interface Lifted {
  /** What stands under the key's name; `undefined` where it is absent. */
  readonly given: unknown
  /** The body without it, or whatever was sent in the place of an object. */
  readonly rest: unknown
}

/**
 * How documents of a model are stored and shown. Stored is what the members of an instance hold, and the key; shown is an
 * instance again, so that what its class says of its output holds.
 */
export class Form {
  readonly #dates: readonly string[]
  /** Whether the class itself has a member for the key. */
  readonly declaresKey: boolean

  constructor(
    readonly model: Constructor<object>,
    readonly keyName: string,
    members: readonly FilterPlan[],
    where: string,
    /** Gives the members of a stored value the names that they have in a body. */
    private readonly rename: (value: unknown) => unknown = (value) => value,
  ) {
    const own = members.find(({ name }) => name === keyName)
    if (own && own.type.kind !== 'string') {
      throw new ConfigurationError(
        `${model.name}.${keyName}`,
        `it holds the key of ${where} and is no text`,
        'Keys are texts: declare it as a string, or name another member as `key`',
      )
    }
    this.declaresKey = own !== undefined
    this.#dates = members.filter(({ type }) => type.kind === 'date').map(({ name }) => name)
  }

  /** Takes the key off a body, which the class may know nothing of. */
  lift(sent: unknown): Lifted {
    const value = sent instanceof TextValue ? sent.value : sent
    if (!isRecord(value) || !Object.hasOwn(value, this.keyName)) return { given: undefined, rest: sent }
    const { [this.keyName]: given, ...rest } = value
    return { given, rest: sent instanceof TextValue ? new TextValue(rest) : rest }
  }

  /** A body with the key put where the class looks for it. */
  withKey(rest: unknown, key: string): unknown {
    const value = rest instanceof TextValue ? rest.value : rest
    if (!this.declaresKey || !isRecord(value)) return rest
    const whole = { ...value, [this.keyName]: key }
    return rest instanceof TextValue ? new TextValue(whole) : whole
  }

  /** The text that is stored. @throws ValidationError where the class let something pass that has no members */
  encode(key: string, instance: object): string {
    if (!isRecord(instance)) {
      const detail = 'The body must be an object'
      const errors = [{ in: 'body', pointer: '', code: 'type', detail } as const]
      throw new ValidationError(detail, { code: 'validation', errors })
    }
    return JSON.stringify(this.whole(key, instance), toJson)
  }

  /** What a reader of that text gets. */
  decode(text: string): Value {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : {}
  }

  /** A stored document, with its key whatever it says of that itself. */
  whole(key: string, value: Value): Value {
    return { [this.keyName]: key, ...value, [this.keyName]: key }
  }

  /** A stored document as the body that would make it: what a patch is applied to. */
  toBody(key: string, value: Value): Value {
    return this.whole(key, this.rename(value) as Value)
  }

  /** An instance with the members of a document: nothing runs, and no rule is asked. */
  revive(key: string, value: Value): object {
    const instance = Object.create(this.model.prototype as object) as Record<string, unknown>
    const all = Object.entries(this.whole(key, value))
    // Defined, not assigned: setters of the class and `__proto__` have no say in it.
    for (const [name, member] of all) Object.defineProperty(instance, name, { ...plainly, value: member })
    for (const name of this.#dates) {
      const date = typeof instance[name] === 'string' ? new Date(instance[name]) : undefined
      if (date && !Number.isNaN(date.getTime())) Object.defineProperty(instance, name, { ...plainly, value: date })
    }
    return instance
  }

  /** A document as the client sees it. */
  show(key: string, value: Value, toPlain: (value: unknown) => unknown): Value {
    return this.whole(key, toPlain(this.revive(key, value)) as Value)
  }

  /** What is wrong with the key of a body. */
  violation(code: string, detail: string): Violation {
    return { in: 'body', pointer: `/${escapePointer(this.keyName)}`, code, detail: `${this.keyName} ${detail}` }
  }
}

/** Whether a value is an object with members. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value)
}

const plainly = { writable: true, enumerable: true, configurable: true }

/** JSON has no word for these, and would write the first two as empty objects. */
function toJson(_name: string, value: unknown): unknown {
  if (value instanceof Set) return [...(value as Set<unknown>)]
  if (value instanceof Map) return Object.fromEntries(value as Map<string, unknown>)
  return typeof value === 'bigint' ? String(value) : value
}
