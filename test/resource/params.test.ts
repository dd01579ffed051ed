import { IsInt, IsOptional, IsString, ValidateNested } from 'class-validator'
import * as kumu from 'kumu'
import {
  Body,
  ConfigurationError,
  Conflict,
  Context,
  Cookie,
  createApp,
  Fields,
  File,
  Files,
  Get,
  Header,
  Integer,
  NotFound,
  Page,
  Paged,
  Param,
  Post,
  Query,
  RawBody,
  Read,
  Resource,
  Signal,
  State,
  User,
  type AppOptions,
  type PageRequest,
  type ParamOptions,
  type ParamPlan,
  type ParamType,
  type UploadedFile,
} from 'kumu'
import { brief, violationsOf } from '../support/refusal'
import { closeAll, serve, type Answer, type Served } from '../support/serve'

afterEach(closeAll)

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
const enc = encodeURIComponent

async function start(resource: object, options: AppOptions = {}): Promise<Served> {
  const app = createApp({ resources: [resource], ...options })
  app.silent = true
  return serve(app)
}

const textSources = ['path', 'query', 'header', 'cookie', 'form'] as const
type TextSource = (typeof textSources)[number]

/** A body has no type by default: these are texts. */
function typed(options: ParamOptions | ParamType): ParamOptions | ParamType {
  const open = typeof options === 'object' && !('type' in options || 'convert' in options || 'pipes' in options)
  return open && !Array.isArray(options) ? { ...options, type: String } : options
}

/** One named value of a body. */
function bodyOf(options: ParamOptions | ParamType) {
  const calls: unknown[] = []
  @Resource('/values')
  class Values {
    @Post('/body') body(@Body('v', options) v: unknown) {
      calls.push(v)
      return {}
    }
  }
  return { calls, resource: new Values() }
}

/** One named value, taken from every source with the same options. */
function valuesOf(options: ParamOptions | ParamType) {
  const calls: unknown[] = []
  const keep = (value: unknown) => {
    calls.push(value)
    return {}
  }
  @Resource('/values')
  class Values {
    @Get('/path/:v') path(@Param('v', options) v: unknown) {
      return keep(v)
    }
    @Get('/query') query(@Query('v', options) v: unknown) {
      return keep(v)
    }
    @Get('/header') header(@Header('V', options) v: unknown) {
      return keep(v)
    }
    @Get('/cookie') cookie(@Cookie('v', options) v: unknown) {
      return keep(v)
    }
    @Post('/body') body(@Body('v', typed(options)) v: unknown) {
      return keep(v)
    }
  }
  return { calls, resource: new Values() }
}

/** Sends texts, none or several of one name where the source can have that. */
function sendText({ ask }: Served, source: TextSource, texts: readonly string[]): Promise<Answer> {
  const pairs = texts.map((text) => `v=${enc(text)}`).join('&')
  switch (source) {
    case 'path':
      return ask('GET', `/values/path/${enc(texts.join())}`)
    case 'query':
      return ask('GET', `/values/query?${pairs}`)
    case 'header':
      return ask('GET', '/values/header', { headers: texts.length > 0 ? { v: texts } : {} })
    case 'cookie':
      return ask('GET', '/values/cookie', { headers: texts.length > 0 ? { Cookie: pairs.replaceAll('&', '; ') } : {} })
    case 'form':
      return ask('POST', '/values/body', { headers: form, body: texts.length > 0 ? pairs : 'v2=' })
  }
}

const sendJson = ({ ask }: Served, v: unknown) => ask('POST', '/values/body', { body: { v } })

/** What a handler was given, or the status and codes of the refusal. */
function outcome(answer: Answer, calls: readonly unknown[]): unknown {
  return answer.status === 200 ? { value: calls.at(-1) } : brief(answer)
}

const pointers: Readonly<Record<TextSource, string>> = {
  path: '/v',
  query: '/v',
  header: '/V',
  cookie: '/v',
  form: '/v',
}
const refused = (source: TextSource, code: string) => [source === 'form' ? 422 : 400, `${pointers[source]} ${code}`]

type Row = readonly [options: ParamOptions | ParamType, text: string, expected: unknown]
/** Marks a row whose text is refused by this rule. */
class Code {
  constructor(readonly code: string) {}
}
const no = (code: string) => new Code(code)

