import type { Constructor } from '../../types'
import { transformer } from '../lazy'
import type { ClassTransformOptions } from '../transformer'
import { isPrefixed, readShape, type Field, type Shape } from './shapes'
import { shapesStamp } from './watch'

type Plain = Record<string, unknown>
type Holder = Record<string, unknown> & object

/** One call: the options that functions of the author's are given, made when the first of them is called. */
interface Run {
  options: ClassTransformOptions | undefined
}

/** Builds an instance out of plain data. */
export type Builder = (target: Constructor, plain: unknown) => unknown

/**
 * Makes what does exactly what `plainToInstance(target, plain, options)` does, with the decorators of each class read once
 * and not at each property of each value.
 *
 * What is rare (maps, sets, promises) is class-transformer's own to build, and so is everything where these options look
 * at values in a way that no plan can foresee: `enableImplicitConversion`, `enableCircularCheck`, `ignoreDecorators`.
 *
 * @param options of class-transformer; `targetMaps` may be added to later
 */
export function createBuilder(options: ClassTransformOptions): Builder {
  const { build: buildAll, buildPart, completeOptions, TO_CLASS } = transformer()
  const settings = completeOptions(options)
  const { exposeDefaultValues, exposeUnsetFields } = settings
  const isPrefixing = (settings.excludePrefixes?.length ?? 0) > 0
  const takesUndeclared = (settings.strategy || 'exposeAll') === 'exposeAll'
  let shapes = new WeakMap<object, Shape>()
  let stamp = shapesStamp()

  if (settings.enableImplicitConversion || settings.enableCircularCheck || settings.ignoreDecorators) {
    return (target, plain) => buildAll(target, plain, options)
  }

  function buildExactly(target: Constructor, plain: unknown): unknown {
    const now = shapesStamp()
    if (now !== stamp) {
      stamp = now
      shapes = new WeakMap()
    }
    return transform(plain, target, undefined, false, { options: undefined })
  }

  function optionsOf(run: Run): ClassTransformOptions {
    return (run.options ??= completeOptions(options))
  }

  function shapeOf(targetType: object): Shape {
    const known = shapes.get(targetType)
    if (known) return known
    const shape = readShape(targetType, settings)
    shapes.set(targetType, shape)
    return shape
  }

  function transform(value: unknown, targetType: unknown, arrayType: unknown, isMap: boolean, run: Run): unknown {
    if (typeof value !== 'object' || value === null) {
      if (targetType === undefined) return value
    } else {
      if (isMap || value instanceof Set || value instanceof Map) {
        return buildPart(value, targetType, arrayType, isMap, optionsOf(run))
      }
      if (Array.isArray(value)) return transformList(value as unknown[], targetType, arrayType, run)
    }
    return transformOne(value, targetType, isMap, run)
  }

  function transformOne(value: unknown, targetType: unknown, isMap: boolean, run: Run): unknown {
    if (isMap) return buildPart(value, targetType, undefined, true, optionsOf(run))
    const isAbsent = value === null || value === undefined
    // eslint-disable-next-line @typescript-eslint/no-base-to-string -- so class-transformer has it
    if (targetType === String) return isAbsent ? value : String(value)
    if (targetType === Number) return isAbsent ? value : Number(value)
    if (targetType === Boolean) return isAbsent ? value : Boolean(value)
    if (value instanceof Date) return new Date(value.valueOf())
    if (targetType === Date) return isAbsent ? value : new Date(value as string)
    if (targetType === Buffer || value instanceof Buffer) return isAbsent ? value : Buffer.from(value as string)
    if (typeof value !== 'object' || value === null) return value
    if (typeof (value as { readonly then?: unknown }).then === 'function') {
      return buildPart(value, targetType, undefined, false, optionsOf(run))
    }
    const type = targetType || typeGuessed(value)
    if (!type) return transformFree(value as Plain, run)
    // What is no class makes class-transformer throw, in its own words.
    if (typeof type !== 'function') return buildPart(value, targetType, undefined, false, optionsOf(run))
    return transformObject(value as Plain, type as Constructor<Holder>, run)
  }

  function transformList(list: unknown[], targetType: unknown, arrayType: unknown, run: Run): unknown {
    if (list.forEach !== Array.prototype.forEach) {
      return buildPart(list, targetType, arrayType, false, optionsOf(run))
    }
    const newValue = arrayType ? instantiateList(arrayType) : []
    const union = unionOf(targetType)
    const { length } = list
    for (let index = 0; index < length; index++) {
      const item = list[index]
      if (item === undefined && !(index in list)) continue
      const type = union ? elementType(union, item, newValue) : targetType
      const built = transform(item, type, undefined, item instanceof Map, run)
      if (newValue instanceof Set) newValue.add(built)
      else newValue.push(built)
    }
    return newValue
  }

  /** An object that no class is known for: a copy, but for what every object has. */
  function transformFree(value: Plain, run: Run): unknown {
    const newValue: Plain = {}
    if (!takesUndeclared) return newValue
    for (const key of Object.keys(value)) {
      if (key === '__proto__' || key === 'constructor' || (isPrefixing && isPrefixed(key, settings))) continue
      const subValue = value[key]
      if (key in newValue && isTaken(newValue, key)) continue
      const isDefault = subValue === undefined && exposeDefaultValues
      const final = isDefault ? newValue[key] : transform(subValue, undefined, undefined, subValue instanceof Map, run)
      if (final !== undefined || exposeUnsetFields) newValue[key] = final
    }
    return newValue
  }

  function transformObject(value: Plain, targetType: Constructor<Holder>, run: Run): unknown {
    const shape = shapeOf(targetType)
    const keys = keysOf(value, shape)
    const newValue = new targetType()
    const isNewMap = newValue instanceof Map
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!
      if (key === '__proto__' || key === 'constructor') continue
      const field = shape.fields.get(key)
      const name = field ? field.name : key
      const subValue = value[key]
      let type: unknown
      let isMap = subValue instanceof Map
      if (field?.type) {
        type = typeOf(field, newValue, value, key, subValue)
        isMap ||= field.type.reflectedType === Map
      } else if (options.targetMaps) type = typeMapped(options.targetMaps, targetType, name)
      // Asked once more, as class-transformer does: the member may be an accessor of a class.
      const arrayType: unknown = Array.isArray(value[key]) ? field?.type?.reflectedType : undefined
      if (isTaken(newValue, name)) continue
      let final: unknown
      if (subValue === undefined && exposeDefaultValues) final = newValue[name]
      else {
        final = transform(subValue, type, arrayType, isMap, run)
        if (field && field.transforms.length > 0) final = applyTransforms(field, final, value, run)
      }
      if (final === undefined && !exposeUnsetFields) continue
      if (isNewMap) (newValue as unknown as Map<string, unknown>).set(name, final)
      else newValue[name] = final
    }
    return newValue
  }

  function keysOf(value: Plain, { takesOwn, exposed, dropped }: Shape): readonly string[] {
    if (!takesOwn) return exposed
    const own = Object.keys(value)
    if (!isPrefixing && dropped.size === 0 && exposed.length === 0) return own
    const keys = own.filter((key) => !dropped.has(key) && !(isPrefixing && isPrefixed(key, settings)))
    for (const key of exposed) if (!keys.includes(key)) keys.push(key)
    return keys
  }

  function applyTransforms({ name, transforms }: Field, value: unknown, obj: Plain, run: Run): unknown {
    let final = value
    for (const fact of transforms) {
      final = fact.transformFn({ value: final, key: name, obj, type: TO_CLASS, options: optionsOf(run) }) as unknown
    }
    return final
  }

  return buildExactly
}

