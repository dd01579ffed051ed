import { connect } from 'node:net'
import { IsArray, IsBoolean, IsIn, IsInt, IsNumber, IsOptional, IsString, Max, Min } from 'class-validator'
import {
  Body,
  Cookie,
  createApp,
  createRouter,
  Delete,
  Get,
  Header,
  Integer,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Resource,
  type AppOptions,
} from 'kumu'
import Koa from 'koa'
import { brief, violationsOf } from '../support/refusal'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

const json = { 'Content-Type': 'application/json' }
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

async function start(resource: object, options: AppOptions = {}): Promise<Served> {
  const app = createApp({ resources: [resource], ...options })
  app.silent = true
  return serve(app)
}

/** Keeps what handlers are given. */
class Recorder {
  readonly calls: unknown[] = []
  protected keep(value: unknown) {
    this.calls.push(value)
    return { kept: true }
  }
}

const enc = encodeURIComponent

// --- Scalars out of text -------------------------------------------------------------------------------------------------

class Flags {
  @IsBoolean() x!: boolean
}
class Numbers {
  @IsNumber() n!: number
}
class Integers {
  @IsInt() n!: number
}

@Resource('/flags')
class FlagResource extends Recorder {
  @Get('/query') query(@Query('x', Boolean) x: boolean) {
    return this.keep(x)
  }
  @Get('/declared') declared(@Query('x') x: boolean) {
    return this.keep(x)
  }
  @Get('/class') ofClass(@Query() flags: Flags) {
    return this.keep(flags.x)
  }
  @Get('/map') map(@Query({ x: Boolean }) { x }: { x: boolean }) {
    return this.keep(x)
  }
  @Get('/path/:x') path(@Param('x') x: boolean) {
    return this.keep(x)
  }
  @Get('/header') header(@Header('x') x: boolean) {
    return this.keep(x)
  }
  @Get('/cookie') cookie(@Cookie('x') x: boolean) {
    return this.keep(x)
  }
  @Post('/form') form(@Body() flags: Flags) {
    return this.keep(flags.x)
  }
  @Post('/named') named(@Body('x', Boolean) x: boolean) {
    return this.keep(x)
  }
}

@Resource('/numbers')
class NumberResource extends Recorder {
  @Get('/query') query(@Query('n', Number) n: number) {
    return this.keep(n)
  }
  @Get('/declared') declared(@Query('n') n: number) {
    return this.keep(n)
  }
  @Get('/class') ofClass(@Query() { n }: Numbers) {
    return this.keep(n)
  }
  @Get('/map') map(@Query({ n: Number }) { n }: { n: number }) {
    return this.keep(n)
  }
  @Get('/path/:n') path(@Param('n') n: number) {
    return this.keep(n)
  }
  @Get('/header') header(@Header('n') n: number) {
    return this.keep(n)
  }
  @Get('/cookie') cookie(@Cookie('n') n: number) {
    return this.keep(n)
  }
  @Post('/form') form(@Body() { n }: Numbers) {
    return this.keep(n)
  }
  @Post('/named') named(@Body('n', Number) n: number) {
    return this.keep(n)
  }
}

@Resource('/integers')
class IntegerResource extends Recorder {
  @Get('/query') query(@Query('n', Integer) n: number) {
    return this.keep(n)
  }
  @Get('/class') ofClass(@Query() { n }: Integers) {
    return this.keep(n)
  }
  @Get('/path/:n') path(@Param('n', Integer) n: number) {
    return this.keep(n)
  }
  @Post('/form') form(@Body() { n }: Integers) {
    return this.keep(n)
  }
  @Post('/named') named(@Body('n', Integer) n: number) {
    return this.keep(n)
  }
}

type Send = (served: Served, base: string, name: string, text: string) => ReturnType<Served['ask']>

/** How a text gets to a value of each source. */
const ways: Readonly<Record<string, Send>> = {
  query: ({ ask }, base, name, text) => ask('GET', `${base}/query?${name}=${enc(text)}`),
  declared: ({ ask }, base, name, text) => ask('GET', `${base}/declared?${name}=${enc(text)}`),
  class: ({ ask }, base, name, text) => ask('GET', `${base}/class?${name}=${enc(text)}`),
  map: ({ ask }, base, name, text) => ask('GET', `${base}/map?${name}=${enc(text)}`),
  path: ({ ask }, base, _, text) => ask('GET', `${base}/path/${enc(text)}`),
  header: ({ ask }, base, name, text) => ask('GET', `${base}/header`, { headers: { [name]: text } }),
  cookie: ({ ask }, base, name, text) => ask('GET', `${base}/cookie`, { headers: { Cookie: `${name}=${enc(text)}` } }),
  form: ({ ask }, base, name, text) => ask('POST', `${base}/form`, { headers: form, body: `${name}=${enc(text)}` }),
  named: ({ ask }, base, name, text) => ask('POST', `${base}/named`, { headers: form, body: `${name}=${enc(text)}` }),
}
const inBody = new Set(['form', 'named'])

