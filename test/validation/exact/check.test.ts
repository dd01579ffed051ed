import 'reflect-metadata'
import * as library from 'class-validator'
import fc from 'fast-check'
import { createChecker } from '../../../src/validation/exact/check'
import { isSurelyEmail } from '../../../src/validation/exact/constraints'
import { runRules } from '../../../src/validation/validator'

class Address {
  @library.IsString()
  city: unknown

  constructor(city: unknown) {
    this.city = city
  }
}

class Person {
  @library.Length(2, 4)
  name: unknown

  @library.ValidateNested()
  addresses: unknown

  constructor(name: unknown, addresses: unknown) {
    this.name = name
    this.addresses = addresses
  }
}

function registerOn(
  target: abstract new () => unknown,
  validate: (value: unknown) => boolean | Promise<boolean>,
): void {
  library.registerDecorator({ name: 'own', target, propertyName: 'name', validator: { validate } })
}

describe('createChecker(options)', () => {
  test.each([undefined, '', 'a', 'abc', 'abcde', 5])('says the same of a name that is %p', (name) => {
    const person = new Person(name, [new Address('x'), new Address(1)])
    expect(createChecker({})(person)).toEqual(library.validateSync(person))
  })

  test('answers at once where nothing is asynchronous', () => {
    expect(createChecker({})(new Person('abc', []))).toEqual([])
  })

  test('waits for rules that answer later', async () => {
    class Later {
      name = 'x'
    }
    registerOn(Later, async () => false)
    const outcome = createChecker({})(new Later())
    expect(outcome).toBeInstanceOf(Promise)
    expect(await outcome).toEqual(await library.validate(new Later()))
  })

  test('hears of a rule that is said after the first use', () => {
    class Late {
      @library.IsString()
      name = 'x'
    }
    const check = createChecker({})
    expect(check(new Late())).toEqual([])
    registerOn(Late, () => false)
    expect(check(new Late())).toMatchObject([{ constraints: { own: '' } }])
  })

  test('tells of an object without rules in the order of keys that class-validator has', () => {
    class Unruled {}
    const options = { validationError: { target: true, value: false } }
    const [error] = createChecker(options)(new Unruled()) as library.ValidationError[]
    const [expected] = library.validateSync(new Unruled(), options)
    expect(error).toEqual(expected)
    expect(Object.keys(error!)).toEqual(Object.keys(expected!))
  })

  test('throws what a rule throws, and takes the rejections that nobody waits for', async () => {
    const unhandled: unknown[] = []
    class Both {
      name = 'x'
    }
    registerOn(Both, async () => {
      throw new Error('later')
    })
    registerOn(Both, () => {
      throw new Error('at once')
    })
    const listen = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', listen)
    expect(() => createChecker({})(new Both())).toThrow('at once')
    await new Promise(setImmediate)
    process.off('unhandledRejection', listen)
    expect(unhandled).toEqual([])
  })

  test.each([null, undefined])('throws as class-validator does for %p', (value) => {
    expect(() => createChecker({})(value as never)).toThrow(TypeError)
  })

  test.each<[string, unknown]>([
    ['text', 'str'],
    ['a number', 5],
    ['a list', []],
    ['an object without a prototype', Object.create(null)],
  ])('says the same of %s', (_, value) => {
    expect(outcomeOf(() => createChecker({})(value as object))).toEqual(outcomeOf(() => runRules(value as object, {})))
  })
})

describe('isSurelyEmail(value)', () => {
  const part = fc.string({ unit: fc.constantFrom(...'aZ09_+-.@é😀 "'), maxLength: 40 })

  test('accepts nothing that class-validator refuses', () => {
    let accepted = 0
    fc.assert(
      fc.property(part, part, fc.constantFrom('co', 'c', 'c1', 'museum', 'c-o', ''), (local, domain, top) => {
        const address = `${local}@${domain}.${top}`
        if (!isSurelyEmail(address)) return
        accepted += 1
        expect([address, library.isEmail(address)]).toEqual([address, true])
      }),
      { numRuns: 20_000, seed: 7 },
    )
    expect(accepted).toBeGreaterThan(10)
  })

  test.each([1, null, undefined, {}, ['a@b.co'], `${'a'.repeat(60)}@b.co`])('is not sure of %p', (value) => {
    expect(isSurelyEmail(value)).toBe(false)
  })

  test('is done at once with hostile text', () => {
    const before = performance.now()
    for (let index = 0; index < 1000; index++) {
      isSurelyEmail(`a@${'a-'.repeat(30)}`)
      isSurelyEmail(`${'a.'.repeat(30)}@`)
      isSurelyEmail(`a@${'a'.repeat(60)}!`)
    }
    expect(performance.now() - before).toBeLessThan(1000)
  })
})

function outcomeOf(act: () => unknown): unknown {
  try {
    return act()
  } catch (error) {
    return (error as Error).message
  }
}
