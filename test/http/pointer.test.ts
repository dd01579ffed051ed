import fc from 'fast-check'
import { escapePointer, unescapePointer } from '../../src/http/pointer'

describe('escapePointer(name)', () => {
  it.each([
    ['', ''],
    ['a', 'a'],
    ['a/b', 'a~1b'],
    ['m~n', 'm~0n'],
    ['~1', '~01'],
    ['~/', '~0~1'],
    ['__proto__', '__proto__'],
  ])('%j is %j', (name, token) => {
    expect(escapePointer(name)).toBe(token)
  })

  it('is undone by unescapePointer(token), and leaves no slash', () => {
    const names = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('~', '/', '0', '1') }))
    fc.assert(
      fc.property(names, (name) => {
        expect(escapePointer(name)).not.toContain('/')
        expect(unescapePointer(escapePointer(name))).toBe(name)
      }),
    )
  })
})
