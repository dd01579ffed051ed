import { parseScalar, type Scalar } from '../http/scalar'
import type { Constructor } from '../types'
import type { Findings } from './findings'
import { isUserClass, type ClassModel, type Element, type Models, type PropertyModel } from './model'
import type { Place } from './place'
import { clip } from './pointer'
import { isOfKind, notOfKind, scalarOf } from './scalars'

/** How a value is sifted. */
export interface Sieve {
  /** Whether leaves are text that the declared types are read from. */
  readonly text: boolean
  /** Whether undeclared members are left out in silence. */
  readonly strip: boolean
  /** Whether an optional property may be `null`. */
  readonly acceptNull: boolean
  readonly models: Models
  readonly findings: Findings
  /** Told of a class that only the value named. */
  readonly meet: (model: ClassModel) => void
}

type Plain = Record<string, unknown>

/** Stands for a value that is not taken over: it is absent, or a finding says why. */
export const absent = Symbol('absent')

// class-transformer recurses up to three frames a level and overflows the stack near 1,300 levels.
export const deepest = 500

/**
 * A copy of a plain value with nothing in it that its class does not declare, every leaf of the kind that is declared.
 *
 * Undeclared subtrees are neither copied nor looked into, so nothing is ever built of them; the input is left as it was.
 *
 * @param value decoded JSON, or a map of text
 * @param tag the member that names the class of a union; it need not be declared
 * @returns the copy, or `absent` where the value is no object; what is wrong is among the sieve's findings
 */
export function siftObject(
  value: unknown,
  model: ClassModel,
  sieve: Sieve,
  place: Place,
  tag?: string,
): Plain | typeof absent {
  if (!isRecord(value)) return refuse(sieve, place, 'type', `${place.label} must be an object`)
  if (place.depth > deepest) return refuseDepth(sieve, place)
  const copy: Plain = {}
  let later: PropertyModel[] | undefined
  for (const key of Object.keys(value)) {
    const property = model.byInput.get(key)
    if (!property) {
      if (key === tag) copy[key] = value[key]
      else unknown(sieve, place, key)
    } else if (property.element?.kind === 'dynamic') (later ??= []).push(property)
    else take(property, value, copy, sieve, place)
  }
  // A type that looks at its siblings is shown sifted ones: class-transformer will show it the same.
  if (later) for (const property of later) take(property, value, copy, sieve, place)
  return copy
}

function take(property: PropertyModel, from: Plain, to: Plain, sieve: Sieve, parent: Place): void {
  const result = siftProperty(from[property.input], property, to, sieve, parent.member(property.input))
  if (result !== absent) to[property.input] = result
}

function siftProperty(value: unknown, property: PropertyModel, siblings: Plain, sieve: Sieve, place: Place): unknown {
  const { container, transformed, typed, element } = property
  if (value === undefined) return absent
  if (value === null) return siftNull(property, sieve, place)
  if (transformed && !typed && (!element || typeof value !== 'object')) return siftFree(value, sieve, place)
  if (container === 'one') return siftElement(value, property, siblings, sieve, place)
  if (container === 'map') return siftMap(value, property, siblings, sieve, place)
  const list = Array.isArray(value) ? (value as unknown[]) : sieve.text ? [value] : undefined
  if (!list) return refuse(sieve, place, 'type', `${place.label} must be a list`)
  return list.map((item, index) => {
    const result = siftElement(item, property, siblings, sieve, place.element(index))
    if (result !== absent) return result
    sieve.findings.silence(place.pointer)
    return undefined
  })
}

function siftNull(property: PropertyModel, sieve: Sieve, place: Place): unknown {
  const { nullable, optional, conditional, nested, container } = property
  if (nullable || (optional && sieve.acceptNull)) return null
  if (optional) return refuse(sieve, place, 'type', `${place.label} must not be null`)
  if (!nested || conditional) return null
  const noun = container === 'list' || container === 'set' ? 'a list' : 'an object'
  return refuse(sieve, place, 'type', `${place.label} must be ${noun}`)
}

function siftMap(value: unknown, property: PropertyModel, siblings: Plain, sieve: Sieve, place: Place): unknown {
  if (!property.element && !property.typed) return siftFree(value, sieve, place)
  if (!isRecord(value)) return refuse(sieve, place, 'type', `${place.label} must be an object`)
  const copy: Plain = {}
  for (const key of Object.keys(value)) {
    if (isHostile(key)) {
      unknown(sieve, place, key)
      continue
    }
    const result = siftElement(value[key], property, siblings, sieve, place.entry(key))
    if (result === absent) sieve.findings.silence(place.pointer)
    else copy[key] = result
  }
  return copy
}

