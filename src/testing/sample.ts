import { resolve, type Json } from '../client/contract-paths'

/** Depth of samples; classes may hold themselves. */
const deepest = 6

/**
 * A value that a schema takes, as far as a schema tells: patterns and formats of the author's own it does not.
 *
 * @param document what its references lead into
 * @param schema of JSON Schema 2020-12
 */
export function sample(document: Json, schema: unknown, depth = 0): unknown {
  const [found] = resolve(document, schema ?? {}, '')
  if (depth > deepest) return null
  for (const known of ['example', 'default', 'const']) if (found[known] !== undefined) return found[known]
  const [first] = [...listOf(found['examples']), ...listOf(found['enum'])]
  if (first !== undefined) return first
  const [branch] = [...listOf(found['oneOf']), ...listOf(found['anyOf'])]
  if (branch !== undefined && found['properties'] === undefined) return sample(document, branch, depth + 1)
  if (Array.isArray(found['allOf'])) return sampleAll(document, found, depth)
  return sampleType(document, found, depth)
}

/** A type of JSON; a number that is not whole is one by itself, for schemas tell the two apart. */
export type JsonType = 'object' | 'array' | 'string' | 'number' | 'fraction' | 'boolean' | 'null'

/** Whether a schema takes values of that type, or may: what it says in other words than `type` is not looked into. */
export function takesType(document: Json, schema: unknown, type: JsonType): boolean {
  const [found] = resolve(document, schema ?? {}, '')
  const types = typesOf(found)
  const isOpen = ['oneOf', 'anyOf', 'allOf', 'enum', 'const', 'not'].some((keyword) => keyword in found)
  if (types.length === 0 || isOpen) return true
  if (type === 'fraction') return types.includes('number')
  return types.includes(type) || (type === 'number' && types.includes('integer'))
}

function sampleAll(document: Json, schema: Json, depth: number): unknown {
  const { allOf, ...own } = schema
  const parts = [...listOf(allOf), own].map((part) => sample(document, part, depth + 1))
  const objects = parts.filter((part): part is object => typeof part === 'object' && part !== null)
  return objects.length > 0 ? (Object.assign({}, ...objects) as unknown) : parts[0]
}

function sampleType(document: Json, schema: Json, depth: number): unknown {
  const [type = schema['properties'] ? 'object' : undefined] = typesOf(schema)
  if (type === 'object') return sampleObject(document, schema, depth)
  if (type === 'array') {
    const length = Math.min(numberOf(schema['minItems']) ?? 1, 10)
    return Array.from({ length }, () => sample(document, schema['items'], depth + 1))
  }
  if (type === 'integer' || type === 'number') return sampleNumber(schema)
  if (type === 'boolean') return true
  if (type === 'null') return null
  return sampleText(schema)
}

function sampleObject(document: Json, schema: Json, depth: number): Json {
  const properties = (schema['properties'] ?? {}) as Json
  return Object.fromEntries(Object.entries(properties).map(([name, own]) => [name, sample(document, own, depth + 1)]))
}

function sampleNumber(schema: Json): number {
  const least = numberOf(schema['minimum']) ?? (numberOf(schema['exclusiveMinimum']) ?? 0) + 1
  const step = numberOf(schema['multipleOf']) ?? 1
  return Math.ceil(least / step) * step
}

const texts: Readonly<Record<string, string>> = {
  'date-time': '2024-02-29T12:00:00Z',
  date: '2024-02-29',
  email: 'someone@example.org',
  hostname: 'example.org',
  ipv4: '192.0.2.1',
  isbn: '9780306406157',
  uri: 'https://example.org/',
  url: 'https://example.org/',
  uuid: '7f6c0a52-3d3c-4c1e-9d63-2b4c6c8e9b1a',
}

function sampleText(schema: Json): string {
  const known = texts[String(schema['format'])]
  return known ?? 'a'.repeat(Math.max(1, Math.min(numberOf(schema['minLength']) ?? 1, 1_000)))
}

function typesOf(schema: Json): readonly unknown[] {
  return listOf(schema['type'])
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? (value as unknown[]) : [value]
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
