import { isToken } from '../../src/http/token'

describe('isToken(text)', () => {
  it.each(['a', 'max-age', "!#$%&'*+-.^_`|~09AZaz"])('takes %j', (text) => {
    expect(isToken(text)).toBe(true)
  })

  it.each(['', 'a b', 'a=b', 'a\n', '\na', 'a,b', '"a"', 'ü', 'a/b', 'a:b', '(a)', '{a}', '[a]', 'a@b', 'a;', 'a\\'])(
    'refuses %j',
    (text) => {
      expect(isToken(text)).toBe(false)
    },
  )
})
