import {
  accepted,
  created,
  createApp,
  definePlan,
  noContent,
  reply,
  Reply,
  seeOther,
  slice,
  Slice,
  withETag,
} from 'kumu'
import { closeAll, serve, type Answer } from '../support/serve'

afterEach(closeAll)

async function answerOf(value: unknown, method = 'POST'): Promise<Answer> {
  const { ask } = await serve(createApp({ plans: [definePlan({ id: 'it', method, path: '/', call: () => value })] }))
  return ask(method, '/')
}

describe('the makers of replies', () => {
  it.each([
    ['reply(207, body, headers)', reply(207, { a: 1 }, { 'X-Own': 'b' }), 207, { 'x-own': 'b' }, '{"a":1}'],
    [
      'reply with several values',
      reply(200, 'x', { 'Set-Cookie': ['a=1', 'b=2'] }),
      200,
      { 'set-cookie': ['a=1', 'b=2'] },
      'x',
    ],
    ['created(body, location)', created({ id: 7 }, '/things/7'), 201, { location: '/things/7' }, '{"id":7}'],
    ['accepted()', accepted(), 202, {}, ''],
    ['accepted(body)', accepted({ state: 'queued' }), 202, {}, '{"state":"queued"}'],
    ['accepted(body, path)', accepted({}, '/jobs/7'), 202, { location: '/jobs/7', 'retry-after': '1' }, '{}'],
    [
      'accepted(body, monitor)',
      accepted({}, { location: '/jobs/7', retryAfter: 5 }),
      202,
      { location: '/jobs/7', 'retry-after': '5' },
      '{}',
    ],
    ['noContent()', noContent(), 204, {}, ''],
    ['noContent(headers)', noContent({ ETag: '"1"' }), 204, { etag: '"1"' }, ''],
    ['seeOther(url)', seeOther('/elsewhere?a=b'), 303, { location: '/elsewhere?a=b' }, ''],
    ['withETag(value, rev)', withETag({ a: 1 }, '7'), 200, { etag: '"7"' }, '{"a":1}'],
    ['created(withETag(…))', created(withETag({ a: 1 }, '7'), '/a'), 201, { etag: '"7"', location: '/a' }, '{"a":1}'],
  ])('%s', async (_name, value, status, headers, body) => {
    const answer = await answerOf(value)
    expect([answer.status, answer.text]).toEqual([status, body])
    expect(answer.headers).toMatchObject(headers)
  })

  it.each([accepted(), accepted({ a: 1 })])('accepted without a monitor promises none', async (value) => {
    const { headers } = await answerOf(value)
    expect([headers.location, headers['retry-after']]).toEqual([undefined, undefined])
  })

  it.each([noContent(), reply(304), reply(204, { never: 'sent' }), reply(205)])(
    'an answer without content has no body: %#',
    async (value) => {
      const answer = await answerOf(value)
      expect(answer.status).toBe(value.status)
      expect([answer.bytes.length, answer.headers['content-type']]).toEqual([0, undefined])
    },
  )
})

describe('reply(status)', () => {
  it.each([199, 100, 0, -1, 600, 200.5, Number.NaN, Number.POSITIVE_INFINITY, '200' as unknown as number])(
    '%p is none',
    (status) => {
      expect(() => reply(status)).toThrow(RangeError)
    },
  )

  it.each([200, 299, 304, 404, 599])('%i is one', (status) => {
    expect(reply(status)).toBeInstanceOf(Reply)
  })
})

describe('slice(items, total?, next?)', () => {
  it('keeps what it is given', () => {
    const items = [1, 2]
    expect(slice(items, 9, 'c')).toEqual(new Slice(items, 9, 'c'))
    expect(slice(items).total).toBeUndefined()
  })

  it.each([
    ['an array', slice([1, 2], 9), '[1,2]'],
    ['a set', slice(new Set([1, 2])), '[1,2]'],
  ])('of %s is its items where nothing pages', async (_name, value, body) => {
    expect((await answerOf(value, 'GET')).text).toBe(body)
  })

  it('of an async iterable is a stream where nothing pages', async () => {
    async function* rows() {
      yield 1
      yield 2
    }
    expect((await answerOf(slice(rows(), 2), 'GET')).text).toBe('1\n2\n')
  })
})
