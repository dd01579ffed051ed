import {
  getMetadataStorage,
  ValidateIf,
  Validator,
  type ValidationError as RuleError,
  type ValidatorOptions,
} from 'class-validator'
import type { ValidationExecutor } from 'class-validator/types/validation/ValidationExecutor'
import type { Awaitable } from '../types'

// The executor is not exported by the package's door. It alone tells whether a promise is outstanding: `validateSync`
// skips asynchronous rules (and brings the process down where an undeclared one meets a nested error), and `validate`
// makes a promise of everything.
const { ValidationExecutor: Executor } = require('class-validator/cjs/validation/ValidationExecutor') as {
  ValidationExecutor: typeof ValidationExecutor
}

/** One rule on one property, as class-validator keeps it. */
export type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number]

export { ValidateIf, type RuleError, type ValidatorOptions }

const engine = new Validator()

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
