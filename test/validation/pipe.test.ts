import { Exclude, Expose, Transform, Type } from 'class-transformer'
import {
  Allow,
  IsArray,
  IsDate,
  IsDateString,
  IsDefined,
  IsEmail,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  MaxLength,
  Min,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator'
import { Conflict, ValidationError } from '../../src/errors'
import { TextValue } from '../../src/route/plan'
import { AnyBody } from '../../src/validation/any-body'
import { Nullable } from '../../src/validation/nullable'
import { createValidation } from '../../src/validation/pipe'
import { brief, designType, paramOf, refusalOf, take, violationsOf } from './support'

class Address {
  @IsString() @Length(3, 8) zip!: string
  @IsOptional() @IsString() street?: string
}

class Item {
  @IsString() name!: string
  @IsInt() @Min(1) count!: number
}

class Order {
  @IsEmail() mail!: string
  @ValidateNested() @Type(() => Address) address!: Address
  @ValidateNested({ each: true }) @Type(() => Item) items!: Item[]
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Item) gifts?: Item[]
}

const order = () => ({ mail: 'a@b.cd', address: { zip: '12345' }, items: [{ name: 'x', count: 1 }] })

describe('pipe(value, param)', () => {
  test('makes instances, nested ones too', async () => {
    const made = (await take(Order, order())) as Order
    expect(made).toBeInstanceOf(Order)
    expect(made.address).toBeInstanceOf(Address)
    expect(made.items[0]).toBeInstanceOf(Item)
    expect(JSON.parse(JSON.stringify(made))).toEqual(order())
  })

  test('is synchronous where no rule is asynchronous', () => {
    const { pipe } = createValidation({}, designType)
    expect(pipe(order(), paramOf(Order))).toBeInstanceOf(Order)
  })

  test('leaves its input as it was', async () => {
    const input = Object.freeze({ ...order(), address: Object.freeze({ zip: '12345' }) })
    await take(Order, input)
    expect(input).toEqual(order())
  })

  test.each([
    ['a parameter of another kind', { type: { kind: 'string', list: false } as const }],
    [
      'a source that is not the client',
      { source: 'user' as const, type: { kind: 'class', class: Order, list: false } as const },
    ],
  ])('passes %s untouched', (_, init) => {
    const { pipe } = createValidation({}, designType)
    const value = { any: 1 }
    expect(pipe(value, { ...paramOf(Order), ...init })).toBe(value)
  })

  test('passes an absent optional value and a null that is allowed', async () => {
    expect(await take(Order, undefined, { param: { required: false } })).toBeUndefined()
    expect(await take(Order, null, { param: { nullable: true } })).toBeNull()
    expect(await brief(take(Order, undefined))).toEqual([422, ' required'])
  })

  test('B1, B9: only an object is an object', async () => {
    for (const value of [[order()], [], 'x', 5, true, null]) {
      expect(await brief(take(Order, value))).toEqual([422, ' type'])
    }
  })

  test('B2: a list of a class', async () => {
    const made = (await take(Item, [{ name: 'a', count: 1 }], { list: true })) as Item[]
    expect(made[0]).toBeInstanceOf(Item)
    const bad = [{ name: 'a', count: 1 }, { name: 1, count: 1, extra: 1 }, null, [[]], { count: 0 }]
    expect(await brief(take(Item, bad, { list: true }))).toEqual([
      422,
      '/1/extra unknown',
      '/2 type',
      '/3 type',
      '/1/name isString',
      '/4/name required',
      '/4/count min',
    ])
    expect(await brief(take(Item, { name: 'a', count: 1 }, { list: true }))).toEqual([422, ' type'])
  })

  test('B3: what is not declared is refused, at all levels', async () => {
    const value = {
      ...order(),
      isAdmin: true,
      address: { zip: '12345', 'a/b~c': {} },
      items: [{ name: 'x', count: 1, y: [] }],
    }
    expect(await brief(take(Order, value))).toEqual([
      422,
      '/address/a~1b~0c unknown',
      '/items/0/y unknown',
      '/isAdmin unknown',
    ])
  })

  test('B3: or left out', async () => {
    const value = { ...order(), isAdmin: true, address: { zip: '12345', extra: { constructor: 'x' } } }
    const made = await take(Order, value, { unknown: 'strip' })
    expect(JSON.parse(JSON.stringify(made))).toEqual(order())
  })

  test('says one thing a broken rule, in the words of the rule', async () => {
    expect(await violationsOf(take(Item, { name: 'x', count: 0.5 }))).toEqual([
      { in: 'body', pointer: '/count', code: 'min', detail: 'count must not be less than 1' },
      { in: 'body', pointer: '/count', code: 'isInt', detail: 'count must be an integer number' },
    ])
  })

  test('says of an absent value only that it is required', async () => {
    expect(await brief(take(Order, {}))).toEqual([422, '/address required', '/items required', '/mail required'])
  })

  test('B26: JSON is never coerced', async () => {
    class Typed {
      @IsOptional() @IsInt() count?: number
      @IsOptional() @Type(() => Number) @IsInt() age?: number
      @IsOptional() @Type(() => String) @IsString() name?: string
      @IsOptional() @Type(() => Boolean) @Allow() flag?: boolean
      @IsOptional() @Type(() => Number) @IsInt({ each: true }) sizes?: number[]
    }
    expect(await brief(take(Typed, { count: '1' }))).toEqual([422, '/count isInt'])
    expect(await brief(take(Typed, { age: '1' }))).toEqual([422, '/age type'])
    expect(await brief(take(Typed, { name: { toString: 1, valueOf: 1 } }))).toEqual([422, '/name type'])
    expect(await brief(take(Typed, { flag: 'false' }))).toEqual([422, '/flag type'])
    expect(await brief(take(Typed, { sizes: [1, '2', null, [3]] }))).toEqual([
      422,
      '/sizes/1 type',
      '/sizes/2 type',
      '/sizes/3 type',
    ])
    expect(await take(Typed, { count: 1, age: 2, name: 'n', flag: false, sizes: [1] })).toEqual({
      count: 1,
      age: 2,
      name: 'n',
      flag: false,
      sizes: [1],
    })
  })

  test('a date in JSON is its text, and nothing else', async () => {
    class Dates {
      @IsOptional() @IsDate() born?: Date
      @IsOptional() @Type(() => Date) @IsDate() died?: Date
      @IsOptional() @Type(() => Date) @IsDate({ each: true }) seen?: Date[]
      @IsOptional() @IsDateString() text?: string
    }
    const made = (await take(Dates, {
      born: '2024-02-29',
      died: '2024-02-29T10:00:00Z',
      seen: ['2024-01-01'],
      text: '2024-02-29',
    })) as Dates
    expect(made).toEqual({
      born: new Date('2024-02-29'),
      died: new Date('2024-02-29T10:00:00Z'),
      seen: [new Date('2024-01-01')],
      text: '2024-02-29',
    })
    for (const born of ['2024-junk', '2023-02-29', 0, {}, true]) {
      expect(await brief(take(Dates, { born }))).toEqual([422, '/born type'])
      expect(await brief(take(Dates, { died: born }))).toEqual([422, '/died type'])
    }
  })

  test('bodyStatus changes the status of bodies alone', async () => {
    expect((await brief(take(Item, {}, { bodyStatus: 400 })))[0]).toBe(400)
    expect((await brief(take(Item, {}, { source: 'query', bodyStatus: 422 })))[0]).toBe(400)
    expect(await refusalOf(take(Item, {}))).toBeInstanceOf(ValidationError)
  })

  test.each(['path', 'query', 'header', 'cookie'] as const)('violations in a %s say so', async (source) => {
    const [first] = await violationsOf(take(Item, {}, { source }))
    expect(first).toMatchObject({ in: source, pointer: '/name' })
  })

  test('header and cookie maps hold names that are others’ business', async () => {
    for (const source of ['header', 'cookie'] as const) {
      expect(await take(Item, new TextValue({ name: 'x', count: '1', host: 'h' }), { source })).toEqual({
        name: 'x',
        count: 1,
      })
    }
  })

  test('@AnyBody() lets anything pass, as plain data', async () => {
    @AnyBody()
    class Payload {}
    const value = { a: [1] }
    expect(await take(Payload, value)).toBe(value)
    expect(await take(Payload, new TextValue(value))).toBe(value)
  })

  test('names(param) are those a client writes', () => {
    class Named {
      @Expose({ name: 'first_name' }) @IsString() firstName!: string
      @IsString() last!: string
      @Exclude() @IsString() secret!: string
    }
    const validation = createValidation({}, designType)
    expect([...validation.names(paramOf(Named))].sort()).toEqual(['first_name', 'last'])
    expect(validation.names({ ...paramOf(Named), type: { kind: 'string', list: false } })).toEqual([])
  })
})

