import fc from 'fast-check'
import { customRules, libraryRules, messageKinds } from './rules'

/** What is said of one rule besides what it checks. */
export interface RuleModel {
  readonly kind: string
  readonly each: boolean
  readonly groups: readonly string[] | undefined
  readonly always: boolean | undefined
  readonly message: string
  readonly context: Record<string, unknown> | undefined
  readonly validateIf: boolean
}

export type TypeKind =
  'none' | 'child' | 'other' | 'string' | 'number' | 'boolean' | 'date' | 'buffer' | 'map' | 'dynamic'

export interface PropertyModel {
  readonly name: string
  readonly type: TypeKind
  readonly union: 'none' | 'kept' | 'dropped'
  readonly design: 'none' | 'Array' | 'Set' | 'Map' | 'Object' | 'List'
  readonly rules: readonly RuleModel[]
  readonly expose:
    { readonly name?: string; readonly groups?: string[]; readonly since?: number; readonly until?: number } | undefined
  readonly exclude: boolean
  readonly transforms: ReadonlyArray<{ readonly kind: string; readonly groups?: string[]; readonly since?: number }>
  readonly member: 'none' | 'default' | 'getter' | 'accessor' | 'method'
}

export interface ClassModel {
  readonly strategy: 'none' | 'expose' | 'exclude'
  readonly properties: readonly PropertyModel[]
}

export interface CaseModel {
  readonly root: ClassModel
  readonly parent: ClassModel | undefined
  readonly child: ClassModel
  readonly other: ClassModel
  readonly late: PropertyModel | undefined
  readonly validatorOptions: Record<string, unknown>
  readonly transformOptions: Record<string, unknown>
  readonly targetMap: string | undefined
  /** Whether the rules see what class-transformer made, or the input as it is. */
  readonly direct: boolean
  readonly inputs: readonly unknown[]
}

const names = ['a', 'b', 'c', 'name', 'items', 'child', 'kind', '10', '2', 'then', '_p']
const oddNames = ['toString', 'hasOwnProperty', 'constructor', 'size', '__proto__']
const groups = ['g', 'h']

/** `undefined` mostly, so that one model has few oddities and most of it runs. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, weight = 1): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight, arbitrary })
}

const someGroups = fc.subarray(groups, { minLength: 1 })

// Rules with more to them than a question to the library.
const remembered = ['isEmail', 'isEmail', 'isEmail', 'isIn', 'isIn', 'isIn', 'length', 'bareLookAlike', 'ours']

const rule: fc.Arbitrary<RuleModel> = fc.record({
  kind: fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...Object.keys(libraryRules), ...remembered) },
    { weight: 5, arbitrary: fc.constantFrom(...Object.keys(customRules)) },
    { weight: 3, arbitrary: fc.constantFrom('optional', 'validateIf', 'nested', 'allow') },
    { weight: 1, arbitrary: fc.constant('promise') },
  ),
  each: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  groups: rarely(someGroups),
  always: rarely(fc.boolean()),
  message: fc.oneof(
    { weight: 3, arbitrary: fc.constant('none') },
    { weight: 2, arbitrary: fc.constantFrom(...Object.keys(messageKinds)) },
  ),
  context: rarely(fc.constantFrom<Record<string, unknown>>({ code: 1 }, { code: 2, more: 'x' })),
  validateIf: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
})

const nestedRule: fc.Arbitrary<RuleModel> = rule.map((each) => ({ ...each, kind: 'nested', groups: undefined }))

const optionalGroups = {
  groups: someGroups,
  since: fc.integer({ min: 1, max: 3 }),
  until: fc.integer({ min: 1, max: 3 }),
}

function property(nesting: boolean): fc.Arbitrary<PropertyModel> {
  const plainType = fc.constantFrom<TypeKind>(
    'none',
    'none',
    'none',
    'string',
    'number',
    'boolean',
    'date',
    'buffer',
    'map',
  )
  const base = {
    name: fc.oneof(
      { weight: 150, arbitrary: fc.constantFrom(...names) },
      { weight: 1, arbitrary: fc.constantFrom(...oddNames.slice(0, 3)) },
    ),
    design: fc.constantFrom<PropertyModel['design']>('none', 'none', 'none', 'Array', 'Set', 'Map', 'Object', 'List'),
    expose: rarely(fc.record({ name: fc.constantFrom(...names, 'n'), ...optionalGroups }, { requiredKeys: [] }), 2),
    exclude: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    transforms: fc.oneof(
      { weight: 4, arbitrary: fc.constant([]) },
      {
        weight: 1,
        arbitrary: fc.array(
          fc.record(
            {
              kind: fc.constantFrom('wrap', 'same', 'throw', 'key'),
              groups: someGroups,
              since: fc.integer({ min: 1, max: 3 }),
            },
            { requiredKeys: ['kind'] },
          ),
          { minLength: 1, maxLength: 2 },
        ),
      },
    ),
    member: fc.oneof(
      { weight: 4, arbitrary: fc.constant<PropertyModel['member']>('none') },
      { weight: 1, arbitrary: fc.constantFrom<PropertyModel['member']>('default', 'getter', 'accessor', 'method') },
    ),
  }
  const plain = fc.record({
    ...base,
    type: plainType,
    union: fc.constant<PropertyModel['union']>('none'),
    rules: fc.array(rule, { maxLength: 3 }),
  })
  if (!nesting) return plain
  const nested = fc.record({
    ...base,
    type: fc.constantFrom<TypeKind>('child', 'child', 'child', 'other', 'dynamic', 'none'),
    union: fc.constantFrom<PropertyModel['union']>('none', 'none', 'kept', 'dropped'),
    rules: fc
      .tuple(nestedRule, fc.array(rule, { maxLength: 1 }), rarely(nestedRule))
      .map(([first, more, second]) => [first, ...more, ...(second ? [second] : [])]),
  })
  return fc.oneof({ weight: 2, arbitrary: plain }, { weight: 1, arbitrary: nested })
}

/** A class of which nothing is known before a promise settles. */
const promising: fc.Arbitrary<ClassModel> = fc.tuple(property(false), rule).map(([first, second]) => {
  const rules = ['promise', 'isInt'].map((kind) => ({ ...second, kind, groups: undefined, validateIf: false }))
  const plain = { type: 'none', expose: undefined, exclude: false, transforms: [], member: 'none' } as const
  return { strategy: 'none', properties: [{ ...first, ...plain, name: 'a', rules }] }
})

