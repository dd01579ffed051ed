import { form } from '../../../src/route/codecs/form'
import { contextOf, decode, plain, thrownBy } from './context'

describe('application/x-www-form-urlencoded', () => {
  it.each([
    ['a=1&b=x+y', { a: '1', b: 'x y' }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a[]=1', { a: ['1'] }],
    ['a[b][c]=%C3%A9', { a: { b: { c: 'é' } } }],
    ['a=', { a: '' }],
    ['toString=1', { toString: '1' }],
  ])('%j is %j', (text, value) => {
    const decoded = decode(form, text)
    expect(plain(decoded)).toEqual(value)
    expect(Object.getPrototypeOf(decoded)).toBeNull()
  })

  it.each([
    ['a=%zz'],
    ['a=%ff'],
    ['__proto__[admin]=1'],
    ['__proto__=1'],
    ['a[constructor][prototype][x]=1'],
    ['a=1&a[b]=2'],
    [`a${'[b]'.repeat(40)}=1`],
    [Array.from({ length: 1001 }, (_, i) => `k${i}=1`).join('&')],
  ])('%j is 400, in the body', (text) => {
    expect(thrownBy(() => decode(form, text))).toMatchObject({ status: 400, errors: [{ in: 'body' }] })
    expect('admin' in {}).toBe(false)
  })

  it('is as long as a body may be', () => {
    expect(plain(decode(form, `a=${'x'.repeat(100_000)}`))).toEqual({ a: 'x'.repeat(100_000) })
  })

  it('takes a limit of its own', () => {
    expect(thrownBy(() => decode(form, 'a=1&b=2', contextOf({}, { keys: 1 })))).toMatchObject({ status: 400 })
  })

  it('is text, and never written', () => {
    expect(form.text).toBe(true)
    expect(form.encode).toBeUndefined()
  })
})