/** Sends every text by every way, and compares what the handler was given, or the refusal. */
async function compare(
  resource: Recorder,
  base: string,
  name: string,
  given: readonly string[],
  texts: ReadonlyMap<string, unknown>,
): Promise<void> {
  const served = await start(resource)
  for (const way of given) {
    for (const [text, expected] of texts) {
      // An empty segment is another path, a header has no white space around it and is Latin-1.
      if (text === '' && way === 'path') continue
      if (way === 'header' && (text.trim() !== text || /[^\x20-\x7e]/.test(text))) continue
      resource.calls.length = 0
      const answer = await (ways[way] as Send)(served, base, name, text)
      const outcome = answer.status === 200 ? resource.calls : brief(answer)
      const refused = [inBody.has(way) ? 422 : 400, `/${name} type`]
      expect({ way, text, outcome }).toEqual({ way, text, outcome: expected === undefined ? refused : [expected] })
    }
  }
}

describe('B24: booleans', () => {
  const yes = ['true', '1', 'yes', 'on', 't', 'y', 'TRUE', 'True', 'tRuE', 'YES', 'On', 'T', 'Y']
  const no = ['false', '0', 'no', 'off', 'f', 'n', 'FALSE', 'False', 'NO', 'oFF', 'F', 'N']
  const neither = [
    ...['', ' ', 'banana', '2', '-1', '00', '01', '1.0', '0.0', 'tru', 'truee', 'yess', 'null', 'undefined', 'NaN'],
    ...[
      'true ',
      ' true',
      'true\n',
      '\u0000',
      'true\u0000',
      'ｔｒｕｅ',
      'ТRUE',
      'ja',
      '[]',
      '{}',
      '[true]',
      'true,true',
    ],
    ...['constructor', '__proto__', 'x'.repeat(5_000)],
  ]
  const texts = new Map<string, unknown>([
    ...yes.map((text) => [text, true] as const),
    ...no.map((text) => [text, false] as const),
    ...neither.map((text) => [text, undefined] as const),
  ])

  it.each(Object.keys(ways))('by %s: the twelve words in any case, all else is refused', async (way) => {
    await compare(new FlagResource(), '/flags', 'x', [way], texts)
  })

  it('?x without a value is no boolean, and an absent one is required', async () => {
    const { ask } = await start(new FlagResource())
    for (const path of ['/flags/query', '/flags/declared', '/flags/class', '/flags/map']) {
      expect(brief(await ask('GET', `${path}?x`))).toEqual([400, '/x type'])
      expect(brief(await ask('GET', path))).toEqual([400, '/x required'])
    }
  })
})

describe('B25: numbers', () => {
  const good = new Map<string, unknown>([
    ['0', 0],
    ['-0', -0],
    ['7', 7],
    ['-1', -1],
    ['1.50', 1.5],
    ['-0.25', -0.25],
    ['1e3', 1000],
    ['1E+3', 1000],
    ['25e-2', 0.25],
    ['9007199254740993', 9007199254740992],
    ['1e308', 1e308],
    ['1e-999', 0],
  ])
  const bad = [
    ...['', ' ', '\t', '\n', 'abc', 'Infinity', '-Infinity', 'infinity', 'NaN', '0x10', '0X10', '0b1', '0o7', '1e999'],
    ...[
      '-1e999',
      '+1',
      '.5',
      '5.',
      '01',
      '-01',
      '00',
      '--1',
      '1-',
      '1e',
      'e1',
      '1e+',
      '1e1.5',
      '1_000',
      '1,000',
      '1 000',
    ],
    ...[' 1', '1 ', '1\n', '1\u0000', '١', '１', '½', '1n', '$1', 'null', 'undefined', 'true', '[]', '[1]', '{}'],
    ...['constructor', '__proto__', '1'.repeat(400), '- 1', '1e 3', '\ufeff1', '\u00a01'],
  ]
  const texts = new Map<string, unknown>([...good, ...bad.map((text) => [text, undefined] as const)])

  it.each(Object.keys(ways))('by %s: decimal and finite, all else is refused', async (way) => {
    await compare(new NumberResource(), '/numbers', 'n', [way], texts)
  })

  it('spelled in the URL: an empty value and an escaped space', async () => {
    const resource = new NumberResource()
    const { ask } = await start(resource)
    for (const path of ['query', 'declared', 'class', 'map']) {
      for (const query of ['n=', 'n', 'n=%20', 'n=+', 'n=+1', 'n=1+', 'n=%2B1', 'n=%00', 'n=1%00', 'n=%31%20']) {
        expect(brief(await ask('GET', `/numbers/${path}?${query}`))).toEqual([400, '/n type'])
      }
    }
    expect(resource.calls).toEqual([])
  })

  it('whole numbers are safe ones', async () => {
    const whole = new Map<string, unknown>([
      ['0', 0],
      ['-0', 0],
      ['42', 42],
      ['-42', -42],
      ['4.0', 4],
      ['1e3', 1000],
      ['9007199254740991', 9007199254740991],
      ['-9007199254740991', -9007199254740991],
      ...['9007199254740992', '9007199254740993', '1.5', '1e-1', '1e16', '1e999', '', ' ', 'x', '0x1', '01', '1n'].map(
        (text) => [text, undefined] as const,
      ),
    ])
    await compare(new IntegerResource(), '/integers', 'n', ['query', 'class', 'path', 'form', 'named'], whole)
  })
})