describe('nested values', () => {
  test('B8, B9, B10: every pointer is its own', async () => {
    const value = {
      mail: 'a@b.cd',
      address: [{ zip: '12345' }],
      items: [null, { name: 'x', count: 0 }, [], 'x'],
      gifts: { name: 'x' },
    }
    expect(await brief(take(Order, value))).toEqual([
      422,
      '/address type',
      '/items/0 type',
      '/items/2 type',
      '/items/3 type',
      '/gifts type',
      '/items/1/count min',
    ])
    expect(
      await brief(take(Order, { ...order(), items: [{ name: 1, count: 1 }], gifts: [{ name: 1, count: 1 }] })),
    ).toEqual([422, '/items/0/name isString', '/gifts/0/name isString'])
  })

  test('an absent one is required, unless optional', async () => {
    expect(await brief(take(Order, { mail: 'a@b.cd', items: [] }))).toEqual([422, '/address required'])
    expect(await take(Order, { ...order(), items: [] })).toMatchObject({ items: [] })
  })

  test('only the compiler tells the class: it is built and validated all the same', async () => {
    class Inner {
      @IsInt() n!: number
    }
    class Middle {
      @ValidateNested() inner!: Inner
    }
    class Outer {
      @ValidateNested() middle!: Middle
    }
    const made = (await take(Outer, { middle: { inner: { n: 1 } } })) as Outer
    expect(made.middle).toBeInstanceOf(Middle)
    expect(made.middle.inner).toBeInstanceOf(Inner)
    expect(await brief(take(Outer, { middle: { inner: { n: 'x', m: 1 } } }))).toEqual([
      422,
      '/middle/inner/m unknown',
      '/middle/inner/n isInt',
    ])
  })

  test('sets and maps', async () => {
    class Box {
      @ValidateNested({ each: true }) @Type(() => Item) set!: Set<Item>
      @ValidateNested({ each: true }) @Type(() => Item) map!: Map<string, Item>
    }
    const made = (await take(Box, { set: [{ name: 'a', count: 1 }], map: { k: { name: 'b', count: 2 } } })) as Box
    expect([...made.set][0]).toBeInstanceOf(Item)
    expect(made.map.get('k')).toEqual({ name: 'b', count: 2 })
    const bad = JSON.parse(
      '{"set":[{"name":"a","count":0}],"map":{"a/b":{"name":1,"count":1},"constructor":{},"x":null}}',
    )
    expect(await brief(take(Box, bad))).toEqual([
      422,
      '/map/constructor unknown',
      '/map/x type',
      '/set/0/count min',
      '/map/a~1b/name isString',
    ])
  })

  test('a class that holds itself', async () => {
    class Tree {
      @IsString() name!: string
      @IsOptional() @ValidateNested({ each: true }) @Type(() => Tree) children?: Tree[]
    }
    const made = (await take(Tree, { name: 'a', children: [{ name: 'b', children: [{ name: 'c' }] }] })) as Tree
    expect(made.children?.[0]?.children?.[0]).toBeInstanceOf(Tree)
    expect(await brief(take(Tree, { name: 'a', children: [{ name: 'b', children: [{ nom: 'c' }] }] }))).toEqual([
      422,
      '/children/0/children/0/nom unknown',
      '/children/0/children/0/name required',
    ])
  })

  test('a type that looks at the value', async () => {
    class A {
      @IsString() a!: string
    }
    class B {
      @IsInt() b!: number
      @ValidateNested() item!: Item
    }
    class Either {
      @IsString() kind!: string
      @ValidateNested() @Type((help) => (help?.object['kind'] === 'a' ? A : B)) value!: A | B
    }
    expect(((await take(Either, { value: { a: 'x' }, kind: 'a' })) as Either).value).toBeInstanceOf(A)
    const made = (await take(Either, { value: { b: 1, item: { name: 'n', count: 1 } }, kind: 'b' })) as { value: B }
    expect(made.value).toBeInstanceOf(B)
    expect(made.value.item).toBeInstanceOf(Item)
    expect(await brief(take(Either, { value: { a: 'x' }, kind: 'b' }))).toEqual([
      422,
      '/value/a unknown',
      '/value/item required',
      '/value/b required',
    ])
  })

  test('values of a class without rules of its own are taken as they are', async () => {
    class Loose {
      x?: number
    }
    class Holder {
      @IsObject() @Type(() => Loose) loose!: Loose
    }
    const made = (await take(Holder, { loose: { x: 1, y: [2] } })) as Holder
    expect(made.loose).toBeInstanceOf(Loose)
    expect(made.loose).toEqual({ x: 1, y: [2] })
  })
})

