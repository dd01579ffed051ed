import { HttpError, type Violation } from '../errors'
import type { ParamPlan } from '../route/plan'
import type { Awaitable, Constructor } from '../types'
import type { DesignType } from './model'
import { createValidation, Refused, type ValidationOptions } from './pipe'

/** How a class is validated outside an application: as a body of JSON is in one. */
export type ValidatorOptions = Omit<ValidationOptions, 'bodyStatus'>

/** The validation of one class. */
export interface CompiledValidator<T> {
  /**
   * A checked instance of decoded JSON; the value stays as it was.
   *
   * @throws ValidationError 422 with all that is wrong in `errors`; TypeError where a rule of the class is asynchronous
   */
  parse(value: unknown): T
  /** All that is wrong with a value; nothing where it is valid. @throws TypeError where a rule is asynchronous */
  validate(value: unknown): readonly Violation[]
  /** Whether a value is valid. @throws TypeError where a rule is asynchronous */
  isValid(value: unknown): boolean
  /** As `parse`, for classes with asynchronous rules too. */
  parseAsync(value: unknown): Promise<T>
  /** As `validate`, for classes with asynchronous rules too. */
  validateAsync(value: unknown): Promise<readonly Violation[]>
}

const nothing: readonly Violation[] = Object.freeze([])

/** {@link compileValidator}, given what tells the types that the compiler emitted. */
export function createValidator<T extends object>(
  target: Constructor<T>,
  options: ValidatorOptions,
  designType: DesignType,
): CompiledValidator<T> {
  const validation = createValidation(options, designType)
  const param: ParamPlan = {
    index: 0,
    source: 'body',
    type: { kind: 'class', class: target, list: false },
    required: true,
    where: `compileValidator(${target.name})`,
  }
  validation.check(param)

  /** An instance or what was refused. What a rule throws by itself is passed on. */
  function settle(value: unknown): Awaitable<unknown> {
    try {
      const judged = validation.judge(value, param)
      return judged instanceof Promise ? judged.catch(toRefused) : judged
    } catch (error) {
      return toRefused(error)
    }
  }

  function atOnce(value: unknown): unknown {
    const settled = settle(value)
    if (!(settled instanceof Promise)) return settled
    settled.catch(() => undefined)
    throw new TypeError(`${target.name} has an asynchronous rule: call parseAsync or validateAsync`)
  }

  return {
    parse: (value) => toInstance<T>(atOnce(value)),
    validate: (value) => toViolations(atOnce(value)),
    isValid: (value) => !(atOnce(value) instanceof Refused),
    parseAsync: async (value) => toInstance<T>(await settle(value)),
    validateAsync: async (value) => toViolations(await settle(value)),
  }
}

function toRefused(error: unknown): Refused {
  if (error instanceof HttpError && error.errors) return new Refused(error)
  throw error
}

function toInstance<T>(settled: unknown): T {
  if (settled instanceof Refused) throw settled.error
  return settled as T
}

function toViolations(settled: unknown): readonly Violation[] {
  return settled instanceof Refused ? (settled.error.errors ?? nothing) : nothing
}
