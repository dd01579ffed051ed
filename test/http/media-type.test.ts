import fc from 'fast-check'
import { formatMediaType, matchesMediaType, parseMediaType } from '../../src/http/media-type'

describe('parseMediaType(text)', () => {
  it.each([
    ['application/json', 'application/json', undefined, {}],
    ['  Application/JSON \t', 'application/json', undefined, {}],
    ['application/problem+json', 'application/problem+json', '+json', {}],
    ['application/a+b+XML', 'application/a+b+xml', '+xml', {}],
    ['application/odd+', 'application/odd+', undefined, {}],
    ['text/html; Charset=UTF-8', 'text/html', undefined, { charset: 'UTF-8' }],
    ['text/html;charset="utf-8"', 'text/html', undefined, { charset: 'utf-8' }],
    ['text/html \t;\t charset=utf-8 ;', 'text/html', undefined, { charset: 'utf-8' }],
    ['text/html;;; ;charset=utf-8;;', 'text/html', undefined, { charset: 'utf-8' }],
    ['text/html;charset=a;CHARSET=b', 'text/html', undefined, { charset: 'a' }],
    ['multipart/form-data; boundary="a;b,c=\\"d\\\\"', 'multipart/form-data', undefined, { boundary: 'a;b,c="d\\' }],
    ['text/x; a="\\\\\\""; b=c', 'text/x', undefined, { a: '\\"', b: 'c' }],
    ['text/x; a=""', 'text/x', undefined, { a: '' }],
    ['text/x; a="caf\u00e9"', 'text/x', undefined, { a: 'caf\u00e9' }],
  ])('%j', (text, essence, suffix, parameters) => {
    const found = parseMediaType(text)
    expect(found?.essence).toBe(essence)
    expect(`${found?.type}/${found?.subtype}`).toBe(essence)
    expect(found?.suffix).toBe(suffix)
    expect({ ...found?.parameters }).toEqual(parameters)
  })

  it.each([
    '',
    ' ',
    'json',
    'application/',
    '/json',
    'application / json',
    'application/json text',
    'application/json, text/html',
    'application/j\u00e9son',
    'text/*',
    '*/*',
    'text/html; charset',
    'text/html; charset=',
    'text/html; =utf-8',
    'text/html; charset =utf-8',
    'text/html; charset= utf-8',
    'text/html; charset="utf-8',
    'text/html; charset="utf-8\\',
    'text/html; charset="utf-8"x',
    'text/html; charset="a\r\nX: y"',
    'text/html; charset="a\\\nb"',
    'text/html; charset="\u4e2d"',
    'text/html\r\nX: y',
  ])('%j is malformed', (text) => expect(parseMediaType(text)).toBeUndefined())

  it('takes any name for a parameter and touches no prototype', () => {
    const { parameters } = parseMediaType('a/b; __proto__=x; constructor=y; toString="z"')!
    expect(Object.getPrototypeOf(parameters)).toBeNull()
    expect(Object.entries(parameters)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
      ['tostring', 'z'],
    ])
    expect(parseMediaType('a/b')!.parameters['constructor']).toBeUndefined()
  })

  it.each([
    ['empty parameters', `a/b${';'.repeat(500_000)}`],
    ['a string nobody closes', `a/b;c="${'\\"'.repeat(250_000)}`],
    ['spaces', `a/b${' '.repeat(500_000)}x`],
    ['parameters', `a/b${';c=d'.repeat(150_000)} x`],
  ])('reads half a megabyte of %s in linear time', (_, text) => {
    const start = process.cpuUsage().user
    parseMediaType(text)
    expect(process.cpuUsage().user - start).toBeLessThan(2_000_000)
  })
})

describe('formatMediaType(essence, parameters)', () => {
  it.each([
    ['text/plain', undefined, 'text/plain'],
    ['text/plain', { charset: 'utf-8' }, 'text/plain;charset=utf-8'],
    ['a/b', { x: 'one two', y: '"\\', z: '' }, 'a/b;x="one two";y="\\"\\\\";z=""'],
  ])('%s %j', (essence, parameters, text) => expect(formatMediaType(essence, parameters)).toBe(text))

  it.each([
    ['text', {}],
    ['text/*', {}],
    ['a/b', { 'x y': '1' }],
    ['a/b', { '': '1' }],
    ['a/b', { x: 'a\r\nSet-Cookie: b' }],
    ['a/b', { x: '\u4e2d' }],
    ['a/b\r\nX: y', {}],
  ])('refuses %j %j', (essence, parameters) => expect(() => formatMediaType(essence, parameters)).toThrow(TypeError))

  it('is undone by parseMediaType', () => {
    const chars = 'abcXYZ019-+.;=," \\\t\u00e9\u00ff/'.split('')
    const value = fc.string({ unit: fc.constantFrom(...chars) })
    const name = fc.string({ unit: fc.constantFrom(...'abc019-_!'.split('')), minLength: 1 })
    fc.assert(
      fc.property(fc.dictionary(name, value), (parameters) => {
        const found = parseMediaType(formatMediaType('application/x+json', parameters))
        expect({ ...found?.parameters }).toEqual({ ...parameters })
      }),
    )
  })
})

describe('matchesMediaType(pattern, mediaType)', () => {
  it.each([
    ['application/json', 'application/json', true],
    ['Application/JSON', 'application/json; charset=utf-8', true],
    ['application/json', 'application/problem+json', false],
    ['application/json', 'application/jsonp', false],
    ['text/*', 'text/html', true],
    ['text/*', 'texts/html', false],
    ['text/*', 'application/text', false],
    ['*/*', 'a/b', true],
    ['+json', 'application/problem+json', true],
    ['+JSON', 'application/problem+json', true],
    ['+json', 'application/json', false],
    ['+json', 'application/x+xml', false],
  ])('%s on %s: %s', (pattern, text, expected) => {
    expect(matchesMediaType(pattern, parseMediaType(text)!)).toBe(expected)
  })
})
