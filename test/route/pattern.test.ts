import { compareShapes, parsePattern } from '../../src/route/pattern'

describe('parsePattern(path)', () => {
  const one: Array<[path: string, find: string | undefined, captured: boolean, shape: string]> = [
    ['/', '/', false, '/'],
    ['/a', '/a', false, '/a'],
    ['/a/', '/a/', false, '/a'],
    ['/a/:id', '/a/:id', false, '/a/:'],
    ['/:a/:b', '/:a/:b', false, '/:/:'],
    ['/f/*path', '/f/*', false, '/f/*'],
    ['/*all', '/*', false, '/*'],
    ['/a\\:b', '/a::b', false, '/a:b'],
    ['/a\\{b\\}', '/a{b}', false, '/a{b}'],
    ['/%C3%BC', '/%C3%BC', false, '/ü'],
    ['/ü', '/ü', false, '/ü'],
    // A mixed segment is one parameter with an expression, and its text.
    ['/:id.json', '/:p1([^]+).json', true, '/:.json'],
    ['/:a-:b', '/:p1([^]+\\-(?:(?:(?!\\-)[^])+|\\-))', true, '/:-:'],
    ['/v:version', '/v:version', false, '/v:'],
    ['/v:version-x', '/v:p2([^]+)-x', true, '/v:-x'],
    ['/:"odd name"', '/:p1([^]+)', true, '/:'],
    ['/:größe', '/:p1([^]+)', true, '/:'],
    // Only an expression can say these.
    ['/a\\*', undefined, true, '/a*'],
    ['/*a/b', undefined, true, '/*/b'],
    ['/x*rest', undefined, true, '/x*'],
    ['/:id*rest', undefined, true, '/:*'],
  ]

  it.each(one)('%s', (path, find, captured, shape) => {
    expect(parsePattern(path)).toEqual([{ find, captured, shape }])
  })

  it.each([
    ['/a{/:b}', ['/a/:', '/a']],
    ['/a{/b}{/c}', ['/a/b/c', '/a/c', '/a/b', '/a']],
    ['/a{/:b{/:c}}', ['/a/:/:', '/a/:', '/a']],
    ['{/:lang}/about', ['/:/about', '/about']],
    ['{/:x}', ['/:', '/']],
    ['/:id{.:format}', ['/:.:', '/:']],
  ])('%s stands for %j', (path, shapes) => {
    expect(
      parsePattern(path)
        .map(({ shape }) => shape)
        .sort(),
    ).toEqual([...shapes].sort())
  })

  it('takes both cases of the text of a mixed segment where case does not matter', () => {
    expect(parsePattern('/A/:id.Xy', false)[0]?.find).toBe('/A/:p3([^]+\\.(?:x|X)(?:y|Y))')
    expect(parsePattern('/A/:id', false)[0]?.find).toBe('/A/:id')
  })
})

describe('compareShapes(left, right)', () => {
  const order = ['/a', '/a:', '/:', '/*']

  it('static before mixed before parameter before wildcard', () => {
    for (const [i, left] of order.entries()) {
      for (const [j, right] of order.entries()) expect(Math.sign(compareShapes(left, right))).toBe(Math.sign(i - j))
    }
  })

  it.each([
    ['/a/:', '/:/b', -1],
    ['/a/*', '/:/b', -1],
    ['/a', '/a/:', -1],
    ['/a/b', '/a/c', 0],
    ['/:/x', '/:/:', -1],
  ])('%s, %s: %i', (left, right, sign) => {
    expect(Math.sign(compareShapes(left, right))).toBe(sign)
    expect(Math.sign(compareShapes(right, left))).toBe(sign === 0 ? 0 : -sign)
  })
})
