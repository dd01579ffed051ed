import fc from 'fast-check'
import { BadRequest } from '../../src/errors'
import { expandQuery, formatQuery, parseQuery, type ExpandLimits, type QueryLimits } from '../../src/http/query'

function refusalOf(run: () => unknown): { status: number; code?: string; pointer?: string; in?: string } {
  try {
    run()
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error
    const violation = error.errors?.[0]
    return { status: error.status, code: violation?.code, pointer: violation?.pointer, in: violation?.in }
  }
  throw new Error('nothing was refused')
}

describe('parseQuery(text, limits)', () => {
  it.each<[string, [string, string[]][]]>([
    ['', []],
    ['a=1', [['a', ['1']]]],
    ['a', [['a', ['']]]],
    ['a=', [['a', ['']]]],
    ['=1', [['', ['1']]]],
    ['=', [['', ['']]]],
    ['&&a=1&', [['a', ['1']]]],
    ['a=1=2', [['a', ['1=2']]]],
    [
      'a=1&b=2&a=3',
      [
        ['a', ['1', '3']],
        ['b', ['2']],
      ],
    ],
    ['a+b=c+d', [['a b', ['c d']]]],
    ['a%2Bb=c%2Bd', [['a+b', ['c+d']]]],
    ['a=%20%26%3D', [['a', [' &=']]]],
    ['a;b=1;2', [['a;b', ['1;2']]]],
    ['k%C3%A4se=%E2%9C%93', [['käse', ['✓']]]],
    [
      'a=1&b=%41&c=3',
      [
        ['a', ['1']],
        ['b', ['A']],
        ['c', ['3']],
      ],
    ],
    [
      '__proto__=1&constructor=2',
      [
        ['__proto__', ['1']],
        ['constructor', ['2']],
      ],
    ],
  ])('%j', (text, pairs) => {
    expect([...parseQuery(text)]).toEqual(pairs)
  })

  it.each([
    ['a=%', '/a'],
    ['a=%2', '/a'],
    ['a=%zz', '/a'],
    ['a=%C3', '/a'],
    ['a=%C3%28', '/a'],
    ['a=%C0%AF', '/a'],
    ['a=%ED%A0%80', '/a'],
    ['a=%F8%88%80%80%80', '/a'],
    ['x=1&b%2Fc~=%ff', '/b~1c~0'],
    ['%ff=1', '/'],
  ])('%j is malformed', (text, pointer) => {
    expect(refusalOf(() => parseQuery(text))).toEqual({ status: 400, code: 'encoding', pointer, in: 'query' })
  })

  it.each<[string, QueryLimits, boolean]>([
    ['a&b', { keys: 2 }, true],
    ['a&b&c', { keys: 2 }, false],
    ['a&&&&b', { keys: 2 }, true],
    ['a=1&a=2&a=3', { keys: 2 }, false],
    ['abcd', { length: 4 }, true],
    ['abcde', { length: 4 }, false],
    ['a&'.repeat(1000), {}, true],
    ['a&'.repeat(1001), {}, false],
    ['a'.repeat(16384), {}, true],
    ['a'.repeat(16385), {}, false],
  ])('bounds: %#', (text, limits, accepted) => {
    if (accepted) expect(parseQuery(text, limits).size).toBeGreaterThan(0)
    else expect(refusalOf(() => parseQuery(text, limits))).toMatchObject({ status: 400, code: 'limit', pointer: '' })
  })

  it('names the source it is told', () => {
    expect(refusalOf(() => parseQuery('a=%', { in: 'body' }))).toMatchObject({ in: 'body' })
  })

  it('never repeats a value in the refusal', () => {
    expect(() => parseQuery('a=secret%')).toThrow(
      expect.objectContaining({ detail: expect.not.stringContaining('secret') }),
    )
  })

  it('agrees with the WHATWG parser on all that is well formed', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '=', '&', '+', '%41', '%E2%9C%93', ';', '[', ' ') })
    fc.assert(
      fc.property(text, (query) => {
        const pairs = [...parseQuery(query)].map(([name, values]) => [name, [...values]])
        const oracle = new URLSearchParams(query)
        expect(pairs).toEqual([...new Set(oracle.keys())].map((name) => [name, oracle.getAll(name)]))
      }),
    )
  })
})

