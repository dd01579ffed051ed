import fc from 'fast-check'
import { sampleRegExp } from '../../src/cli/sample-regexp'

describe('sampleRegExp(pattern)', () => {
  it.each([
    [/\/items\/\d{3}/, ['/items/777', '/items/444', '/items/000']],
    [/^\/(?<kind>old|new)-(\d+)$/, ['/old-7', '/old-4', '/old-0']],
    [/\/a\.b\/?/, ['/a.b/']],
    [/\/[^/a-z]+\/[a-c]?/, ['/7/a', '/4/b', '/K/a']],
    [/\/(?:x|\d)\p{L}/u, ['/xa', '/xb', '/xz']],
    [/\/A/i, ['/A']],
    [/\/./, ['/7', '/b', '/z']],
    [/\/[!$]\x41\u{42}/u, ['/!AB']],
  ])('%s', (pattern, samples) => {
    expect(sampleRegExp(pattern)).toEqual(samples)
  })

  it.each([[/\/(a)\1/], [/\/(?=b)b/], [/\/(?<!c)b/], [/\/(?<x>a)\k<x>/], [/\/[^\s\S]/], [/a^b/]])(
    '%s: nothing can be made up',
    (pattern) => {
      expect(sampleRegExp(pattern)).toEqual([])
    },
  )

  it('finds a path for whatever is made of characters, classes, groups, alternatives and quantifiers', () => {
    const atom = fc.constantFrom('a', 'Z', '0', '\\d', '\\w', '\\.', '\\/', '-', '[a-z]', '[^/]', '[\\d_]', '.', '\\-')
    // Quantifiers stand on characters alone: one on a group of others is tried for ages.
    const counted = fc
      .tuple(atom, fc.constantFrom('', '', '?', '*', '+', '{2}', '{1,}', '+?'))
      .map((pair) => pair.join(''))
    const { source } = fc.letrec<{ source: string; piece: string }>((tie) => ({
      piece: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        counted,
        fc.tuple(fc.constantFrom('', '?:', '?<n>'), tie('source')).map(([kind, inner]) => `(${kind}${inner})`),
      ),
      source: fc
        .array(
          fc.array(tie('piece'), { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join('')),
          { minLength: 1, maxLength: 2 },
        )
        .map((alternatives) => alternatives.join('|')),
    }))
    const pattern = source.map((text) => {
      // A name may be there once.
      let names = 0
      return new RegExp(text.replaceAll('?<n>', () => `?<n${names++}>`))
    })
    fc.assert(
      fc.property(pattern, (expression) => {
        fc.pre(expression.source.length < 80)
        const samples = sampleRegExp(expression)
        const whole = new RegExp(`^(?:${expression.source})$`)
        return samples.length > 0 && samples.every((sample) => whole.test(sample))
      }),
    )
  })
})
