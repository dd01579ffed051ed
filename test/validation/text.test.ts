import { Transform, Type } from 'class-transformer'
import {
  Allow,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsDate,
  IsDateString,
  IsEnum,
  IsIn,
  IsInt,
  IsNumber,
  IsNumberString,
  IsOptional,
  IsString,
  Max,
  MinDate,
  ValidateNested,
} from 'class-validator'
import { brief, take, takeText, violationsOf } from './support'

enum Level {
  low = 1,
  high,
}
enum Color {
  red = 'red',
}

class Search {
  @IsOptional() @IsString() q?: string
  @IsOptional() @IsInt() page?: number
  @IsOptional() @IsNumber() ratio?: number
  @IsOptional() @Max(5) stars?: number
  @IsOptional() @IsBoolean() open?: boolean
  @IsOptional() @IsDate() since?: Date
  @IsOptional() @MinDate(() => new Date(0)) until?: Date
  @IsOptional() @IsDateString() day?: string
  @IsOptional() @IsDateString() moment?: Date
  @IsOptional() @IsNumberString() digits?: string
  @IsOptional() @IsEnum(Level) level?: Level
  @IsOptional() @IsEnum(Color) color?: Color
  @IsOptional() @IsInt({ each: true }) ids?: number[]
  @IsOptional() @IsString({ each: true }) tags?: string[]
  @IsOptional() @IsEnum(Level, { each: true }) levels?: Level[]
  @IsOptional() @IsIn([true, false], { each: true }) flags?: boolean[]
  @IsOptional() @Type(() => Number) @IsArray() sizes?: number[]
  @IsOptional() @Type(() => Date) @IsDate({ each: true }) days?: Date[]
  @IsOptional() @Transform(({ value }) => (value as string).split(',')) @ArrayMinSize(2) csv?: string[]
  @IsOptional() @Allow() any?: unknown
}

describe('pipe(new TextValue(map), param)', () => {
  test.each([
    [{ q: '5' }, { q: '5' }],
    [{ q: '' }, { q: '' }],
    [{ page: '-3' }, { page: -3 }],
    [{ ratio: '1.5e2' }, { ratio: 150 }],
    [{ stars: '4' }, { stars: 4 }],
    [{ open: 'false' }, { open: false }],
    [{ open: '0' }, { open: false }],
    [{ open: 'YES' }, { open: true }],
    [{ since: '2024-02-29' }, { since: new Date('2024-02-29') }],
    [{ until: '2024-02-29' }, { until: new Date('2024-02-29') }],
    [{ day: '2024-02-29' }, { day: '2024-02-29' }],
    [{ moment: '2024-02-29' }, { moment: '2024-02-29' }],
    [{ digits: '007' }, { digits: '007' }],
    [{ level: '2' }, { level: Level.high }],
    [{ color: 'red' }, { color: Color.red }],
    [{ ids: '1' }, { ids: [1] }],
    [{ ids: ['1', '2'] }, { ids: [1, 2] }],
    [{ tags: 'a' }, { tags: ['a'] }],
    [{ levels: ['1', '2'] }, { levels: [1, 2] }],
    [{ flags: ['yes', 'no'] }, { flags: [true, false] }],
    [{ sizes: '1' }, { sizes: [1] }],
    [{ days: '2024-02-29' }, { days: [new Date('2024-02-29')] }],
    [{ csv: 'a,b' }, { csv: ['a', 'b'] }],
    [{ any: ['a', 'b'] }, { any: ['a', 'b'] }],
  ])('B24, B28: %j is %j', async (text, value) => {
    expect(await takeText(Search, text)).toEqual(value)
    const withoutPrototype = Object.assign(Object.create(null), text) as object
    expect(await takeText(Search, withoutPrototype)).toEqual(value)
  })

  test.each(['', ' ', 'abc', 'Infinity', 'NaN', '0x10', '1e999', '1_000', '١'])(
    'B25: %j is no number',
    async (text) => {
      expect(await brief(takeText(Search, { ratio: text }))).toEqual([400, '/ratio type'])
      expect(await brief(takeText(Search, { page: text }))).toEqual([400, '/page type'])
      expect(await brief(takeText(Search, { ids: ['1', text] }))).toEqual([400, '/ids/1 type'])
    },
  )

  test.each([
    [{ page: '1.5' }, '/page type', 'page must be a whole number'],
    [{ open: 'banana' }, '/open type', 'open must be true or false'],
    [{ since: '2024-junk' }, '/since type', 'since must be a date (ISO 8601)'],
    [{ q: ['a', 'b'] }, '/q type', 'q must be given once'],
    [{ page: ['1', '2'] }, '/page type', 'page must be given once'],
    [{ q: { a: 'b' } }, '/q type', 'q must be a text'],
    [{ page: { a: '1' } }, '/page type', 'page must be a whole number'],
    [{ level: 'x' }, '/level type', 'level must be a number'],
    [{ ids: [['1']] }, '/ids/0 type', 'ids[0] must be given once'],
    [{ stars: '6' }, '/stars max', 'stars must not be greater than 5'],
    [{ csv: 'a' }, '/csv arrayMinSize', 'csv must contain at least 2 elements'],
    [{ nobody: '1' }, '/nobody unknown', 'nobody should not exist'],
  ])('B24, B27: %j is refused', async (text, violation, detail) => {
    expect(await brief(takeText(Search, text))).toEqual([400, violation])
    expect(await brief(takeText(Search, text, { source: 'body' }))).toEqual([422, violation])
    expect((await violationsOf(takeText(Search, text)))[0]).toMatchObject({ in: 'query', detail })
  })

  test('B29: what is missing is said, as of single parameters', async () => {
    class Needy {
      @IsInt() page!: number
      @IsString() @IsIn(['a']) q!: string
    }
    expect(await violationsOf(takeText(Needy, {}))).toEqual([
      { in: 'query', pointer: '/page', code: 'required', detail: 'page is required' },
      { in: 'query', pointer: '/q', code: 'required', detail: 'q is required' },
    ])
  })
})

describe('text that nests: forms and XML', () => {
  class Line {
    @IsString() name!: string
    @IsInt() count!: number
    @IsOptional() @IsInt({ each: true }) marks?: number[]
  }
  class Bill {
    @ValidateNested() @Type(() => Line) first!: Line
    @IsArray() @ValidateNested({ each: true }) @Type(() => Line) lines!: Line[]
  }
  const line = { name: '1', count: '2', marks: '3' }
  const body = { source: 'body' } as const

  test('is read by the nested classes', async () => {
    const read = { name: '1', count: 2, marks: [3] }
    expect(await takeText(Bill, { first: line, lines: [line, line] }, body)).toEqual({
      first: read,
      lines: [read, read],
    })
    expect(await takeText(Bill, { first: line, lines: line }, body)).toEqual({ first: read, lines: [read] })
    expect(await takeText(Line, line, { ...body, list: true })).toEqual([read])
  })

  test('and refused below them', async () => {
    expect(await brief(takeText(Bill, { first: '', lines: [{ ...line, count: 'x' }, 'y'] }, body))).toEqual([
      422,
      '/first type',
      '/lines/0/count type',
      '/lines/1 type',
    ])
  })

  test('the same value is not text where it came as JSON', async () => {
    expect(await brief(take(Line, line))).toEqual([422, '/marks type', '/count isInt'])
  })
})
