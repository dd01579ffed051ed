import {
  BadRequest,
  Body,
  ConfigurationError,
  Cookie,
  createApp,
  definePlan,
  Get,
  Header,
  Limit,
  Paged,
  Param,
  Post,
  Query,
  reply,
  Resource,
  Returns,
  ServiceUnavailable,
  slice,
  UnknownQuery,
  ValidationError,
  ErrorHandler,
  type AppOptions,
  type ParamOptions,
  type ParamType,
  type StandardSchema,
} from 'kumu'
import fc from 'fast-check'
import * as v from 'valibot'
import { z } from 'zod'
import { createSchemaPipe } from '../../src/validation/standard-schema'
import { loadModules } from '../support/load-modules'
import { brief, violationsOf } from '../support/refusal'
import { closeAll, serve, type Answer, type Served } from '../support/serve'

const { type } = loadModules('arktype') as typeof import('arktype', { with: { 'resolution-mode': 'import' } })

afterEach(closeAll)

const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

async function start(resource: object, options: AppOptions = {}): Promise<Served> {
  const app = createApp({ resources: [resource], ...options })
  app.silent = true
  return serve(app)
}

/** A resource that answers what it was given as its body. */
function bodyOf(given: ParamType, options: ParamOptions = {}): object {
  @Resource('/things')
  class Things {
    @Post() make(@Body(given, options) body: unknown) {
      return { body }
    }
  }
  return new Things()
}

/** The same of one member of a body. */
function memberOf(options: ParamOptions): object {
  @Resource('/things')
  class Things {
    @Post() make(@Body('thing', options as { type: StandardSchema }) body: unknown) {
      return { body }
    }
  }
  return new Things()
}

/** The same of a whole query. */
function queryOf(given: ParamType): object {
  @Resource('/things')
  class Things {
    @Get() find(@Query(given) query: unknown) {
      return { query }
    }
  }
  return new Things()
}

/** A schema of nobody's library. */
function schemaOf(validate: (value: unknown) => unknown): StandardSchema {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as StandardSchema['~standard']['validate'] } }
}

const issue = (message: string, path?: readonly PropertyKey[]) => ({ issues: [{ message, path }] })

async function post(resource: object, body: unknown, options?: AppOptions): Promise<Answer> {
  const { ask } = await start(resource, options)
  return ask('POST', '/things', { body })
}

/** As `brief`, in order: each library has one of its own. */
function told(answer: Answer): readonly (string | number)[] {
  const [status = 0, ...violations] = brief(answer)
  return [status, ...violations.sort()]
}

function mistake(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  throw new Error('nothing was found')
}

// --- What every library has to do ------------------------------------------------------------------------------------

interface Library {
  readonly user: StandardSchema
  /** Takes no other members. */
  readonly strict: StandardSchema
  readonly users: StandardSchema
  /** Whole numbers of text. */
  readonly whole: StandardSchema
  readonly filter: StandardSchema
  /** Every kind of rule, on `a` to `f`. */
  readonly rules: StandardSchema
  /** Codes of the violations of a wrong name and a wrong email. */
  readonly codes: readonly [string, string]
}

const zodUser = z.object({ name: z.string().min(1).max(80), email: z.email(), age: z.int().min(0).optional() })

const valibotUser = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(80)),
  email: v.pipe(v.string(), v.email()),
  age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
})
const valibotWhole = v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))

const arkUser = type({ name: '1 <= string <= 80', email: 'string.email', 'age?': 'number.integer >= 0' })

