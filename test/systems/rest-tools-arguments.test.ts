import { IsInt, IsString, Min } from 'class-validator'
import {
  Body,
  ConfigurationError,
  createApp,
  Get,
  Integer,
  Post,
  Query,
  Resource,
  type AppOptions,
  type ParamMap,
} from 'kumu'
import { closeAll, serve, type Answer } from '../support/serve'

afterEach(closeAll)

const json = { 'Content-Type': 'application/json' }

interface Handled {
  /** Sends a query, or a JSON body. */
  send(arguments_: string | object): Promise<Answer>
  readonly calls: unknown[]
}

/** A handler with these arguments, of the query and of a JSON body, that answers errors as rest-tools does. */
async function handler(query: ParamMap, body: ParamMap = query, options: AppOptions = {}): Promise<Handled> {
  const calls: unknown[] = []
  @Resource('/arguments')
  class Handler {
    @Get() get(@Query(query) given: unknown) {
      calls.push(given)
      return {}
    }
    @Post() post(@Body(body) given: unknown) {
      calls.push(given)
      return {}
    }
  }
  const app = createApp({ resources: [new Handler()], errors: { format: 'rest-tools' }, ...options })
  app.silent = true
  const { ask } = await serve(app)
  const send: Handled['send'] = (given) =>
    typeof given === 'string' ? ask('GET', `/arguments?${given}`) : ask('POST', '/arguments', { body: given })
  return { send, calls }
}

/** The text of a refusal: 400, `{ code, error }`. */
async function refusal({ send, calls }: Handled, given: string | object): Promise<string> {
  const before = calls.length
  const answer = await send(given)
  expect(answer.headers['content-type']).toBe('application/json')
  const { code, error, ...rest } = answer.json<{ code: number; error: string }>()
  expect([answer.status, code, rest, calls.length]).toEqual([400, 400, {}, before])
  return error
}

/** What the handler gets. */
async function taken({ send, calls }: Handled, given: string | object): Promise<unknown> {
  const { status, text } = await send(given)
  expect([status, text]).toEqual([200, '{}'])
  return calls.at(-1)
}

const text = { type: String }

describe('required and missing', () => {
  it('no default means required; all that miss are named, in the order of declaration', async () => {
    const given = await handler({ b: text, a: text, c: { type: String, default: 'x' }, d: Integer })
    expect(await refusal(given, '')).toBe('the following arguments are required: b, a, d')
    expect(await refusal(given, 'a=1')).toBe('the following arguments are required: b, d')
    expect(await refusal(given, {})).toBe('the following arguments are required: b, a, d')
    expect(await refusal(given, { d: 1, b: 'x' })).toBe('the following arguments are required: a')
    expect(await taken(given, 'a=1&b=2&d=3')).toEqual({ a: '1', b: '2', c: 'x', d: 3 })
    expect(await taken(given, { a: '1', b: '2', d: 3, c: 'y' })).toEqual({ a: '1', b: '2', c: 'y', d: 3 })
  })

  it('required without being so is said by required: false, and gives undefined', async () => {
    const given = await handler({ a: { type: String, required: false } })
    expect(await taken(given, '')).toEqual({ a: undefined })
    expect(await taken(given, {})).toEqual({ a: undefined })
  })

  it('required with a default is the author’s mistake, found at start', async () => {
    await expect(handler({ a: { type: String, required: true, default: 'x' } })).rejects.toThrow(ConfigurationError)
  })

  it('no body at all', async () => {
    const { ask } = await serve(createApp({ resources: [NoBody], errors: { format: 'rest-tools' } }))
    const answer = await ask('POST', '/no-body')
    expect([answer.status, answer.json()]).toEqual([
      400,
      { code: 400, error: expect.stringMatching(/required/) as string },
    ])
  })
  @Resource('/no-body')
  class NoBody {
    @Post() make(@Body('a', String) a: string) {
      return { a }
    }
  }
})

describe('unknown', () => {
  it('arguments are refused, all of them named', async () => {
    const given = await handler({ a: text })
    expect(await refusal(given, 'a=1&x=2&y=3')).toBe('unrecognized arguments: x, y')
    expect(await refusal(given, { a: '1', x: 2, y: null })).toBe('unrecognized arguments: x, y')
    expect(await refusal(given, 'x=2')).toBe('the following arguments are required: a; unrecognized arguments: x')
    expect(await refusal(given, 'a=1&__proto__=2')).toBe('unrecognized arguments: __proto__')
    expect(await refusal(given, 'A=1&a=1')).toBe('unrecognized arguments: A')
  })

  it('or ignored, where that is asked for', async () => {
    const given = await handler({ a: text }, { a: text }, { unknownQuery: 'ignore', validation: { unknown: 'strip' } })
    expect(await taken(given, 'a=1&x=2')).toEqual({ a: '1' })
    expect(await taken(given, { a: '1', x: 2 })).toEqual({ a: '1' })
  })
})

