import type { FilterPlan, TypePlan } from '../route/plan'
import type { Constructor } from '../types'
import { createModels, type DesignType } from './model'

/**
 * The members of a class that hold one scalar: what a collection of it is filtered and sorted by.
 *
 * @param Class a class with rules
 * @param designType tells the types that the compiler emitted
 */
export function scalarMembers(Class: Constructor, designType: DesignType): readonly FilterPlan[] {
  const model = createModels(designType)(Class)
  return [...model.byName.values()]
    .filter(({ container, element, scalar }) => container === 'one' && !element && scalar !== undefined)
    .map(({ name, scalar }) => ({ name, type: { kind: scalar as TypePlan['kind'], list: false } }))
}