const libraries: Readonly<Record<string, Library>> = {
  zod: {
    user: zodUser,
    strict: z.strictObject({ name: z.string() }),
    users: z.array(zodUser).max(2),
    whole: z.coerce.number().int(),
    filter: z.object({ limit: z.coerce.number().int().default(10), tag: z.array(z.string()).optional() }),
    rules: z.object({
      a: z.number(),
      b: z.email(),
      c: z.enum(['x', 'y']),
      d: z.literal(3),
      e: z.string().max(3),
      f: z.union([z.number(), z.object({ g: z.string() })]),
    }),
    codes: ['too_small', 'invalid_format'],
  },
  valibot: {
    user: valibotUser,
    strict: v.strictObject({ name: v.string() }),
    users: v.pipe(v.array(valibotUser), v.maxLength(2)),
    whole: valibotWhole,
    filter: v.object({ limit: v.optional(valibotWhole, '10'), tag: v.optional(v.array(v.string())) }),
    rules: v.object({
      a: v.number(),
      b: v.pipe(v.string(), v.email()),
      c: v.picklist(['x', 'y']),
      d: v.literal(3),
      e: v.pipe(v.string(), v.startsWith('q')),
      f: v.union([v.number(), v.object({ g: v.string() })]),
    }),
    codes: ['invalid', 'invalid'],
  },
  arktype: {
    user: arkUser,
    strict: type({ '+': 'reject', name: 'string' }),
    users: arkUser.array().atMostLength(2),
    whole: type('string.integer.parse'),
    filter: type({ limit: type('string.integer.parse').default('10'), 'tag?': 'string[]' }),
    rules: type({
      a: 'string.json.parse',
      b: 'string.email & string.uuid',
      c: "'x' | 'y'",
      d: '3',
      e: 'string <= 3',
      f: type('number').or({ g: 'string' }),
    }),
    codes: ['minLength', 'pattern'],
  },
}