function classModel(nesting: boolean, maxLength: number): fc.Arbitrary<ClassModel> {
  return fc.record({
    strategy: fc.oneof(
      { weight: 8, arbitrary: fc.constant<ClassModel['strategy']>('none') },
      { weight: 1, arbitrary: fc.constantFrom<ClassModel['strategy']>('expose', 'exclude') },
    ),
    properties: fc.uniqueArray(property(nesting), { minLength: 1, maxLength, selector: ({ name }) => name }),
  })
}

const flag = fc.boolean()

const validatorOptions = fc.record(
  {
    groups: fc.subarray(groups),
    strictGroups: flag,
    always: flag,
    forbidUnknownValues: flag,
    skipMissingProperties: flag,
    skipNullProperties: flag,
    skipUndefinedProperties: flag,
    stopAtFirstError: flag,
    dismissDefaultMessages: flag,
    whitelist: flag,
    forbidNonWhitelisted: flag,
    validationError: fc.record({ target: flag, value: flag }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
)

const transformOptions = fc.record(
  {
    groups: fc.subarray(groups),
    version: fc.integer({ min: 1, max: 3 }),
    excludeExtraneousValues: flag,
    exposeDefaultValues: flag,
    exposeUnsetFields: flag,
    excludePrefixes: fc.constant(['_']),
    strategy: fc.constantFrom('exposeAll', 'excludeAll'),
    enableImplicitConversion: flag,
    enableCircularCheck: flag,
    ignoreDecorators: flag,
  },
  { requiredKeys: [] },
)

/** Options are absent mostly: all of them at once would leave little to be checked. */
function sparse(options: fc.Arbitrary<Record<string, unknown>>, keep: number): fc.Arbitrary<Record<string, unknown>> {
  return fc
    .tuple(options, fc.array(fc.nat(99), { minLength: 12, maxLength: 12 }))
    .map(([all, dice]) => Object.fromEntries(Object.entries(all).filter((_, index) => (dice[index] ?? 0) < keep)))
}

const addresses = fc.constantFrom(
  ...['a@b.co', 'a.b+c@d-e.example.org', 'A@B.CO', '😀@b.co', 'a@b', 'a..b@c.co', '.a@b.co', 'a@-b.co', 'a@b_c.co'],
  ...['a@1.2', 'a@b.c1', `${'a'.repeat(64)}@b.co`, `${'a'.repeat(65)}@b.co`, `${'a'.repeat(59)}@b.co`, 'a@b.co '],
  ...[
    `a@${'b'.repeat(64)}.co`,
    `${'a'.repeat(58)}@b.co`,
    'a@b.co\n',
    '"a b"@c.co',
    'a@b.co.',
    'a@b-.co',
    'a@[1.2.3.4]',
  ],
)

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    '',
    'a',
    'ab',
    'b',
    '12',
    '123456',
    'x',
    'y',
    'z',
    '$&',
    '$value',
    '$property',
    '$constraint1',
  ),
  fc.constantFrom<unknown>('😀', '😀😀😀', 'a\ud83d', '\ude00', 'é'),
  addresses,
  fc.constantFrom<unknown>(0, 1, -1, 10, 11, 1.5, NaN, Infinity, -0, 150, 5n),
  fc.constantFrom<unknown>(null, undefined, true, false),
)

type Make = (depth: number) => fc.Arbitrary<unknown>

