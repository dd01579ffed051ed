import { escapePointer, unescapePointer } from '../http/pointer'

/** Data of a document. */
export type Json = Readonly<Record<string, unknown>>

/** An operation of a document, by the paths it answers. */
export interface DocumentOperation {
  readonly method: string
  readonly pattern: RegExp
  /** Where it is in the document, a JSON pointer. */
  readonly pointer: string
  readonly responses: Json
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** The operations of a document, those with fewer parameters in their path first (OpenAPI 3.1 §4.8.8.2). */
export function readOperations(document: Json): readonly DocumentOperation[] {
  const paths = Object.entries((document['paths'] ?? {}) as Record<string, Json>)
  const weigh = (path: string): number => path.split('{').length
  return paths
    .sort(([a], [b]) => weigh(a) - weigh(b) || b.length - a.length)
    .flatMap(([path, own]) => {
      const [item, pointer] = resolve(document, own, `/paths/${escapePointer(path)}`)
      const pattern = toPattern(path)
      return methods
        .filter((method) => item[method] !== undefined)
        .map((method) => {
          const { responses = {} } = item[method] as { responses?: Json }
          return { method: method.toUpperCase(), pattern, pointer: `${pointer}/${method}`, responses }
        })
    })
}

function toPattern(path: string): RegExp {
  const source = path
    .split(/(\{[^{}]+\})/)
    .map((part) => (part.startsWith('{') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${source.replace(/\/$/, '')}/?$`)
}

/** The operation that answers a path; HEAD is GET's where it has none of its own. */
export function findOperation(
  operations: readonly DocumentOperation[],
  method: string,
  path: string,
): DocumentOperation | undefined {
  const found = operations.find((each) => each.method === method && each.pattern.test(path))
  return found ?? (method === 'HEAD' ? findOperation(operations, 'GET', path) : undefined)
}

/** What stands at a place of a document, or where its reference leads, with the pointer of that. */
export function resolve(document: Json, value: unknown, pointer: string): readonly [value: Json, pointer: string] {
  let found = value as Json
  let place = pointer
  // References of references are few; more than these go around in a circle.
  for (let step = 0; step < 16 && typeof found['$ref'] === 'string'; step++) {
    place = decodeURIComponent(found['$ref'].replace(/^#/, ''))
    found = place
      .split('/')
      .slice(1)
      .reduce((at, token) => (at[unescapePointer(token)] ?? {}) as Json, document)
  }
  return [found, place]
}