describe.each(Object.entries(libraries))('%s', (name, library) => {
  const good = { name: 'Ada', email: 'ada@example.org', age: 36 }
  const bad = { name: '', email: 'ada.example.org', age: 36 }

  it('@Body(schema): what it makes of the body', async () => {
    const answer = await post(bodyOf(library.user), good)
    expect(answer.status).toBe(200)
    expect(answer.json()).toEqual({ body: good })
  })

  it('@Body(schema): 422 with pointer, code and sentence', async () => {
    const answer = await post(bodyOf(library.user), bad)
    const [first, second] = library.codes
    expect(told(answer)).toEqual([422, `/email ${second}`, `/name ${first}`])
    expect(answer.headers['content-type']).toMatch('application/problem+json')
    expect(answer.json()).toMatchObject({ code: 'validation', errors: [{ in: 'body' }, { in: 'body' }] })
    for (const { detail } of violationsOf(answer)) expect(detail).toMatch(/\w+/)
  })

  it('@Body(schema): the whole body is of the wrong kind, or missing', async () => {
    const { ask } = await start(bodyOf(library.user))
    for (const body of ['[]', '5', '"Ada"', 'null']) {
      const answer = await ask('POST', '/things', { body, headers: { 'Content-Type': 'application/json' } })
      expect(answer.status).toBe(422)
    }
    const none = await ask('POST', '/things')
    expect(none.status).toBeGreaterThanOrEqual(400)
    expect(none.status).toBeLessThan(500)
  })

  it('@Body(schema): its own strictness decides on other members', async () => {
    const more = { name: 'Ada', admin: true }
    const answer = await post(bodyOf(library.strict), more)
    expect(answer.status).toBe(422)
    expect(violationsOf(answer)).toHaveLength(1)
  })

  it('@Body(schema): a form is text that the schema reads', async () => {
    const { ask } = await start(bodyOf(library.filter))
    const answer = await ask('POST', '/things', { body: 'limit=7&tag=a&tag=b', headers: form })
    expect(answer.json()).toEqual({ body: { limit: 7, tag: ['a', 'b'] } })
    expect(brief(await ask('POST', '/things', { body: 'limit=x', headers: form }))[0]).toBe(422)
  })

  it('@Body([schema]): each element', async () => {
    const { ask } = await start(bodyOf([library.user]))
    expect((await ask('POST', '/things', { body: [good, good] })).json()).toEqual({ body: [good, good] })
    const [first, second] = library.codes
    const answer = await ask('POST', '/things', { body: [good, bad, { ...bad, name: 'Bob' }] })
    expect(told(answer)).toEqual([422, `/1/email ${second}`, `/1/name ${first}`, `/2/email ${second}`])
    expect(brief(await ask('POST', '/things', { body: good }))).toEqual([422, ' type'])
    expect((await ask('POST', '/things', { body: [] })).json()).toEqual({ body: [] })
  })

  it('a schema of a list', async () => {
    const { ask } = await start(bodyOf(library.users))
    expect((await ask('POST', '/things', { body: [good] })).status).toBe(200)
    expect(brief(await ask('POST', '/things', { body: [good, bad] })).slice(1)).toContain(
      `/1/email ${library.codes[1]}`,
    )
    expect((await ask('POST', '/things', { body: [good, good, good] })).status).toBe(422)
  })

  it('@Body(name, { type: schema }): pointers below the name', async () => {
    const { ask } = await start(memberOf({ type: library.user }))
    expect((await ask('POST', '/things', { body: { thing: good } })).json()).toEqual({ body: good })
    const [first, second] = library.codes
    expect(told(await ask('POST', '/things', { body: { thing: bad } }))).toEqual([
      422,
      `/thing/email ${second}`,
      `/thing/name ${first}`,
    ])
    expect(brief(await ask('POST', '/things', { body: {} }))).toEqual([422, '/thing required'])
    expect(brief(await ask('POST', '/things', { body: { thing: good, other: 1 } }))).toEqual([422, '/other unknown'])
  })

  it('@Query(schema): text, expanded', async () => {
    const { ask } = await start(queryOf(library.filter))
    expect((await ask('GET', '/things?limit=7&tag=a&tag=b')).json()).toEqual({ query: { limit: 7, tag: ['a', 'b'] } })
    expect((await ask('GET', '/things')).json()).toEqual({ query: { limit: 10 } })
    const answer = await ask('GET', '/things?limit=x')
    expect(answer.status).toBe(400)
    expect(violationsOf(answer)).toMatchObject([{ in: 'query', pointer: '/limit' }])
    expect(answer.json()).toMatchObject({ code: 'arguments' })
  })

  it('@Param, @Query, @Header, @Cookie with a schema: one text', async () => {
    @Resource('/things')
    class Things {
      @Get('/:id')
      one(
        @Param('id', { type: library.whole }) id: unknown,
        @Query('q', { type: library.whole, required: false }) q: unknown,
        @Header('x-n', { type: library.whole, default: 3 }) n: unknown,
        @Cookie('c', { type: library.whole, required: false }) c: unknown,
      ) {
        return { id, q, n, c }
      }
    }
    const { ask } = await start(new Things())
    const all = await ask('GET', '/things/1?q=2', { headers: { 'X-N': '4', Cookie: 'c=5' } })
    expect(all.json()).toEqual({ id: 1, q: 2, n: 4, c: 5 })
    expect((await ask('GET', '/things/1')).json()).toEqual({ id: 1, n: 3 })
    for (const [path, headers, source, pointer] of [
      ['/things/x', {}, 'path', '/id'],
      ['/things/1?q=x', {}, 'query', '/q'],
      ['/things/1?q=1&q=2', {}, 'query', '/q'],
      ['/things/1', { 'X-N': 'x' }, 'header', '/x-n'],
      ['/things/1', { Cookie: 'c=x' }, 'cookie', '/c'],
    ] as const) {
      const answer = await ask('GET', path, { headers })
      expect(answer.status).toBe(400)
      expect(violationsOf(answer)).toMatchObject([{ in: source, pointer }])
    }
    expect(brief(await ask('GET', '/things/1?r=2'))).toEqual([400, '/r unknown'])
  })

  it('several values by name, and lists of them', async () => {
    @Resource('/things')
    class Things {
      @Get() find(@Query({ a: library.whole, b: { type: [library.whole], default: [], as: 'all' } }) values: object) {
        return values
      }
      @Post() make(@Body({ user: library.user, users: [library.user] }) values: object) {
        return values
      }
    }
    const { ask } = await start(new Things())
    expect((await ask('GET', '/things?a=1&b=2&b=3')).json()).toEqual({ a: 1, all: [2, 3] })
    expect((await ask('GET', '/things?a=1&b=2')).json()).toEqual({ a: 1, all: [2] })
    expect((await ask('GET', '/things?a=1')).json()).toEqual({ a: 1, all: [] })
    expect(brief(await ask('GET', '/things?a=1&b=2&b=x'))[1]).toMatch(/^\/b\/1 /)
    expect((await ask('POST', '/things', { body: { user: good, users: [good] } })).status).toBe(200)
    const [first, second] = library.codes
    expect(told(await ask('POST', '/things', { body: { user: good, users: [bad] } }))).toEqual([
      422,
      `/users/0/email ${second}`,
      `/users/0/name ${first}`,
    ])
  })

  it('never tells what was submitted', async () => {
    const { ask } = await start(bodyOf(library.rules))
    const secret = 'hunter2-secret'
    for (const value of [
      secret,
      `${secret}") (was "`,
      secret.repeat(10_000),
      's3c',
      7919.25,
      { g: 7919.25 },
      [secret],
    ]) {
      const answer = await ask('POST', '/things', {
        body: { a: value, b: value, c: value, d: value, e: value, f: value },
      })
      expect(answer.status).toBe(422)
      expect(violationsOf(answer).length).toBeGreaterThan(3)
      expect(answer.text).not.toMatch(/hunter2|s3c|7919/)
      expect(answer.text.length).toBeLessThan(4000)
      for (const { detail } of violationsOf(answer)) expect(detail).not.toMatch(/\((was|received)? ?"?$|received$/)
    }
  })

  it('@Returns(schema): a reply that breaks it is a 500 with the violations in the log', async () => {
    const logged: Error[] = []
    let value: unknown
    @Resource('/things')
    class Things {
      @Get() @Returns(library.user) one() {
        return value
      }
      @Get('/all') @Returns([library.user]) @Paged() all() {
        return value
      }
    }
    const logger = { error: (details: object) => void logged.push((details as { err: Error }).err) }
    const { ask } = await start(new Things(), { development: true, logger })
    for (const right of [good, reply(201, good), undefined, null, reply(409, { why: 'taken' }), Buffer.from('bytes')]) {
      value = right
      expect((await ask('GET', '/things')).status).not.toBe(500)
    }
    for (const right of [[good], slice([good], 1)]) {
      value = right
      expect((await ask('GET', '/things/all')).status).toBe(200)
    }
    expect(logged).toEqual([])
    value = { ...good, email: 'hunter2-secret' }
    const answer = await ask('GET', '/things')
    expect(answer.status).toBe(500)
    expect(answer.text).not.toMatch(/hunter2|email/)
    expect(logged[0]?.message).toMatch(/^Things\.one returned what its schema refuses: \/email \w+$/)
    value = slice([good, bad])
    expect((await ask('GET', '/things/all')).status).toBe(500)
    value = 'no user'
    expect((await ask('GET', '/things')).status).toBe(500)
  })

  it('@Returns(schema): nothing is checked in production', async () => {
    @Resource('/things')
    class Things {
      @Get() @Returns(library.user) one() {
        return bad
      }
    }
    const { ask } = await start(new Things(), { development: false })
    expect((await ask('GET', '/things')).json()).toEqual(bad)
  })

  it('is told in messages of start by its library', () => {
    expect(mistake(() => createApp({ resources: [bodyOf(library.user, { min: 3 })] }))).toMatch(
      /Things\.make, parameter 0.*`min`.*Say it in the schema/s,
    )
    expect(library.user['~standard'].vendor).toBe(name)
  })
})

// --- What a library may do -------------------------------------------------------------------------------------------

describe('asynchronous schemas', () => {
  const taken = async (name: string): Promise<boolean> => {
    await new Promise((resolve) => setImmediate(resolve))
    return name !== 'taken'
  }

  it.each([
    ['zod', z.object({ name: z.string().refine(taken) }), 'custom'],
    ['valibot', v.objectAsync({ name: v.pipeAsync(v.string(), v.checkAsync(taken)) }), 'invalid'],
  ] as const)('%s', async (_, schema, code) => {
    const one = await start(bodyOf(schema))
    expect((await one.ask('POST', '/things', { body: { name: 'free' } })).json()).toEqual({ body: { name: 'free' } })
    expect(brief(await one.ask('POST', '/things', { body: { name: 'taken' } }))).toEqual([422, `/name ${code}`])
    const many = await start(bodyOf([schema]))
    const body = [{ name: 'free' }, { name: 'taken' }]
    expect(brief(await many.ask('POST', '/things', { body }))).toEqual([422, `/1/name ${code}`])
    expect((await many.ask('POST', '/things', { body: body.slice(0, 1) })).status).toBe(200)
  })

  it('one element of a list after the other', async () => {
    let running = 0
    let most = 0
    const schema = schemaOf(async (value) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return { value }
    })
    expect((await post(bodyOf([schema]), [1, 2, 3])).json()).toEqual({ body: [1, 2, 3] })
    expect(most).toBe(1)
  })

  it('takes a promise of another making', async () => {
    const thenable = { then: (resolve: (result: unknown) => void) => resolve(issue('no', ['a'])) }
    expect(brief(await post(bodyOf(schemaOf(() => thenable)), {}))).toEqual([422, '/a invalid'])
  })
})

describe('a schema that fails', () => {
  function fail(): never {
    throw new Error('hunter2')
  }

  it.each<readonly [string, () => unknown]>([
    ['throws', fail],
    ['rejects', () => Promise.reject(new Error('hunter2'))],
    ['gives nothing', () => undefined],
    ['gives something else', () => ({ hunter2: true })],
    ['promises something else', () => Promise.resolve('hunter2')],
  ])('%s: 500, and nothing of it is sent', async (_, validate) => {
    for (const resource of [bodyOf(schemaOf(validate)), bodyOf([schemaOf(validate)])]) {
      const answer = await post(resource, [{}])
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain('hunter2')
    }
  })

  it('an HttpError of it is the answer', async () => {
    const schema = schemaOf(() => {
      throw new ServiceUnavailable('The directory is away')
    })
    expect((await post(bodyOf(schema), {})).status).toBe(503)
  })
})

describe('issues', () => {
  it('path segments are keys or objects with a key, text or number', async () => {
    const schema = schemaOf(() => ({
      issues: [
        { message: 'is wrong', path: ['a', 0, 'b/c~d'] },
        { message: 'is wrong', path: [{ key: 'e' }, { key: 1 }, Symbol('f')] },
        { message: 'is wrong', path: [{ key: 'x'.repeat(1000) }] },
        { message: 'is wrong' },
        { message: undefined, path: ['a', 0] },
        { message: 'is wrong', code: 'with space' },
        { message: 'is wrong', code: 7 },
      ],
    }))
    const answer = await post(bodyOf(schema), { a: [{}] })
    expect(brief(answer)).toEqual([
      422,
      '/a/0/b~1c~0d invalid',
      '/e/1/f invalid',
      `/${'x'.repeat(128)}… invalid`,
      ' invalid',
      '/a/0 invalid',
      ' invalid',
      ' invalid',
    ])
    expect(violationsOf(answer)[4]?.detail).toBe('a[0] is not valid')
  })

  it('of the root in arktype point to the root', async () => {
    expect(brief(await post(bodyOf(type('string.email')), 5))).toEqual([422, ' domain'])
    expect(brief(await post(bodyOf(type('number').or({ g: 'string' })), [5]))[1]).toMatch(/^(\/g)? /)
  })

  it('none at all is a failure all the same', async () => {
    const answer = await post(bodyOf(schemaOf(() => ({ issues: [] }))), {})
    expect(brief(answer)).toEqual([422, ' invalid'])
    expect(violationsOf(answer)[0]?.detail).toBe('The body is not valid')
  })

  it('at most a hundred are told', async () => {
    const wrong = Array.from({ length: 500 }, (_, index) => ({ message: `no ${index}`, path: [index] }))
    expect(violationsOf(await post(bodyOf(schemaOf(() => ({ issues: wrong }))), {}))).toHaveLength(100)
    expect(
      violationsOf(
        await post(
          bodyOf([z.number()]),
          Array.from({ length: 500 }, () => 'x'),
        ),
      ),
    ).toHaveLength(100)
    expect(
      violationsOf(
        await post(
          bodyOf(z.array(z.number())),
          Array.from({ length: 500 }, () => 'x'),
        ),
      ),
    ).toHaveLength(100)
  })

  it('a message that quotes another member, or an excerpt, is not told', async () => {
    const schema = z.object({ password: z.string(), again: z.string() }).superRefine((value, ctx) => {
      ctx.addIssue({ code: 'custom', path: ['again'], message: `must equal ${value.password}` })
      ctx.addIssue({ code: 'custom', path: ['again'], message: `cannot read ${value.password.slice(3, 13)}…` })
      ctx.addIssue({ code: 'custom', path: ['again'], message: 'must be repeated' })
    })
    const answer = await post(bodyOf(schema), { password: 'hunter2-secret', again: 'x' })
    expect(violationsOf(answer).map(({ detail }) => detail)).toEqual([
      'again is not valid',
      'again is not valid',
      'must be repeated',
    ])
  })

  it('an explanation takes the place of all messages', async () => {
    const resource = memberOf({ type: z.email(), explain: 'We write to this address' })
    for (const body of [{ thing: 'no' }, { thing: 5 }, {}]) {
      expect(violationsOf(await post(resource, body))[0]?.detail).toBe('We write to this address')
    }
    const list = await post(memberOf({ type: [z.email()], explain: 'Addresses' }), { thing: 5 })
    expect(violationsOf(list)).toEqual([{ in: 'body', pointer: '/thing', code: 'type', detail: 'Addresses' }])
  })
})

// --- What stands around a schema -------------------------------------------------------------------------------------

describe('around a schema', () => {
  it('the status of a body is the application’s', async () => {
    expect((await post(bodyOf(z.string()), 5, { validation: { bodyStatus: 400 } })).status).toBe(400)
    expect((await post(bodyOf(z.string()), 5, { errors: { format: 'rest-tools' } })).status).toBe(400)
  })

  it('errors have the classes that handlers are written for', async () => {
    class Handlers {
      @ErrorHandler(ValidationError) body() {
        return reply(422, 'body')
      }
      @ErrorHandler(BadRequest) query() {
        return reply(400, 'query')
      }
    }
    const options = { errors: { handlers: [Handlers] } }
    expect((await post(memberOf({ type: z.string() }), { thing: 5 }, options)).text).toBe('body')
    const { ask } = await start(queryOf(z.object({ a: z.string() })), options)
    expect((await ask('GET', '/things')).text).toBe('query')
  })

  it('optional, null, converted', async () => {
    expect(brief(await post(bodyOf(z.string()), undefined))).toEqual([400, ' required'])
    expect((await post(bodyOf(z.string(), { required: false }), undefined)).json()).toEqual({})
    expect((await post(memberOf({ type: z.string(), nullable: true }), { thing: null })).json()).toEqual({ body: null })
    expect(brief(await post(memberOf({ type: z.string() }), { thing: null }))).toEqual([422, '/thing invalid_type'])
    const convert = (text: string): string => {
      if (text === 'bad') throw new Error('is not good')
      return text.toUpperCase()
    }
    const { ask } = await start(memberOf({ type: z.string().min(3), convert }))
    expect((await ask('POST', '/things', { body: { thing: 'abc' } })).json()).toEqual({ body: 'ABC' })
    expect(brief(await ask('POST', '/things', { body: { thing: 'a' } }))).toEqual([422, '/thing too_small'])
    expect((await ask('POST', '/things', { body: { thing: 'bad' } })).status).toBe(400)
  })

  it('pipes come after it', async () => {
    const pipes = [(value: unknown) => [value]]
    const schema = z.array(z.string().trim())
    expect((await post(bodyOf(schema, { pipes }), [' a '])).json()).toEqual({ body: [['a']] })
    expect((await post(bodyOf(schema), ['a '], { pipes })).json()).toEqual({ body: [['a']] })
  })

  it('what others read by name is left to them, and all else is shown to it', async () => {
    @Resource('/things')
    class Things {
      @Get() find(@Query('q', String) q: string, @Query(z.record(z.string(), z.unknown())) rest: object) {
        return { q, rest }
      }
      @Get('/ignored') @UnknownQuery('ignore') ignored(@Query(z.strictObject({ a: z.string() })) rest: object) {
        return { rest }
      }
    }
    const { ask } = await start(new Things())
    expect((await ask('GET', '/things?q=1&a[b]=2&c=3&c=4')).json()).toEqual({
      q: '1',
      rest: { a: { b: '2' }, c: ['3', '4'] },
    })
    expect(brief(await ask('GET', '/things/ignored?a=1&b=2'))).toEqual([400, ' unrecognized_keys'])
  })

  it('a plan of one’s own takes one as well', async () => {
    const plan = definePlan({
      id: 'own',
      method: 'POST',
      path: '/things',
      params: [{ source: 'body', type: { kind: 'schema', schema: z.object({ a: z.number() }), list: false } }],
      body: { required: false },
      call: (body) => ({ body }),
    })
    const { ask } = await serve(createApp({ plans: [plan] }))
    expect(brief(await ask('POST', '/things'))).toEqual([422, ' required'])
    expect((await ask('POST', '/things', { body: { a: 1 } })).json()).toEqual({ body: { a: 1 } })
    expect(brief(await ask('POST', '/things', { body: { a: 'x' } }))).toEqual([422, '/a invalid_type'])
  })
})

describe('what was submitted is never told', () => {
  const pipe = createSchemaPipe({ strip: false, bodyStatus: 422 })
  // A text that is no part of anybody's sentence, whatever its shape.
  const secret = fc.stringMatching(/^[ -~]{0,6}[qxz#]7[qxz#][ -~]{0,20}$/)
  const leaf = fc.oneof(secret, fc.double({ min: 1000.0001, max: 9999, noInteger: true, noNaN: true }))
  const value = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constant('g'), tie('tree')),
    ),
  })).tree
  const body = fc.record({ a: value, b: value, c: value, d: value, e: value, f: value })

  it.each(Object.entries(libraries))('%s', async (_, { rules }) => {
    const param = {
      index: 0,
      source: 'body',
      required: true,
      where: 'x',
      type: { kind: 'schema', schema: rules, list: false },
    } as const
    await fc.assert(
      fc.asyncProperty(body, async (submitted) => {
        const error = await Promise.resolve()
          .then(() => pipe(submitted, param))
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
        expect(error).toBeInstanceOf(ValidationError)
        const details = (error as ValidationError).errors?.map(({ detail }) => detail).join('\n') ?? ''
        for (const text of leaves(submitted)) expect(details).not.toContain(text)
      }),
      { seed: 83, numRuns: 500 },
    )
  })

  function leaves(tree: unknown): string[] {
    return typeof tree === 'object' && tree !== null ? Object.values(tree).flatMap(leaves) : [String(tree)]
  }
})

