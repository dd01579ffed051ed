import { parsePattern, type Segment } from '../route/pattern'

/** One path of a route as OpenAPI writes it. */
export interface PathTemplate {
  /** `/shops/{shop}/employees/{id}` */
  readonly template: string
  /** The names of its parameters in the document, by their names in the route. */
  readonly names: ReadonlyMap<string, string>
  /** Names whose value may hold slashes. */
  readonly wildcards: ReadonlySet<string>
}

/** Gives routes their templates. Paths of one shape have one template: the names of the first hold for all. */
export type Templates = (path: string) => readonly PathTemplate[]

/**
 * Makes templates of paths in the notation of `@koa/router`; an optional part makes two of one.
 *
 * @example
 * createTemplates()('/archive{/:year}').map(({ template }) => template) // ['/archive/{year}', '/archive']
 */
export function createTemplates(): Templates {
  const byShape = new Map<string, { readonly template: string; readonly names: readonly string[] }>()
  return (path) =>
    parsePattern(path).map(({ segments, shape }) => {
      const own = namesOf(segments ?? [], path)
      const known = byShape.get(shape) ?? { template: fill(shape, own), names: own }
      byShape.set(shape, known)
      const wild = (segments ?? []).flatMap((segment) => (segment.kind === 'wildcard' ? [segment.name] : []))
      return {
        template: known.template,
        names: new Map(own.map((name, index) => [name, known.names[index] ?? name])),
        wildcards: new Set(wild),
      }
    })
}

/** The parameters of a path in their order. A segment of several parts holds its names only in the text. */
function namesOf(segments: readonly Segment[], path: string): string[] {
  const simple = segments.every(({ kind }) => kind !== 'mixed') && segments.length > 0
  if (simple) return segments.flatMap((segment) => ('name' in segment ? [segment.name] : []))
  return [...path.matchAll(/[:*](?:"([^"]*)"|([\p{ID_Start}$_][\p{ID_Continue}$]*))/gu)].map(
    (match) => match[1] ?? match[2] ?? '',
  )
}

/** Puts names where a shape has blanks. */
function fill(shape: string, names: readonly string[]): string {
  let at = 0
  return shape.replace(/[:*]/g, (blank) => {
    const name = names[at++]
    return name === undefined ? blank : `{${name}}`
  })
}
