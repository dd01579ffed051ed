import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { transformSync } from '@swc/core'
import { Exclude, Expose, Transform, Type } from 'class-transformer'
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsEmail,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Length,
  MaxLength,
  Min,
  registerDecorator,
  ValidateNested,
} from 'class-validator'
import {
  AnyBody,
  Body,
  ConfigurationError,
  createApp,
  Get,
  Integer,
  Limit,
  Nullable,
  Paged,
  Param,
  Patch,
  Post,
  Query,
  reply,
  Resource,
  ServiceUnavailable,
  slice,
  type AppOptions,
  type Constructor,
  type Logger,
  type ParamType,
  type Pipe,
  type StatusRule,
} from 'kumu'
import * as ts from 'typescript'
import * as v from 'valibot'
import { z } from 'zod'
import { loadModules } from '../support/load-modules'
import { brief, violationsOf } from '../support/refusal'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** What a handler was given, in the order of calls. */
interface Sink {
  readonly calls: unknown[]
  readonly resource: object
}

/** A resource that takes a body of this type and keeps what its handler is given. */
function bodyOf(type: ParamType, options: { readonly groups?: readonly string[] } = {}): Sink {
  const calls: unknown[] = []
  @Resource('/things')
  class Things {
    @Post()
    make(@Body(type, options) body: unknown) {
      calls.push(body)
      return { made: true }
    }
  }
  return { calls, resource: new Things() }
}

/** The same of a query. */
function queryOf(type: ParamType): Sink {
  const calls: unknown[] = []
  @Resource('/things')
  class Things {
    @Get()
    find(@Query(type) query: unknown) {
      calls.push(query)
      return { found: true }
    }
  }
  return { calls, resource: new Things() }
}

async function start(resource: object, options: AppOptions = {}): Promise<Served> {
  const app = createApp({ resources: [resource], ...options })
  app.silent = true
  return serve(app)
}

/** Posts bodies to a fresh application, one after the other, and says how each fared. */
async function fates(type: ParamType, bodies: readonly unknown[], options: AppOptions = {}) {
  const { calls, resource } = bodyOf(type)
  const { ask } = await start(resource, options)
  const answers: (readonly (string | number)[])[] = []
  for (const body of bodies) answers.push(brief(await ask('POST', '/things', { body })))
  return { answers, calls }
}

/** The message of a mistake found at start. */
function mistake(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  throw new Error('nothing was found')
}

const boot = (type: ParamType) => () => createApp({ resources: [bodyOf(type).resource] })

class Address {
  @IsString() @Length(5, 5) zip!: string
  @IsOptional() @IsString() street?: string
}

class User {
  @IsString() name!: string
  @IsString() @Length(8, 72) password!: string
  @IsOptional() @ValidateNested() @Type(() => Address) address?: Address
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Address) others?: Address[]

  greeting(): string {
    return `Hello ${this.name}`
  }
}

const ann = { name: 'Ann', password: 'correct horse' }

describe('B1: a class is declared and something else comes', () => {
  it.each([
    ['a list of one', [ann]],
    ['an empty list', []],
    ['a list of lists', [[ann]]],
    ['a list of null', [null]],
    ['a text', '"Ann"'],
    ['an empty text', '""'],
    ['a number', '7'],
    ['true', 'true'],
    ['null', 'null'],
  ])('POST %s: 422, the handler is not called', async (_, body) => {
    const { calls, resource } = bodyOf(User)
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } })
    expect(brief(answer)).toEqual([422, ' type'])
    expect(calls).toEqual([])
  })

  it('an object that only looks like a list: 422', async () => {
    const { answers, calls } = await fates(User, [
      { 0: ann, length: 1 },
      { length: 0, ...ann },
    ])
    expect(answers).toEqual([
      [422, '/0 unknown', '/length unknown', '/name required', '/password required'],
      [422, '/length unknown'],
    ])
    expect(calls).toEqual([])
  })
})

describe('B2: a list of a class', () => {
  it('every element is built and checked, and its pointer has its index', async () => {
    const { answers, calls } = await fates(
      [User],
      [
        [ann, { name: 'Bob', password: 'short' }],
        [ann, { ...ann, isAdmin: true }],
        [{ ...ann, address: { zip: '1' } }, ann, { ...ann, others: [{ zip: '12345' }, { zip: 1 }] }],
        [ann, null, [], 'x', 7, [ann]],
        [ann, ann],
        [],
      ],
    )
    expect(answers).toEqual([
      [422, '/1/password isLength'],
      [422, '/1/isAdmin unknown'],
      [422, '/0/address/zip isLength', '/2/others/1/zip isLength', '/2/others/1/zip isString'],
      [422, '/1 type', '/2 type', '/3 type', '/4 type', '/5 type'],
      [200],
      [200],
    ])
    expect(calls).toHaveLength(2)
    expect((calls[0] as User[]).every((user) => user instanceof User)).toBe(true)
    expect(calls[1]).toEqual([])
  })

  it.each([
    ['an object', ann],
    ['an object of indices', { 0: ann, length: 1 }],
    ['null', 'null'],
    ['a text', '"x"'],
  ])('%s instead of the list: 422', async (_, body) => {
    const { calls, resource } = bodyOf([User])
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } })
    expect(brief(answer)).toEqual([422, ' type'])
    expect(calls).toEqual([])
  })

  it('the lines of NDJSON are elements as well', async () => {
    const { calls, resource } = bodyOf([User])
    const { ask } = await start(resource)
    const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n')
    const send = (body: string) => ask('POST', '/things', { body, headers: { 'Content-Type': 'application/x-ndjson' } })
    expect(brief(await send(lines(ann, { ...ann, password: 'short' })))).toEqual([422, '/1/password isLength'])
    expect(brief(await send(lines(ann, ann)))).toEqual([200])
    expect(calls).toEqual([[expect.any(User), expect.any(User)]])
  })

  it('unknown members of elements can be left out instead', async () => {
    const { answers, calls } = await fates([User], [[{ ...ann, isAdmin: true }]], { validation: { unknown: 'strip' } })
    expect(answers).toEqual([[200]])
    expect(calls).toEqual([[ann]])
  })
})

describe('B3: what a class does not declare', () => {
  const hostile = {
    ...ann,
    isAdmin: true,
    address: { zip: '12345', owner: { isAdmin: true } },
    others: [{ zip: '12345', 'a/b~c': 1 }],
  }

  it('is refused, at every level', async () => {
    const { answers, calls } = await fates(User, [hostile])
    expect(answers).toEqual([[422, '/isAdmin unknown', '/address/owner unknown', '/others/0/a~1b~0c unknown']])
    expect(calls).toEqual([])
  })

  it('or left out, at every level', async () => {
    const { answers, calls } = await fates(User, [hostile], { validation: { unknown: 'strip' } })
    expect(answers).toEqual([[200]])
    expect(calls).toEqual([{ ...ann, address: { zip: '12345' }, others: [{ zip: '12345' }] }])
  })

  it.each([['isAdmin=true'], ['address[owner]=x'], ['name[first]=x'], ['Name=x'], ['name%00=x'], ['=x']])(
    'GET ?%s: 400, in the query as well',
    async (more) => {
      const { calls, resource } = queryOf(User)
      const { ask } = await start(resource)
      const answer = await ask('GET', `/things?password=correct+horse&${more}`)
      expect(answer.status).toBe(400)
      expect(violationsOf(answer)[0]?.in).toBe('query')
      expect(calls).toEqual([])
    },
  )

  it('and in a form', async () => {
    const { calls, resource } = bodyOf(User)
    const { ask } = await start(resource)
    const send = (body: string) => ask('POST', '/things', { body, headers: form })
    expect(brief(await send('name=Ann&password=correct+horse&isAdmin=true'))).toEqual([422, '/isAdmin unknown'])
    expect(brief(await send('name=Ann&password=correct+horse'))).toEqual([200])
    expect(calls).toEqual([ann])
  })
})