describe('hostile input', () => {
  const anything = [
    ['zod', z.looseObject({})],
    ['valibot', v.looseObject({})],
    ['arktype', type('object')],
    ['one that takes anything', schemaOf((value) => ({ value }))],
  ] as const

  const send = (body: string) => ({ body, headers: { 'Content-Type': 'application/json' } })

  it.each(anything)('__proto__ and constructor never reach %s', async (_, schema) => {
    const { ask } = await start(bodyOf(schema))
    const body = '{"a":[{"__proto__":{"admin":true}}],"constructor":{"prototype":{}},"b":1}'
    expect(brief(await ask('POST', '/things', send(body)))).toEqual([
      422,
      '/a/0/__proto__ unknown',
      '/constructor unknown',
    ])
    const stripping = await start(bodyOf(schema), { validation: { unknown: 'strip' } })
    const answer = await stripping.ask('POST', '/things', send(body))
    expect(answer.text).not.toMatch(/proto|constructor|admin/)
    expect(answer.status).toBe(200)
  })

  it('the limits of a body come first', async () => {
    let asked = 0
    const schema = schemaOf((value) => {
      asked++
      return { value }
    })
    @Resource('/things')
    class Things {
      @Post() @Limit({ depth: 3, keys: 3, items: 3, string: 3 }) make(@Body(schema) body: unknown) {
        return { body }
      }
    }
    const { ask } = await start(new Things())
    for (const body of ['[[[[1]]]]', '{"a":1,"b":1,"c":1,"d":1}', '[1,2,3,4]', '"abcd"']) {
      expect((await ask('POST', '/things', send(body))).json()).toMatchObject({ status: 400, code: 'limit' })
    }
    expect(asked).toBe(0)
  })

  it('a body that is nested deeper than a schema may follow is a 422 where limits would let it through', async () => {
    const { ask } = await start(bodyOf(schemaOf((value) => ({ value }))), { limits: { depth: 1000 } })
    const body = `${'['.repeat(600)}${']'.repeat(600)}`
    const answer = await ask('POST', '/things', send(body))
    expect(answer.status).toBe(422)
    expect(violationsOf(answer)).toHaveLength(1)
    expect(violationsOf(answer)[0]?.code).toBe('limit')
  })

  it('a body of a megabyte that is wrong everywhere is refused at once', async () => {
    const body = Array.from({ length: 5000 }, () =>
      'Invalid input: expected number, received string but longer '.repeat(3),
    )
    const { ask } = await start(bodyOf(z.array(z.number())))
    const begin = performance.now()
    expect((await ask('POST', '/things', { body })).status).toBe(422)
    expect(performance.now() - begin).toBeLessThan(3000)
  })

  it('names of the query that reach into prototypes are refused', async () => {
    const { ask } = await start(queryOf(z.looseObject({})))
    for (const name of ['__proto__', 'constructor', 'a[__proto__]']) {
      expect((await ask('GET', `/things?${name}=1`)).status).toBe(400)
    }
  })
})

