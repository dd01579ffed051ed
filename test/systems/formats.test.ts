import { IsEmail, IsInt, Max, MaxLength, Min } from 'class-validator'
import {
  BadRequest,
  Body,
  Conflict,
  ErrorHandler,
  Get,
  HttpError,
  Integer,
  Locked,
  Post,
  Query,
  Resource,
  ServiceUnavailable,
  ValidationError,
  createApp,
  type AppOptions,
  type ErrorOptions,
} from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

class NewUser {
  @IsEmail()
  email!: string

  @IsInt()
  @Min(0)
  @Max(150)
  age!: number
}

class Note {
  @MaxLength(3)
  text!: string
}

class OutOfStock extends Error {}

@Resource('/things')
class Things {
  @Get('/null')
  nothing() {
    return null
  }

  @Get('/boom')
  boom(): never {
    throw Object.assign(new Error('the password is hunter2'), { secret: 'hunter2' })
  }

  @Get('/conflict')
  conflict(): never {
    throw new Conflict('There is one already')
  }

  @Get('/locked')
  locked(): never {
    throw new Locked('Somebody edits it')
  }

  @Get('/busy')
  busy(): never {
    throw new ServiceUnavailable('the database db-7.internal is down', { headers: { 'Retry-After': '5' } })
  }

  @Get('/stock')
  stock(): never {
    throw new OutOfStock('No apples left')
  }

  @Get('/odd')
  odd(): never {
    throw new HttpError(418, 'Short and "stout" <b>')
  }

  @Get('/late')
  late(@Query('n', { type: Integer }) n: number) {
    return n
  }

  @Post('/users')
  add(@Body() user: NewUser) {
    return user
  }

  @Post('/notes')
  note(@Body() note: Note) {
    return note
  }
}

const logged: unknown[] = []

function serveFormat(format: ErrorOptions['format'], options: AppOptions = {}): Promise<Served> {
  logged.length = 0
  const status = [(error: unknown) => (error instanceof OutOfStock ? 409 : undefined)]
  return serve(
    createApp({
      resources: [Things],
      logger: { error: (details) => void logged.push(details) },
      ...options,
      errors: { format, status, ...options.errors },
    }),
  )
}

/** What a format says of each case: status, content type, body. */
interface Expected {
  readonly type: string
  readonly unknownPath: string
  readonly nothing: string
  readonly validation: readonly [status: number, body: string]
  readonly missing: readonly [status: number, body: string]
  readonly badQuery: readonly [status: number, body: string]
  readonly malformed: RegExp
  readonly conflict: string
  readonly rule: string
  readonly odd: string
  readonly failure: string
  readonly busy: string
}

const json = 'application/json'
const emailRule = 'email must be an email'

