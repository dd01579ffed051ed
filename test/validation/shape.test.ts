import fc from 'fast-check'
import { BadRequest } from '../../src/errors'
import { checkShape, type ShapeLimits } from '../../src/validation/shape'

const limits: ShapeLimits = { depth: 3, keys: 3, items: 4, string: 5 }

function outcome(value: unknown, bounds: ShapeLimits = limits): string {
  try {
    checkShape(value, bounds, 'body')
    return 'fits'
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    const violation = error.errors?.[0]
    return `${error.status} ${error.code} ${violation?.in} ${violation?.code} ${violation?.pointer}: ${violation?.detail}`
  }
}

describe('checkShape(value, limits, where)', () => {
  test.each([
    [null],
    ['x'.repeat(5)],
    [{ a: 'x'.repeat(5) }],
    [5],
    [undefined],
    [[]],
    [{}],
    [{ a: { b: { c: 'd' } } }],
    [[[[1, 2, 3, 4]]]],
    [{ a: 1, b: 2, c: 3 }],
    [{ bytes: Buffer.alloc(100) }],
  ])('%j fits', (value) => {
    expect(outcome(value)).toBe('fits')
  })

  test.each([
    [{ a: { b: { c: {} } } }, '/a/b/c: There are more than 3 levels of nesting'],
    [[[[[]]]], '/0/0/0: There are more than 3 levels of nesting'],
    [{ 'a/b~': [{ a: 1, b: 2, c: 3, d: 4 }] }, '/a~1b~0/0: An object has more than 3 members'],
    [[1, [], [1, 2, 3, 4, 5]], '/2: A list has more than 4 elements'],
    [[1, 2, 3, 4, 5], ': A list has more than 4 elements'],
    ['x'.repeat(6), ': A text has more than 5 characters'],
    [{ a: ['x', 'x'.repeat(6)] }, '/a/1: A text has more than 5 characters'],
    [JSON.parse('{"__proto__":{"a":{"b":{}}}}'), '/__proto__/a/b: There are more than 3 levels of nesting'],
  ])('%j does not', (value, message) => {
    expect(outcome(value)).toBe(`400 limit body limit ${message}`)
  })

  test('B17, B93: very deep and very wide values are refused at once', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
    expect(outcome(deep, { depth: 32, keys: 1000, items: 10_000, string: 10 })).toMatch('more than 32 levels')
    expect(outcome(new Array(10_001).fill(0), { depth: 32, keys: 1000, items: 10_000, string: 10 })).toMatch(
      'more than 10000 elements',
    )
  })

  test('agrees with a plain measurement', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 1, max: 6 }), (value, depth) => {
        const fits = outcome(value, { depth, keys: 1000, items: 1000, string: 1000 }) === 'fits'
        expect(fits).toBe(depthOf(value) <= depth)
      }),
    )
  })
})
