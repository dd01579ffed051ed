import type { FilterPlan, TypePlan } from '../route/plan'
import type { Constructor } from '../types'
import { transformer } from './lazy'
import { createModels, type DesignType } from './model'

/**
 * The members of a class that hold one scalar: what a collection of it is filtered and sorted by. What is never shown is
 * none of them: a filter would tell it, guess by guess.
 *
 * @param Class a class with rules
 * @param designType tells the types that the compiler emitted
 */
export function scalarMembers(Class: Constructor, designType: DesignType): readonly FilterPlan[] {
  const model = createModels(designType)(Class)
  const { shapeStorage, TO_PLAIN } = transformer()
  const hidden = new Set(shapeStorage.getExcludedProperties(Class, TO_PLAIN))
  const isShown = (name: string): boolean =>
    !hidden.has(name) && !shapeStorage.findExposeMetadata(Class, name)?.options?.toClassOnly
  return [...model.byName.values()]
    .filter(({ name, container, element, scalar }) => {
      return container === 'one' && !element && scalar !== undefined && isShown(name)
    })
    .map(({ name, scalar }) => ({ name, type: { kind: scalar as TypePlan['kind'], list: false } }))
}
