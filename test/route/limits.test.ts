import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { IsArray, IsObject, IsOptional, IsString } from 'class-validator'
import { Body, ConfigurationError, createApp, Get, Limit, Post, Query, Resource, type LimitOptions } from 'kumu'
import { toLimits } from '../../src/route/limits'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)

describe('limits', () => {
  it.each([
    ['body', 10, 10],
    ['body', '10', 10],
    ['body', '1kb', 1024],
    ['body', '1.5 KB', 1536],
    ['body', '2mb', 2 * 1024 ** 2],
    ['body', '1gb', 1024 ** 3],
    ['body', '7b', 7],
    ['depth', 3, 3],
    ['keys', 0, 0],
  ])('%s: %p is %i', (name, value, number) => {
    expect(toLimits({ [name]: value })).toMatchObject({ [name]: number })
  })

  it('have defaults', () => {
    expect(toLimits()).toEqual({
      body: 1048576,
      depth: 32,
      keys: 1000,
      items: 10_000,
      string: 1048576,
      parts: 100,
      files: 10,
      fileSize: 10485760,
      document: 16777216,
    })
    expect(toLimits({ body: undefined })).toEqual(toLimits())
  })

  it.each([
    '',
    ' ',
    '1tb',
    'mb',
    '1,5mb',
    '-1',
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '1e999',
    'many',
    null as unknown as number,
  ])('%p is none, said at start', (body) => {
    expect(() => createApp({ limits: { body } })).toThrow(ConfigurationError)
  })

  it.each(['bodies', 'toString', '__proto__x', 'constructor'])('%s is no limit', (name) => {
    expect(() => createApp({ limits: { [name]: 1 } })).toThrow(`"${name}" is no limit`)
  })
})

class Loose {
  @IsOptional() @IsArray() @IsString({ each: true }) list?: string[]
  @IsOptional() @IsObject() map?: Record<string, unknown>
}

@Resource('/')
class Bodies {
  @Post('/any') any(@Body(Object) body: unknown) {
    return { kind: typeof body }
  }
  @Post('/dto') dto(@Body() body: Loose) {
    return { list: body.list?.length }
  }
  @Post('/text') text(@Body() body: string) {
    return { length: body.length }
  }
  @Post('/small') @Limit({ body: 10 }) small(@Body() body: string) {
    return { length: body.length }
  }
  @Get('/query') query(@Query('a', { list: true, type: String }) a: string[]) {
    return { count: a.length }
  }
}

const nested = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`
const keyed = (count: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n])))
const listed = (count: number): string => JSON.stringify(Array.from({ length: count }, () => 'x'))

describe('bounds on bodies', () => {
  it.each([
    ['/any', {}, 'application/json', nested(32), 200],
    ['/any', {}, 'application/json', nested(33), 400],
    ['/any', {}, 'application/json', nested(100_000), 400],
    ['/any', { depth: 3 }, 'application/json', nested(4), 400],
    ['/any', {}, 'application/json', keyed(1000), 200],
    ['/any', {}, 'application/json', keyed(1001), 400],
    ['/any', {}, 'application/json', listed(10_000), 200],
    ['/any', {}, 'application/json', listed(10_001), 400],
    ['/any', { items: 2 }, 'application/json', '[[1,2,3]]', 400],
    ['/any', { string: 5 }, 'application/json', '{"a":["12345"]}', 200],
    ['/any', { string: 5 }, 'application/json', '{"a":["123456"]}', 400],
    ['/any', { string: 5 }, 'application/x-www-form-urlencoded', 'a=123456', 400],
    ['/any', { string: 5 }, 'application/xml', '<r><a>123456</a></r>', 400],
    ['/text', { string: 5 }, 'text/plain', '123456', 400],
    ['/dto', {}, 'application/json', `{"map":${keyed(1001)}}`, 400],
    ['/dto', {}, 'application/json', `{"list":${listed(10_001)}}`, 400],
    ['/dto', {}, 'application/json', `{"map":{"a":${nested(40)}}}`, 400],
    ['/text', { body: 5 }, 'text/plain', '12345', 200],
    ['/text', { body: 5 }, 'text/plain', '123456', 413],
    ['/text', { body: '1kb' }, 'text/plain', 'x'.repeat(1025), 413],
    ['/small', { body: '1mb' }, 'text/plain', 'x'.repeat(11), 413],
    ['/small', { body: 1 }, 'text/plain', 'x'.repeat(10), 200],
    ['/text', {}, 'text/plain', 'x'.repeat(1024 ** 2), 200],
    ['/text', {}, 'text/plain', 'x'.repeat(1024 ** 2 + 1), 413],
    ['/any', {}, 'application/x-www-form-urlencoded', Array.from({ length: 1001 }, (_, n) => `a${n}=1`).join('&'), 400],
    ['/any', { keys: 2 }, 'application/x-www-form-urlencoded', 'a=1&b=2&c=3', 400],
    ['/any', {}, 'application/xml', `${'<a>'.repeat(50)}x${'</a>'.repeat(50)}`, 400],
  ] as ReadonlyArray<readonly [string, LimitOptions, string, string, number]>)(
    '%s %j %s %#',
    async (path, limits, type, body, status) => {
      const { ask } = await serve(createApp({ resources: [Bodies], limits }))
      const answer = await ask('POST', path, { headers: { 'Content-Type': type }, body }).catch(
        (error: NodeJS.ErrnoException) => error,
      )
      // A body that is refused by its announced length may still be on its way when the connection ends.
      if (!('status' in answer))
        return expect([status, answer.code]).toEqual([413, expect.stringMatching(/EPIPE|ECONNRESET/)])
      expect(answer.status).toBe(status)
      if (status !== 200) expect(answer.headers['content-type']).toBe('application/problem+json')
    },
  )

  it('a chunked body is counted while it comes', async () => {
    const { port } = await serve(createApp({ resources: [Bodies], limits: { body: 1000 } }))
    const outgoing = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/text',
      headers: { 'Content-Type': 'text/plain' },
    })
    outgoing.on('error', () => undefined)
    // It never ends: the answer comes as soon as there is too much.
    for (let n = 0; n < 3; n++) outgoing.write('x'.repeat(500))
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(413)
    outgoing.destroy()
  })

  it.each([
    [1000, 200],
    [1001, 400],
  ])('a query of %i pairs is %i', async (count, status) => {
    const { ask } = await serve(createApp({ resources: [Bodies] }))
    expect((await ask('GET', `/query?${'a=1&'.repeat(count).slice(0, -1)}`)).status).toBe(status)
  })
})