describe('expandQuery(map, limits)', () => {
  it.each<[string, unknown]>([
    ['a=1', { a: '1' }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a[]=1', { a: ['1'] }],
    ['a[]=1&a[]=2', { a: ['1', '2'] }],
    ['a[b]=c', { a: { b: 'c' } }],
    ['a[b]=c&a[d][e]=f&g=h', { a: { b: 'c', d: { e: 'f' } }, g: 'h' }],
    ['a[b][]=c', { a: { b: ['c'] } }],
    ['a[0]=x', { a: { 0: 'x' } }],
    ['a[b][c][d][e][f]=1', { a: { b: { c: { d: { e: { f: '1' } } } } } }],
    ['a[b=1', { 'a[b': '1' }],
    ['a]=1', { 'a]': '1' }],
    ['[a]=1', { '[a]': '1' }],
    ['a[b]c=1', { 'a[b]c': '1' }],
    ['a[[b]]=1', { 'a[[b]]': '1' }],
    ['toString=1&hasOwnProperty[x]=2', { toString: '1', hasOwnProperty: { x: '2' } }],
  ])('%j', (text, expected) => {
    expect(JSON.parse(JSON.stringify(expandQuery(parseQuery(text))))).toEqual(expected)
  })

  it('builds objects without a prototype', () => {
    const expanded = expandQuery(parseQuery('a[b]=1')) as { a: object }
    expect(Object.getPrototypeOf(expanded)).toBeNull()
    expect(Object.getPrototypeOf(expanded.a)).toBeNull()
  })

  it.each<[string, string, ExpandLimits]>([
    ['a=1&a[b]=2', 'conflict', {}],
    ['a[b]=2&a=1', 'conflict', {}],
    ['a[b]=2&a[b][c]=1', 'conflict', {}],
    ['a[]=1&a=2', 'conflict', {}],
    ['a[]=1&a[b]=2', 'conflict', {}],
    ['a[][b]=1', 'conflict', {}],
    ['a[b][c][d][e][f][g]=1', 'limit', {}],
    [`a${'[b]'.repeat(4000)}=1`, 'limit', {}],
    ['a[b][c]=1', 'limit', { depth: 1 }],
    ['a=1&b=2', 'limit', { keys: 1 }],
    ['__proto__=1', 'unknown', {}],
    ['__proto__[polluted]=1', 'unknown', {}],
    ['a[__proto__][polluted]=1', 'unknown', {}],
    ['a[constructor][prototype][polluted]=1', 'unknown', {}],
    ['constructor=1', 'unknown', {}],
    ['a[prototype]=1', 'unknown', {}],
    ['__proto__[]=1', 'unknown', {}],
  ])('refusal %#', (text, code, limits) => {
    expect(refusalOf(() => expandQuery(parseQuery(text), limits))).toMatchObject({ status: 400, code })
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('formatQuery(pairs)', () => {
  it.each<[[string, string][], string]>([
    [[], ''],
    [[['a', '1']], 'a=1'],
    [
      [
        ['q', 'a b'],
        ['n', '+&='],
      ],
      'q=a+b&n=%2B%26%3D',
    ],
    [[['', '']], '='],
    [[['a', '\r\nX: y"<>']], 'a=%0D%0AX%3A+y%22%3C%3E'],
    [[['a', '\ud800']], 'a=%EF%BF%BD'],
  ])('%j', (pairs, text) => {
    expect(formatQuery(pairs)).toBe(text)
  })

  it('is undone by parseQuery', () => {
    const pairs = fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })), { maxLength: 8 })
    fc.assert(
      fc.property(pairs, (given) => {
        const grouped = new Map<string, string[]>()
        for (const [name, value] of given) grouped.set(name, [...(grouped.get(name) ?? []), value])
        expect(parseQuery(formatQuery(given))).toEqual(grouped)
      }),
    )
  })
})