describe('B4: a class without validation metadata', () => {
  class Bare {
    name!: string
  }
  @Resource('/a')
  class Declared {
    @Post() make(@Body() body: Bare) {
      return body
    }
  }
  @Resource('/b')
  class Asked {
    @Get() find(@Query() query: Bare) {
      return query
    }
  }
  class Holder {
    @ValidateNested() @Type(() => Bare) bare!: Bare
  }
  class Holders {
    @ValidateNested({ each: true }) @Type(() => Bare) bares!: Bare[]
  }

  it.each([
    ['a declared body', () => createApp({ resources: [Declared] }), 'Declared.make, parameter 0'],
    ['a declared query', () => createApp({ resources: [Asked] }), 'Asked.find, parameter 0'],
    ['an explicit body', boot(Bare), 'Things.make, parameter 0'],
    ['the elements of a list', boot([Bare]), 'Things.make, parameter 0'],
    ['a nested value', boot(Holder), 'Things.make, parameter 0'],
    ['nested elements', boot(Holders), 'Things.make, parameter 0'],
  ])('as %s: found at start', (_, make, where) => {
    const message = mistake(make)
    expect(message).toContain(where)
    expect(message).toContain('class Bare')
    expect(message).toContain('@AnyBody()')
  })

  it('with @AnyBody() its values pass as plain data', async () => {
    @AnyBody()
    class Webhook {}
    const body = { any: [{ thing: null }] }
    const { answers, calls } = await fates(Webhook, [body, [1], 'null'])
    expect(answers.map(([status]) => status)).toEqual([200, 200, 415])
    expect(calls).toEqual([body, [1]])
  })

  it('the library’s own words about it are never an answer', async () => {
    class Odd {
      @IsObject() @Type(() => Bare) loose!: Bare
      @IsOptional()
      @ValidateNested()
      @Transform(({ value }: { value: unknown }) => value)
      @Type(() => Address)
      a?: Address
    }
    const { resource } = bodyOf(Odd)
    const { ask } = await start(resource)
    for (const body of [{}, [], { loose: {} }, { loose: 1 }, { loose: {}, a: [{}] }, { loose: {}, a: { x: 1 } }]) {
      const answer = await ask('POST', '/things', { body })
      expect([200, 422]).toContain(answer.status)
      expect(answer.text).not.toMatch(/unknown value was passed/i)
    }
  })
})

describe('B5: values that no rule speaks of', () => {
  class Partly {
    @IsString() ruled!: string
    unruled?: string
    @Type(() => Number) typed?: number
    @Expose() exposed?: unknown
    @Allow() allowed?: unknown
    @IsOptional() optional?: unknown
    @Exclude() @IsOptional() @IsString() excluded?: string
  }
  const refused = ['unruled', 'typed', 'excluded', 'method', 'toString', 'valueOf']

  it.each(refused)('%s is not declared: 422', async (name) => {
    const { answers, calls } = await fates(Partly, [{ ruled: 'x', [name]: 'y' }])
    expect(answers).toEqual([[422, `/${name} unknown`]])
    expect(calls).toEqual([])
  })

  it('and left out where that is asked for', async () => {
    const body = { ruled: 'x', ...Object.fromEntries(refused.map((name) => [name, 'y'])) }
    const { answers, calls } = await fates(Partly, [body], { validation: { unknown: 'strip' } })
    expect(answers).toEqual([[200]])
    expect(calls).toEqual([{ ruled: 'x' }])
  })

  it.each(['exposed', 'allowed', 'optional'])('%s is declared without a rule: anything passes', async (name) => {
    const values = ['text', 7, true, [1, [2]], { deep: { er: 1 } }]
    const { answers, calls } = await fates(
      Partly,
      values.map((value) => ({ ruled: 'x', [name]: value })),
    )
    expect(answers).toEqual(values.map(() => [200]))
    expect(calls.map((call) => (call as Record<string, unknown>)[name])).toEqual(values)
  })

  it('a rule that says nothing of the type leaves the declared one: an object is no text, a list no number', async () => {
    class Login {
      @IsNotEmpty() password!: string
      @IsOptional() @IsNotEmpty() age?: number
      @IsOptional() @IsNotEmpty() active?: boolean
    }
    const { answers, calls } = await fates(Login, [
      { password: { $ne: null } },
      { password: ['x'] },
      { password: 'x', age: { $gt: 0 } },
      { password: 'x', age: [1] },
      { password: 'x', active: {} },
      { password: 7 },
      { password: 'x', age: '7' },
      { password: 'x', active: 'false' },
      { password: 'x', age: 7, active: false },
    ])
    expect(answers).toEqual([
      [422, '/password type'],
      [422, '/password type'],
      [422, '/age type'],
      [422, '/age type'],
      [422, '/active type'],
      [422, '/password type'],
      [422, '/age type'],
      [422, '/active type'],
      [200],
    ])
    expect(calls).toEqual([{ password: 'x', age: 7, active: false }])
  })
})

class Cat {
  @IsIn(['cat']) kind!: 'cat'
  @IsInt() @Min(0) lives!: number
}
class Dog {
  @IsIn(['dog']) kind!: 'dog'
  @IsString() breed!: string
}
const discriminator = {
  property: 'kind',
  subTypes: [
    { name: 'cat', value: Cat },
    { name: 'dog', value: Dog },
  ],
}
class Owner {
  @IsOptional()
  @ValidateNested()
  @Type(() => Object, { discriminator, keepDiscriminatorProperty: true })
  pet?: Cat | Dog

  @IsOptional()
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => Object, { discriminator, keepDiscriminatorProperty: true })
  pets?: (Cat | Dog)[]
}

describe('B6: a discriminator', () => {
  it.each([
    ['unknown', { kind: 'cow' }, 'discriminator'],
    ['of another case', { kind: 'Cat' }, 'discriminator'],
    ['a name of Object.prototype', { kind: 'constructor' }, 'discriminator'],
    ['__proto__', { kind: '__proto__' }, 'discriminator'],
    ['null', { kind: null }, 'discriminator'],
    ['a number', { kind: 0 }, 'discriminator'],
    ['a list', { kind: ['cat'] }, 'discriminator'],
    ['empty', { kind: '' }, 'discriminator'],
    ['missing', { lives: 9 }, 'required'],
  ])('that is %s: 422, naming the member and the choices', async (_, pet, code) => {
    const { resource, calls } = bodyOf(Owner)
    const { ask } = await start(resource)
    const violation = { in: 'body', code, detail: 'kind must be one of: cat, dog' }
    const one = await ask('POST', '/things', { body: { pet } })
    const several = await ask('POST', '/things', { body: { pets: [{ kind: 'cat', lives: 9 }, pet] } })
    expect(one.status).toBe(422)
    expect(violationsOf(one)).toEqual([{ ...violation, pointer: '/pet/kind' }])
    expect(violationsOf(several)).toEqual([{ ...violation, pointer: '/pets/1/kind' }])
    expect(calls).toEqual([])
  })
})

describe('B7: unions and lists of unions', () => {
  it('each value is built and checked as its own class', async () => {
    const cat = { kind: 'cat', lives: 9 }
    const dog = { kind: 'dog', breed: 'collie' }
    const { answers, calls } = await fates(Owner, [
      { pet: dog, pets: [cat, dog] },
      { pet: { ...cat, breed: 'collie' } },
      { pets: [dog, { kind: 'cat', lives: -1 }, { kind: 'dog' }] },
      { pet: [cat] },
      { pets: [null, [cat], 'cat', 7] },
      { pets: {} },
    ])
    expect(answers).toEqual([
      [200],
      [422, '/pet/breed unknown'],
      [422, '/pets/1/lives min', '/pets/2/breed required'],
      [422, '/pet type'],
      [422, '/pets/0 type', '/pets/1 type', '/pets/2 type', '/pets/3 type'],
      [422, '/pets type'],
    ])
    const owner = calls[0] as Owner
    expect(owner.pet).toBeInstanceOf(Dog)
    expect(owner.pets?.map((pet) => pet.constructor)).toEqual([Cat, Dog])
    expect(owner.pet).toEqual(dog)
  })

  it('a type chosen by a sibling needs no discriminator in the value', async () => {
    class Either {
      @IsIn(['cat', 'address']) is!: string
      @ValidateNested()
      @Type((help) => (help?.object['is'] === 'address' ? Address : Cat))
      value!: Address | Cat
    }
    const { answers, calls } = await fates(Either, [
      { value: { zip: '12345' }, is: 'address' },
      { is: 'cat', value: { zip: '12345' } },
    ])
    expect(answers[0]).toEqual([200])
    expect(answers[1]).toEqual([422, '/value/zip unknown', '/value/kind required', '/value/lives required'])
    expect((calls[0] as Either).value).toBeInstanceOf(Address)
  })
})

