import type { Findings } from './findings'
import { isUserClass, type Models, type PropertyModel } from './model'
import type { Place } from './place'

/**
 * Puts a freshly built instance in order, and those it holds: what the input left out is absent again, although a class
 * field had made it an own `undefined`; what a `@Transform` turned into no number or no date is refused, and so is an
 * absent object or list of a class, which class-validator lets pass and a handler would stumble over.
 */
export function settleInstance(instance: object, models: Models, findings: Findings, place: Place): void {
  const fields = instance as Record<string, unknown>
  for (const name of Object.keys(fields)) if (fields[name] === undefined) remove(fields, name)
  if (!isUserClass(instance.constructor)) return
  for (const property of models(instance.constructor).byName.values()) {
    if (!property.transformed && !property.element) continue
    const value = fields[property.name]
    const at = place.member(property.input)
    if (value === undefined) {
      if (isRequired(property) && !findings.isSilent(at.pointer)) {
        findings.refuse(at.pointer, 'required', `${at.label} is required`)
      }
      continue
    }
    if (property.transformed) refuseNothings(value, findings, at)
    if (property.element)
      eachElement(value, at, (element, where) => settleInstance(element, models, findings, where), property)
  }
}

/** Other rules say themselves whether they let `undefined` pass. */
function isRequired({ nested, optional, conditional }: PropertyModel): boolean {
  return nested && !optional && !conditional
}

function remove(fields: Record<string, unknown>, name: string): void {
  // A sealed instance keeps what it has.
  if (Object.getOwnPropertyDescriptor(fields, name)?.configurable) delete fields[name]
}

function refuseNothings(value: unknown, findings: Findings, place: Place): void {
  if (Array.isArray(value)) {
    value.forEach((element, index) => refuseNothings(element, findings, place.element(index)))
  } else if (Number.isNaN(value)) {
    findings.refuse(place.pointer, 'type', `${place.label} must be a number`)
  } else if (value instanceof Date && Number.isNaN(value.getTime())) {
    findings.refuse(place.pointer, 'type', `${place.label} must be a date`)
  }
}

function eachElement(
  value: unknown,
  place: Place,
  visit: (element: object, place: Place) => void,
  { container }: PropertyModel,
): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value) || value instanceof Set) {
    let index = 0
    for (const element of value as Iterable<unknown>) {
      const at = place.element(index++)
      if (typeof element === 'object' && element !== null) visit(element, at)
    }
  } else if (value instanceof Map) {
    for (const [key, element] of value as Map<unknown, unknown>) {
      if (typeof element === 'object' && element !== null) visit(element, place.entry(String(key)))
    }
  } else if (container === 'one') visit(value, place)
}
