import { IsInt, IsString } from 'class-validator'
import { createApp, Get, Paged, reply, Resource, Returns, withETag } from 'kumu'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

class Thing {
  @IsInt() id!: number
  @IsString() name!: string
}

const good = { id: 1, name: 'a' }
const bad = { id: 'secret', name: 'a' }

function served(value: unknown, type: typeof Thing | [typeof Thing] = Thing, replies: boolean | null = true) {
  const logged: unknown[] = []

  @Resource('/things')
  class Things {
    @Get() @Returns(type) get() {
      return value
    }
    @Get('/paged') @Returns(type) @Paged() paged() {
      return value
    }
  }
  const app = createApp({
    resources: [new Things()],
    validation: { replies: replies ?? undefined },
    logger: { error: (details) => void logged.push(details) },
  })
  return { app, logged }
}

describe('B42: a response that fails its declared class', () => {
  it.each([
    ['an object', bad, Thing],
    ['an object that lacks a member', { id: 1 }, Thing],
    ['an object with one too many', { ...good, password: 'x' }, Thing],
    ['a list', [good, bad], [Thing]],
    ['an object where a list is declared', good, [Thing]],
    ['a list where one is declared', [bad], Thing],
    ['a reply', reply(201, bad), Thing],
    ['a tagged value', withETag(bad, '1'), Thing],
  ] as const)('%s is a 500, its detail only in the log', async (_, value, type) => {
    const { app, logged } = served(value, type as typeof Thing)
    const { ask } = await serve(app)
    const answer = await ask('GET', '/things')
    expect(answer.status).toBe(500)
    expect(Object.keys(answer.json<object>()).sort()).toEqual(['instance', 'requestId', 'status', 'title', 'type'])
    expect(logged).toHaveLength(1)
    const [{ err }] = logged as [{ err: Error }]
    expect(err.message).toMatch(/Things\.get returned/)
    expect(err.message).not.toContain('secret')
  })

  it.each([
    ['an object', good, Thing, 200],
    ['an instance', Object.assign(new Thing(), good), Thing, 200],
    ['a list', [good, good], [Thing], 200],
    ['nothing', undefined, Thing, 204],
    ['null', null, Thing, 404],
    ['another status', reply(409, { why: 'taken' }), Thing, 409],
  ] as const)('%s that keeps to it is sent', async (_, value, type, status) => {
    const { ask } = await serve(served(value, type as typeof Thing).app)
    expect((await ask('GET', '/things')).status).toBe(status)
  })

  it('rows of a page are checked whole, and not where the client asks for some members', async () => {
    const { ask } = await serve(served([good, good], [Thing]).app)
    expect((await ask('GET', '/things/paged')).status).toBe(200)
    expect((await ask('GET', '/things/paged?fields=id')).json()).toEqual([{ id: 1 }, { id: 1 }])
    const broken = await serve(served([good, bad], [Thing]).app)
    expect((await broken.ask('GET', '/things/paged')).status).toBe(500)
  })

  it('is not looked for unless it is asked for', async () => {
    const { ask } = await serve(served(bad, Thing, null).app)
    expect((await ask('GET', '/things')).status).toBe(200)
  })
})
