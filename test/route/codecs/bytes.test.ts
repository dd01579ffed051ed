import { bytes } from '../../../src/route/codecs/bytes'
import { decode, encode } from './context'

describe('application/octet-stream', () => {
  it('decodes to the bytes that came', () => {
    const body = Buffer.from([0, 255, 13, 10])
    const decoded = decode(bytes, body)
    expect(Buffer.isBuffer(decoded)).toBe(true)
    expect(decoded).toEqual(body)
  })

  it.each([
    [Buffer.from([1, 2]), [1, 2]],
    [new Uint8Array([1, 2, 3]).subarray(1), [2, 3]],
    [new DataView(Uint8Array.from([1, 2, 3]).buffer, 2), [3]],
    [Uint8Array.from([7]).buffer, [7]],
    ['ab', [97, 98]],
    [{ a: 1 }, [...Buffer.from('{"a":1}')]],
  ])('writes %p', (value, written) => {
    expect([...Buffer.from(bytes.encode!(value))]).toEqual(written)
    expect(encode(bytes, value)).toBe(Buffer.from(written).toString())
  })
})
