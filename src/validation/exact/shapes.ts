import { transformer } from '../lazy'
import type { ClassTransformOptions, TypeFact } from '../transformer'

/** One function of `@Transform`, with `this` as class-transformer has it. */
export type TransformFact = ReturnType<ReturnType<typeof transformer>['shapeStorage']['findTransformMetadatas']>[number]

/** What is said of one member of the input; of a member that has none of it, nothing is. */
export interface Field {
  /** Its name on the instance. */
  readonly name: string
  readonly type: TypeFact | undefined
  /** Whether the type depends on a member of the value. */
  readonly union: boolean
  readonly transforms: readonly TransformFact[]
}

/** How instances of a class are built, as far as that is the same for all input. */
export interface Shape {
  /** Whether members of the input are taken that nobody exposed. */
  readonly takesOwn: boolean
  /** Members that are taken whether the input has them or not. */
  readonly exposed: readonly string[]
  /** Members of the input that are not taken. */
  readonly dropped: ReadonlySet<string>
  /** By name in the input. */
  readonly fields: ReadonlyMap<string, Field>
}

type Target = Parameters<ReturnType<typeof transformer>['shapeStorage']['getStrategy']>[0]

/** Reads how instances of a class are built with these options; a class that is none throws as in class-transformer. */
export function readShape(targetType: unknown, options: ClassTransformOptions): Shape {
  const { shapeStorage: storage, TO_CLASS } = transformer()
  const target = targetType as Target
  const own = storage.getStrategy(target)
  const strategy = own === 'none' ? options.strategy || 'exposeAll' : own
  const exposedNames = storage.getExposedProperties(target, TO_CLASS)
  const dropped = new Set(storage.getExcludedProperties(target, TO_CLASS))
  for (const name of propertyNames(target, ['_exposeMetadatas'])) {
    if (!isExposed(target, name, options)) dropped.add(name)
  }
  const inputs = exposedNames.map((name) => storage.findExposeMetadata(target, name)?.options?.name || name)
  return {
    takesOwn: strategy === 'exposeAll' && !options.excludeExtraneousValues,
    exposed: [...new Set(inputs)].filter((name) => !dropped.has(name) && !isPrefixed(name, options)),
    dropped,
    fields: readFields(target, options),
  }
}

/** Whether a name begins with one that options exclude. */
export function isPrefixed(name: string, { excludePrefixes }: ClassTransformOptions): boolean {
  return excludePrefixes?.some((prefix) => name.slice(0, prefix.length) === prefix) ?? false
}

function readFields(target: Target, options: ClassTransformOptions): ReadonlyMap<string, Field> {
  const { shapeStorage: storage } = transformer()
  const fields = new Map<string, Field>()
  for (const name of propertyNames(target, ['_typeMetadatas', '_transformMetadatas'])) {
    fields.set(name, readField(target, name, options))
  }
  for (const { options: given } of storage.getExposedMetadatas(target)) {
    const property = given?.name === undefined ? undefined : storage.findExposeMetadataByCustomName(target, given.name)
    if (property?.propertyName) fields.set(given.name!, readField(target, property.propertyName, options))
  }
  return fields
}

function readField(target: Target, name: string, options: ClassTransformOptions): Field {
  const { shapeStorage: storage, TO_CLASS } = transformer()
  const type = storage.findTypeMetadata(target, name) as TypeFact | undefined
  const { property, subTypes } = type?.options?.discriminator ?? {}
  return {
    name,
    type,
    union: Boolean(property && subTypes),
    transforms: storage
      .findTransformMetadatas(target, name, TO_CLASS)
      .filter((fact) => !fact.options || isChosen(fact.options, options)),
  }
}

function isExposed(target: Target, name: string, options: ClassTransformOptions): boolean {
  const facts = transformer().shapeStorage.findExposeMetadata(target, name)?.options
  return !facts || isChosen(facts, options)
}

interface Choice {
  readonly since?: number
  readonly until?: number
  readonly groups?: string[]
}

/** Whether something is meant for the version and the groups of these options. */
function isChosen({ since, until, groups }: Choice, { version, groups: chosen }: ClassTransformOptions): boolean {
  if (version !== undefined) {
    if (since && !(version >= since)) return false
    if (until && !(version < until)) return false
  }
  if (!chosen?.length) return !groups?.length
  return !groups || chosen.some((group) => groups.includes(group))
}

/** The names of which a class or an ancestor has facts of these kinds. */
function propertyNames(target: Target, kinds: readonly string[]): Set<string> {
  const storage = transformer().shapeStorage as unknown as Record<string, unknown> & {
    getAncestors(target: unknown): readonly unknown[]
  }
  const names = new Set<string>()
  for (const kind of kinds) {
    const facts = storage[kind] as ReadonlyMap<unknown, ReadonlyMap<string | undefined, unknown>>
    for (const each of [target, ...storage.getAncestors(target)]) {
      for (const name of facts.get(each)?.keys() ?? []) if (name !== undefined) names.add(name)
    }
  }
  return names
}