const rows: readonly Row[] = [
  // type
  [{}, 'a', 'a'],
  [String, 'a b', 'a b'],
  [{ type: String }, '7', '7'],
  [Number, '-1.5e3', -1500],
  [{ type: Number }, 'x', no('type')],
  [Integer, '42', 42],
  [Integer, '4.0', 4],
  [Integer, '4.2', no('type')],
  [Boolean, 'Off', false],
  [Boolean, 'banana', no('type')],
  [Date, '2024-02-29', new Date('2024-02-29T00:00:00Z')],
  [Date, '2024-02-29T10:00:00+01:00', new Date('2024-02-29T09:00:00Z')],
  [Date, '2024-02-29T10:00:00.5Z', new Date('2024-02-29T10:00:00.500Z')],
  [Date, '2023-02-29', no('type')],
  [Date, '2024-02-30', no('type')],
  [Date, '2024-02-29T10:00', no('type')],
  [Date, '2024', no('type')],
  [Date, 'tomorrow', no('type')],
  [Date, '1700000000000', no('type')],
  // choices
  [{ choices: ['a', 'b'] }, 'b', 'b'],
  [{ choices: ['a', 'b'] }, 'B', no('choices')],
  [{ choices: ['a', 'b'] }, 'ab', no('choices')],
  [{ choices: [/[a-c]+/] }, 'abc', 'abc'],
  [{ choices: [/[a-c]+/] }, 'abcd', no('choices')],
  [{ choices: [/[a-c]+/g, 'x'] }, 'x', 'x'],
  [{ choices: [/a|b/] }, 'ab', no('choices')],
  [{ type: Integer, choices: [1, 2] }, '2', 2],
  [{ type: Integer, choices: [1, 2] }, '2.0', 2],
  [{ type: Integer, choices: [1, 2] }, '3', no('choices')],
  [{ type: Integer, choices: ['2'] }, '2', no('choices')],
  [{ type: Boolean, choices: [true] }, 'yes', true],
  [{ type: Boolean, choices: [true] }, 'no', no('choices')],
  [{ type: Date, choices: [new Date('2024-01-01')] }, '2024-01-01', new Date('2024-01-01')],
  [{ type: Date, choices: [new Date('2024-01-01')] }, '2024-01-02', no('choices')],
  [{ choices: [] }, 'a', no('choices')],
  // forbidden
  [{ forbidden: ['root', /adm.*/] }, 'ann', 'ann'],
  [{ forbidden: ['root', /adm.*/] }, 'root', no('forbidden')],
  [{ forbidden: ['root', /adm.*/] }, 'admin', no('forbidden')],
  [{ forbidden: ['root', /adm.*/] }, 'badmin', 'badmin'],
  [{ forbidden: [] }, 'root', 'root'],
  [{ type: Integer, forbidden: [13] }, '13', no('forbidden')],
  [{ choices: [/.*/], forbidden: ['x'] }, 'x', no('forbidden')],
  // min and max
  [{ type: Integer, min: 1 }, '0', no('min')],
  [{ type: Integer, min: 1 }, '1', 1],
  [{ type: Number, max: 1.5 }, '1.5', 1.5],
  [{ type: Number, max: 1.5 }, '1.51', no('max')],
  [{ type: Number, min: 0 }, '-0.1', no('min')],
  [{ min: 2 }, 'a', no('min')],
  [{ min: 2, max: 3 }, 'ab', 'ab'],
  [{ max: 3 }, 'abcd', no('max')],
  [{ type: Date, min: Date.UTC(2024, 0) }, '2023-12-31', no('min')],
  [{ type: Date, max: Date.UTC(2024, 0) }, '2023-12-31', new Date('2023-12-31')],
  // pattern
  [{ pattern: /\d{2}/ }, '12', '12'],
  [{ pattern: /\d{2}/ }, '123', no('pattern')],
  [{ pattern: /a|ab/ }, 'ab', 'ab'],
  [{ pattern: /^[a-z]+$/i }, 'ABC', 'ABC'],
  [{ pattern: /a/gy }, 'a', 'a'],
  [{ pattern: /x/u }, 'xx', no('pattern')],
  // strict
  [{ type: Boolean, strict: true }, 'true', true],
  [{ type: Boolean, strict: true }, 'TRUE', no('type')],
  [{ type: Boolean, strict: true }, '1', no('type')],
  [{ type: Boolean, strict: true }, 'no', no('type')],
  [{ type: Integer, strict: true }, '-7', -7],
  [{ type: Integer, strict: true }, '7.0', no('type')],
  [{ type: Integer, strict: true }, '1e3', no('type')],
  [{ type: Integer, strict: true }, '+7', no('type')],
  [{ type: Integer, strict: true }, '07', no('type')],
  // convert and pipes, in this order: pipes, convert
  [{ convert: (text: string) => text.toUpperCase() }, 'ann', 'ANN'],
  [{ convert: async (text: string) => Promise.resolve(text.length) }, 'ann', 3],
  [{ type: Integer, convert: (n: number) => n * 2 }, '4', 8],
  [{ type: Integer, convert: (n: number) => n * 2 }, 'x', no('type')],
  [{ type: Integer, max: 4, convert: (n: number) => n * 2 }, '4', 8],
  [{ convert: () => undefined }, 'x', undefined],
  [{ convert: () => null }, 'x', null],
  [{ type: Integer, pipes: [(n) => Number(n) + 1] }, '4', 5],
  [
    {
      pipes: [(text) => `${String(text)}1`, (text) => Promise.resolve(`${String(text)}2`)],
      convert: (text: string) => `${text}3`,
    },
    '0',
    '0123',
  ],
  [{ type: class Entity {}, convert: (id: string) => ({ id }) }, '7', { id: '7' }],
  // nullable has nothing to say of text
  [{ nullable: true }, 'null', 'null'],
  [{ type: Integer, nullable: true }, 'null', no('type')],
  // a list of one
  [{ list: true }, 'a', ['a']],
  [[String], 'a', ['a']],
  [[Integer], '4', [4]],
  [{ type: [Integer] }, 'x', no('0 type')],
  [{ type: Integer, list: '+' }, '4', [4]],
  [{ list: 1 }, 'a', ['a']],
  [{ list: 2 }, 'a', no('count')],
  [{ list: true, min: 2 }, 'a', no('min')],
  [{ list: false }, 'a', 'a'],
  [{ type: Integer, list: true, choices: [1, 2] }, '3', no('0 choices')],
  [{ list: true, pattern: /\d+/ }, 'x', no('0 pattern')],
  [{ list: true, convert: (all: string[]) => all.length }, 'a', 1],
]

const show = (options: ParamOptions | ParamType): string =>
  typeof options === 'object' && !Array.isArray(options)
    ? `{ ${Object.entries(options)
        .map(([name, value]) => `${name}: ${showValue(value)}`)
        .join(', ')} }`
    : showValue(options)

function showValue(value: unknown): string {
  if (typeof value === 'function') return value.name || 'function'
  if (Array.isArray(value)) return `[${value.map(showValue).join(', ')}]`
  return typeof value === 'object' && !(value instanceof RegExp) ? JSON.stringify(value) : String(value)
}

describe.each(textSources)('one value by name out of a %s', (source) => {
  it.each(rows.map(([options, text, expected]) => [show(options), text, options, expected] as const))(
    '%s: %j',
    async (_, text, options, expected) => {
      const { calls, resource } = valuesOf(options)
      const served = await start(resource)
      const answer = await sendText(served, source, [text])
      const [element, code] = expected instanceof Code ? expected.code.split(' ') : []
      const place = code === undefined ? '' : `/${element}`
      const refusal = [source === 'form' ? 422 : 400, `${pointers[source]}${place} ${code ?? element}`]
      expect(outcome(answer, calls)).toEqual(expected instanceof Code ? refusal : { value: expected })
    },
  )
})

