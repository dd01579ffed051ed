import fc from 'fast-check'
import {
  evaluate,
  formatETag,
  formatHttpDate,
  ifRange,
  parseETag,
  parseETags,
  parseHttpDate,
  type Conditions,
  type Validators,
} from '../../src/http/conditional'

describe('formatETag(rev)', () => {
  it.each([
    ['7', '"7"'],
    ['', '""'],
    ['a,b', '"a,b"'],
    ['a"b', '"a%22b"'],
    ['a\\b', '"a%5cb"'],
    ['100%', '"100%25"'],
    ['a b\r\n', '"a%20b%0d%0a"'],
    ['\u00e9\u4e2d', '"%e9%u4e2d"'],
    ['\ud800', '"%ud800"'],
    ['*', '"*"'],
    ['W/"1"', '"W/%221%22"'],
  ])('%j is %s', (rev, tag) => expect(formatETag(rev)).toBe(tag))

  it('makes a strong tag of any string, and parseETag undoes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rev) => {
        const tag = formatETag(rev)
        expect(tag).toMatch(/^"[\x21\x23-\x7e]*"$/)
        expect(parseETag(tag)).toBe(rev)
        expect(parseETags(tag)).toEqual([{ tag, weak: false }])
      }),
    )
  })

  it.each(['', '"', '7', 'W/"7"', '"%2"', '"%41"', '"%"', '"a b"', '"\u00e9"', '"%uD800"'])(
    'parseETag takes %j for a tag of another',
    (tag) => expect(parseETag(tag)).toBeUndefined(),
  )
})

describe('parseETags(header)', () => {
  it.each([
    ['*', '*'],
    [' * ', '*'],
    ['"a"', ['"a"']],
    ['W/"a"', ['W/"a"']],
    ['"a", W/"b" ,"c"', ['"a"', 'W/"b"', '"c"']],
    ['"a,b","c"', ['"a,b"', '"c"']],
    [',, "a" ,,', ['"a"']],
    ['""', ['""']],
    ['"\\"', ['"\\"']],
    ['"caf\u00e9"', ['"caf\u00e9"']],
  ])('%j', (header, expected) => {
    const found = parseETags(header)
    expect(Array.isArray(found) ? found.map(({ tag, weak }) => (weak ? `W/${tag}` : tag)) : found).toEqual(expected)
  })

  it.each([
    '',
    ',',
    'a',
    '"a',
    'a"',
    'w/"a"',
    'W/ "a"',
    'W/a',
    '"a" "b"',
    '"a", *',
    '*, "a"',
    '"a b"',
    '"a\tb"',
    '"\u4e2d"',
  ])('%j is malformed', (header) => expect(parseETags(header)).toBeUndefined())

  it.each([
    ['tags', '"a",'.repeat(100_000)],
    ['an open tag', `"${'a'.repeat(500_000)}`],
    ['spaces', `"a"${' '.repeat(500_000)}b`],
    ['commas', `${','.repeat(500_000)}x`],
  ])('reads half a megabyte of %s in linear time', (_, header) => {
    const start = process.cpuUsage().user
    parseETags(header)
    expect(process.cpuUsage().user - start).toBeLessThan(2_000_000)
  })
})