const table: ReadonlyArray<readonly [NonNullable<ErrorOptions['format']> & string, Expected]> = [
  [
    'text',
    {
      type: 'text/plain; charset=utf-8',
      unknownPath: '404 - Not Found\n',
      nothing: '404 - Not Found\n',
      validation: [422, 'VALIDATION\n'],
      missing: [422, 'VALIDATION\n'],
      badQuery: [400, 'QUERY\n'],
      malformed: /^[^\n]+\n$/,
      conflict: 'There is one already\n',
      rule: 'No apples left\n',
      odd: 'Short and "stout" <b>\n',
      failure: '500 - Internal Server Error\n',
      busy: '503 - Service Unavailable\n',
    },
  ],
  [
    'pyrest',
    {
      type: json,
      unknownPath: '{"error":404,"status":"Not Found"}',
      nothing: '{"error":404,"status":"Not Found"}',
      validation: [422, '{"error":422,"status":"Unprocessable Content"}'],
      missing: [422, '{"error":422,"status":"Unprocessable Content"}'],
      badQuery: [400, '{"error":400,"status":"Bad Request"}'],
      malformed: /^{"error":400,"status":"Bad Request"}$/,
      conflict: '{"error":409,"status":"Conflict"}',
      rule: '{"error":409,"status":"Conflict"}',
      odd: `{"error":418,"status":"I'm a Teapot"}`,
      failure: '{"error":500,"status":"Internal Server Error"}',
      busy: '{"error":503,"status":"Service Unavailable"}',
    },
  ],
  [
    'urest',
    {
      type: json,
      unknownPath: '{"success":false,"exception":"NoSuchResource: Not Found"}',
      nothing: '{"success":false,"exception":"NoSuchResource: Not Found"}',
      validation: [422, '{"success":false,"exception":"ValidationError: VALIDATION"}'],
      missing: [422, '{"success":false,"exception":"ValidationError: VALIDATION"}'],
      badQuery: [400, '{"success":false,"exception":"BadRequest: QUERY"}'],
      malformed: /^{"success":false,"exception":"BadRequest: [^"]+"}$/,
      conflict: '{"success":false,"exception":"ResourceExists: There is one already"}',
      rule: '{"success":false,"exception":"ResourceExists: No apples left"}',
      odd: '{"success":false,"exception":"ImaTeapot: Short and \\"stout\\" <b>"}',
      failure: '{"success":false,"exception":"Error: Internal Server Error"}',
      busy: '{"success":false,"exception":"Error: Service Unavailable"}',
    },
  ],
  [
    'docstore',
    {
      type: 'text/html',
      unknownPath: 'not found',
      nothing: 'not found',
      validation: [422, 'unprocessable content'],
      missing: [422, 'unprocessable content'],
      badQuery: [400, 'bad request'],
      malformed: /^bad request$/,
      conflict: 'conflict',
      rule: 'conflict',
      odd: "i'm a teapot",
      failure: 'internal server error',
      busy: 'service unavailable',
    },
  ],
  [
    'rest-tools',
    {
      type: json,
      unknownPath: '{"code":404,"error":"Not Found"}',
      nothing: '{"code":404,"error":"Not Found"}',
      validation: [400, `{"code":400,"error":"argument email: must be an email"}`],
      missing: [400, '{"code":400,"error":"the following arguments are required: email, age"}'],
      badQuery: [400, '{"code":400,"error":"argument n: invalid type"}'],
      malformed: /^{"code":400,"error":"[^"]+"}$/,
      conflict: '{"code":409,"error":"There is one already"}',
      rule: '{"code":409,"error":"No apples left"}',
      odd: '{"code":418,"error":"Short and \\"stout\\" <b>"}',
      failure: '{"code":500,"error":"Internal Server Error"}',
      busy: '{"code":503,"error":"Service Unavailable"}',
    },
  ],
  [
    'apiphant',
    {
      type: json,
      unknownPath: '{"error":"404 Not Found"}',
      nothing: '{"error":"404 Not Found"}',
      validation: [400, `{"error":{"field":"email","state":"invalid","explain":"${emailRule}"}}`],
      missing: [400, '{"error":{"field":"email","state":"missing","explain":"MISSING"}}'],
      badQuery: [400, '{"error":{"field":"n","state":"invalid","explain":"QUERY-RULE"}}'],
      malformed: /^{"error":"[^"]+"}$/,
      conflict: '{"error":"There is one already"}',
      rule: '{"error":"No apples left"}',
      odd: '{"error":"Short and \\"stout\\" <b>"}',
      failure: '{"error":"500 Internal Server Error"}',
      busy: '{"error":"503 Service Unavailable"}',
    },
  ],
]

interface Problem {
  readonly detail?: string
  readonly errors?: ReadonlyArray<{ readonly detail: string }>
}

/** The words of the default format, which the older ones carry in their own shapes. */
async function wordsOf(method: string, path: string, body?: unknown): Promise<{ detail: string; rule: string }> {
  const served = await serveFormat('problem')
  const { detail = '', errors = [] } = (await served.ask(method, path, { body })).json<Problem>()
  return { detail, rule: errors[0]?.detail ?? '' }
}

