import 'reflect-metadata'
import { Exclude, Expose, Transform, Type } from 'class-transformer'
import {
  ArrayUnique,
  getMetadataStorage,
  IsOptional,
  registerDecorator,
  ValidateIf,
  ValidateNested,
  type ValidationOptions,
} from 'class-validator'
import fc from 'fast-check'
import type { Constructor } from '../../../src/types'
import { Nullable } from '../../../src/validation/nullable'
import { decorators, families, passing, samples, type Family } from './rules'

/** What is generated of a rule. */
interface RuleSpec {
  readonly which: number
  readonly stray: Family | undefined
  readonly each: boolean
  readonly message: 'none' | 'text' | 'function'
  readonly groups: readonly string[] | undefined
}

/** What is generated of a property. */
interface FieldSpec {
  readonly name: string
  readonly shape: 'one' | 'list' | 'nested' | 'nestedList' | 'union' | 'unionList'
  readonly family: Family
  readonly rules: readonly RuleSpec[]
  readonly optional: boolean
  readonly nullable: boolean
  readonly emitted: boolean
  readonly typed: boolean
  readonly input: string | undefined
  readonly initial: number
  readonly refers: number
  readonly keptTag: boolean
  readonly oddity: 'none' | 'transform' | 'condition' | 'custom' | 'unique' | 'unnested'
}

interface ClassSpec {
  readonly fields: readonly FieldSpec[]
  readonly inherits: boolean
  /** Whether instances have all properties from the start, as the fields of a class make them. */
  readonly defines: boolean
  readonly exposedOnly: boolean
}

/** Classes that refer to each other: the first is the one that is validated. */
export type Specs = readonly ClassSpec[]

const names = ['a', 'b', 'ab', '10', 'then', 'e/f~g', 'length', 'kind', '2']

const rare = (weight = 12): fc.Arbitrary<boolean> =>
  fc.oneof({ weight, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

const rule: fc.Arbitrary<RuleSpec> = fc.record({
  which: fc.nat(100),
  stray: fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...families) },
  ),
  each: rare(4),
  message: fc.oneof(
    { weight: 16, arbitrary: fc.constant('none' as const) },
    { weight: 6, arbitrary: fc.constant('text' as const) },
    { weight: 1, arbitrary: fc.constant('function' as const) },
  ),
  groups: fc.constantFrom(undefined, undefined, undefined, undefined, ['g'], ['h']),
})

const plainShapes = ['one', 'one', 'one', 'list', 'list'] as const

const field: fc.Arbitrary<FieldSpec> = fc.record({
  name: fc.constantFrom(...names),
  shape: fc.constantFrom(...plainShapes, ...plainShapes, 'nested', 'nestedList', 'union', 'unionList'),
  family: fc.constantFrom(...families),
  rules: fc.array(rule, { minLength: 1, maxLength: 3, size: 'small' }),
  optional: rare(2),
  nullable: rare(5),
  emitted: fc.boolean(),
  typed: rare(2),
  input: fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constantFrom('renamed', 'other/name') },
    { weight: 1, arbitrary: fc.constant('a') },
  ),
  initial: fc.nat(40),
  refers: fc.nat(2),
  keptTag: fc.boolean(),
  oddity: fc.oneof(
    { weight: 200, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom('transform', 'condition', 'custom', 'unique', 'unnested') },
  ),
})

export const specs: fc.Arbitrary<Specs> = fc.array(
  fc.record({
    fields: fc.uniqueArray(field, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }),
    inherits: rare(4),
    defines: fc.boolean(),
    exposedOnly: rare(),
  }),
  { minLength: 3, maxLength: 3 },
)

const kinds: Partial<Record<Family, unknown>> = {
  text: String,
  number: Number,
  truth: Boolean,
  date: Date,
  object: Object,
}

