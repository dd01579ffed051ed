import { types } from 'node:util'
import { declaredType, discriminatorOf, exposedValue, type ExposedProperty } from '../exposure'
import { exposurePlanOf, type ExposurePlan } from './exposure-plan'
import { isTextObject, type Kinds } from './kind'
import { hasToJSON, isPlainJson } from './plain-json'
import { formatNumber, quote } from './text'

type Fields = Record<string, unknown>

/** What is known of a value from the property that holds it. */
export interface Declared {
  readonly type: unknown
  readonly holder: ExposedProperty
}

/** Thrown where only the step to plain data knows what comes out: it begins again at the root. */
const tooOdd = new Error('too odd to be written directly')

// A cycle gets this deep, hardly anything else does.
const suspicious = 64

/** Writes a value by the rules of `createToPlain`; gives `undefined` where JSON leaves a value out. */
export type ValueWriter = (value: unknown, depth: number, declared?: Declared) => string | undefined

/**
 * Makes the function that writes any value as JSON text by the rules of `createToPlain`, without the plain data between.
 *
 * Where it throws, whatever it is, the value is one for `toPlain`, which then throws by itself or not.
 *
 * @param toPlain asked for errors, patterns and other objects of the platform
 * @param kinds what is known of classes
 */
export function createValueWriter(toPlain: (value: unknown) => unknown, kinds: Kinds): ValueWriter {
  function write(value: unknown, depth: number, declared?: Declared): string | undefined {
    if (declared && value !== null && value !== undefined) value = convert(value, declared.type)
    switch (typeof value) {
      case 'string':
        return quote(value)
      case 'number':
        return formatNumber(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        return value === null ? 'null' : writeObject(value, depth, declared)
      case 'bigint':
        return `"${value}"`
      default:
        return undefined
    }
  }

  function writeObject(value: object, depth: number, declared: Declared | undefined): string | undefined {
    if (depth > suspicious) return writeDeep(value, declared)
    if (Array.isArray(value)) {
      if (hasToJSON(value)) throw tooOdd
      return writeList(value as unknown[], depth, declared)
    }
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype !== Object.prototype && prototype !== null) {
      const kind = kinds.kindOf(value, prototype)
      if (kind.way === 'exposed') return writeExposed(value, kinds.planOf(value, kind.exposure), depth, declared)
      if (kind.way !== 'record') {
        const text = writeSingle(value, prototype, depth, declared)
        if (text !== undefined) return text
      }
    }
    if (hasToJSON(value)) return writeOwnJSON(value, depth)
    const exposure = declared && kinds.exposureOf(declared.type)
    if (exposure) return writeExposed(value, exposurePlanOf(value, exposure), depth, declared)
    const members = writeMembers(value as Fields, depth)
    return close(declared ? withTag(members, value, declared) : members)
  }

  function writeDeep(value: object, declared: Declared | undefined): string {
    if (declared || !isPlainJson(value)) throw tooOdd
    return JSON.stringify(value)
  }

  function writeOwnJSON(value: { toJSON(key: string): unknown }, depth: number): string | undefined {
    const json = types.isNativeError(value) ? value : value.toJSON('')
    if (json === value) throw tooOdd
    return write(json, depth + 1)
  }

  function writeList(list: readonly unknown[], depth: number, declared: Declared | undefined): string {
    let text = ''
    for (let index = 0; index < list.length; index++) {
      text += index === 0 ? '[' : ','
      text += write(list[index], depth + 1, declared) ?? 'null'
    }
    return text === '' ? '[]' : text + ']'
  }

  /** The members of an object without the closing brace; empty where there are none. */
  function writeMembers(record: Fields, depth: number): string {
    let text = ''
    for (const name in record) {
      if (!Object.hasOwn(record, name)) continue
      const member = write(record[name], depth + 1)
      if (member !== undefined) text += (text === '' ? '{' : ',') + quote(name) + ':' + member
    }
    return text
  }

  function writeExposed(
    instance: object,
    { properties, isOrderly }: ExposurePlan,
    depth: number,
    declared: Declared | undefined,
  ): string {
    if (!isOrderly) throw tooOdd
    let text = ''
    for (const property of properties) {
      const value = exposedValue(instance, property)
      const inner = property.type && { type: declaredType(instance, property), holder: property }
      const member = write(value, depth + 1, inner)
      if (member !== undefined) text += (text === '' ? '{' : ',') + quote(property.output) + ':' + member
    }
    return close(declared ? withTag(text, instance, declared, properties) : text)
  }

  /** What is neither a plain object nor an instance like any other; nothing where it goes out by its members after all. */
  function writeSingle(
    value: object,
    prototype: object,
    depth: number,
    declared: Declared | undefined,
  ): string | undefined {
    if (types.isDate(value)) {
      const text: unknown = Number.isNaN(value.getTime()) ? null : value.toISOString()
      if (text !== null && typeof text !== 'string') throw tooOdd
      return text === null ? 'null' : quote(text)
    }
    if (ArrayBuffer.isView(value)) return '"' + toBuffer(value).toString('base64') + '"'
    if (types.isAnyArrayBuffer(value)) return '"' + Buffer.from(value).toString('base64') + '"'
    const exposure = kinds.exposureOf((prototype as { constructor?: unknown }).constructor)
    if (exposure) return writeExposed(value, exposurePlanOf(value, exposure), depth, declared)
    if (types.isSet(value)) return writeList([...value], depth, declared)
    if (types.isMap(value)) return writeMap(value, depth, declared)
    if (!isTextObject(value)) return undefined
    const { plain } = toPlain({ plain: value }) as { plain?: unknown }
    return JSON.stringify(plain)
  }

  function writeMap(map: ReadonlyMap<unknown, unknown>, depth: number, declared: Declared | undefined): string {
    // Two keys may have one name, and an object puts numbers first.
    const members: Record<string, string> = {}
    for (const [key, value] of map) {
      if (typeof key === 'symbol') continue
      const name = String(key)
      const text = write(value, depth + 1, declared)
      if (text === undefined) continue
      if (name === '__proto__') throw tooOdd
      members[name] = text
    }
    let text = ''
    for (const name in members) text += (text === '' ? '{' : ',') + quote(name) + ':' + members[name]
    return close(text)
  }

  return write
}

function close(members: string): string {
  return members === '' ? '{}' : members + '}'
}

/** The members of an object and the one that says of which class of a union it is. */
function withTag(
  members: string,
  value: object,
  { holder }: Declared,
  properties?: readonly ExposedProperty[],
): string {
  const tag = discriminatorOf(value, holder)
  if (!tag) return members
  const [name, text] = tag
  const isTaken = properties ? properties.some(({ output }) => output === name) : Object.hasOwn(value, name)
  // A number would stand before the other names.
  if (isTaken || typeof text !== 'string' || /^\d/.test(name)) throw tooOdd
  return (members === '' ? '{' : members + ',') + quote(name) + ':' + quote(text)
}

/** The scalar that `@Type` asks for. */
function convert(value: unknown, type: unknown): unknown {
  if (Array.isArray(value) || types.isSet(value) || types.isMap(value)) return value
  if (type === String) return String(value)
  if (type === Number) return Number(value)
  if (type === Boolean) return Boolean(value)
  return type === Date && (typeof value === 'string' || typeof value === 'number') ? new Date(value) : value
}

function toBuffer({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
