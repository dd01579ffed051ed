import type { ExposedProperty, Exposure } from '../exposure'

/** What goes out of the instances of an exposed class that have certain own names. */
export interface ExposurePlan {
  /** The own names of an instance, all of them, in their order. */
  readonly names: readonly string[]
  readonly properties: readonly ExposedProperty[]
  /** Whether the members of the answer have their order from the properties, and none overwrites another. */
  readonly isOrderly: boolean
}

/** Instances used as dictionaries have names without end. */
const mostPlans = 8

/**
 * Makes the memory of plans: which properties go out is found once for instances with the same names.
 *
 * @returns a function for instances that inherit nothing enumerable
 */
export function createExposurePlans(): (instance: object, exposure: Exposure) => ExposurePlan {
  const plans = new WeakMap<Exposure, ExposurePlan[]>()
  return function planOf(instance, exposure) {
    let known = plans.get(exposure)
    if (!known) plans.set(exposure, (known = []))
    for (const plan of known) if (hasNames(instance, plan.names)) return plan
    const plan = exposurePlanOf(instance, exposure)
    if (known.length < mostPlans) known.push(plan)
    return plan
  }
}

/** The plan for one instance. */
export function exposurePlanOf(instance: object, exposure: Exposure): ExposurePlan {
  const properties = exposure.properties(instance)
  return { names: Object.keys(instance), properties, isOrderly: isOrderly(properties.map(({ output }) => output)) }
}

/** Whether an object has these names, in this order, and no other. */
function hasNames(instance: object, names: readonly string[]): boolean {
  let at = 0
  for (const name in instance) if (name !== names[at++]) return false
  return at === names.length
}

/** Whether an object that is given members of these names has each of them, in this order: numbers would come first. */
export function isOrderly(names: readonly string[]): boolean {
  const order = Object.keys(Object.fromEntries(names.map((name) => [name, 0])))
  return order.length === names.length && names.every((name, index) => name === order[index])
}