describe('evaluate(request, current)', () => {
  const modified = new Date('2024-05-05T12:00:00.750Z')
  const before = 'Sun, 05 May 2024 11:59:59 GMT'
  const same = 'Sun, 05 May 2024 12:00:00 GMT'
  const after = 'Sun, 05 May 2024 12:00:01 GMT'
  const strong: Validators = { etag: '"1"', modified }
  const weak: Validators = { etag: 'W/"1"', modified }
  const bare: Validators = {}
  const none = undefined

  it.each<[Conditions, Validators | undefined, string]>([
    [{ method: 'GET' }, strong, 'proceed'],
    [{ method: 'PUT' }, none, 'proceed'],
    // If-Match: strong comparison
    [{ method: 'PUT', ifMatch: '"1"' }, strong, 'proceed'],
    [{ method: 'PUT', ifMatch: '"0", "1"' }, strong, 'proceed'],
    [{ method: 'PUT', ifMatch: '"2"' }, strong, 'failed'],
    [{ method: 'GET', ifMatch: '"2"' }, strong, 'failed'],
    [{ method: 'PUT', ifMatch: 'W/"1"' }, strong, 'failed'],
    [{ method: 'PUT', ifMatch: '"1"' }, weak, 'failed'],
    [{ method: 'PUT', ifMatch: 'W/"1"' }, weak, 'failed'],
    [{ method: 'PUT', ifMatch: '*' }, strong, 'proceed'],
    [{ method: 'PUT', ifMatch: '*' }, bare, 'proceed'],
    [{ method: 'PUT', ifMatch: '*' }, none, 'failed'],
    [{ method: 'PUT', ifMatch: '"1"' }, none, 'failed'],
    [{ method: 'PUT', ifMatch: '"1"' }, bare, 'failed'],
    [{ method: 'PUT', ifMatch: '1' }, strong, 'failed'],
    [{ method: 'PUT', ifMatch: '' }, strong, 'failed'],
    // If-Unmodified-Since: only without If-Match
    [{ method: 'PUT', ifUnmodifiedSince: before }, strong, 'failed'],
    [{ method: 'PUT', ifUnmodifiedSince: same }, strong, 'proceed'],
    [{ method: 'PUT', ifUnmodifiedSince: after }, strong, 'proceed'],
    [{ method: 'PUT', ifUnmodifiedSince: before, ifMatch: '"1"' }, strong, 'proceed'],
    [{ method: 'PUT', ifUnmodifiedSince: before }, bare, 'proceed'],
    [{ method: 'PUT', ifUnmodifiedSince: before }, none, 'proceed'],
    [{ method: 'PUT', ifUnmodifiedSince: 'yesterday' }, strong, 'proceed'],
    // If-None-Match: weak comparison
    [{ method: 'GET', ifNoneMatch: '"1"' }, strong, 'not-modified'],
    [{ method: 'HEAD', ifNoneMatch: '"1"' }, strong, 'not-modified'],
    [{ method: 'GET', ifNoneMatch: 'W/"1"' }, strong, 'not-modified'],
    [{ method: 'GET', ifNoneMatch: '"1"' }, weak, 'not-modified'],
    [{ method: 'GET', ifNoneMatch: '"2"' }, strong, 'proceed'],
    [{ method: 'GET', ifNoneMatch: '*' }, bare, 'not-modified'],
    [{ method: 'GET', ifNoneMatch: '*' }, none, 'proceed'],
    [{ method: 'PUT', ifNoneMatch: '*' }, none, 'proceed'],
    [{ method: 'PUT', ifNoneMatch: '*' }, strong, 'failed'],
    [{ method: 'PUT', ifNoneMatch: '"1"' }, strong, 'failed'],
    [{ method: 'PUT', ifNoneMatch: 'W/"1"' }, strong, 'failed'],
    [{ method: 'DELETE', ifNoneMatch: '"2"' }, strong, 'proceed'],
    [{ method: 'PUT', ifNoneMatch: '"1"' }, none, 'proceed'],
    [{ method: 'GET', ifNoneMatch: '1' }, strong, 'proceed'],
    [{ method: 'PUT', ifNoneMatch: '1' }, strong, 'failed'],
    // If-Modified-Since: GET and HEAD, only without If-None-Match
    [{ method: 'GET', ifModifiedSince: same }, strong, 'not-modified'],
    [{ method: 'HEAD', ifModifiedSince: after }, strong, 'not-modified'],
    [{ method: 'GET', ifModifiedSince: before }, strong, 'proceed'],
    [{ method: 'PUT', ifModifiedSince: after }, strong, 'proceed'],
    [{ method: 'GET', ifModifiedSince: after, ifNoneMatch: '"2"' }, strong, 'proceed'],
    [{ method: 'GET', ifModifiedSince: before, ifNoneMatch: '"1"' }, strong, 'not-modified'],
    [{ method: 'GET', ifModifiedSince: after }, bare, 'proceed'],
    [{ method: 'GET', ifModifiedSince: after }, none, 'proceed'],
    [{ method: 'GET', ifModifiedSince: 'tomorrow' }, strong, 'proceed'],
    // Precedence
    [{ method: 'GET', ifMatch: '"2"', ifNoneMatch: '"1"' }, strong, 'failed'],
    [{ method: 'GET', ifMatch: '"1"', ifNoneMatch: '"1"' }, strong, 'not-modified'],
    [{ method: 'GET', ifUnmodifiedSince: before, ifModifiedSince: after }, strong, 'failed'],
    [{ method: 'OPTIONS', ifMatch: '"2"', ifNoneMatch: '*' }, strong, 'proceed'],
  ])('%j on %j: %s', (request, current, expected) => expect(evaluate(request, current)).toBe(expected))
})

