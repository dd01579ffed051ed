import { parseFields, project } from '../../src/route/projection'

describe('parseFields(text)', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['a', ['a']],
    ['a,b.c', ['a', 'b.c']],
    [' a , b ', ['a', 'b']],
    ['a,,a,', ['a']],
    ['__proto__,a.__proto__.b,c', ['c']],
    [',', []],
  ])('%j', (text, fields) => {
    expect(parseFields(text)).toEqual(fields)
  })
})

describe('project(value, fields)', () => {
  const date = new Date(0)
  it.each<[unknown, string, unknown]>([
    [{ a: 1, b: 2 }, '', { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, 'b', { b: 2 }],
    [{ a: 1, b: 2 }, 'c', {}],
    [{ a: { b: 1, c: 2 }, d: 3 }, 'a.b', { a: { b: 1 } }],
    [{ a: { b: 1, c: 2 } }, 'a,a.b', { a: { b: 1, c: 2 } }],
    [{ a: { b: 1, c: 2 } }, 'a.b,a', { a: { b: 1, c: 2 } }],
    [{ a: { b: { x: 1, y: 2 }, c: 2, d: 3 } }, 'a.b.x,a.c', { a: { b: { x: 1 }, c: 2 } }],
    [{ a: [{ b: 1, c: 2 }, { c: 3 }] }, 'a.b', { a: [{ b: 1 }, {}] }],
    [[{ a: 1, b: 2 }], 'a', [{ a: 1 }]],
    [{ a: 'text' }, 'a.length', {}],
    [{ a: null, at: date }, 'a,at,at.x', { a: null, at: date }],
    [{ at: date }, 'at.getTime', {}],
    ['text', 'length', 'text'],
    [null, 'a', null],
    [{ constructor: 'Lotus' }, 'constructor', { constructor: 'Lotus' }],
    [{ a: 1 }, 'constructor,toString,hasOwnProperty', {}],
  ])('%j %j', (value, fields, expected) => {
    expect(project(value, parseFields(fields))).toEqual(expected)
  })

  it('leaves every prototype alone', () => {
    const hostile = JSON.parse(
      '{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1}},"constructor":{"prototype":{"polluted":1}}}',
    ) as unknown
    for (const fields of [
      ['__proto__'],
      ['__proto__.polluted'],
      ['a.__proto__.polluted'],
      ['constructor.prototype.polluted'],
    ]) {
      const picked = project(hostile, fields) as Record<string, unknown>
      expect(Object.getPrototypeOf(picked)).toBe(Object.prototype)
      expect(picked.polluted).toBeUndefined()
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})
