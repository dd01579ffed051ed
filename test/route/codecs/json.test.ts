import fc from 'fast-check'
import { json } from '../../../src/route/codecs/json'
import { contextOf, decode, encode, thrownBy } from './context'

describe('application/json', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.json(), (text) => expect(encode(json, decode(json, text))).toBe(JSON.stringify(JSON.parse(text)))),
    )
  })

  it.each([
    ['null', null],
    ['0', 0],
    ['"a"', 'a'],
    [' [1, {"a": []}]\r\n', [1, { a: [] }]],
    ['\uFEFF{"a":1}', { a: 1 }],
  ])('%j is %j', (text, value) => {
    expect(decode(json, text)).toEqual(value)
  })

  it('keeps __proto__ an own member and no prototype', () => {
    const value = decode(json, '{"__proto__":{"admin":true}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.hasOwn(value, '__proto__')).toBe(true)
    expect('admin' in {}).toBe(false)
  })

  it.each([
    ['{"secret":"hunter2"', 'The body is not valid JSON'],
    ['hunter2', 'The body is not valid JSON'],
    ['{"a":1} hunter2', 'The body is not valid JSON at position 8'],
    ['{a:1}', 'The body is not valid JSON at position 1'],
    ['"hunter2 at position 99', 'The body is not valid JSON'],
    ['{} "at position 7" x', 'The body is not valid JSON at position 3'],
    ['', 'The body is not valid JSON'],
    [' ', 'The body is not valid JSON'],
  ])('%j is 400 and quoted nowhere', (text, message) => {
    const error = thrownBy(() => decode(json, text))
    expect(error).toMatchObject({ status: 400, code: 'syntax', errors: [{ in: 'body', pointer: '', code: 'syntax' }] })
    expect(error.message.startsWith(message)).toBe(true)
    expect(JSON.stringify(error) + error.message).not.toContain('hunter2')
  })

  it('survives 500,000 levels', () => {
    expect(Array.isArray(decode(json, '['.repeat(500_000) + ']'.repeat(500_000)))).toBe(true)
    expect(thrownBy(() => decode(json, '['.repeat(500_000)))).toMatchObject({ status: 400 })
  })

  it('reads other charsets', () => {
    expect(decode(json, Buffer.from('"é"', 'latin1'), contextOf({ charset: 'ISO-8859-1' }))).toBe('é')
    expect(decode(json, Buffer.from('"é"', 'utf16le'), contextOf({ charset: 'utf-16le' }))).toBe('é')
    expect(thrownBy(() => decode(json, Buffer.from('"é"', 'latin1')))).toMatchObject({ status: 400, code: 'charset' })
  })

  it.each([
    [undefined, 'null'],
    [() => 1, 'null'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ a: undefined, b: [undefined] }, '{"b":[null]}'],
  ])('writes %p as %s', (value, text) => {
    expect(encode(json, value)).toBe(text)
  })
})