describe('B8: null and other strangers among the elements of a list', () => {
  class Order {
    @IsArray() @ValidateNested({ each: true }) @Type(() => Address) items!: Address[]
    @IsOptional() @IsString({ each: true }) tags?: string[]
  }

  it.each([[null], [7], ['x'], [true], [[]], [[null]], [[{ zip: '12345' }]]])(
    '%j: 422 at its place',
    async (stranger) => {
      const { answers, calls } = await fates(Order, [
        { items: [stranger, { zip: '12345' }] },
        { items: [{ zip: '12345' }, stranger] },
      ])
      expect(answers).toEqual([
        [422, '/items/0 type'],
        [422, '/items/1 type'],
      ])
      expect(calls).toEqual([])
    },
  )

  it('among scalars as well', async () => {
    const { answers } = await fates(Order, [
      { items: [], tags: ['a', null] },
      { items: [], tags: [{}] },
    ])
    expect(answers).toEqual([
      [422, '/tags isString'],
      [422, '/tags isString'],
    ])
  })
})

describe('B9: the shape of a list', () => {
  class Order {
    @ValidateNested({ each: true }) @Type(() => Address) items!: Address[]
    @IsOptional() @IsString({ each: true }) tags?: string[]
  }
  const item = { zip: '12345' }

  it.each([
    ['an object', item],
    ['an object of indices', { 0: item, length: 1 }],
    ['an empty object', {}],
    ['a text', 'x'],
    ['a number', 7],
    ['null', null],
  ])('%s where a list is declared: 422', async (_, value) => {
    const { answers } = await fates(Order, [{ items: value }])
    expect(answers).toEqual([[422, '/items type']])
  })

  it.each([
    ['a list of lists', [[item]]],
    ['an empty inner list', [[]]],
    ['deeper', [[[item]]]],
  ])('%s: 422', async (_, value) => {
    const { answers } = await fates(Order, [{ items: value }])
    expect(answers).toEqual([[422, '/items/0 type']])
  })

  it('a list where an object is declared: 422', async () => {
    const { answers } = await fates(User, [
      { ...ann, address: [item] },
      { ...ann, address: [] },
    ])
    expect(answers).toEqual([
      [422, '/address type'],
      [422, '/address type'],
    ])
  })

  it('of scalars: 422 as well', async () => {
    const { answers } = await fates(Order, [
      { items: [], tags: 'x' },
      { items: [], tags: { 0: 'x' } },
      { items: [], tags: [['x']] },
    ])
    expect(answers).toEqual([
      [422, '/tags type'],
      [422, '/tags type'],
      [422, '/tags isString'],
    ])
  })
})

describe('B10: two lists of one class', () => {
  it('have pointers of their own', async () => {
    class Sale {
      @ValidateNested({ each: true }) @Type(() => Address) from!: Address[]
      @ValidateNested({ each: true }) @Type(() => Address) to!: Address[]
    }
    const good = { zip: '12345' }
    const bad = { zip: '1' }
    const { answers } = await fates(Sale, [
      { from: [good, bad], to: [good] },
      { from: [good], to: [good, bad] },
      { from: [bad], to: [bad, good, bad] },
      { from: [{ ...good, x: 1 }], to: [{ ...good, x: 1 }] },
    ])
    expect(answers).toEqual([
      [422, '/from/1/zip isLength'],
      [422, '/to/1/zip isLength'],
      [422, '/from/0/zip isLength', '/to/0/zip isLength', '/to/2/zip isLength'],
      [422, '/from/0/x unknown', '/to/0/x unknown'],
    ])
  })
})

describe('B11: optional and nullable', () => {
  class Mixed {
    @IsOptional() @IsInt() optional?: number
    @IsInt() @Nullable() nullable!: number | null
    @IsOptional() @IsString() @Nullable() both?: string | null
    @IsOptional() @ValidateNested() @Type(() => Address) nested?: Address
    @IsOptional() @ValidateNested() @Type(() => Address) @Nullable() nestedNull?: Address | null
  }
  const rows: readonly (readonly [unknown, readonly (string | number)[]])[] = [
    [{ nullable: 1 }, [200]],
    [{ nullable: null }, [200]],
    [{ nullable: 1, optional: 2, both: 'x', nested: { zip: '12345' } }, [200]],
    [{ nullable: 1, both: null, nestedNull: null }, [200]],
    [{}, [422, '/nullable required']],
    [{ nullable: 1, optional: null }, [422, '/optional type']],
    [{ nullable: 1, nested: null }, [422, '/nested type']],
    [{ nullable: 'x' }, [422, '/nullable isInt']],
    [{ nullable: 1, both: 7 }, [422, '/both isString']],
    [{ nullable: 1, nestedNull: {} }, [422, '/nestedNull/zip required']],
    [{ nullable: 0.5, optional: '' }, [422, '/optional isInt', '/nullable isInt']],
  ]

  it.each(rows)('%j: %j', async (body, expected) => {
    const { answers } = await fates(Mixed, [body])
    expect(answers[0]?.toSorted()).toEqual([...expected].sort())
  })

  it('validation.optionalNull: accept restores the library’s reading', async () => {
    const body = { nullable: 1, optional: null, nested: null }
    const { answers, calls } = await fates(Mixed, [body], { validation: { optionalNull: 'accept' } })
    expect(answers).toEqual([[200]])
    expect(calls).toEqual([body])
  })
})

describe('B12: what a PATCH leaves out is absent', () => {
  class Compiled {
    @IsOptional() @IsInt() a?: number
    @IsOptional() @IsInt() b?: number
    @IsOptional() @ValidateNested() @Type(() => Address) c?: Address
  }

  /** The fields of ES2022: every declared property is defined, on each instance. */
  class Defined {
    declare a?: number
    declare b?: number
    declare c?: Address
    constructor() {
      for (const name of ['a', 'b', 'c']) {
        Object.defineProperty(this, name, { value: undefined, enumerable: true, configurable: true, writable: true })
      }
    }
  }
  for (const name of ['a', 'b']) {
    IsOptional()(Defined.prototype, name)
    IsInt()(Defined.prototype, name)
  }
  IsOptional()(Defined.prototype, 'c')
  ValidateNested()(Defined.prototype, 'c')
  Type(() => Address)(Defined.prototype, 'c')

  const source = `
    import { IsInt, IsOptional } from 'class-validator'
    export class Fields { @IsOptional() @IsInt() a?: number; @IsOptional() @IsInt() b?: number; @IsOptional() c?: unknown }`

  function compiledByTsc(): Constructor {
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.CommonJS,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        useDefineForClassFields: true,
      },
    })
    const made = { exports: {} as { Fields?: Constructor } }
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- the fixture's compiled text
    new Function('module', 'exports', 'require', outputText)(
      made,
      made.exports,
      (name: string) => require(name) as unknown,
    )
    return made.exports.Fields as Constructor
  }

  it.each<[string, () => Constructor]>([
    ['the fields of this file’s compiler', () => Compiled],
    ['fields that are defined one by one', () => Defined],
    ['the fields of tsc with useDefineForClassFields', compiledByTsc],
  ])('also with %s', async (_, make) => {
    const Model = make()
    expect(Object.keys(new Model() as object)).toContain('b')
    const seen: unknown[] = []
    @Resource('/things')
    class Things {
      @Patch() change(@Body(Model) body: object) {
        seen.push('b' in body, Object.keys(body), { b: 1, ...body })
        return body
      }
    }
    const { ask } = await start(new Things())
    const answer = await ask('PATCH', '/things', { body: { a: 1 } })
    expect(answer.json()).toEqual({ a: 1 })
    expect(seen).toEqual([false, ['a'], { a: 1, b: 1 }])
    expect((await ask('PATCH', '/things', { body: {} })).text).toBe('{}')
  })

  it('in nested objects and lists as well, and absent is not null', async () => {
    class Book {
      @IsOptional() @ValidateNested() @Type(() => Compiled) one?: Compiled
      @IsOptional() @ValidateNested({ each: true }) @Type(() => Compiled) many?: Compiled[]
      @IsOptional() @IsInt() @Nullable() n?: number | null
    }
    const { calls } = await fates(Book, [{ one: { a: 1 }, many: [{}, { b: 2 }] }, { n: null }])
    const [first, second] = calls as [Book, Book]
    expect(Object.keys(first)).toEqual(['one', 'many'])
    expect(Object.keys(first.one as object)).toEqual(['a'])
    expect(first.many?.map((each) => Object.keys(each))).toEqual([[], ['b']])
    expect(second).toEqual({ n: null })
    expect('n' in second).toBe(true)
  })
})

