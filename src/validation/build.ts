import { HttpError } from '../errors'
import type { Awaitable } from '../types'
import type { Findings } from './findings'
import { transformer, validator } from './lazy'
import type { Place } from './place'
import type { Prepared } from './prepare'
import { settleInstance } from './settle'
import { absent } from './sift'
import type { RuleError } from './validator'
import { takeErrors } from './violations'

/**
 * Builds instances of sifted data and runs their rules.
 *
 * @param plain what the sieve has left
 * @param setup the class
 * @param findings what is wrong so far; more goes there
 * @param place of the data, for pointers and sentences
 * @param bodyStatus status of a body that breaks its rules
 * @throws ValidationError or BadRequest where anything was found
 */
export function buildAndCheck(
  plain: unknown,
  setup: Prepared,
  findings: Findings,
  place: Place,
  bodyStatus: number,
): Awaitable<unknown> {
  const fail = (error: unknown): never => {
    if (!findings.failed && validator().metBrokenText(error)) {
      findings.refuse(place.pointer, 'encoding', `${place.label} holds text that is not well-formed`)
    }
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
    outcome = runAll(instances, setup)
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
  const { threwByItself } = transformer()
  try {
    const instance = setup.build(plain)
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
  { findErrors }: Prepared,
): Awaitable<RuleError[][]> {
  const outcomes: Array<Awaitable<RuleError[]>> = []
  try {
    for (const { instance } of instances) outcomes.push(findErrors(instance))
  } catch (error) {
    // Nobody will wait for those that are under way: their rejection must not end the process.
    for (const outcome of outcomes) if (outcome instanceof Promise) outcome.catch(() => undefined)
    throw error
  }
  const asynchronous = outcomes.some((outcome) => outcome instanceof Promise)
  return asynchronous ? Promise.all(outcomes.map((each) => Promise.resolve(each))) : (outcomes as RuleError[][])
}
