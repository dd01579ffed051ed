import fc from 'fast-check'
import { encodeLine, ndjson } from '../../../src/route/codecs/ndjson'
import { contextOf, decode, encode, thrownBy } from './context'

describe('application/x-ndjson', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        expect(JSON.stringify(decode(ndjson, encode(ndjson, values)))).toBe(JSON.stringify(values))
      }),
    )
  })

  it.each([
    ['', []],
    ['\n\r\n \n', []],
    ['1\n2', [1, 2]],
    ['1\r\n{"a":"\\n"}\r\n', [1, { a: '\n' }]],
    ['\uFEFF1\n', [1]],
    ['1\n\n\n2\n', [1, 2]],
  ])('%j is %j', (text, values) => {
    expect(decode(ndjson, text)).toEqual(values)
  })

  it.each([
    ['1\n\nhunter2\n', 'Line 3 of the body is not valid JSON'],
    ['{"a":\n1}', 'Line 1 of the body is not valid JSON'],
    ['1 2', 'Line 1 of the body is not valid JSON at position 2'],
  ])('%j names the line and quotes nothing', (text, message) => {
    const error = thrownBy(() => decode(ndjson, text))
    expect(error).toMatchObject({ status: 400, code: 'syntax' })
    expect(error.message.startsWith(message)).toBe(true)
    expect(error.message).not.toContain('hunter2')
  })

  it('takes limits.items lines and no more', () => {
    const context = contextOf({}, { items: 3 })
    expect(decode(ndjson, '1\n2\n3\n\n', context)).toEqual([1, 2, 3])
    expect(thrownBy(() => decode(ndjson, '1\n2\n3\n4', context))).toMatchObject({ status: 400, code: 'limit' })
  })

  it('writes any iterable, and what is none as one line', () => {
    expect(encode(ndjson, new Set([1, 'a']))).toBe('1\n"a"\n')
    expect(encode(ndjson, { a: 1 })).toBe('{"a":1}\n')
    expect(encode(ndjson, 'ab')).toBe('"ab"\n')
    expect(encode(ndjson, [])).toBe('')
  })
})

describe('encodeLine(value)', () => {
  it.each([
    [{ a: 'x\ny' }, '{"a":"x\\ny"}\n'],
    [undefined, 'null\n'],
  ])('%j is one line', (value, line) => {
    expect(encodeLine(value)).toBe(line)
  })
})