function siftElement(value: unknown, property: PropertyModel, siblings: Plain, sieve: Sieve, place: Place): unknown {
  const { element, scalar, typed, unruledKind } = property
  if (!element) {
    if (!scalar) return siftFree(value, sieve, place)
    // JSON: `@IsNotEmpty() password: string` would let an object through, which queries of some stores obey.
    if (unruledKind && !sieve.text && scalar !== 'date' && !isOfKind(value, scalar)) {
      sieve.findings.doubt(place.pointer, notOfKind(place.label, scalar))
    }
    return siftScalar(value, scalar, typed, sieve, place)
  }
  if (element.kind === 'class') return siftClass(value, element.class, sieve, place)
  if (element.kind === 'union') return siftUnion(value, element, sieve, place)
  const type = element.resolve(siblings)
  if (isUserClass(type)) return siftClass(value, type, sieve, place)
  const kind = scalarOf(type, undefined, [])
  return kind ? siftScalar(value, kind, true, sieve, place) : siftFree(value, sieve, place)
}

function siftClass(value: unknown, type: Constructor, sieve: Sieve, place: Place): unknown {
  const model = sieve.models(type)
  // A class that declares no input at all (URL, or one decorated with @AnyBody) takes anything.
  if (model.byInput.size === 0) return siftFree(value, sieve, place)
  sieve.meet(model)
  return siftObject(value, model, sieve, place)
}

function siftUnion(value: unknown, element: Extract<Element, { kind: 'union' }>, sieve: Sieve, place: Place): unknown {
  const { property, classes } = element
  if (!isRecord(value)) return refuse(sieve, place, 'type', `${place.label} must be an object`)
  const tag = Object.hasOwn(value, property) ? value[property] : undefined
  const type = classes.get(tag)
  if (type) return siftObject(value, sieve.models(type), sieve, place, property)
  const detail = `${property} must be one of: ${[...classes.keys()].map(String).join(', ')}`
  const code = tag === undefined ? 'required' : 'discriminator'
  sieve.findings.refuse(place.member(property).pointer, code, detail, place.pointer)
  return absent
}

function siftScalar(value: unknown, kind: Scalar, typed: boolean, sieve: Sieve, place: Place): unknown {
  if (sieve.text && Array.isArray(value)) return refuse(sieve, place, 'type', `${place.label} must be given once`)
  if (sieve.text && typeof value === 'string') return parseScalar(value, kind) ?? refuseKind(sieve, place, kind)
  // JSON has no dates: a declared one is read from its text. Nothing else of JSON is ever converted.
  if (kind === 'date') {
    return (typeof value === 'string' ? parseScalar(value, kind) : undefined) ?? refuseKind(sieve, place, kind)
  }
  if ((typed || sieve.text) && !isOfKind(value, kind)) return refuseKind(sieve, place, kind)
  return siftFree(value, sieve, place)
}

/** A value that no class describes is taken as it is, but for names that reach into prototypes. */
function siftFree(value: unknown, sieve: Sieve, place: Place): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (place.depth > deepest) return refuseDepth(sieve, place)
  if (Array.isArray(value)) return siftFreeList(value as unknown[], sieve, place)
  return isRecord(value) ? siftFreeRecord(value, sieve, place) : value
}

function siftFreeList(list: unknown[], sieve: Sieve, place: Place): unknown {
  let copy: unknown[] | undefined
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    if (typeof item !== 'object' || item === null) continue
    const result = siftFree(item, sieve, place.element(index))
    if (result === absent) return absent
    if (result !== item) (copy ??= [...list])[index] = result
  }
  return copy ?? list
}

function siftFreeRecord(record: Plain, sieve: Sieve, place: Place): unknown {
  let copy: Plain | undefined
  for (const key of Object.keys(record)) {
    const item = record[key]
    if (isHostile(key)) {
      unknown(sieve, place, key)
      copy ??= { ...record }
      delete copy[key]
    } else if (typeof item === 'object' && item !== null) {
      const result = siftFree(item, sieve, place.entry(key))
      if (result === absent) return absent
      if (result !== item) (copy ??= { ...record })[key] = result
    }
  }
  return copy ?? record
}

// class-transformer takes the one for a class to construct; the other names no property.
function isHostile(key: string): boolean {
  return key === '__proto__' || key === 'constructor'
}

function isRecord(value: unknown): value is Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !(value instanceof Date || ArrayBuffer.isView(value))
}

function unknown({ strip, findings }: Sieve, place: Place, key: string): void {
  if (!strip) findings.add(place.entry(key).pointer, 'unknown', `${clip(key)} should not exist`)
}

function refuse({ findings }: Sieve, place: Place, code: string, detail: string): typeof absent {
  findings.refuse(place.pointer, code, detail)
  return absent
}

function refuseKind(sieve: Sieve, place: Place, kind: Scalar): typeof absent {
  return refuse(sieve, place, 'type', notOfKind(place.label, kind))
}

function refuseDepth(sieve: Sieve, place: Place): typeof absent {
  return refuse(sieve, place, 'limit', `${place.label} is nested too deep`)
}
