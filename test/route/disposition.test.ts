import fc from 'fast-check'
import { parseDisposition } from '../../src/route/disposition'

const parse = (value: string | Buffer): unknown => parseDisposition(Buffer.from(value as string))

describe('parseDisposition(value)', () => {
  it.each([
    ['form-data; name="a"', { name: 'a' }],
    ['form-data;name=a', { name: 'a' }],
    ['Form-Data ; NAME = "a" ; Filename="b.txt"', { name: 'a', filename: 'b.txt' }],
    ['form-data; name=""; filename=""', { name: '', filename: '' }],
    ['form-data; name="a;b=\\"c\\""', { name: 'a;b="c"' }],
    ['form-data; name="%22%0d%0A%25"', { name: '"\r\n%25' }],
    ['form-data; name=a; filename="C:\\dir\\x.txt"', { name: 'a', filename: 'C:\\dir\\x.txt' }],
    ['form-data; name=a; name=b', { name: 'a' }],
    ["form-data; name=a; filename*=UTF-8''x", { name: 'a' }],
    ['form-data', {}],
    ['form-data; name="é"', { name: 'é' }],
    [Buffer.from('form-data; name="é"', 'latin1'), { name: 'é' }],
    ['form-data; __proto__=x; name=a', { name: 'a' }],
  ])('%p is %j', (value, expected) => {
    expect(JSON.parse(JSON.stringify(parse(value)))).toEqual(expected)
  })

  it.each([
    '',
    'attachment; name=a',
    'form-datax; name=a',
    'form-data; name="a',
    'form-data; name',
    'form-data; =a',
    'form-data, name=a',
    'form-data; name="a"x',
  ])('%j is malformed', (value) => {
    expect(parse(value)).toBeUndefined()
  })

  it('reads what browsers write', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const written = name.replace(/\r?\n|\r/g, '%0D%0A').replaceAll('"', '%22')
        fc.pre(!/%(22|0d|0a)|\\/i.test(name))
        expect(parse(`form-data; name="${written}"`)).toMatchObject({ name: name.replace(/\r?\n|\r/g, '\r\n') })
      }),
    )
  })

  it('is done at once with 16 KiB of trouble', () => {
    const start = performance.now()
    for (const piece of ['"', '\\', '; a=', ';', '; a="', ' ', '\\"']) parse(`form-data; name="${piece.repeat(16_384)}`)
    expect(performance.now() - start).toBeLessThan(1000)
  })
})
