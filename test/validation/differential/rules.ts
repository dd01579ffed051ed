import * as library from 'class-validator'

/** What user functions were called with, in order. */
export type Log = (name: string, ...told: unknown[]) => void

/** What decorators of one case share. */
export interface Setting {
  readonly log: Log
  /** Lists and enumerations that change between rounds. */
  readonly mutable: { readonly list: unknown[]; readonly enumeration: Record<string, unknown> }
  readonly regexps: RegExp[]
  readonly child: new () => object
}

type Options = library.ValidationOptions
type Factory = (options: Options, setting: Setting) => PropertyDecorator

function regexp(setting: Setting, pattern: RegExp): RegExp {
  setting.regexps.push(pattern)
  return pattern
}

export const libraryRules: Readonly<Record<string, Factory>> = {
  isString: (options) => library.IsString(options),
  isInt: (options) => library.IsInt(options),
  isNumber: (options) => library.IsNumber({}, options),
  isBoolean: (options) => library.IsBoolean(options),
  isArray: (options) => library.IsArray(options),
  isEmail: (options) => library.IsEmail(undefined, options),
  isEmailAgain: (options) => library.IsEmail(undefined, options),
  isEmailWith: (options) => library.IsEmail({ host_blacklist: ['b.co'] }, options),
  length: (options) => library.Length(1, 3, options),
  minLength: (options) => library.MinLength(2, options),
  maxLength: (options) => library.MaxLength(3, options),
  matches: (options) => library.Matches(/^\d{2}$/, options),
  matchesGlobal: (options, setting) => library.Matches(regexp(setting, /a/g), options),
  matchesSticky: (options, setting) => library.Matches(regexp(setting, /b|a/y), options),
  matchesToken: (options) => library.Matches(/$value|$property/, options),
  isEnum: (options, { mutable }) => library.IsEnum(mutable.enumeration, options),
  isIn: (options, { mutable }) => library.IsIn(mutable.list, options),
  isNotIn: (options, { mutable }) => library.IsNotIn(mutable.list, options),
  min: (options) => library.Min(0, options),
  max: (options) => library.Max(10, options),
  isDefined: (options) => library.IsDefined(options),
  isNotEmpty: (options) => library.IsNotEmpty(options),
  isEmpty: (options) => library.IsEmpty(options),
  equals: (options) => library.Equals('a', options),
  notEquals: (options) => library.NotEquals({ toString: () => 'loud $value' }, options),
  contains: (options) => library.Contains('$value', options),
  arrayMaxSize: (options) => library.ArrayMaxSize(2, options),
  arrayMinSize: (options) => library.ArrayMinSize(1, options),
  arrayUnique: (options) => library.ArrayUnique(options),
  arrayContains: (options, { mutable }) => library.ArrayContains(mutable.list, options),
  isDate: (options) => library.IsDate(options),
  minDate: (options, { log }) =>
    library.MinDate(() => {
      log('minDate')
      return new Date(-1)
    }, options),
  isObject: (options) => library.IsObject(options),
  isInstance: (options, { child }) => library.IsInstance(child, options),
  isNotEmptyObject: (options) => library.IsNotEmptyObject({}, options),
  isUuid: (options) => library.IsUUID(4, options),
}

/** Whether a value pleases a rule of ours: some do, some do not, always the same. */
function pleases(value: unknown): boolean {
  return `${typeof value}${typeof value === 'object' ? '' : String(value)}`.length % 3 !== 0
}

function custom(
  name: string,
  answer: (value: unknown) => unknown,
  more: Partial<library.ValidationDecoratorOptions> = {},
) {
  return (options: Options, { log }: Setting): PropertyDecorator =>
    (prototype, property) =>
      library.registerDecorator({
        name,
        target: prototype.constructor,
        propertyName: property as string,
        options,
        constraints: [Symbol('s'), 'of $property', ['x', '$target']],
        validator: {
          validate(value, args) {
            log(name, value, args)
            return answer(value) as boolean
          },
          defaultMessage(args) {
            log(`${name} message`, args)
            return '$property is $value to $target: $constraint1 $constraint2 $constraint3'
          },
        },
        ...more,
      })
}

const instances = new WeakMap<object, unknown>()

const unknownClass = new Error('an unknown class')

/** What knows the classes of the application only, as containers do. */
export function createContainer(log: Log) {
  return {
    get(wanted: new () => object): unknown {
      if (!('isOurs' in wanted)) throw unknownClass
      log('container', wanted.name)
      if (!instances.has(wanted)) instances.set(wanted, new wanted())
      return instances.get(wanted)
    },
  }
}

let current: Log = () => undefined

/** Whom classes of constraints tell: they are registered once. */
export function listen(log: Log): void {
  current = log
}

@library.ValidatorConstraint({ name: 'ours' })
class OurConstraint {
  static readonly isOurs = true
  validate(value: unknown, args?: library.ValidationArguments): boolean {
    current('ours', value, args)
    return pleases(value)
  }
  defaultMessage(args?: library.ValidationArguments): string {
    current('ours message', args)
    return 'not ours: $value'
  }
}

@library.ValidatorConstraint({ name: 'second', async: true })
@library.ValidatorConstraint({ name: 'first' })
class TwiceConstraint {
  static readonly isOurs = true
  validate(value: unknown): boolean {
    current('twice', value)
    return pleases([value])
  }
}

export const customRules: Readonly<Record<string, Factory>> = {
  own: custom('own', pleases),
  lookAlike: custom('isEmail', pleases),
  bareLookAlike: custom('isEmail', pleases, { constraints: undefined }),
  noName: custom(undefined as never, pleases),
  definedAlike: custom('isDefined', pleases),
  nestedAlike: custom('nestedValidation', pleases),
  promised: custom('promised', async (value) => pleases(value)),
  declared: custom('declared', async (value) => pleases(value), { async: true }),
  later: custom('later', async (value) => {
    await Promise.resolve()
    return pleases(value)
  }),
  sometimes: custom('sometimes', (value) => (pleases(value) ? Promise.resolve(pleases([value])) : false)),
  rejecting: custom('rejecting', async (value) => {
    if (pleases(value)) return true
    throw new TypeError('rejected')
  }),
  throwing: custom('throwing', (value) => {
    if (pleases(value)) return true
    throw new RangeError('thrown')
  }),
  ours: (options) => library.Validate(OurConstraint, ['$value', 1], options),
  twice: (options) => library.Validate(TwiceConstraint, options),
}

export const messageKinds: Readonly<Record<string, (log: Log) => Options['message']>> = {
  empty: () => '',
  plain: () => 'is wrong',
  tokens: () => '$property of $target is $value, not $constraint1 or $constraint2 ($constraint10)',
  patterns: () => "$& $$ $' $value $` $constraint1",
  made: (log) => (args) => {
    log('message', args)
    return `made for ${String(args.property)} $value $constraint1`
  },
  madeOfNothing: (log) => () => {
    log('message')
    return undefined as never
  },
}