describe.each(table)("errors: { format: '%s' }", (format, expected) => {
  const wrong = { email: 'nobody', age: 40 }

  it.each([
    ['404 of an unknown path', 'GET', '/nothing', 404, expected.unknownPath],
    ['404 of null', 'GET', '/things/null', 404, expected.nothing],
    ['409', 'GET', '/things/conflict', 409, expected.conflict],
    ['409 by a status rule', 'GET', '/things/stock', 409, expected.rule],
    ['418', 'GET', '/things/odd', 418, expected.odd],
    ['500', 'GET', '/things/boom', 500, expected.failure],
    ['503', 'GET', '/things/busy', 503, expected.busy],
  ] as const)('%s', async (_what, method, path, status, body) => {
    const served = await serveFormat(format)
    const answer = await served.ask(method, path)
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([status, expected.type, body])
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(body)))
  })

  it('a broken rule', async () => {
    const { detail } = await wordsOf('POST', '/things/users', wrong)
    const served = await serveFormat(format)
    const answer = await served.ask('POST', '/things/users', { body: wrong })
    const [status, body] = expected.validation
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      status,
      expected.type,
      body.replace('VALIDATION', detail),
    ])
  })

  it('missing members', async () => {
    const { detail, rule } = await wordsOf('POST', '/things/users', {})
    const served = await serveFormat(format)
    const answer = await served.ask('POST', '/things/users', { body: {} })
    const [status, body] = expected.missing
    expect([answer.status, answer.text]).toEqual([status, body.replace('VALIDATION', detail).replace('MISSING', rule)])
  })

  it('a bad parameter', async () => {
    const { detail, rule } = await wordsOf('GET', '/things/late?n=x')
    const served = await serveFormat(format)
    const answer = await served.ask('GET', '/things/late?n=x')
    const [status, body] = expected.badQuery
    expect([answer.status, answer.text]).toEqual([status, body.replace('QUERY-RULE', rule).replace('QUERY', detail)])
  })

  it('a malformed body', async () => {
    const served = await serveFormat(format)
    const headers = { 'Content-Type': 'application/json' }
    const answer = await served.ask('POST', '/things/users', { body: '{"email":', headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([400, expected.type])
    expect(answer.text).toMatch(expected.malformed)
  })

  it('a wrong verb keeps Allow, an overload its Retry-After', async () => {
    const served = await serveFormat(format)
    const refused = await served.ask('POST', '/things/null')
    expect([refused.status, refused.headers.allow, refused.headers['content-type']]).toEqual([
      405,
      'GET, HEAD, OPTIONS',
      expected.type,
    ])
    expect((await served.ask('GET', '/things/busy')).headers['retry-after']).toBe('5')
  })

  it('a failure leaks nothing and is logged whole, under the id in the answer', async () => {
    const served = await serveFormat(format)
    const answer = await served.ask('GET', '/things/boom', { headers: { 'X-Request-Id': 'r-1' } })
    expect(`${answer.text}${JSON.stringify(answer.headers)}`).not.toMatch(/hunter2|password|Things|at /)
    expect(answer.headers['x-request-id']).toBe('r-1')
    expect(logged).toEqual([
      expect.objectContaining({ requestId: 'r-1', err: expect.objectContaining({ secret: 'hunter2' }) }),
    ])
    expect(`${(await served.ask('GET', '/things/busy')).text}`).not.toContain('db-7')
  })

  it('HEAD has the headers of GET and no body', async () => {
    const served = await serveFormat(format)
    const head = await served.ask('HEAD', '/things/conflict')
    expect([head.status, head.headers['content-type'], head.bytes.length]).toEqual([409, expected.type, 0])
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(expected.conflict)))
  })

  it('@ErrorHandler comes first', async () => {
    class Own {
      @ErrorHandler(409)
      conflict() {
        return { own: true }
      }
    }
    const served = await serveFormat(format, { errors: { handlers: [Own] } })
    const answer = await served.ask('GET', '/things/conflict')
    expect([answer.status, answer.json()]).toEqual([409, { own: true }])
    expect((await served.ask('GET', '/nothing')).text).toBe(expected.unknownPath)
  })
})