describe('B13: nested validation without the class of its elements', () => {
  interface Shape {
    side: number
  }
  class ListOfUnknown {
    @ValidateNested({ each: true }) parts!: Address[]
  }
  class OfInterface {
    @ValidateNested() shape!: Shape
  }
  class OfUnion {
    @ValidateNested() pet!: Cat | Dog
  }
  class OfSet {
    @ValidateNested({ each: true }) set!: Set<Address>
  }
  class OfMap {
    @ValidateNested({ each: true }) map!: Map<string, Address>
  }
  class Deeper {
    @ValidateNested() @Type(() => ListOfUnknown) inner!: ListOfUnknown
  }

  it.each<[Constructor, string]>([
    [ListOfUnknown, 'ListOfUnknown.parts'],
    [OfInterface, 'OfInterface.shape'],
    [OfUnion, 'OfUnion.pet'],
    [OfSet, 'OfSet.set'],
    [OfMap, 'OfMap.map'],
    [Deeper, 'ListOfUnknown.parts'],
  ])('%p: found at start', (Class, property) => {
    const message = mistake(boot(Class))
    expect(message).toContain('Things.make, parameter 0')
    expect(message).toContain(`${property} has @ValidateNested and no class to validate by`)
    expect(message).toContain('@Type(() => ItsClass)')
  })

  it('a class that the compiler emitted is enough', async () => {
    class Emitted {
      @ValidateNested() address!: Address
    }
    const { answers, calls } = await fates(Emitted, [{ address: { zip: '1' } }, { address: { zip: '12345' } }])
    expect(answers).toEqual([[422, '/address/zip isLength'], [200]])
    expect((calls[0] as Emitted).address).toBeInstanceOf(Address)
  })
})

describe('B14: groups', () => {
  class Part {
    @IsString() name!: string
    @IsInt({ groups: ['create'] }) serial!: number
    @IsOptional({ groups: ['update'] }) @IsString({ groups: ['update'] }) note?: string
  }
  class Machine {
    @IsString() model!: string
    @IsString({ groups: ['create'] }) maker!: string
    @ValidateNested() @Type(() => Part) main!: Part
    @ValidateNested({ each: true }) @Type(() => Part) parts!: Part[]
  }
  @Resource('/machines')
  class Machines {
    @Post() create(@Body(Machine, { groups: ['create'] }) machine: Machine) {
      return machine
    }
    @Patch() update(@Body(Machine, { groups: ['update'] }) machine: Machine) {
      return machine
    }
  }
  const part = { name: 'p', serial: 1 }
  const machine = { model: 'm', maker: 'k', main: part, parts: [part] }
  const bare = { name: 'p' }

  it('apply to nested objects and lists; rules without groups always apply', async () => {
    const { ask } = await start(new Machines())
    const create = async (body: unknown) => brief(await ask('POST', '/machines', { body }))
    const update = async (body: unknown) => brief(await ask('PATCH', '/machines', { body }))
    expect(await create(machine)).toEqual([200])
    expect(await create({ ...machine, main: bare, parts: [part, bare] })).toEqual([
      422,
      '/main/serial required',
      '/parts/1/serial required',
    ])
    expect(await create({ ...machine, parts: [{ ...part, name: 1 }] })).toEqual([422, '/parts/0/name isString'])
    expect(await update({ model: 'm', main: bare, parts: [bare] })).toEqual([200])
    expect(await update({ model: 'm', main: { ...bare, note: 7 }, parts: [{}] })).toEqual([
      422,
      '/main/note isString',
      '/parts/0/name required',
    ])
  })

  it('what has rules in other groups only is unknown', async () => {
    const { ask } = await start(new Machines())
    const update = await ask('PATCH', '/machines', { body: machine })
    expect(brief(update)).toEqual([422, '/maker unknown', '/main/serial unknown', '/parts/0/serial unknown'])
    const create = await ask('POST', '/machines', { body: { ...machine, main: { ...part, note: 'x' } } })
    expect(brief(create)).toEqual([422, '/main/note unknown'])
  })

  it('of the application hold where a parameter names none', async () => {
    const { answers } = await fates(Machine, [{ ...machine, parts: [bare] }], { validation: { groups: ['create'] } })
    expect(answers).toEqual([[422, '/parts/0/serial required']])
  })
})

describe('B15: a rule of one’s own that fails', () => {
  const rule = (validate: (value: unknown) => boolean | Promise<boolean>) => (target: object, propertyName: string) =>
    registerDecorator({
      name: 'isFree',
      target: target.constructor,
      propertyName,
      async: true,
      validator: { validate },
    })
  const secret = 'connection to db-7.internal refused for user kumu'
  const later = rule(async (value) => {
    await Promise.resolve()
    if (value === 'down') throw new Error(secret)
    if (value === 'busy') throw new ServiceUnavailable('Try again', { headers: { 'Retry-After': '3' } })
    return value === 'free'
  })
  const atOnce = rule((value) => {
    if (value === 'down') throw new TypeError(secret)
    return true
  })
  class Account {
    @IsOptional() @later name?: string
    @IsOptional() @atOnce nick?: string
  }
  class Team {
    @ValidateNested({ each: true }) @Type(() => Account) accounts!: Account[]
  }

  async function withLog(type: ParamType, body: unknown, options: AppOptions = {}) {
    const lines: Array<{ details: object; message: string }> = []
    const logger: Logger = { error: (details, message) => void lines.push({ details, message }) }
    const { calls, resource } = bodyOf(type)
    const { ask } = await serve(createApp({ resources: [resource], logger, ...options }))
    return { answer: await ask('POST', '/things', { body }), lines, calls }
  }

  it.each<[string, ParamType, unknown]>([
    ['later', Account, { name: 'down' }],
    ['at once', Account, { nick: 'down' }],
    ['both, at once and later', Account, { name: 'down', nick: 'down' }],
    ['in a list of the body', [Account], [{ name: 'free' }, { name: 'down' }]],
    ['in a nested list', Team, { accounts: [{ name: 'free' }, { name: 'down' }] }],
    ['beside a rule that is broken', Account, { name: 'taken', nick: 'down' }],
  ])('%s: 500 and a line in the log', async (_, type, body) => {
    const { answer, lines, calls } = await withLog(type, body)
    expect(answer.status).toBe(500)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.text).not.toContain('db-7')
    expect(lines).toHaveLength(1)
    expect(lines[0]?.message).toBe(secret)
    expect(lines[0]?.details).toMatchObject({
      requestId: answer.headers['x-request-id'],
      method: 'POST',
      path: '/things',
    })
    expect(calls).toEqual([])
  })

  it('a failure that a status rule knows: 503 and a line in the log', async () => {
    const status: StatusRule = (error) => (error instanceof Error && error.message === secret ? 503 : undefined)
    const { answer, lines } = await withLog(Account, { name: 'down' }, { errors: { status: [status] } })
    expect(answer.status).toBe(503)
    expect(answer.text).not.toContain('db-7')
    expect(lines).toHaveLength(1)
  })

  it('a 503 of its own keeps its headers', async () => {
    const { answer } = await withLog(Account, { name: 'busy' })
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('3')
  })

  it('a rule that answers is the client’s business, and no line', async () => {
    const { answer, lines } = await withLog(Account, { name: 'taken' })
    expect(brief(answer)).toEqual([422, '/name isFree'])
    expect(lines).toEqual([])
  })
})