// --- JSON ------------------------------------------------------------------------------------------------------------------

describe('B26: JSON is not coerced', () => {
  class Typed {
    @IsOptional() @IsString() text?: string
    @IsOptional() @IsNumber() number?: number
    @IsOptional() @IsInt() integer?: number
    @IsOptional() @IsBoolean() flag?: boolean
    @IsOptional() @IsString({ each: true }) texts?: string[]
    @IsOptional() @IsInt({ each: true }) integers?: number[]
  }
  @Resource('/things')
  class Things extends Recorder {
    @Post('/class') ofClass(@Body() body: Typed) {
      return this.keep(body)
    }
    @Post('/named') named(
      @Body('text', { type: String, required: false }) text: string | undefined,
      @Body('number', { type: Number, required: false }) number: number | undefined,
      @Body('integer', { type: Integer, required: false }) integer: number | undefined,
      @Body('flag', { type: Boolean, required: false }) flag: boolean | undefined,
      @Body('texts', { type: [String], required: false }) texts: string[] | undefined,
      @Body('integers', { type: [Integer], required: false }) integers: number[] | undefined,
    ) {
      return this.keep({ text, number, integer, flag, texts, integers })
    }
  }

  const wrong: Readonly<Record<string, readonly string[]>> = {
    text: ['1', '1.5', 'true', 'false', '{}', '{"toString":"x"}', '[]', '["x"]', 'null'],
    number: ['"1"', '""', '" "', 'true', 'false', '{}', '[]', '[1]', 'null', '"NaN"', '1e999', '-1e999'],
    integer: ['"1"', '""', '1.5', 'true', 'false', '{}', '[]', '[1]', 'null', '1e999', '{"valueOf":1}'],
    flag: ['"true"', '"false"', '""', '0', '1', '{}', '[]', '[true]', 'null', '"yes"'],
    texts: ['"x"', '{}', '{"0":"x","length":1}', '[1]', '["x",null]', '[["x"]]', '[{}]', 'null', '1'],
    integers: ['1', '"1"', '["1"]', '[null]', '[1.5]', '[[1]]', '[true]', 'null', '{}'],
  }
  const rows = Object.entries(wrong).flatMap(([name, values]) => values.map((value) => [name, value] as const))

  it.each(rows)('{"%s": %s}: 422', async (name, value) => {
    const resource = new Things()
    const { ask } = await start(resource)
    for (const path of ['/things/class', '/things/named']) {
      const answer = await ask('POST', path, { headers: json, body: `{"${name}":${value}}` })
      expect(answer.status).toBe(422)
      expect(violationsOf(answer).every(({ pointer }) => pointer.startsWith(`/${name}`))).toBe(true)
      expect(answer.text).not.toContain('[object Object]')
    }
    expect(resource.calls).toEqual([])
  })

  it('what fits arrives as it is', async () => {
    const resource = new Things()
    const { ask } = await start(resource)
    const body = { text: '', number: -1.5, integer: 9007199254740991, flag: false, texts: ['', '1'], integers: [] }
    for (const path of ['/things/class', '/things/named']) {
      expect((await ask('POST', path, { body })).status).toBe(200)
    }
    expect(resource.calls).toEqual([body, body])
  })

  it('a whole body of a scalar type is not coerced either', async () => {
    @Resource('/scalars')
    class Scalars extends Recorder {
      @Post('/number') number(@Body(Number) body: number) {
        return this.keep(body)
      }
      @Post('/numbers') numbers(@Body([Number]) body: number[]) {
        return this.keep(body)
      }
    }
    const resource = new Scalars()
    const { ask } = await start(resource)
    const send = async (path: string, body: string) => brief(await ask('POST', path, { headers: json, body }))
    for (const body of ['"1"', 'null', 'true', '[1]', '{}', '1e999']) {
      expect(await send('/scalars/number', body)).toEqual([422, ' type'])
    }
    expect(await send('/scalars/number', '1.5')).toEqual([200])
    expect(await send('/scalars/numbers', '[1,"2"]')).toEqual([422, '/1 type'])
    expect(await send('/scalars/numbers', '1')).toEqual([422, ' type'])
    expect(await send('/scalars/numbers', '[1,2]')).toEqual([200])
    expect(resource.calls).toEqual([1.5, [1, 2]])
  })
})

// --- Once and several times ----------------------------------------------------------------------------------------------

