import type { Constructor } from '../types'
import { validator } from '../validation/lazy'
import type { Rule } from '../validation/validator'
import { toPattern } from './regexp-pattern'
import { toEnum } from './schemas'
import type { Schema } from './types'

type Library = typeof import('class-validator-jsonschema')

let loaded: Library | undefined

/** What turns rules into schemas, loaded at the first class. */
function library(): Library {
  if (loaded) return loaded
  try {
    // A call of `require`, not an import: the package is optional, and here is where it is missed.
    return (loaded = require('class-validator-jsonschema') as Library)
  } catch (cause) {
    throw new Error(
      'The OpenAPI document needs the package class-validator-jsonschema: npm install class-validator-jsonschema',
      { cause },
    )
  }
}

/** Whether schemas of classes can be made here. */
export function canDescribeClasses(): boolean {
  try {
    require.resolve('class-validator-jsonschema')
    return true
  } catch {
    return false
  }
}

/** Under this name rules are given to the library: it knows nothing of the class, so nothing of it can interfere. */
class Bare {
  declare readonly value: unknown
}

/** Where the library says something else than class-validator does, or than JSON Schema 2020-12 can hold. */
const mended: Readonly<Record<string, (rule: Rule) => Schema>> = {
  // An unknown rule says nothing; the library would answer with the type that the compiler emitted.
  customValidation: () => ({}),
  isIn: ({ constraints }) => toEnum(listOf(constraints[0])),
  isNotIn: ({ constraints }) => ({ not: { enum: toEnum(listOf(constraints[0])).enum } }),
  equals: ({ constraints }) => toEnum([constraints[0]]),
  notEquals: ({ constraints }) => ({ not: { enum: toEnum([constraints[0]]).enum } }),
  // The second constraint has the values alone, and not the names that an enumeration of numbers has as well.
  isEnum: ({ constraints }) => toEnum(listOf(constraints[1] ?? Object.values(constraints[0] as object))),
  isEmpty: () => ({ enum: ['', null] }),
  isNotEmpty: () => ({ not: { enum: ['', null] } }),
  isDefined: () => ({}),
  isDate: () => ({ type: 'string', format: 'date-time' }),
  minDate: ({ constraints }) => boundOfDate('not before', constraints[0]),
  maxDate: ({ constraints }) => boundOfDate('not after', constraints[0]),
  isInstance: () => ({}),
  isUrl: () => ({ type: 'string' }),
  // Whoever tells elements apart by a function of his own may have equal ones.
  arrayUnique: ({ constraints }) =>
    typeof constraints?.[0] === 'function' ? { type: 'array' } : { type: 'array', uniqueItems: true },
  matches: ({ constraints }) => {
    const [given, flags] = constraints as [RegExp | string, string | undefined]
    const expression = typeof given === 'string' ? new RegExp(given, flags) : given
    const pattern = toPattern(expression)
    return {
      type: 'string',
      ...(pattern === undefined ? { description: `Matches ${String(expression)}.` } : { pattern }),
    }
  },
}

function listOf(values: unknown): readonly unknown[] {
  return Array.isArray(values) ? (values as unknown[]) : Object.values(values as object)
}

function boundOfDate(words: string, given: unknown): Schema {
  const date: unknown = typeof given === 'function' ? (given as () => unknown)() : given
  return { type: 'string', description: date instanceof Date ? `A moment ${words} ${date.toISOString()}.` : '' }
}

/** What one rule says of a value, or of each element of it. */
export function ruleSchema(rule: Rule): Schema {
  const type = rule.name ?? nameOf(rule) ?? rule.type
  const metadata = { ...rule, each: false, target: Bare, propertyName: 'value', type }
  const schemas = library().validationMetadataArrayToSchemas([metadata] as never, {
    additionalConverters: mended as never,
  })
  return checked((schemas.Bare?.properties?.value ?? {}) as Schema)
}

/** Older decorators have their name only in the constraint behind them. */
function nameOf(rule: Rule): string | undefined {
  return validator().constraintsOf(rule)[0]?.name
}

/** Patterns of the library are as strict validators want them, and bare `items` say nothing. */
function checked(schema: Schema): Schema {
  const { items, pattern, ...rest } = schema
  const kept: Schema = { ...rest }
  if (items && Object.keys(items).length > 0) kept.items = items
  const written = typeof pattern === 'string' ? toPattern(new RegExp(pattern)) : undefined
  if (written !== undefined) kept.pattern = written
  if (kept.description === '') delete kept.description
  return kept
}

/**
 * Puts what the library's `@JSONSchema` says of a class and its properties on their schemas.
 *
 * @param properties schemas by the names on the class
 */
export function decorate(
  Class: Constructor,
  properties: Readonly<Record<string, Schema>>,
): { readonly own: Schema; readonly properties: Readonly<Record<string, Schema>> } {
  const metadatas = Object.keys(properties).map((propertyName) => {
    return { type: 'whitelistValidation', target: Class, propertyName, each: false }
  })
  if (metadatas.length === 0) return { own: {}, properties }
  const schemas = library().validationMetadataArrayToSchemas(metadatas as never, {
    additionalConverters: { whitelistValidation: (metadata) => properties[metadata.propertyName] as never },
  })
  const [schema = {}] = Object.values(schemas) as Schema[]
  const { properties: decorated = {}, type: _type, required: _required, ...own } = schema
  return { own, properties: decorated }
}