describe('unions by discriminator', () => {
  class Circle {
    @IsInt() radius!: number
  }
  class Square {
    @IsInt() side!: number
    @ValidateNested() label!: Item
  }
  const discriminator = {
    property: 'kind',
    subTypes: [
      { name: 'circle', value: Circle },
      { name: 'square', value: Square },
    ],
  }
  class Drawing {
    @IsOptional() @ValidateNested() @Type(() => Object, { discriminator }) main?: Circle | Square
    @IsOptional()
    @IsArray()
    @ValidateNested({ each: true })
    @Type(() => Object, { discriminator, keepDiscriminatorProperty: true })
    all?: (Circle | Square)[]
  }
  const square = { kind: 'square', side: 2, label: { name: 'l', count: 1 } }

  test('B7: each value is of its own class', async () => {
    const made = (await take(Drawing, { main: square, all: [{ kind: 'circle', radius: 1 }, square] })) as Drawing
    expect(made.main).toBeInstanceOf(Square)
    expect(made.main).toEqual({ side: 2, label: { name: 'l', count: 1 } })
    expect(made.all?.[0]).toBeInstanceOf(Circle)
    expect(made.all?.[1]).toEqual(square)
    expect((made.all?.[1] as Square).label).toBeInstanceOf(Item)
  })

  test('B7: and is validated by it', async () => {
    const all = [
      { kind: 'circle', radius: 'x', side: 1 },
      { kind: 'square', side: 'x', label: {} },
    ]
    expect(await brief(take(Drawing, { all }))).toEqual([
      422,
      '/all/0/side unknown',
      '/all/0/radius isInt',
      '/all/1/side isInt',
      '/all/1/label/name required',
      '/all/1/label/count required',
    ])
  })

  test.each([
    ['unknown', { kind: 'oval' }, 'discriminator'],
    ['a name of Object.prototype', { kind: 'toString' }, 'discriminator'],
    ['of another type', { kind: { name: 'circle' } }, 'discriminator'],
    ['missing', { radius: 1 }, 'required'],
  ])('B6: a discriminator that is %s', async (_, value, code) => {
    const expected = { in: 'body', code, detail: 'kind must be one of: circle, square' }
    expect(await violationsOf(take(Drawing, { main: value }))).toEqual([{ ...expected, pointer: '/main/kind' }])
    expect(await violationsOf(take(Drawing, { all: [square, value] }))).toEqual([
      { ...expected, pointer: '/all/1/kind' },
    ])
  })

  test('B8: null and lists in a list of a union', async () => {
    expect(await brief(take(Drawing, { all: [null, [], 1] }))).toEqual([
      422,
      '/all/0 type',
      '/all/1 type',
      '/all/2 type',
    ])
  })
})