/** Declares the classes; the last are declared first, so that others may inherit from them. */
export function declare(all: Specs): Constructor[] {
  const classes: Constructor[] = []
  for (const [index, spec] of [...all.entries()].reverse()) {
    const Base = (spec.inherits && classes[index + 1]) || class {}
    const defaults = spec.fields.map((each) => [each.name, defaultOf(each)] as const)
    classes[index] = class Generated extends (Base as new () => object) {
      constructor() {
        super()
        for (const [name, value] of defaults) {
          if (value !== undefined || spec.defines) (this as Record<string, unknown>)[name] = fresh(value)
        }
      }
    }
  }
  for (const [index, spec] of all.entries()) {
    const Class = classes[index] as Constructor
    if (spec.exposedOnly) Exclude()(Class)
    for (const each of spec.fields) decorate(Class, each, classes, spec.exposedOnly)
  }
  return classes
}

/** A default is made anew for each instance. */
function fresh(value: unknown): unknown {
  if (Array.isArray(value)) return [...(value as unknown[])]
  return typeof value === 'object' && value !== null ? { ...value } : value
}

function defaultOf({ initial, family, shape }: FieldSpec): unknown {
  const known = shape === 'one' ? samples[family] : [[], ['a'], 'a']
  return initial < 4 ? known[initial % known.length] : undefined
}

function decorate(Class: Constructor, spec: FieldSpec, classes: readonly Constructor[], exposed: boolean): void {
  const prototype = Class.prototype as object
  const { name, shape, family, optional, nullable, emitted, typed, input, oddity } = spec
  const put = (decorator: PropertyDecorator): void => void decorator(prototype, name)
  const isList = shape === 'list' || shape === 'nestedList' || shape === 'unionList'
  const refersTo = (offset: number): Constructor => classes[(spec.refers + offset) % classes.length] as Constructor
  const kind = kinds[family]
  const isObject = shape !== 'one' && shape !== 'list'
  if (emitted) {
    const design: unknown = isList ? Array : isObject ? (shape === 'union' ? Object : refersTo(0)) : kind
    if (design) Reflect.defineMetadata('design:type', design, prototype, name)
  }
  if (isObject) {
    if (oddity !== 'unnested') put(ValidateNested())
    put(shape.startsWith('union') ? union(refersTo, spec.keptTag) : Type(() => refersTo(0)))
  } else if ((typed || family === 'date') && kind && kind !== Object) put(Type(() => kind as Constructor))
  for (const each of spec.rules) {
    const about = each.stray ?? (isList && !each.each ? 'list' : isObject ? 'object' : family)
    const known = decorators[about]
    put((known[each.which % known.length] as (typeof known)[number])(optionsOf(each, isList)))
    trustLast(Class)
  }
  if (optional) {
    put(IsOptional())
    trustLast(Class)
  }
  if (nullable) put(Nullable() as PropertyDecorator)
  if (input !== undefined && input !== name) put(Expose({ name: input }))
  else if (exposed) put(Expose())
  if (oddity === 'transform') put(Transform(({ value }) => value as unknown))
  if (oddity === 'condition') put(ValidateIf((_, value) => value !== 'a'))
  if (oddity === 'unique') put(ArrayUnique())
  if (oddity === 'custom') {
    registerDecorator({
      name: 'isEmail',
      target: Class,
      propertyName: name,
      constraints: [],
      validator: { validate: (value) => value !== 'a@b.cd' },
    })
  }
}

const trusted = new WeakMap<object, string>()

/** The name of a rule that was declared here by a decorator of class-validator's own; proving it takes long. */
export function trustedName(rule: {
  readonly constraintCls?: unknown
  readonly constraints?: readonly unknown[]
}): string | undefined {
  return trusted.get(rule.constraintCls ?? rule.constraints?.[0] ?? trusted)
}

function trustLast(Class: Constructor): void {
  const { validationMetadatas } = getMetadataStorage() as unknown as Record<
    string,
    Map<unknown, { constraintCls?: object; constraints: object[]; name?: string }[]>
  >
  const rule = validationMetadatas?.get(Class)?.at(-1)
  const subject = rule?.constraintCls ?? rule?.constraints?.[0]
  // A decorator that keeps a function of the author's is none to be trusted.
  if (subject && rule?.name) trusted.set(subject, rule.name)
}