describe('absent values', () => {
  const absentable = textSources.filter((source) => source !== 'path')

  it.each<[string, ParamOptions, unknown]>([
    ['by default: required', {}, no('required')],
    ['required: true', { required: true }, no('required')],
    ['required: false', { required: false }, undefined],
    ['a default', { default: 'x' }, 'x'],
    ['a default that is empty', { default: '' }, ''],
    ['a default that is 0', { type: Integer, default: 0 }, 0],
    ['a default that is false', { type: Boolean, default: false }, false],
    ['a default that is null', { default: null }, null],
    ['a default that is a date', { type: Date, default: new Date(0) }, new Date(0)],
    ['a list', { list: true }, no('required')],
    ['a list that is not required', { list: true, required: false }, undefined],
    ['a list of one or more', { list: '+' }, no('required')],
    ['a list with a default', { list: true, default: ['a'] }, ['a']],
    ['a default goes past converter and pipes', { default: 'x', convert: () => 'y', pipes: [() => 'z'] }, 'x'],
    ['nothing goes past converter and pipes', { required: false, convert: () => 'y', pipes: [() => 'z'] }, undefined],
  ])('%s', async (_, options, expected) => {
    const { calls, resource } = valuesOf(options)
    const served = await start(resource, { validation: { unknown: 'strip' } })
    for (const source of absentable) {
      const answer = await sendText(served, source, [])
      const refusal = expected instanceof Code ? refused(source, expected.code) : { value: expected }
      expect([source, outcome(answer, calls)]).toEqual([source, refusal])
    }
    const json = await served.ask('POST', '/values/body', { body: {} })
    expect(outcome(json, calls)).toEqual(expected instanceof Code ? [422, `/v ${expected.code}`] : { value: expected })
  })

  it('a default that is text of its type is read as that', async () => {
    @Resource('/defaults')
    class Defaults {
      @Get() all(
        @Query('n', { type: Integer, default: '7' }) n: number,
        @Header('x-flag', { type: Boolean, default: 'off' }) flag: boolean,
        @Cookie({ since: { type: Date, default: '2024-01-01' } }) { since }: { since: Date },
      ) {
        return [n, flag, since instanceof Date]
      }
    }
    const { ask } = await start(new Defaults())
    expect((await ask('GET', '/defaults')).json()).toEqual([7, false, true])
  })

  it('a list as default is each request’s own', async () => {
    const given: string[] = []
    @Resource('/lists')
    class Lists {
      @Get() all(
        @Query('plain', { list: true, default: [] }) plain: string[],
        @Query('piped', { list: true, default: [], pipes: [(value) => value] }) piped: string[],
        @Query({ mapped: { list: true, default: given } }) { mapped }: { mapped: string[] },
      ) {
        plain.push('x')
        piped.push('x')
        mapped.push('x')
        return [plain.length, piped.length, mapped.length]
      }
    }
    const { ask } = await start(new Lists())
    expect((await ask('GET', '/lists')).json()).toEqual([1, 1, 1])
    expect((await ask('GET', '/lists')).json()).toEqual([1, 1, 1])
    expect(given).toEqual([])
  })
})

describe('lists of several', () => {
  const several = ['query', 'header', 'form'] as const

  it.each<[string, ParamOptions | ParamType, readonly string[], unknown]>([
    ['any', { list: true }, ['a', 'b', 'a'], ['a', 'b', 'a']],
    ['*', { list: '*' }, ['a', 'b'], ['a', 'b']],
    ['+', { list: '+' }, ['a', 'b'], ['a', 'b']],
    ['exactly two', { list: 2 }, ['a', 'b'], ['a', 'b']],
    ['exactly two, and three come', { list: 2 }, ['a', 'b', 'c'], no('count')],
    ['at least two', { list: true, min: 2 }, ['a', 'b'], ['a', 'b']],
    ['at most two', { list: true, max: 2 }, ['a', 'b', 'c'], no('max')],
    ['of whole numbers', [Integer], ['3', '1', '2'], [3, 1, 2]],
    ['of whole numbers, one of them none', [Integer], ['3', 'x', '2'], no('1 type')],
    ['of choices', { list: true, choices: ['a', 'b'] }, ['a', 'c'], no('1 choices')],
    ['of dates', [Date], ['2024-01-01', '2024-13-01'], no('1 type')],
    ['of booleans', [Boolean], ['1', 'no'], [true, false]],
    ['converted together', { type: [Integer], convert: (all: number[]) => all.reduce((a, b) => a + b) }, ['1', '2'], 3],
    ['a scalar', Integer, ['1', '2'], no('type')],
  ])('%s', async (_, options, texts, expected) => {
    const { calls, resource } = valuesOf(options)
    const served = await start(resource)
    for (const source of several) {
      const answer = await sendText(served, source, texts)
      const [element, code] = expected instanceof Code ? expected.code.split(' ') : []
      const place = code === undefined ? '' : `/${element}`
      const refusal = [source === 'form' ? 422 : 400, `${pointers[source]}${place} ${code ?? element}`]
      expect([source, outcome(answer, calls)]).toEqual([
        source,
        expected instanceof Code ? refusal : { value: expected },
      ])
    }
  })

  it('of two cookies of one name the first counts', async () => {
    const { calls, resource } = valuesOf({ list: true })
    await sendText(await start(resource), 'cookie', ['a', 'b'])
    expect(calls).toEqual([['a']])
  })
})

describe('a named value of a JSON body', () => {
  class Part {
    @IsString() name!: string
    @IsOptional({ groups: ['create'] }) @IsInt({ groups: ['create'] }) serial?: number
  }

  it.each<[string, ParamOptions | ParamType, unknown, unknown]>([
    ['a text', String, 'x', 'x'],
    ['a number for a text', String, 7, no(' type')],
    ['an object for a text', String, { $ne: null }, no(' type')],
    ['any', Object, { a: [null] }, { a: [null] }],
    ['any, null', Object, null, null],
    ['a date as text', Date, '2024-02-29', new Date('2024-02-29')],
    ['a date as number', Date, 0, no(' type')],
    ['a list', [String], ['a'], ['a']],
    ['a text for a list', [String], 'a', no(' type')],
    ['an empty list', [String], [], []],
    ['an empty list for one or more', { list: '+', type: String }, [], no(' min')],
    ['a list of another length', { list: 2, type: Integer }, [1], no(' count')],
    ['a wrong element', [Integer], [1, 1.5], no('/1 type')],
    ['choices', { type: Object, choices: ['a', 1, null] }, 1, 1],
    ['none of the choices', { type: Object, choices: ['a', 1] }, '1', no(' choices')],
    ['null for a text', String, null, no(' type')],
    ['null where it may be', { type: String, nullable: true }, null, null],
    ['null where it may be, past the rules', { type: String, nullable: true, min: 3, choices: ['abc'] }, null, null],
    ['null for a list', [String], null, no(' type')],
    ['null for a list where it may be', { type: [String], nullable: true }, null, null],
    ['null in a list where that may be null', { type: [String], nullable: true }, [null], no('/0 type')],
    ['a class', Part, { name: 'p' }, { name: 'p' }],
    ['a class, broken', Part, { name: 7, x: 1 }, no('/x unknown|/name isString')],
    ['a list of a class', [Part], [{ name: 'p' }, {}], no('/1/name required')],
    ['null for a class', Part, null, no(' type')],
    ['null for a class where it may be', { type: Part, nullable: true }, null, null],
    ['groups', { type: Part, groups: ['create'] }, { name: 'p', serial: 'x' }, no('/serial isInt')],
    ['other groups', { type: Part, groups: ['update'] }, { name: 'p', serial: 1 }, no('/serial unknown')],
    ['converted', { type: String, convert: (text: string) => text.length }, 'abc', 3],
    ['a class, converted', { type: Part, convert: (part: Part) => part.name }, { name: 'p' }, 'p'],
    ['piped', { type: Integer, pipes: [(n) => Number(n) + 1] }, 1, 2],
    ['a class, piped', { type: Part, pipes: [(part) => part instanceof Part] }, { name: 'p' }, true],
    ['strict changes nothing', { type: Integer, strict: true }, 1, 1],
  ])('%s', async (_, options, value, expected) => {
    const { calls, resource } = bodyOf(options)
    const answer = await sendJson(await start(resource), value)
    const refusal = expected instanceof Code ? [422, ...expected.code.split('|').map((code) => `/v${code}`)] : undefined
    expect(outcome(answer, calls)).toEqual(refusal ?? { value: expected })
  })

  it('beside others: names that nobody reads are refused or left out', async () => {
    @Resource('/things')
    class Things {
      @Post() make(@Body('a', String) a: string, @Body('b', { type: Integer, default: 1 }) b: number) {
        return { a, b }
      }
    }
    const body = { a: 'x', c: 1, __proto__x: 2 }
    const refusing = await start(new Things())
    expect(brief(await refusing.ask('POST', '/things', { body }))).toEqual([422, '/c unknown', '/__proto__x unknown'])
    const stripping = await start(new Things(), { validation: { unknown: 'strip' } })
    expect((await stripping.ask('POST', '/things', { body })).json()).toEqual({ a: 'x', b: 1 })
  })

  it('wants an object, and has own members only', async () => {
    const { calls, resource } = bodyOf({ type: String, required: false })
    const { ask } = await start(resource)
    for (const body of [[], ['x'], '"x"', '7', 'null', 'true']) {
      const headers = { 'Content-Type': 'application/json' }
      expect(brief(await ask('POST', '/values/body', { body, headers }))).toEqual([422, ' type'])
    }
    expect(calls).toEqual([])
    @Resource('/inherited')
    class Inherited {
      @Post() make(@Body('toString', { type: Object, required: false }) own: unknown) {
        return { own: own === undefined }
      }
    }
    const inherited = await start(new Inherited())
    expect((await inherited.ask('POST', '/inherited', { body: {} })).json()).toEqual({ own: true })
  })
})

