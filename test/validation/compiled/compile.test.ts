import 'reflect-metadata'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { Expose, Type } from 'class-transformer'
import {
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  registerDecorator,
  ValidateNested,
} from 'class-validator'
import { ValidationError } from '../../../src/errors'
import type { Constructor } from '../../../src/types'
import { createCompiler, type Compiled } from '../../../src/validation/compiled/compile'
import { forgetSupport } from '../../../src/validation/exact/supported'
import { createModels } from '../../../src/validation/model'
import { createValidation } from '../../../src/validation/pipe'
import { brief, designType, paramOf, refusalOf, take, violationsOf } from '../support'
import { loadValidation } from './load'

const root = join(__dirname, '../../..')

function compile(type: Constructor): Compiled | undefined {
  return createCompiler({ models: createModels(designType), groups: undefined, strip: false, acceptNull: false })(type)
}

class Address {
  @Matches(/^\d{5}$/) zip!: string
}

class User {
  @Length(1, 80) name!: string
  @IsOptional() @IsInt() @Max(150) age?: number
  @ValidateNested() @Type(() => Address) address!: Address
  @IsOptional() @ValidateNested({ each: true }) @Type(() => User) friends?: User[]
}

const user = () => ({ name: 'a', address: { zip: '12345' } })

describe('accept(value)', () => {
  test('makes instances all the way down, of recursive classes too', () => {
    const made = compile(User)?.accept({ ...user(), friends: [user()] }) as User
    expect(made).toBeInstanceOf(User)
    expect(made.address).toBeInstanceOf(Address)
    expect(made.friends?.[0]?.address).toBeInstanceOf(Address)
    expect(JSON.parse(JSON.stringify(made))).toEqual({ ...user(), friends: [user()] })
  })

  test('leaves all else to the long way', () => {
    const short = compile(User)
    const odd: unknown[] = [
      null,
      [],
      'a',
      {},
      { ...user(), x: 1 },
      { ...user(), age: null },
      { ...user(), age: undefined },
    ]
    for (const value of odd) expect(short?.accept(value)).toBeUndefined()
    expect(short?.accept(Object.assign(Object.create(null) as object, user()))).toBeUndefined()
  })

  test('takes lists of objects', () => {
    const short = compile(User)
    expect(short?.acceptList([user(), user()])?.[1]).toBeInstanceOf(User)
    expect(short?.acceptList([user(), {}])).toBeUndefined()
    expect(short?.acceptList(user())).toBeUndefined()
  })

  test('is not overwhelmed by deep values', async () => {
    let deep: object = user()
    for (let level = 0; level < 2000; level++) deep = { ...user(), friends: [deep] }
    expect(compile(User)?.accept(deep)).toBeUndefined()
    expect((await violationsOf(take(User, deep))).map(({ code }) => code)).toContain('limit')
  })

  test('leaves a class whose constructor throws to the long way', async () => {
    let armed = false
    class Moody {
      @IsString() a!: string
      constructor() {
        if (armed) throw new Error('not now')
      }
    }
    const short = compile(Moody)
    expect(short?.accept({ a: 'a' })).toBeInstanceOf(Moody)
    armed = true
    expect(short?.accept({ a: 'a' })).toBeUndefined()
    await expect(take(Moody, { a: 'a' })).rejects.toThrow('not now')
  })
})

describe('explain(value)', () => {
  test('W5: every violation, in the order of the rules', async () => {
    const wrong = { name: '', age: 151, address: { zip: '1' } }
    expect(await brief(take(User, wrong))).toEqual([422, '/name isLength', '/age max', '/address/zip matches'])
    expect(await violationsOf(take(User, wrong))).toEqual(await violationsOf(take(User, wrong, { compile: false })))
  })

  test('the error is a ValidationError; no trace of our own is taken, and the limit is as it was', async () => {
    const limit = Error.stackTraceLimit
    const error = await refusalOf(take(User, {}))
    expect(error).toBeInstanceOf(ValidationError)
    expect(error.message).toBe('The body breaks its rules')
    expect(error.stack).not.toContain('\n    at ')
    expect(Error.stackTraceLimit).toBe(limit)
  })

  test('choices that change are told as they are', async () => {
    const choices = ['a']
    class Choice {
      @IsIn(choices) value!: string
    }
    const { pipe } = createValidation({}, designType)
    const detail = async (): Promise<string | undefined> => {
      const attempt = Promise.resolve().then(() => pipe({ value: 'x' }, paramOf(Choice)))
      return (await violationsOf(attempt))[0]?.detail
    }
    expect(await detail()).toBe('value must be one of the following values: a')
    choices.push('b')
    expect(await detail()).toBe('value must be one of the following values: a, b')
  })
})

describe("rules that only look like the library's own", () => {
  test('a validator of the name isEmail is called, and decides', async () => {
    const seen: unknown[] = []
    class Account {
      mail!: string
    }
    registerDecorator({
      name: 'isEmail',
      target: Account,
      propertyName: 'mail',
      validator: {
        validate(value) {
          seen.push(value)
          return value === 'anything'
        },
      },
    })
    expect(compile(Account)).toBeUndefined()
    expect(await take(Account, { mail: 'anything' })).toBeInstanceOf(Account)
    expect(await brief(take(Account, { mail: 'a@b.cd' }))).toEqual([422, '/mail isEmail'])
    expect(seen).toEqual(['anything', 'a@b.cd'])
  })

  test('sticky expressions keep their memory; global ones have none', async () => {
    class Sticky {
      @Matches(/a/y) a!: string
    }
    class Global {
      @Matches(/a/g) a!: string
    }
    expect(compile(Sticky)).toBeUndefined()
    expect(await take(Sticky, { a: 'a' })).toBeInstanceOf(Sticky)
    expect(await brief(take(Sticky, { a: 'a' }))).toEqual([422, '/a matches'])
    expect(compile(Global)).toBeDefined()
    for (let turn = 0; turn < 3; turn++) expect(await take(Global, { a: 'ba' })).toBeInstanceOf(Global)
  })
})

