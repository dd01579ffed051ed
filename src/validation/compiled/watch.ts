import type { Constructor } from '../../types'
import { transformer, validator } from '../lazy'

/** Whether nothing was declared for the watched classes since the watch began. */
export type Watch = () => boolean

type Shelf = Map<unknown, { readonly size?: number; readonly length?: number }>

/**
 * Watches what class-validator and class-transformer hold for classes and their ancestors.
 *
 * class-validator only ever adds to the list of a class; class-transformer keeps one entry a property, so one that takes
 * the place of another of the same property is not seen.
 */
export function watchClasses(classes: readonly Constructor[]): Watch {
  const chain = new Set<unknown>()
  for (const each of classes) {
    for (let type: unknown = each; typeof type === 'function'; type = Object.getPrototypeOf(type) as unknown)
      chain.add(type)
  }
  const shelves = shelvesOf()
  const kept: Array<{ readonly held: { readonly size?: number; readonly length?: number }; readonly count: number }> =
    []
  for (const shelf of shelves) {
    for (const type of chain) {
      const held = shelf.get(type)
      if (held) kept.push({ held, count: countOf(held) })
    }
  }
  let total = totalOf(shelves)
  let intact = true

  /** New classes are declared all the time: only then is it worth asking whether one of ours is among them. */
  function recount(): void {
    let found = 0
    for (const shelf of shelves) for (const type of chain) if (shelf.has(type)) found++
    if (found !== kept.length) intact = false
    total = totalOf(shelves)
  }

  return function isIntact() {
    if (!intact) return false
    for (let index = 0; index < kept.length; index++) {
      const { held, count } = kept[index] as (typeof kept)[number]
      if (countOf(held) !== count) return (intact = false)
    }
    if (totalOf(shelves) !== total) recount()
    return intact
  }
}

function countOf(held: { readonly size?: number; readonly length?: number }): number {
  return held.length ?? held.size ?? 0
}

function totalOf(shelves: readonly Shelf[]): number {
  let total = 0
  for (let index = 0; index < shelves.length; index++) total += (shelves[index] as Shelf).size
  return total
}

/** The maps behind both storages, by class. */
function shelvesOf(): Shelf[] {
  const rules = validator().ruleStorage as unknown as Record<string, unknown>
  const shapes = transformer().shapeStorage as unknown as Record<string, unknown>
  const names = ['_typeMetadatas', '_transformMetadatas', '_exposeMetadatas', '_excludeMetadatas']
  return [rules.validationMetadatas, ...names.map((name) => shapes[name])].filter(
    (shelf): shelf is Shelf => shelf instanceof Map,
  )
}
