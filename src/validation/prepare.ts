import type { ValueSource } from '../errors'
import type { Awaitable, Constructor } from '../types'
import type { Compiled, Compiler } from './compiled/compile'
import { createBuilder } from './exact/build'
import { createChecker } from './exact/check'
import { isSupported } from './exact/supported'
import { transformer, validator } from './lazy'
import { reachable, type ClassModel, type Models } from './model'
import type { ClassTransformOptions } from './transformer'
import type { RuleError, ValidatorOptions } from './validator'

/** What a parameter's validation needs, put together once. */
export interface Prepared {
  readonly source: ValueSource
  readonly class: Constructor
  readonly list: boolean
  readonly strip: boolean
  readonly model: ClassModel
  readonly models: Models
  /** Builds an instance of sifted data, as class-transformer does. */
  readonly build: (plain: unknown) => object
  /** Finds what is wrong with an instance, as class-validator does; at once where no rule of it is asynchronous. */
  readonly findErrors: (instance: object) => Awaitable<RuleError[]>
  readonly meet: (model: ClassModel) => void
  /** The short way for decoded JSON, made at the first call; nothing where the class has none. */
  readonly compiled: () => Compiled | undefined
}

/**
 * Puts together what the validation of a class needs, once for all requests.
 *
 * @param source where its values stand
 * @param target the class
 * @param list whether values are lists of it
 * @param strip whether undeclared members are dropped, and not refused
 * @param models of the same groups
 * @param groups validation groups
 * @param compile gives the short way of a class; none: the libraries themselves do all the work
 */
export function prepareClass(
  source: ValueSource,
  target: Constructor,
  list: boolean,
  strip: boolean,
  models: Models,
  groups: readonly string[] | undefined,
  compile: Compiler | undefined,
): Prepared {
  const model = models(target)
  const met = new Set<ClassModel>()
  const targetMaps: NonNullable<ClassTransformOptions['targetMaps']> = []
  const transformOptions: ClassTransformOptions = {
    groups: groups as string[] | undefined,
    // Exposed properties that are absent would become undefined and lose their defaults.
    exposeUnsetFields: false,
  }
  function meet(found: ClassModel): void {
    if (met.has(found)) return
    const before = new Set(met)
    for (const each of reachable(found, models, met)) if (!before.has(each)) targetMaps.push(...emittedTypes(each))
    if (targetMaps.length > 0) transformOptions.targetMaps = targetMaps
  }
  meet(model)
  const validatorOptions: ValidatorOptions = {
    groups: groups as string[] | undefined,
    // Rules without groups apply whatever the groups: on nested objects and lists too.
    always: true,
    // The sieve has left nothing undeclared; an object without any rule may still come out of a transform.
    whitelist: false,
    forbidUnknownValues: true,
    // Messages are made again without the value: those of the library would only cost time.
    dismissDefaultMessages: true,
    validationError: { target: false, value: false },
  }
  let short: Compiled | null | undefined
  function compiled(): Compiled | undefined {
    if (short === undefined) short = compile?.(target) ?? null
    return short ?? undefined
  }
  const engine =
    compile && isSupported()
      ? exactly(transformOptions, validatorOptions)
      : byLibraries(transformOptions, validatorOptions)
  const build = (plain: unknown): object => engine.build(target, plain)
  const { findErrors } = engine
  return { source, class: target, list, strip, model, models, build, findErrors, meet, compiled }
}

interface Engine {
  readonly build: (target: Constructor, plain: unknown) => object
  readonly findErrors: Prepared['findErrors']
}

/** Plans that do exactly what the libraries do, with the metadata of each class read once. */
function exactly(transformOptions: ClassTransformOptions, validatorOptions: ValidatorOptions): Engine {
  const build = createBuilder(transformOptions)
  return {
    build: (target, plain) => build(target, plain) as object,
    findErrors: createChecker(validatorOptions),
  }
}

function byLibraries(transformOptions: ClassTransformOptions, validatorOptions: ValidatorOptions): Engine {
  return {
    build: (target, plain) => transformer().build(target, plain, transformOptions),
    findErrors: (instance) => validator().runRules(instance, validatorOptions),
  }
}

/** The classes that only the compiler tells: class-transformer asks it for none of them. */
function emittedTypes(model: ClassModel): NonNullable<ClassTransformOptions['targetMaps']> {
  const properties: Record<string, Constructor> = {}
  for (const { name, emittedClass } of model.byName.values()) if (emittedClass) properties[name] = emittedClass
  return Object.keys(properties).length > 0 ? [{ target: model.class, properties }] : []
}