// --- What is wrong at start ------------------------------------------------------------------------------------------

describe('configuration', () => {
  class Joi {
    validate() {
      return {}
    }
  }
  const later = { '~standard': { version: 2, vendor: 'later', validate: () => ({ value: 1 }) } }
  const boot = (given: unknown) => () => createApp({ resources: [bodyOf(given as ParamType)] })
  const bootMember = (given: unknown) => () => createApp({ resources: [memberOf({ type: given as ParamType })] })

  it.each([
    ['an instance', new Joi()],
    ['a list of instances', [new Joi()]],
    ['a type that is declared later', () => new Joi()],
    ['a text', { type: 'string' }],
  ])('%s is neither class nor schema', (_, given) => {
    expect(mistake(boot(given))).toMatch(
      /^Things\.make, parameter 0.*: its type .* is neither a class nor a schema.*Standard Schema/s,
    )
  })

  it.each([
    ['an object', {}],
    ['an instance', new Joi()],
    ['a text', 'string'],
    ['null', null],
  ])('%s is no type of a member', (_, given) => {
    expect(mistake(bootMember(given))).toMatch(/^Things\.make, parameter 0 \(thing\): its type .* is neither/s)
  })

  it.each([
    ['another version', later],
    ['another version, as a function', Object.assign(() => 0, later)],
    ['another version, as a class', Object.assign(class {}, later)],
    ['no validate()', { '~standard': { version: 1, vendor: 'later' } }],
    ['no standard', { '~standard': 'later' }],
  ])('%s', (_, given) => {
    for (const make of [boot(given), boot([given]), bootMember(given)]) {
      expect(mistake(make)).toMatch(/^Things\.make, parameter 0.*: its schema \(of .*\) is of version .*Use a release/s)
    }
  })

  it('@Returns', () => {
    const returning = (given: unknown) => () => {
      @Resource('/things')
      class Things {
        @Get() @Returns(given as ParamType) one() {
          return 1
        }
      }
      return createApp({ resources: [Things] })
    }
    expect(mistake(returning(later))).toMatch(/^Things\.one, @Returns: its schema \(of later\) is of version 2/)
    expect(mistake(returning(new Joi()))).toMatch(/^Things\.one, @Returns: its type .* is neither/)
  })

  it('@Paged({ filter })', () => {
    @Resource('/things')
    class Things {
      @Get() @Paged({ filter: { name: z.string() } }) all() {
        return []
      }
    }
    expect(mistake(() => createApp({ resources: [Things] }))).toMatch(
      /^Things\.all, filter "name": its type is a schema/,
    )
  })

  it.each([
    ['choices', { choices: ['a'] }],
    ['forbidden', { forbidden: ['a'] }],
    ['min', { min: 1 }],
    ['max', { max: 1 }],
    ['pattern', { pattern: /a/ }],
    ['strict', { strict: true }],
    ['groups', { groups: ['a'] }],
    ['list', { list: 2 }],
    ['list', { list: '+' }],
  ] as const)('`%s` beside a schema', (option, options) => {
    expect(mistake(() => createApp({ resources: [memberOf({ type: z.string(), ...options })] }))).toMatch(
      new RegExp(`Things\\.make, parameter 0 \\(thing\\): .*\`${option}\``),
    )
  })

  it('`list: true` is a list of it', async () => {
    const { ask } = await start(memberOf({ type: z.string(), list: true }))
    expect((await ask('POST', '/things', { body: { thing: ['a'] } })).json()).toEqual({ body: ['a'] })
    expect(brief(await ask('POST', '/things', { body: { thing: 'a' } }))).toEqual([422, '/thing type'])
  })

  it('a schema that is declared later', async () => {
    const { ask } = await start(bodyOf(() => declaredLater))
    expect(brief(await ask('POST', '/things', { body: 5 }))).toEqual([422, ' invalid_type'])
  })
  const declaredLater = z.string()

  it('an error tells no value', () => {
    expect(mistake(boot({ type: 'hunter2' }))).not.toContain('hunter2')
  })
})
