import fc from 'fast-check'
import { toPattern, toWholePattern } from '../../src/openapi/regexp-pattern'

describe('toPattern(expression)', () => {
  test.each<[RegExp, string | undefined]>([
    [/^\d{5}$/, '^\\d{5}$'],
    [/^[a-f]+x$/i, '^[a-fA-F]+[xX]$'],
    [/a.b/s, 'a[^]b'],
    [/^[A-z]$/i, '^[A-z]$'],
    [/^[0-9a]$/i, '^[0-9aA]$'],
    [new RegExp('\\-\\@'), '-@'],
    [new RegExp('[\\w\\-]'), '[\\w\\-]'],
    [/(?<name>a)\k<name>/, '(?<name>a)\\k<name>'],
    [/(?:a|(?=b)c)/, '(?:a|(?=b)c)'],
    [/^a$/m, undefined],
    [/a/y, undefined],
    [/[0-z]/i, undefined],
    [/\x41/i, undefined],
    [/a{/, undefined],
  ])('%s is %j', (expression, pattern) => {
    expect(toPattern(expression)).toBe(pattern)
  })

  const piece = fc.constantFrom(
    'a',
    'Q',
    '[b-d]',
    '[^x-z]',
    '[M-P3]',
    '\\d',
    '\\W',
    '(?:e|F)',
    '.',
    '\\.',
    '[a-]',
    '_',
    '(g)?',
    'h+',
  )
  const flags = fc.constantFrom('', 'i', 's', 'is', 'u', 'g', 'gi')

  test('what it says matches what the expression matches', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        flags,
        fc.string({ unit: fc.constantFrom(...'aAqQbBcCxXmMpP3eEfF.-_gGhH\n 7') }),
        (pieces, flag, text) => {
          const source = `^${pieces.join('')}`
          const pattern = toPattern(new RegExp(source, flag))
          fc.pre(pattern !== undefined)
          expect(new RegExp(pattern, 'u').test(text)).toBe(new RegExp(source, flag.replace('g', '')).test(text))
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('toWholePattern(expression)', () => {
  test.each([
    [/[a-z]+/, '^(?:[a-z]+)$'],
    [/a|b/, '^(?:a|b)$'],
    [/^a|b$/, '^(?:^a|b$)$'],
    [/^a$/, '^a$'],
  ])('%s is %j', (expression, pattern) => {
    expect(toWholePattern(expression)).toBe(pattern)
  })
})
