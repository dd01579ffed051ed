import { decodeText, isCharset } from '../../../src/route/codecs/charset'
import { thrownBy } from './context'

describe('decodeText(bytes, charset)', () => {
  it.each([
    ['utf-8', [0xc3, 0xa9], 'é'],
    ['UTF-8', [0xef, 0xbb, 0xbf, 0x61], 'a'],
    ['utf-8', [0xef, 0xbb, 0xbf], ''],
    ['us-ascii', [0x61, 0x62], 'ab'],
    ['iso-8859-1', [0xe9, 0x80], 'é\u0080'],
    ['latin1', [0xe9], 'é'],
    ['utf-16le', [0xe9, 0x00], 'é'],
    ['utf-16le', [0xff, 0xfe, 0xe9, 0x00], 'é'],
    ['utf-16be', [0x00, 0xe9], 'é'],
    ['utf-16', [0xff, 0xfe, 0xe9, 0x00], 'é'],
    ['utf-16', [0xfe, 0xff, 0x00, 0xe9], 'é'],
    ['utf-16', [0x00, 0xe9], 'é'],
    ['windows-1252', [0x61, 0x80, 0x9f, 0x81, 0xe9], 'a€Ÿ\u0081é'],
    ['cp1252', [0x93], '“'],
    ['iso-8859-2', [0xb1], 'ą'],
    ['koi8-r', [0xc1], 'а'],
    ['Shift_JIS', [0x82, 0xa0], 'あ'],
  ])('%s %j is %j', (charset, bytes, text) => {
    expect(decodeText(Buffer.from(bytes), charset)).toBe(text)
    expect(isCharset(charset)).toBe(true)
  })

  it.each([
    ['utf-8', [0xff]],
    ['utf-8', [0xc0, 0xaf]],
    ['utf-8', [0xed, 0xa0, 0x80]],
    ['utf-8', [0xc3]],
    ['us-ascii', [0x80]],
    ['utf-16le', [0x00, 0xd8]],
    ['utf-16le', [0x61]],
    ['shift_jis', [0x82]],
  ])('%s %j is 400', (charset, bytes) => {
    expect(thrownBy(() => decodeText(Buffer.from(bytes), charset))).toMatchObject({
      status: 400,
      code: 'charset',
      errors: [{ in: 'body', pointer: '', code: 'charset' }],
    })
  })

  it.each(['', 'klingon', '__proto__', 'constructor', 'utf-8,', 'base64', 'hex', 'x'.repeat(10_000)])(
    'charset %j is 415',
    (charset) => {
      const error = thrownBy(() => decodeText(Buffer.from('a'), charset))
      expect(error).toMatchObject({ status: 415, code: 'charset' })
      expect(error.message).toBe('The charset of the body is not supported')
      expect(isCharset(charset)).toBe(false)
    },
  )
})
