import Router from '@koa/router'
import fc from 'fast-check'
import { PathIndex, type PathIndexOptions } from '../../src/route/path-index'

const defaults: PathIndexOptions = { caseSensitive: true, ignoreTrailingSlash: true }

/** An index of patterns, each compiled by @koa/router, its value the pattern itself. */
function indexOf(patterns: ReadonlyArray<string | RegExp>, options = defaults): PathIndex<string> {
  const router = new Router({ sensitive: options.caseSensitive, strict: !options.ignoreTrailingSlash })
  const index = new PathIndex<string>(options)
  for (const pattern of patterns) {
    const path = pattern instanceof RegExp ? new RegExp(`^(?:${pattern.source})$`, pattern.flags) : pattern
    router.get(path, () => undefined)
    const { regexp, paramNames } = router.stack.at(-1)!
    index.add(path, String(pattern), { regexp, names: paramNames.map(({ name }) => String(name)) })
  }
  return index
}

describe('PathIndex.find(path)', () => {
  it.each([
    [['/:id', '/:id.json'], '/a.json', '/:id.json', { id: 'a' }],
    [['/:id', '/:id.json'], '/.json', '/:id', { id: '.json' }],
    [['/:id', '/:a-:b'], '/-', '/:id', { id: '-' }],
    [['/:id', '/:a-:b'], '/x-y-z', '/:a-:b', { a: 'x-y', b: 'z' }],
    [['/:id.json', '/:id.tar.json'], '/a.tar.json', '/:id.tar.json', { id: 'a' }],
    [['/:id', '/@:name'], '/@ann', '/@:name', { name: 'ann' }],
    [['/:id', '/:id@x'], '/a@x', '/:id@x', { id: 'a' }],
    [['/*all', '/a/*rest', '/a/:b'], '/a/b/c', '/a/*rest', { rest: 'b/c' }],
    [['/*all', /\/(\d+)/], '/7', '/\\/(\\d+)/', { 0: '7' }],
    [['/:id', /\/(\d+)/], '/7', '/:id', { id: '7' }],
    [['/a{/:b}', '/:x'], '/a', '/a{/:b}', {}],
    [['/:"a b"/x'], '/%2F/x', '/:"a b"/x', { 'a b': '/' }],
    [['/a\\*b', '/:id'], '/a*b', '/a\\*b', {}],
  ])('%j: %s', (patterns, path, value, params) => {
    for (const order of [patterns, [...patterns].reverse()])
      expect(indexOf(order).find(path)).toEqual({ value, params })
  })

  it('takes both cases where case does not matter, of mixed segments too', () => {
    const index = indexOf(['/Users/:id.JSON', '/users/:id', '/f/*rest'], { ...defaults, caseSensitive: false })
    expect(index.find('/uSERS/Ann.json')).toEqual({ value: '/Users/:id.JSON', params: { id: 'Ann' } })
    expect(index.find('/users/Ann.Json')).toEqual({ value: '/Users/:id.JSON', params: { id: 'Ann' } })
    expect(index.find('/USERS/Ann')).toEqual({ value: '/users/:id', params: { id: 'Ann' } })
    expect(index.find('/F/A/b')).toEqual({ value: '/f/*rest', params: { rest: 'A/b' } })
  })

  it('tells a trailing slash where it matters', () => {
    const index = indexOf(['/a', '/b/', '/c/:id'], { ...defaults, ignoreTrailingSlash: false })
    for (const path of ['/a', '/b/', '/c/x']) expect(index.find(path)).toBeDefined()
    for (const path of ['/a/', '/b', '/c/x/', '/c/']) expect(index.find(path)).toBeUndefined()
  })

  it('gives each request params of its own', () => {
    const index = indexOf(['/:id', '/s'])
    const first = index.find('/x')
    first!.params.id = 'changed'
    expect(index.find('/x')).toEqual({ value: '/:id', params: { id: 'x' } })
    expect(index.find('/s')?.params).not.toBe(index.find('/s')?.params)
  })

  const patterns = ['/a', '/a/b', '/:x', '/a/:x', '/:x/b', '/:x.b', '/:x-:y', '/a/:x-:y', '/*r', '/a/*r', '/:x/:y/a']
  const path = fc
    .array(fc.array(fc.constantFrom('a', 'b', '.', '-', '%20', '%2F'), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((segments) => `/${segments.map((parts) => parts.join('')).join('/')}`)

  it('does not depend on the order, and finds what a pattern alone would find', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...patterns), { minLength: 1 }), path, (some, each) => {
        const found = indexOf(some).find(each)
        expect(indexOf([...some].reverse()).find(each)).toEqual(found)
        const alone = some.filter((pattern) => indexOf([pattern]).find(each))
        expect(found === undefined).toBe(alone.length === 0)
        if (found) expect(indexOf([found.value]).find(each)).toEqual(found)
      }),
    )
  })

  it('is quick with hostile paths', () => {
    const index = indexOf(['/:a-:b-:c.json', '/:a.:b', '/:id/x', '/*rest'])
    const start = performance.now()
    for (const hostile of ['-', '.', '-.', 'a-', '%2D', '/', '/-'])
      expect(index.find(`/${hostile.repeat(15_000)}`)).toBeDefined()
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
