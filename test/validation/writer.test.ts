import 'reflect-metadata'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Exclude, Expose, Transform, Type } from 'class-transformer'
import fc from 'fast-check'
import { createToPlain } from '../../src/validation/plain'
import { createJsonWriter } from '../../src/validation/writer'
import { isPlainJson } from '../../src/validation/writer/plain-json'

const toPlain = createToPlain()

/** The text that a value has to have. */
function textOf(value: unknown): string {
  return JSON.stringify(toPlain(value)) ?? 'null'
}

/** What comes of an attempt, a failure by its name and message. */
function outcomeOf(attempt: () => string): string {
  try {
    return attempt()
  } catch (error) {
    return String(error)
  }
}

/** A writer that has learned the shape of a value, and what it writes of another. */
function learnedWrite(taught: unknown, value: unknown = taught): string {
  const write = createJsonWriter(toPlain)
  for (let time = 0; time < 3; time++) write(taught)
  return write(value)
}

// --- Values of all kinds ----------------------------------------------------------------------------------------------

class Bare {
  id = 1
  name: unknown = 'bare'
}

class Address {
  street: unknown = 'Main'
  @Exclude() secret = 'x'
}

class User {
  id: unknown = 7
  name: unknown = 'Ann'
  @Exclude() password = 'secret'
  @Expose({ name: 'full_name' }) get fullName(): string {
    return `${String(this.name)} Lee`
  }
  @Expose() greet(): string {
    return 'hello'
  }
  @Transform(({ value }) => [value as unknown], { toPlainOnly: true }) wrapped: unknown = 1
  @Type(() => Address) address: unknown = new Address()
  @Type(() => Address) others: unknown = [new Address(), { street: 'Side', secret: 'y' }]
  @Type(() => String) text: unknown = 5
  @Type(() => Date) since: unknown = '2024-02-29'
}

class Admin extends User {
  level: unknown = 1
}

@Exclude()
class Closed {
  @Expose() open: unknown = 1
  shut = 2
}

class Clash {
  @Expose({ name: 'b' }) a: unknown = 1
  b = 2
  @Expose({ name: '1' }) number = 3
}

class Circle {
  radius: unknown = 1
}

class Drawing {
  @Type(() => Object, {
    discriminator: {
      property: 'kind',
      subTypes: [
        { name: 'circle', value: Circle },
        { name: 'closed', value: Closed },
      ],
    },
  })
  shapes: unknown = [new Circle(), new Closed(), { kind: 'none' }]
}

class Dictionary extends Map<string, unknown> {
  @Exclude() hidden = 1
  shown = 2
}

class Identifier {
  constructor(readonly bytes: string) {}
  toJSON(): string {
    return this.bytes
  }
}

function Old(this: { own: number }): void {
  this.own = 1
}
Object.assign(Old.prototype as object, { inherited: 1, name: 'inherited' })

class Labelled {
  get label(): string {
    return 'inherited'
  }
}
const own = { value: 'own', enumerable: true }

function old(): object {
  return Reflect.construct<[], object>(Old as unknown as new () => object, [])
}

const tagged = Object.assign(new Circle(), { kind: 'square' })

function pairOf<T extends object>(instance: T, members: object): T[] {
  return [instance, instance].map(() =>
    Object.assign(Object.create(Object.getPrototypeOf(instance) as object), instance, members),
  )
}

const classes = [Bare, User, Admin, Closed, Clash, Drawing, Circle, Dictionary] as const