describe('B27: a scalar given several times', () => {
  class Filter {
    @IsOptional() @IsInt() n?: number
    @IsOptional() @IsString() s?: string
    @IsOptional() @IsBoolean() b?: boolean
  }
  @Resource('/things')
  class Things extends Recorder {
    @Get('/named') named(
      @Query('n', { type: Integer, required: false }) n: number | undefined,
      @Query('s', { type: String, required: false }) s: string | undefined,
      @Query('b', { type: Boolean, required: false }) b: boolean | undefined,
    ) {
      return this.keep({ n, s, b })
    }
    @Get('/class') ofClass(@Query() filter: Filter) {
      return this.keep(filter)
    }
    @Get('/map') map(
      @Query({
        n: { type: Integer, required: false },
        s: { required: false },
        b: { type: Boolean, required: false },
      })
      all: object,
    ) {
      return this.keep(all)
    }
    @Post('/form') form(@Body() filter: Filter) {
      return this.keep(filter)
    }
    @Post('/members') members(@Body('n', { type: Integer, required: false }) n: number | undefined) {
      return this.keep(n)
    }
  }

  it.each([
    'n=1&n=2',
    'n=1&n=1',
    's=a&s=b',
    's=&s=',
    'b=true&b=false',
    'n=1&n=2&n=3',
    's=a&n=1&s=a',
    '%6E=1&n=2',
    'n[]=1',
  ])('?%s: 400, no list gets through', async (query) => {
    const resource = new Things()
    const { ask } = await start(resource)
    for (const path of ['/things/named', '/things/class', '/things/map']) {
      const answer = await ask('GET', `${path}?${query}`)
      expect(answer.status).toBe(400)
      expect(violationsOf(answer)).toHaveLength(1)
    }
    expect((await ask('POST', '/things/form', { headers: form, body: query })).status).toBe(422)
    expect(resource.calls).toEqual([])
  })

  it('says so', async () => {
    const { ask } = await start(new Things())
    const violation = { in: 'query', pointer: '/n', code: 'type', detail: 'n must be given once' }
    expect(violationsOf(await ask('GET', '/things/named?n=1&n=2'))).toEqual([violation])
    expect(violationsOf(await ask('GET', '/things/class?n=1&n=2'))).toEqual([violation])
    const answer = await ask('POST', '/things/members', { headers: form, body: 'n=1&n=2' })
    expect(violationsOf(answer)).toEqual([{ ...violation, in: 'body' }])
  })

  it('as brackets, it is neither an object nor a list', async () => {
    const resource = new Things()
    const { ask } = await start(resource)
    for (const query of [
      'n[a]=1',
      's[]=a',
      's[0]=a',
      's[$ne]=a',
      's[__proto__]=a',
      'n[]=1&n[]=2',
      's=a&s[]=b',
      's=a&s[x]=b',
    ]) {
      for (const path of ['/things/named', '/things/class', '/things/map']) {
        expect([query, (await ask('GET', `${path}?${query}`)).status]).toEqual([query, 400])
      }
    }
    expect(resource.calls).toEqual([])
  })
})

describe('B28: a list', () => {
  class Filter {
    @IsOptional() @IsArray() @IsInt({ each: true }) n?: number[]
    @IsOptional() @IsArray() @IsString({ each: true }) s?: string[]
  }
  @Resource('/things')
  class Things extends Recorder {
    @Get('/named') named(
      @Query('n', { type: [Integer], required: false }) n: number[] | undefined,
      @Query('s', { list: true, required: false }) s: string[] | undefined,
    ) {
      return this.keep({ ...(n && { n }), ...(s && { s }) })
    }
    @Get('/declared') declared(
      @Query('n', { type: Integer, list: true, required: false }) n: number[] | undefined,
      @Query('s', { required: false }) s?: string[],
    ) {
      return this.keep({ ...(n && { n }), ...(s && { s }) })
    }
    @Get('/class') ofClass(@Query() filter: Filter) {
      return this.keep({ ...filter })
    }
    @Post('/form') form(@Body() filter: Filter) {
      return this.keep({ ...filter })
    }
  }
  const paths = ['/things/named', '/things/declared', '/things/class']

  it.each<[string, object]>([
    ['n=1', { n: [1] }],
    ['n=1&n=2', { n: [1, 2] }],
    ['n=2&s=x&n=1', { n: [2, 1], s: ['x'] }],
    ['s=', { s: [''] }],
    ['s=a,b', { s: ['a,b'] }],
    ['s=a&s=a', { s: ['a', 'a'] }],
    ['s=%5B%5D', { s: ['[]'] }],
    ['', {}],
  ])('?%s', async (query, expected) => {
    const resource = new Things()
    const { ask } = await start(resource)
    for (const path of paths) expect([path, (await ask('GET', `${path}?${query}`)).status]).toEqual([path, 200])
    expect(resource.calls).toEqual([expected, expected, expected])
  })

  it('names in brackets are the same list', async () => {
    const resource = new Things()
    const { ask } = await start(resource)
    expect(brief(await ask('GET', '/things/class?n[]=1'))).toEqual([200])
    expect(brief(await ask('GET', '/things/class?n[]=1&n[]=2'))).toEqual([200])
    expect(brief(await ask('POST', '/things/form', { headers: form, body: 'n[]=1&s=x' }))).toEqual([200])
    expect(resource.calls).toEqual([{ n: [1] }, { n: [1, 2] }, { n: [1], s: ['x'] }])
  })

  it.each<[string, readonly string[], readonly string[]]>([
    ['n=x', ['/n/0 type'], ['/n/0 type']],
    ['n=1&n=x', ['/n/1 type'], ['/n/1 type']],
    ['n=1&n=2.5&n=3', ['/n/1 type'], ['/n/1 type']],
    ['n=', ['/n/0 type'], ['/n/0 type']],
    ['n=1&n=', ['/n/1 type'], ['/n/1 type']],
    ['n=1,2', ['/n/0 type'], ['/n/0 type']],
  ])('?%s: 400, each element is checked', async (query, named, ofClass) => {
    const resource = new Things()
    const { ask } = await start(resource)
    expect(brief(await ask('GET', `/things/named?${query}`))).toEqual([400, ...named])
    expect(brief(await ask('GET', `/things/declared?${query}`))).toEqual([400, ...named])
    expect(brief(await ask('GET', `/things/class?${query}`))).toEqual([400, ...ofClass])
    expect(resource.calls).toEqual([])
  })

  it('of a header is split at its commas', async () => {
    @Resource('/headers')
    class Headers extends Recorder {
      @Get() all(@Header('X-Tags', { list: true, required: false }) tags: string[] | undefined) {
        return this.keep(tags)
      }
      @Get('/numbers') numbers(@Header('X-Numbers', [Integer]) numbers: number[]) {
        return this.keep(numbers)
      }
    }
    const resource = new Headers()
    const { ask } = await start(resource)
    await ask('GET', '/headers', { headers: { 'x-tags': 'a' } })
    await ask('GET', '/headers', { headers: { 'X-Tags': ' a,, b ,c' } })
    await ask('GET', '/headers', { headers: { 'X-Tags': ['a', 'b,c'] } })
    await ask('GET', '/headers')
    await ask('GET', '/headers/numbers', { headers: { 'x-numbers': '1, 2' } })
    expect(resource.calls).toEqual([['a'], ['a', 'b', 'c'], ['a', 'b', 'c'], undefined, [1, 2]])
    expect(brief(await ask('GET', '/headers/numbers', { headers: { 'x-numbers': '1, x' } }))).toEqual([
      400,
      '/X-Numbers/1 type',
    ])
    expect(brief(await ask('GET', '/headers/numbers'))).toEqual([400, '/X-Numbers required'])
  })
})

