import fc from 'fast-check'
import { negotiate, parseAccept } from '../../src/http/accept'

describe('parseAccept(header)', () => {
  it.each([
    ['', []],
    [' , ,', []],
    ['*/*', ['*/* 1']],
    ['text/HTML', ['text/html 1']],
    ['text/html;q=0.5, application/json', ['text/html 0.5', 'application/json 1']],
    ['text/html ; Q=0.5,,a/b', ['text/html 0.5', 'a/b 1']],
    ['a/b;q=0', ['a/b 0']],
    ['a/b;q=0.', ['a/b 0']],
    ['a/b;q=1.000', ['a/b 1']],
    ['a/b; q=.2', ['a/b 0.2']],
    ['a/b;q=0.33333', ['a/b 0.33333']],
    ['a/b;q="0.5"', ['a/b 0.5']],
    ['text/html, image/gif, *; q=.2, */*; q=.2', ['text/html 1', 'image/gif 1', '*/* 0.2']],
  ])('%j', (header, expected) => {
    expect(parseAccept(header).map(({ type, subtype, q }) => `${type}/${subtype} ${q}`)).toEqual(expected)
  })

  it.each([
    'json',
    '*',
    '*/json',
    'a/b;q=2',
    'a/b;q=1.1',
    'a/b;q=-1',
    'a/b;q=abc',
    'a/b;q=',
    'a/b;q',
    'a/b;q=1e0',
    'a/b;q=0x1',
    'a/b c',
    'a/b;c="d',
    'a//b',
    '/',
    '"a/b, c/d"',
    'a"b, c/d"',
  ])('leaves out %j', (entry) => {
    expect(parseAccept(`x/y,${entry}`).map(({ type }) => type)).toEqual(['x'])
    if (!entry.endsWith('"d')) expect(parseAccept(`${entry} ,x/y`).map(({ type }) => type)).toEqual(['x'])
  })

  it('keeps parameters, commas in quoted strings too, and takes the weight wherever it stands', () => {
    const [first, second] = parseAccept('text/html;q=0.4;level="1,\\"2";Charset=utf-8, a/b')
    expect({ ...first, parameters: { ...first?.parameters } }).toEqual({
      type: 'text',
      subtype: 'html',
      parameters: { level: '1,"2', charset: 'utf-8' },
      q: 0.4,
    })
    expect(second?.type).toBe('a')
  })

  it('takes any name for a parameter', () => {
    const [range] = parseAccept('a/b;__proto__=c;constructor=d')
    expect(Object.getPrototypeOf(range?.parameters)).toBeNull()
    expect(Object.keys(range?.parameters ?? {})).toEqual(['__proto__', 'constructor'])
  })
})

describe('negotiate(accept, offered)', () => {
  const offered = ['application/json', 'application/xml', 'text/html']

  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    [' ', 'application/json'],
    ['nonsense', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['text/*', 'text/html'],
    ['TEXT/HTML', 'text/html'],
    ['application/xml', 'application/xml'],
    ['application/xml, application/json', 'application/json'],
    ['application/json;q=0.5, application/xml', 'application/xml'],
    ['application/json;q=0.5, application/xml;q=0.5', 'application/json'],
    ['application/json;q=0.1, */*', 'application/xml'],
    ['*/*, application/json;q=0', 'application/xml'],
    ['application/*;q=0.2, */*;q=0.1', 'application/json'],
    ['application/*;q=0, */*;q=0.1', 'text/html'],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', 'text/html'],
    ['text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', 'text/html'],
    ['application/json; charset=utf-8', 'application/json'],
    ['application/json; charset=UTF-8, */*;q=0.1', 'application/json'],
    ['application/json; version=2', undefined],
    ['application/json; charset=latin1', undefined],
    ['application/json; version=2, application/xml;q=0.1', 'application/xml'],
    ['image/png', undefined],
    ['*/*;q=0', undefined],
    ['application/json;q=0', undefined],
    ['application/problem+json', undefined],
  ])('%j: %s', (accept, expected) => expect(negotiate(accept, offered)).toBe(expected))

  it('weighs an offer by the range that is closest, as the example of RFC 9110 §12.5.1 does', () => {
    const accept = 'text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5'
    const beats = (winner: string, loser: string) => expect(negotiate(accept, [loser, winner])).toBe(winner)
    beats('text/plain;format=flowed', 'text/plain')
    beats('text/plain', 'image/jpeg')
    beats('image/jpeg', 'text/plain;format=fixed')
    beats('text/plain;format=fixed', 'text/html;level=3')
  })

  it('has nothing to pick from no offers', () => {
    expect(negotiate(undefined, [])).toBeUndefined()
    expect(negotiate('*/*', [])).toBeUndefined()
    expect(negotiate('a/b', [])).toBeUndefined()
  })

  it('agrees with looking the weights up one by one', () => {
    const types = ['a/x', 'a/y', 'b/x', 'b/y']
    const range = fc.tuple(fc.constantFrom(...types, 'a/*', 'b/*', '*/*'), fc.integer({ min: 0, max: 10 }))
    fc.assert(
      fc.property(fc.uniqueArray(range, { selector: ([name]) => name, minLength: 1 }), (ranges) => {
        const weights = new Map(ranges)
        const weightOf = (type: string) => weights.get(type) ?? weights.get(`${type[0]}/*`) ?? weights.get('*/*') ?? 0
        const highest = Math.max(...types.map(weightOf))
        const expected = highest === 0 ? undefined : types.find((type) => weightOf(type) === highest)
        expect(negotiate(ranges.map(([name, q]) => `${name};q=${q / 10}`).join(', '), types)).toBe(expected)
      }),
    )
  })

  it.each([
    ['ranges', 'a/b;q=0.5,'.repeat(50_000)],
    ['malformed entries', 'a/b;c,'.repeat(80_000)],
    ['commas', ','.repeat(500_000)],
    ['parameters', `a/b${';c=d'.repeat(120_000)}`],
    ['open strings', 'a/b;c="'.repeat(70_000)],
    ['backslashes in a string', `a/b;c="${'\\'.repeat(500_001)}`],
    ['spaces', `a/b${' '.repeat(500_000)}c`],
  ])('reads half a megabyte of %s in linear time', (_, accept) => {
    const start = process.cpuUsage().user
    negotiate(accept, offered)
    expect(process.cpuUsage().user - start).toBeLessThan(2_000_000)
  })
})
