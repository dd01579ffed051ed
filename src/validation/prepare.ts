import type { ValueSource } from '../errors'
import type { Constructor } from '../types'
import { reachable, type ClassModel, type Models } from './model'
import type { ClassTransformOptions } from './transformer'
import type { ValidatorOptions } from './validator'

/** What a parameter's validation needs, put together once. */
export interface Prepared {
  readonly source: ValueSource
  readonly class: Constructor
  readonly list: boolean
  readonly strip: boolean
  readonly model: ClassModel
  readonly models: Models
  readonly validatorOptions: ValidatorOptions
  readonly transformOptions: ClassTransformOptions
  readonly meet: (model: ClassModel) => void
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
 */
export function prepareClass(
  source: ValueSource,
  target: Constructor,
  list: boolean,
  strip: boolean,
  models: Models,
  groups: readonly string[] | undefined,
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
  return { source, class: target, list, strip, model, models, validatorOptions, transformOptions, meet }
}

/** The classes that only the compiler tells: class-transformer asks it for none of them. */
function emittedTypes(model: ClassModel): NonNullable<ClassTransformOptions['targetMaps']> {
  const properties: Record<string, Constructor> = {}
  for (const { name, emittedClass } of model.byName.values()) if (emittedClass) properties[name] = emittedClass
  return Object.keys(properties).length > 0 ? [{ target: model.class, properties }] : []
}
