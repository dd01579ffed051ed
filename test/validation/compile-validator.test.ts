import { Type } from 'class-transformer'
import { IsEmail, IsInt, IsString, Length, Max, registerDecorator, ValidateIf, ValidateNested } from 'class-validator'
import { compileValidator, ConfigurationError, Nullable, ValidationError } from '../../src'

class Address {
  @IsString() city!: string
}

class User {
  @IsString() @Length(1, 8) name!: string
  @IsInt() @Max(150) age!: number
  @Nullable() @IsEmail() mail?: string | null
  @ValidateNested() @Type(() => Address) address!: Address
}

const ann = { name: 'Ann', age: 7, mail: 'a@b.example', address: { city: 'Bonn' } }

/** A rule of the test's own, which needs time. */
function IsFree(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'isFree',
      async: true,
      target: target.constructor,
      propertyName: String(propertyName),
      validator: { validate: (value: unknown) => Promise.resolve(value !== 'taken') },
    })
}

class Account {
  @IsFree() @IsString() name!: string
}

class Odd {
  @ValidateIf(() => true) @IsString() text!: string
}

class Failing {
  @ValidateIf(() => {
    throw new RangeError('mine')
  })
  @IsString()
  text!: string
}

describe('compileValidator(Class)', () => {
  it('parse() makes a checked instance and leaves the value alone', () => {
    const value = structuredClone(ann)
    const user = compileValidator(User).parse(value)
    expect(user).toBeInstanceOf(User)
    expect(user.address).toBeInstanceOf(Address)
    expect({ ...user, address: { ...user.address } }).toEqual(ann)
    expect(value).toEqual(ann)
  })

  it.each([true, false])('finds the same wrong things, compiled: %p', (compile) => {
    const users = compileValidator(User, { compile })
    const value = { ...ann, name: '', age: 151.5, address: { city: 1 }, more: 1 }
    expect(users.isValid(value)).toBe(false)
    const found = users.validate(value).map(({ pointer, code }) => `${pointer} ${code}`)
    expect(found.sort()).toEqual([
      '/address/city isString',
      '/age isInt',
      '/age max',
      '/more unknown',
      '/name isLength',
    ])
    expect(() => users.parse(value)).toThrow(ValidationError)
  })

  it.each([[ann], [{ ...ann, mail: null }]])('isValid(%p)', (value) => {
    const users = compileValidator(User)
    expect([users.isValid(value), users.validate(value)]).toEqual([true, []])
  })

  it.each([undefined, null, 7, 'text', [], [ann], new Date(0)])('refuses %p', (value) => {
    expect(compileValidator(User).isValid(value)).toBe(false)
  })

  it('{ unknown: "strip" } leaves out what is not declared', () => {
    expect(compileValidator(User, { unknown: 'strip' }).parse({ ...ann, more: 1 })).not.toHaveProperty('more')
  })

  it('takes classes that only the libraries can tell', () => {
    const odd = compileValidator(Odd)
    expect([odd.isValid({ text: 'a' }), odd.isValid({ text: 1 })]).toEqual([true, false])
  })

  it('parseAsync() and validateAsync() wait for asynchronous rules, and the others say that they would not', async () => {
    const accounts = compileValidator(Account)
    expect(await accounts.parseAsync({ name: 'free' })).toBeInstanceOf(Account)
    expect(await accounts.validateAsync({ name: 'taken' })).toMatchObject([{ pointer: '/name', code: 'isFree' }])
    await expect(accounts.parseAsync({ name: 'taken' })).rejects.toThrow(ValidationError)
    for (const ask of [accounts.parse, accounts.validate, accounts.isValid]) {
      expect(() => ask({ name: 'taken' })).toThrow(/Account has an asynchronous rule/)
    }
  })

  it('passes on what a rule throws', async () => {
    expect(() => compileValidator(Failing).isValid({ text: 'a' })).toThrow(RangeError)
    await expect(compileValidator(Failing).validateAsync({ text: 'a' })).rejects.toThrow(RangeError)
  })

  it.each([true, false])('refuses text that a rule cannot measure, compiled: %p', (compile) => {
    const found = compileValidator(User, { compile }).validate({ ...ann, mail: 'a\ud83d@b.example' })
    expect(found).toMatchObject([{ code: expect.stringMatching(/encoding|isEmail/) }])
  })

  it('refuses a class without rules', () => {
    expect(() => compileValidator(class Empty {})).toThrow(ConfigurationError)
  })
})
