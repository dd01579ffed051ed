import type { RoutePlan } from '../route/plan'
import type { BuiltDocument } from './document'
import type { Components, OpenApiDocument, PathItem } from './types'

/**
 * The part of a document that speaks of these routes: a document by itself, with the components that they need.
 *
 * @param built the whole
 * @param plans some of its routes
 */
export function partOf({ document, places }: BuiltDocument, plans: Iterable<RoutePlan>): OpenApiDocument {
  const paths: Record<string, PathItem> = {}
  for (const plan of plans) {
    for (const { path, method } of places.get(plan) ?? []) {
      const operation = document.paths[path]?.[method]
      if (operation) (paths[path] ??= {})[method] = operation
    }
  }
  const { tags: _tags, 'x-kumu-unlisted': _unlisted, ...rest } = document
  return { ...rest, paths, components: componentsFor(paths, document.components ?? {}) }
}

/** The components that are referred to from here, and from those in turn. */
export function componentsFor(root: unknown, components: Components): Components {
  const all = components as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const kept: Record<string, Record<string, unknown>> = {}
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const member of Object.values(value)) {
      if (typeof member === 'string') take(member)
      else visit(member)
    }
  }
  const take = (text: string): void => {
    const [, section, name] = /^#\/components\/([^/]+)\/([^/]+)$/.exec(text) ?? []
    if (section === undefined || name === undefined || kept[section]?.[name] !== undefined) return
    const component = all[section]?.[name]
    if (component === undefined) return
    ;(kept[section] ??= {})[name] = component
    visit(component)
  }
  visit(root)
  if (components.securitySchemes) kept.securitySchemes = { ...components.securitySchemes }
  return kept
}