describe('absent, optional, null', () => {
  class Patch {
    @IsOptional() @IsInt() a?: number
    @IsOptional() @IsInt() b?: number
    @IsOptional() @IsInt() size? = 10
    @Nullable() @IsString() note: string | null = 'none'
    @ValidateIf((_object, value) => value !== null) @IsOptional() @IsString() old?: string | null
    @IsOptional() @ValidateNested() @Type(() => Address) address?: Address
  }

  test('B12: absent stays absent, defaults stay', async () => {
    const made = (await take(Patch, { a: 1, address: { zip: '12345' } })) as Patch
    expect(Object.keys(made).sort()).toEqual(['a', 'address', 'note', 'size'])
    expect('b' in made).toBe(false)
    expect(Object.keys(made.address ?? {})).toEqual(['zip'])
  })

  test('B12: exposed properties keep their defaults', async () => {
    class Exposed {
      @Expose() @IsOptional() @IsInt() limit = 10
      @Expose() @IsOptional() @IsInt() offset?: number
    }
    expect({ ...((await take(Exposed, {})) as Exposed) }).toStrictEqual({ limit: 10 })
  })

  test('a sealed instance is left as it is', async () => {
    class Sealed {
      @IsOptional() @IsInt() a?: number
      constructor() {
        this.a = undefined
        Object.seal(this)
      }
    }
    expect(await take(Sealed, {})).toBeInstanceOf(Sealed)
  })

  test('B11: optional is not nullable', async () => {
    expect(await violationsOf(take(Patch, { a: null, address: null }))).toEqual([
      { in: 'body', pointer: '/a', code: 'type', detail: 'a must not be null' },
      { in: 'body', pointer: '/address', code: 'type', detail: 'address must not be null' },
    ])
    expect(await take(Patch, { a: null }, { optionalNull: 'accept' })).toMatchObject({ a: null })
  })

  test('@Nullable() lets null pass, and nothing else', async () => {
    expect(await take(Patch, { note: null })).toMatchObject({ note: null })
    expect(await brief(take(Patch, { note: 1 }))).toEqual([422, '/note isString'])
  })

  test('a condition of the author’s decides about null where there is no @IsOptional()', async () => {
    class Conditional {
      @ValidateIf((_object, value) => value !== null) @IsString() name!: string | null
      @ValidateIf((_object, value) => value !== null) @ValidateNested() @Type(() => Address) address!: Address | null
    }
    expect(await take(Conditional, { name: null, address: null })).toEqual({ name: null, address: null })
    expect(await brief(take(Conditional, { name: 1, address: 1 }))).toEqual([422, '/address type', '/name isString'])
  })
})

