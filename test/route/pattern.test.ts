import { compareShapes, parsePattern } from '../../src/route/pattern'

describe('parsePattern(path)', () => {
  const fixed = (text: string) => ({ kind: 'static', text })
  const param = (name: string) => ({ kind: 'param', name })
  const wildcard = (name: string) => ({ kind: 'wildcard', name })
  const mixed = (shape: string, weight: number, expression: string) => ({ kind: 'mixed', shape, weight, expression })

  it.each([
    ['/', [fixed('')], '/'],
    ['/a', [fixed('a')], '/a'],
    ['/a/', [fixed('a'), fixed('')], '/a/'],
    ['/a/:id', [fixed('a'), param('id')], '/a/:'],
    ['/:a/:b', [param('a'), param('b')], '/:/:'],
    ['/f/*path', [fixed('f'), wildcard('path')], '/f/*'],
    ['/*all', [wildcard('all')], '/*'],
    ['/a\\:b', [fixed('a:b')], '/a:b'],
    ['/a\\{b\\}', [fixed('a{b}')], '/a{b}'],
    ['/a\\*', [fixed('a*')], '/a*'],
    ['/%C3%BC', [fixed('ü')], '/ü'],
    ['/ü', [fixed('ü')], '/ü'],
    ['/:"odd name"', [param('odd name')], '/:'],
    ['/:größe', [param('größe')], '/:'],
    // Text and parameters in one segment: no parameter is empty, and a later one does not hold the text between.
    ['/:id.json', [mixed(':.json', 5, '^[^]+\\.json$')], '/:.json'],
    ['/:a-:b', [mixed(':-:', 1, '^[^]+\\-(?:(?:(?!\\-)[^])+|\\-)$')], '/:-:'],
    ['/v:version', [mixed('v:', 1, '^v[^]+$')], '/v:'],
    ['/v:version-x', [mixed('v:-x', 3, '^v[^]+\\-x$')], '/v:-x'],
    // Only an expression can say these.
    ['/*a/b', undefined, '/*/b'],
    ['/x*rest', undefined, '/x*'],
    ['/:id*rest', undefined, '/:*'],
  ])('%s', (path, segments, shape) => {
    const isMixed = segments?.some(({ kind }) => kind === 'mixed') ?? false
    expect(parsePattern(path)).toEqual([{ segments, mixed: isMixed, shape }])
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
