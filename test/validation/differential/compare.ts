import assert from 'node:assert'
import { types } from 'node:util'
import { useContainer } from 'class-validator'
import type { Awaitable } from '../../../src/types'
import { build, type ClassTransformOptions } from '../../../src/validation/transformer'
import { runRules, type RuleError, type ValidatorOptions } from '../../../src/validation/validator'
import { decorateProperty, forgetClasses, makeClasses, type Classes } from './classes'
import type { CaseModel } from './model'
import { createContainer, listen, type Setting } from './rules'
import { show } from './show'
import { makeValue } from './values'

type Instance = Record<string, unknown>

/** What is compared with the libraries. */
export interface Subject {
  createBuilder(options: ClassTransformOptions): (target: new () => object, plain: unknown) => unknown
  createChecker(options: ValidatorOptions): (instance: object) => Awaitable<RuleError[]>
}

interface Side {
  build(target: new () => object, plain: unknown): unknown
  check(instance: object): Awaitable<RuleError[]>
}

/** All that can be told apart from outside. */
interface Outcome {
  readonly instance: unknown
  readonly errors: unknown
  readonly told: readonly (readonly [string, string])[]
}

/** Runs a case by the libraries and by a subject, twice, with changes in between; throws where they differ. */
export async function compare(model: CaseModel, subject: Subject): Promise<void> {
  const lines: string[] = []
  const log = (name: string, ...args: unknown[]): void => void lines.push(`${name} ${show(args, [], [], 4)}`)
  listen(log)
  useContainer(createContainer(log), { fallbackOnErrors: true })
  const regexps: RegExp[] = []
  const mutable = { list: ['a', 1] as unknown[], enumeration: { A: 'a', B: 'b' } as Record<string, unknown> }
  const setting: Omit<Setting, 'child'> = { log, mutable, regexps }
  const classes = makeClasses(model, setting)
  try {
    const transformOptions = optionsFor(model, classes)
    const oracle: Side = {
      build: (target, plain) => build(target, plain, transformOptions),
      check: (instance) => runRules(instance, model.validatorOptions),
    }
    const tested: Side = {
      build: subject.createBuilder(transformOptions),
      check: subject.createChecker(model.validatorOptions),
    }
    const sides = [oracle, tested] as const
    for (const [round, input] of model.inputs.entries()) {
      if (round === 1) change(model, classes, setting)
      const outcomes: Outcome[] = []
      for (const side of sides) {
        lines.length = 0
        for (const regexp of regexps) regexp.lastIndex = 0
        outcomes.push(await run(side, model, classes, makeValue(input, classes.child), lines))
      }
      mustAgree(outcomes[0]!, outcomes[1]!)
    }
  } finally {
    forgetClasses(classes)
    useContainer(undefined as never)
  }
}

function optionsFor(model: CaseModel, { root, child }: Classes): ClassTransformOptions {
  const maps = model.targetMap === undefined ? undefined : [{ target: root, properties: { [model.targetMap]: child } }]
  return { ...model.transformOptions, ...(maps ? { targetMaps: maps } : {}) }
}

/** What applications do late: they add to lists, and to classes. */
function change(model: CaseModel, classes: Classes, setting: Omit<Setting, 'child'>): void {
  setting.mutable.list.push('x', '$value')
  setting.mutable.enumeration['C'] = '12'
  if (model.late) decorateProperty(classes.root, model.late, classes, { ...setting, child: classes.child })
}

async function run(side: Side, model: CaseModel, classes: Classes, input: unknown, lines: string[]): Promise<Outcome> {
  const told: [string, string][] = []
  const promises: Promise<unknown>[] = []
  const tell = (name: string, value: unknown): void => void told.push([name, show(value, promises)])
  let instance: unknown
  let errors: unknown
  try {
    instance = model.direct
      ? Object.defineProperties(new classes.root(), Object.getOwnPropertyDescriptors(input as object))
      : side.build(classes.root, input)
    await Promise.resolve()
    tell('instance', instance)
    for (const promise of promises) promise.catch(() => undefined)
    tell('input', input)
    const outcome = side.check(instance as Instance)
    tell('asynchronous', outcome instanceof Promise)
    errors = await orPending(outcome)
  } catch (error) {
    tell('thrown', types.isNativeError(error) ? [error.name, error.message] : error)
  }
  // Promises of the losing side of a race settle by now: what they call belongs to this side.
  await new Promise(setImmediate)
  tell('errors', errors)
  tell('instance after the rules', instance)
  for (const promise of promises.splice(0)) tell('promised', await orPending(promise.catch(String)))
  return { instance, errors, told: [...told, ...lines.map((line) => ['call', line] as const)] }
}

/** What has a method `then` that calls nobody back is outstanding for ever. */
async function orPending(outcome: unknown): Promise<unknown> {
  if (!(outcome instanceof Promise)) return outcome
  return Promise.race([outcome, new Promise((resolve) => setImmediate(resolve, 'pending'))])
}

function mustAgree(expected: Outcome, actual: Outcome): void {
  assert.deepStrictEqual(actual.told, expected.told)
  // To Node 20 two invalid dates differ, and promises have numbers of their own: the texts tell both.
  if (expected.told.some(([, text]) => /Date\(NaN\)|Promise/.test(text))) return
  assert.deepStrictEqual(actual.instance, expected.instance)
  assert.deepStrictEqual(actual.errors, expected.errors)
}
