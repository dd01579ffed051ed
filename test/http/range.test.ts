import fc from 'fast-check'
import { formatContentRange, formatUnsatisfied, parseRange, resolveRange, type RangeSpec } from '../../src/http/range'

const { MAX_SAFE_INTEGER } = Number

describe('parseRange(header)', () => {
  it.each<[string, string, RangeSpec[]]>([
    ['items=0-9', 'items', [{ first: 0, last: 9 }]],
    ['Items=5-', 'Items', [{ first: 5 }]],
    ['bytes=-3', 'bytes', [{ suffix: 3 }]],
    ['bytes=-0', 'bytes', [{ suffix: 0 }]],
    ['bytes=0-0', 'bytes', [{ first: 0, last: 0 }]],
    ['bytes=007-8', 'bytes', [{ first: 7, last: 8 }]],
    ['bytes=0-1, 4-5 ,-1', 'bytes', [{ first: 0, last: 1 }, { first: 4, last: 5 }, { suffix: 1 }]],
    ['bytes=, 0-1,,', 'bytes', [{ first: 0, last: 1 }]],
    ['  bytes=0-1  ', 'bytes', [{ first: 0, last: 1 }]],
    ['bytes=0-99999999999999999999999', 'bytes', [{ first: 0, last: MAX_SAFE_INTEGER }]],
    [`bytes=${'9'.repeat(5000)}-`, 'bytes', [{ first: MAX_SAFE_INTEGER }]],
  ])('case %#', (header, unit, ranges) => {
    expect(parseRange(header)).toEqual({ unit, ranges })
  })

  it.each([
    '',
    '=',
    'items',
    'items=',
    'items=,',
    'items= ',
    '=0-9',
    'items 0-9',
    'i tems=0-9',
    'items=9-0',
    'items=-',
    'items=--1',
    'items=a-b',
    'items=0-b',
    'items=0x1-2',
    'items=1e1-20',
    'items=+1-2',
    'items=1.5-2',
    'items=0-1-2',
    'items=0-1;2-3',
    'items=0-1, x',
    'items=٣-٤',
    'items=0-1, items=2-3',
    'items=0-9\r\nX: y',
    'items=0 -9',
    'items=5',
  ])('%j is malformed', (header) => {
    expect(parseRange(header)).toBeUndefined()
  })
})

describe('resolveRange(spec, total)', () => {
  it.each<[RangeSpec, number, { first: number; last: number } | undefined]>([
    [{ first: 0, last: 9 }, 25, { first: 0, last: 9 }],
    [{ first: 20, last: 99 }, 25, { first: 20, last: 24 }],
    [{ first: 24 }, 25, { first: 24, last: 24 }],
    [{ first: 25 }, 25, undefined],
    [{ first: 25, last: 30 }, 25, undefined],
    [{ suffix: 10 }, 25, { first: 15, last: 24 }],
    [{ suffix: 99 }, 25, { first: 0, last: 24 }],
    [{ suffix: 0 }, 25, undefined],
    [{ suffix: 1 }, 0, undefined],
    [{ first: 0 }, 0, undefined],
  ])('%j of %i', (spec, total, expected) => {
    expect(resolveRange(spec, total)).toEqual(expected)
  })

  it('selects what slicing a list selects', () => {
    const nat = fc.nat({ max: 30 })
    const spec: fc.Arbitrary<RangeSpec> = fc.oneof(
      fc.record({ suffix: nat }),
      fc.record({ first: nat }),
      fc.tuple(nat, nat).map(([first, more]) => ({ first, last: first + more })),
    )
    fc.assert(
      fc.property(spec, nat, (range, total) => {
        const all = Array.from({ length: total }, (_, index) => index)
        const oracle =
          'suffix' in range
            ? range.suffix === 0
              ? []
              : all.slice(-range.suffix)
            : all.slice(range.first, range.last === undefined ? undefined : range.last + 1)
        const found = resolveRange(range, total)
        expect(found ? all.slice(found.first, found.last + 1) : []).toEqual(oracle)
        expect(found === undefined).toBe(oracle.length === 0)
      }),
    )
  })
})

describe('formatContentRange(unit, first, last, total)', () => {
  it.each<[number, number, number | undefined, string]>([
    [0, 9, 25, 'items 0-9/25'],
    [0, 0, 1, 'items 0-0/1'],
    [10, 19, undefined, 'items 10-19/*'],
  ])('%i %i %p', (first, last, total, text) => {
    expect(formatContentRange('items', first, last, total)).toBe(text)
  })
})

describe('formatUnsatisfied(unit, total)', () => {
  it.each<[number, string]>([
    [25, 'items */25'],
    [0, 'items */0'],
  ])('%i', (total, text) => {
    expect(formatUnsatisfied('items', total)).toBe(text)
  })
})
