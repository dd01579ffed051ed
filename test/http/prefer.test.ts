import fc from 'fast-check'
import { formatPreferenceApplied, parsePrefer } from '../../src/http/prefer'

describe('parsePrefer(header)', () => {
  it.each<[string, [string, string][]]>([
    ['', []],
    ['respond-async', [['respond-async', '']]],
    ['return=minimal', [['return', 'minimal']]],
    [
      'Return = minimal ; foo="some, value" ; bar, wait=10',
      [
        ['return', 'minimal'],
        ['wait', '10'],
      ],
    ],
    ['return=minimal, return=representation', [['return', 'minimal']]],
    ['count="none"', [['count', 'none']]],
    [
      'a="x, \\"y\\" ;z", b',
      [
        ['a', 'x, "y" ;z'],
        ['b', ''],
      ],
    ],
    ['a=""', [['a', '']]],
    ['a=', [['a', '']]],
    [' , ,a,,', [['a', '']]],
    ['b ad=1, ok=2', [['ok', '2']]],
    ['a=x y, b', [['b', '']]],
    ['a="x"y, b', [['b', '']]],
    ['a="open, b', []],
    ['a="open\\', []],
    [
      '__proto__=1, constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
  ])('%j', (header, expected) => {
    expect([...parsePrefer(header)]).toEqual(expected)
  })

  it('undoes formatPreferenceApplied', () => {
    const pairs = fc.uniqueArray(
      fc.tuple(fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), fc.stringMatching(/^[\x20-\x7e]{0,12}$/)),
      { selector: ([name]) => name, maxLength: 5 },
    )
    fc.assert(
      fc.property(pairs, (given) => {
        expect([...parsePrefer(formatPreferenceApplied(given))]).toEqual(given)
      }),
    )
  })
})

describe('formatPreferenceApplied(preferences)', () => {
  it.each<[[string, string][], string]>([
    [[], ''],
    [[['count', 'none']], 'count=none'],
    [
      [
        ['respond-async', ''],
        ['return', 'minimal'],
      ],
      'respond-async, return=minimal',
    ],
    [[['a', 'x, "y" \\']], 'a="x, \\"y\\" \\\\"'],
  ])('%j', (preferences, header) => {
    expect(formatPreferenceApplied(preferences)).toBe(header)
  })

  it.each<[[string, string]]>([[['a b', '']], [['', 'x']], [['a', 'x\r\nY: z']], [['a', 'ä']]])(
    '%j is refused',
    (pair) => {
      expect(() => formatPreferenceApplied([pair])).toThrow(TypeError)
    },
  )
})