describe('what changes after a class was compiled', () => {
  test('members of an enumeration', async () => {
    const colours: Record<string, string> = { red: 'red' }
    class Paint {
      @IsEnum(colours) colour!: string
    }
    const { pipe } = createValidation({}, designType)
    const attempt = async (colour: string): Promise<unknown> => pipe({ colour }, paramOf(Paint))
    expect(await brief(attempt('blue'))).toEqual([422, '/colour isEnum'])
    colours.blue = 'blue'
    expect(await attempt('blue')).toBeInstanceOf(Paint)
    delete colours.red
    expect(await brief(attempt('red'))).toEqual([422, '/colour isEnum'])
  })

  test('rules: a class with new ones goes the long way', async () => {
    class Base {}
    class Late extends Base {
      @IsString() a!: string
    }
    const { pipe } = createValidation({}, designType)
    const short = compile(Late)
    expect(pipe({ a: 'abc' }, paramOf(Late))).toBeInstanceOf(Late)
    expect(short?.accept({ a: 'abc' })).toBeInstanceOf(Late)
    Length(1, 2)(Late.prototype, 'a')
    expect(short?.accept({ a: 'abc' })).toBeUndefined()
    const attempt = Promise.resolve().then(() => pipe({ a: 'abc' }, paramOf(Late)))
    expect(await brief(attempt)).toEqual([422, '/a isLength'])
  })

  test('rules of an ancestor that had none, and what class-transformer is told', () => {
    class Base {}
    class Late extends Base {
      @IsString() a!: string
    }
    class Renamed {
      @IsString() a!: string
    }
    const late = compile(Late)
    const renamed = compile(Renamed)
    expect(late?.accept({ a: 'abc' })).toBeInstanceOf(Late)
    expect(renamed?.accept({ a: 'abc' })).toBeInstanceOf(Renamed)
    IsInt()(Base.prototype, 'a')
    Expose({ name: 'b' })(Renamed.prototype, 'a')
    expect(late?.accept({ a: 'abc' })).toBeUndefined()
    expect(renamed?.accept({ a: 'abc' })).toBeUndefined()
  })

  test('other classes change nothing', () => {
    class One {
      @IsString() a!: string
    }
    const short = compile(One)
    class Two {
      @IsString() @Expose() a!: string
    }
    expect(compile(Two)).toBeDefined()
    expect(short?.accept({ a: 'a' })).toBeInstanceOf(One)
  })
})

describe('compilation switched off', () => {
  class Counted {
    static constructed = 0
    @IsString() a!: string
    constructor() {
      Counted.constructed++
    }
  }

  /** A refused body of a compiled class is constructed again by whoever explains it. */
  async function constructions(compiled: boolean | undefined): Promise<number> {
    const { pipe } = createValidation({ compile: compiled }, designType)
    void pipe({ a: 'a' }, paramOf(Counted))
    Counted.constructed = 0
    void pipe({ a: 'a' }, paramOf(Counted))
    await brief(Promise.resolve().then(() => pipe({}, paramOf(Counted))))
    return Counted.constructed
  }

  afterEach(() => {
    delete process.env.KUMU_VALIDATION_COMPILE
    forgetSupport()
  })

  test('by the option', async () => {
    expect(await constructions(undefined)).toBeGreaterThan(2)
    expect(await constructions(false)).toBe(2)
  })

  test.each(['0', 'off', 'false'])('by KUMU_VALIDATION_COMPILE=%s', async (setting) => {
    process.env.KUMU_VALIDATION_COMPILE = setting
    forgetSupport()
    expect(await constructions(undefined)).toBe(2)
  })
})

describe('without code of strings', () => {
  test('the same, by closures', async () => {
    const { pipe } = loadValidation({ code: false })({}, designType)
    const made = pipe({ ...user(), friends: [user()] }, paramOf(User)) as User
    expect(made.friends?.[0]).toBeInstanceOf(User)
    const attempt = Promise.resolve().then(() => pipe({ ...user(), age: 151 }, paramOf(User)))
    expect(await brief(attempt)).toEqual([422, '/age max'])
  })

  test('node --disallow-code-generation-from-strings', () => {
    const flags = ['--disallow-code-generation-from-strings', '-r', join(root, 'test/support/swc-register.cjs')]
    const said = execFileSync(process.execPath, [...flags, join(__dirname, 'no-code.ts')], {
      encoding: 'utf8',
      cwd: root,
    })
    const lines = said.trim().split('\n')
    expect(lines).toEqual([
      '{"canMakeCode":false,"short":"User"}',
      'accepted User',
      '422 /name isLength',
      '422 /age max',
    ])
  })
})

test('an e-mail address that only the library knows is one', async () => {
  class Account {
    @IsEmail() mail!: string
  }
  expect(compile(Account)?.accept({ mail: 'jörg@exämple.de' })).toBeInstanceOf(Account)
  expect(await take(Account, { mail: '"a b"@c.de' })).toBeInstanceOf(Account)
})
