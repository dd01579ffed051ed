import type { Schema } from './types'

/** Keywords whose stronger value wins where two rules say it. */
const lower: ReadonlySet<string> = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'])
const upper: ReadonlySet<string> = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'])

/**
 * One schema that demands what all of them do. What cannot be said twice goes into `allOf`.
 *
 * @example
 * mergeSchemas([{ type: 'number' }, { type: 'integer', minimum: 1 }]) // { type: 'integer', minimum: 1 }
 */
export function mergeSchemas(schemas: readonly Schema[]): Schema {
  const merged: Schema = {}
  for (const schema of schemas) {
    const rest: Schema = {}
    for (const [keyword, value] of Object.entries(schema)) {
      if (value !== undefined && !put(merged, keyword, value)) rest[keyword] = value
    }
    if (Object.keys(rest).length > 0) (merged.allOf ??= []).push(rest)
  }
  return merged
}

/** Whether a keyword could be taken over. */
function put(merged: Schema, keyword: string, value: unknown): boolean {
  const known = merged[keyword]
  if (known === undefined) merged[keyword] = value
  else if (same(known, value)) return true
  else if (lower.has(keyword)) merged[keyword] = Math.max(known as number, value as number)
  else if (upper.has(keyword)) merged[keyword] = Math.min(known as number, value as number)
  else if (keyword === 'items') merged.items = mergeSchemas([known as Schema, value as Schema])
  else if (keyword === 'allOf') merged.allOf = [...(known as Schema[]), ...(value as Schema[])]
  else if (keyword === 'type' && isWhole(known, value)) merged.type = 'integer'
  else if (keyword === 'description') merged.description = [known, value].join(' ')
  else return false
  return true
}

function isWhole(left: unknown, right: unknown): boolean {
  return (left === 'number' && right === 'integer') || (left === 'integer' && right === 'number')
}

/** Whether two values of JSON are the same. */
export function same(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right)
}

/**
 * The same schema with `null` among its values: in the list of types where it has one (OpenAPI 3.1).
 *
 * @example
 * withNull({ type: 'string', enum: ['a'] }) // { type: ['string', 'null'], enum: ['a', null] }
 */
export function withNull(schema: Schema): Schema {
  if (Object.keys(schema).length === 0) return schema
  const { type } = schema
  const isPlain = type !== undefined && !schema.$ref && !schema.allOf && !schema.anyOf && !schema.oneOf && !schema.not
  if (!isPlain || 'const' in schema) return { anyOf: [schema, { type: 'null' }] }
  const types = [type].flat()
  if (types.includes('null')) return schema
  return { ...schema, type: [...types, 'null'], ...(schema.enum && { enum: [...schema.enum, null] }) }
}

/** The values of a list of JSON, with their type where they have one in common. */
export function toEnum(values: readonly unknown[]): Schema {
  const plain = values.map(toJsonValue)
  const types = new Set(plain.map(typeName))
  const [only] = types
  return types.size === 1 && only !== undefined ? { type: only, enum: plain } : { enum: plain }
}

/** A value as JSON has it: dates as text. */
export function toJsonValue(value: unknown): unknown {
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return undefined
  const text = JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? String(member) : member))
  return JSON.parse(text) as unknown
}

function typeName(value: unknown): string | undefined {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'undefined' ? undefined : typeof value
}

/** The type of a scalar. */
export function scalarSchema(kind: 'string' | 'number' | 'integer' | 'boolean' | 'date'): Schema {
  return kind === 'date' ? { type: 'string', format: 'date-time' } : { type: kind }
}