describe('types', () => {
  const every: ParamMap = {
    i: { type: Integer, required: false },
    f: { type: Number, required: false },
    b: { type: Boolean, required: false },
    s: { type: String, required: false },
    d: { type: Object, required: false },
    when: { type: Date, required: false },
  }
  const inQuery = Object.fromEntries(Object.entries(every).filter(([name]) => name !== 'd')) as ParamMap

  it.each([
    'i=x',
    'i=',
    'i=2.7',
    'i=0x10',
    'i=1e999',
    'f=x',
    'f=nan',
    'f=inf',
    'b=maybe',
    'b=',
    'b=2',
    'when=tomorrow',
  ])('?%s: invalid type', async (query) => {
    const name = query.slice(0, query.indexOf('='))
    expect(await refusal(await handler(inQuery, every), query)).toBe(`argument ${name}: invalid type`)
  })

  it.each<[string, unknown]>([
    ['i', '1'],
    ['i', 2.7],
    ['i', true],
    ['i', null],
    ['i', [1]],
    ['f', '1.5'],
    ['f', {}],
    ['b', 1],
    ['b', 0],
    ['b', 'true'],
    ['b', []],
    ['b', null],
    ['s', 1],
    ['s', null],
    ['s', {}],
    ['when', 0],
  ])('{"%s": %j}: invalid type, nothing of JSON is cast', async (name, value) => {
    expect(await refusal(await handler(inQuery, every), { [name]: value })).toBe(`argument ${name}: invalid type`)
  })

  it('several at once, each named', async () => {
    const given = await handler(inQuery, every)
    expect(await refusal(given, 'b=x&i=y')).toBe('argument i: invalid type; argument b: invalid type')
    expect(await refusal(given, { i: 'x', more: 1, f: 1, b: 0 })).toBe(
      'unrecognized arguments: more; argument i: invalid type; argument b: invalid type',
    )
  })

  it.each(['y', 'yes', 't', 'true', 'on', '1', 'YES', 'True', 'oN'])('bool: %s is true', async (word) => {
    expect(await taken(await handler({ b: Boolean }), `b=${word}`)).toEqual({ b: true })
  })

  it.each(['n', 'no', 'f', 'false', 'off', '0', 'NO', 'False', 'oFF'])('bool: %s is false', async (word) => {
    expect(await taken(await handler({ b: Boolean }), `b=${word}`)).toEqual({ b: false })
  })

  it('values of JSON are kept', async () => {
    const given = await handler(inQuery, every)
    const body = { i: -3, f: 2.5, b: false, s: '', d: { a: [1, null] } }
    expect(await taken(given, body)).toEqual({ ...body, when: undefined })
  })
})

describe('validators of one’s own', () => {
  const toEven = (text_: string) => {
    const value = Number(text_)
    if (value % 2 !== 0) throw new Error('must be even, please')
    return value
  }

  it('what a converter says is the message', async () => {
    const given = await handler({ x: { type: String, convert: toEven } })
    expect(await refusal(given, 'x=3')).toBe('argument x: must be even, please')
    expect(await refusal(given, { x: '3' })).toBe('argument x: must be even, please')
    expect(await taken(given, 'x=4')).toEqual({ x: 4 })
  })

  it.each<[string, (text_: string) => unknown]>([
    ['a TypeError', (text_) => (null as unknown as { [name: string]: () => unknown })[text_]?.()],
    ['what a parser throws', (text_) => JSON.parse(text_) as unknown],
    ['a bad URL', (text_) => new URL(text_)],
    ['no number', (text_) => Number(text_)],
    ['no date', (text_) => new Date(text_)],
  ])('%s is an invalid type, its own message hidden', async (_, convert) => {
    const given = await handler({ x: { type: String, convert } })
    expect(await refusal(given, 'x=hunter2')).toBe('argument x: invalid type')
    expect(await refusal(given, { x: 'hunter2' })).toBe('argument x: invalid type')
  })

  it('any other failure is ours: 500, and says nothing', async () => {
    const given = await handler({ x: { type: String, pipes: [() => Promise.reject(new Error('hunter2'))] } })
    for (const each of ['x=1', { x: '1' }]) {
      const answer = await given.send(each)
      expect([answer.status, answer.json()]).toEqual([500, { code: 500, error: 'Internal Server Error' }])
    }
  })
})

