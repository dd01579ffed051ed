import { defaultCodecs } from '../../../src/route/codecs/defaults'

describe('defaultCodecs', () => {
  it('are in the order in which they are offered', () => {
    expect(defaultCodecs.map(({ type, decode, encode }) => [type, typeof decode, typeof encode])).toEqual([
      ['application/json', 'function', 'function'],
      ['application/xml', 'function', 'function'],
      ['application/x-www-form-urlencoded', 'function', 'undefined'],
      ['application/x-ndjson', 'function', 'function'],
      ['text/plain', 'function', 'function'],
      ['application/octet-stream', 'function', 'function'],
    ])
  })

  it('share no name', () => {
    const names = defaultCodecs.flatMap(({ type, also = [] }) => [type, ...also])
    expect(new Set(names).size).toBe(names.length)
  })

  it('cannot be changed', () => {
    expect(Object.isFrozen(defaultCodecs)).toBe(true)
  })
})