describe('B16: names that reach into prototypes', () => {
  const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, User.prototype]
  const members = () => prototypes.map((prototype) => Reflect.ownKeys(prototype))
  const before = members()
  const greeting = User.prototype.greeting

  afterEach(() => {
    expect(members()).toEqual(before)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    expect(User.prototype.greeting).toBe(greeting)
  })

  const json = [
    '{"__proto__":{"polluted":1},"name":"Ann","password":"correct horse"}',
    '{"constructor":{"prototype":{"polluted":1}},"name":"Ann","password":"correct horse"}',
    '{"prototype":{"polluted":1},"name":"Ann","password":"correct horse"}',
    '{"name":"Ann","password":"correct horse","address":{"zip":"12345","__proto__":{"polluted":1}}}',
    '{"name":"Ann","password":"correct horse","address":{"zip":"12345","constructor":{"prototype":{"polluted":1}}}}',
    '{"name":"Ann","password":"correct horse","others":[{"zip":"12345","__proto__":{"polluted":1}}]}',
    '{"name":"Ann","password":"correct horse","greeting":"polluted"}',
    '{"name":"Ann","password":"correct horse","hasOwnProperty":1,"toString":1,"valueOf":1,"toJSON":1}',
    '{"name":"Ann","password":"correct horse","extra":{"constructor":"polluted"}}',
    '{"name":"Ann","password":"correct horse","\\u005f_proto__":{"polluted":1}}',
    '{"name":"Ann","password":"correct horse","then":"polluted"}',
  ]

  it.each(json)('POST %s', async (body) => {
    const headers = { 'Content-Type': 'application/json' }
    const refusing = bodyOf(User)
    const first = await (await start(refusing.resource)).ask('POST', '/things', { body, headers })
    expect(first.status).toBe(422)
    expect(violationsOf(first).every(({ code }) => code === 'unknown')).toBe(true)
    expect(refusing.calls).toEqual([])
    const stripping = bodyOf(User)
    const options: AppOptions = { validation: { unknown: 'strip' } }
    const second = await (await start(stripping.resource, options)).ask('POST', '/things', { body, headers })
    expect(second.status).toBe(200)
    const [user] = stripping.calls as [User]
    expect(Object.getPrototypeOf(user)).toBe(User.prototype)
    expect(user.greeting()).toBe('Hello Ann')
    expect(JSON.stringify(user)).not.toContain('polluted')
  })

  it('in values that no class describes', async () => {
    class Free {
      @IsObject() free!: Record<string, unknown>
      @IsOptional() @IsArray() list?: unknown[]
    }
    const headers = { 'Content-Type': 'application/json' }
    const { resource, calls } = bodyOf(Free)
    const { ask } = await start(resource)
    for (const body of [
      '{"free":{"__proto__":{"polluted":1}}}',
      '{"free":{"a":{"constructor":{"prototype":{"polluted":1}}}}}',
      '{"free":{},"list":[[{"__proto__":1}]]}',
    ]) {
      expect((await ask('POST', '/things', { body, headers })).status).toBe(422)
    }
    expect(calls).toEqual([])
  })

  const texts = [
    '__proto__[polluted]=1',
    '__proto__=1',
    'constructor[prototype][polluted]=1',
    'constructor=1',
    'prototype[polluted]=1',
    'address[__proto__][polluted]=1',
    'address[constructor][prototype][polluted]=1',
    'others[0][__proto__][polluted]=1',
    '__proto__.polluted=1',
    '%5F%5Fproto%5F%5F[polluted]=1',
    '__proto__[]=1&__proto__[]=2',
    'greeting=polluted',
    'toString=1',
  ]

  it.each(texts)('GET ?%s', async (text) => {
    const { resource, calls } = queryOf(User)
    const { ask } = await start(resource)
    const answer = await ask('GET', `/things?name=Ann&password=correct+horse&${text}`)
    expect(answer.status).toBe(400)
    expect(calls).toEqual([])
  })

  it.each(texts)('POST %s as a form', async (text) => {
    const { resource, calls } = bodyOf(User)
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body: `name=Ann&password=correct+horse&${text}`, headers: form })
    expect([400, 422]).toContain(answer.status)
    expect(calls).toEqual([])
  })

  it('in a query without a class, and in named values', async () => {
    const seen: unknown[] = []
    @Resource('/free')
    class Free {
      @Get() all(@Query(Object) query: Record<string, unknown>) {
        seen.push(query)
        return query
      }
      @Post() one(@Body('value', Object) value: unknown) {
        seen.push(value)
        return {}
      }
    }
    const { ask } = await start(new Free())
    expect((await ask('GET', '/free?__proto__[polluted]=1')).status).toBe(400)
    expect((await ask('GET', '/free?a[constructor][prototype][polluted]=1')).status).toBe(400)
    const body = '{"value":{"__proto__":{"polluted":1}},"__proto__":{"value":1}}'
    const headers = { 'Content-Type': 'application/json' }
    expect(brief(await ask('POST', '/free', { body, headers }))).toEqual([422, '/__proto__ unknown'])
    expect(seen).toEqual([])
  })
})

describe('B17: bodies that are nested deep', () => {
  class Free {
    @IsOptional() @IsObject() free?: object
    @IsOptional() @IsArray() list?: unknown[]
    @IsOptional() @ValidateNested({ each: true }) @Type(() => Free) children?: Free[]
  }
  const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
  const objects = (depth: number) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
  const trees = (depth: number) => '{"children":['.repeat(depth) + '{}' + ']}'.repeat(depth)

  it.each([
    ['lists', lists(5_000)],
    ['more lists', lists(200_000)],
    ['objects', objects(5_000)],
    ['more objects', objects(100_000)],
    ['lists in a member', `{"list":${lists(5_000)}}`],
    ['objects in a member', `{"free":${objects(5_000)}}`],
    ['lists in an unknown member', `{"other":${lists(5_000)}}`],
    ['a class in itself', trees(5_000)],
    ['just too many', `{"list":${lists(32)}}`],
  ])('5,000 and more levels of %s: 400', async (_, body) => {
    const { resource, calls } = bodyOf(Free)
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } })
    expect(answer.status).toBe(400)
    expect(violationsOf(answer).map(({ code }) => code)).toEqual(['limit'])
    expect(answer.text.length).toBeLessThan(2_000)
    expect(calls).toEqual([])
  })

  it.each([
    ['unclosed', '['.repeat(5_000)],
    ['XML', `<r>${'<children>'.repeat(5_000)}${'</children>'.repeat(5_000)}</r>`],
    ['a form', `free${'[a]'.repeat(5_000)}=1`],
  ])('%s: 400', async (name, body) => {
    const types: Record<string, string> = { XML: 'application/xml', 'a form': form['Content-Type'] }
    const { resource, calls } = bodyOf(Free)
    const { ask } = await start(resource)
    const headers = { 'Content-Type': types[name] ?? 'application/json' }
    expect((await ask('POST', '/things', { body, headers })).status).toBe(400)
    expect(calls).toEqual([])
  })

  it('limits.depth says how deep', async () => {
    const { resource, calls } = bodyOf(Free)
    const { ask } = await start(resource, { limits: { depth: 600 } })
    const send = async (body: string) =>
      brief(await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } }))
    expect(await send(`{"list":${lists(400)}}`)).toEqual([200])
    expect(await send(`{"list":${lists(600)}}`)).toEqual([400, `/list${'/0'.repeat(599)} limit`])
    expect(calls).toHaveLength(1)
  })

  it('the highest limit is no failure of ours either, and none is higher', async () => {
    const { resource } = bodyOf(Free)
    const { ask } = await start(resource, { limits: { depth: 1_000 } })
    for (const depth of [900, 1_100, 5_000]) {
      for (const body of [`{"list":${lists(depth)}}`, trees(depth / 2), `{"free":${objects(depth)}}`]) {
        const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } })
        expect(answer.status).toBeLessThan(500)
        if (depth > 1_000) expect(violationsOf(answer)[0]?.code).toBe('limit')
      }
    }
    await expect(start(resource, { limits: { depth: 1_001 } })).rejects.toThrow(/limits\.depth/)
  })

  it('names nested deep in a query: 400', async () => {
    const { resource } = queryOf(Free)
    const { ask } = await start(resource)
    expect((await ask('GET', `/things?free${'[a]'.repeat(6)}=1`)).status).toBe(400)
    expect((await ask('GET', `/things?free${'[a]'.repeat(3_000)}=1`)).status).toBe(400)
  })
})

