import 'reflect-metadata'
import { Exclude, Expose, Transform, Type } from 'class-transformer'
import * as library from 'class-validator'
import { ruleStorage } from '../../../src/validation/validator'
import { shapeStorage } from '../../../src/validation/transformer'
import type { CaseModel, ClassModel, PropertyModel, RuleModel } from './model'
import { customRules, libraryRules, messageKinds, type Setting } from './rules'

type Class = new () => Record<string, unknown>

export interface Classes {
  readonly root: Class
  readonly child: Class
  readonly other: Class
}

export class List extends Array<unknown> {}

const designs = { Array, Set, Map, Object, List }

/** Makes the classes that a model tells of, in the order in which a module would. */
export function makeClasses(model: CaseModel, setting: Omit<Setting, 'child'>): Classes {
  const child = makeClass('Child', undefined, model.child)
  const other = makeClass('Other', undefined, model.other)
  const parent = model.parent && makeClass('Parent', undefined, model.parent)
  const root = makeClass('Root', parent, model.root)
  const classes = { root, child, other }
  decorate(child, model.child, classes, { ...setting, child })
  decorate(other, model.other, classes, { ...setting, child })
  if (parent && model.parent) decorate(parent, model.parent, classes, { ...setting, child })
  decorate(root, model.root, classes, { ...setting, child })
  return classes
}

/** Takes everything about classes out of the storages again: the next case must not pay for this one. */
export function forgetClasses({ root, child, other }: Classes): void {
  const { validationMetadatas, constraintMetadatas } = ruleStorage as unknown as {
    readonly validationMetadatas: Map<unknown, ReadonlyArray<{ readonly constraintCls?: object }>>
    readonly constraintMetadatas: Map<unknown, unknown>
  }
  const storage = shapeStorage as unknown as Record<string, unknown>
  for (const target of [root, Object.getPrototypeOf(root) as object, child, other]) {
    for (const { constraintCls } of validationMetadatas.get(target) ?? []) {
      // Ours serve all cases.
      if (constraintCls && !('isOurs' in constraintCls)) constraintMetadatas.delete(constraintCls)
    }
    validationMetadatas.delete(target)
    for (const map of Object.values(storage)) if (map instanceof Map) map.delete(target)
  }
}

function makeClass(name: string, parent: Class | undefined, { properties }: ClassModel): Class {
  const defaults = properties.filter(({ member }) => member === 'default').map((property) => property.name)
  function setDefaults(instance: Record<string, unknown>): void {
    for (const property of defaults) instance[property] = `default ${property}`
  }
  const made = {
    [name]: parent
      ? class extends parent {
          constructor() {
            super()
            setDefaults(this)
          }
        }
      : class {
          constructor() {
            setDefaults(this as Record<string, unknown>)
          }
        },
  }[name] as Class
  for (const { name: property, member } of properties) {
    // Decorators would take it for the class.
    if (property === 'constructor') continue
    if (member === 'method') Object.defineProperty(made.prototype, property, { value: () => 1, configurable: true })
    if (member === 'getter') Object.defineProperty(made.prototype, property, { get: () => 'got', configurable: true })
  }
  return made
}

function decorate(target: Class, { properties, strategy }: ClassModel, classes: Classes, setting: Setting): void {
  if (strategy === 'expose') Expose()(target)
  if (strategy === 'exclude') Exclude()(target)
  for (const property of properties) {
    decorateProperty(target, property, classes, setting)
    // How often an object is asked for its class, or whether it is a promise, is nobody's business.
    if (property.member === 'accessor' && !/^(?:constructor|then)$/.test(property.name))
      addAccessor(target, property.name, setting)
  }
}

/** Decorates a property, maybe of a class that is in use already. */
export function decorateProperty(target: Class, property: PropertyModel, classes: Classes, setting: Setting): void {
  const { name, design, expose, exclude, transforms, rules } = property
  const prototype = target.prototype as object
  if (design !== 'none') Reflect.defineMetadata('design:type', designs[design], prototype, name)
  addType(prototype, property, classes, setting)
  if (expose) Expose(expose)(prototype, name)
  if (exclude) Exclude()(prototype, name)
  for (const { kind, ...options } of transforms) {
    Transform(({ value, key, obj, type, options: given }) => {
      setting.log('transform', kind, value, key, obj, type, given)
      if (kind === 'throw' && value === 'x') throw new TypeError('transform threw')
      if (kind === 'wrap') return [value]
      return kind === 'key' ? key : (value as unknown)
    }, options)(prototype, name)
  }
  for (const rule of rules) ruleDecorator(rule, setting)(prototype, name)
}

function addAccessor(target: Class, name: string, { log }: Setting): void {
  Object.defineProperty(target.prototype, name, {
    configurable: true,
    get(this: Record<string, unknown>) {
      log('get', name)
      return this[`_${name}`]
    },
    set(this: Record<string, unknown>, value: unknown) {
      log('set', name, value)
      this[`_${name}`] = value
    },
  })
}

function addType(prototype: object, { name, type, union }: PropertyModel, classes: Classes, setting: Setting): void {
  const { child, other } = classes
  const types = { child, other, string: String, number: Number, boolean: Boolean, date: Date, buffer: Buffer, map: Map }
  const subTypes = [
    { name: 'child', value: child },
    { name: 'other', value: other },
  ]
  const options =
    union === 'none'
      ? {}
      : { discriminator: { property: 'tag', subTypes }, keepDiscriminatorProperty: union === 'kept' }
  if (type === 'none') {
    if (union !== 'none') Type(() => child, options)(prototype, name)
  } else if (type === 'dynamic') {
    Type((told) => {
      setting.log('type', told?.newObject, told?.object, told?.property)
      return (told?.object as Record<string, unknown>)['kind'] === 'a' ? other : child
    }, options)(prototype, name)
  } else {
    Type(() => types[type] as never, options)(prototype, name)
  }
}

function ruleDecorator(rule: RuleModel, setting: Setting): PropertyDecorator {
  const { log } = setting
  const options: library.ValidationOptions = {
    each: rule.each,
    groups: rule.groups as string[] | undefined,
    always: rule.always,
    message: rule.message === 'none' ? undefined : messageKinds[rule.message]!(log),
    context: rule.context,
    ...(rule.validateIf
      ? {
          validateIf: (object: unknown, value: unknown) => {
            log('rule validateIf', object, value)
            return value !== 'a'
          },
        }
      : {}),
  }
  if (rule.kind === 'optional') return library.IsOptional(options)
  if (rule.kind === 'nested') return library.ValidateNested(options)
  if (rule.kind === 'promise') return library.ValidatePromise(options)
  if (rule.kind === 'allow') return library.Allow(options)
  if (rule.kind === 'validateIf') {
    return library.ValidateIf((object, value) => {
      log('validateIf', object, value)
      return value !== 'b'
    }, options)
  }
  return (libraryRules[rule.kind] ?? customRules[rule.kind])!(options, setting)
}
