import {
  Allow,
  ArrayContains,
  ArrayMaxSize,
  ArrayMinSize,
  ArrayNotEmpty,
  Contains,
  Equals,
  IsAlpha,
  IsArray,
  IsBoolean,
  IsByteLength,
  IsDate,
  IsDateString,
  IsDefined,
  IsDivisibleBy,
  IsEmail,
  IsEmpty,
  IsEnum,
  IsHexColor,
  IsIn,
  IsInt,
  IsLatitude,
  IsNegative,
  IsNotEmpty,
  IsNotEmptyObject,
  IsNotIn,
  IsNumber,
  IsNumberString,
  IsObject,
  IsPositive,
  IsString,
  IsUrl,
  IsUUID,
  Length,
  Matches,
  Max,
  MaxDate,
  MaxLength,
  Min,
  MinDate,
  MinLength,
  NotEquals,
  validateSync,
  type ValidationOptions,
} from 'class-validator'

/** The kinds of values that the rules of a generated property are about. */
export const families = ['text', 'number', 'truth', 'date', 'list', 'object', 'any'] as const
export type Family = (typeof families)[number]

type Decorate = (options: ValidationOptions) => PropertyDecorator

const colours = { red: 'red', green: 'green', 2: 'two' }
const levels = { low: 1, high: 2 }

/** Decorators of class-validator's own by what they are about. */
export const decorators: Readonly<Record<Family, readonly Decorate[]>> = {
  text: [
    (options) => IsString(options),
    (options) => Length(2, 4, options),
    (options) => Length(1, undefined, options),
    (options) => MinLength(3, options),
    (options) => MaxLength(3, options),
    (options) => Matches(/^\d+$/, options),
    (options) => Matches(/a/g, options),
    (options) => Matches('^b', 'i', options),
    (options) => IsEmail({}, options),
    (options) => IsEmail(undefined, options),
    (options) => IsUUID('4', options),
    (options) => IsUrl({}, options),
    (options) => IsDateString({}, options),
    (options) => IsNumberString({}, options),
    (options) => IsAlpha(undefined, options),
    (options) => Contains('a', options),
    (options) => IsByteLength(1, 3, options),
    (options) => IsHexColor(options),
    (options) => IsEnum(colours, options),
    (options) => IsIn(['red', 'a', ''], options),
  ],
  number: [
    (options) => IsInt(options),
    (options) => IsNumber({}, options),
    (options) => IsNumber({ maxDecimalPlaces: 1, allowNaN: true }, options),
    (options) => Min(0, options),
    (options) => Max(10, options),
    (options) => Min(-0.5, options),
    (options) => IsPositive(options),
    (options) => IsNegative(options),
    (options) => IsDivisibleBy(2, options),
    (options) => IsEnum(levels, options),
    (options) => IsIn([1, 2, 10], options),
    (options) => IsLatitude(options),
  ],
  truth: [(options) => IsBoolean(options), (options) => Equals(true, options), (options) => IsIn([true], options)],
  date: [
    (options) => IsDate(options),
    (options) => MinDate(new Date('2020-01-01'), options),
    (options) => MaxDate(new Date('2024-01-01'), options),
  ],
  list: [
    (options) => IsArray(options),
    (options) => ArrayMinSize(1, options),
    (options) => ArrayMaxSize(2, options),
    (options) => ArrayNotEmpty(options),
    (options) => ArrayContains(['a'], options),
  ],
  object: [(options) => IsObject(options), (options) => IsNotEmptyObject({ nullable: false }, options)],
  any: [
    (options) => IsNotEmpty(options),
    (options) => IsEmpty(options),
    (options) => IsDefined(options),
    (options) => NotEquals('a', options),
    (options) => IsNotIn(['a', 1, null], options),
    (options) => Allow(options),
  ],
}

const texts = [
  ...['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'b', 'Bob', '12', '1', 'red', 'two', '2', '#fff', '1.5', 'é', ' '],
  ...['😀', '😀😀', '😀\uFE0F', 'a\uFE0F', '\uD83D', '\uDE00\uD83D', '\uFE0F\uFE0F', '😀😀😀😀😀'],
  ...[
    'a@b.cd',
    'a.b@c-d.ef',
    'a..b@c.de',
    '.a@b.cd',
    'a@b.c',
    'a@-b.cd',
    'ä@b.cd',
    'a@b_c.de',
    'a@b.cd ',
    '@',
    'a@b.c1',
  ],
  ...[
    `${'a'.repeat(60)}@b.cd`,
    `${'a'.repeat(58)}@b.cd`,
    `${'a'.repeat(65)}@b.cd`,
    '"a b"@c.de',
    'a@b.cd\n',
    'a@xn--b.cd',
  ],
  ...['2020-01-01', '2023-02-30', '2024-02-29T12:00:00Z', '2019-12-31T23:59:59+01:00', '2020-01-01T00:00', 'nonsense'],
  ...['http://a.bc', 'f47ac10b-58cc-4372-a567-0e02b2c3d479', 'true', 'null', '__proto__'],
]
const numbers = [0, -0, 1, 2, 3, 9, 10, 11, -1, -0.5, -0.51, 0.1, 0.25, 1.5, 10.0001, 1e21, 2 ** 53, 91]
const lists: readonly (readonly unknown[])[] = [
  [],
  ['a'],
  ['a', 'b'],
  ['a', 'b', 'c'],
  [1],
  [null],
  [[]],
  [{}],
  ['a', 1],
  [1, 2],
  [1.5],
  [true],
  ['2020-01-01'],
]
const objects: readonly object[] = [
  {},
  { a: 1 },
  { a: null },
  { toString: 1 },
  { constructor: 1 },
  { b: { c: [1, { d: null }] } },
  { length: 2 },
]

/** Values near the borders of the rules, as JSON has them. */
export const samples: Readonly<Record<Family, readonly unknown[]>> = {
  text: texts,
  number: numbers,
  truth: [true, false],
  date: texts.filter((text) => /^\d{4}-/.test(text)),
  list: lists,
  object: objects,
  any: [null, 'a', 1, '', true, 'x'],
}

const known = new Map<string, ReadonlySet<unknown>>()

/** The samples of a family that pass one rule. */
export function passing(family: Family, rules: Family, which: number): ReadonlySet<unknown> {
  const key = `${family} ${rules} ${which}`
  const found = known.get(key)
  if (found) return found
  class Probe {
    value?: unknown
  }
  decorators[rules][which]?.({})(Probe.prototype, 'value')
  const passed = samples[family].filter((sample) => {
    const value = family === 'date' ? new Date(String(sample)) : sample
    try {
      return validateSync(Object.assign(new Probe(), { value })).length === 0
    } catch (error) {
      if (error instanceof URIError) return false
      throw error
    }
  })
  known.set(key, new Set(passed))
  return new Set(passed)
}
