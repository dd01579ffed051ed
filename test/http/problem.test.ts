import fc from 'fast-check'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import type { Violation } from '../../src/errors'
import {
  escapeMarkup,
  formatProblemHtml,
  formatProblemJson,
  formatProblemText,
  formatProblemXml,
  statusPhrase,
  toProblem,
} from '../../src/http/problem'

const violation: Violation = { in: 'body', pointer: '/zip', code: 'isZip', detail: 'must be a zip code' }

describe('statusPhrase(status)', () => {
  it.each([
    [400, 'Bad Request'],
    [404, 'Not Found'],
    [413, 'Content Too Large'],
    [416, 'Range Not Satisfiable'],
    [422, 'Unprocessable Content'],
    [499, 'Client Error'],
    [500, 'Internal Server Error'],
    [599, 'Server Error'],
  ])('%i is %s', (status, phrase) => expect(statusPhrase(status)).toBe(phrase))
})

describe('formatProblemJson(init)', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('"', '\\', '\n', '\ud800', 'é', 'a') }),
  )
  const some = fc.option(text, { nil: undefined })
  const sources = fc.constantFrom('body', 'query', 'path', 'header', 'cookie')
  const one = fc.record({ in: sources, pointer: text, code: text, detail: text })

  it('is the JSON of toProblem(init)', () => {
    const errors = fc.option(fc.array(one as fc.Arbitrary<Violation>), { nil: undefined })
    const members = { title: some, detail: some, type: some, code: some, instance: some, requestId: some, errors }
    fc.assert(
      fc.property(fc.record({ status: fc.integer({ min: 400, max: 599 }), ...members }), (init) => {
        expect(formatProblemJson(init)).toBe(JSON.stringify(toProblem(init)))
      }),
      { seed: 7 },
    )
  })
  it('takes members that are no texts as JSON has them', () => {
    const odd = { status: 400, detail: 7 as unknown as string, code: null as unknown as string }
    expect(JSON.parse(formatProblemJson(odd))).toMatchObject({ detail: 7, code: null })
  })
})

describe('toProblem(init)', () => {
  it('has its members in the order of RFC 9457 and none that is absent', () => {
    const problem = toProblem({
      errors: [violation],
      requestId: 'r1',
      instance: '/a',
      code: 'c',
      detail: 'd',
      status: 422,
      title: 't',
      type: 'urn:x',
    })
    expect(JSON.stringify(problem)).toBe(
      '{"type":"urn:x","title":"t","status":422,"detail":"d","code":"c","instance":"/a","requestId":"r1",' +
        '"errors":[{"in":"body","pointer":"/zip","code":"isZip","detail":"must be a zip code"}]}',
    )
    expect(Object.keys(toProblem({ status: 404 }))).toEqual(['type', 'title', 'status'])
    expect(toProblem({ status: 422, errors: [], detail: undefined })).toEqual({
      type: 'about:blank',
      title: 'Unprocessable Content',
      status: 422,
    })
  })

  it('takes nothing of a violation but its four members', () => {
    const leaky = { ...violation, value: 'hunter2', target: { password: 'hunter2' } }
    expect(JSON.stringify(toProblem({ status: 422, errors: [leaky] }))).not.toContain('hunter2')
  })
})

const hostile = toProblem({
  status: 400,
  detail: '</problem><script>alert("1")</script>&amp;\u0000\u001b[31m\ud800 \u4e2d\r\n]]>',
  requestId: 'r1',
  instance: '/<a>?"\'',
  errors: [{ ...violation, pointer: '/<i>', detail: "\u0001<b onclick='x'>" }],
})

describe('formatProblemXml(problem)', () => {
  it('has the shape of RFC 9457 appendix B', () => {
    expect(formatProblemXml(toProblem({ status: 422, detail: 'a & b', errors: [violation, violation] }))).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<problem xmlns="urn:ietf:rfc:7807"><type>about:blank</type>' +
        '<title>Unprocessable Content</title><status>422</status><detail>a &#38; b</detail><errors>' +
        '<i><in>body</in><pointer>/zip</pointer><code>isZip</code><detail>must be a zip code</detail></i>'.repeat(2) +
        '</errors></problem>',
    )
  })

  it('stays well-formed on hostile text', () => {
    const xml = formatProblemXml(hostile)
    expect(XMLValidator.validate(xml)).toBe(true)
    // eslint-disable-next-line no-control-regex -- the characters that XML 1.0 forbids
    expect(xml).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f]/)
    expect(xml).not.toContain('<script')
  })

  it('is read back as it was written', () => {
    const parser = new XMLParser({ htmlEntities: true, trimValues: false, parseTagValue: false })
    const chars = fc.string({ unit: fc.constantFrom(...'ab<>&"\';#x0/[]!- \u00e9\u4e2d'.split('')), minLength: 1 })
    fc.assert(
      fc.property(chars, (detail) => {
        const read = parser.parse(formatProblemXml(toProblem({ status: 400, detail })))
        expect(read.problem.detail).toBe(detail)
      }),
    )
  })
})

describe('formatProblemHtml(problem)', () => {
  it('names its language and its title', () => {
    const page = formatProblemHtml(toProblem({ status: 404, detail: 'No such fruit', requestId: 'r1' }))
    expect(page).toContain('<html lang="en">')
    expect(page).toContain('<title>404 Not Found</title>')
    expect(page).toContain('<p>No such fruit</p>')
    expect(page).toContain('r1')
  })

  it('escapes all that is not its own', () => {
    const page = formatProblemHtml(hostile)
    expect(page.match(/<(?!\/?(?:html|head|meta|title|body|h1|p|ul|li|code)\b|!DOCTYPE)/g)).toBeNull()
    expect(page).toContain('&#60;script&#62;')
    expect(page).not.toContain('<i>')
    expect(page).not.toContain('\u0000')
  })
})

describe('formatProblemText(problem)', () => {
  it('says what there is to say in lines', () => {
    const problem = toProblem({ status: 422, detail: 'Wrong', requestId: 'r1', errors: [violation] })
    expect(formatProblemText(problem)).toBe(
      '422 Unprocessable Content\nWrong\n- body /zip: must be a zip code\nRequest r1\n',
    )
    expect(formatProblemText(toProblem({ status: 404 }))).toBe('404 Not Found\n')
  })

  it('sends no control character to a terminal', () => {
    // eslint-disable-next-line no-control-regex -- what a terminal would obey
    expect(formatProblemText(hostile)).not.toMatch(/[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f]/)
  })
})

describe('escapeMarkup(text)', () => {
  it.each([
    ['<a href="x">\'&', '&#60;a href=&#34;x&#34;&#62;&#39;&#38;'],
    ['\u0000\u0008\u000b\u001f\u007f\ufffe\uffff', '\ufffd'.repeat(7)],
    ['\t\n', '\t\n'],
    ['\r', '&#13;'],
    ['\ud83d\ude00', '\ud83d\ude00'],
    ['\ud83d|\ude00', '\ufffd|\ufffd'],
  ])('%j', (text, expected) => expect(escapeMarkup(text)).toBe(expected))
})