describe('convert', () => {
  const secret = 'hunter2'
  const cases: readonly (readonly [string, () => unknown, number, string])[] = [
    ['an Error: 400 with its message', () => new Error('no such country'), 400, 'no such country'],
    ['an Error without message', () => new Error(), 400, 'v is not valid'],
    ['a subclass of it', () => new (class BadCountry extends Error {})('no such country'), 400, 'no such country'],
    ['what the engine throws: not its message', () => new TypeError(`Invalid URL: ${secret}`), 400, 'v is not valid'],
    ['a SyntaxError', () => new SyntaxError(`Unexpected token ${secret}`), 400, 'v is not valid'],
    ['no Error at all', () => secret, 400, 'v is not valid'],
    ['an HttpError: its status', () => new NotFound('no such employee'), 404, ''],
    ['another HttpError', () => new Conflict('taken'), 409, ''],
    ['an error with a status', () => Object.assign(new Error('teapot'), { status: 418, expose: true }), 418, ''],
  ]

  it.each(cases)('throws %s', async (_, make, status, detail) => {
    const convert = () => {
      throw make()
    }
    const later = () => Promise.reject(make())
    for (const options of [{ convert }, { convert: later }, { type: String, convert }]) {
      const { calls, resource } = valuesOf(options)
      const served = await start(resource)
      for (const source of textSources) {
        const answer = await sendText(served, source, ['x'])
        expect([source, answer.status]).toEqual([source, status])
        expect(answer.text).not.toContain(secret)
        if (detail === '') continue
        const [violation] = violationsOf(answer)
        expect(violation).toMatchObject({
          in: source === 'form' ? 'body' : source,
          pointer: pointers[source],
          code: 'convert',
        })
        expect(violation?.detail.toLowerCase()).toBe(detail)
      }
      expect((await sendJson(served, 'x')).status).toBe(status)
      expect(calls).toEqual([])
    }
  })

  it('is given the context', async () => {
    const { calls, resource } = valuesOf({ convert: (text: string, ctx: Context) => `${ctx.method} ${text}` })
    const served = await start(resource)
    await sendText(served, 'query', ['x'])
    await sendJson(served, 'y')
    expect(calls).toEqual(['GET x', 'POST y'])
  })
})

describe('explain', () => {
  it.each<[string, ParamOptions, readonly string[]]>([
    ['a wrong type', { type: Integer }, ['x']],
    ['a list for a scalar', { type: Integer }, ['1', '2']],
    ['another choice', { choices: ['a'] }, ['b']],
    ['a forbidden one', { forbidden: ['b'] }, ['b']],
    ['too little', { type: Integer, min: 5 }, ['1']],
    ['too much', { type: Integer, max: 5 }, ['9']],
    ['too long', { max: 2 }, ['abc']],
    ['no match', { pattern: /\d/ }, ['x']],
    ['too few', { list: 3 }, ['x']],
    ['absent', {}, []],
    ['refused by the converter', { convert: (text: string) => new URL(text) }, ['x']],
  ])('%s: the author’s sentence is the detail', async (_, options, texts) => {
    const { resource } = valuesOf({ ...options, explain: 'Say which one you want' })
    const answer = await sendText(await start(resource), 'query', texts)
    expect(answer.status).toBe(400)
    expect(violationsOf(answer).map(({ detail }) => detail)).toEqual(['Say which one you want'])
  })
})

describe('pipes', () => {
  it('are told of the parameter, and run for those of the application first', async () => {
    const seen: unknown[] = []
    const pipe = (mark: string) => (value: unknown, param: ParamPlan) => {
      seen.push([mark, param.name, param.source, param.where])
      return value
    }
    const { resource } = valuesOf({ type: Integer, pipes: [pipe('own')] })
    await sendText(await start(resource, { pipes: [pipe('all')] }), 'query', ['1'])
    const rest = ['v', 'query', 'Values.query, parameter 0 (v)']
    expect(seen).toEqual([
      ['all', ...rest],
      ['own', ...rest],
    ])
  })

  it('that fail are a failure of ours, unless they say otherwise', async () => {
    const failing = (error: unknown) => valuesOf({ pipes: [() => Promise.reject(error)] }).resource
    const status = async (error: unknown) => (await sendText(await start(failing(error)), 'query', ['x'])).status
    expect(await status(new Error('the database is down'))).toBe(500)
    expect(await status(new NotFound())).toBe(404)
  })
})

// --- Several values in one parameter -------------------------------------------------------------------------------------------