const odd: readonly (() => unknown)[] = [
  () => new Date(0),
  () => new Date(NaN),
  () => new (class extends Date {})(5),
  () => new URL('http://a.b/"c"?d'),
  () => new URLSearchParams('a=b&c=d'),
  () => /a"b/gi,
  () => new TypeError('o"ops'),
  () => Object.assign(new Error('m'), { toJSON: () => 'never', extra: 1 }),
  () => Buffer.from('hi'),
  () => new Uint16Array([1, 2]),
  () => new Uint8Array([104, 105]).buffer,
  () => Object(NaN) as unknown,
  () => Object('boxed') as unknown,
  () => Object(1n) as unknown,
  () => Object(false) as unknown,
  () => Object.assign(Object.create(null) as object, { n: 1n, s: 'x' }),
  () => Object.create({ inherited: 1 }) as unknown,
  () => Object.create(Bare.prototype) as unknown,
  () => Object.create(Date.prototype) as unknown,
  () => new Identifier('5f"e'),
  () => ({ toJSON: () => ({ at: new Date(0) }) }),
  () => ({ toJSON: () => undefined }),
  () => ({ toJSON: 5, id: 1 }),
  () => {
    const self = { n: 1n as unknown, toJSON: () => self }
    return self
  },
  () => Object.defineProperty({ id: 1 }, 'toJSON', { value: () => 'not enumerable' }),
  () => Object.defineProperty({ id: 1 }, 'hidden', { value: 2 }),
  () => Object.assign([1, 2n], { toJSON: () => 'a list' }),
  () => Object.assign([1, 'x'], { toJSON: () => 'a list' }),
  () => Object.assign([1, 'x'], { extra: true }),
  () => new (class extends Array<unknown> {})(3),
  () => [, 1, , 'x'], // eslint-disable-line no-sparse-arrays -- a list with holes is the case
  () => Object.setPrototypeOf([], Object.prototype) as unknown,
  () => ({
    get late() {
      return new Date(1)
    },
    id: 1,
  }),
  () => ({
    get broken(): never {
      throw new RangeError('no value')
    },
  }),
  () => new Proxy({ id: 1, name: 'proxy', at: new Date(2) }, {}),
  () => new Proxy([1, 2n, 'x'], {}),
  () => new Proxy(new Bare(), {}),
  () => old(),
  () => Object.assign(old(), { name: 'own' }),
  () => JSON.parse('{"__proto__":{"a":1},"b":{"__proto__":"x"}}') as unknown,
  () => () => 1,
  () => Symbol('s'),
  () => {
    const cycle: Record<string, unknown> = { id: 1, list: [1, {}] }
    ;(cycle['list'] as unknown[])[1] = { back: cycle }
    return cycle
  },
  () => {
    const map = new Map<unknown, unknown>([['a', 1]])
    return map.set('self', { map })
  },
  () => {
    const user = new User()
    user.wrapped = { user }
    return user
  },
]

const name = fc.constantFrom(
  ...[
    'id',
    'name',
    'note',
    'tags',
    'radius',
    'open',
    'street',
    'own',
    '10',
    '2',
    '',
    'a b',
    '"quoted"',
    '\u2028',
    '\ud800',
  ],
  ...['\'"]; throw 1 //', '`\\'],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', 'inherited', 'toJSON', 'toISOString', 'kind'],
)
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\u2028\u2029',
    '\ud800 lone',
    'lone \udc00',
    '🎉',
    '\u0000',
    '\u001f',
    '\u007f',
    'a "b" \\ c',
    'long enough to be tested by the expression',
    'long enough "and quoted"',
    '商品番号の長い長い説明文です',
  ),
)
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined, NaN, -0, Infinity, 1e21, 5e-7, 12345678901234567890n),
)

/** Sets a member whatever its name. */
function member(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

function toObject(entries: readonly (readonly [string, unknown])[], target: object = {}): object {
  for (const [key, value] of entries) member(target, key, value)
  return target
}

const { tree } = fc.letrec<{ tree: unknown; entries: [string, unknown][] }>((tie) => ({
  entries: fc.array(fc.tuple(name, tie('tree')), { maxLength: 5 }),
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.constantFrom(...odd).map((make) => make()),
    tie('entries').map((entries) => toObject(entries)),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.array(fc.oneof(fc.integer(), text), { minLength: 7, maxLength: 12 }),
    fc
      .array(fc.tuple(fc.oneof(name, fc.integer(), fc.constant(Symbol('key'))), tie('tree')), { maxLength: 4 })
      .map((entries) => new Map<unknown, unknown>(entries)),
    fc.array(tie('tree'), { maxLength: 3 }).map((values) => new Set(values)),
    fc.tuple(fc.constantFrom(...classes), tie('entries')).map(([Class, entries]) => toObject(entries, new Class())),
    tie('tree').map((value) => Object.assign(new Drawing(), { shapes: [value, new Circle()] })),
    tie('tree').map((value) => Object.assign(new User(), { address: value, others: [value] })),
    fc
      .tuple(tie('tree'), fc.constantFrom(40, 62, 63, 64, 65, 66, 120, 600))
      .map(([value, levels]) => deepen(value, levels)),
  ),
}))

