import type { HttpError, ValueSource } from '../errors'
import { TextValue, type ParamPlan, type ParamSource, type Pipe } from '../route/plan'
import type { Constructor } from '../types'
import { isAnyBody } from './any-body'
import { buildAndCheck } from './build'
import type { Compiler } from './compiled/compile'
import type { PlanSettings } from './compiled/plan'
import { Findings } from './findings'
import { inspectClass } from './inspect'
import { createModels, type DesignType, type Models } from './model'
import { Place } from './place'
import { prepareClass, type Prepared } from './prepare'
import { absent, siftObject, type Sieve } from './sift'
import { createSchemaPipe } from './standard-schema'

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
  /**
   * Whether classes whose rules are all class-validator's own are compiled at their first request. Default `true`, where
   * the versions of both libraries are known ones and the environment variable `KUMU_VALIDATION_COMPILE` is not `0`,
   * `off` or `false`. It makes no difference but to the time it takes, and to how often a class is constructed for a body
   * that is refused.
   */
  readonly compile?: boolean
}

/** What {@link Validation.judge} gives in place of an instance. */
export class Refused {
  constructor(readonly error: HttpError) {}
}

/** The validation of one application. */
export interface Validation {
  /**
   * Plain data to a checked instance of the parameter's class; values of other parameters pass untouched.
   *
   * @throws ValidationError 422, or `bodyStatus`, for a body; BadRequest 400 for what stands elsewhere
   */
  readonly pipe: Pipe
  /** The same, but what is refused may come back as {@link Refused}, at once and without an exception. */
  readonly judge: Pipe
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
 * That is the long way. Decoded JSON for a class whose rules are all class-validator's own, and which asks nothing unusual
 * of class-transformer, goes a short one: its plan is compiled at the first request, makes the same instances, and finds
 * the same violations. Whatever the plan is not sure of goes the long way from the start.
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
  const { unknown = 'refuse', optionalNull = 'refuse', bodyStatus = 422, compile = true } = options
  const acceptNull = optionalNull === 'accept'
  const checkSchema = createSchemaPipe({ strip: unknown === 'strip', bodyStatus })
  const modelsByGroups = new Map<string, Models>()
  const compilers = new Map<string, Compiler>()
  const prepared = new WeakMap<ParamPlan, Prepared>()

  function modelsOf(groups: readonly string[] | undefined): Models {
    const key = JSON.stringify(groups ?? [])
    const known = modelsByGroups.get(key)
    if (known) return known
    const models = createModels(designType, groups)
    modelsByGroups.set(key, models)
    return models
  }

  /** Nothing of it is loaded before a class is met. */
  function compilerOf(settings: PlanSettings): Compiler | undefined {
    if (!compile) return undefined
    const key = JSON.stringify([settings.groups ?? [], settings.strip])
    const known = compilers.get(key)
    if (known) return known
    const compiler = compilation().createCompiler(settings)
    compilers.set(key, compiler)
    return compiler
  }

  function prepare(param: ParamPlan, source: ValueSource, target: Constructor): Prepared {
    const known = prepared.get(param)
    if (known) return known
    const groups = param.groups ?? options.groups
    const models = modelsOf(groups)
    // Header and cookie maps are full of names that are others' business.
    const strip = unknown === 'strip' || source === 'header' || source === 'cookie'
    const compiled = compilerOf({ models, groups, strip, acceptNull })
    const fresh = prepareClass(source, target, param.type.list, strip, models, groups, compiled)
    prepared.set(param, fresh)
    return fresh
  }

  function pipe(value: unknown, param: ParamPlan): unknown {
    const judged = judge(value, param)
    // A promise that is rejected costs less than an exception on its way through all that waits for this.
    return judged instanceof Refused ? Promise.reject(judged.error) : judged
  }

  function judge(value: unknown, param: ParamPlan): unknown {
    if (param.type.kind === 'schema') return checkSchema(value, param)
    const source = sources[param.source]
    const target = param.type.kind === 'class' ? param.type.class : undefined
    if (!source || !target) return value
    if (value === undefined && !param.required) return value
    if (value === null && param.nullable) return value
    if (isAnyBody(target)) return value instanceof TextValue ? value.value : value
    const setup = prepare(param, source, target)
    const whole = source === 'body' ? 'The body' : `The ${source}`
    const compiled = value instanceof TextValue ? undefined : setup.compiled()
    if (compiled) {
      const made = setup.list ? compiled.acceptList(value) : compiled.accept(value)
      if (made) return made
      const found = new Findings(source)
      if (compiled.explain(value, setup.list, found, whole)) return new Refused(found.toError(bodyStatus))
    }
    const findings = new Findings(source)
    const place = Place.whole(whole)
    const sieve: Sieve = {
      text: value instanceof TextValue,
      strip: setup.strip,
      acceptNull,
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

  return { pipe, judge, check, names }
}

let loadedCompilation: typeof import('./compiled/compile') | undefined

function compilation(): typeof import('./compiled/compile') {
  return (loadedCompilation ??= require('./compiled/compile') as typeof import('./compiled/compile'))
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
