import { types } from 'node:util'
import {
  declaredType,
  discriminatorOf,
  exposedValue,
  readExposure,
  type ExposedProperty,
  type Exposure,
} from './exposure'
import { transformerIfLoaded } from './lazy'

type Fields = Record<string, unknown>

/** What is known of a value from the property that holds it. */
interface Declared {
  readonly type: unknown
  readonly holder: ExposedProperty
}

/** The objects a walk is inside of, and the names that led to them. Kept only where a walk goes deep. */
interface Trail {
  readonly inside: Set<object>
  readonly names: string[]
}

// A cycle gets this deep, hardly anything else does: only then is it worth remembering the way.
const suspicious = 64
const goneDeep = new Error('gone deep')

/**
 * Makes the step from what a handler returns to plain data that any codec can encode.
 *
 * Instances go out by their `@Expose`, `@Exclude`, `@Transform` and `@Type`, wherever they are: in objects, lists, maps,
 * sets. A plain object goes by the class that `@Type` names; an instance by its own class. What has no such decorator
 * is left as it is, by reference, unless something inside changes. Then, for all of it: a `Map` is an object, a `Set`
 * a list, a `Date` its ISO text (`null` where invalid), a `URL` its text, a `RegExp` its literal, a `BigInt` its
 * digits, bytes inside a value are base64, an `Error` is `{ name, message }`; `NaN` and infinities are `null`, functions and symbols are
 * left out, and `toJSON()` is honoured. Bytes by themselves pass untouched.
 *
 * @returns a function that throws TypeError, naming the path, where a value contains itself
 *
 * @example
 * createToPlain()({ seen: new Set(['a']), at: new Date(0) }) // { seen: ['a'], at: '1970-01-01T00:00:00.000Z' }
 */
