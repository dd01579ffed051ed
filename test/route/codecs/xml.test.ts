import fc from 'fast-check'
import { xml } from '../../../src/route/codecs/xml'
import { contextOf, decode, encode, plain, thrownBy } from './context'

function roundTrip(value: unknown): unknown {
  return plain(decode(xml, encode(xml, value)))
}

/** What a value is once it was text: the oracle of the round trip. */
function textForm(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'number' && !Number.isFinite(value)) return null
  if (Array.isArray(value)) return value.length === 0 ? '' : value.map(textForm)
  if (typeof value === 'object') {
    const members = Object.entries(value).map(([name, member]) => [cleanText(name), textForm(member)] as const)
    return members.length === 0 ? '' : Object.fromEntries(members)
  }
  return cleanText(String(value))
}

function cleanText(text: string): string {
  return text.replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
}

const name = fc.oneof(
  fc.constantFrom(
    'a',
    'item',
    'entry',
    'name',
    'xml',
    'xmlns',
    'a:b',
    'ns:item',
    '1',
    '',
    ' ',
    'é',
    'toString',
    'hasOwnProperty',
    '#text',
    ':@',
    '#cdata',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
const value = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.string(),
    fc.constantFrom('', ' ', '\n', '\r\n', '\t', ']]>', '<![CDATA[', '&amp;', '<!DOCTYPE a>', '-->', '"\''),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .array(fc.tuple(name, tie('tree')), { maxLength: 4 })
      .filter((members) => members.every(([key]) => !['__proto__', 'constructor', 'prototype'].includes(key)))
      .map((members) => Object.fromEntries(members)),
  ),
})).tree