const list: Make = (depth) =>
  fc
    .array(value(depth - 1), { maxLength: 3 })
    .chain((items) =>
      fc.constantFrom<unknown>(
        { $: 'list', items },
        { $: 'list', items },
        { $: 'set', items },
        { $: 'map', items },
        { $: 'holes', items },
      ),
    )

const record: Make = (depth) =>
  fc
    .array(
      fc.tuple(
        fc.oneof(
          { weight: 20, arbitrary: fc.constantFrom(...names, 'n', 'extra') },
          { weight: 1, arbitrary: fc.constantFrom(...oddNames) },
        ),
        value(depth - 1),
      ),
      { maxLength: 6 },
    )
    .map((entries) => ({ $: 'record', entries }))

/** An object that says which class of a union it is. */
const tagged: Make = (depth) =>
  fc.tuple(fc.constantFrom('child', 'other', 'none'), record(depth)).map(([tag, made]) => ({
    ...(made as object),
    tag,
  }))

const odd = fc.constantFrom<unknown>(
  { $: 'date', at: 0 },
  { $: 'date', at: NaN },
  { $: 'instance' },
  { $: 'null-prototype' },
  { $: 'array-like' },
  { $: 'buffer' },
  { $: 'thenable' },
  { $: 'regexp' },
)

// Nothing in it makes class-transformer reject: nobody would be there to take the rejection of a part that is dropped.
const calm = fc.constantFrom<unknown>('', 'a', 'ab', '12', 'b', '$value')

const promised = fc
  .oneof(
    calm,
    fc.array(fc.tuple(fc.constantFrom(...names), calm), { maxLength: 4 }).map((entries) => ({ $: 'record', entries })),
  )
  .map((settled) => ({ $: 'promise', settled }))

/** A description of a value: each side of a comparison makes its own of it. */
function value(depth: number): fc.Arbitrary<unknown> {
  if (depth <= 0) return scalar
  return fc.oneof(
    { weight: 10, arbitrary: scalar },
    { weight: 4, arbitrary: record(depth) },
    { weight: 3, arbitrary: tagged(depth) },
    { weight: 4, arbitrary: list(depth) },
    { weight: 1, arbitrary: odd },
    { weight: 1, arbitrary: promised },
  )
}

const values = [value(0), value(1), value(2)] as const

const nestedValue = fc.oneof(
  { weight: 2, arbitrary: tagged(2) },
  { weight: 2, arbitrary: record(2) },
  { weight: 2, arbitrary: list(2) },
  { weight: 2, arbitrary: fc.array(tagged(2), { maxLength: 3 }).map((items) => ({ $: 'list', items })) },
  { weight: 2, arbitrary: promised.map((value) => ({ $: 'record', entries: [['a', value]] })) },
  { weight: 1, arbitrary: values[2] },
)

/** Input for a class: its members' names in any order, mostly all of them, and others. */
function inputFor(model: Pick<CaseModel, 'root' | 'parent'>): fc.Arbitrary<unknown> {
  const properties = [...model.root.properties, ...(model.parent?.properties ?? [])]
  const known = [...new Set(properties.flatMap(({ name, expose }) => [name, expose?.name ?? name]))]
  const keysWith = (wanted: RegExp): Set<string> =>
    new Set(
      properties
        .filter(({ rules }) => rules.some(({ kind }) => wanted.test(kind)))
        .flatMap(({ name, expose }) => [name, expose?.name ?? name]),
    )
  const nested = keysWith(/^nested$/)
  const mail = keysWith(/email|LookAlike/i)
  const entry = (key: string): fc.Arbitrary<[string, unknown]> => {
    if (mail.has(key)) return fc.tuple(fc.constant(key), fc.oneof({ weight: 2, arbitrary: addresses }, values[1]))
    return fc.tuple(fc.constant(key), nested.has(key) ? nestedValue : values[2])
  }
  return fc
    .tuple(fc.shuffledSubarray(known, { minLength: Math.min(known.length, 1) }), record(2))
    .chain(([keys, more]) =>
      fc.tuple(...keys.map(entry)).map((entries) => ({
        $: 'record',
        entries: [...entries, ...(more as { entries: unknown[] }).entries.slice(0, 2)],
      })),
    )
}

/** Classes, options and input. */
export const caseModel: fc.Arbitrary<CaseModel> = fc
  .record({
    root: classModel(true, 5),
    parent: rarely(classModel(true, 3), 3),
    child: fc.oneof({ weight: 7, arbitrary: classModel(false, 3) }, { weight: 1, arbitrary: promising }),
    other: classModel(false, 2),
    late: rarely(property(false)),
    validatorOptions: sparse(validatorOptions, 35),
    transformOptions: sparse(transformOptions, 25),
    targetMap: rarely(fc.constantFrom(...names)),
    direct: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })
  .chain((model) =>
    fc
      .tuple(inputFor(model), inputFor(model), fc.boolean())
      // The same input again shows what is remembered too long.
      .map(([first, second, isSame]) => ({ ...model, inputs: [first, isSame ? first : second] })),
  )
