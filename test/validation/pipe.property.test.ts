import { Type } from 'class-transformer'
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  validate,
  ValidateIf,
  ValidateNested,
} from 'class-validator'
import fc from 'fast-check'
import { HttpError } from '../../src/errors'
import { TextValue } from '../../src/route/plan'
import type { Constructor } from '../../src/types'
import { Nullable } from '../../src/validation/nullable'
import { createValidation, type ValidationOptions } from '../../src/validation/pipe'
import { designType, paramOf } from './support'

class Address {
  @IsString() @Matches(/^\d{5}$/) zip!: string
  @Nullable() @IsString() street?: string | null
}

class Circle {
  @IsInt() radius!: number
}
class Square {
  @IsInt() side!: number
  @IsOptional() @ValidateNested() label?: Address
}

class Employee {
  @IsString() @Length(1, 5) name!: string
  @IsOptional() @IsInt() @Min(0) @Max(9) age?: number
  @IsOptional() @IsEmail() mail?: string
  @IsOptional() @IsBoolean() active?: boolean
  @IsOptional() @IsEnum({ a: 1, b: 2 }) level?: number
  @IsOptional() @IsArray() @ArrayMaxSize(2) @IsString({ each: true }) tags?: string[]
  @IsOptional() @IsObject() free?: object
  @IsOptional() @Allow() any?: unknown
  @IsOptional() @ValidateNested() @Type(() => Address) address?: Address
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Address) addresses?: Address[]
  @IsOptional() @ValidateNested() @Type(() => Employee) boss?: Employee
  @ValidateIf((object: Employee) => object.name === 'x') @IsIn(['y']) then?: string
  @IsOptional()
  @ValidateNested({ each: true })
  @Type(() => Object, {
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'circle', value: Circle },
        { name: 'square', value: Square },
      ],
    },
  })
  shapes?: (Circle | Square)[]
}

const names = [
  ...[
    'name',
    'age',
    'mail',
    'active',
    'level',
    'tags',
    'free',
    'any',
    'address',
    'addresses',
    'boss',
    'then',
    'shapes',
  ],
  ...['zip', 'street', 'kind', 'radius', 'side', 'label'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON', 'length', '0', ''],
]

/** JSON-like values whose names are the classes' own, and nasty ones. */
const { value: anything } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('x', 'a@b.cd', '12345', 'circle', 'square', '', '1', 'true', null),
    fc.integer({ min: -1, max: 10 }),
    fc.double(),
    fc.boolean(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), tie('value')), { selector: ([name]) => name, maxLength: 6 })
    // The names are put in by definition: `__proto__` must become a member, as JSON.parse makes it one.
    .map(
      (entries) =>
        JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`) as object,
    ),
}))

const address = fc.record({ zip: fc.constant('12345'), street: fc.constantFrom('x', null) }, { requiredKeys: ['zip'] })
const shape = fc.oneof(
  fc.record({ kind: fc.constant('circle'), radius: fc.nat() }),
  fc.record({ kind: fc.constant('square'), side: fc.nat(), label: address }, { requiredKeys: ['kind', 'side'] }),
)

/** Mostly fit to be accepted. */
const employee = fc.record(
  {
    name: fc.constantFrom('x', 'abc'),
    age: fc.integer({ min: 0, max: 9 }),
    mail: fc.constant('a@b.cd'),
    active: fc.boolean(),
    level: fc.constantFrom(1, 2),
    tags: fc.array(fc.string(), { maxLength: 2 }),
    free: fc.dictionary(fc.string(), fc.jsonValue()),
    any: anything,
    address,
    addresses: fc.array(address, { maxLength: 3 }),
    boss: fc.record({ name: fc.constant('abc') }),
    then: fc.constant('y'),
    shapes: fc.array(shape, { maxLength: 3 }),
  },
  { requiredKeys: ['name'] },
)

const options = fc.record<ValidationOptions>({
  unknown: fc.constantFrom('refuse' as const, 'strip' as const),
  optionalNull: fc.constantFrom('refuse' as const, 'accept' as const),
})

const settings = { numRuns: 1500 }

async function outcomeOf(type: Constructor, value: unknown, given: ValidationOptions, list = false): Promise<unknown> {
  const { pipe } = createValidation(given, designType)
  try {
    return await pipe(value, paramOf(type, { type: { kind: 'class', class: type, list } }))
  } catch (error) {
    if (error instanceof HttpError) return error
    throw error
  }
}

describe('pipe(value, param), whatever the value', () => {
  test('gives an instance that class-validator accepts, or a 422 that says why; the input stays as it was', async () => {
    let accepted = 0
    const holds = fc.asyncProperty(fc.oneof(anything, employee), options, async (value, given) => {
      const before = JSON.stringify(value)
      const outcome = await outcomeOf(Employee, value, given)
      expect(JSON.stringify(value)).toBe(before)
      if (outcome instanceof HttpError) {
        expect(outcome.status).toBe(422)
        expect(outcome.errors?.length).toBeGreaterThan(0)
        return
      }
      accepted++
      expect(outcome).toBeInstanceOf(Employee)
      expect(await validate(outcome as object, { whitelist: true, forbidNonWhitelisted: true })).toEqual([])
      expect(Object.values(outcome as object)).not.toContain(undefined)
    })
    await fc.assert(holds, settings)
    expect(accepted).toBeGreaterThan(settings.numRuns / 10)
  })

  test('the same of lists, and of text', async () => {
    const holds = fc.asyncProperty(anything, options, fc.boolean(), fc.boolean(), async (value, given, list, text) => {
      const outcome = await outcomeOf(Employee, text ? new TextValue(value) : value, given, list)
      if (outcome instanceof HttpError) expect(outcome.status).toBe(422)
      else expect(list ? Array.isArray(outcome) : outcome instanceof Employee).toBe(true)
    })
    await fc.assert(holds, settings)
  })

  test('never touches a prototype', async () => {
    const pristine = (): string[] =>
      [Object, Array, Employee, Address].flatMap((each) => Reflect.ownKeys(each.prototype).map(String))
    const before = pristine()
    await fc.assert(
      fc.asyncProperty(anything, options, async (value, given) => {
        const outcome = await outcomeOf(Employee, value, given)
        if (outcome instanceof Employee) expect(Object.getPrototypeOf(outcome)).toBe(Employee.prototype)
        expect(pristine()).toEqual(before)
      }),
    )
  })

  test('a message never quotes a text that only the client knew', async () => {
    const secret = 'wf8d7c'
    const bury = (value: unknown): unknown => {
      if (typeof value === 'string') return secret
      if (Array.isArray(value)) return value.map(bury)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, bury(member)]))
    }
    await fc.assert(
      fc.asyncProperty(fc.oneof(anything, employee), async (value) => {
        const outcome = await outcomeOf(Employee, bury(value), {})
        if (outcome instanceof HttpError) expect(JSON.stringify([outcome.detail, outcome.errors])).not.toContain(secret)
      }),
      { numRuns: 500 },
    )
  })
})
