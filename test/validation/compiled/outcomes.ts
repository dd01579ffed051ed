import { getMetadataStorage, useContainer } from 'class-validator'
import fc from 'fast-check'
import { HttpError } from '../../../src/errors'
import type { Constructor } from '../../../src/types'
import type { createValidation, ValidationOptions } from '../../../src/validation/pipe'
import { designType, paramOf } from '../support'
import { declare, randomOf, specs, valueFor, type Specs } from './generated'

/** One generated case: classes, how strict the validation is, and values. */
export interface Case {
  readonly all: Specs
  readonly options: ValidationOptions
  readonly list: boolean
  readonly seeds: readonly number[]
}

export const cases: fc.Arbitrary<Case> = fc.record({
  all: specs,
  options: fc.record({
    unknown: fc.constantFrom('refuse' as const, 'refuse' as const, 'strip' as const),
    optionalNull: fc.constantFrom('refuse' as const, 'accept' as const),
    groups: fc.constantFrom(undefined, undefined, undefined, ['g'], ['g', 'h']),
  }),
  list: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  seeds: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
})

/** The number of runs and the seed, set by KUMU_FUZZ_RUNS and KUMU_FUZZ_SEED (`random`: another one each time). */
export function fuzzSettings(runs: number): { numRuns: number; seed?: number } {
  const { KUMU_FUZZ_RUNS: count, KUMU_FUZZ_SEED: seed } = process.env
  return { numRuns: Number(count ?? runs), seed: seed === 'random' ? undefined : Number(seed ?? 20_240_229) }
}

/** What a validation makes of a value: all that a caller can see of it. */
export interface Outcome {
  readonly value?: unknown
  readonly keys?: string
  readonly status?: number
  readonly error?: unknown
}

type Create = typeof createValidation

/** What each validation makes of each value of a case. */
export async function outcomesOf(given: Case, subjects: readonly Create[]): Promise<Outcome[][]> {
  const classes = declare(given.all)
  const target = classes[0] as Constructor
  const outcomes: Outcome[][] = []
  for (const create of subjects) {
    const { pipe } = create({ ...given.options, compile: subjects.indexOf(create) > 0 }, designType)
    const param = paramOf(target, { type: { kind: 'class', class: target, list: given.list } })
    const row: Outcome[] = []
    for (const seed of given.seeds) {
      const random = randomOf(seed)
      const value = given.list
        ? [valueFor(given.all, 0, random), valueFor(given.all, 0, random)]
        : valueFor(given.all, 0, random)
      row.push(await outcomeOf(() => pipe(value, param)))
    }
    outcomes.push(row)
  }
  forget(classes)
  return outcomes
}

async function outcomeOf(run: () => unknown): Promise<Outcome> {
  try {
    const value = await run()
    return { value, keys: keysOf(value) }
  } catch (error) {
    if (!(error instanceof HttpError)) return { error: String(error) }
    const { status, detail, code, errors } = error
    return { status, error: { name: error.constructor.name, detail, code, errors } }
  }
}

/** The order of names is what a client sees of an instance. */
function keysOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}:${keysOf(member)}`)
    .join()}}`
}

/** The storages only ever grow, and all of them is looked through for each class. */
function forget(classes: readonly Constructor[]): void {
  const storage = getMetadataStorage() as unknown as Record<string, Map<unknown, { readonly constraintCls: unknown }[]>>
  for (const each of classes) {
    for (const { constraintCls } of storage.validationMetadatas?.get(each) ?? []) {
      storage.constraintMetadatas?.delete(constraintCls)
    }
    storage.validationMetadatas?.delete(each)
  }
}

const instances = new WeakMap<object, object>()

/** The library's own container is searched from its beginning for every rule that was ever declared. */
export function useFastContainer(): void {
  useContainer({
    get(type: unknown) {
      const known = instances.get(type as object)
      if (known) return known as never
      const fresh = new (type as new () => object)()
      instances.set(type as object, fresh)
      return fresh as never
    },
  })
}