// --- A class and single values -------------------------------------------------------------------------------------------

describe('B29: a query class and single parameters', () => {
  class Filter {
    @IsInt() @Min(1) @Max(10) n!: number
    @IsOptional() @IsBoolean() b?: boolean
    @IsOptional() @IsIn(['a', 'b']) s?: string
    @IsOptional() @IsArray() @IsInt({ each: true }) list?: number[]
  }
  @Resource('/things')
  class Things extends Recorder {
    @Get('/named') named(
      @Query('n', { type: Integer, min: 1, max: 10 }) n: number,
      @Query('b', { type: Boolean, required: false }) b: boolean | undefined,
      @Query('s', { choices: ['a', 'b'], required: false }) s: string | undefined,
      @Query('list', { type: [Integer], required: false }) list: number[] | undefined,
    ) {
      return this.keep(JSON.parse(JSON.stringify({ n, b, s, list })))
    }
    @Get('/class') ofClass(@Query() filter: Filter) {
      return this.keep({ ...filter })
    }
  }
  const words: Readonly<Record<string, string>> = { isIn: 'choices' }

  it.each([
    '',
    'n=',
    'n=5',
    'n=5&b=off&s=b&list=1&list=2',
    'n=0',
    'n=11',
    'n=5.5',
    'n=x',
    'n=1e1',
    'n=0x5',
    'n=5&b=maybe',
    'n=5&b=',
    'n=5&s=c',
    'n=5&s=A',
    'n=5&list=x',
    'n=5&list=1&list=',
    'n=5&n=6',
    'n=5&s=a&s=b',
    'b=true',
    'n=5&other=1',
    'n=5&N=5',
    'n=5&n.x=5',
    'n=5&__proto__=5',
  ])('?%s: the same answer', async (query) => {
    const resource = new Things()
    const { ask } = await start(resource)
    const named = await ask('GET', `/things/named?${query}`)
    const ofClass = await ask('GET', `/things/class?${query}`)
    expect(ofClass.status).toBe(named.status)
    expect(named.status).toBe(/^n=(?:5|5&b=off.*|1e1)$/.test(query) ? 200 : 400)
    if (named.status === 200) expect(resource.calls[1]).toEqual(resource.calls[0])
    else {
      const facts = (answer: typeof named) =>
        violationsOf(answer).map(({ in: source, pointer, code }) => `${source} ${pointer} ${words[code] ?? code}`)
      expect(facts(ofClass)).toEqual(facts(named))
      expect(facts(named)).toHaveLength(1)
      expect(resource.calls).toEqual([])
    }
  })

  it('beside each other: the class takes what no name takes', async () => {
    @Resource('/both')
    class Both extends Recorder {
      @Get() both(@Query('page', Integer) page: number, @Query() filter: Filter) {
        return this.keep([page, { ...filter }])
      }
    }
    const resource = new Both()
    const { ask } = await start(resource)
    expect(brief(await ask('GET', '/both?page=2&n=5'))).toEqual([200])
    expect(brief(await ask('GET', '/both?n=5'))).toEqual([400, '/page required'])
    expect(brief(await ask('GET', '/both?page=2'))).toEqual([400, '/n required'])
    expect(brief(await ask('GET', '/both?page=2&n=5&x=1'))).toEqual([400, '/x unknown'])
    expect(resource.calls).toEqual([[2, { n: 5 }]])
  })
})

