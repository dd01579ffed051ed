import { isDecorated } from './decorated'
import type { MetadataStorage, TransformFnParams, TypeFact } from './transformer'

type Fields = Record<string, unknown>
type TransformFn = (params: TransformFnParams) => unknown

/** What class-transformer's decorators say of one property on its way out. */
export interface ExposedProperty {
  readonly name: string
  /** Its name in the answer. */
  readonly output: string
  readonly transforms: readonly TransformFn[]
  readonly type?: TypeFact
}

/** What class-transformer's decorators say of the instances of a class on their way out. */
export interface Exposure {
  /** The properties of an instance that go out, in order: its own ones, then exposed accessors and methods. */
  properties(instance: object): readonly ExposedProperty[]
}

const TO_PLAIN = 1
const neverSent = new Set(['__proto__', 'constructor'])

/**
 * Reads what a class exposes.
 *
 * Groups and versions are not chosen on the way out: what is exposed to some groups only stays inside.
 *
 * @returns nothing where neither the class nor an ancestor has any decorator of class-transformer
 */
export function readExposure(target: object, storage: MetadataStorage): Exposure | undefined {
  if (!isDecorated(target, storage)) return undefined
  const type = target as Parameters<MetadataStorage['getStrategy']>[0]
  const exposed = storage.getExposedProperties(type, TO_PLAIN)
  const excluded = new Set([...neverSent, ...storage.getExcludedProperties(type, TO_PLAIN)])
  const takesOwn = storage.getStrategy(type) !== 'excludeAll'
  const known = new Map<string, ExposedProperty | null>()

  function propertyOf(name: string): ExposedProperty | null {
    const found = known.get(name)
    if (found !== undefined) return found
    const property = excluded.has(name) ? null : readProperty(type, name, storage)
    // Instances used as dictionaries have names without end.
    if (known.size < 1000) known.set(name, property)
    return property
  }

  return {
    properties(instance) {
      const names = takesOwn ? [...new Set([...Object.keys(instance), ...exposed])] : exposed
      return names.map(propertyOf).filter((property) => property !== null)
    },
  }
}

function readProperty(
  target: Parameters<MetadataStorage['getStrategy']>[0],
  name: string,
  storage: MetadataStorage,
): ExposedProperty | null {
  const options = (
    storage.findExposeMetadata(target, name) as { options?: { name?: string; groups?: string[] } } | undefined
  )?.options
  if (options?.groups?.length) return null
  const transforms = storage
    .findTransformMetadatas(target, name, TO_PLAIN)
    .filter((each) => !each.options?.groups?.length)
    .map((each) => each.transformFn as TransformFn)
  return { name, output: options?.name ?? name, transforms, type: storage.findTypeMetadata(target, name) }
}

/** The value of a property as it goes out: a method's result, and what the transforms make of it. */
export function exposedValue(instance: object, { name, transforms }: ExposedProperty): unknown {
  const raw = (instance as Fields)[name]
  let value = raw
  for (const transform of transforms) {
    value = transform({ value, key: name, obj: instance, type: TO_PLAIN, options: {} })
  }
  return value === raw && typeof raw === 'function' ? (raw as () => unknown).call(instance) : value
}

/** The class that `@Type` names for a value. */
export function declaredType(instance: object, { name, type }: ExposedProperty): unknown {
  if (!type) return undefined
  if (!type.typeFunction) return type.reflectedType as unknown
  return type.typeFunction({ newObject: {}, object: instance as Fields, property: name })
}

/** The member that tells a client which class of a union it has, and its value. */
export function discriminatorOf(value: object, { type }: ExposedProperty): readonly [string, string] | undefined {
  const discriminator = type?.options?.discriminator
  if (!discriminator?.property || !discriminator.subTypes) return undefined
  const subType = discriminator.subTypes.find((each) => each.value === value.constructor)
  return subType && [discriminator.property, subType.name]
}
