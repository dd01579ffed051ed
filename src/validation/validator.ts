import * as library from 'class-validator'
import type { ValidationExecutor } from 'class-validator/types/validation/ValidationExecutor'
import type { Awaitable } from '../types'

const { getMetadataStorage, ValidateIf, Validator } = library

// The executor is not exported by the package's door. It alone tells whether a promise is outstanding: `validateSync`
// skips asynchronous rules (and brings the process down where an undeclared one meets a nested error), and `validate`
// makes a promise of everything.
const { ValidationExecutor: Executor } = require('class-validator/cjs/validation/ValidationExecutor') as {
  ValidationExecutor: typeof ValidationExecutor
}

/** One rule on one property, as class-validator keeps it. */
export type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number]

export type RuleError = library.ValidationError
export type ValidatorOptions = library.ValidatorOptions

export { ValidateIf }

const engine = new Validator()

/** The version of this copy of class-validator. */
export const validatorVersion = (require('class-validator/package.json') as { readonly version: string }).version

/** Where this copy of class-validator was loaded from. */
export const validatorPath = require.resolve('class-validator')

/** The storage that this copy of class-validator writes to. */
export const ruleStorage = getMetadataStorage()

/**
 * The rules of a class, its own and inherited, that apply in these groups.
 *
 * Rules without groups always apply: nested objects need no `always: true`. Without groups every rule applies.
 */
export function rulesOf(target: object, groups?: readonly string[]): Rule[] {
  // `always` is true, `strictGroups` false, as in the options given to the executor.
  return ruleStorage.getTargetValidationMetadatas(target as never, '', true, false, groups as string[] | undefined)
}

/** The names and instances of the constraints behind a rule: one, unless a class of constraints has several. */
export function constraintsOf(rule: Rule): ReturnType<typeof ruleStorage.getTargetValidatorConstraints> {
  return ruleStorage.getTargetValidatorConstraints(rule.constraintCls)
}

/** A constraint behind a rule. */
export type Constraint = ReturnType<typeof constraintsOf>[number]

/** What a rule and its message are told. */
export type RuleArguments = library.ValidationArguments

const { ValidationUtils: Utils } = require('class-validator/cjs/validation/ValidationUtils') as {
  ValidationUtils: typeof import('class-validator/types/validation/ValidationUtils').ValidationUtils
}

/** A message with its `$property`, `$value`, `$target` and `$constraint1` replaced, as class-validator does it. */
export const fillMessage = Utils.replaceMessageSpecialTokens.bind(Utils)

/** class-validator's own executor, whose outstanding promises go into `pending`. */
export function createExecutor(options: ValidatorOptions, pending: Promise<unknown>[]): ValidationExecutor {
  const executor = new Executor(engine, options)
  executor.awaitingPromises = pending
  return executor
}

/** An error as class-validator makes them; its members are the caller's to set. */
export function createRuleError(): RuleError {
  return new library.ValidationError()
}

type DecoratorFactory = (option: object) => (prototype: object, property: string) => void

/** A decorator of the library's own, where this version has it. */
export function decoratorNamed(name: string): DecoratorFactory | undefined {
  return (library as unknown as Record<string, DecoratorFactory | undefined>)[name]
}

/** Takes the rules of a class out of the storage: what documents all that is validated is not to find it. */
export function forgetRules(target: object): void {
  const { validationMetadatas, constraintMetadatas } = ruleStorage as unknown as Record<string, Map<unknown, Rule[]>>
  for (const { constraintCls } of validationMetadatas?.get(target) ?? []) constraintMetadatas?.delete(constraintCls)
  validationMetadatas?.delete(target)
}

/**
 * What is wrong with an instance; at once where no rule of it is asynchronous.
 *
 * @throws whatever a rule throws, or rejects with: that is a failure of ours, not the client's
 */
export function runRules(instance: object, options: ValidatorOptions): Awaitable<RuleError[]> {
  const executor = new Executor(engine, options)
  const errors: RuleError[] = []
  try {
    executor.execute(instance, '', errors)
  } catch (error) {
    // Rules that were started before the one that threw may still reject: nobody waits for them any more.
    for (const promise of executor.awaitingPromises as Promise<unknown>[]) promise.catch(() => undefined)
    throw error
  }
  const pending = executor.awaitingPromises as Promise<unknown>[]
  if (pending.length === 0) return executor.stripEmptyErrors(errors)
  return settle(executor, errors)
}

/** A rule on a promised value adds promises while others settle: all are awaited. */
async function settle(executor: ValidationExecutor, errors: RuleError[]): Promise<RuleError[]> {
  const pending = executor.awaitingPromises as Promise<unknown>[]
  for (let done = 0; done < pending.length;) {
    const round = pending.slice(done)
    done = pending.length
    await Promise.all(round)
  }
  return executor.stripEmptyErrors(errors)
}

/**
 * Whether a rule of class-validator's met text that is not well-formed, half a surrogate pair say, which it measures as it
 * would a URI.
 */
export function metBrokenText(error: unknown): boolean {
  if (!(error instanceof URIError) || typeof error.stack !== 'string') return false
  const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line))
  const thrower = frames.find((line) => !/\((?:node:|<anonymous>|native)|at node:/.test(line))
  return thrower !== undefined && /[\\/]validator[\\/](?:lib|es)[\\/]/.test(thrower)
}