describe('groups', () => {
  class Part {
    @IsString() name!: string
    @IsInt({ groups: ['create'] }) serial!: number
  }
  class Thing {
    @IsString({ groups: ['create'] }) id!: string
    @ValidateNested({ each: true }) @Type(() => Part) parts!: Part[]
  }

  test('B14: apply to nested lists, and rules without groups always do', async () => {
    const bad = { id: 'x', parts: [{ name: 1, serial: 'x' }] }
    const refused = [422, '/parts/0/name isString', '/parts/0/serial isInt']
    expect(await brief(take(Thing, bad, { groups: ['create'] }))).toEqual(refused)
    expect(await brief(take(Thing, bad, { param: { groups: ['create'] } }))).toEqual(refused)
  })

  test('a property that has rules in other groups only is not declared', async () => {
    expect(await take(Thing, { parts: [{ name: 'x' }] }, { groups: ['update'] })).toEqual({ parts: [{ name: 'x' }] })
    expect(await brief(take(Thing, { id: 'x', parts: [{ name: 'x', serial: 1 }] }, { groups: ['update'] }))).toEqual([
      422,
      '/id unknown',
      '/parts/0/serial unknown',
    ])
  })

  test('those of a parameter replace those of the application', async () => {
    const given = { groups: ['create'], param: { groups: ['update'] } }
    expect(await take(Thing, { parts: [] }, given)).toEqual({ parts: [] })
  })

  test('also choose what is exposed', async () => {
    class Secret {
      @Expose({ groups: ['admin'] }) @IsOptional() @IsString() role?: string
    }
    expect(await take(Secret, { role: 'x' }, { groups: ['admin'] })).toEqual({ role: 'x' })
    expect(await brief(take(Secret, { role: 'x' }))).toEqual([422, '/role unknown'])
  })
})