function union(refersTo: (offset: number) => Constructor, keepDiscriminatorProperty: boolean): PropertyDecorator {
  const subTypes = [
    { name: 'one', value: refersTo(0) },
    { name: 'two', value: refersTo(1) },
  ]
  return Type(() => Object, { keepDiscriminatorProperty, discriminator: { property: 'kind', subTypes } })
}

function optionsOf({ each, message, groups }: RuleSpec, isList: boolean): ValidationOptions {
  const options: ValidationOptions = { each: each || undefined }
  if (isList && each) options.each = true
  if (groups) options.groups = [...groups]
  if (message === 'text') options.message = '$property of $target is not $value but $constraint1 $constraint2'
  if (message === 'function') options.message = ({ property }) => `${property} is wrong`
  return options
}

/** Numbers between 0 and 1 out of a seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A value for a class, as JSON.parse makes it: mostly fit, or with one member that may not be. */
export function valueFor(all: Specs, index: number, random: () => number, depth = 0): unknown {
  if (random() < 0.02) return pick([null, 'a', 1, [], true], random)
  const fields = fieldsOf(all, index)
  const wrong = random() < 0.4 ? pick(fields, random) : undefined
  const isWild = random() < 0.05
  const entries: [string, unknown][] = fields
    .filter((each) => random() < (each.optional ? 0.6 : each === wrong || isWild ? 0.8 : 1))
    .map((each) => [each.input ?? each.name, memberFor(all, each, random, depth, isWild || each === wrong)])
  if (random() < 0.08) entries.push([pick(['x', 'kind', 'toString', '__proto__', 'constructor', 'a'], random), 'one'])
  if (random() < 0.3) entries.sort(() => random() - 0.5)
  const members = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
  return JSON.parse(`{${members.join()}}`) as unknown
}

function fieldsOf(all: Specs, index: number): FieldSpec[] {
  const { fields, inherits } = all[index] as ClassSpec
  return inherits && index + 1 < all.length ? [...fields, ...fieldsOf(all, index + 1)] : [...fields]
}

function memberFor(all: Specs, spec: FieldSpec, random: () => number, depth: number, wrong: boolean): unknown {
  if (wrong && random() < 0.3) return random() < 0.5 ? null : pick(samples[pick(families, random)], random)
  const element = (): unknown => elementFor(all, spec, random, depth, wrong && random() < 0.7)
  if (spec.shape === 'one' || spec.shape === 'nested' || spec.shape === 'union') return element()
  return Array.from({ length: Math.floor(random() * (depth > 0 ? 2 : 3.2)) }, element)
}

function elementFor(all: Specs, spec: FieldSpec, random: () => number, depth: number, wrong: boolean): unknown {
  if (spec.shape === 'one' || spec.shape === 'list') return pick(wrong ? samples[spec.family] : fitting(spec), random)
  if (depth > 1) return {}
  const isUnion = spec.shape.startsWith('union')
  const offset = isUnion && random() < 0.5 ? 1 : 0
  const value = valueFor(all, (spec.refers + offset) % all.length, random, depth + 1)
  if (!isUnion || typeof value !== 'object' || value === null || (wrong && random() < 0.2)) return value
  return { ...value, kind: wrong && random() < 0.2 ? 'three' : offset === 0 ? 'one' : 'two' }
}

const fittingOf = new WeakMap<FieldSpec, readonly unknown[]>()

/** The samples that pass all rules on a value, or on an element of a list. */
function fitting(spec: FieldSpec): readonly unknown[] {
  const found = fittingOf.get(spec)
  if (found) return found
  const fit = findFitting(spec)
  fittingOf.set(spec, fit)
  return fit
}

function findFitting({ family, shape, rules }: FieldSpec): readonly unknown[] {
  const on = rules.filter(({ each }) => shape === 'one' || each)
  const fit = samples[family].filter((sample) => {
    return on.every(({ stray, which }) => {
      const about = stray ?? family
      return passing(family, about, which % decorators[about].length).has(sample)
    })
  })
  return fit.length > 0 ? fit : samples[family]
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T
}