describe("errors: { format: 'problem' }, the default", () => {
  it.each([
    ['GET', '/nothing', undefined, 404],
    ['POST', '/things/users', { email: 'nobody', age: 40 }, 422],
    ['GET', '/things/boom', undefined, 500],
  ])('%s %s', async (method, path, body, status) => {
    const served = await serveFormat(undefined)
    const answer = await served.ask(method, path, { body, headers: { 'X-Request-Id': 'r-1' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
    const { detail, errors, ...rest } = answer.json<Problem & Record<string, unknown>>()
    const title = { 404: 'Not Found', 422: 'Unprocessable Content', 500: 'Internal Server Error' }[status]
    const code = status === 422 ? { code: 'validation' } : {}
    expect(rest).toEqual({ type: 'about:blank', title, status, instance: path, requestId: 'r-1', ...code })
    expect(detail === undefined).toBe(status !== 422)
    expect(errors).toEqual(
      status === 422 ? [{ in: 'body', pointer: '/email', code: 'isEmail', detail: emailRule }] : undefined,
    )
  })
})

describe("errors: { format: 'urest' } in XML", () => {
  it.each(['application/xml', 'text/xml'])('Accept: %s', async (accept) => {
    const served = await serveFormat('urest')
    const answer = await served.ask('GET', '/things/odd', { headers: { Accept: accept } })
    expect([answer.status, String(answer.headers['content-type']).replace(/;.*/, '')]).toEqual([418, accept])
    expect(answer.text).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<response><success>false</success>' +
        '<exception>ImaTeapot: Short and &#34;stout&#34; &#60;b&#62;</exception></response>',
    )
    expect(answer.headers.vary).toMatch(/Accept/)
  })

  it('envelope: urest answers both ways in the same form', async () => {
    const served = await serveFormat('urest', { envelope: 'urest' })
    expect((await served.ask('GET', '/things/late?n=7')).json()).toEqual({ success: true, result: 7 })
    expect((await served.ask('GET', '/nothing')).text).toBe('{"success":false,"exception":"NoSuchResource: Not Found"}')
    const enveloped = await serveFormat(undefined, { envelope: 'urest' })
    expect((await enveloped.ask('GET', '/nothing')).text).toBe(
      '{"success":false,"exception":"NoSuchResource: Not Found"}',
    )
  })
})

describe('errors: { format: function }', () => {
  it('makes the body of it', async () => {
    const served = await serveFormat(({ status, detail }) => ({ oops: status, detail }))
    const answer = await served.ask('GET', '/things/conflict')
    expect([answer.status, answer.headers['content-type'], answer.text]).toEqual([
      409,
      json,
      '{"oops":409,"detail":"There is one already"}',
    ])
    expect((await served.ask('GET', '/things/boom')).text).toBe('{"oops":500}')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('hunter2')
      },
    ],
    ['answers with nothing', () => undefined],
    [
      'answers with a circle',
      () =>
        Object.assign(
          {},
          {
            get self(): unknown {
              return this
            },
          },
        ),
    ],
  ])('one that %s falls back to the plain 500', async (_what, format) => {
    const served = await serveFormat(format)
    const answer = await served.ask('GET', '/things/conflict')
    expect([answer.status, answer.headers['content-type']]).toEqual([500, 'application/problem+json'])
    expect(answer.text).not.toContain('hunter2')
  })
})

describe('a validation status of its own', () => {
  it.each([
    ['problem', 400],
    ['urest', 400],
  ] as const)('validation: { bodyStatus: 400 } with %s', async (format, bodyStatus) => {
    const served = await serveFormat(format, { validation: { bodyStatus } })
    expect((await served.ask('POST', '/things/users', { body: {} })).status).toBe(400)
  })

  it('a 422 of the application itself is 400 in the formats that know none', async () => {
    @Resource('/own')
    class Own {
      @Get('/422')
      refuse(): never {
        throw new ValidationError('Not so')
      }

      @Get('/400')
      bad(): never {
        throw new BadRequest('Not so')
      }
    }
    for (const [format, status, body] of [
      ['rest-tools', 400, '{"code":400,"error":"Not so"}'],
      ['apiphant', 400, '{"error":"Not so"}'],
      ['text', 422, 'Not so\n'],
    ] as const) {
      const served = await serveFormat(format, { resources: [Own] })
      const answer = await served.ask('GET', '/own/422')
      expect([format, answer.status, answer.text]).toEqual([format, status, body])
      expect((await served.ask('GET', '/own/400')).status).toBe(400)
    }
  })
})