// --- The path ----------------------------------------------------------------------------------------------------------------

describe('B30: the path', () => {
  @Resource('/files')
  class Files extends Recorder {
    @Get('/:name') one(@Param('name') name: string) {
      return this.keep(name)
    }
    @Get('/:name/parts/:part') part(@Param('name') name: string, @Param('part') part: string) {
      return this.keep([name, part])
    }
    @Get('/tree/*path') tree(@Param('path') path: string) {
      return this.keep(path)
    }
  }

  it.each<[string, unknown]>([
    ['/files/a+b', 'a+b'],
    ['/files/+', '+'],
    ['/files/a%2Bb', 'a+b'],
    ['/files/a%20b', 'a b'],
    ['/files/J%C3%BCrgen', 'Jürgen'],
    ['/files/%F0%9F%8D%8E', '🍎'],
    ['/files/%25', '%'],
    ['/files/%252F', '%2F'],
    ['/files/a%3Fb%23c', 'a?b#c'],
    ['/files/a;b=c', 'a;b=c'],
    ['/files/a=b&c', 'a=b&c'],
    ['/files/__proto__', '__proto__'],
    ['/files/constructor', 'constructor'],
    ['/files/%5F%5Fproto%5F%5F', '__proto__'],
    ['/files/a?name=b+c', undefined],
    ['/files/a%2Fb/parts/c+d', ['a/b', 'c+d']],
    ['/files/tree/a/b+c/d%20e', 'a/b+c/d e'],
  ])('GET %s', async (path, expected) => {
    const resource = new Files()
    const { ask } = await start(resource)
    const { status } = await ask('GET', path)
    if (expected === undefined) {
      // A query parameter of that name is none of the path's.
      expect(status).toBe(200)
      expect(resource.calls).toEqual(['a'])
    } else {
      expect(status).toBe(200)
      expect(resource.calls).toEqual([expected])
    }
  })

  it('an encoded slash belongs to its segment: it is decoded in the value and divides nothing', async () => {
    const resource = new Files()
    const { ask } = await start(resource)
    expect((await ask('GET', '/files/a%2Fb')).status).toBe(200)
    expect((await ask('GET', '/files/a%2fb')).status).toBe(200)
    expect((await ask('GET', '/files/a%2Fparts%2Fb')).status).toBe(200)
    expect((await ask('GET', '/files/a/b')).status).toBe(404)
    expect(resource.calls).toEqual(['a/b', 'a/b', 'a/parts/b'])
  })

  it.each([
    '/files/%',
    '/files/%2',
    '/files/%zz',
    '/files/a%',
    '/files/%E0%A4%A',
    '/files/%ff',
    '/files/%C0%AF',
    '/files/%ED%A0%80',
    '/files/%F5%80%80%80',
    '/files/%u0041',
    '/files/a/parts/%',
    '/files/tree/a/%',
  ])('GET %s: a malformed escape is 400', async (path) => {
    const resource = new Files()
    const { ask } = await start(resource)
    const answer = await ask('GET', path)
    expect(answer.status).toBe(400)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(resource.calls).toEqual([])
  })

  it('the same in a router in an application that stands', async () => {
    const resource = new Files()
    const app = new Koa()
    app.silent = true
    app.use(createRouter({ resources: [resource], prefix: '/api' }).routes())
    const { ask } = await serve(app)
    expect((await ask('GET', '/api/files/%')).status).toBe(400)
    expect((await ask('GET', '/api/files/a+b%2Fc')).status).toBe(200)
    expect(resource.calls).toEqual(['a+b/c'])
  })
})

// --- The body --------------------------------------------------------------------------------------------------------------------

