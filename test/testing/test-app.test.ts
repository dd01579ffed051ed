import { IsInt, IsString } from 'class-validator'
import Koa from 'koa'
import { Body, Get, Param, Post, Produces, Resource, Signal, Status, createApp, event, reply, seeOther } from 'kumu'
import { NetworkError, NotFoundError } from 'kumu/client'
import { ExpectationError, exactly, testApp } from 'kumu/testing'

class NewFruit {
  @IsString() name!: string
  @IsInt() weight!: number
}

const gone: string[] = []

@Resource('/fruits')
class Fruits {
  @Get('/:name') one(@Param('name') name: string) {
    return name === 'none' ? null : { name, weight: 3, tags: [{ id: 1, text: 'red' }] }
  }

  @Post() @Status(201) create(@Body() fruit: NewFruit) {
    return { id: 7, ...fruit }
  }

  @Get('/old/:name') moved(@Param('name') name: string) {
    return seeOther(`/fruits/${name}`)
  }

  @Post('/moved') movedBody() {
    return reply(307, undefined, { Location: '/fruits' })
  }

  @Get('/loop/for/ever') loop() {
    return seeOther('/fruits/loop/for/ever')
  }

  @Get('/to/another/host') away() {
    return seeOther('http://elsewhere.example/')
  }

  @Get('/events/of/them')
  @Produces('text/event-stream')
  async *events(@Signal() signal: AbortSignal) {
    signal.addEventListener('abort', () => gone.push('events'))
    for (let count = 1; !signal.aborted; count++) {
      yield event({ count }, { id: String(count) })
      await new Promise(setImmediate)
    }
  }

  @Get('/waits/for/ever')
  async wait(@Signal() signal: AbortSignal) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    gone.push('wait')
  }
}

beforeEach(() => gone.splice(0))

const open = (): ReturnType<typeof testApp> => testApp({ resources: [Fruits] })