describe('ifRange(header, current)', () => {
  const current = { etag: '"1"', modified: new Date('2024-05-05T12:00:00.750Z') }

  it.each<[string | undefined, Validators, boolean]>([
    [undefined, current, true],
    ['"1"', current, true],
    ['"2"', current, false],
    ['W/"1"', current, false],
    ['"1"', { etag: 'W/"1"' }, false],
    ['"1", "2"', current, false],
    ['*', current, false],
    ['"1"', {}, false],
    ['Sun, 05 May 2024 12:00:00 GMT', current, true],
    ['Sun, 05 May 2024 12:00:01 GMT', current, false],
    ['Sun, 05 May 2024 11:59:59 GMT', current, false],
    ['Sunday, 05-May-24 12:00:00 GMT', current, true],
    ['Sun, 05 May 2024 12:00:00 GMT', {}, false],
    ['yesterday', current, false],
    ['', current, false],
  ])('%j on %j: %s', (header, validators, expected) => expect(ifRange(header, validators)).toBe(expected))
})

describe('parseHttpDate(text)', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['Thu Nov 16 08:49:37 1995', '1995-11-16T08:49:37.000Z'],
    ['Thu, 29 Feb 2024 00:00:00 GMT', '2024-02-29T00:00:00.000Z'],
    ['Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
    ['Sat, 01 Jan 0050 00:00:00 GMT', '0050-01-01T00:00:00.000Z'],
  ])('%s', (text, iso) => expect(parseHttpDate(text)?.toISOString()).toBe(iso))

  it.each([
    ['76', 1976],
    ['75', 2075],
    ['74', 2074],
    ['25', 2025],
    ['00', 2000],
    ['99', 1999],
  ])('in 2025 the year %s is %i', (year, expected) => {
    const now = new Date('2025-06-01T00:00:00Z')
    expect(parseHttpDate(`Monday, 01-Jan-${year} 00:00:00 GMT`, now)?.getUTCFullYear()).toBe(expected)
  })

  it.each([
    '',
    'now',
    '0',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Xyz, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Xyz 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Wed, 29 Feb 2023 00:00:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 99999 08:49:37 GMT',
    'Sunday, 30-Feb-94 08:49:37 GMT',
    'Sun Nov  0 08:49:37 1994',
    'Sun, 06 Nov 1994 08:49:37 GMT\n',
    `Sun, ${'0'.repeat(100_000)} Nov 1994 08:49:37 GMT`,
  ])('%.60j is malformed', (text) => expect(parseHttpDate(text)).toBeUndefined())

  it('undoes formatHttpDate, in all three formats', () => {
    const [min, max] = [new Date('0000-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59Z')]
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        const whole = Math.floor(date.getTime() / 1000) * 1000
        const imf = formatHttpDate(date)
        expect(parseHttpDate(imf)?.getTime()).toBe(whole)
        const [, weekday, day, month, year, time] = /^(\w+), (\d\d) (\w+) (\d+) (\S+) GMT$/.exec(imf)!
        expect(parseHttpDate(`${weekday} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`)?.getTime()).toBe(whole)
        const old = parseHttpDate(`Monday, ${day}-${month}-${year!.slice(-2)} ${time} GMT`, date)
        expect(old?.getTime()).toBe(whole)
      }),
    )
  })
})

describe('formatHttpDate(date)', () => {
  it.each([
    ['1994-11-06T08:49:37.999Z', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['1970-01-01T00:00:00Z', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['0050-01-01T00:00:00Z', 'Sat, 01 Jan 0050 00:00:00 GMT'],
  ])('%s', (iso, text) => expect(formatHttpDate(new Date(iso))).toBe(text))

  it.each(['invalid', '+010000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z'])('refuses %s', (text) => {
    expect(() => formatHttpDate(new Date(text))).toThrow(RangeError)
  })
})
