import 'reflect-metadata'
import fc from 'fast-check'
import { Exclude, Expose, instanceToPlain, Transform, Type } from 'class-transformer'
import { HttpError } from '../../src/errors'
import { createToPlain } from '../../src/validation/plain'

const toPlain = createToPlain()

class Plain {
  id = 1
}

class User {
  name = 'Ann'
  @Exclude() password = 'secret'
  @Expose({ name: 'full_name' }) get fullName(): string {
    return `${this.name} Lee`
  }
  @Expose() greet(): string {
    return `I am ${this.name}`
  }
  @Transform(({ value }) => (value as Date).getTime(), { toPlainOnly: true }) born = new Date(5)
  @Expose({ groups: ['admin'] }) salary = 1
  @Transform(() => 'in', { toClassOnly: true }) inward = 'x'
}
const user = { name: 'Ann', full_name: 'Ann Lee', greet: 'I am Ann', born: 5, inward: 'x' }

@Exclude()
class Closed {
  @Expose() open = 1
  shut = 2
}

describe('createToPlain()', () => {
  test.each([
    [{ a: [1, 'x', null, true, { b: undefined }] }],
    [[1, 2, 3]],
    [new Plain()],
    [[new Plain()]],
    ['text'],
    [undefined],
    [Buffer.from('x')],
    [new Uint8Array(2)],
    [new ArrayBuffer(2)],
  ])('gives %j back by reference', (value) => {
    expect(toPlain(value)).toBe(value)
  })

  test('copies only what changes', () => {
    const value = { same: { a: 1 }, list: [{ b: 1 }, { at: new Date(0) }] }
    const plain = toPlain(value) as typeof value
    expect(plain).toEqual({ same: { a: 1 }, list: [{ b: 1 }, { at: '1970-01-01T00:00:00.000Z' }] })
    expect(plain.same).toBe(value.same)
    expect(plain.list[0]).toBe(value.list[0])
    expect(value.list[1]?.at).toEqual(new Date(0))
  })

  test.each([
    [
      'a Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, new Map()],
        [Symbol('s'), 3],
      ]),
      { a: 1, 2: {} },
    ],
    ['a Set', new Set(['a', new Set([1])]), ['a', [1]]],
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an invalid Date', new Date(NaN), null],
    ['a URL', new URL('http://a.b/c?d'), 'http://a.b/c?d'],
    ['its parameters', new URLSearchParams('a=b&c=d'), 'a=b&c=d'],
    ['a RegExp', /a"b/gi, '/a"b/gi'],
    ['a BigInt', 12345678901234567890n, '12345678901234567890'],
    ['an Error', Object.assign(new TypeError('oops'), { secret: 1 }), { name: 'TypeError', message: 'oops' }],
    ['an HttpError', new HttpError(400, 'no', { code: 'x' }), { name: 'HttpError', message: 'no' }],
    ['bytes', Buffer.from('hi'), 'aGk='],
    ['a view', new Uint16Array(new Uint8Array([1, 2, 3, 4]).buffer, 2), 'AwQ='],
    ['a buffer', new Uint8Array([104, 105]).buffer, 'aGk='],
    ['no number', NaN, null],
    ['infinity', -Infinity, null],
    ['a boxed number', Object(NaN), null],
    ['a boxed text', Object('x'), 'x'],
    ['toJSON()', { toJSON: () => ({ at: new Date(0) }) }, { at: '1970-01-01T00:00:00.000Z' }],
    [
      'a toJSON() of an Error',
      Object.assign(new Error('m'), { toJSON: () => 'stack' }),
      { name: 'Error', message: 'm' },
    ],
    ['without prototype', Object.assign(Object.create(null), { n: 1n }), { n: '1' }],
  ])('B66: %s', (_, value, plain) => {
    expect(toPlain({ value })).toEqual({ value: plain })
    expect(toPlain([value])).toEqual([plain])
    expect(toPlain(new Map([['value', value]]))).toEqual({ value: plain })
  })

  test('at the top as well', () => {
    expect(toPlain(NaN)).toBeNull()
    expect(toPlain(1n)).toBe('1')
    expect(toPlain(new Map([['a', 1]]))).toEqual({ a: 1 })
  })

  test('functions and symbols are left out, as JSON does', () => {
    const value = { f: () => 1, s: Symbol('s'), a: [() => 1, Symbol('s'), undefined] }
    expect(toPlain(value)).toStrictEqual({ a: [null, null, undefined] })
    expect(JSON.stringify(toPlain(value))).toBe(JSON.stringify(value))
  })

  test('a toJSON() that gives the object itself', () => {
    const value = { n: 1n, toJSON: () => value }
    expect(toPlain(value)).toEqual({ n: '1' })
  })

  test('__proto__ as a name sets no prototype', () => {
    const plain = toPlain(new Map([['__proto__', { a: 1 }]])) as object
    expect(Object.getPrototypeOf(plain)).toBe(Object.prototype)
    expect(JSON.stringify(plain)).toBe('{"__proto__":{"a":1}}')
    const own = JSON.parse('{"__proto__":{"a":1},"b":{"__proto__":1}}') as Record<string, unknown>
    expect(JSON.stringify(toPlain({ ...own, n: 1n }))).toBe('{"__proto__":{"a":1},"b":{"__proto__":1},"n":"1"}')
  })

  test.each([
    ['a plain object', () => ({ user: new User() }), { user }],
    ['a list', () => [[new User()]], [[user]]],
    ['a Map', () => new Map([['u', new User()]]), { u: user }],
    ['a Set', () => new Set([new User()]), [user]],
    ['a page', () => ({ items: [new User()], total: 1 }), { items: [user], total: 1 }],
    ['an instance without decorators', () => Object.assign(new Plain(), { user: new User() }), { id: 1, user }],
    ['toJSON()', () => ({ toJSON: () => new User() }), user],
  ])('B23: excluded stays excluded inside %s', (_, make, plain) => {
    expect(toPlain(make())).toEqual(plain)
  })

  test('a class that excludes all but what it exposes', () => {
    expect(toPlain(new Closed())).toEqual({ open: 1 })
    class Heir extends User {
      extra = 1
    }
    expect(toPlain(new Heir())).toEqual({ ...user, extra: 1 })
  })

  test('a plain object goes by the class that @Type names, an instance by its own', () => {
    class Team {
      @Type(() => User) members: object[] = [{ name: 'Bob', password: 'x' }, new Closed()]
      @Type(() => Date) since = '2024-02-29'
      @Type(() => String) id: unknown = { toString: () => 'abc' }
      @Type(() => Closed) byName = new Map([['a', { open: 1, shut: 2 }]])
      @Type(() => Number) count = '5'
    }
    expect(toPlain(new Team())).toEqual({
      members: [{ name: 'Bob' }, { open: 1 }],
      since: '2024-02-29T00:00:00.000Z',
      id: 'abc',
      byName: { a: { open: 1 } },
      count: 5,
    })
  })

  test('a union says which of its classes a value is of, and the value stays as it was', () => {
    class Circle {
      radius = 1
    }
    class Drawing {
      @Type(() => Object, { discriminator: { property: 'kind', subTypes: [{ name: 'circle', value: Circle }] } })
      shapes: object[] = [new Circle(), new Plain()]
    }
    const drawing = new Drawing()
    expect(toPlain(drawing)).toEqual({ shapes: [{ kind: 'circle', radius: 1 }, { id: 1 }] })
    expect(drawing.shapes[0]).toStrictEqual(new Circle())
  })

  test('platform objects inside an instance', () => {
    class Holder {
      @Expose() url = new URL('http://a.b/')
      error = new Error('m')
      bytes = Buffer.from('hi')
      set = new Set([1n])
    }
    expect(toPlain(new Holder())).toEqual({
      url: 'http://a.b/',
      error: { name: 'Error', message: 'm' },
      bytes: 'aGk=',
      set: ['1'],
    })
  })

  test('what contains itself throws, naming the path', () => {
    const value: Record<string, unknown> = { list: [1, {}] }
    ;(value['list'] as unknown[])[1] = { back: value }
    expect(() => toPlain(value)).toThrow(new TypeError('The value contains itself at list.1.back'))
    const map = new Map<string, unknown>()
    map.set('self', map)
    expect(() => toPlain({ map })).toThrow(new TypeError('The value contains itself at map.self'))
  })

  test('a way back that is excluded is none', () => {
    class Node {
      children: Node[] = []
      @Exclude() parent?: Node
    }
    const root = new Node()
    const child = Object.assign(new Node(), { parent: root })
    root.children.push(child)
    expect(toPlain(root)).toEqual({ children: [{ children: [] }] })
  })

  test('deep is not cyclic, and one value in two places neither', () => {
    const shared = { n: 1n }
    let value: unknown = shared
    for (let level = 0; level < 500; level++) value = { a: value, b: level < 3 ? shared : 1 }
    expect(JSON.stringify(toPlain(value))).toBe(
      JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)),
    )
  })

  test('JSON text of JSON values is unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(toPlain(value))).toBe(JSON.stringify(value))
      }),
    )
  })

  test('agrees with instanceToPlain', () => {
    const choices = fc.record({
      exclude: fc.subarray(['a', 'b', 'c']),
      expose: fc.subarray(['a', 'b', 'c', 'got']),
      rename: fc.subarray(['a', 'b', 'c']),
      transform: fc.subarray(['a', 'b', 'c']),
      strategy: fc.constantFrom('none', 'excludeAll', 'exposeAll'),
      typed: fc.boolean(),
    })
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
    fc.assert(
      fc.property(choices, scalar, fc.array(fc.record({ name: fc.string(), password: fc.string() })), (say, a, b) => {
        class Inner {
          @Exclude() password?: string
        }
        class Base {
          a = a
          b = say.typed ? b : b.map((each) => Object.assign(new Inner(), each))
        }
        class Made extends Base {
          c = new Map([['k', a]])
          get got(): string {
            return 'got'
          }
        }
        const [base, made] = [Base.prototype, Made.prototype]
        if (say.strategy === 'excludeAll') Exclude()(Made)
        if (say.strategy === 'exposeAll') Expose()(Made)
        for (const name of say.expose) Expose(say.rename.includes(name) ? { name: `my_${name}` } : {})(made, name)
        for (const name of say.exclude) Exclude()(made, name)
        for (const name of say.transform) Transform(({ value }) => [value])(name === 'a' ? base : made, name)
        if (say.typed) Type(() => Inner)(base, 'b')
        const instance = new Made()
        expect(toPlain(instance)).toEqual(instanceToPlain(instance))
      }),
    )
  })
})
