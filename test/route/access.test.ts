import { IsString } from 'class-validator'
import {
  Authorize,
  Body,
  createApp,
  createRouter,
  Get,
  Open,
  Param,
  Post,
  Resource,
  State,
  User,
  type AuthSettings,
  type Principal,
} from 'kumu'
import Koa from 'koa'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

const people: Record<string, Principal> = {
  'Bearer ann': { id: 'ann', roles: ['admin', 'reader'] },
  'Bearer bob': { id: 'bob', roles: ['reader'] },
  'Bearer eve': { id: 'eve' },
}
const verify = async (credentials: string): Promise<Principal | undefined> =>
  Object.hasOwn(people, credentials) ? people[credentials] : undefined

class Note {
  @IsString() text!: string
}

let calls: string[] = []

@Resource('/notes')
@Authorize()
class Notes {
  @Get() list(@User() user: Principal) {
    calls.push('list')
    return { for: user.id }
  }
  @Get('/open') @Open() open(@User() user: Principal | undefined) {
    return { for: user?.id ?? null }
  }
  @Post() @Authorize('admin', 'writer') add(@Body() note: Note, @State('user') user: Principal) {
    calls.push('add')
    return { ...note, by: user.id }
  }
  @Get('/:owner') @Authorize((principal, ctx) => principal.id === ctx.params.owner) own(@Param('owner') owner: string) {
    return owner
  }
}

beforeEach(() => {
  calls = []
})

const start = (auth: Partial<AuthSettings> = {}) =>
  serve(createApp({ resources: [Notes], auth: { verify, ...auth }, logger: { error: () => undefined } }))

const as = (who: string) => ({ headers: { Authorization: who } })

describe('@Authorize', () => {
  it.each([
    [undefined, 401],
    ['', 401],
    ['Bearer', 401],
    ['Bearer nobody', 401],
    ['bearer ann', 401],
    ['__proto__', 401],
    ['constructor', 401],
    ['Basic YTpi', 401],
    [`Bearer ${'x'.repeat(8000)}`, 401],
    ['Bearer eve', 200],
    ['Bearer ann', 200],
  ])('credentials %s: %i', async (credentials, status) => {
    const { ask } = await start()
    const answer = await ask('GET', '/notes', credentials === undefined ? {} : as(credentials))
    expect(answer.status).toBe(status)
    if (status === 401) {
      expect(answer.headers['www-authenticate']).toBe('Bearer')
      expect(answer.json()).toMatchObject({ status: 401 })
      expect(answer.text).not.toContain('nobody')
    }
    expect(calls).toEqual(status === 200 ? ['list'] : [])
  })

  it.each([
    ['Bearer ann', 200],
    ['Bearer bob', 403],
    ['Bearer eve', 403],
    ['Bearer nobody', 401],
  ])('of a role, %s: %i, decided before the body is read', async (credentials, status) => {
    const { ask } = await start()
    const good = await ask('POST', '/notes', { ...as(credentials), body: { text: 'a' } })
    expect(good.status).toBe(status)
    expect(calls).toEqual(status === 200 ? ['add'] : [])
    if (status === 200) return expect(good.json()).toEqual({ text: 'a', by: 'ann' })
    for (const [type, body] of [
      ['application/json', '{malformed'],
      ['image/png', 'x'],
      ['application/json', 'x'.repeat(2 * 1024 * 1024)],
    ] as const) {
      const headers = { ...as(credentials).headers, 'Content-Type': type }
      const bad = await ask('POST', '/notes', { headers, body }).catch((error: NodeJS.ErrnoException) => error)
      // A client that still sends may see the connection end before it reads the answer.
      expect('status' in bad ? bad.status : bad.code).toEqual(
        'status' in bad ? status : expect.stringMatching(/EPIPE|ECONNRESET/),
      )
    }
  })

  it.each([
    ['/notes/ann', 'Bearer ann', 200],
    ['/notes/ann', 'Bearer bob', 403],
    ['/notes/bob', 'Bearer bob', 200],
  ])('by a rule: %s as %s is %i', async (path, credentials, status) => {
    const { ask } = await start()
    expect((await ask('GET', path, as(credentials))).status).toBe(status)
  })

  it('@Open opens one method', async () => {
    const { ask } = await start()
    expect(await ask('GET', '/notes/open')).toMatchObject({ status: 200, text: '{"for":null}' })
  })

  it('sends one challenge a scheme', async () => {
    const { ask } = await start({ challenges: ['Bearer realm="a"', 'Basic realm="b", charset="UTF-8"'] })
    const raw = (await ask('GET', '/notes')).headers['www-authenticate']
    expect(raw).toBe('Bearer realm="a", Basic realm="b", charset="UTF-8"')
    const own = await start({ verify: Object.assign(verify.bind(null), { challenges: ['Token'] }) })
    expect((await own.ask('GET', '/notes')).headers['www-authenticate']).toBe('Token')
  })

  it('a verifier that fails is a failure of ours, not of the caller', async () => {
    const { ask } = await start({
      verify: () => {
        throw new Error('hunter2')
      },
    })
    const answer = await ask('GET', '/notes', as('Bearer ann'))
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('hunter2')
    expect(calls).toEqual([])
  })

  it('without anybody to verify is refused at start', () => {
    expect(() => createApp({ resources: [Notes] })).toThrow(/Notes\.list.*@Authorize.*auth/s)
    expect(() => createRouter({ resources: [Notes] })).toThrow(/auth/)
  })

  it('holds in an application of somebody else', async () => {
    const { ask } = await serve(new Koa().use(createRouter({ resources: [Notes], auth: { verify } }).routes()))
    const answer = await ask('GET', '/notes')
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer'])
  })
})