describe('several values by name', () => {
  const expected = { id: 7, otherNames: ['a'], plain: 'p', flag: false }

  @Resource('/maps')
  class Maps {
    @Get('/query') query(
      @Query({
        id: Integer,
        alias: { list: true, as: 'otherNames' },
        plain: {},
        flag: { type: Boolean, default: false },
      })
      all: object,
    ) {
      return all
    }
    @Get('/header') header(
      @Header({
        id: Integer,
        alias: { list: true, as: 'otherNames' },
        plain: {},
        flag: { type: Boolean, default: false },
      })
      all: object,
    ) {
      return all
    }
    @Get('/cookie') cookie(
      @Cookie({
        id: Integer,
        alias: { list: true, as: 'otherNames' },
        plain: {},
        flag: { type: Boolean, default: false },
      })
      all: object,
    ) {
      return all
    }
    @Post('/body') body(
      @Body({
        id: Integer,
        alias: { type: [String], as: 'otherNames' },
        plain: { type: String },
        flag: { type: Boolean, default: false },
      })
      all: object,
    ) {
      return all
    }
    @Get('/several') several(
      @Query('id', Integer)
      @Query('alias', { list: true, as: 'otherNames' })
      @Query('plain', String)
      @Query('flag', { type: Boolean, default: false })
      all: unknown,
    ) {
      return all
    }
    @Get('/path/:id/:plain') path(@Param('id', Integer) @Param('plain', { as: 'name' }) all: unknown) {
      return all
    }
    @Post('/bodies') bodies(
      @Body('id', Integer)
      @Body('plain', { type: String, as: 'name', convert: (text: string) => text.length })
      all: unknown,
    ) {
      return all
    }
  }
  const pairs = 'id=7&alias=a&plain=p'

  it('as a map or as several decorators: one object', async () => {
    const { ask } = await start(new Maps())
    const answers = [
      await ask('GET', `/maps/query?${pairs}`),
      await ask('GET', `/maps/several?${pairs}`),
      await ask('GET', '/maps/header', { headers: { id: '7', alias: 'a', plain: 'p' } }),
      await ask('GET', '/maps/cookie', { headers: { Cookie: pairs.replaceAll('&', '; ') } }),
      await ask('POST', '/maps/body', { body: { id: 7, alias: ['a'], plain: 'p' } }),
      await ask('POST', '/maps/body', { headers: form, body: pairs }),
    ]
    expect(answers.map((answer) => answer.json())).toEqual(answers.map(() => expected))
    expect(Object.keys(answers[1]?.json<object>() ?? {})).toEqual(['id', 'otherNames', 'plain', 'flag'])
    expect((await ask('GET', '/maps/path/7/p')).json()).toEqual({ id: 7, name: 'p' })
    expect((await ask('POST', '/maps/bodies', { body: { id: 7, plain: 'abc' } })).json()).toEqual({ id: 7, name: 3 })
  })

  it('all that is wrong is told at once, in the order of declaration', async () => {
    const { ask } = await start(new Maps())
    const wrong = ['/id type', '/alias required', '/plain required', '/flag type']
    expect(brief(await ask('GET', '/maps/query?flag=x&id=x&more=1'))).toEqual([400, ...wrong, '/more unknown'])
    expect(brief(await ask('GET', '/maps/several?flag=x&id=x'))).toEqual([400, ...wrong])
    expect(brief(await ask('GET', '/maps/header', { headers: { flag: 'x', id: 'x' } }))).toEqual([400, ...wrong])
    expect(brief(await ask('GET', '/maps/cookie', { headers: { Cookie: 'flag=x; id=x' } }))).toEqual([400, ...wrong])
    const body = { flag: 'x', id: 'x', more: 1 }
    expect(brief(await ask('POST', '/maps/body', { body }))).toEqual([422, '/more unknown', ...wrong])
    expect(brief(await ask('GET', '/maps/path/x/p'))).toEqual([400, '/id type'])
    expect(brief(await ask('POST', '/maps/body', { body: [] }))).toEqual([422, ' type'])
  })

  it('a default is no prototype', async () => {
    @Resource('/hostile')
    class Hostile {
      @Get() all(@Query({ __proto__x: { required: false }, constructor: { required: false } }) all: object) {
        return { own: Object.keys(all), proto: Object.getPrototypeOf(all) === Object.prototype }
      }
    }
    const { ask } = await start(new Hostile())
    const answer = await ask('GET', '/hostile?constructor=x')
    expect(answer.json()).toEqual({ own: ['__proto__x', 'constructor'], proto: true })
    expect(brief(await ask('GET', '/hostile?__proto__=x'))).toEqual([400, '/__proto__ unknown'])
  })
})

// --- The rest of the row ----------------------------------------------------------------------------------------------------------

