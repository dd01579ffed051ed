import fc from 'fast-check'
import { parseBoolean, parseDate, parseInteger, parseNumber, parseScalar } from '../../src/http/scalar'

describe('B24 parseBoolean(text)', () => {
  it.each(['true', '1', 'yes', 'on', 't', 'y', 'TRUE', 'Yes', 'oN', 'T'])('%s is true', (text) => {
    expect(parseBoolean(text)).toBe(true)
  })
  it.each(['false', '0', 'no', 'off', 'f', 'n', 'FALSE', 'No', 'oFF', 'N'])('%s is false', (text) => {
    expect(parseBoolean(text)).toBe(false)
  })
  it.each(['', ' ', 'banana', '2', 'true ', ' true', 'null', '01', 'constructor', '__proto__', 'ﬀ', 'x'.repeat(1e5)])(
    'case %# is neither',
    (text) => {
      expect(parseBoolean(text)).toBeUndefined()
    },
  )
})

describe('B25 parseNumber(text)', () => {
  it.each<[string, number]>([
    ['0', 0],
    ['-1', -1],
    ['10.50', 10.5],
    ['1e3', 1000],
    ['1E+3', 1000],
    ['-2.5e-1', -0.25],
    ['1e-999', 0],
  ])('%s', (text, value) => {
    expect(parseNumber(text)).toBe(value)
  })
  it.each([
    '',
    ' ',
    '%20',
    'abc',
    'Infinity',
    '-Infinity',
    'NaN',
    '0x10',
    '0b1',
    '1e999',
    '+1',
    '01',
    '1.',
    '.5',
    '1_000',
    '1,5',
    ' 1',
    '1 ',
    '1\n',
    '--1',
    '1e',
    '٣',
    'null',
  ])('%j is no number', (text) => {
    expect(parseNumber(text)).toBeUndefined()
  })
  it('reads what JSON writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parseNumber(JSON.stringify(value))).toBe(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})

describe('parseInteger(text)', () => {
  it.each<[string, number]>([
    ['0', 0],
    ['-0', 0],
    ['42', 42],
    ['1.0', 1],
    ['1e3', 1000],
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
  ])('%s', (text, value) => {
    expect(parseInteger(text)).toBe(value)
  })
  it.each(['', '1.5', '9007199254740992', '-9007199254740992', '1e16', '1e999', 'abc', '0x1'])('%j is none', (text) => {
    expect(parseInteger(text)).toBeUndefined()
  })
})

describe('parseDate(text)', () => {
  it.each<[string, string]>([
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29', '2000-02-29T00:00:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['2024-12-31T23:59Z', '2024-12-31T23:59:00.000Z'],
    ['2024-12-31T23:59:58.123456789Z', '2024-12-31T23:59:58.123Z'],
    ['2024-12-31T23:30:00-01:00', '2025-01-01T00:30:00.000Z'],
    ['2024-01-01T00:30:00+05:45', '2023-12-31T18:45:00.000Z'],
  ])('%s', (text, iso) => {
    expect(parseDate(text)?.toISOString()).toBe(iso)
  })
  it.each([
    '',
    '2024',
    '2024-02',
    '2023-02-29',
    '1900-02-29',
    '2024-02-30',
    '2024-04-31',
    '2024-00-01',
    '2024-13-01',
    '2024-01-00',
    '2024-01-32',
    '24-01-01',
    '2024-1-1',
    '2024-01-01 ',
    '2024-01-01T',
    '2024-01-01T10:00',
    '2024-01-01T24:00Z',
    '2024-01-01T10:60Z',
    '2024-01-01T10:00:60Z',
    '2024-01-01T10:00+24:00',
    '2024-01-01T10:00+01:60',
    '2024-01-01T10Z',
    '2024-01-01 10:00Z',
    '01/02/2024',
    'today',
    '1704067200000',
    '+002024-01-01',
    '٢٠٢٤-01-01',
  ])('%j is none', (text) => {
    expect(parseDate(text)).toBeUndefined()
  })
  it('reads what toISOString writes', () => {
    const date = fc.date({
      min: new Date('0000-01-01'),
      max: new Date('9999-12-31T23:59:59.999Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(date, (value) => {
        expect(parseDate(value.toISOString())).toEqual(value)
      }),
    )
  })
})

describe('parseScalar(text, kind)', () => {
  it.each([
    ['7', 'string', '7'],
    ['7.5', 'number', 7.5],
    ['7', 'integer', 7],
    ['7.5', 'integer', undefined],
    ['no', 'boolean', false],
    ['2024-01-01', 'date', new Date(1704067200000)],
    ['7', 'date', undefined],
  ] as const)('%j as %s is %j', (text, kind, value) => {
    expect(parseScalar(text, kind)).toEqual(value)
  })
})