describe('B18: classes that refer to each other', () => {
  const author = `
    import { Type } from 'class-transformer'
    import { IsOptional, IsString, ValidateNested } from 'class-validator'
    import { Book } from './book.EXT'
    export class Author {
      @IsString() name!: string
      @IsOptional() @ValidateNested({ each: true }) @Type(() => Book) books?: Book[]
    }`
  // A property of a class that is not there yet is declared through an alias: else the compiler refers to the class itself.
  const book = `
    import { Type } from 'class-transformer'
    import { IsOptional, IsString, ValidateNested } from 'class-validator'
    import { Author } from './author.EXT'
    type Late<T> = T
    export class Book {
      @IsString() title!: string
      @IsOptional() @ValidateNested() @Type(() => Author) author?: Late<Author>
    }`
  const resource = `
    import 'reflect-metadata'
    import { createRequire } from 'node:module'
    import { Author } from './author.EXT'
    const { Body, Post, Resource, createApp } = createRequire(import.meta.url)(process.env.KUMU)
    @Resource('/authors')
    class Authors {
      @Post() make(@Body(Author) body: Author) {
        return [body instanceof Author, body.books?.[0]?.author instanceof Author]
      }
    }
    const app = createApp({ resources: [Authors] })
    const server = app.listen(0, '127.0.0.1', async () => {
      const send = async (body: unknown) => {
        const headers = { 'Content-Type': 'application/json' }
        const init = { method: 'POST', headers, body: JSON.stringify(body) }
        const answer = await fetch('http://127.0.0.1:' + (server.address() as { port: number }).port + '/authors', init)
        return [answer.status, await answer.json()]
      }
      const good = await send({ name: 'a', books: [{ title: 't', author: { name: 'b' } }] })
      const bad = await send({ name: 'a', books: [{ title: 't', author: { name: 1, books: [{}] } }] })
      console.log(JSON.stringify([good, bad]))
      server.closeAllConnections()
      server.close()
    })`

  const compilers: Readonly<Record<string, { extension: string; compile: (text: string) => string }>> = {
    tsc: {
      extension: 'mjs',
      compile: (text) =>
        ts.transpileModule(text, {
          compilerOptions: {
            target: ts.ScriptTarget.ES2022,
            module: ts.ModuleKind.ES2022,
            experimentalDecorators: true,
            emitDecoratorMetadata: true,
          },
        }).outputText,
    },
    swc: {
      extension: 'mjs',
      compile: (text) =>
        transformSync(text, {
          jsc: {
            target: 'es2022',
            parser: { syntax: 'typescript', decorators: true },
            transform: { legacyDecorator: true, decoratorMetadata: true },
            keepClassNames: true,
          },
          module: { type: 'es6' },
        }).code,
    },
    // What vitest and tsx compile with: it emits no types.
    esbuild: { extension: 'mts', compile: (text) => text },
  }

  it.each(Object.keys(compilers))('boot and validate as ES modules of ES2022 made by %s', async (name) => {
    const { extension, compile } = compilers[name] as (typeof compilers)[string]
    const dir = mkdtempSync(join(tmpdir(), 'kumu-cycle-'))
    try {
      symlinkSync(dirname(dirname(require.resolve('koa/package.json'))), join(dir, 'node_modules'), 'dir')
      for (const [file, text] of Object.entries({ author, book, main: resource })) {
        writeFileSync(join(dir, `${file}.${extension}`), compile(text.replaceAll('.EXT', '.mjs')))
      }
      const options = { compilerOptions: { experimentalDecorators: true, target: 'ES2022', module: 'Node16' } }
      writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(options))
      const tsx = require.resolve('tsx')
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', tsx, join(dir, `main.${extension}`)],
        {
          cwd: dir,
          env: { ...process.env, KUMU: require.resolve('kumu'), TSX_TSCONFIG_PATH: join(dir, 'tsconfig.json') },
        },
      )
      const [good, bad] = JSON.parse(stdout) as [unknown, [number, { errors: { pointer: string; code: string }[] }]]
      expect(good).toEqual([200, [true, true]])
      expect(bad[0]).toBe(422)
      expect(bad[1].errors.map(({ pointer, code }) => `${pointer} ${code}`).sort()).toEqual([
        '/books/0/author/books/0/title required',
        '/books/0/author/name isString',
      ])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })
})

describe('B19: two copies of the libraries', () => {
  let dir: string
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'kumu-copies-'))
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  /** A second installation of a library, loaded; its dependencies are those of the first. */
  function secondCopy<T>(name: string, place: string, change?: (text: string) => string): { library: T; path: string } {
    const home = join(dir, place, 'node_modules', name)
    const original = dirname(require.resolve(`${name}/package.json`))
    mkdirSync(home, { recursive: true })
    cpSync(join(original, 'package.json'), join(home, 'package.json'))
    cpSync(join(original, 'cjs'), join(home, 'cjs'), { recursive: true })
    for (const dependency of ['validator', 'libphonenumber-js']) {
      const link = join(dir, place, 'node_modules', dependency)
      const target = join(dirname(original), dependency)
      if (name === 'class-validator') symlinkSync(target, link, 'dir')
    }
    if (change) {
      const storage = join(home, 'cjs', 'metadata', 'MetadataStorage.js')
      writeFileSync(storage, change(readFileSync(storage, 'utf8')))
    }
    const path = join(home, 'cjs', 'index.js')
    return { library: require(path) as T, path }
  }

  it('of class-transformer: found at start, both paths printed', () => {
    const { library, path } = secondCopy<typeof import('class-transformer')>('class-transformer', 'a')
    class Foreign {
      @IsString() name!: string
      @ValidateNested() @library.Type(() => Address) address!: Address
    }
    class Holder {
      @ValidateNested() @Type(() => Foreign) foreign!: Foreign
    }
    for (const Class of [Foreign, Holder]) {
      const message = mistake(boot(Class))
      expect(message).toContain('Things.make, parameter 0')
      expect(message).toContain(dirname(path))
      expect(message).toContain(require.resolve('class-transformer'))
      expect(message).toContain('npm dedupe')
    }
  })

  it('of class-validator that share their storage: rules of either count', async () => {
    const { library } = secondCopy<typeof import('class-validator')>('class-validator', 'b')
    expect(library.IsString).not.toBe(IsString)
    class Foreign {
      @library.IsString() @library.Length(2, 3) name!: string
      @IsOptional() @library.ValidateNested() @Type(() => Address) address?: Address
    }
    const { answers } = await fates(Foreign, [{ name: 'x' }, { name: 'xx' }, { name: 'xx', address: {} }, { x: 1 }])
    expect(answers).toEqual([
      [422, '/name isLength'],
      [200],
      [422, '/address/zip required'],
      [422, '/x unknown', '/name required'],
    ])
  })

  it('of class-validator with storages of their own: found at start, both paths printed', () => {
    const apart = (text: string) => text.replaceAll('classValidatorMetadataStorage', 'otherMetadataStorage')
    const { library, path } = secondCopy<typeof import('class-validator')>('class-validator', 'c', apart)
    expect(library.getMetadataStorage()).not.toBe(undefined)
    class Foreign {
      @library.IsString() name!: string
    }
    class Both {
      @IsString() name!: string
      @library.IsInt() age!: number
    }
    for (const Class of [Foreign, Both]) {
      const message = mistake(boot(Class))
      expect(message).toContain(path)
      expect(message).toContain(require.resolve('class-validator'))
      expect(message).toContain('npm dedupe')
    }
    expect(boot(Address)).not.toThrow()
  })
})

describe('B20: a class declared below its resource', () => {
  it('named by a function, it is validated', async () => {
    const calls: unknown[] = []
    @Resource('/things')
    class Early {
      @Post() make(@Body(() => Later) body: object) {
        calls.push(body)
        return {}
      }
      @Post('/many') many(@Body(() => [Later]) body: object[]) {
        calls.push(body)
        return {}
      }
      @Post('/more') more(@Body([() => Later]) body: object[]) {
        calls.push(body)
        return {}
      }
      @Get() find(@Query(() => Later) query: object) {
        calls.push(query)
        return {}
      }
    }
    class Later {
      @IsString() name!: string
    }
    const { ask } = await start(new Early())
    expect(brief(await ask('POST', '/things', { body: { name: 1 } }))).toEqual([422, '/name isString'])
    expect(brief(await ask('POST', '/things/many', { body: [{ name: 1 }] }))).toEqual([422, '/0/name isString'])
    expect(brief(await ask('POST', '/things/more', { body: [{ x: 1 }] }))).toEqual([
      422,
      '/0/x unknown',
      '/0/name required',
    ])
    expect(brief(await ask('GET', '/things?x=1'))).toEqual([400, '/x unknown', '/name required'])
    await ask('POST', '/things', { body: { name: 'x' } })
    await ask('POST', '/things/many', { body: [{ name: 'x' }] })
    expect(calls).toEqual([expect.any(Later), [expect.any(Later)]])
  })

  it.each([
    ['as older targets emit it', undefined],
    ['as compilers emit it that look first', Object],
  ])('declared as a type that is not there yet, %s: found at start', (_, emitted) => {
    class Early {
      make(body: unknown) {
        return body
      }
    }
    Body()(Early.prototype, 'make', 0)
    Post()(Early.prototype, 'make')
    Reflect.defineMetadata('design:paramtypes', [emitted], Early.prototype, 'make')
    Resource('/early')(Early)
    const message = mistake(() => createApp({ resources: [Early] }))
    expect(message).toContain('Early.make, parameter 0')
    expect(message).toContain('@Body(Class)')
  })
})