describe('other parameters', () => {
  @Resource('/others')
  class Others {
    @Get('/context/:id') context(@Context() ctx: Context) {
      return { method: ctx.method, params: ctx.params }
    }
    @Get('/state') state(@State('user') user: unknown, @State() all: object, @State('none') none: unknown) {
      return { user, all, none: none === undefined }
    }
    @Get('/user') user(@User() user: unknown) {
      return { user: user ?? 'nobody' }
    }
    @Get('/signal') signal(@Signal() signal: AbortSignal) {
      return { signal: signal instanceof AbortSignal, aborted: signal.aborted }
    }
    @Get('/fields') fields(@Fields() fields: readonly string[]) {
      return fields
    }
    @Get('/page') @Paged({ max: 50, filter: ['name'], sort: ['name'] }) page(@Page() page: PageRequest) {
      return [page]
    }
    @Post('/raw') raw(@RawBody() bytes: Buffer) {
      return { bytes: Buffer.isBuffer(bytes), text: bytes.toString() }
    }
    @Post('/both') both(@RawBody() bytes: Buffer, @Body('n', Integer) n: number) {
      return { length: bytes.length, n }
    }
    @Post('/file') file(
      @File('one') one: UploadedFile,
      @Files('many', { max: 2 }) many: UploadedFile[],
      @Body('title', String) title: string,
    ) {
      return { one: one.filename, many: many.map(({ size }) => size), title }
    }
    @Get('/read') read(
      @Read((ctx) => ctx.get('x-tenant'), { convert: (text: string) => text.toUpperCase() }) tenant: string,
      @Read(async (ctx) => Promise.resolve(ctx.path)) path: string,
    ) {
      return { tenant, path }
    }
  }
  const middleware: AppOptions['middleware'] = [
    (ctx, next) => {
      ctx.state['user'] = { id: 'ann' }
      return next()
    },
  ]

  it('the context, its state, the user, a signal, fields, the page, and readers of one’s own', async () => {
    const { ask } = await start(new Others(), { middleware })
    const get = async (path: string, headers = {}) => (await ask('GET', `/others${path}`, { headers })).json()
    expect(await get('/context/7')).toEqual({ method: 'GET', params: { id: '7' } })
    expect(await get('/state')).toEqual({ user: { id: 'ann' }, all: { user: { id: 'ann' } }, none: true })
    expect(await get('/user')).toEqual({ user: { id: 'ann' } })
    expect(await get('/signal')).toEqual({ signal: true, aborted: false })
    expect(await get('/fields?fields=a,b.c')).toEqual(['a', 'b.c'])
    expect(await get('/fields')).toEqual([])
    expect(await get('/page?offset=0&limit=99&sort=-name&name=x&fields=limit,where')).toEqual([])
    expect(await get('/read', { 'X-Tenant': 'acme' })).toEqual({ tenant: 'ACME', path: '/others/read' })
  })

  it('bytes, alone or beside their values', async () => {
    const { ask } = await start(new Others())
    const send = async (path: string, body: string, type: string) =>
      (await ask('POST', `/others${path}`, { body, headers: { 'Content-Type': type } })).json()
    expect(await send('/raw', '{"broken', 'application/json')).toEqual({ bytes: true, text: '{"broken' })
    expect(await send('/both', '{"n": 1}', 'application/json')).toEqual({ length: 8, n: 1 })
  })

  it('uploads beside fields', async () => {
    const { ask } = await start(new Others())
    const part = (name: string, filename: string, text: string) =>
      `--b\r\nContent-Disposition: form-data; name="${name}"${filename && `; filename="${filename}"`}\r\n\r\n${text}\r\n`
    const send = (...parts: string[]) =>
      ask('POST', '/others/file', {
        body: `${parts.join('')}--b--\r\n`,
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      })
    const title = part('title', '', 't')
    const answer = await send(part('one', 'a.txt', 'x'), part('many', 'b.txt', 'yy'), part('many', 'c.txt', ''), title)
    expect(answer.json()).toEqual({ one: 'a.txt', many: [2, 0], title: 't' })
    expect(brief(await send(title))).toEqual([422, '/one required', '/many required'])
    const many = ['b', 'c', 'd'].map((name) => part('many', name, 'y'))
    expect(brief(await send(part('one', 'a', 'x'), part('one', 'b', 'x'), ...many, title))).toEqual([
      422,
      '/one type',
      '/many max',
    ])
  })
})

// --- Mistakes ---------------------------------------------------------------------------------------------------------------

/** The message of a mistake found at start. */
function mistake(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  throw new Error('nothing was found')
}

const boot = (Class: new () => object) => () => createApp({ resources: [new Class()] })

type Decorate = (target: object, name: string, index: number) => void

/** A resource whose compiler emitted these types, or none. */
function emitted(decorators: readonly (Decorate | undefined)[], types?: readonly unknown[], path = '/:id') {
  class Things {
    make(..._all: unknown[]) {
      return {}
    }
  }
  Object.defineProperty(Things.prototype.make, 'length', { value: decorators.length })
  decorators.forEach((decorate, index) => decorate?.(Things.prototype, 'make', index))
  Post(path)(Things.prototype, 'make')
  if (types) Reflect.defineMetadata('design:paramtypes', types, Things.prototype, 'make')
  Resource('/things')(Things)
  return Things
}

