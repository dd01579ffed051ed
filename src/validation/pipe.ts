import type { ValueSource } from '../errors'
import { TextValue, type ParamPlan, type ParamSource, type Pipe } from '../route/plan'
import type { Constructor } from '../types'
import { isAnyBody } from './any-body'
import { buildAndCheck } from './build'
import { Findings } from './findings'
import { inspectClass } from './inspect'
import { createModels, type DesignType, type Models } from './model'
import { Place } from './place'
import { prepareClass, type Prepared } from './prepare'
import { absent, siftObject, type Sieve } from './sift'

/** How classes are validated. */
export interface ValidationOptions {
  /** What becomes of members that a class does not declare. Default `refuse`. */
  readonly unknown?: 'refuse' | 'strip'
  /** Whether `null` passes where `@IsOptional()` is said: class-validator's own reading. Default `refuse`. */
  readonly optionalNull?: 'refuse' | 'accept'
  /** The status of a body that breaks its rules. Default 422. */
  readonly bodyStatus?: number
  /** Validation groups of all parameters that name none. */
  readonly groups?: readonly string[]
}

/** The validation of one application. */
export interface Validation {
  /**
   * Plain data to a checked instance of the parameter's class; values of other parameters pass untouched.
   *
   * @throws ValidationError 422, or `bodyStatus`, for a body; BadRequest 400 for what stands elsewhere
   */
  readonly pipe: Pipe
  /**
   * Finds at start what would make the validation of a parameter fail or be empty.
   *
   * @throws ConfigurationError naming class, property and cure
   */
  check(param: ParamPlan): void
  /** The names that a parameter's class takes in a request: none for a parameter of another type. */
  names(param: ParamPlan): readonly string[]
}

const sources: Partial<Record<ParamSource, ValueSource>> = {
  path: 'path',
  query: 'query',
  header: 'header',
  cookie: 'cookie',
  body: 'body',
}

/**
 * The validation pipe on class-validator and class-transformer.
 *
 * The order is: sift (undeclared members refused, text read as its declared types), build (class-transformer, and so
 * `@Type` and `@Transform`), validate (class-validator). A transform therefore sees values before their rules have run;
 * one that makes `NaN` or an invalid date of them has refused them. A property with `@Transform` and no `@Type` is given
 * its value as it came. Validation groups also are the groups of `@Expose` and `@Transform`; rules without groups always
 * apply. What a rule or a transform throws is passed on as it is: a failure of ours, unless it is an HttpError.
 *
 * It is stricter than the libraries in this: JSON is never converted (but for the text of a date), `null` is not absent,
 * a list is not an object, and a nested object or list that is not `@IsOptional()` is required.
 *
 * @param options how strict it is
 * @param designType tells the types that the compiler emitted
 *
 * @example
 * const validation = createValidation({ unknown: 'strip' }, designType)
 * const settings = { pipes: [validation.pipe] }
 */
export function createValidation(options: ValidationOptions, designType: DesignType): Validation {
  const { unknown = 'refuse', optionalNull = 'refuse', bodyStatus = 422 } = options
  const modelsByGroups = new Map<string, Models>()
  const prepared = new WeakMap<ParamPlan, Prepared>()

  function modelsOf(groups: readonly string[] | undefined): Models {
    const key = JSON.stringify(groups ?? [])
    const known = modelsByGroups.get(key)
    if (known) return known
    const models = createModels(designType, groups)
    modelsByGroups.set(key, models)
    return models
  }

  function prepare(param: ParamPlan, source: ValueSource, target: Constructor): Prepared {
    const known = prepared.get(param)
    if (known) return known
    const groups = param.groups ?? options.groups
    const models = modelsOf(groups)
    // Header and cookie maps are full of names that are others' business.
    const strip = unknown === 'strip' || source === 'header' || source === 'cookie'
    const fresh = prepareClass(source, target, param.type.list, strip, models, groups)
    prepared.set(param, fresh)
    return fresh
  }

  function pipe(value: unknown, param: ParamPlan): unknown {
    const source = sources[param.source]
    const target = param.type.kind === 'class' ? param.type.class : undefined
    if (!source || !target) return value
    if (value === undefined && !param.required) return value
    if (value === null && param.nullable) return value
    if (isAnyBody(target)) return value instanceof TextValue ? value.value : value
    const setup = prepare(param, source, target)
    const findings = new Findings(source)
    const place = Place.whole(source === 'body' ? 'The body' : `The ${source}`)
    const sieve: Sieve = {
      text: value instanceof TextValue,
      strip: setup.strip,
      acceptNull: optionalNull === 'accept',
      models: setup.models,
      findings,
      meet: setup.meet,
    }
    const plain = siftWhole(value instanceof TextValue ? value.value : value, setup, sieve, place)
    if (plain === absent) throw findings.toError(bodyStatus)
    return buildAndCheck(plain, setup, findings, place, bodyStatus)
  }

  function check(param: ParamPlan): void {
    for (const member of param.members ?? []) check(member)
    const source = sources[param.source]
    const target = param.type.kind === 'class' ? param.type.class : undefined
    // A class behind one text, or behind a converter, is made by the author's own pipe.
    if (!source || !target || param.convert || (param.name !== undefined && source !== 'body')) return
    if (isAnyBody(target)) return
    const { model, models } = prepare(param, source, target)
    inspectClass(model, models, param.where)
  }

  function names(param: ParamPlan): readonly string[] {
    const source = sources[param.source]
    const target = param.type.kind === 'class' ? param.type.class : undefined
    return source && target ? [...prepare(param, source, target).model.byInput.keys()] : []
  }

  return { pipe, check, names }
}

function siftWhole(value: unknown, { list, model }: Prepared, sieve: Sieve, place: Place): unknown {
  if (value === undefined) {
    sieve.findings.refuse(place.pointer, 'required', `${place.label} is required`)
    return absent
  }
  if (!list) return siftObject(value, model, sieve, place)
  const elements = Array.isArray(value) ? (value as unknown[]) : sieve.text ? [value] : undefined
  if (elements) return elements.map((element, index) => siftObject(element, model, sieve, place.element(index)))
  sieve.findings.refuse(place.pointer, 'type', `${place.label} must be a list`)
  return absent
}