describe('B21: parse, coerce, validate, convert', () => {
  it('happen in this order to a parameter, each to what the one before left', async () => {
    const order: string[] = []
    const pipe: Pipe = (value) => {
      order.push(`pipe ${typeof value} ${String(value)}`)
      return Number(value) + 1
    }
    const convert = (value: number) => {
      order.push(`convert ${value}`)
      return value * 10
    }
    @Resource('/n')
    class Numbers {
      @Get('/:n') one(@Param('n', { type: Integer, min: 5, pipes: [pipe], convert }) n: number) {
        order.push(`handler ${n}`)
        return { n }
      }
    }
    const { ask } = await start(new Numbers())
    expect((await ask('GET', '/n/%37')).json()).toEqual({ n: 80 })
    expect(order).toEqual(['pipe number 7', 'convert 8', 'handler 80'])
    order.length = 0
    expect(brief(await ask('GET', '/n/3'))).toEqual([400, '/n min'])
    expect(brief(await ask('GET', '/n/x'))).toEqual([400, '/n type'])
    expect(brief(await ask('GET', '/n/%'))[0]).toBe(400)
    expect(order).toEqual([])
  })

  it('a transform of a class sees the value read as its type, and the rules what it makes', async () => {
    const seen: unknown[] = []
    class Filter {
      @IsOptional()
      @Type(() => Number)
      @Transform(({ value }: { value: number }) => {
        seen.push(value)
        return value * 2
      })
      @IsInt()
      @Min(10)
      n?: number
    }
    const { resource, calls } = queryOf(Filter)
    const { ask } = await start(resource)
    expect(brief(await ask('GET', '/things?n=x'))).toEqual([400, '/n type'])
    expect(seen).toEqual([])
    expect(brief(await ask('GET', '/things?n=4'))).toEqual([400, '/n min'])
    expect(brief(await ask('GET', '/things?n=5'))).toEqual([200])
    expect(seen).toEqual([4, 5])
    expect(calls).toEqual([{ n: 10 }])
  })

  const toNothing: readonly (readonly [string, (value: string) => unknown])[] = [
    ['Number', (value) => Number(value)],
    ['parseInt', (value) => parseInt(value, 10)],
    ['new Date', (value) => new Date(value)],
    ['a promise of a date', (value) => Promise.resolve(new Date(value))],
    ['a list of numbers', (value) => value.split(',').map(Number)],
  ]

  it.each(toNothing)('a converter that makes nothing of it by %s: 400', async (_, convert) => {
    const calls: unknown[] = []
    @Resource('/n')
    class Numbers {
      @Get() one(@Query('n', { type: String, convert }) n: unknown) {
        calls.push(n)
        return {}
      }
      @Get('/piped') piped(@Query('n', { type: String, pipes: [(value) => convert(value as string)] }) n: unknown) {
        calls.push(n)
        return {}
      }
      @Post() post(@Body('n', { type: String, convert }) n: unknown) {
        calls.push(n)
        return {}
      }
      @Get('/map') map(@Query({ n: { type: String, convert } }) n: unknown) {
        calls.push(n)
        return {}
      }
    }
    const { ask } = await start(new Numbers())
    expect(brief(await ask('GET', '/n?n=none'))).toEqual([400, '/n convert'])
    expect(brief(await ask('GET', '/n/piped?n=none'))).toEqual([400, '/n convert'])
    expect(brief(await ask('GET', '/n/map?n=none'))).toEqual([400, '/n convert'])
    expect(brief(await ask('POST', '/n', { body: { n: 'none' } }))).toEqual([400, '/n convert'])
    expect(calls).toEqual([])
    expect(brief(await ask('GET', '/n?n=2024'))).toEqual([200])
  })

  it('a transform of a class that makes nothing of it: 422 in a body, 400 in a query', async () => {
    class Changed {
      @IsOptional() @Transform(({ value }) => Number(value)) n?: number
      @IsOptional() @Transform(({ value }) => new Date(value as string)) at?: Date
      @IsOptional() @Transform(({ value }) => (value as string).split(',').map(Number)) list?: number[]
    }
    const { answers } = await fates(Changed, [{ n: 'x' }, { at: 'x' }, { list: '1,x' }, { n: '1', list: '1,2' }])
    expect(answers).toEqual([[422, '/n type'], [422, '/at type'], [422, '/list/1 type'], [200]])
    const { ask } = await start(queryOf(Changed).resource)
    expect(brief(await ask('GET', '/things?n=x'))).toEqual([400, '/n type'])
    expect(brief(await ask('GET', '/things?at=x'))).toEqual([400, '/at type'])
  })
})

describe('B22: pipes that make entities', () => {
  class Entity {
    constructor(readonly id: number) {}
    secret = 'of the database'
  }
  const load: Pipe = async (id) => {
    await Promise.resolve()
    if (id === 404) throw new ServiceUnavailable('no such shard')
    return new Entity(id as number)
  }
  const seen: unknown[] = []
  @Resource('/entities')
  class Entities {
    @Post('/:id') update(
      @Param('id', { type: Integer, pipes: [load] }) entity: Entity,
      @Body() body: Address,
      @Query('by', { pipes: [(value) => new Entity(Number(value))] }) by: Entity,
    ) {
      seen.push(entity, body, by)
      return { id: entity.id, by: by.id, zip: body.zip }
    }
  }

  it('stand beside the validation of the body, which leaves them alone', async () => {
    const piped: string[] = []
    const everywhere: Pipe = (value, { where }) => {
      piped.push(where)
      return value
    }
    const { ask } = await start(new Entities(), { pipes: [everywhere] })
    const answer = await ask('POST', '/entities/7?by=8', { body: { zip: '12345' } })
    expect(answer.json()).toEqual({ id: 7, by: 8, zip: '12345' })
    expect(seen.map((each) => (each as object).constructor)).toEqual([Entity, Address, Entity])
    expect(piped).toEqual([
      'Entities.update, parameter 0 (id)',
      'Entities.update, parameter 2 (by)',
      'Entities.update, parameter 1',
    ])
    expect(brief(await ask('POST', '/entities/7?by=8', { body: { zip: '1' } }))).toEqual([422, '/zip isLength'])
    expect(brief(await ask('POST', '/entities/x?by=8', { body: { zip: '12345' } }))).toEqual([400, '/id type'])
    expect((await ask('POST', '/entities/404?by=8', { body: { zip: '12345' } })).status).toBe(503)
  })
})

describe('B23: excluded members', () => {
  class Account {
    constructor(
      readonly name: string,
      hash: string,
    ) {
      this.hash = hash
    }
    @Exclude() hash: string
    @Exclude() backup?: Account
    @Expose({ name: 'display' }) get label(): string {
      return this.name.toUpperCase()
    }
  }
  class Team {
    @Type(() => Account) lead?: Account
    @Type(() => Account) members: Account[] = []
  }
  const ann = () => new Account('ann', 'hunter2')
  const shown = { name: 'ann', display: 'ANN' }

  @Resource('/accounts')
  class Accounts {
    @Get('/one') one() {
      return ann()
    }
    @Get('/list') list() {
      return [ann(), ann()]
    }
    @Get('/wrapped') wrapped() {
      return { data: ann(), more: { deep: [{ er: ann() }] } }
    }
    @Get('/map') map() {
      return new Map([['a', ann()]])
    }
    @Get('/set') set() {
      return { all: new Set([ann()]) }
    }
    @Get('/reply') reply() {
      return reply(200, { data: [ann()] })
    }
    @Get('/team') team() {
      const team = new Team()
      team.lead = ann()
      // A plain object in the place of an instance is one of the declared class.
      team.members = [ann(), { name: 'ann', hash: 'hunter2' } as Account]
      return team
    }
    @Get('/null') bare() {
      return Object.assign(Object.create(null) as object, { data: ann() })
    }
    @Get('/paged') @Paged() paged() {
      return [ann(), ann()]
    }
    @Get('/slice') @Paged() slice() {
      return slice([ann()], 9)
    }
    @Get('/stream') async *stream() {
      yield await Promise.resolve(ann())
      yield { data: ann() }
    }
    @Get('/promised') async promised() {
      return Promise.resolve([[ann()]])
    }
  }

  it.each([
    ['/one', shown],
    ['/list', [shown, shown]],
    ['/wrapped', { data: shown, more: { deep: [{ er: shown }] } }],
    ['/map', { a: shown }],
    ['/set', { all: [shown] }],
    ['/reply', { data: [shown] }],
    ['/null', { data: shown }],
    ['/paged', [shown, shown]],
    ['/slice', [shown]],
    ['/promised', [[shown]]],
  ])('GET %s', async (path, expected) => {
    const { ask } = await start(new Accounts())
    expect((await ask('GET', `/accounts${path}`)).json()).toEqual(expected)
  })

  it('stay out of declared members, of streams, of XML and of Urest’s envelope', async () => {
    const { ask } = await start(new Accounts(), { envelope: 'urest' })
    const enveloped = await ask('GET', '/accounts/wrapped')
    expect(enveloped.json()).toMatchObject({ success: true, result: { data: shown } })
    const plain = await start(new Accounts())
    const answers = [
      enveloped,
      await plain.ask('GET', '/accounts/team'),
      await plain.ask('GET', '/accounts/stream'),
      await plain.ask('GET', '/accounts/wrapped', { headers: { Accept: 'application/xml' } }),
      await plain.ask('GET', '/accounts/paged?fields=name,hash'),
    ]
    for (const { status, text } of answers) {
      expect([200, 206]).toContain(status)
      expect(text).toContain('ann')
      expect(text).not.toContain('hash')
      expect(text).not.toContain('hunter2')
    }
  })
})