describe('mistakes found at start: class, method, parameter and cure', () => {
  interface Shape {
    side: number
  }
  class Part {
    @IsString() name!: string
  }
  const where = 'Things.make, parameter 0'

  it.each<[string, Decorate, string]>([
    ['@Body()', Body(), '@Body(Class)'],
    ["@Body('x')", Body('x'), "@Body('x', String)"],
    ['@Query()', Query(), '@Query(Class)'],
    ["@Query('x')", Query('x'), "('x', String)"],
    ["@Param('id')", Param('id'), "('id', String)"],
    ["@Header('x')", Header('x'), "('x', String)"],
    ["@Cookie('x')", Cookie('x'), "('x', String)"],
  ])('%s where the compiler emits no types', (_, decorate, cure) => {
    const message = mistake(boot(emitted([decorate])))
    expect(message).toContain(where)
    expect(message).toContain('the compiler emitted no types')
    expect(message).toContain('"emitDecoratorMetadata": true')
    expect(message).toContain(cure)
  })

  it('explicit types, converters and pipes need none', () => {
    const decorators: readonly Decorate[] = [
      Body('a', String),
      Body('b', [Integer]),
      Body('c', Part),
      Query('d', Boolean),
      Param('id', { convert: Number }),
      Header('e', { pipes: [(value) => value] }),
      Query({ f: Integer, g: {} }),
      Context(),
      State('x'),
      RawBody(),
    ]
    expect(boot(emitted(decorators))).not.toThrow()
    expect(boot(emitted([Body(Part)]))).not.toThrow()
    expect(boot(emitted([Body([Part]), Query(Part)]))).not.toThrow()
  })

  it.each<[string, Decorate, string]>([
    ['@Body()', Body(), '@Body(Class)'],
    ['@Query()', Query(), '@Query(Class)'],
    ["@Body('x')", Body('x'), "@Body('x', String)"],
  ])('%s of an interface', (_, decorate, cure) => {
    const message = mistake(boot(emitted([decorate], [Object])))
    expect(message).toContain(where)
    expect(message).toContain('an interface, a union, a type alias or unknown')
    expect(message).toContain(cure)
  })

  it('the compiler of this file emits them', () => {
    @Resource('/shapes')
    class Shapes {
      @Post() make(@Param('id') id: string, @Body() shape: Shape) {
        return { id, shape }
      }
    }
    @Resource('/shapes')
    class Lists {
      @Post() make(@Body() parts: Part[]) {
        return parts
      }
    }
    @Resource('/shapes')
    class Named {
      @Post() make(@Body('names') names: string[]) {
        return names
      }
    }
    expect(mistake(boot(Shapes))).toMatch(/^Shapes\.make, parameter [01]/)
    expect(mistake(boot(Lists))).toMatch(/^Lists\.make, parameter 0: it is an array, .* Write @Body\(\[Class\]\)\.$/)
    expect(mistake(boot(Named))).toMatch(
      /^Named\.make, parameter 0.*: it is an array, .*@Body\('names', \[String\]\)\.$/,
    )
  })

  it.each<[string, Decorate, string, string]>([
    ['a name that the path lacks', Param('other', String), '(other)', 'Put "/:other" into it'],
    ['@Page without @Paged', Page(), 'parameter 0', 'Put @Paged() on the method'],
    [
      'required with a default',
      Query('x', { type: String, required: true, default: 'y' }),
      '(x)',
      'Leave one of them out',
    ],
    ['a default of another type', Query('x', { type: Integer, default: 'y' }), '(x)', 'Change the default'],
    ['a default of another type, in a body', Body('x', { type: Integer, default: '7' }), '(x)', 'Change the default'],
    ['a default that is no whole number', Query('x', { type: Integer, default: 1.5 }), '(x)', 'Change the default'],
    [
      'a default that is not strict',
      Query('x', { type: Boolean, strict: true, default: 'yes' }),
      '(x)',
      'Change the default',
    ],
    [
      'a default out of bounds',
      Query('x', { type: Integer, max: 5, default: 6 }),
      'must be at most 5',
      'Change the default',
    ],
    [
      'a default that is no choice',
      Query('x', { type: String, choices: ['a'], default: 'b' }),
      'one of: a',
      'Change the default',
    ],
    [
      'a default that is forbidden',
      Query('x', { type: String, forbidden: ['b'], default: 'b' }),
      '(x)',
      'Change the default',
    ],
    [
      'a default that matches not',
      Query('x', { type: String, pattern: /\d+/, default: 'b' }),
      '(x)',
      'Change the default',
    ],
    ['a default that is no list', Query('x', { type: [String], default: 'b' }), 'must be a list', 'Change the default'],
    [
      'a default list that is too short',
      Query('x', { type: [String], list: '+', default: [] }),
      '(x)',
      'Change the default',
    ],
    ['a default with a wrong element', Query('x', { type: [Integer], default: [1, 'x'] }), '(x)', 'Change the default'],
    ['a default in a map', Query({ x: { type: Integer, default: 'y' } }), '(x)', 'Change the default'],
    [
      'required with a default, in a map',
      Query({ x: { required: true, default: 'y' } }),
      '(x)',
      'Leave one of them out',
    ],
    ['a class from text', Param('id', Part), 'a text cannot be made into a Part', 'Give `convert` or a pipe'],
    [
      'a list of a class from text',
      Query('x', [Part]),
      'a text cannot be made into a Part',
      'Give `convert` or a pipe',
    ],
    ['a class from a header', Header('x', Part), 'a text cannot be made into a Part', 'Give `convert` or a pipe'],
    ['a class from text in a map', Query({ x: Part }), 'a text cannot be made into a Part', 'Give `convert` or a pipe'],
    ['two values bound as one', Query({ a: { as: 'c' }, b: { as: 'c' } }), 'bound as "c"', 'another `as`'],
  ])('%s', (_, decorate, what, cure) => {
    for (const types of [undefined, [Object]]) {
      const message = mistake(boot(emitted([decorate], types)))
      expect(message).toContain(where)
      expect(message).toContain(what)
      expect(message).toContain(cure)
    }
  })

  it('a declared class from text', () => {
    const message = mistake(boot(emitted([Param('id')], [Part])))
    expect(message).toContain(`${where} (id)`)
    expect(message).toContain('a text cannot be made into a Part')
  })

  it.each<[string, readonly (Decorate | undefined)[], number]>([
    ['the only one', [undefined], 0],
    ['the first', [undefined, Param('id', String)], 0],
    ['the second', [Param('id', String), undefined], 1],
    ['one between', [Param('id', String), undefined, Context()], 1],
  ])('a parameter without a decorator: %s', (_, decorators, index) => {
    for (const types of [undefined, decorators.map(() => String)]) {
      const message = mistake(boot(emitted(decorators, types)))
      expect(message).toContain(`Things.make, parameter ${index}`)
      expect(message).toContain('it has no decorator')
      expect(message).toContain('Put @Param, @Query, @Body, @Context')
    }
  })

  it.each<[string, readonly Decorate[]]>([
    ['of two sources', [Query('a', String), Header('b', String)]],
    ['one of them nameless', [Query('a', String), Query(Part)]],
    ['one of them a map', [Query('a', String), Query({ b: String })]],
    ['two of the context', [Context(), State('x')]],
  ])('several decorators on one parameter, %s', (_, decorators) => {
    const all: Decorate = (target, name, index) => {
      for (const decorate of [...decorators].reverse()) decorate(target, name, index)
    }
    const message = mistake(boot(emitted([all], [Object])))
    expect(message).toContain(where)
    expect(message).toContain('several decorators that do not belong together')
    expect(message).toContain('Bind several values of one source, each by its name')
  })

  it('several decorators that bind one name twice', () => {
    const all: Decorate = (target, name, index) => {
      Query('a', { as: 'x' })(target, name, index)
      Query('b', { as: 'x' })(target, name, index)
    }
    expect(mistake(boot(emitted([all], [Object])))).toContain('two values are bound as "x"')
  })
})

describe('decorators in the wrong place', () => {
  class Target {
    constructor(readonly value?: unknown) {}
    method() {
      return 1
    }
    static method() {
      return 1
    }
  }
  const parameters: Readonly<Record<string, Decorate>> = {
    Param: Param('x', String),
    Query: Query('x', String),
    Header: Header('x', String),
    Cookie: Cookie('x', String),
    Body: Body(),
    Page: Page(),
    Fields: Fields(),
    Context: Context(),
    State: State(),
    User: User(),
    Signal: Signal(),
    RawBody: RawBody(),
    File: File('x'),
    Files: Files('x'),
    Read: Read(() => 1),
  }

  it.each(Object.entries(parameters))('@%s', (name, decorate) => {
    const loose = decorate as (target: object, name?: string | symbol, third?: unknown) => void
    const places: readonly (readonly [() => void, string, string])[] = [
      [() => loose(Target, undefined, 0), 'Target constructor, parameter 0', 'a parameter of the constructor'],
      [() => loose(Target, 'method', 0), 'Target.method, parameter 0', 'a parameter of a static method'],
      [() => loose(Target), 'Target', 'a class'],
      [
        () => loose(Target.prototype, 'method', Object.getOwnPropertyDescriptor(Target.prototype, 'method')),
        'Target.method',
        'a method',
      ],
      [() => loose(Target.prototype, 'value'), 'Target.value', 'a property'],
      [() => loose(Target.prototype, 'value', undefined), 'Target.value', 'a property'],
    ]
    for (const [place, where, what] of places) {
      const message = mistake(place)
      expect(message).toContain(`${where}: @${name} stands on ${what}.`)
      expect(message).toContain('Put it on a parameter of a method of the instance')
    }
  })

  const methods = [
    'Get',
    'Post',
    'Put',
    'Patch',
    'Delete',
    'Head',
    'Options',
    'Status',
    'OnNull',
    'Redirect',
    'Returns',
    'Paged',
    'Summary',
    'ErrorHandler',
  ] as const

  it.each(methods)('@%s on a class or a static method', (name) => {
    const make = kumu[name] as (first?: unknown) => (target: object, name?: string) => void
    const decorate = make(name === 'Status' || name === 'OnNull' ? 200 : name === 'Paged' ? {} : '/')
    expect(mistake(() => decorate(Target))).toContain(`Target: @${name} stands on a class. Put it on a method`)
    expect(mistake(() => decorate(Target, 'method'))).toContain(`Target.method: @${name} stands on a static method.`)
  })

  it('@Resource on a method', () => {
    const decorate = Resource('/x') as (target: object, name?: string) => void
    expect(mistake(() => decorate(Target.prototype, 'method'))).toContain(
      'Target.method: @Resource stands on a method. Put it on the class',
    )
    expect(mistake(() => decorate(Target, 'method'))).toContain(
      'Target.method: @Resource stands on a method. Put it on the class',
    )
  })

  it('paths without their slash', () => {
    expect(mistake(() => Resource('things')(Target))).toContain('Write "/things"')
    expect(mistake(() => Get('one')(Target.prototype, 'method'))).toMatch(/^Target\.method: .*@Get.* Write "\/one"\.$/)
  })
})

