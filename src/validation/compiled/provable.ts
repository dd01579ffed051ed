import type { Constructor } from '../../types'
import { transformer } from '../lazy'
import type { ClassModel, PropertyModel } from '../model'
import type { TypeFact } from '../transformer'

/** What a class makes of itself before anything is assigned. */
export interface Sample {
  readonly instance: object
}

/**
 * An instance as class-transformer starts with.
 *
 * @returns nothing where the class cannot be made of nothing, or makes something else than plain instances of its own
 */
export function sampleOf({ class: type }: ClassModel): Sample | undefined {
  try {
    const instance = new type() as object
    if (Object.getPrototypeOf(instance) !== type.prototype || instance.constructor !== type) return undefined
    return Object.isExtensible(instance) && Reflect.ownKeys(instance).every((key) => isPlainField(instance, key))
      ? { instance }
      : undefined
  } catch {
    return undefined
  }
}

function isPlainField(instance: object, key: string | symbol): boolean {
  const field = Object.getOwnPropertyDescriptor(instance, key)
  if (typeof key === 'symbol') return true
  return field?.writable === true && field.enumerable === true && field.configurable === true
}

/** Whether class-transformer assigns the members of a class in the order of the input, each under its name. */
export function isPlainlyBuilt({ class: type, ruled, byName }: ClassModel, { instance }: Sample): boolean {
  if (!ruled || byName.size === 0) return false
  const { shapeStorage, TO_CLASS } = transformer()
  const excluded = shapeStorage.getExcludedProperties(type, TO_CLASS)
  // Without names of the input it goes by the exposed ones; that shows only where the class has no order of its own.
  const ordered = shapeStorage.getStrategy(type) !== 'excludeAll'
  const inputs = new Set<string>()
  for (const { name, input } of byName.values()) {
    if (name in type.prototype || input in Object.prototype || inputs.has(input)) return false
    if (typeof (instance as Record<string, unknown>)[name] === 'function') return false
    if (!ordered && !Object.hasOwn(instance, name)) return false
    if (excluded.includes(input)) return false
    inputs.add(input)
    const renamed = shapeStorage.findExposeMetadataByCustomName(type, input)
    if (input === name ? renamed && renamed.propertyName !== name : renamed?.propertyName !== name) return false
    // Groups are looked up by the name in the input, which may be that of another property.
    if (input !== name && (shapeStorage.findExposeMetadata(type, input) || byName.has(input))) return false
  }
  return true
}

/** Whether a property is one value or a list, of scalars or of classes whose own rules are run. */
export function isPlainlyTaken(type: Constructor, property: PropertyModel): boolean {
  const { container, transformed, conditional, nested, element, scalar, name } = property
  if (transformed || conditional || (container !== 'one' && container !== 'list')) return false
  if (element ? !nested || element.kind === 'dynamic' : nested) return false
  const { shapeStorage } = transformer()
  const fact = shapeStorage.findTypeMetadata(type, name) as TypeFact | undefined
  if (!fact) return true
  // Lists are made of what the compiler emitted.
  const emitted: unknown = fact.reflectedType
  if (container === 'list' && emitted !== undefined && emitted !== Array && emitted !== Object) return false
  if (!element) return scalar !== undefined && property.typed
  const subTypes = fact.options?.discriminator?.subTypes ?? []
  return new Set(subTypes.map((subType) => subType.name)).size === subTypes.length
}

/** Whether class-transformer treats the member that names a class as any other that the class does not declare. */
export function isPlainTag(type: Constructor, name: string, { instance }: Sample): boolean {
  const { shapeStorage } = transformer()
  if (name in instance || shapeStorage.findExposeMetadata(type, name)) return false
  return !shapeStorage.findExcludeMetadata(type, name) && !shapeStorage.findExposeMetadataByCustomName(type, name)
}

/** Whether class-transformer copies members that a class does not declare. */
export function keepsUndeclared(type: Constructor): boolean {
  return transformer().shapeStorage.getStrategy(type) !== 'excludeAll'
}
