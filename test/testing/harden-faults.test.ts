import { IsInt, IsOptional, IsString, MaxLength } from 'class-validator'
import {
  Authorize,
  BadRequest,
  Body,
  Delete,
  Get,
  Integer,
  Param,
  Post,
  Query,
  RawBody,
  Resource,
  Use,
  createApp,
  type AppOptions,
} from 'kumu'
import { formatFindings, harden, type HardenOptions } from 'kumu/testing'

class Note {
  @IsString() @MaxLength(100) text!: string
  @IsOptional() @IsInt() rank?: number
}

@Resource('/sound')
class Sound {
  @Get('/:id') one(@Param('id') id: number, @Query('n', { type: Integer, required: false }) n?: number) {
    return { id, n }
  }

  @Post() create(@Body() note: Note) {
    return note
  }

  @Delete('/:id') @Authorize() remove() {
    return undefined
  }
}

@Resource('/crash')
class Crash {
  @Post() create(@Body(Object) body: { text: string }) {
    return { text: body.text.toUpperCase() }
  }
}

function mergeInto(into: Record<string, unknown>, from: object): void {
  for (const [name, value] of Object.entries(from) as Array<[string, unknown]>) {
    if (typeof value !== 'object' || value === null) into[name] = value
    else mergeInto((into[name] ??= {}) as Record<string, unknown>, value)
  }
}

@Resource('/merge')
class Merge {
  @Post() create(@RawBody() bytes: Buffer) {
    try {
      mergeInto({}, JSON.parse(bytes.toString()) as object)
    } catch {
      throw new BadRequest()
    }
    return 'merged'
  }
}

@Resource('/taking')
@Use((ctx) => void (ctx.body = 'fine'))
class Taking {
  @Post() create(@Body() note: Note) {
    return note
  }
}

@Resource('/closed')
@Use((ctx) => {
  ctx.status = ctx.get('authorization') ? 401 : 405
  ctx.type = 'application/problem+json'
  ctx.body = '{}'
})
class Closed {
  @Get() get() {
    return 'never'
  }
}

@Resource('/bare')
@Use((ctx) => {
  ctx.status = 400
  if (ctx.query['kumuUnknown']) ctx.body = 'no'
  else ctx.res.end()
})
class Bare {
  @Get() get() {
    return 'never'
  }
}

@Resource('/waiting')
class Waiting {
  @Post() async create(@Body(Object) body: { text?: unknown }) {
    if (Array.isArray(body)) await new Promise(() => undefined)
    return 'done'
  }
}

@Resource('/floating')
class Floating {
  @Get('/:name') get(@Param('name') name: string) {
    // As Node does it: jest keeps real rejections to itself.
    if (name === '__proto__') process.emit('unhandledRejection', new Error('floats'), Promise.resolve())
    return 'done'
  }
}

@Resource('/telling')
class Telling {
  @Post() create(@Body(Object) body: unknown) {
    throw new BadRequest(`cannot take ${JSON.stringify(body)}`)
  }
}

@Resource('/guarded')
class Guarded {
  @Get() @Authorize() get() {
    return 'secret'
  }
}

@Resource('/cut')
class Cut {
  @Get() @Use((ctx) => void ctx.res.destroy()) get() {
    return 'never'
  }
}

const quiet: AppOptions = { logger: { error: () => undefined } }
const someone = { id: 'someone' }
const checked = (credentials: string) => (credentials === 'Bearer right' ? someone : undefined)

async function problemsOf(options: AppOptions, how: HardenOptions = {}): Promise<string[]> {
  const app = createApp({ ...quiet, ...options })
  const { findings } = await harden(app, how)
  await app.close()
  return [...new Set(findings.map(({ route, problem }) => `${route}: ${problem}`))]
}