describe('application/xml', () => {
  it('decodes what it encodes, as text', () => {
    fc.assert(
      fc.property(value, (original) => {
        expect(roundTrip(original)).toEqual(textForm(original))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses whatever is not XML with 400, and nothing else', () => {
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '!',
      '?',
      '--',
      '[CDATA[',
      ']]>',
      'a',
      'item',
      ' ',
      '"',
      "'",
      '=',
      '&',
      'amp;',
      '#x0;',
      '<a>',
      '</a>',
      '<a/>',
      'DOCTYPE',
      'x="1"',
      '\u0000',
      ':',
      '__proto__',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          decode(xml, pieces.join(''))
        } catch (error) {
          expect(error).toMatchObject({ status: 400 })
        }
      }),
      { numRuns: 2000 },
    )
  })

  describe('in', () => {
    it.each([
      ['<a>x</a>', 'x'],
      ['<a/>', ''],
      ['<a></a>', ''],
      ['<a> x </a>', ' x '],
      ['<?xml version="1.0"?>\n<a>\n  <b>1</b>\n  <c>2</c>\n</a>\n', { b: '1', c: '2' }],
      ['\uFEFF<?xml version="1.0" encoding="UTF-8" standalone="yes"?><a>é</a>', 'é'],
      ['<a><b>1</b><b>2</b></a>', { b: ['1', '2'] }],
      ['<a><item>1</item><item>2</item></a>', ['1', '2']],
      ['<a><item>1</item></a>', ['1']],
      ['<a><tags><item>x</item></tags></a>', { tags: ['x'] }],
      ['<a><item>1</item><b>2</b></a>', { item: '1', b: '2' }],
      ['<a><entry name="item">1</entry></a>', { item: '1' }],
      ['<a><entry name="a &quot;b&#10;">1</entry><entry>2</entry></a>', { 'a "b\n': '1', entry: '2' }],
      ['<a>&lt;&gt;&amp;&quot;&apos;&#233;&#xE9;&#x1F600;</a>', '<>&"\'éé😀'],
      ['<a>&amp;lt;</a>', '&lt;'],
      ['<a><![CDATA[<b>&amp;</b>]]></a>', '<b>&amp;</b>'],
      ['<a>x<![CDATA[ y ]]>z</a>', 'x y z'],
      ['<a>x<!-- no > <b> -->y</a>', 'xy'],
      ['<!-- before --><a>1</a><!-- after -->', '1'],
      ['<a><b xsi:nil="true"/><c xsi:nil="false"/><d xsi:nil="1"></d></a>', { b: null, c: '', d: null }],
      ['<a id="7" xmlns="urn:x" xmlns:n="urn:y"><n:b n:c=\'d\'>1</n:b></a>', { b: '1' }],
      ['<a><b>\r\n</b></a>', { b: '\n' }],
      ['<a><toString>1</toString><hasOwnProperty>2</hasOwnProperty></a>', { toString: '1', hasOwnProperty: '2' }],
      ['<a><été>1</été></a>', { été: '1' }],
      ['<a>1 > 0</a>', '1 > 0'],
      ['<a b="1 > 0">1</a>', '1'],
      ['<a\n b="1"\n/>', ''],
    ])('%j is %j', (text, expected) => {
      expect(plain(decode(xml, text))).toEqual(expected)
    })

    it('builds objects without prototype', () => {
      const decoded = decode(xml, '<a><b><c>1</c></b></a>') as { b: object }
      expect(Object.getPrototypeOf(decoded)).toBeNull()
      expect(Object.getPrototypeOf(decoded.b)).toBeNull()
    })

    it.each([
      ['<!DOCTYPE a><a/>', 'doctype'],
      ['<!doctype a><a/>', 'doctype'],
      ['<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>', 'doctype'],
      ['<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'doctype'],
      ['<?xml version="1.0"?><!-- --><!DOCTYPE a><a/>', 'doctype'],
      ['<a><!ENTITY x "1"></a>', 'doctype'],
      ['<a/><!DOCTYPE a>', 'doctype'],
      ['<a b="<!--"><!DOCTYPE a></a><!---->', 'syntax'],
      ["<a b='<![CDATA['><!DOCTYPE a></a>]]>", 'syntax'],
      ['<?x <!-- ?><!DOCTYPE a><a/><!-- -->', 'instruction'],
      ['<?xml-stylesheet href="x"?><a/>', 'instruction'],
      ['<a><?php echo 1 ?></a>', 'instruction'],
      [' <a/><?xml version="1.0"?>', 'instruction'],
      ['<a>&x;</a>', 'entity'],
      ['<a>&nbsp;</a>', 'entity'],
      ['<a>&toString;</a>', 'entity'],
      ['<a>&#0;</a>', undefined],
      ['<a>&#xD800;</a>', 'entity'],
      ['<a>&#x110000;</a>', 'entity'],
      [`<a>&#${'9'.repeat(400)};</a>`, 'entity'],
      ['<a>&</a>', 'syntax'],
      ['<a>a & b</a>', 'syntax'],
      ['<a>\u0000</a>', 'character'],
      ['<a>\u000b</a>', 'character'],
      ['<a>\uFFFF</a>', 'character'],
      ['<a><__proto__><admin>1</admin></__proto__></a>', undefined],
      ['<a><constructor>1</constructor></a>', undefined],
      ['<a><prototype/></a>', undefined],
      ['<a><n:__proto__>1</n:__proto__></a>', 'unknown'],
      ['<a><entry name="__proto__">1</entry></a>', 'unknown'],
      ['<a><entry name="&#95;&#95;proto__">1</entry></a>', 'unknown'],
      ['<a>text<b/></a>', 'syntax'],
      ['', 'syntax'],
      ['  ', 'syntax'],
      ['a', 'syntax'],
      ['{"a":1}', 'syntax'],
      ['<a>', 'syntax'],
      ['<a></b>', 'syntax'],
      ['</a>', 'syntax'],
      ['<a/><b/>', 'syntax'],
      ['<a></a><b></b>', 'syntax'],
      ['<a/>x', 'syntax'],
      ['x<a/>', 'syntax'],
      ['<a></a>\u00a0', 'syntax'],
      ['<a>\u00a0<b/></a>', 'syntax'],
      ['<a/><![CDATA[x]]>', 'syntax'],
      ['<!---><a/>', 'syntax'],
      ['<a><!-- -- --></a>', 'syntax'],
      ['<a><!-- ---></a>', 'syntax'],
      ['<a></a></a>', 'syntax'],
      ['<a><b></a></b>', 'syntax'],
      ['<a b=1/>', 'syntax'],
      ['<a b/>', 'syntax'],
      ['<a b="1" b="2"/>', 'syntax'],
      ['<a b="1/>', 'syntax'],
      ['<a><!-- </a>', 'syntax'],
      ['<a><![CDATA[ </a>', 'syntax'],
      ['<1/>', 'syntax'],
      ['< a/>', 'syntax'],
    ])('%j is 400 %s', (text, code) => {
      const error = thrownBy(() => decode(xml, text))
      expect(error).toMatchObject({ status: 400, errors: [{ in: 'body' }], ...(code && { code }) })
      expect('admin' in {}).toBe(false)
    })

    it('quotes nothing of what it refuses', () => {
      for (const text of ['<hunter2>', '<a>&hunter2;</a>', '<a hunter2/>', '<a><hunter2></a>', 'hunter2']) {
        const error = thrownBy(() => decode(xml, text))
        expect(error.message + JSON.stringify(error)).not.toContain('hunter2')
      }
    })

    it.each([
      ['depth', 'limit', '<a><b><c><d>1</d></c></b></a>', '<a><b><c>1</c></b></a>', { depth: 2 }],
      ['keys', 'limit', '<a><b/><c/><d/></a>', '<a><b/><c/></a>', { keys: 2 }],
      ['items', 'limit', '<a><item/><item/><item/></a>', '<a><item/><item/></a>', { items: 2 }],
      ['items of repeated children', 'limit', '<a><b/><b/><b/></a>', '<a><b/><b/></a>', { items: 2 }],
    ])('limits %s', (_name, code, beyond, within, bounds) => {
      expect(thrownBy(() => decode(xml, beyond, contextOf({}, bounds)))).toMatchObject({ status: 400, code })
      expect(() => decode(xml, within, contextOf({}, bounds))).not.toThrow()
    })

    it.each([
      ['<a>'.repeat(5000) + '</a>'.repeat(5000), 'limit'],
      ['<a>'.repeat(300_000), 'limit'],
      [`<a>${'<b/>'.repeat(200_000)}</a>`, 'limit'],
      [`<a ${'x="1" '.repeat(150_000)}/>`, 'syntax'],
      [`<a${' '.repeat(1_000_000)}`, 'syntax'],
      [`<a ${'"\''.repeat(500_000)}>`, 'syntax'],
      [`<a>${'&'.repeat(1_000_000)}</a>`, 'syntax'],
      [`<a>${'<!--'.repeat(250_000)}</a>`, 'syntax'],
      ['<'.repeat(1_000_000), 'syntax'],
    ])('a megabyte of trouble is refused at once', (text, code) => {
      const start = performance.now()
      expect(thrownBy(() => decode(xml, text))).toMatchObject({ status: 400, code })
      expect(performance.now() - start).toBeLessThan(2000)
    })

    it('points at what is wrong', () => {
      const text = '<a><b><item>1</item><item><c>x<d/></c></item></b></a>'
      expect(thrownBy(() => decode(xml, text))).toMatchObject({ errors: [{ pointer: '/b/1/c' }] })
    })

    it.each([
      ['the parameter', Buffer.from('<a>é</a>', 'latin1'), { charset: 'iso-8859-1' }],
      ['the declaration', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1'), {}],
      ['the parameter first', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>'), { charset: 'utf-8' }],
      ['the byte order mark', Buffer.from('\uFEFF<?xml version="1.0"?><a>é</a>', 'utf16le'), {}],
    ])('is in the charset of %s', (_name, bytes, parameters) => {
      expect(decode(xml, bytes, contextOf(parameters as Record<string, string>))).toBe('é')
    })

    it('in a charset that nobody knows is 415', () => {
      const text = '<?xml version="1.0" encoding="klingon"?><a/>'
      expect(thrownBy(() => decode(xml, text))).toMatchObject({ status: 415 })
    })
  })

  describe('out', () => {
    const head =
      '<?xml version="1.0" encoding="UTF-8"?>\n<response xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

    it.each([
      ['a<b', '>a&lt;b</response>'],
      ['', '/>'],
      [null, ' xsi:nil="true"/>'],
      [undefined, ' xsi:nil="true"/>'],
      [1.5, '>1.5</response>'],
      [Number.NaN, ' xsi:nil="true"/>'],
      [true, '>true</response>'],
      [12n, '>12</response>'],
      [new Date(0), '>1970-01-01T00:00:00.000Z</response>'],
      [new Date(Number.NaN), ' xsi:nil="true"/>'],
      [[1, [2]], '><item>1</item><item><item>2</item></item></response>'],
      [{ a: [], b: {}, c: undefined, d: null }, '><a/><b/><d xsi:nil="true"/></response>'],
      [
        { item: 1, 'a b': 2, '<"&': 3 },
        '><entry name="item">1</entry><entry name="a b">2</entry><entry name="&lt;&quot;&amp;">3</entry></response>',
      ],
      [
        { été: 1, xmlId: 2, '-a': 3 },
        '><été>1</été><entry name="xmlId">2</entry><entry name="-a">3</entry></response>',
      ],
      ['\u0000\ud800\uFFFE\t\r\n', '>\uFFFD\uFFFD\uFFFD\t&#13;\n</response>'],
      [{ toJSON: () => ({ a: 1 }) }, '><a>1</a></response>'],
      [{ f: () => 1, s: Symbol('x') }, '/>'],
    ])('%p', (written, rest) => {
      expect(encode(xml, written)).toBe(head + rest)
    })

    it('refuses a value that refers to itself', () => {
      const value: Record<string, unknown> = {}
      value.self = value
      expect(() => encode(xml, value)).toThrow(TypeError)
    })
  })
})
