import { validator } from '../lazy'
import type { Rule, RuleArguments, RuleError, ValidatorOptions } from '../validator'
import type { PlannedConstraint, PlannedRule } from './rule-plans'

/** One object, or collection, under validation, and what is found in it. */
export interface Subject {
  readonly object: object
  readonly targetName: string
  readonly errors: RuleError[]
  /** What is outstanding, of the whole validation. */
  readonly pending: Promise<unknown>[]
}

/** Where rules on one value put what they find: an error that is made when there is something to put. */
export interface Spot {
  error: RuleError | undefined
}

type ErrorOptions = Pick<ValidatorOptions, 'validationError'>

/** Makes an error of class-validator's, without constraints or children yet. */
export function createError(object: object, value: unknown, property: string, options: ErrorOptions): RuleError {
  const { target = true, value: shown = true } = options.validationError ?? {}
  const error = validator().createRuleError()
  if (target === true) error.target = object
  if (shown === true) error.value = value
  error.property = property
  error.children = []
  error.constraints = {}
  return error
}

/** Makes what runs the rules on a value. */
export function createRunner(options: ValidatorOptions) {
  const { stopAtFirstError, dismissDefaultMessages } = options

  function open(spot: Spot, subject: Subject, property: string, value: unknown): RuleError {
    if (spot.error) return spot.error
    spot.error = createError(subject.object, value, property, options)
    subject.errors.push(spot.error)
    return spot.error
  }

  function runRules(
    rules: readonly PlannedRule[],
    subject: Subject,
    property: string,
    value: unknown,
    spot: Spot,
  ): void {
    for (let index = 0; index < rules.length; index++) {
      const planned = rules[index]!
      const { rule, constraints } = planned
      if (rule.validateIf && !rule.validateIf(subject.object, value)) continue
      for (let each = 0; each < constraints.length; each++) {
        if (stopAtFirstError && hasFailed(spot)) continue
        runConstraint(constraints[each]!, planned, subject, property, value, spot)
      }
    }
  }

  function runConstraint(
    constraint: PlannedConstraint,
    planned: PlannedRule,
    subject: Subject,
    property: string,
    value: unknown,
    spot: Spot,
  ): void {
    const { rule } = planned
    if (constraint.isEmail && isSurelyEmail(value) && rule.constraints?.[0] === undefined) return
    const args = argumentsOf(rule, subject.object, subject.targetName, value)
    const isEach = rule.each && isCollection(value)
    const result: unknown = isEach
      ? validateEach(constraint, toArray(value), args)
      : (constraint.instance ?? constraint.fact.instance).validate(value, args)
    if (isPromise(result)) {
      const error = open(spot, subject, property, value)
      subject.pending.push(
        result.then((settled) => {
          if (isEach ? (settled as unknown[]).every(Boolean) : settled) return
          fail(error, constraint, planned, subject, value)
          if (rule.context) addContext(error, constraint.type, rule.context as object)
        }),
      )
    } else if (!result) {
      fail(open(spot, subject, property, value), constraint, planned, subject, value)
    }
  }

  function fail(
    error: RuleError,
    constraint: PlannedConstraint,
    { rule, fillMessage }: PlannedRule,
    subject: Subject,
    value: unknown,
  ): void {
    const args = argumentsOf(rule, subject.object, subject.targetName, value)
    let message: unknown = rule.message || ''
    if (!rule.message && !dismissDefaultMessages) {
      const { fact, instance } = constraint
      if ((instance ?? fact.instance).defaultMessage instanceof Function) {
        message = (instance ?? fact.instance).defaultMessage!(args)
      }
    }
    error.constraints![constraint.type] = fillMessage(message, args)
  }

  return { open, runRules, hasFailed }
}

/** Adds the contexts of rules that have failed. */
export function addContexts(error: RuleError, rules: readonly PlannedRule[]): void {
  for (const { rule, contextType } of rules) {
    if (error.constraints![contextType]) addContext(error, contextType, rule.context as object)
  }
}

/** What a rule and its message are told; new each time, for authors may keep it. */
export function argumentsOf(rule: Rule, object: object, targetName: string, value: unknown): RuleArguments {
  return { targetName, property: rule.propertyName, object, value, constraints: rule.constraints }
}

export function isCollection(value: unknown): value is unknown[] | Set<unknown> | Map<unknown, unknown> {
  return Array.isArray(value) || value instanceof Set || value instanceof Map
}

function addContext(error: RuleError, type: string, context: object): void {
  error.contexts ??= {}
  error.contexts[type] = Object.assign((error.contexts[type] as object | undefined) || {}, context)
}

function hasFailed({ error }: Spot): boolean {
  return error !== undefined && Object.keys(error.constraints ?? {}).length > 0
}

/** All elements are asked, whatever the first of them say. */
function validateEach({ instance, fact }: PlannedConstraint, elements: unknown[], args: RuleArguments): unknown {
  const results: unknown[] = elements.map((element) => (instance ?? fact.instance).validate(element, args))
  if (!results.some(isPromise)) return results.every(Boolean)
  const promises = results.map((result) => (isPromise(result) ? result : Promise.resolve(result)))
  // Not yet what they come to: one promise more would settle a moment later than class-validator's.
  return Promise.all(promises)
}

function toArray(value: unknown[] | Set<unknown> | Map<unknown, unknown>): unknown[] {
  if (value instanceof Map) return Array.from(value.values())
  return Array.isArray(value) ? value : Array.from(value)
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

// Accepts only: what it does not know is asked of the library. Shorter than what any part of an address may be.
const simpleEmail = /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+[a-z]{2,}$/i

/** Whether a value is an e-mail address to class-validator; some addresses are not told by this. */
export function isSurelyEmail(value: unknown): boolean {
  return typeof value === 'string' && value.length < 65 && simpleEmail.test(value)
}
