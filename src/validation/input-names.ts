import type { Constructor } from '../types'
import { createModels, isUserClass, type DesignType, type Models, type PropertyModel } from './model'

type Fields = Readonly<Record<string, unknown>>

/**
 * Gives the members of a value the names that they have in a request: `@Expose({ name })` makes others of those of the class.
 *
 * @param Class what the value is a plain copy of, its members under the names of the class
 * @param designType tells the types that the compiler emitted
 * @returns what makes a copy with the other names, in the objects inside as well; unknown members are taken over
 */
export function createInputNames(Class: Constructor, designType: DesignType): (value: unknown) => unknown {
  const models = createModels(designType)
  return (value) => rename(value, () => Class, models)
}

function rename(value: unknown, classOf: (object: Fields) => Constructor | undefined, models: Models): unknown {
  if (Array.isArray(value)) return value.map((element: unknown) => rename(element, classOf, models))
  if (typeof value !== 'object' || value === null) return value
  const object = value as Fields
  const Class = classOf(object)
  if (!Class) return value
  const { byName } = models(Class)
  const entries = Object.entries(object).map(([name, member]): [string, unknown] => {
    const property = byName.get(name)
    return property ? [property.input, renameMember(member, property, object, models)] : [name, member]
  })
  return Object.fromEntries(entries)
}

function renameMember(member: unknown, property: PropertyModel, siblings: Fields, models: Models): unknown {
  const { element, container } = property
  if (!element) return member
  const classOf = (object: Fields): Constructor | undefined => {
    if (element.kind === 'class') return element.class
    if (element.kind === 'union') return element.classes.get(object[element.property])
    const type = element.resolve(siblings)
    return isUserClass(type) ? type : undefined
  }
  if (container !== 'map' || typeof member !== 'object' || member === null) return rename(member, classOf, models)
  const entries = Object.entries(member as Fields)
  return Object.fromEntries(entries.map(([key, value]) => [key, rename(value, classOf, models)]))
}