describe('B83: another validator takes the place of the classes, and no controller is touched', () => {
  const { type } = loadModules('arktype') as typeof import('arktype', { with: { 'resolution-mode': 'import' } })

  class User {
    @IsString() @Length(1, 80) name!: string
    @IsEmail() email!: string
    @IsOptional() @IsInt() @Min(0) age?: number
  }

  /** The one controller; what its rules are is said elsewhere. */
  function usersWith(rules: ParamType): object {
    @Resource('/users')
    class Users {
      @Post() create(@Body(() => rules) body: object) {
        return reply(201, { ...body })
      }
      @Post('/all') createAll(@Body([rules]) bodies: readonly object[]) {
        return reply(201, bodies)
      }
      @Post('/nested') nested(@Body('user', { type: rules }) user: object) {
        return reply(201, { ...user })
      }
      @Get() find(@Query(rules) query: object) {
        return { ...query }
      }
    }
    return new Users()
  }

  const rules: Readonly<Record<string, ParamType>> = {
    'class-validator': User,
    zod: z.strictObject({ name: z.string().min(1).max(80), email: z.email(), age: z.int().min(0).optional() }),
    valibot: v.strictObject({
      name: v.pipe(v.string(), v.minLength(1), v.maxLength(80)),
      email: v.pipe(v.string(), v.email()),
      age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    }),
    arktype: type({ '+': 'reject', name: '1 <= string <= 80', email: 'string.email', 'age?': 'number.integer >= 0' }),
  }
  const good = { name: 'Ada', email: 'ada@example.org', age: 36 }
  const bad = { name: '', email: 'secret-at-example.org', age: -1 }

  it.each(Object.entries(rules))('%s: the same answers but for codes and sentences', async (_, given) => {
    const { ask } = await start(usersWith(given))
    const places = async (method: string, path: string, body?: unknown): Promise<unknown> => {
      const answer = await ask(method, path, { body })
      expect(answer.text).not.toContain('secret')
      return [
        answer.status,
        ...violationsOf(answer)
          .map((each) => `${each.in} ${each.pointer}`)
          .sort(),
      ]
    }
    expect((await ask('POST', '/users', { body: good })).json()).toEqual(good)
    expect((await ask('POST', '/users/all', { body: [good, good] })).json()).toEqual([good, good])
    expect((await ask('POST', '/users/nested', { body: { user: good } })).json()).toEqual(good)
    expect((await ask('GET', '/users?name=Ada&email=ada@example.org')).json()).toEqual({
      name: 'Ada',
      email: 'ada@example.org',
    })
    expect(await places('POST', '/users', bad)).toEqual([422, 'body /age', 'body /email', 'body /name'])
    expect(await places('POST', '/users/all', [good, bad])).toEqual([
      422,
      'body /1/age',
      'body /1/email',
      'body /1/name',
    ])
    expect(await places('POST', '/users/nested', { user: bad })).toEqual([
      422,
      'body /user/age',
      'body /user/email',
      'body /user/name',
    ])
    expect(await places('POST', '/users/nested', {})).toEqual([422, 'body /user'])
    expect(await places('POST', '/users/all', good)).toEqual([422, 'body '])
    expect(await places('GET', '/users?name=Ada&email=secret')).toEqual([400, 'query /email'])
    for (const body of [{ ...good, admin: true }, { name: 'Ada' }, [], JSON.parse('{"__proto__":{"admin":true}}')]) {
      expect((await ask('POST', '/users', { body })).status).toBe(422)
    }
  })
})

describe('B93: bodies of hostile size are refused before a class is built', () => {
  let built = 0
  class Row {
    constructor() {
      built++
    }
    @IsOptional() @IsEmail() mail?: string
    @IsOptional() @IsArray() @ArrayMaxSize(3) list?: unknown[]
    @IsOptional() @IsObject() map?: object
    @IsOptional() @MaxLength(10) text?: string
    @IsOptional() @ValidateNested({ each: true }) @Type(() => Row) rows?: Row[]
  }
  beforeEach(() => {
    built = 0
  })

  const many = (count: number, each: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => each(i)).join(',')

  it.each<[string, number, string, string]>([
    ['elements', 400, '/list limit', `{"list":[${many(10_001, () => '1')}]}`],
    ['elements of a class', 400, '/rows limit', `{"rows":[${many(10_001, () => '{}')}]}`],
    ['elements further down', 400, '/rows/0/list limit', `{"rows":[{"list":[${many(10_001, () => '1')}]}]}`],
    ['members', 400, ' limit', `{${many(1_001, (i) => `"k${i}":1`)}}`],
    ['members further down', 400, '/map limit', `{"map":{${many(1_001, (i) => `"k${i}":1`)}}}`],
  ])('too many %s: %i', async (_, status, violation, body) => {
    const { resource, calls } = bodyOf(Row)
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } })
    expect(brief(answer)).toEqual([status, violation])
    expect(built).toBe(0)
    expect(calls).toEqual([])
  })

  it('a list of a class as the body', async () => {
    const { resource } = bodyOf([Row])
    const { ask } = await start(resource)
    expect(brief(await ask('POST', '/things', { body: Array.from({ length: 10_001 }, () => ({})) }))).toEqual([
      400,
      ' limit',
    ])
    expect(built).toBe(0)
  })

  it('text: a body is no longer than its limit', async () => {
    const { resource } = bodyOf(Row)
    const { ask } = await start(resource, { limits: { body: '1kb' } })
    expect((await ask('POST', '/things', { body: { text: 'x'.repeat(1024) } })).status).toBe(413)
    expect((await ask('POST', '/things', { body: { mail: `${'a'.repeat(1024)}@b.de` } })).status).toBe(413)
    expect(built).toBe(0)
    expect(brief(await ask('POST', '/things', { body: { text: 'x'.repeat(900) } }))).toEqual([422, '/text maxLength'])
  })

  it('the limits of an operation are its own', async () => {
    @Resource('/things')
    class Things {
      @Post() @Limit({ items: 2, keys: 3, depth: 2 }) make(@Body() body: Row) {
        return {}
      }
    }
    const { ask } = await start(new Things())
    const send = async (body: unknown) => brief(await ask('POST', '/things', { body }))
    expect(await send({ list: [1, 2, 3] })).toEqual([400, '/list limit'])
    expect(await send({ a: 1, b: 2, c: 3, d: 4 })).toEqual([400, ' limit'])
    expect(await send({ rows: [{}] })).toEqual([400, '/rows/0 limit'])
    expect(built).toBe(0)
    expect(await send({ list: [1, 2] })).toEqual([200])
  })

  it.each([
    ['a form', form['Content-Type'], Array.from({ length: 1_001 }, (_, i) => `k${i}=1`).join('&')],
    ['a form of one name', form['Content-Type'], Array.from({ length: 1_001 }, () => 'list=1').join('&')],
    ['XML', 'application/xml', `<r>${Array.from({ length: 10_001 }, () => '<list>1</list>').join('')}</r>`],
  ])('%s', async (_, type, body) => {
    const { resource, calls } = bodyOf(Row)
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': type } })
    expect(answer.status).toBe(400)
    expect(violationsOf(answer)[0]?.code).toMatch(/^(?:limit|items)$/)
    expect(built).toBe(0)
    expect(calls).toEqual([])
  })

  it('what breaks many rules is told of a hundred', async () => {
    const { resource } = bodyOf([Row])
    const { ask } = await start(resource)
    const answer = await ask('POST', '/things', { body: Array.from({ length: 5_000 }, () => ({ unknown: 1 })) })
    expect(violationsOf(answer)).toHaveLength(100)
    expect(answer.text.length).toBeLessThan(20_000)
  })
})
