import type { Scalar } from '../http/scalar'
import type { AbstractConstructor, Constructor } from '../types'
import { transformer, validator } from './lazy'
import { isNotNull } from './nullable'
import { scalarOf, tellsKind } from './scalars'
import type { TypeFact } from './transformer'
import type { Rule } from './validator'

/** Tells the type that the compiler emitted for a property; nothing where it emitted none. */
export type DesignType = (prototype: object, property: string) => unknown

/** What an element of a property is built as. */
export type Element =
  | { readonly kind: 'class'; readonly class: Constructor }
  | {
      readonly kind: 'union'
      /** The member whose value names the class. */
      readonly property: string
      readonly classes: ReadonlyMap<unknown, Constructor>
      /** Whether the member is still there once the instance is built. */
      readonly kept: boolean
    }
  | { readonly kind: 'dynamic'; readonly resolve: (object: Record<string, unknown>) => unknown }

/** How many elements a property holds, and in what. */
export type Container = 'one' | 'list' | 'set' | 'map'

/** What a class says of one property. */
export interface PropertyModel {
  /** Its name on the class. */
  readonly name: string
  /** Its name in the request: another one by `@Expose({ name })`. */
  readonly input: string
  readonly container: Container
  readonly optional: boolean
  readonly nullable: boolean
  /** Whether a condition of the author's decides if its rules run. */
  readonly conditional: boolean
  /** Whether its elements are validated by their own class. */
  readonly nested: boolean
  /** What text of it, or each element of it, is read as. */
  readonly scalar?: Scalar
  /** Whether `@Type` demands that scalar: class-transformer would convert anything to it. */
  readonly typed: boolean
  /** Whether only the compiler told that scalar: no rule of the property would find a value of another kind. */
  readonly unruledKind: boolean
  readonly element?: Element
  /** Whether a `@Transform` changes it. */
  readonly transformed: boolean
  /** The class to build where only the compiler tells it, which class-transformer does not ask. */
  readonly emittedClass?: Constructor
  readonly rules: readonly Rule[]
}

/** What a class says of its input. */
export interface ClassModel {
  readonly class: Constructor
  /** Whether it has rules in these groups. */
  readonly ruled: boolean
  /** By name in the request. */
  readonly byInput: ReadonlyMap<string, PropertyModel>
  /** By name on the class. */
  readonly byName: ReadonlyMap<string, PropertyModel>
}

/** Gives the model of a class, made once. */
export type Models = (target: Constructor) => ClassModel

// class-transformer never assigns these; `__proto__` could not be told from a prototype anyhow.
const neverDeclared = new Set(['__proto__', 'constructor'])

const builtIns = new Set<unknown>([
  String,
  Number,
  Boolean,
  Date,
  Array,
  Set,
  Map,
  Object,
  Symbol,
  BigInt,
  Promise,
  Buffer,
])

/**
 * Reads what classes declare out of the metadata of class-validator and class-transformer.
 *
 * A property is declared where it has a rule in these groups, or is exposed to input; one that `@Exclude` keeps out of
 * input is not.
 *
 * @param groups the validation groups; they also are the groups of `@Expose`
 */
export function createModels(designType: DesignType, groups?: readonly string[]): Models {
  const known = new Map<Constructor, ClassModel>()
  return function modelOf(target) {
    const found = known.get(target)
    if (found) return found
    const model = readModel(target, designType, groups)
    known.set(target, model)
    return model
  }
}

function readModel(target: Constructor, designType: DesignType, groups: readonly string[] | undefined): ClassModel {
  const rules = validator().rulesOf(target, groups)
  const byInput = new Map<string, PropertyModel>()
  const byName = new Map<string, PropertyModel>()
  for (const name of declaredNames(target, rules, groups)) {
    const own = rules.filter((rule) => rule.propertyName === name)
    const property = readProperty(target, name, own, designType, groups)
    if (neverDeclared.has(property.input)) continue
    byInput.set(property.input, property)
    byName.set(name, property)
  }
  return { class: target, ruled: rules.length > 0, byInput, byName }
}

function declaredNames(
  target: Constructor,
  rules: readonly Rule[],
  groups: readonly string[] | undefined,
): Set<string> {
  const { shapeStorage, TO_CLASS } = transformer()
  const exposed = shapeStorage.getExposedProperties(target, TO_CLASS)
  const names = new Set(exposed)
  if (shapeStorage.getStrategy(target) !== 'excludeAll') for (const rule of rules) names.add(rule.propertyName)
  for (const name of shapeStorage.getExcludedProperties(target, TO_CLASS)) names.delete(name)
  for (const name of names) if (neverDeclared.has(name) || !isExposed(target, name, groups)) names.delete(name)
  return names
}