describe('@Expose, @Exclude, @Transform', () => {
  class Person {
    @Expose({ name: 'first_name' }) @IsString() @Length(2, 10) firstName!: string
    @Exclude() @IsOptional() @IsString() id?: string
    @Exclude({ toPlainOnly: true }) @IsOptional() @IsString() password?: string
    @Expose({ toPlainOnly: true }) get initials(): string {
      return this.firstName[0] ?? ''
    }
  }

  test('the client’s name is the one in violations', async () => {
    expect(await take(Person, { first_name: 'Ann', password: 'x' })).toEqual({ firstName: 'Ann', password: 'x' })
    expect(await violationsOf(take(Person, { first_name: 'A' }))).toEqual([
      {
        in: 'body',
        pointer: '/first_name',
        code: 'isLength',
        detail: 'first_name must be longer than or equal to 2 and shorter than or equal to 10 characters',
      },
    ])
    expect(await brief(take(Person, { firstName: 'Ann', id: '1', initials: 'A' }))).toEqual([
      422,
      '/firstName unknown',
      '/id unknown',
      '/initials unknown',
      '/first_name required',
    ])
  })

  test('with a class that excludes all, only what is exposed is declared', async () => {
    @Exclude()
    class Closed {
      @Expose() @IsString() open!: string
      @IsOptional() @IsString() shut?: string
    }
    expect(await brief(take(Closed, { open: 'x', shut: 'y' }))).toEqual([422, '/shut unknown'])
  })

  class Changed {
    @IsOptional() @Transform(({ value }) => Number(value)) n?: number
    @IsOptional() @Transform(({ value }) => new Date(value as string)) at?: Date
    @IsOptional()
    @Transform(({ value }) => (value as string).split(',').map(Number))
    @IsInt({ each: true })
    list?: number[]
    @IsOptional() @Transform(({ value }) => (value as string).trim()) @MaxLength(3) name?: string
  }

  test('a transform is given the value as it came, and the rules its result', async () => {
    expect(await take(Changed, { n: '5', list: '1,2', name: '  abc ' })).toEqual({ n: 5, list: [1, 2], name: 'abc' })
    expect(await brief(take(Changed, { name: ' abcd ' }))).toEqual([422, '/name maxLength'])
  })

  test('B21: one that makes no number or no date refuses', async () => {
    expect(await violationsOf(take(Changed, { n: 'x', at: 'y', list: '1,z' }))).toEqual([
      { in: 'body', pointer: '/n', code: 'type', detail: 'n must be a number' },
      { in: 'body', pointer: '/at', code: 'type', detail: 'at must be a date' },
      { in: 'body', pointer: '/list/1', code: 'type', detail: 'list[1] must be a number' },
      { in: 'body', pointer: '/list', code: 'isInt', detail: 'each value in list must be an integer number' },
    ])
  })

  test('what one throws is ours, unless it is an HttpError', async () => {
    class Throwing {
      @Transform(({ value }) => {
        if (value === 'taken') throw new Conflict('taken')
        return (value as { deep: { er: string } }).deep.er
      })
      @IsString()
      name!: string
    }
    await expect(take(Throwing, { name: 'x' })).rejects.toBeInstanceOf(TypeError)
    await expect(take(Throwing, { name: 'taken' })).rejects.toBeInstanceOf(Conflict)
    expect(await brief(take(Throwing, { name: 'x', extra: 1 }))).toEqual([422, '/extra unknown'])
  })

  test('one that makes an untyped object of a nested one has not validated it', async () => {
    class Sly {
      @ValidateNested()
      @Type(() => Item)
      @Transform(({ value }) => (typeof value === 'string' ? JSON.parse(value) : value))
      item!: Item
    }
    expect(await brief(take(Sly, { item: '{"any":1}' }))).toEqual([422, '/item type'])
    expect(await brief(take(Sly, { item: [{ any: 1 }] }))).toEqual([422, '/item type'])
    expect(await take(Sly, { item: { name: 'x', count: 1 } })).toBeInstanceOf(Sly)
  })

  test('what the library cannot convert is the client’s error', async () => {
    class Bytes {
      @Allow() @Type(() => Buffer) data!: Buffer
    }
    expect(((await take(Bytes, { data: 'abc' })) as Bytes).data).toEqual(Buffer.from('abc'))
    expect(await brief(take(Bytes, { data: 5 }))).toEqual([422, ' type'])
  })
})