function typeGuessed(value: object): unknown {
  if (value.constructor === Object) return undefined
  // An array by its prototype alone could have any length.
  return value.constructor === Array ? undefined : value.constructor
}

function instantiateList(arrayType: unknown): unknown[] | Set<unknown> {
  const array = new (arrayType as Constructor<unknown[] | Set<unknown>>)()
  return !(array instanceof Set) && !('push' in array) ? [] : array
}

type Union = NonNullable<Field['type']>

/** What a list of a union is given as its type: all that `@Type` says. */
function unionOf(targetType: unknown): Union | undefined {
  if (typeof targetType === 'function' || !targetType) return undefined
  const { property, subTypes } = (targetType as Union).options?.discriminator ?? {}
  return property && subTypes ? (targetType as Union) : undefined
}

function elementType(targetType: Union, item: unknown, newObject: object): unknown {
  const { discriminator, keepDiscriminatorProperty } = targetType.options
  const { property, subTypes } = discriminator!
  const subValue = item as Plain
  const found = subTypes.find((subType) => subType.name === subValue[property])
  const newType: unknown = targetType.typeFunction({ newObject, object: subValue, property: undefined as never })
  if (!keepDiscriminatorProperty) delete subValue[property]
  return found === undefined ? newType : found.value
}

function typeOf(
  { type: metadata, name, union }: Field,
  newObject: Plain,
  object: Plain,
  key: string,
  subValue: unknown,
) {
  const { typeFunction, options } = metadata!
  const reflectedType = metadata!.reflectedType as unknown
  // class-transformer also asks for none where there is none to ask.
  const asks = typeFunction as unknown
  const newType: unknown = asks ? metadata!.typeFunction({ newObject, object, property: name }) : reflectedType
  if (!union) return newType
  if (object[key] instanceof Array) return metadata
  const { property, subTypes } = options.discriminator!
  const isTagged = Boolean(subValue && subValue instanceof Object && property in subValue)
  const found = isTagged ? subTypes.find(({ name: tag }) => tag === (subValue as Plain)[property]) : undefined
  if (isTagged && !options.keepDiscriminatorProperty) delete (subValue as Plain)[property]
  return found === undefined ? newType : found.value
}

function typeMapped(maps: NonNullable<ClassTransformOptions['targetMaps']>, target: unknown, name: string): unknown {
  let type: unknown
  for (const map of maps) {
    if (map.target === target && Boolean(map.properties[name])) type = map.properties[name]
  }
  return type
}

/** Whether the class has something of this name that input must not take the place of: a method, an accessor to read. */
function isTaken(newValue: Plain, name: string): boolean {
  const prototype: unknown = newValue.constructor.prototype
  if (!prototype) return false
  if (Object.hasOwn(prototype, name)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)
    if (descriptor && !descriptor.set) return true
  }
  return newValue[name] instanceof Function
}
