import fc from 'fast-check'
import { formatLink, parseLink, type Link } from '../../src/http/link'

describe('formatLink(links)', () => {
  it.each<[Link[], string]>([
    [[], ''],
    [[{ href: '/rows?offset=10&limit=10', rel: 'next' }], '</rows?offset=10&limit=10>; rel="next"'],
    [
      [
        { href: '/a', rel: 'first' },
        { href: '/b', rel: 'last' },
      ],
      '</a>; rel="first", </b>; rel="last"',
    ],
    [[{ href: '/a', rel: 'x', title: 'say "hi" \\ bye' }], '</a>; rel="x"; title="say \\"hi\\" \\\\ bye"'],
    [[{ href: '/a', rel: 'x', title: "d'été" }], '</a>; rel="x"; title*=UTF-8\'\'d%27%C3%A9t%C3%A9'],
    [[{ href: '/a b>;"\r\nX: y<ä', rel: 'x' }], '</a%20b%3E;%22%0D%0AX:%20y%3C%C3%A4>; rel="x"'],
    [[{ href: '/a%20b', rel: 'x' }], '</a%20b>; rel="x"'],
    [[{ href: '/\ud800', rel: 'x' }], '</%EF%BF%BD>; rel="x"'],
    [
      [{ href: '/a', rel: 'x', title: 'a\r\nSet-Cookie: b' }],
      '</a>; rel="x"; title*=UTF-8\'\'a%0D%0ASet-Cookie%3A%20b',
    ],
  ])('%j', (links, header) => {
    expect(formatLink(links)).toBe(header)
  })

  it.each<[Link]>([
    [{ href: '/a', rel: 'x', 'bad name': 'y' }],
    [{ href: '/a', rel: 'x', 'title*': 'y' }],
    [{ href: '/a', rel: 'x', 'a\r\nb': 'y' }],
    [{ href: '/a', rel: 'näxt' }],
    [{ href: '/a', rel: 'a\r\nX: y' }],
  ])('%j is refused', (link) => {
    expect(() => formatLink([link])).toThrow(TypeError)
  })
})

describe('parseLink(header)', () => {
  it.each<[string, Link[]]>([
    ['', []],
    ['nonsense', []],
    ['<unended', []],
    ['</a>', [{ href: '/a', rel: '' }]],
    ['</a>;rel=next', [{ href: '/a', rel: 'next' }]],
    [
      ' , </a> ; REL = "next" , ,</b>;rel=prev',
      [
        { href: '/a', rel: 'next' },
        { href: '/b', rel: 'prev' },
      ],
    ],
    ['</a,b;c>; rel="x"; rel="y"', [{ href: '/a,b;c', rel: 'x' }]],
    [
      '</a>; rel="x"; title="a, \\"b\\"; c"; hreflang=de',
      [{ href: '/a', rel: 'x', title: 'a, "b"; c', hreflang: 'de' }],
    ],
    ["</a>; rel=x; title=plain; title*=UTF-8'de'%C3%A4", [{ href: '/a', rel: 'x', title: 'ä' }]],
    ["</a>; rel=x; title=plain; title*=UTF-8''%C3", [{ href: '/a', rel: 'x', title: 'plain' }]],
    ["</a>; rel=x; title=plain; title*=latin1''%E4", [{ href: '/a', rel: 'x', title: 'plain' }]],
    ['</a>; rel=x; flag; ; =v', [{ href: '/a', rel: 'x', flag: '' }]],
    ['</a>; rel="open', [{ href: '/a', rel: 'open' }]],
    ['</a>; rel="open\\', [{ href: '/a', rel: 'open\\' }]],
    ['</a>; rel=x; href=/evil', [{ href: '/a', rel: 'x' }]],
    [
      '</a>; rel=x junk, </b>; rel=y',
      [
        { href: '/a', rel: 'x' },
        { href: '/b', rel: 'y' },
      ],
    ],
  ])('%j', (header, links) => {
    expect(parseLink(header)).toEqual(links)
  })

  it('takes __proto__ for a name like any other', () => {
    const [link] = parseLink('</a>; rel=x; __proto__=y; constructor=z')
    expect(Object.entries(link!)).toEqual(
      expect.arrayContaining([
        ['__proto__', 'y'],
        ['constructor', 'z'],
      ]),
    )
    expect(({} as Record<string, unknown>).y).toBeUndefined()
  })

  it('ends on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', ';', ',', '"', '\\', '=', ' ', 'a', '*', "'") }),
        (header) => {
          for (const link of parseLink(header)) expect(typeof link.href).toBe('string')
        },
      ),
    )
  })

  it('undoes formatLink', () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/).filter((name) => name !== 'href' && name !== 'rel')
    const link = fc
      .record({
        href: fc.webUrl({ withQueryParameters: true, withFragments: true }),
        rel: fc.stringMatching(/^[\x20-\x7e]{0,10}$/),
        rest: fc.dictionary(token, fc.string({ unit: 'grapheme' }), { maxKeys: 3 }),
      })
      .map(({ href, rel, rest }): Link => ({ href, rel, ...rest }))
    fc.assert(
      fc.property(fc.array(link, { maxLength: 4 }), (links) => {
        expect(parseLink(formatLink(links))).toEqual(links)
      }),
    )
  })
})