describe('rules of the author’s own', () => {
  @ValidatorConstraint({ name: 'isFree', async: true })
  class IsFree implements ValidatorConstraintInterface {
    async validate(value: unknown): Promise<boolean> {
      await Promise.resolve()
      if (value === 'down') throw new Error('database down')
      return value === 'free'
    }
    defaultMessage(): string {
      return '$property "$value" is taken'
    }
  }
  class Account {
    @Validate(IsFree) name!: string
  }
  class Holder {
    @ValidateNested({ each: true }) @Type(() => Account) accounts!: Account[]
  }

  test('asynchronous ones are waited for, nested too', async () => {
    expect(await take(Account, { name: 'free' })).toEqual({ name: 'free' })
    expect(await violationsOf(take(Account, { name: 'secret' }))).toEqual([
      { in: 'body', pointer: '/name', code: 'isFree', detail: 'name "the value" is taken' },
    ])
    expect(await brief(take(Holder, { accounts: [{ name: 'free' }, { name: 'x' }] }))).toEqual([
      422,
      '/accounts/1/name isFree',
    ])
    expect(await brief(take(Account, [{ name: 'free' }, { name: 'x' }], { list: true }))).toEqual([
      422,
      '/1/name isFree',
    ])
  })

  test('B15: one that fails is our failure', async () => {
    await expect(take(Account, { name: 'down' })).rejects.toThrow('database down')
    await expect(take(Holder, { accounts: [{ name: 'down' }] })).rejects.toThrow('database down')
    expect(await brief(take(Account, { name: 'down', extra: 1 }))).toEqual([422, '/extra unknown'])
  })

  test('B15: several that fail, at once and later, leave no rejection unhandled', async () => {
    const rule = (validate: (value: unknown) => boolean | Promise<boolean>) => (target: object, propertyName: string) =>
      registerDecorator({ name: 'own', target: target.constructor, propertyName, validator: { validate } })
    const later = rule(() => Promise.reject(new Error('later')))
    const atOnce = rule(() => {
      throw new Error('at once')
    })
    class Failing {
      @later a!: string
      @atOnce b!: string
    }
    const unhandled = jest.fn()
    process.on('unhandledRejection', unhandled)
    await expect(take(Failing, { a: 'x', b: 'y' })).rejects.toThrow('at once')
    await expect(take(Failing, [{ a: 'x', b: 'y' }], { list: true })).rejects.toThrow('at once')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('an undeclared asynchronous one beside a broken nested rule', async () => {
    const slow = (target: object, propertyName: string) =>
      registerDecorator({
        name: 'slow',
        target: target.constructor,
        propertyName,
        validator: { validate: () => Promise.resolve(false) },
      })
    class Mixed {
      @slow @ValidateNested() @Type(() => Item) item!: Item
    }
    expect(await brief(take(Mixed, { item: { name: 1, count: 1 } }))).toEqual([
      422,
      '/item slow',
      '/item/name isString',
    ])
  })
})

describe('B36: messages never quote the value', () => {
  class Quoting {
    @IsOptional() @Matches(/^a/, { message: '$value is no $property of $target, see $constraint1' }) a?: string
    @IsOptional()
    @MaxLength(3, { message: ({ value, object }) => `${String(value)} ${JSON.stringify(object)}` })
    b?: string
    @IsOptional()
    @MaxLength(3, {
      message: ({ value }) => (value === 'the value' ? (undefined as never as string).length : 'fine') as string,
    })
    c?: string
    @IsOptional()
    @Matches(/^x/, { message: 'must start with x, not $value' })
    @Matches(/x$/, { message: 'must end with x, not $value' })
    d?: string
    @IsOptional() @Matches(/^\d+$/) e?: string
  }
  const secret = 'hunter2 $property $&'

  test.each([
    ['a', 'the value is no a of Quoting, see /^a/'],
    ['b', 'the value {}'],
    ['c', 'c must be shorter than or equal to 3 characters'],
    ['e', 'e must match /^\\d+$/ regular expression'],
  ])('%s', async (name, detail) => {
    const [violation] = await violationsOf(take(Quoting, { [name]: secret }))
    expect(violation?.detail).toBe(detail)
  })

  test('two rules of one name are told apart', async () => {
    expect((await violationsOf(take(Quoting, { d: 'xhunter2' })))[0]?.detail).toBe('must end with x, not the value')
    expect((await violationsOf(take(Quoting, { d: 'hunter2x' })))[0]?.detail).toBe('must start with x, not the value')
  })

  test('an author’s word for a missing value is kept', async () => {
    class Worded {
      @IsNotEmpty({ message: 'tell us your $property' }) @IsString() name!: string
      @IsDefined() @IsString() other!: string
    }
    expect((await violationsOf(take(Worded, {}))).map(({ detail }) => detail)).toEqual([
      'tell us your name',
      'other is required',
    ])
  })
})

describe('hostile input', () => {
  class Free {
    @IsOptional() @IsObject() free?: Record<string, unknown>
    @IsOptional() @IsArray() list?: unknown[]
    @IsOptional() @IsString() then?: string
  }

  test.each([
    ['{"__proto__":{"polluted":1}}', '/__proto__ unknown'],
    ['{"constructor":{"prototype":{"polluted":1}}}', '/constructor unknown'],
    ['{"prototype":{"polluted":1}}', '/prototype unknown'],
    ['{"extra":{"constructor":"x"}}', '/extra unknown'],
    ['{"hasOwnProperty":1}', '/hasOwnProperty unknown'],
    ['{"free":{"a":{"__proto__":{"polluted":1}}}}', '/free/a/__proto__ unknown'],
    ['{"free":{"a":[{"constructor":"x"}]}}', '/free/a/0/constructor unknown'],
    ['{"list":[[{"constructor":{"prototype":{}}}]]}', '/list/0/0/constructor unknown'],
  ])('B16: %s', async (text, violation) => {
    expect(await brief(take(Free, JSON.parse(text)))).toEqual([422, violation])
    const made = await take(Free, JSON.parse(text), { unknown: 'strip' })
    expect(made).toBeInstanceOf(Free)
    expect(Object.getPrototypeOf(made)).toBe(Free.prototype)
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    expect(JSON.stringify(made)).not.toContain('polluted')
  })

  test('stripping leaves the input as it was', async () => {
    const input = JSON.parse('{"free":{"a":{"constructor":1,"b":2}},"list":[{"__proto__":1}]}') as object
    const before = JSON.stringify(input)
    const made = (await take(Free, input, { unknown: 'strip' })) as Free
    expect(made).toEqual({ free: { a: { b: 2 } }, list: [{}] })
    expect(JSON.stringify(input)).toBe(before)
  })

  test.each([1_317, 20_000])('B17: %i lists deep, in a known and in an unknown name', async (depth) => {
    const deep = JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown
    expect(await brief(take(Free, { extra: deep }))).toEqual([422, '/extra unknown'])
    expect(await take(Free, { extra: deep }, { unknown: 'strip' })).toEqual({})
    const [violation] = await violationsOf(take(Free, { list: deep }))
    expect(violation?.code).toBe('limit')
  })

  test('a promise that is none', async () => {
    expect(await take(Free, { free: { then: 'x' }, then: 'y' })).toMatchObject({ then: 'y', free: { then: 'x' } })
  })

  test('a hundred violations are enough, and long names are cut', async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`k${i}`, 1]))
    expect((await violationsOf(take(Item, many))).length).toBe(100)
    const [violation] = await violationsOf(take(Item, { ['x'.repeat(100_000)]: 1 }))
    expect(violation?.pointer.length).toBeLessThan(200)
    expect(violation?.detail.length).toBeLessThan(200)
  })
})
