import { Readable } from 'node:stream'
import { ConfigurationError } from '../errors'
import {
  isLiteral,
  parameterTypes,
  type MethodFacts,
  type ParamFact,
  type ParamOptions,
  type ResourceOptions,
} from '../resource/metadata'
import { createJsonCheck, createTextCheck, isRuled, Refusal, toTypePlan } from './checks'
import { pathNames } from './compile-facts'
import { isValidated } from './finish'
import type { ParamPlan, ParamType, TypePlan } from './plan'

/** Where parameters are compiled. */
export interface ParamScope {
  readonly instance: object
  /** The method's name. */
  readonly name: string
  /** Class and method. */
  readonly where: string
  readonly facts: MethodFacts
  readonly options: ResourceOptions
  readonly path: string | RegExp
  readonly prefix: string
}

const anyType: TypePlan = { kind: 'any', list: false }
const textType: TypePlan = { kind: 'string', list: false }

/**
 * The parameters of one method as plans, their types taken from the decorator or else from what the compiler emitted.
 *
 * @throws ConfigurationError naming the parameter and the cure
 */
export function createParams(scope: ParamScope): ParamPlan[] {
  const declared = parameterTypes(Object.getPrototypeOf(scope.instance) as object, scope.name)
  const { params } = scope.facts
  checkArity(scope, declared)
  const plans: ParamPlan[] = []
  for (let index = 0; index < params.length; index++) {
    const facts = params[index]
    if (facts) plans.push(Object.freeze(createParam(scope, index, facts, declared)))
  }
  return plans
}

/** A parameter without a decorator would silently be undefined. */
function checkArity(scope: ParamScope, declared: readonly unknown[] | undefined): void {
  const { params, optional } = scope.facts
  if (optional) return
  const method = (scope.instance as Record<string, unknown>)[scope.name]
  // Where the compiler emits no types the method itself tells its parameters, up to the first with a default.
  const written = typeof method === 'function' ? method.length : 0
  const count = Math.max(written, params.length > 0 && declared ? declared.length : 0)
  for (let index = 0; index < count; index++) if (!params[index]) refuseBare(scope, index)
}

function refuseBare({ where }: ParamScope, index: number): never {
  throw new ConfigurationError(
    `${where}, parameter ${index}`,
    'it has no decorator, so nothing would be passed for it',
    'Put @Param, @Query, @Body, @Context or another of their kind before it',
  )
}

function createParam(
  scope: ParamScope,
  index: number,
  facts: readonly ParamFact[],
  declared: readonly unknown[] | undefined,
): ParamPlan {
  const [fact] = facts
  const where = `${scope.where}, parameter ${index}`
  if (!fact) throw new ConfigurationError(where, 'it has no decorator', 'Remove the parameter')
  if (facts.length > 1) return groupOf(scope, index, facts, where)
  if (fact.map) return mapOf(scope, index, fact, where)
  const own = fact.name === undefined ? where : `${where} (${fact.name})`
  const type = typeOf(fact, scope, declared?.[index], declared !== undefined, own)
  return checked(scope, {
    index,
    source: fact.source,
    name: fact.name,
    read: fact.read,
    where: own,
    ...optionsOf(fact, type),
  })
}

/** Several decorators on one parameter bind into one object, each under its `as` or its name. */
function groupOf(scope: ParamScope, index: number, facts: readonly ParamFact[], where: string): ParamPlan {
  const [first] = facts
  if (!first || facts.some(({ source, name, map }) => source !== first.source || name === undefined || map)) {
    throw new ConfigurationError(
      where,
      'it has several decorators that do not belong together',
      'Bind several values of one source, each by its name, or use one decorator',
    )
  }
  const members = facts.map((fact) => member(scope, index, fact, where))
  return { index, source: first.source, type: anyType, required: true, where, members: named(members, where) }
}

function mapOf(scope: ParamScope, index: number, fact: ParamFact, where: string): ParamPlan {
  const members = Object.entries(fact.map ?? {}).map(([name, given]) => {
    const options: ParamOptions = isLiteral(given) ? given : { type: given as ParamType }
    return member(scope, index, { source: fact.source, name, options }, where)
  })
  return { index, source: fact.source, type: anyType, required: true, where, members: named(members, where) }
}

function member(scope: ParamScope, index: number, fact: ParamFact, where: string): ParamPlan {
  const own = `${where} (${fact.name})`
  const type = toTypePlan(fact.options.type, own) ?? (fact.source === 'body' ? anyType : textType)
  return checked(scope, {
    index,
    source: fact.source,
    name: fact.name,
    where: own,
    ...optionsOf(fact, type),
  })
}

