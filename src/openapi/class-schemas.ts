import type { Constructor } from '../types'
import type { Element, PropertyModel } from '../validation/model'
import { createMembers, scalarOfEmitted, type Direction, type Member } from './class-members'
import { decorate, ruleSchema } from './rules'
import { mergeSchemas, scalarSchema, toJsonValue, withNull } from './schemas'
import type { Schema } from './types'

/** How classes are read. */
export interface ClassSchemaSettings {
  /** Whether members that nobody declared are refused on the way in. */
  readonly closed: boolean
  /** Whether `@IsOptional()` lets null pass as well. */
  readonly optionalNull: boolean
}

/** A member that a representation has beside those of its class. */
export interface Extra {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
}

interface Entry {
  readonly class: Constructor
  readonly direction: Direction
  /** Stands for the name in references until all names are known. */
  readonly mark: string
  schema: Schema
}

const prefix = '#/components/schemas/'

/**
 * The schemas of classes, as components: one for each class and way it goes, however often it is asked for. A class that
 * holds itself is a reference to itself.
 */
export class ClassSchemas {
  readonly #members = createMembers()
  readonly #entries = new Map<Constructor, Map<string, Entry>>()
  readonly #order: Entry[] = []

  constructor(readonly settings: ClassSchemaSettings) {}

  /** A reference to the schema of a class. */
  refTo(Class: Constructor, direction: Direction, extra?: Extra): Schema {
    const known = this.#entries.get(Class) ?? new Map<string, Entry>()
    this.#entries.set(Class, known)
    const variant = extra ? `${direction} ${extra.name} ${JSON.stringify(extra.schema)}` : direction
    let entry = known.get(variant)
    if (!entry) {
      entry = { class: Class, direction, mark: `\0${this.#order.length}`, schema: {} }
      known.set(variant, entry)
      this.#order.push(entry)
      entry.schema = this.#objectSchema(Class, direction, extra)
    }
    return { $ref: prefix + entry.mark }
  }

  /** The members of a class on its way in, each with its schema: a query is made of them. */
  membersOf(Class: Constructor): ReadonlyArray<{ name: string; schema: Schema; required: boolean }> {
    const { properties = {}, required = [] } = this.#objectSchema(Class, 'input', undefined)
    return Object.entries(properties).map(([name, schema]) => ({ name, schema, required: required.includes(name) }))
  }

  /** The finished components, and what stands for the names in references until then. */
  finish(taken: ReadonlySet<string>): { schemas: Record<string, Schema>; names: ReadonlyMap<string, string> } {
    const schemas: Record<string, Schema> = {}
    const names = new Map<string, string>()
    for (const entry of this.#order) {
      const name = freeName(this.#nameOf(entry), (text) => text in schemas || taken.has(text))
      schemas[name] = entry.schema
      names.set(prefix + entry.mark, prefix + name)
    }
    return { schemas, names }
  }

  /** The plain name is that of the representation, where there is one. */
  #nameOf({ class: Class, direction }: Entry): string {
    const name = Class.name.replace(/[^A-Za-z0-9._-]/g, '') || 'Object'
    if (direction === 'patch') return `${name}Patch`
    const shown = [...(this.#entries.get(Class)?.values() ?? [])].some((entry) => entry.direction === 'output')
    return direction === 'input' && shown ? `${name}Input` : name
  }

  #objectSchema(Class: Constructor, direction: Direction, extra: Extra | undefined): Schema {
    const members = this.#members(Class, direction)
    const plain = Object.fromEntries(members.map((member) => [member.property, this.#memberSchema(member, direction)]))
    const { own, properties } = decorate(Class, plain)
    const named: Record<string, Schema> = {}
    const required: string[] = []
    const [first, last] = extra?.required ? [extra, undefined] : [undefined, extra]
    if (first) named[first.name] = first.schema
    for (const member of members) {
      if (member.name in named) continue
      named[member.name] = this.#patched(properties[member.property] ?? {}, direction)
      if (member.required && direction !== 'patch') required.push(member.name)
    }
    if (last) named[last.name] ??= last.schema
    if (first) required.unshift(first.name)
    return {
      type: 'object',
      ...own,
      properties: named,
      ...(required.length > 0 && { required }),
      ...(direction !== 'output' && this.settings.closed && { additionalProperties: false }),
    }
  }

  /** In a merge patch `null` takes a member away (RFC 7396 §1). */
  #patched(schema: Schema, direction: Direction): Schema {
    return direction === 'patch' ? withNull(schema) : schema
  }

  #memberSchema({ model, emitted, initial }: Member, direction: Direction): Schema {
    if (!model) return emittedSchema(emitted)
    const schema = this.#valueSchema(model, direction)
    const nullable = model.nullable || (model.optional && this.settings.optionalNull)
    const whole = nullable ? withNull(schema) : schema
    const value = direction === 'input' ? defaultOf(initial) : undefined
    return value === undefined ? whole : { ...whole, default: value }
  }

  #valueSchema(model: PropertyModel, direction: Direction): Schema {
    const { container, rules } = model
    const said = rules.filter(({ type }) => type !== 'nestedValidation' && type !== 'conditionalValidation')
    const own = said.filter(({ each }) => !each).map(ruleSchema)
    const each = said.filter((rule) => rule.each).map(ruleSchema)
    const base = this.#elementSchema(model, direction)
    if (container === 'one') return mergeSchemas([base, ...own])
    // A list of lists says so of each of its elements.
    const inner = each.some(({ type }) => type === 'array') && model.element ? { type: 'array', items: base } : base
    const element = mergeSchemas([inner, ...each])
    if (container === 'map') {
      return mergeSchemas([{ type: 'object', additionalProperties: isBare(element) ? true : element }, ...own])
    }
    return mergeSchemas([{ type: 'array', items: element }, ...own])
  }

  #elementSchema({ element, emittedClass, scalar }: PropertyModel, direction: Direction): Schema {
    const nested = direction === 'patch' ? 'patch' : direction
    if (element) return this.#schemaOfElement(element, nested)
    if (emittedClass) return this.refTo(emittedClass, nested)
    return scalar ? scalarSchema(scalar) : {}
  }

  #schemaOfElement(element: Element, direction: Direction): Schema {
    if (element.kind === 'class') return this.refTo(element.class, direction)
    if (element.kind === 'dynamic') return {}
    const mapping: Record<string, string> = {}
    const choices = [...element.classes].map(([value, Class]) => {
      const text = String(value)
      const schema: Schema = { type: 'string', const: text }
      const ref = this.refTo(Class, direction, { name: element.property, schema, required: true })
      mapping[text] = String(ref.$ref)
      return ref
    })
    return { oneOf: choices, discriminator: { propertyName: element.property, mapping } }
  }
}

/** What only the compiler tells. */
function emittedSchema(emitted: unknown): Schema {
  const scalar = scalarOfEmitted(emitted)
  if (scalar) return scalarSchema(scalar)
  return emitted === Array || emitted === Set ? { type: 'array', items: {} } : {}
}

function isBare(schema: Schema): boolean {
  return Object.keys(schema).length === 0
}

/** Initial values that a reader of the document can make something of. */
function defaultOf(initial: unknown): unknown {
  if (initial === undefined || initial === null || typeof initial === 'function') return undefined
  if (typeof initial !== 'object') return toJsonValue(initial)
  return Array.isArray(initial) && initial.length === 0 ? [] : undefined
}

/** `Address`, `Address2`, `Address3`: in the order in which they are met. */
export function freeName(wish: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(wish)) return wish
  for (let number = 2; ; number++) if (!isTaken(`${wish}${number}`)) return `${wish}${number}`
}