/** Until something has happened. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate)
}

describe('testApp(app): the client', () => {
  it('reads, writes and fails as over a socket', async () => {
    const api = open()
    expect(await api.get('/fruits/{name}', { path: { name: 'apple' } })).toMatchObject({ name: 'apple' })
    expect(await api.request('POST', '/fruits', { name: 'fig', weight: 1 })).toEqual({ id: 7, name: 'fig', weight: 1 })
    await expect(api.get('/fruits/none')).rejects.toThrow(NotFoundError)
  })

  it('takes an application that stands, of Koa too, and middleware that is mounted later', async () => {
    const app = createApp({ resources: [Fruits] })
    const api = testApp(app)
    expect((await api.head('/fruits/a')).get('x-late')).toBeNull()
    const koa = new Koa().use((ctx) => void (ctx.body = { path: ctx.path }))
    const below = testApp(koa, { address: 'https://api.example:8443/v1' })
    koa.use((ctx) => void ctx.set('x-late', ctx.origin))
    expect(await below.get('/x')).toEqual({ path: '/v1/x' })
  })

  it('fails at once where no other attempt was asked for', async () => {
    let calls = 0
    const app = new Koa().use((ctx) => {
      calls++
      ctx.status = calls < 3 ? 503 : 204
    })
    await expect(testApp(app).get('/')).rejects.toMatchObject({ status: 503 })
    expect(calls).toBe(1)
    expect(await testApp(app, { retries: 1, backoff: 1 }).get('/')).toBeNull()
  })

  it('a connection that is closed is a NetworkError', async () => {
    const app = new Koa().use((ctx) => {
      ctx.respond = false
      ctx.res.destroy()
    })
    await expect(testApp(app).get('/')).rejects.toThrow(NetworkError)
  })

  it('follows redirects inside the application, and nowhere else', async () => {
    const api = open()
    expect(await api.get('/fruits/old/fig')).toMatchObject({ name: 'fig' })
    expect(await api.post('/fruits/moved', { body: { name: 'fig', weight: 2 } })).toMatchObject({ id: 7, weight: 2 })
    await expect(api.get('/fruits/loop/for/ever')).rejects.toThrow('redirect count exceeded')
    await expect(api.get('/fruits/to/another/host')).rejects.toThrow('http://elsewhere.example is not the application')
  })

  it('events come one by one, and the signal fires when the reader leaves', async () => {
    const counts: unknown[] = []
    for await (const each of open().events('/fruits/events/of/them')) {
      counts.push(JSON.parse(each.data))
      if (counts.length === 3) break
    }
    expect(counts).toEqual([{ count: 1 }, { count: 2 }, { count: 3 }])
    await until(() => gone.includes('events'))
  })

  it('an aborted call rejects with its reason, and the signal of the handler fires', async () => {
    const controller = new AbortController()
    const call = open().get('/fruits/waits/for/ever', { signal: controller.signal })
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await expect(call).rejects.toThrow('enough')
    await until(() => gone.includes('wait'))
  })

  it('closes the application that it made, and leaves one that it was given', async () => {
    const close = jest.fn()
    const set = { plans: [], close }
    await testApp({ resources: [set] }).close()
    expect(close).toHaveBeenCalledTimes(1)
    await testApp(createApp({ resources: [set] })).close()
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('says what to install', () => {
    jest.isolateModules(() => {
      jest.doMock('light-my-request', () => {
        throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
      })
      const door = require('kumu/testing') as typeof import('kumu/testing')
      expect(() => door.testApp({})).toThrow('npm install --save-dev light-my-request')
    })
    jest.dontMock('light-my-request')
  })
})

describe('api.expect(method, path, body?, status, expected?)', () => {
  const apple = { name: 'apple', weight: 3, tags: [{ id: 1, text: 'red' }] }
  const fits: ReadonlyArray<readonly [string, unknown]> = [
    ['nothing', undefined],
    ['some members', { name: 'apple' }],
    ['members of members', { tags: [{ id: 1 }] }],
    ['matchers', { name: expect.stringMatching(/^a/), weight: expect.any(Number) }],
    ['a RegExp', { name: /^app/ }],
    ['an absent member', { colour: undefined }],
    ['all of it', exactly(apple)],
    ['all of a part', { tags: exactly([{ id: 1, text: 'red' }]) }],
  ]
  it.each(fits)('%s', async (_, expected) => {
    const answer = await open().expect('GET', '/fruits/apple', 200, expected)
    expect(answer).toMatchObject({ status: 200, ok: true, body: apple })
  })

  const misfits: ReadonlyArray<readonly [string, unknown, string]> = [
    ['another value', { weight: 4 }, '-   weight: 4\n+   weight: 3'],
    ['a missing member', { colour: 'red' }, "-   colour: 'red'"],
    ['a member too many', { weight: undefined }, '+   weight: 3'],
    ['a shorter list', { tags: [] }, '-   tags: []'],
    ['a longer list', { tags: [{ id: 1 }, { id: 2 }] }, '-       id: 2'],
    ['text for a number', { weight: '3' }, "-   weight: '3'\n+   weight: 3"],
    ['a matcher', { name: expect.stringMatching(/^b/) }, "+   name: 'apple'"],
    ['a RegExp', { name: /^b/ }, "-   name: /^b/,\n+   name: 'apple'"],
    ['less than all', exactly({ name: 'apple' }), '+   weight: 3'],
    ['a list for an object', [], '- []'],
    ['null', null, '- null'],
  ]
  it.each(misfits)('%s does not fit', async (_, expected, difference) => {
    const failure = open().expect('GET', '/fruits/apple', 200, expected)
    await expect(failure).rejects.toThrow(ExpectationError)
    await expect(failure).rejects.toThrow(difference)
    await expect(failure).rejects.toThrow('GET /fruits/apple\n')
  })

  it('a body goes before the status; the message has both statuses and the answer', async () => {
    const api = open()
    await api.expect('POST', '/fruits', { name: 'fig', weight: 1 }, 201, { id: 7 })
    const failure = api.expect('post', '/fruits', { name: 'fig' }, 201)
    await expect(failure).rejects.toThrow(/^POST \/fruits\n\nexpected status 201\nreceived status 422\n/)
    await expect(failure).rejects.toThrow("pointer: '/weight'")
    await expect(failure).rejects.toMatchObject({ answer: { status: 422 } })
  })

  it('undefined stands for no body, and headers come last', async () => {
    const api = open()
    await api.expect('GET', '/fruits/apple', undefined, 406, undefined, { headers: { accept: 'image/png' } })
    await expect(api.expect('GET', '/fruits/apple', 7)).rejects.toThrow('needs a status from 100 to 599')
  })

  it('what is far from a difference is left out', async () => {
    const rows = Array.from({ length: 100 }, (_, id) => ({ id }))
    const api = testApp(new Koa().use((ctx) => void (ctx.body = rows)))
    const error = (await api
      .expect('GET', '/', 200, rows.with(50, { id: -1 }))
      .catch((reason: unknown) => reason)) as Error
    expect(error.message).toContain('-     id: -1')
    expect(error.message.split('\n').length).toBeLessThan(25)
  })
})
