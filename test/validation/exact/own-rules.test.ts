import 'reflect-metadata'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import * as library from 'class-validator'
import { isPlainConstraint, ownRule } from '../../../src/validation/exact/own-rules'
import { rulesOf } from '../../../src/validation/validator'

type Factory = (...args: unknown[]) => PropertyDecorator

function ruleOf(decorate: PropertyDecorator): ReturnType<typeof rulesOf>[number] {
  class Holder {}
  decorate(Holder.prototype, 'member')
  return rulesOf(Holder)[0]!
}

function registered(name: string, validate: (value: unknown) => boolean): PropertyDecorator {
  return (prototype, property) =>
    library.registerDecorator({
      name,
      target: prototype.constructor,
      propertyName: property as string,
      validator: { validate },
    })
}

describe('ownRule(rule)', () => {
  test.each<[string, PropertyDecorator]>([
    ['isEmail', library.IsEmail()],
    ['isEmail', library.IsEmail({}, { message: 'so', each: true, groups: ['a'] })],
    ['isString', library.IsString()],
    ['isInt', library.IsInt()],
    ['isDefined', library.IsDefined()],
    ['isNotEmpty', library.IsNotEmpty()],
    ['isEmpty', library.IsEmpty()],
    ['isArray', library.IsArray()],
    ['isBoolean', library.IsBoolean()],
    ['isLength', library.Length(1, 80)],
    ['matches', library.Matches(/x/)],
    ['isEnum', library.IsEnum({ a: 'a' })],
    ['min', library.Min(0)],
    ['minDate', library.MinDate(new Date(0))],
    ['isOptional', library.IsOptional()],
  ])('%s', (name, decorate) => {
    expect(ownRule(ruleOf(decorate))).toBe(name)
  })

  test('knows every decorator of this version that holds no function', () => {
    const other = ['Allow', 'ArrayUnique', 'IsInstance', 'Validate', 'ValidateBy', 'ValidateIf', 'ValidateNested']
    const exported = Object.entries(library as unknown as Record<string, Factory>)
    const factories = exported.filter(
      ([name, factory]) =>
        /^(?:Is[A-Z]|Array|M[a-z]|Length|Not[A-Z]|Equals|Contains)/.test(name) &&
        typeof factory === 'function' &&
        !/^class/.test(factory.toString()) &&
        !other.includes(name),
    )
    const unknown = factories.filter(([, factory]) => ownRule(ruleOf(factory({}))) === undefined).map(([name]) => name)
    expect(factories.length).toBeGreaterThan(90)
    expect(unknown).toEqual([])
  })

  test('gives a look-alike no name, and does not run it', () => {
    let calls = 0
    for (const name of ['isEmail', 'isDefined', 'isString', 'isNotEmpty']) {
      const validate = (value: unknown): boolean => {
        calls += 1
        return value !== undefined && value !== null
      }
      expect(ownRule(ruleOf(registered(name, validate)))).toBeUndefined()
    }
    expect(calls).toBe(0)
  })

  test('gives what wraps the library no name', () => {
    const wrapped = library.ValidateBy({ name: 'isEmail', validator: { validate: (value) => library.isEmail(value) } })
    expect(ownRule(ruleOf(wrapped))).toBeUndefined()
  })

  test('gives a class of constraints no name', () => {
    @library.ValidatorConstraint({ name: 'isEmail' })
    class CustomConstraint {
      validate(value: unknown): boolean {
        return library.isEmail(value)
      }
    }
    expect(ownRule(ruleOf(library.Validate(CustomConstraint)))).toBeUndefined()
  })

  test('gives a rule that holds a function of the author no name', () => {
    expect(ownRule(ruleOf(library.MinDate(() => new Date(0))))).toBeUndefined()
    expect(ownRule(ruleOf(library.ArrayUnique((item: { id: number }) => item.id)))).toBeUndefined()
    expect(ownRule(ruleOf(library.IsInstance(Date)))).toBeUndefined()
  })

  test('gives a condition of the author no name', () => {
    expect(ownRule(ruleOf(library.ValidateIf(() => true)))).toBeUndefined()
  })

  test('gives a rule no name once its class is patched', () => {
    const rule = ruleOf(library.IsEmail())
    Object.assign(rule.constraintCls.prototype as object, { validate: () => true })
    expect(ownRule(rule)).toBeUndefined()
  })

  test('leaves no rule of its own behind', () => {
    ownRule(ruleOf(library.IsEmail()))
    const { validationMetadatas } = library.getMetadataStorage() as unknown as {
      validationMetadatas: Map<{ readonly name: string }, unknown>
    }
    expect([...validationMetadatas.keys()].map(({ name }) => name)).not.toContain('Probe')
  })

  test('says nothing where the engine has no inspector', () => {
    const script = `
      process.getBuiltinModule = () => { throw new Error('no inspector') }
      const { ownRule } = require(${JSON.stringify(join(__dirname, '../../../src/validation/exact/own-rules.ts'))})
      const { IsEmail, getMetadataStorage } = require('class-validator')
      class Mail {}
      IsEmail()(Mail.prototype, 'to')
      console.log(String(ownRule(getMetadataStorage().getTargetValidationMetadatas(Mail, '', true, false)[0])))`
    const root = join(__dirname, '../../..')
    const printed = execFileSync(process.execPath, ['--import', 'tsx', '-e', script], { cwd: root, encoding: 'utf8' })
    expect(printed.trim()).toBe('undefined')
  })
})

describe('isPlainConstraint(constraintClass)', () => {
  test('tells the class of registerDecorator from those of an application', () => {
    class CustomConstraint {
      validate(): boolean {
        return true
      }
    }
    expect(isPlainConstraint(ruleOf(library.IsEmail()).constraintCls)).toBe(true)
    expect(isPlainConstraint(ruleOf(registered('own', () => true)).constraintCls)).toBe(true)
    expect(isPlainConstraint(CustomConstraint)).toBe(false)
    expect(isPlainConstraint(undefined)).toBe(false)
  })
})