/** Whether class-transformer takes a property in these groups. */
function isExposed(target: Constructor, name: string, groups: readonly string[] | undefined): boolean {
  return isInGroups(transformer().shapeStorage.findExposeMetadata(target, name)?.options?.groups, groups)
}

function isInGroups(needed: readonly string[] = [], groups: readonly string[] | undefined): boolean {
  return needed.length === 0 || needed.some((group) => groups?.includes(group))
}

function readProperty(
  target: Constructor,
  name: string,
  rules: readonly Rule[],
  designType: DesignType,
  groups: readonly string[] | undefined,
): PropertyModel {
  const { shapeStorage, TO_CLASS } = transformer()
  const fact = shapeStorage.findTypeMetadata(target, name) as TypeFact | undefined
  const emitted: unknown = fact?.reflectedType ?? designType(target.prototype as object, name)
  const conditions = rules.filter((rule) => rule.type === 'conditionalValidation')
  const nested = rules.some((rule) => rule.type === 'nestedValidation')
  const transforms = shapeStorage.findTransformMetadatas(target, name, TO_CLASS)
  const transformed = transforms.some(({ options }) => isInGroups(options?.groups, groups))
  const container = containerOf(emitted, rules)
  const type = fact ? resolveType(fact) : undefined
  const emittedClass = !fact && nested && container === 'one' && isUserClass(emitted) ? emitted : undefined
  const scalar = nested ? undefined : scalarOf(type, container === 'one' ? emitted : undefined, rules)
  return {
    name,
    input: shapeStorage.findExposeMetadata(target, name)?.options?.name ?? name,
    container,
    optional: conditions.some((rule) => rule.name === 'isOptional'),
    nullable: conditions.some((rule) => rule.constraints[0] === isNotNull),
    conditional: conditions.some((rule) => rule.name !== 'isOptional' && rule.constraints[0] !== isNotNull),
    nested,
    // A transform takes the value as it came, unless a type was asked for as well.
    scalar: transformed && type === undefined ? undefined : scalar,
    typed: type !== undefined && scalar !== undefined,
    unruledKind: type === undefined && container === 'one' && !rules.some(tellsKind),
    element: emittedClass ? { kind: 'class', class: emittedClass } : fact && elementOf(fact, type),
    transformed,
    emittedClass,
    rules,
  }
}

/** The compiler's word decides; where it has none, or one that fits all, the rules speak of lists or do not. */
function containerOf(emitted: unknown, rules: readonly Rule[]): Container {
  if (emitted === Set) return 'set'
  if (emitted === Map) return 'map'
  if (emitted === Array || (typeof emitted === 'function' && emitted.prototype instanceof Array)) return 'list'
  if (emitted !== undefined && emitted !== Object) return 'one'
  return rules.some((rule) => rule.each || /^(?:isArray$|array[A-Z])/.test(rule.name ?? '')) ? 'list' : 'one'
}

/** The type of `@Type` where it is the same for all values; one that looks at the value is asked again for each. */
function resolveType(fact: TypeFact): unknown {
  if (fact.typeFunction === undefined) return fact.reflectedType as unknown
  if (fact.typeFunction.length > 0) return undefined
  try {
    return fact.typeFunction()
  } catch {
    // A class of a cycle of modules that is not there yet: the check at start names the property.
    return undefined
  }
}

function elementOf(fact: TypeFact, type: unknown): Element | undefined {
  const { discriminator, keepDiscriminatorProperty = false } = fact.options ?? {}
  if (discriminator?.property && discriminator.subTypes) {
    const classes = new Map<unknown, Constructor>(discriminator.subTypes.map(({ name, value }) => [name, value]))
    return { kind: 'union', property: discriminator.property, classes, kept: keepDiscriminatorProperty }
  }
  if (fact.typeFunction?.length > 0) {
    return {
      kind: 'dynamic',
      resolve: (object) => fact.typeFunction({ newObject: {}, object, property: fact.propertyName }),
    }
  }
  return isUserClass(type) ? { kind: 'class', class: type } : undefined
}

/**
 * A model and all those that instances of it can hold, as far as the declarations tell; cycles are walked once.
 *
 * @param seen models that are known already: none of them is walked again
 */
export function reachable(root: ClassModel, models: Models, seen = new Set<ClassModel>()): Set<ClassModel> {
  if (seen.has(root)) return seen
  seen.add(root)
  for (const { element } of root.byName.values()) {
    if (element?.kind === 'class') reachable(models(element.class), models, seen)
    if (element?.kind === 'union') for (const each of element.classes.values()) reachable(models(each), models, seen)
  }
  return seen
}

/** Whether a type is a class that an application wrote, and not one of the language's. */
export function isUserClass(type: unknown): type is Constructor {
  return (
    typeof type === 'function' && !builtIns.has(type) && typeof (type as AbstractConstructor).prototype === 'object'
  )
}