/** A value that many levels down. */
function deepen(value: unknown, levels: number): unknown {
  let deep = value
  for (let level = 0; level < levels; level++) deep = level % 3 === 0 ? [deep] : { id: level, deep }
  return deep
}

// What a column holds, but for some values.
const columns = fc.constantFrom<fc.Arbitrary<unknown>>(
  text,
  fc.constantFrom('', 'open', 'closed', '"'),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  scalar,
  fc.array(text, { maxLength: 12 }),
  fc
    .constantFrom(
      () => new Date(5),
      () => null,
      () => [],
      () => [1],
      () => 'x',
      () => undefined,
    )
    .map((make) => make()),
  fc.record({ city: text, zip: fc.integer() }, { requiredKeys: ['city'] }),
  fc.array(fc.record({ sku: text, count: fc.integer() }), { maxLength: 3 }),
  text.map((street) => Object.assign(new Address(), { street })),
  text.map((id) => new Identifier(id)),
)

/** Rows that are alike, but for some that are not: other orders, missing and more members, other values and classes. */
const rows = fc
  .record({
    make: fc.constantFrom<() => object>(() => ({}), ...classes.map((Class) => () => new Class())),
    shape: fc.uniqueArray(fc.tuple(name, columns), { minLength: 1, maxLength: 6, selector: ([key]) => key }),
    oddity: fc.constantFrom(0, 0, 0.05, 0.3),
  })
  .chain(({ make, shape, oddity }) => {
    const often = (arbitrary: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof({ weight: 100 - oddity * 100, arbitrary }, { weight: oddity * 100, arbitrary: tree })
    const change = fc.oneof(
      { weight: 20 - oddity * 20, arbitrary: fc.constant('none' as const) },
      { weight: oddity * 20 + 1, arbitrary: fc.constantFrom('drop', 'move', 'more', 'replace', 'plain') },
    )
    const row = fc
      .tuple(
        change,
        fc.nat(5),
        tree,
        ...shape.map(([key, column]) => often(column).map((value) => [key, value] as const)),
      )
      .map(([what, place, other, ...entries]) => {
        if (what === 'replace') return other
        const target = what === 'plain' ? {} : make()
        const kept = what === 'drop' ? entries.filter((_, index) => index !== place) : entries
        if (what === 'move') kept.reverse()
        if (what === 'more') kept.splice(place, 0, ['another', other])
        return toObject(kept, target)
      })
    return fc.array(row, { maxLength: 12 })
  })

// --- Tests ------------------------------------------------------------------------------------------------------------

describe('createJsonWriter()', () => {
  test('writes what JSON.stringify makes of plain data, whatever the value', () => {
    const used = createJsonWriter(toPlain)
    const value = fc.oneof(
      tree,
      rows,
      rows,
      rows.map(([first]) => first),
      fc.record({ items: rows, total: fc.nat() }),
    )
    fc.assert(
      fc.property(value, value, (taught, other) => {
        const expected = [taught, other].map((each) => outcomeOf(() => textOf(each)))
        const write = createJsonWriter(toPlain)
        for (let time = 0; time < 4; time++) expect(outcomeOf(() => write(taught))).toBe(expected[0])
        expect(outcomeOf(() => write(other))).toBe(expected[1])
        expect(outcomeOf(() => used(taught))).toBe(expected[0])
      }),
      { numRuns: 3000, seed: 20240229 },
    )
  }, 60_000)

  test.each([
    ['more names', [{ id: 1 }], [{ id: 2, name: 'x' }]],
    ['fewer names', [{ id: 1, name: 'x' }], [{ id: 2 }, { name: 'y' }, {}]],
    ['another order', [{ id: 1, name: 'x' }], [{ name: 'y', id: 2 }]],
    [
      'names that some objects lack',
      [
        { a: 1, b: 2, c: 3 },
        { a: 1, c: 3 },
      ],
      [{ a: 1 }, { b: 'x' }, { c: null }, {}],
    ],
    [
      'no first member',
      [{ id: 1, name: 'x' }],
      [
        { id: undefined, name: 'y' },
        { id: () => 1, name: 'z' },
      ],
    ],
    ['no member at all', [{ id: 1 }], [{ id: undefined }]],
    ['a class', [{ id: 1 }], [new User(), new Bare()]],
    ['the heir of a class', [new User()], [new Admin(), Object.assign(new User(), { more: 1 })]],
    ['no class', [new User()], [{ id: 1 }, null, 7]],
    ['a member that is inherited', [Object.defineProperty(new Labelled(), 'label', own)], [new Labelled()]],
    ['members that are inherited', [Object.assign(old(), { inherited: 2, name: 'x' })], [old()]],
    ['what is no map by its prototype', [Object.create(Map.prototype)], [new Map([['a', 1]])]],
    ['a list without its prototype', [{ a: 1, b: 2 }, { a: 1 }], [Object.setPrototypeOf([], Object.prototype)]],
    ['a hidden toJSON()', [{ id: 1 }], [Object.defineProperty({ id: 1 }, 'toJSON', { value: () => 'said' })]],
    ['a class of a union', pairOf(new Drawing(), { shapes: [new Closed()] }), [new Drawing()]],
    ['a union whose tag is taken', [new Drawing()], pairOf(new Drawing(), { shapes: [{ kind: 1 }, tagged] })],
    ['an instance for a text', pairOf(new User(), { text: new Closed() }), pairOf(new User(), { text: new Closed() })],
    ['__proto__ that some objects lack', [JSON.parse('{"a":1,"__proto__":2}'), { a: 1 }], [{ a: 3 }]],
    [
      'empty texts',
      [{ a: 'x', b: 'y' }],
      [
        { a: '', b: '' },
        { a: '', b: 'y' },
      ],
    ],
    ['an empty list', [], [{ id: 1 }]],
    ['an empty list inside', { items: [], total: 0 }, { items: [new User()], total: 1 }],
    ['an object for a list', [{ id: 1 }], { id: 1 }],
    ['bytes', { id: 1 }, Buffer.from('hi')],
    ['shared bytes', { id: 1 }, new SharedArrayBuffer(2)],
    ['a list of more than a piece', [{ id: 1 }], Array.from({ length: 200 }, (_, id) => ({ id }))],
    [
      'texts that repeat',
      [{ a: 'x', b: 'y' }],
      [
        { a: 'x', b: '"' },
        { a: 'x', b: '"' },
        { a: undefined, b: '"' },
      ],
    ],
  ])('writes %s where it has learned another shape', (_, taught, value) => {
    expect(learnedWrite(taught, value)).toBe(textOf(value))
  })

  test.each([100, 1000, 3000, 100_000])('%i levels', (levels) => {
    const value = deepen({ at: 1 }, levels)
    const expected = outcomeOf(() => textOf(value))
    expect(outcomeOf(() => learnedWrite(value)) === expected).toBe(true)
  })

  test('what every object inherits is no member', () => {
    const write = createJsonWriter(toPlain)
    const full = [{ id: 1, shared: 1 }]
    for (let time = 0; time < 3; time++) write(full)
    Object.defineProperty(Object.prototype, 'shared', { value: 2, enumerable: true, configurable: true })
    try {
      expect(write([{ id: 1 }])).toBe('[{"id":1}]')
    } finally {
      delete (Object.prototype as { shared?: unknown }).shared
    }
  })

  test('calls accessors, methods, transforms and types as often as toPlain, in the same order', () => {
    const calls: string[] = []
    class Part {
      @Exclude() secret = 1
      @Expose() get size(): number {
        calls.push('size')
        return 2
      }
    }
    class Whole {
      constructor(readonly id: number) {}
      @Transform(({ value, obj }) => {
        calls.push(`first ${(obj as Whole).id}`)
        return value as unknown
      })
      @Transform(({ value }) => {
        calls.push('second')
        return value as unknown
      })
      made = ['x']
      @Type(() => {
        calls.push('type')
        return Part
      })
      parts: unknown = [new Part(), { secret: 2, size: 3 }]
      @Expose() count(): number {
        calls.push('count')
        return 1
      }
      @Exclude() get hidden(): never {
        throw new Error('read')
      }
    }
    const list = [new Whole(1), new Whole(2), Object.assign(new Whole(3), { parts: null, more: 1 })]
    const expected = textOf(list)
    const wanted = calls.splice(0)
    const write = createJsonWriter(toPlain)
    for (let time = 0; time < 6; time++) {
      expect(write(list)).toBe(expected)
      expect(calls.splice(0)).toEqual(wanted)
    }
  })

  test('a failing transform fails as it does in toPlain', () => {
    class Failing {
      @Transform(() => {
        throw new RangeError('cannot')
      })
      id = 1
    }
    expect(() => learnedWrite([{ id: 1 }], [new Failing()])).toThrow(new RangeError('cannot'))
  })

  test('what contains itself throws, naming the path', () => {
    const value: Record<string, unknown> = { list: [1, {}] }
    ;(value['list'] as unknown[])[1] = { back: value }
    expect(() => learnedWrite({ list: [1, {}] }, value)).toThrow(
      new TypeError('The value contains itself at list.1.back'),
    )
  })

  test('without leave to make code of text it writes the same', () => {
    const real = globalThis.Function
    const refusing = (): never => {
      throw new EvalError('Code generation from strings disallowed for this context')
    }
    globalThis.Function = Object.assign(refusing, { prototype: real.prototype }) as unknown as FunctionConstructor
    try {
      const list = [new User(), { id: 1, name: 'x' }, new Admin()]
      for (const value of [list, list.slice(0, 1), { id: 7, hello: 'world' }]) {
        expect(learnedWrite(value)).toBe(textOf(value))
      }
    } finally {
      globalThis.Function = real
    }
  })

  test('decorators count that come with class-transformer after the first reply', () => {
    jest.isolateModules(() => {
      const plain = require('../../src/validation/plain') as typeof import('../../src/validation/plain')
      const writer = require('../../src/validation/writer') as typeof import('../../src/validation/writer')
      class Row {
        id = 1
        secret = 2
      }
      const write = writer.createJsonWriter(plain.createToPlain())
      for (let time = 0; time < 4; time++) expect(write([new Row()])).toBe('[{"id":1,"secret":2}]')
      const late = require('class-transformer') as typeof import('class-transformer')
      late.Exclude()(Row.prototype, 'secret')
      expect(write([new Row()])).toBe('[{"id":1}]')
    })
  })

  test('remembers a bounded part of what it has written', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const write = createJsonWriter(toPlain)
    const shapeless = (position: number): object =>
      toObject(Array.from({ length: 8 }, (_, at) => [`${at}-${position}-${'name'.repeat(20)}`, 'a value'.repeat(20)]))
    const writeMany = (from: number): void => {
      for (let position = from; position < from + 10_000; position++) {
        const row = shapeless(position)
        const expected = JSON.stringify([row, row])
        if (write([row, row]) !== expected) throw new Error(`row ${position} is wrong`)
      }
      write(Array.from({ length: 300 }, (_, position) => shapeless(from + position)))
      write(Array.from({ length: 300 }, (_, position) => Object.assign(new User(), shapeless(from + position))))
    }
    writeMany(0)
    collect()
    const before = process.memoryUsage().heapUsed
    writeMany(10_000)
    collect()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000)
  })
})

describe('isPlainJson()', () => {
  test('says so only of what JSON.stringify writes alone', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const isPlain = outcomeOf(() => String(isPlainJson(value)))
        if (isPlain === 'true') expect(JSON.stringify(value) ?? 'null').toBe(textOf(value))
      }),
      { numRuns: 500, seed: 20240229 },
    )
  })

  test.each([[{ a: [1, 'x', null, NaN, undefined, () => 1] }], ['x'], [undefined], [Object.create(null)], [Array(2)]])(
    '%p is plain',
    (value) => {
      expect(isPlainJson(value)).toBe(true)
    },
  )

  test.each([
    [new Date(0)],
    [{ a: 1n }],
    [[{ toJSON: () => 1 }]],
    [new Map()],
    [new Bare()],
    [{ b: Buffer.from('x') }],
  ])('%p is not', (value) => {
    expect(isPlainJson(value)).toBe(false)
  })
})