export function createToPlain(): (value: unknown) => unknown {
  const exposures = new WeakMap<object, Exposure | null>()

  function exposureOf(target: unknown): Exposure | undefined {
    if (typeof target !== 'function' || target === Object) return undefined
    const found = exposures.get(target)
    if (found !== undefined) return found ?? undefined
    const library = transformerIfLoaded()
    if (!library) return undefined
    const exposure = readExposure(target, library.shapeStorage)
    exposures.set(target, exposure ?? null)
    return exposure
  }

  function walk(value: unknown, depth: number, trail: Trail | undefined, declared?: Declared): unknown {
    if (declared && value !== null && value !== undefined) value = convert(value, declared.type)
    switch (typeof value) {
      case 'number':
        return Number.isFinite(value) ? value : null
      case 'bigint':
        return String(value)
      case 'symbol':
      case 'function':
        return undefined
      case 'object':
        if (value === null) return null
        break
      default:
        return value
    }
    if (depth > suspicious && !trail) throw goneDeep
    if (trail) enter(trail, value)
    const plain = walkObject(value, depth, trail, declared)
    trail?.inside.delete(value)
    return plain
  }

  function walkObject(value: object, depth: number, trail: Trail | undefined, declared: Declared | undefined): unknown {
    if (Array.isArray(value)) return walkList(value as unknown[], depth, trail, declared)
    const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null
    const isPlain = prototype === Object.prototype || prototype === null
    if (!isPlain) {
      if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString()
      if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return toBase64(value)
      const exposure = exposureOf(prototype?.constructor)
      if (exposure) return project(value, exposure, depth, trail, declared)
      if (types.isSet(value)) return walkList([...value], depth, trail, declared)
      if (types.isMap(value)) return walkMap(value, depth, trail, declared)
      const text = toText(value)
      if (text !== undefined) return text
    }
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON === 'function' && !types.isNativeError(value)) {
      const json: unknown = toJSON.call(value, '')
      if (json !== value) return walk(json, depth + 1, trail)
    }
    const exposure = exposureOf(declared?.type)
    if (exposure) return project(value, exposure, depth, trail, declared)
    const plain = walkRecord(value as Fields, depth, trail)
    const tag = declared && discriminatorOf(value, declared.holder)
    return tag ? { ...plain, [tag[0]]: tag[1] } : plain
  }

  function walkList(
    list: unknown[],
    depth: number,
    trail: Trail | undefined,
    declared: Declared | undefined,
  ): unknown[] {
    let copy: unknown[] | undefined
    for (let index = 0; index < list.length; index++) {
      const element = list[index]
      if (typeof element === 'string' && !declared) continue
      trail?.names.push(String(index))
      const plain = walk(element, depth + 1, trail, declared)
      trail?.names.pop()
      if (plain !== element) (copy ??= list.slice())[index] = plain === undefined ? null : plain
    }
    return copy ?? list
  }

  function walkMap(
    map: ReadonlyMap<unknown, unknown>,
    depth: number,
    trail: Trail | undefined,
    declared: Declared | undefined,
  ): Fields {
    const plain: Fields = {}
    for (const [key, value] of map) {
      if (typeof key === 'symbol') continue
      trail?.names.push(String(key))
      put(plain, String(key), walk(value, depth + 1, trail, declared))
      trail?.names.pop()
    }
    return plain
  }

  function walkRecord(record: Fields, depth: number, trail: Trail | undefined): Fields {
    let copy: Fields | undefined
    for (const key in record) {
      if (!Object.hasOwn(record, key)) continue
      const value = record[key]
      if (typeof value === 'string') continue
      trail?.names.push(key)
      const plain = walk(value, depth + 1, trail)
      trail?.names.pop()
      if (plain === value) continue
      copy ??= { ...record }
      if (plain === undefined) delete copy[key]
      else put(copy, key, plain)
    }
    return copy ?? record
  }

  function project(
    instance: object,
    exposure: Exposure,
    depth: number,
    trail: Trail | undefined,
    declared: Declared | undefined,
  ): Fields {
    const plain: Fields = {}
    for (const property of exposure.properties(instance)) {
      const value = exposedValue(instance, property)
      trail?.names.push(property.name)
      const inner = property.type && { type: declaredType(instance, property), holder: property }
      put(plain, property.output, walk(value, depth + 1, trail, inner))
      trail?.names.pop()
    }
    const tag = declared && discriminatorOf(instance, declared.holder)
    if (tag) put(plain, ...tag)
    return plain
  }

  return function toPlain(value) {
    if (typeof value !== 'object' || value === null) return walk(value, 0, undefined)
    if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return value
    try {
      return walk(value, 0, undefined)
    } catch (error) {
      if (error !== goneDeep) throw error
      return walk(value, 0, { inside: new Set(), names: [] })
    }
  }
}

function enter({ inside, names }: Trail, value: object): void {
  if (inside.has(value)) throw new TypeError(`The value contains itself at ${names.join('.')}`)
  inside.add(value)
}

/** The scalar that `@Type` asks for. */
function convert(value: unknown, type: unknown): unknown {
  if (Array.isArray(value) || types.isSet(value) || types.isMap(value)) return value
  if (type === String) return String(value)
  if (type === Number) return Number(value)
  if (type === Boolean) return Boolean(value)
  return type === Date && (typeof value === 'string' || typeof value === 'number') ? new Date(value) : value
}

/** What objects of the platform become that have no enumerable members to show. */
function toText(value: object): unknown {
  if (types.isNativeError(value) || value instanceof Error) return { name: value.name, message: value.message }
  if (value instanceof URL) return value.href
  if (value instanceof URLSearchParams || types.isRegExp(value)) return String(value)
  return types.isBoxedPrimitive(value) ? unbox(value.valueOf()) : undefined
}

function unbox(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'number' && !Number.isFinite(value) ? null : value
}

function toBase64(bytes: ArrayBufferView | ArrayBufferLike): string {
  return ArrayBuffer.isView(bytes)
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
    : Buffer.from(bytes).toString('base64')
}

/** Sets a member whatever its name: `__proto__` would set the prototype instead. */
function put(target: Fields, key: string, value: unknown): void {
  if (value === undefined) return
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