describe('choices', () => {
  it('are named, the value is not', async () => {
    const given = await handler({ x: { type: String, choices: ['red', 'green'] } })
    expect(await refusal(given, 'x=hunter2')).toBe('argument x: invalid choice (must be one of: red, green)')
    expect(await refusal(given, { x: 'Red' })).toBe('argument x: invalid choice (must be one of: red, green)')
    expect(await taken(given, 'x=green')).toEqual({ x: 'green' })
  })

  it('are compared after the type: 1 is no "1"', async () => {
    const given = await handler({ x: { type: Integer, choices: [1, 2] } })
    expect(await taken(given, 'x=1')).toEqual({ x: 1 })
    expect(await refusal(given, 'x=3')).toBe('argument x: invalid choice (must be one of: 1, 2)')
    expect(await refusal(given, { x: '1' })).toBe('argument x: invalid type')
  })

  it('a text matches an expression as a whole', async () => {
    const given = await handler({ x: { type: String, choices: [/v\d+/, 'latest'] } })
    expect(await taken(given, 'x=v12')).toEqual({ x: 'v12' })
    expect(await taken(given, { x: 'latest' })).toEqual({ x: 'latest' })
    expect(await refusal(given, 'x=v12x')).toMatch(/^argument x: invalid choice/)
    expect(await refusal(given, 'x=v1%0A')).toMatch(/^argument x: invalid choice/)
  })

  it('none of them: nothing is allowed; none forbidden: no restriction', async () => {
    const nothing = await handler({ x: { type: String, choices: [] } })
    expect(await refusal(nothing, 'x=a')).toMatch(/^argument x: invalid choice/)
    expect(await refusal(nothing, { x: '' })).toMatch(/^argument x: invalid choice/)
    const anything = await handler({ x: { type: String, forbidden: [] } })
    expect(await taken(anything, 'x=a')).toEqual({ x: 'a' })
  })

  it('forbidden values', async () => {
    const given = await handler({ x: { type: String, forbidden: ['root', /adm.*/] } })
    expect(await refusal(given, 'x=root')).toBe('argument x: must be none of the forbidden values')
    expect(await refusal(given, { x: 'admin' })).toBe('argument x: must be none of the forbidden values')
    expect(await taken(given, 'x=badmin')).toEqual({ x: 'badmin' })
  })

  it('a default is held against them at start', async () => {
    await expect(handler({ x: { type: String, choices: ['a'], default: 'b' } })).rejects.toThrow(ConfigurationError)
    await expect(handler({ x: { type: String, forbidden: ['b'], default: 'b' } })).rejects.toThrow(ConfigurationError)
    await expect(handler({ x: { type: Integer, default: 'b' } })).rejects.toThrow(ConfigurationError)
  })
})

describe('strict', () => {
  it('no other spelling of a whole number', async () => {
    const strict = await handler({ x: { type: Integer, strict: true } })
    expect(await refusal(strict, 'x=9.0')).toBe('argument x: invalid type')
    expect(await refusal(strict, 'x=9e0')).toBe('argument x: invalid type')
    expect(await refusal(strict, { x: '9' })).toBe('argument x: invalid type')
    expect(await taken(strict, 'x=9')).toEqual({ x: 9 })
    expect(await taken(await handler({ x: Integer }), 'x=9.0')).toEqual({ x: 9 })
  })

  it('null is no text, whatever is said', async () => {
    expect(await refusal(await handler({ x: text }), { x: null })).toBe('argument x: invalid type')
    expect(await taken(await handler({ x: text }, { x: { type: String, nullable: true } }), { x: null })).toEqual({
      x: null,
    })
  })
})

