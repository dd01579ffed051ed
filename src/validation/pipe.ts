import { HttpError, type ValueSource } from '../errors'
import { TextValue, type ParamPlan, type ParamSource, type Pipe } from '../route/plan'
import type { Awaitable, Constructor } from '../types'
import { isAnyBody } from './any-body'
import { Findings } from './findings'
import { inspectClass } from './inspect'
import { transformer, validator } from './lazy'
import { createModels, reachable, type ClassModel, type DesignType, type Models } from './model'
import { Place } from './place'
import { settleInstance } from './settle'
import { absent, siftObject, type Sieve } from './sift'
import type { ClassTransformOptions } from './transformer'
import type { RuleError, ValidatorOptions } from './validator'
import { takeErrors } from './violations'

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

/** What a parameter's validation needs, put together once. */
interface Prepared {
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

function prepareClass(
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

function buildAndCheck(
  plain: unknown,
  setup: Prepared,
  findings: Findings,
  place: Place,
  bodyStatus: number,
): Awaitable<unknown> {
  const fail = (error: unknown): never => {
    // With findings the request is refused anyhow: what a rule or transform makes of the rest of it says no more.
    throw findings.failed ? findings.toError(bodyStatus) : error
  }
  const instances: Array<{ readonly instance: object; readonly place: Place }> = []
  let outcome: Awaitable<RuleError[][]>
  try {
    for (const [index, element] of (setup.list ? (plain as unknown[]) : [plain]).entries()) {
      if (element === absent) continue
      const at = setup.list ? place.element(index) : place
      const instance = build(element, setup, findings, at)
      if (instance) instances.push({ instance, place: at })
    }
    outcome = runAll(instances, setup.validatorOptions)
  } catch (error) {
    return fail(error)
  }
  function finish(errors: RuleError[][]): unknown {
    for (const [index, { instance, place: at }] of instances.entries()) {
      takeErrors(errors[index] ?? [], instance, setup.models, findings, at)
    }
    findings.settleDoubts()
    if (findings.failed) throw findings.toError(bodyStatus)
    return setup.list ? instances.map(({ instance }) => instance) : instances[0]?.instance
  }
  return outcome instanceof Promise ? outcome.then(finish, fail) : finish(outcome)
}

function build(plain: unknown, setup: Prepared, findings: Findings, place: Place): object | undefined {
  const { build: construct, threwByItself } = transformer()
  try {
    const instance = construct(setup.class, plain, setup.transformOptions)
    settleInstance(instance, setup.models, findings, place)
    return instance
  } catch (error) {
    if (error instanceof HttpError || !threwByItself(error)) throw error
    // The gap that a refused element leaves in a list of a union is such an error as well.
    if (!findings.failed) findings.refuse(place.pointer, 'type', `${place.label} does not fit its declared types`)
    return undefined
  }
}

/** Runs the rules of all instances; a promise only where one of them is asynchronous. */
function runAll(
  instances: ReadonlyArray<{ readonly instance: object }>,
  options: ValidatorOptions,
): Awaitable<RuleError[][]> {
  const { runRules } = validator()
  const outcomes: Array<Awaitable<RuleError[]>> = []
  try {
    for (const { instance } of instances) outcomes.push(runRules(instance, options))
  } catch (error) {
    // Nobody will wait for those that are under way: their rejection must not end the process.
    for (const outcome of outcomes) if (outcome instanceof Promise) outcome.catch(() => undefined)
    throw error
  }
  const asynchronous = outcomes.some((outcome) => outcome instanceof Promise)
  return asynchronous ? Promise.all(outcomes.map((each) => Promise.resolve(each))) : (outcomes as RuleError[][])
}
