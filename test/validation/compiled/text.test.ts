import { isEmail, length } from 'class-validator'
import fc from 'fast-check'
import { isOfLength, isPlainEmail, isPlainNonsense } from '../../../src/validation/compiled/text'

const characters = [
  ...'abzAZ09.-_+@"\\ ()!#é\n',
  '😀',
  '\uFE0F',
  '\uFE0E',
  '\uD83D',
  '\uDE00',
  'ä',
  'xn--',
  '.com',
  'a@b.c',
]
const unit = fc.constantFrom(...characters)
const plainUnit = fc.constantFrom(...'abzAZ09.-_+')

function nearly(maxLength: number): fc.Arbitrary<string[]> {
  return fc.oneof(fc.array(unit, { maxLength }), fc.array(plainUnit, { minLength: 1, maxLength }))
}

/** Texts that are nearly addresses. */
const addresses = fc
  .tuple(nearly(6), nearly(5), fc.constantFrom('.cd', '.c', '.com', '', '.c1', '.CD'))
  .map(([user, host, end]) => `${user.join('')}@${host.join('')}${end}`)

function libraryTakes(text: string): boolean | undefined {
  try {
    return isEmail(text)
  } catch {
    return undefined
  }
}

describe('isPlainEmail(text), isPlainNonsense(text)', () => {
  test('say nothing that the library does not say', () => {
    let plain = 0
    let nonsense = 0
    const holds = fc.property(fc.oneof(addresses, fc.string({ unit, maxLength: 70 })), (text) => {
      if (isPlainEmail(text)) {
        plain++
        expect(libraryTakes(text)).toBe(true)
      }
      if (isPlainNonsense(text)) {
        nonsense++
        expect(libraryTakes(text)).toBe(false)
      }
    })
    fc.assert(holds, { numRuns: 20_000, seed: 1 })
    expect(plain).toBeGreaterThan(100)
    expect(nonsense).toBeGreaterThan(100)
  })

  test.each(['a@b.cd', 'A.b+c@d-e.fg', `${'a'.repeat(58)}@b.cd`])('%s is an address', (text) => {
    expect(isPlainEmail(text)).toBe(true)
  })

  test.each([
    'a@b.c',
    'a@b',
    '.a@b.cd',
    'a..b@c.de',
    'a@-b.cd',
    'a@b-.cd',
    'a@b_c.de',
    'a@b.cd\n',
    `${'a'.repeat(65)}@b.cd`,
  ])('%j is left to the library', (text) => {
    expect(isPlainEmail(text)).toBe(false)
  })
})

describe('isOfLength(text, min, max)', () => {
  test('counts as the library counts', () => {
    const holds = fc.property(fc.array(unit, { maxLength: 7 }), fc.nat(6), fc.nat(6), (units, min, more) => {
      const text = units.join('')
      expect(isOfLength(text, min, min + more)).toBe(length(text, min, min + more))
      expect(isOfLength(text, min, Infinity)).toBe(length(text, min))
    })
    fc.assert(holds, { numRuns: 5000, seed: 1 })
  })
})
