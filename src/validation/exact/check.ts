import type { Awaitable } from '../../types'
import { validator } from '../lazy'
import type { RuleError, ValidatorOptions } from '../validator'
import {
  addContexts,
  argumentsOf,
  createError,
  createRunner,
  isCollection,
  type Spot,
  type Subject,
} from './constraints'
import { planRules, type PlannedRule, type PropertyPlan, type RulePlan } from './rule-plans'
import { rulesStamp } from './watch'

/** Finds what is wrong with an instance; at once where no rule of it is asynchronous. */
export type Checker = (instance: object) => Awaitable<RuleError[]>

/**
 * Makes what finds exactly the errors that class-validator finds, with the rules of each class looked up once and not for
 * each object.
 *
 * Promises that are validated once they settle, and what is no instance of a class, are class-validator's own to check.
 *
 * @param options of class-validator
 * @returns what throws, or rejects with, whatever a rule throws
 */
export function createChecker(options: ValidatorOptions): Checker {
  const { createExecutor, runRules: runAll } = validator()
  const { open, runRules, hasFailed } = createRunner(options)
  const { skipUndefinedProperties, skipNullProperties, skipMissingProperties, stopAtFirstError } = options
  const forbidsUnknown = options.forbidUnknownValues !== false
  const skipsUndefined = skipUndefinedProperties === true || skipMissingProperties === true
  const skipsNull = skipNullProperties === true || skipMissingProperties === true
  let plans = new WeakMap<object, RulePlan | null>()
  let stamp = rulesStamp()

  if (options.enableDebugMessages) return (instance) => runAll(instance, options)

  function check(instance: object): Awaitable<RuleError[]> {
    const now = rulesStamp()
    if (now !== stamp) {
      stamp = now
      plans = new WeakMap()
    }
    const errors: RuleError[] = []
    const pending: Promise<unknown>[] = []
    try {
      execute(instance, errors, pending)
    } catch (error) {
      // Rules that were started before the one that threw may still reject: nobody waits for them any more.
      for (const promise of pending) promise.catch(() => undefined)
      throw error
    }
    if (pending.length > 0) return settle(errors, pending)
    return errors.length > 0 ? withoutEmpty(errors) : errors
  }

  function planOf(target: object): RulePlan | null {
    const known = plans.get(target)
    if (known !== undefined) return known
    const plan = planRules(target, options) ?? null
    plans.set(target, plan)
    return plan
  }

  function execute(object: object, errors: RuleError[], pending: Promise<unknown>[]): void {
    const target: unknown = object.constructor
    const plan = typeof target === 'function' ? planOf(target) : null
    if (!plan) {
      createExecutor(options, pending).execute(object, '', errors)
      return
    }
    if (forbidsUnknown && !plan.ruled) {
      errors.push(unknownValue(object))
      return
    }
    if (options.whitelist) whitelist(object as Record<string, unknown>, plan, errors)
    const subject: Subject = { object, targetName: object.constructor.name, errors, pending }
    for (let index = 0; index < plan.properties.length; index++) {
      const property = plan.properties[index]!
      checkProperty(property, (object as Record<string, unknown>)[property.name], subject)
    }
  }

  function checkProperty(plan: PropertyPlan, value: unknown, subject: Subject): void {
    const { conditions, name, nested } = plan
    if (conditions.length > 0 && !areMet(conditions, subject.object, value)) return
    const spot: Spot = { error: undefined }
    if (plan.defined.length > 0) {
      runRules(plan.defined, subject, name, value, spot)
      if (spot.error) addContexts(spot.error, plan.definedContexts)
    }
    if ((value === undefined && skipsUndefined) || (value === null && skipsNull)) return
    runRules(plan.custom, subject, name, value, spot)
    if (nested.length > 0 && value !== undefined) checkNested(nested, value, subject, name, spot)
    if (spot.error) addContexts(spot.error, plan.contexts)
  }

  function checkNested(
    rules: readonly PlannedRule[],
    value: unknown,
    subject: Subject,
    property: string,
    spot: Spot,
  ): void {
    for (const planned of rules) {
      if (stopAtFirstError && hasFailed(spot)) continue
      const { pending } = subject
      if (isCollection(value) || value instanceof Object) {
        const children = spot.error?.children ?? []
        const outstanding = pending.length
        if (isCollection(value)) checkElements(value, rules, children, pending)
        else execute(value, children, pending)
        // A promise may put its children there later.
        if (children.length > 0 || pending.length > outstanding) {
          open(spot, subject, property, value).children = children
        }
      } else {
        const { rule, fillMessage } = planned
        const object = rule.target as object
        const args = argumentsOf(rule, object, object.constructor?.name, value)
        open(spot, subject, property, value).constraints![rule.type] = fillMessage(rule.message || '', args)
      }
    }
  }

  function checkElements(
    holder: unknown[] | Set<unknown> | Map<unknown, unknown>,
    rules: readonly PlannedRule[],
    errors: RuleError[],
    pending: Promise<unknown>[],
  ): void {
    const subject: Subject = { object: holder, targetName: '', errors, pending }
    const contexts = rules.filter(({ rule }) => Boolean(rule.context))
    const elements = holder instanceof Set ? Array.from(holder) : (holder as unknown[])
    elements.forEach(function checkElement(element: unknown, key: number) {
      const property = key.toString()
      if (element === undefined || (element === null && skipsNull)) return
      const spot: Spot = { error: undefined }
      checkNested(rules, element, subject, property, spot)
      if (spot.error) addContexts(spot.error, contexts)
    })
  }

  function unknownValue(object: object): RuleError {
    const validationError = { ...options.validationError, value: true }
    const error = createError(object, undefined, undefined as never, { validationError })
    error.constraints = { unknownValue: 'an unknown value was passed to the validate function' }
    return error
  }

  function whitelist(object: Record<string, unknown>, { grouped }: RulePlan, errors: RuleError[]): void {
    let refused: string[] | undefined
    for (const name of Object.keys(object)) {
      if (!grouped[name] || grouped[name].length === 0) (refused ??= []).push(name)
    }
    for (const name of refused ?? []) {
      if (!options.forbidNonWhitelisted) {
        delete object[name]
        continue
      }
      const error = createError(object, object[name], name, options)
      error.constraints = { whitelistValidation: `property ${name} should not exist` }
      error.children = undefined
      errors.push(error)
    }
  }

  return check
}

/** Whether all conditions are met; all of them are asked. */
function areMet(conditions: PropertyPlan['conditions'], object: object, value: unknown): boolean {
  let met: unknown = true
  for (const condition of conditions) {
    const constraints = condition.constraints as ReadonlyArray<(object: object, value: unknown) => unknown>
    const answer = constraints[0]!(object, value)
    met &&= answer
  }
  return Boolean(met)
}

/** A rule on a promised value adds promises while others settle: all are awaited. */
async function settle(errors: RuleError[], pending: readonly Promise<unknown>[]): Promise<RuleError[]> {
  for (let done = 0; done < pending.length;) {
    const round = pending.slice(done)
    done = pending.length
    await Promise.all(round)
  }
  return withoutEmpty(errors)
}

function withoutEmpty(errors: RuleError[]): RuleError[] {
  return errors.filter(function isError(error) {
    if (error.children && error.children.length > 0) error.children = withoutEmpty(error.children)
    if (error.constraints && Object.keys(error.constraints).length > 0) return true
    if (error.children!.length === 0) return false
    delete error.constraints
    return true
  })
}
