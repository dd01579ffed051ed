import fc from 'fast-check'
import { BadRequest } from 'kumu'
import { checkHost } from '../../src/http/host'

describe('checkHost(headers, proxied)', () => {
  it.each([
    '',
    'localhost',
    'localhost:3000',
    'a.example',
    'A-b_c.example.',
    '127.0.0.1:80',
    '[::1]',
    '[::ffff:1.2.3.4]:443',
    '[v1.a:b]',
    'xn--mnchen-3ya.example',
    '%C3%BC.example',
    'a:',
    'a+b',
  ])('takes %j', (host) => {
    expect(() => checkHost({ host }, false)).not.toThrow()
  })

  it.each([
    'evil@good',
    'good:80@evil',
    'a@',
    'a b',
    'a/b',
    'a\\b',
    'a?b',
    'a#b',
    '<a>',
    '"a"',
    'a:b',
    'a:1:2',
    'a:123456',
    '[::1',
    '::1',
    '[::1]x',
    '[]',
    '[g::1]',
    '%zz',
    'ü.example',
    'a\r\nb',
    'a\0',
  ])('refuses %j', (host) => {
    expect(() => checkHost({ host }, false)).toThrow(BadRequest)
  })

  it('takes every host of the URL standard, and none with what delimits', () => {
    fc.assert(fc.property(fc.webAuthority({ withPort: true }), (host) => void checkHost({ host }, false)))
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...'@/\\?#<>" '), fc.string(), (left, mark, right) => {
        expect(() => checkHost({ host: left + mark + right }, false)).toThrow(BadRequest)
      }),
    )
  })

  it('reads the host that counts', () => {
    const bad = 'evil@good'
    expect(() => checkHost({}, false)).not.toThrow()
    expect(() => checkHost({ host: 'a', 'x-forwarded-host': bad }, false)).not.toThrow()
    expect(() => checkHost({ host: 'a', 'x-forwarded-host': bad }, true)).toThrow(BadRequest)
    expect(() => checkHost({ host: bad, 'x-forwarded-host': 'a, b' }, true)).not.toThrow()
    expect(() => checkHost({ host: bad, 'x-forwarded-host': '' }, true)).toThrow(BadRequest)
    expect(() => checkHost({ ':authority': bad, host: 'a' }, false)).toThrow(BadRequest)
  })

  it('is quick with hostile ones', () => {
    const start = performance.now()
    for (const host of ['a'.repeat(65_536) + '@', '%41'.repeat(20_000) + '%', `[${':'.repeat(65_536)}`]) {
      expect(() => checkHost({ host }, false)).toThrow(BadRequest)
    }
    expect(performance.now() - start).toBeLessThan(500)
  })
})
