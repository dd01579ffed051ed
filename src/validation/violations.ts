import { isAnyBody } from './any-body'
import type { Findings } from './findings'
import { hasOwnMessage, ruleMessage } from './messages'
import { isUserClass, type ClassModel, type Models, type PropertyModel } from './model'
import type { Place } from './place'
import type { RuleError } from './validator'

// Names that class-validator gives to what it checks by itself.
const codes: Readonly<Record<string, string>> = {
  nestedValidation: 'type',
  promiseValidation: 'type',
  unknownValue: 'type',
  whitelistValidation: 'unknown',
}

/**
 * Takes class-validator's errors over as findings, in their order, with the names the client used.
 *
 * @param errors of one object or collection
 * @param holder that object or collection
 * @param owner the property that holds a collection
 */
export function takeErrors(
  errors: readonly RuleError[],
  holder: unknown,
  models: Models,
  findings: Findings,
  place: Place,
  owner?: PropertyModel,
): void {
  const model = isObject(holder) && isUserClass(holder.constructor) ? models(holder.constructor) : undefined
  for (const error of errors) {
    if (error.property === undefined) {
      takeUnruled(holder, findings, place)
      continue
    }
    const inCollection = isCollection(holder)
    const property = inCollection ? owner : model?.byName.get(error.property)
    const at = placeOf(error, holder, property, place)
    const value = memberOf(holder, error.property)
    if (error.constraints && !findings.isSilent(at.pointer)) {
      if (value === undefined && !inCollection) takeAbsence(error, model, property, findings, at)
      else takeRules(error, holder, value, property, findings, at)
    }
    if (error.children) takeErrors(error.children, value, models, findings, at, property)
  }
}

/** An object where rules are declared and of which none is known: an untyped one that a `@Transform` made, say. */
function takeUnruled(holder: unknown, findings: Findings, place: Place): void {
  if (isObject(holder) && isAnyBody(holder.constructor)) return
  if (!findings.isSilent(place.pointer))
    findings.add(place.pointer, 'type', `${place.label} is not of its declared type`)
}

/** An absent value breaks every rule it has: it is only said to be required. */
function takeAbsence(
  error: RuleError,
  model: ClassModel | undefined,
  property: PropertyModel | undefined,
  findings: Findings,
  place: Place,
): void {
  const rules = property?.rules ?? []
  const worded = ['isDefined', 'isNotEmpty'].find(
    (code) => error.constraints?.[code] !== undefined && hasOwnMessage(rules, code),
  )
  const told = { value: undefined, object: {}, property: place.label, targetName: model?.class.name ?? '' }
  const detail = worded ? ruleMessage(rules, worded, '', told) : `${place.label} is required`
  findings.add(place.pointer, 'required', detail)
}

function takeRules(
  error: RuleError,
  holder: unknown,
  value: unknown,
  property: PropertyModel | undefined,
  findings: Findings,
  place: Place,
): void {
  const object = isObject(holder) ? holder : {}
  const told = { value, object, property: place.label, targetName: object.constructor?.name ?? '' }
  for (const [code, made] of Object.entries(error.constraints ?? {})) {
    findings.add(place.pointer, codes[code] ?? code, ruleMessage(property?.rules ?? [], code, made ?? '', told))
  }
}

function placeOf(error: RuleError, holder: unknown, property: PropertyModel | undefined, place: Place): Place {
  if (Array.isArray(holder) || holder instanceof Set) return place.element(Number(error.property))
  if (holder instanceof Map) return place.entry(error.property)
  return place.member(property?.input ?? error.property)
}

function memberOf(holder: unknown, name: string): unknown {
  if (holder instanceof Set) return [...(holder as Set<unknown>)][Number(name)]
  if (holder instanceof Map) {
    for (const [key, value] of holder as Map<unknown, unknown>) if (String(key) === name) return value
    return undefined
  }
  return isObject(holder) ? (holder as Record<string, unknown>)[name] : undefined
}

function isCollection(value: unknown): boolean {
  return Array.isArray(value) || value instanceof Set || value instanceof Map
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
