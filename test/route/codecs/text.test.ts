import { text } from '../../../src/route/codecs/text'
import { contextOf, decode, encode, thrownBy } from './context'

describe('text/plain', () => {
  it('decodes to a string', () => {
    expect(decode(text, 'é\r\n')).toBe('é\r\n')
    expect(decode(text, Buffer.from([0xe9]), contextOf({ charset: 'latin1' }))).toBe('é')
    expect(thrownBy(() => decode(text, Buffer.from([0xe9])))).toMatchObject({ status: 400, code: 'charset' })
  })

  it.each([
    ['a', 'a'],
    [1.5, '1.5'],
    [true, 'true'],
    [12n, '12'],
    [null, ''],
    [undefined, ''],
    [{ a: [1] }, '{"a":[1]}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ])('writes %p as %j', (value, written) => {
    expect(encode(text, value)).toBe(written)
  })
})