function named(members: ParamPlan[], where: string): ParamPlan[] {
  const names = members.map(({ as, name }) => as ?? name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new ConfigurationError(where, `two values are bound as "${twice}"`, 'Give one of them another `as`')
  return members
}

function optionsOf(
  { options, source, name }: ParamFact,
  type: TypePlan,
): Pick<ParamPlan, 'type' | 'required'> & Partial<ParamPlan> {
  const { list, type: _, required, ...rest } = options
  const isList = type.list || (list !== undefined && list !== false)
  const whole = name === undefined && source === 'query'
  return {
    ...rest,
    type: { ...type, list: isList },
    required: required ?? (options.default === undefined && !whole),
    ...(typeof list !== 'boolean' && list !== undefined && { count: list }),
  }
}

// --- Types -----------------------------------------------------------------------------------------------------------------------

const typed = new Set<ParamPlan['source']>(['path', 'query', 'header', 'cookie', 'body'])

/** The type of a parameter: the decorator's, the model, or what the compiler emitted. */
function typeOf(
  fact: ParamFact,
  { options }: ParamScope,
  declared: unknown,
  emitted: boolean,
  where: string,
): TypePlan {
  if (fact.model) return modelOf(options, where)
  if (!typed.has(fact.source)) return anyType
  const explicit = toTypePlan(fact.options.type, where)
  if (explicit) return explicit
  const text = fact.source !== 'body'
  if (declared === Array) return listOf(fact, text, where)
  if (declared === Object || declared === undefined) {
    // A converter or a pipe makes of a text what the parameter's type says, whatever that is.
    if (text && fact.name !== undefined && (emitted || fact.options.convert || fact.options.pipes)) return textType
    if (!text && fact.name !== undefined && (fact.options.convert || fact.options.pipes)) return anyType
    throw new ConfigurationError(
      where,
      emitted
        ? 'its declared type (an interface, a union, a type alias or unknown) is not there at run time'
        : 'the compiler emitted no types (esbuild and tsx never do; others want "emitDecoratorMetadata": true)',
      `Name the type: @${fact.source === 'body' ? 'Body' : 'Query'}(${fact.name === undefined ? 'Class' : `'${fact.name}', String`})${
        text ? '' : ', or (Object) to take any value unchecked'
      }`,
    )
  }
  const type = toTypePlan(declared as ParamType, where)
  return type ?? anyType
}

function listOf(fact: ParamFact, text: boolean, where: string): TypePlan {
  if (text && fact.name !== undefined) return { ...textType, list: true }
  throw new ConfigurationError(
    where,
    'it is an array, and the type of its elements is not there at run time',
    fact.name === undefined ? 'Write @Body([Class])' : `Write @Body('${fact.name}', [String])`,
  )
}

function modelOf({ model }: ResourceOptions, where: string): TypePlan {
  if (!model) {
    throw new ConfigurationError(
      where,
      'the class of its documents is not known',
      "Name it: @Resource('/path', { model: Employee })",
    )
  }
  return { kind: 'class', class: model, list: false }
}

// --- Checks at start -----------------------------------------------------------------------------------------------------------------

const bytes = new Set<unknown>([Buffer, Uint8Array])

/** What is checked of every parameter, and the classes that stand for bytes and streams. */
function checked(scope: ParamScope, param: ParamPlan): ParamPlan {
  const { where, type } = param
  if (param.source === 'body' && param.name === undefined && type.class && !type.list) {
    if (bytes.has(type.class)) return { ...param, source: 'rawBody', type: anyType }
    if ((type.class as unknown) === Readable)
      return { ...param, source: 'custom', type: anyType, read: (ctx) => ctx.req }
  }
  if (
    param.source === 'path' &&
    typeof scope.path === 'string' &&
    !isInPath(scope.prefix + scope.path, param.name ?? '')
  ) {
    throw new ConfigurationError(
      where,
      `the path "${scope.path}" has no parameter "${param.name}"`,
      `Put "/:${param.name}" into it`,
    )
  }
  if (param.source === 'page' && !scope.facts.paged) {
    throw new ConfigurationError(where, '@Page stands here without @Paged', 'Put @Paged() on the method')
  }
  if (type.kind === 'schema') refuseRules(param)
  const single = type.kind === 'class' && !isValidated(param)
  if (single && !param.convert && !param.pipes?.length) {
    throw new ConfigurationError(
      where,
      `a text cannot be made into a ${type.class?.name ?? 'class'}`,
      'Give `convert` or a pipe that finds it, or declare String, Number, Integer, Boolean or Date',
    )
  }
  const plan = single ? { ...param, type: param.source === 'body' ? anyType : { ...textType, list: type.list } } : param
  return checkDefault(checkRequired(plan))
}

/** Whether a path has a parameter; most stand alone between slashes. */
function isInPath(path: string, name: string): boolean {
  return `${path}/`.includes(`/:${name}/`) || pathNames(path).includes(name)
}

const rules = ['choices', 'forbidden', 'count', 'min', 'max', 'pattern', 'strict', 'groups'] as const

/** A schema says all that there is to say of a value: a rule beside it would be passed over in silence. */
function refuseRules(param: ParamPlan): void {
  const rule = rules.find((name) => param[name] !== undefined && param[name] !== false)
  if (rule === undefined) return
  const option = rule === 'count' ? 'list' : rule
  throw new ConfigurationError(
    param.where,
    `its type is a schema, and \`${option}\` is a rule beside it that nothing would check`,
    option === 'list'
      ? 'Write `list: true`, and the number of elements into a schema of the list'
      : 'Say it in the schema',
  )
}

function checkRequired(param: ParamPlan): ParamPlan {
  if (param.required && param.default !== undefined) {
    throw new ConfigurationError(param.where, 'it is required and has a default', 'Leave one of them out')
  }
  return param
}

/** A default has to satisfy its own declaration. */
function checkDefault(param: ParamPlan): ParamPlan {
  const { default: value, type } = param
  if (value === undefined || value === null || isRuled(type)) return param
  // A default goes past pipes and converters: it is what they would make, and not of the declared type.
  if (param.convert || param.pipes?.length) return param
  const dated = type.kind === 'date' && value instanceof Date
  const text = param.source !== 'body' && !param.strict && typeof value === 'string' && type.kind !== 'string'
  const result = dated ? value : text ? createTextCheck(param)(value) : createJsonCheck(param)(value)
  if (result instanceof Refusal) {
    throw new ConfigurationError(
      param.where,
      `its default does not satisfy its own declaration: it ${result.detail}`,
      'Change the default or the declaration',
    )
  }
  // Nobody reads a default as its type later: what is written as text is read here.
  return text ? { ...param, default: result } : param
}