describe('B31: a body that is missing', () => {
  class Thing {
    @IsOptional() @IsString() name?: string
  }
  @Resource('/things')
  class Things extends Recorder {
    @Post('/class') ofClass(@Body() body: Thing) {
      return this.keep(body)
    }
    @Post('/list') list(@Body([Thing]) body: Thing[]) {
      return this.keep(body)
    }
    @Post('/any') any(@Body(Object) body: unknown) {
      return this.keep(body)
    }
    @Post('/text') text(@Body(String) body: string) {
      return this.keep(body)
    }
    @Post('/named') named(@Body('name', String) name: string) {
      return this.keep(name)
    }
    @Post('/map') map(@Body({ name: String, other: { type: String, required: false } }) body: object) {
      return this.keep(body)
    }
    @Put('/class') put(@Body() body: Thing) {
      return this.keep(body)
    }
    @Patch('/class') patch(@Body() body: Thing) {
      return this.keep(body)
    }
    @Delete('/class') remove(@Body() body: Thing) {
      return this.keep(body)
    }
    @Post('/optional') optional(@Body(Thing, { required: false }) body?: Thing) {
      return this.keep(body)
    }
    @Post('/members') members(@Body('name', { type: String, required: false }) name?: string) {
      return this.keep(name)
    }
  }
  const required = ['/class', '/list', '/any', '/text', '/named', '/map']

  it.each(required)('POST %s without one: 400', async (path) => {
    const resource = new Things()
    const { ask } = await start(resource)
    const type = path === '/text' ? 'text/plain' : 'application/json'
    const given: Readonly<Record<string, string>>[] = [
      {},
      { 'Content-Length': '0' },
      { 'Content-Type': type },
      { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': '0' },
    ]
    for (const headers of given) {
      expect(brief(await ask('POST', `/things${path}`, { headers }))).toEqual([400, ' required'])
    }
    expect(resource.calls).toEqual([])
  })

  it.each(['PUT', 'PATCH', 'DELETE'])('%s without one: 400', async (method) => {
    const resource = new Things()
    const { ask } = await start(resource)
    expect(brief(await ask(method, '/things/class'))).toEqual([400, ' required'])
    expect(brief(await ask(method, '/things/class', { headers: json }))).toEqual([400, ' required'])
    expect(resource.calls).toEqual([])
  })

  it('an empty chunked one is none either', async () => {
    const resource = new Things()
    const { port } = await start(resource)
    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      let received = ''
      socket.on('data', (chunk) => (received += String(chunk)))
      socket.once('error', reject).once('close', () => resolve(received))
      socket.write(
        'POST /things/class HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' +
          'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      )
    })
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain('"code":"required"')
    expect(resource.calls).toEqual([])
  })

  it.each([
    ' ',
    '\n',
    '\t \r\n',
    '\u0000',
    '\ufeff',
    '{',
    '}',
    '{"name":',
    '{}{}',
    "{'name':1}",
    'undefined',
    'NaN',
    '{"a":1,}',
  ])('JSON %j: 400, not an object of nothing', async (body) => {
    const resource = new Things()
    const { ask } = await start(resource)
    for (const path of ['/class', '/any', '/named', '/map', '/optional']) {
      expect(brief(await ask('POST', `/things${path}`, { headers: json, body }))).toEqual([400, ' syntax'])
    }
    expect(resource.calls).toEqual([])
  })

  it.each([
    ['text/plain', '{}'],
    ['text/html', '{}'],
    ['application/octet-stream', '{}'],
    ['application/jsonx', '{}'],
    ['application/x-json', '{}'],
    ['json', '{}'],
    ['', '{}'],
    ['application/json; charset=klingon', '{}'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/xml, application/json', '{}'],
  ])('a body of type %j for a class: 415', async (type, body) => {
    const resource = new Things()
    const { ask } = await start(resource)
    for (const path of ['/class', '/named', '/optional']) {
      const answer = await ask('POST', `/things${path}`, { headers: { 'Content-Type': type }, body })
      expect(answer.status).toBe(415)
      expect(answer.headers['accept-post']).toContain('application/json')
    }
    expect(resource.calls).toEqual([])
  })

  it('a body without a type: 415', async () => {
    const resource = new Things()
    const { ask } = await start(resource)
    expect((await ask('POST', '/things/class', { body: '{}' })).status).toBe(415)
    expect(resource.calls).toEqual([])
  })

  it('one that may be left out is undefined, and never an object of nothing', async () => {
    const resource = new Things()
    const { ask } = await start(resource)
    expect((await ask('POST', '/things/optional')).status).toBe(200)
    expect((await ask('POST', '/things/optional', { headers: json })).status).toBe(200)
    expect((await ask('POST', '/things/members')).status).toBe(200)
    expect((await ask('POST', '/things/members', { body: {} })).status).toBe(200)
    expect(resource.calls).toEqual([undefined, undefined, undefined, undefined])
    expect((await ask('POST', '/things/optional', { body: {} })).status).toBe(200)
    expect(resource.calls[4]).toBeInstanceOf(Thing)
  })

  it('an object of nothing is a body', async () => {
    const resource = new Things()
    const { ask } = await start(resource)
    expect(brief(await ask('POST', '/things/class', { body: {} }))).toEqual([200])
    expect(brief(await ask('POST', '/things/named', { body: {} }))).toEqual([422, '/name required'])
    expect(brief(await ask('POST', '/things/map', { body: {} }))).toEqual([422, '/name required'])
    expect(resource.calls).toEqual([{}])
  })
})

// --- The query parser ----------------------------------------------------------------------------------------------------------------

describe('B32: the query', () => {
  @Resource('/echo')
  class Echo extends Recorder {
    @Get() all(@Query(Object) query: Record<string, unknown>) {
      this.keep(query)
      return query
    }
    @Get('/named') named(@Query('a', { list: true, required: false }) a: string[]) {
      return this.keep(a)
    }
  }

  it.each<[string, object]>([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['a=1=2', { a: '1=2' }],
    ['a=b+c', { a: 'b c' }],
    ['a=b%2Bc', { a: 'b+c' }],
    ['a+b=1', { 'a b': '1' }],
    ['a=1&a=2', { a: ['1', '2'] }],
    ['a[]=1', { a: ['1'] }],
    ['a[b]=1&a[c][d]=2', { a: { b: '1', c: { d: '2' } } }],
    ['&&a=1&&', { a: '1' }],
    ['a=1;b=2', { a: '1;b=2' }],
    ['a=1?b=2', { a: '1?b=2' }],
    ['a[b=1', { 'a[b': '1' }],
    ['a]=1', { 'a]': '1' }],
    ['a.b=1', { 'a.b': '1' }],
    ['a=%F0%9F%8D%8E', { a: '🍎' }],
    ['a=%00', { a: '\u0000' }],
    ['toString=1', { toString: '1' }],
    ['hasOwnProperty=1', { hasOwnProperty: '1' }],
  ])('?%s', async (query, expected) => {
    const { ask } = await start(new Echo())
    const answer = await ask('GET', `/echo?${query}`)
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toEqual(expected)
  })

  it.each<[string, string, string]>([
    ['a malformed escape', 'a=%', 'encoding'],
    ['half an escape', 'a=%2', 'encoding'],
    ['one in a name', '%zz=1', 'encoding'],
    ['cut UTF-8', 'a=%E0%A4', 'encoding'],
    ['overlong UTF-8', 'a=%C0%AF', 'encoding'],
    ['a surrogate', 'a=%ED%A0%80', 'encoding'],
    ['more than 1,000 pairs', Array.from({ length: 1001 }, (_, i) => `k${i}=`).join('&'), 'limit'],
    ['more than 1,000 times one name', Array.from({ length: 1001 }, () => 'a=1').join('&'), 'limit'],
    ['deeper than five brackets', `a${'[b]'.repeat(6)}=1`, 'limit'],
    ['much deeper', `a${'[b]'.repeat(3000)}=1`, 'limit'],
    ['two kinds of value', 'a=1&a[b]=2', 'conflict'],
    ['two kinds the other way round', 'a[b]=2&a=1', 'conflict'],
    ['a prototype', '__proto__[x]=1', 'unknown'],
    ['a constructor', 'a[constructor]=1', 'unknown'],
  ])('%s: 400', async (_, query, code) => {
    const resource = new Echo()
    const { ask } = await start(resource)
    const answer = await ask('GET', `/echo?${query}`)
    expect(answer.status).toBe(400)
    expect(violationsOf(answer).map((violation) => `${violation.in} ${violation.code}`)).toEqual([`query ${code}`])
    expect(resource.calls).toEqual([])
  })

  it('up to the bounds it is read', async () => {
    const { ask } = await start(new Echo())
    const many = Array.from({ length: 1000 }, (_, i) => `k${i}=`).join('&')
    expect(Object.keys((await ask('GET', `/echo?${many}`)).json<object>())).toHaveLength(1000)
    expect((await ask('GET', `/echo?a${'[b]'.repeat(5)}=1`)).status).toBe(200)
    expect((await ask('GET', `/echo/named?${Array.from({ length: 1000 }, () => 'a=1').join('&')}`)).status).toBe(200)
    expect((await ask('GET', `/echo/named?${Array.from({ length: 1001 }, () => 'a=1').join('&')}`)).status).toBe(400)
  })

  it('limits.keys bounds it', async () => {
    const { ask } = await start(new Echo(), { limits: { keys: 2 } })
    expect((await ask('GET', '/echo?a=1&b=2')).status).toBe(200)
    expect((await ask('GET', '/echo?a=1&b=2&c=3')).status).toBe(400)
    expect((await ask('GET', '/echo/named?a=1&a=2&a=3')).status).toBe(400)
  })

  it('it is Kumu’s own: what the host application makes of the query does not matter', async () => {
    const resource = new Echo()
    const app = new Koa()
    app.silent = true
    app.use((ctx, next) => {
      const hostile = () => ({ a: [{ evil: true }], other: 'x' })
      Object.defineProperty(ctx.request, 'query', { get: hostile })
      Object.defineProperty(ctx, 'query', { get: hostile })
      return next()
    })
    app.use(createRouter({ resources: [resource] }).routes())
    const { ask } = await serve(app)
    expect((await ask('GET', '/echo?a=1&a=2&b[c]=3')).status).toBe(200)
    expect((await ask('GET', '/echo/named?a=1')).status).toBe(200)
    expect(JSON.stringify(resource.calls)).toBe('[{"a":["1","2"],"b":{"c":"3"}},["1"]]')
  })

  it('a query string is no part of the path, whatever it holds', async () => {
    const resource = new Echo()
    const { ask } = await start(resource)
    expect((await ask('GET', '/echo?a=/echo/named')).status).toBe(200)
    expect((await ask('GET', '/echo/?a=1')).status).toBe(200)
    expect(JSON.stringify(resource.calls)).toBe('[{"a":"/echo/named"},{"a":"1"}]')
  })
})
