import { ConfigurationError } from '../errors'
import { designType } from '../resource/metadata'
import type { ParamPlan, RoutePlan, TypePlan } from '../route/plan'
import type { Constructor } from '../types'
import { isAnyBody } from '../validation/any-body'
import { refuseForeignCopies } from '../validation/copies'
import {
  createModels,
  isUserClass,
  reachable,
  type ClassModel,
  type Models,
  type PropertyModel,
} from '../validation/model'
import { createValidation, type Validation } from '../validation/pipe'
import type { Finding } from './finding'
import type { Route } from './load-app'

/** Classes of input that cannot be validated, lists of which nobody says what they hold, and replies of another copy. */
export function findClasses(routes: readonly Route[]): Finding[] {
  const lists = new Map<string, Finding>()
  const models = createModels(designType)
  const validation = createValidation({ compile: false }, designType)
  const findings = routes.flatMap(({ plan }) => {
    for (const { param, target } of inputsOf(plan)) {
      for (const finding of findUnchecked(target, param)) {
        const key = finding.what
        // A class that many routes take is told of once.
        if (!lists.has(key)) lists.set(key, finding)
      }
    }
    return [...findUnruled(plan, validation), ...findReplies(plan, models)]
  })
  return [...findings, ...lists.values()]
}

function allParams({ params }: RoutePlan): ParamPlan[] {
  return params.flatMap((param) => param.members ?? [param])
}

function inputsOf(plan: RoutePlan): Array<{ readonly param: ParamPlan; readonly target: Constructor }> {
  return allParams(plan).flatMap((param) => {
    const target = param.type.class
    const isWhole = param.name === undefined || param.source === 'body'
    return target && isWhole && !param.convert && isUserClass(target) && !isAnyBody(target) ? [{ param, target }] : []
  })
}

/** Plans of an author's own making were not checked at start. */
function findUnruled(plan: RoutePlan, validation: Validation): Finding[] {
  return allParams(plan).flatMap((param) => attempt('unruled-class', () => validation.check(param)))
}

/** Another copy's `@Exclude` hides nothing. */
function findReplies(plan: RoutePlan, models: Models): Finding[] {
  const types = [plan.reply.type, ...plan.doc.answers.map(({ type }) => type)]
  const classes = new Set(types.flatMap((type) => (type && isClass(type) ? [type.class] : [])))
  return [...classes].flatMap((Class) =>
    [...reachable(models(Class), models)].flatMap((model) =>
      attempt('two-copies', () => refuseForeignCopies(plan.id, model.class)),
    ),
  )
}

function isClass(type: TypePlan): type is TypePlan & { readonly class: Constructor } {
  return type.kind === 'class' && isUserClass(type.class)
}

function attempt(code: Finding['code'], check: () => void): Finding[] {
  try {
    check()
    return []
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const { where, what, cure } = error
    return [{ code, level: 'error', where, what, cure }]
  }
}

// --- Elements -------------------------------------------------------------------------------------------------------------------

/** Rules that look at a list and not at what is in it. One that is not among them, an author's own say, may do that. */
const wholeRules: ReadonlySet<string> = new Set([
  'isArray',
  'arrayNotEmpty',
  'arrayMinSize',
  'arrayMaxSize',
  'arrayUnique',
  'isDefined',
  'isOptional',
  'isNotEmpty',
])

/** Lists in a class whose elements would pass whatever they are. `@Allow()` says that they may. */
function findUnchecked(target: Constructor, { where, groups }: ParamPlan): Finding[] {
  const models = createModels(designType, groups)
  return [...reachable(models(target), models)].flatMap((model) =>
    [...model.byName.values()].filter(isUnchecked).map((property) => toFinding(model, property, where)),
  )
}

function isUnchecked({ container, nested, element, typed, transformed, rules }: PropertyModel): boolean {
  if (container === 'one' || nested || element || typed || transformed || rules.length === 0) return false
  return rules.every(({ name, each, type }) => {
    return !each && (wholeRules.has(name ?? '') || type === 'conditionalValidation')
  })
}

function toFinding({ class: Class }: ClassModel, { name, container }: PropertyModel, where: string): Finding {
  const noun = container === 'one' ? 'value' : container
  return {
    code: 'unchecked-elements',
    level: 'warning',
    where,
    what: `${Class.name}.${name} is a ${noun}, and nothing says what its elements are`,
    cure: `Give it rules with { each: true }, or @ValidateNested({ each: true }) with @Type(() => ItsClass); @Allow() lets anything in`,
  }
}
