import fc from 'fast-check'
import { parseCookies } from '../../src/http/cookie'

describe('parseCookies(header)', () => {
  it.each<[string | undefined, Array<[string, string]>]>([
    [undefined, []],
    ['', []],
    [';;; ', []],
    ['a=1', [['a', '1']]],
    [
      'a=1; b=2;c=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
      ],
    ],
    ['a=1; a=2', [['a', '1']]],
    ['a=; a=2', [['a', '']]],
    ['a=b=c==', [['a', 'b=c==']]],
    ['a="x y"', [['a', 'x y']]],
    ['a="', [['a', '"']]],
    ['a=""', [['a', '']]],
    [' a = 1 ', [['a', '1']]],
    ['lonely; =nameless; a=1', [['a', '1']]],
    ['a=J%C3%BCrgen', [['a', 'J\u00fcrgen']]],
    ['a=100%', [['a', '100%']]],
    ['a=%ff%00', [['a', '%ff%00']]],
    ['a=%E0%A4%A', [['a', '%E0%A4%A']]],
    ['a=x+y', [['a', 'x+y']]],
    ['a=%3B%3D', [['a', ';=']]],
    [
      '__proto__=1; constructor=2',
      [
        ['__proto__', '1'],
        ['constructor', '2'],
      ],
    ],
  ])('%j', (header, expected) => expect([...parseCookies(header)]).toEqual(expected))

  it('undoes encodeURIComponent', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        expect(parseCookies(`x=1; a=${encodeURIComponent(value)}`).get('a')).toBe(value)
      }),
    )
  })
})