describe('lists', () => {
  it('repeated names want a list', async () => {
    const given = await handler({ x: Integer })
    expect(await refusal(given, 'x=1&x=2')).toBe('argument x: invalid type')
    expect(await refusal(given, 'x=1&x=1')).toBe('argument x: invalid type')
  })

  it.each<[string, ParamMap[string], readonly [string, unknown][]]>([
    [
      'any number',
      { type: Integer, list: '*', default: [] },
      [
        ['', []],
        ['x=1', [1]],
        ['x=1&x=2', [1, 2]],
        ['x=1&x=a', 'argument x.1: invalid type'],
      ],
    ],
    [
      'one or more',
      { type: Integer, list: '+' },
      [
        ['', 'the following arguments are required: x'],
        ['x=1', [1]],
        ['x=1&x=2', [1, 2]],
      ],
    ],
    [
      'exactly so many',
      { type: Integer, list: 2 },
      [
        ['x=1', 'argument x: must have exactly 2 elements'],
        ['x=1&x=2', [1, 2]],
        ['x=1&x=2&x=3', 'argument x: must have exactly 2 elements'],
      ],
    ],
  ])('%s', async (_, options, rows) => {
    const given = await handler({ x: options })
    for (const [query, expected] of rows) {
      if (typeof expected === 'string') expect(await refusal(given, query)).toBe(expected)
      else expect(await taken(given, query)).toEqual({ x: expected })
    }
  })

  it('of a body are lists, and a body is an object', async () => {
    const given = await handler({ x: { type: [Integer] } })
    expect(await taken(given, { x: [1, 2] })).toEqual({ x: [1, 2] })
    expect(await refusal(given, { x: 1 })).toBe('argument x: invalid type')
    expect(await refusal(given, { x: { a: 1 } })).toBe('argument x: invalid type')
    expect(await refusal(given, [1])).toBe('argument body: invalid type')
  })
})

describe('names', () => {
  it('are kept, dashes included, unless `as` gives another', async () => {
    const given = await handler({ 'other-names': text, 'is-citrus': { type: Boolean, as: 'isCitrus' } })
    expect(await taken(given, 'other-names=a&is-citrus=y')).toEqual({ 'other-names': 'a', isCitrus: true })
    expect(await refusal(given, 'other_names=a&isCitrus=y')).toBe(
      'the following arguments are required: other-names, is-citrus; unrecognized arguments: other_names, isCitrus',
    )
  })
})

describe('what reusing a command line parser brought along, and Kumu does not', () => {
  it('a beginning of a name is another name', async () => {
    const given = await handler({ name: { type: String, required: false } })
    expect(await refusal(given, 'na=x')).toBe('unrecognized arguments: na')
    expect(await refusal(given, { nam: 'x' })).toBe('unrecognized arguments: nam')
  })

  it('values may begin with dashes', async () => {
    const given = await handler({ name: text })
    for (const value of ['-x', '--name', '--', '-', '-1', '-1.5e3', '@file', '=', '']) {
      expect(await taken(given, `name=${encodeURIComponent(value)}`)).toEqual({ name: value })
      expect(await taken(given, { name: value })).toEqual({ name: value })
    }
  })

  it('help is an argument as any other', async () => {
    const given = await handler({ name: { type: String, required: false } })
    expect(await refusal(given, 'help=')).toBe('unrecognized arguments: help')
    expect(await refusal(given, 'h=&help=me')).toBe('unrecognized arguments: h, help')
    expect(await taken(await handler({ help: text }), 'help=me')).toEqual({ help: 'me' })
  })

  it('no value stands for a default', async () => {
    const given = await handler({ name: { type: String, default: 'x' } })
    for (const value of ['x', 'None', 'null', 'undefined', '']) {
      expect(await taken(given, { name: value })).toEqual({ name: value })
    }
  })
})

describe('other rules and other arguments', () => {
  class Fruit {
    @IsString() name!: string
    @IsInt() @Min(1) amount!: number
  }
  @Resource('/fruits')
  class Fruits {
    @Get() find(@Query() fruit: Fruit) {
      return fruit
    }
    @Post() add(@Body() fruit: Fruit) {
      return fruit
    }
  }

  it('bounds and patterns say what must be', async () => {
    const given = await handler({
      n: { type: Integer, min: 1, max: 9, default: 1 },
      s: { type: String, pattern: /\w+/, default: 'x' },
    })
    expect(await refusal(given, 'n=0')).toBe('argument n: must be at least 1')
    expect(await refusal(given, { n: 10 })).toBe('argument n: must be at most 9')
    expect(await refusal(given, 's=%20')).toBe('argument s: must match \\w+')
  })

  it('a class answers in the same form, of a query and of a body', async () => {
    const { ask } = await serve(createApp({ resources: [Fruits], errors: { format: 'rest-tools' } }))
    const answers = [
      await ask('GET', '/fruits?amount=x&more=1'),
      await ask('POST', '/fruits', { body: { amount: 0, more: 1 } }),
      await ask('POST', '/fruits', { body: '{', headers: json }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400])
    const [query, body, broken] = answers.map((answer) => answer.json<{ code: number; error: string }>().error)
    expect(query).toBe(
      'the following arguments are required: name; unrecognized arguments: more; argument amount: invalid type',
    )
    expect(body).toBe(
      'the following arguments are required: name; unrecognized arguments: more; argument amount: must not be less than 1',
    )
    expect(broken).toMatch(/JSON/)
  })
})