const faults: ReadonlyArray<readonly [what: string, options: AppOptions, found: string, how?: HardenOptions]> = [
  ['a handler that trusts its body', { resources: [Crash] }, 'POST /crash: an error of the server'],
  [
    'errors that show their stack',
    { resources: [Sound], auth: { verify: checked }, errors: { format: (error) => ({ stack: error.stack }) } },
    'POST /sound: shows a stack or a path of the server',
  ],
  ['a merge into a prototype', { resources: [Merge] }, 'POST /merge: Object.prototype.kumu5f1cPolluted has changed'],
  [
    'middleware that answers before validation',
    { resources: [Taking] },
    'POST /taking: accepted what breaks a rule of the route',
  ],
  ['405 without Allow', { resources: [Closed] }, 'GET /closed: 405 without Allow (RFC 9110 §15.5.6)'],
  ['401 without a challenge', { resources: [Closed] }, 'GET /closed: 401 without WWW-Authenticate (RFC 9110 §15.5.2)'],
  ['an error without a body', { resources: [Bare] }, 'GET /bare: an error without a body'],
  [
    'an error of another type',
    { resources: [Bare] },
    'GET /bare: an error of text/plain, where others are application/problem+json',
  ],
  ['an endless wait', { resources: [Waiting] }, 'POST /waiting: no answer within 500 ms', { timeout: 500 }],
  [
    'a rejection of nobody',
    { resources: [Floating] },
    'GET /floating/:name: a rejection that nobody handles: Error: floats',
  ],
  ['a value in an error', { resources: [Telling] }, 'POST /telling: echoes the value that was sent'],
  [
    'a guard that lets everybody in',
    { resources: [Guarded], auth: { verify: () => someone } },
    'GET /guarded: accepted what breaks a rule of the route',
  ],
  ['a connection that is cut', { resources: [Cut] }, 'GET /cut: the connection was closed: TypeError: fetch failed'],
]

describe('harden(app): planted faults are found', () => {
  it.each(faults.map((fault) => [fault[0], fault] as const))('%s', async (_, [, options, found, how]) => {
    expect(await problemsOf(options, how)).toContain(found)
    expect(Reflect.ownKeys(Object.prototype)).not.toContain('kumu5f1cPolluted')
  })

  it('nothing is found in an application without one', async () => {
    const headers = { authorization: 'Bearer right' }
    expect(await problemsOf({ resources: [Sound], auth: { verify: checked } }, { headers })).toEqual([])
    expect(await problemsOf({ resources: [Sound], prefix: '/api', auth: { verify: checked } }, { headers })).toEqual([])
  })

  it('reaches handlers, or it would find nothing in them', async () => {
    const reached = new Set<string>()
    const spy: AppOptions = {
      resources: [Sound],
      auth: { verify: checked },
      prefix: '/api',
      middleware: [
        async (ctx, next) => {
          await next()
          if (ctx.status < 300) reached.add(`${ctx.method} ${ctx.status}`)
        },
      ],
    }
    await problemsOf(spy, { headers: { authorization: 'Bearer right' } })
    expect([...reached].sort()).toEqual(['DELETE 204', 'GET 200', 'HEAD 200', 'OPTIONS 204', 'POST 200'])
  })

  it('leaves alone what it is told to', async () => {
    const app = createApp({ ...quiet, resources: [Crash, Sound], auth: { verify: checked } })
    const { findings, requests } = await harden(app, { skip: ({ id }) => id.startsWith('Crash') })
    expect(findings).toEqual([])
    expect(requests).toBeGreaterThan(200)
    await expect(harden(app, { skip: () => true })).rejects.toThrow('has no routes')
    await expect(harden(app, { timeout: 0 })).rejects.toThrow('Give milliseconds above 0')
  })
})

describe('formatFindings(findings)', () => {
  it('groups by route and problem, and names some inputs', () => {
    const finding = (input: string, status = 500) => ({ route: 'GET /a', input, status, problem: 'an error' })
    expect(formatFindings([])).toBe('')
    expect(formatFindings([finding('w'), finding('x'), finding('y'), finding('z'), finding('late', 0)])).toBe(
      'GET /a: 500, an error\n  w\n  x\n  y\n  and 1 more\nGET /a: an error\n  late',
    )
  })
})