describe('B79: standard (TC39) decorators', () => {
  class Target {}
  const made: Readonly<Record<string, unknown>> = {
    Atomic: kumu.Atomic(),
    Authorize: kumu.Authorize(),
    Body: Body(),
    Consumes: kumu.Consumes('text/plain'),
    Context: Context(),
    Cookie: Cookie('x'),
    Delete: kumu.Delete(),
    Deprecated: kumu.Deprecated(),
    ErrorHandler: kumu.ErrorHandler(404),
    Fields: Fields(),
    File: File('x'),
    Files: Files('x'),
    Get: Get(),
    Head: kumu.Head(),
    Header: Header('x'),
    Intercept: kumu.Intercept(),
    Limit: kumu.Limit({}),
    Method: kumu.Method('REPORT'),
    OnNull: kumu.OnNull(200),
    Open: kumu.Open(),
    Options: kumu.Options(),
    Page: Page(),
    Paged: Paged(),
    Param: Param('x'),
    Patch: kumu.Patch(),
    Post: Post(),
    Produces: kumu.Produces('text/plain'),
    Put: kumu.Put(),
    Query: Query(),
    RawBody: RawBody(),
    Read: Read(() => 1),
    Redirect: kumu.Redirect('/'),
    RequireMatch: kumu.RequireMatch(),
    Resource: Resource('/x'),
    ResponseHeader: kumu.ResponseHeader('x', 'y'),
    Returns: kumu.Returns(Target),
    Signal: Signal(),
    State: State(),
    Status: kumu.Status(200),
    Summary: kumu.Summary('x'),
    Tag: kumu.Tag('x'),
    Throws: kumu.Throws(Error),
    Timeout: kumu.Timeout(1),
    UnknownQuery: kumu.UnknownQuery('ignore'),
    Use: kumu.Use(),
    User: User(),
    Version: kumu.Version('v1'),
  }
  const contexts = [
    { kind: 'class', name: 'Target', addInitializer: () => undefined, metadata: {} },
    { kind: 'method', name: 'make', static: false, private: false, addInitializer: () => undefined, metadata: {} },
    { kind: 'field', name: 'field', static: false, private: false, addInitializer: () => undefined, metadata: {} },
  ]

  it.each(Object.entries(made))('@%s is refused at once, and says what to set', (name, decorator) => {
    const decorate = decorator as (value: unknown, context: object) => void
    for (const context of contexts) {
      const values: Record<string, unknown> = { class: Target, method: () => 1 }
      const message = mistake(() => decorate(values[context.kind], context))
      expect(message).toContain(`@${name}: it was called as a standard (TC39) decorator`)
      expect(message).toContain('"experimentalDecorators": true')
      expect(message).toContain('"emitDecoratorMetadata": true')
    }
  })

  it('and nothing is left behind of it', async () => {
    @Resource('/clean')
    class Clean {
      @Get() one() {
        return { clean: true }
      }
    }
    expect(() =>
      (Post('/other') as unknown as (value: unknown, context: object) => void)(Clean, contexts[1] as object),
    ).toThrow()
    const { ask } = await start(new Clean())
    expect((await ask('GET', '/clean')).json()).toEqual({ clean: true })
    expect((await ask('POST', '/clean/other')).status).toBe(404)
  })

  it('the legacy dialect is what this file is compiled in', async () => {
    class Inner {
      @IsInt() n!: number
    }
    class Outer {
      @ValidateNested() inner!: Inner
    }
    @Resource('/legacy')
    class Legacy {
      @Post() make(@Body() body: Outer) {
        return { inner: body.inner instanceof Inner }
      }
    }
    const { ask } = await start(new Legacy())
    expect((await ask('POST', '/legacy', { body: { inner: { n: 1 } } })).json()).toEqual({ inner: true })
  })
})

describe('@Body(Object)', () => {
  @Resource('/any')
  class Anything {
    @Post() whole(@Body(Object) body: unknown) {
      return { body }
    }
    @Post('/member') member(@Body('a', { type: Object }) a: unknown) {
      return { a }
    }
  }

  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const xml = { 'Content-Type': 'application/xml' }

  it.each([
    ['/any', form, 'a=1&b[c]=x&d=1&d=2', { body: { a: '1', b: { c: 'x' }, d: ['1', '2'] } }],
    ['/any', xml, '<r><a>1</a><b><c>x</c></b></r>', { body: { a: '1', b: { c: 'x' } } }],
    ['/any', {}, { a: [1, null] }, { body: { a: [1, null] } }],
    ['/any/member', form, 'a[b]=1', { a: { b: '1' } }],
    ['/any/member', xml, '<r><a><b>1</b></a></r>', { a: { b: '1' } }],
  ])('%s takes any tree: %j %j', async (path, headers, body, expected) => {
    const { ask } = await serve(createApp({ resources: [Anything] }))
    const answer = await ask('POST', path, { headers, body })
    expect([answer.status, answer.json()]).toEqual([200, expected])
  })
})

it('a parameter of the prefix is read like any other', async () => {
  @Resource('/rooms')
  class Rooms {
    @Get('/:id') one(@Param('tenant') tenant: string, @Param('id', Integer) id: number) {
      return { tenant, id }
    }
  }
  const { ask } = await serve(createApp({ resources: [Rooms], prefix: '/t/:tenant' }))
  expect((await ask('GET', '/t/acme/rooms/7')).json()).toEqual({ tenant: 'acme', id: 7 })
})
