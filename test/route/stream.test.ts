import { once } from 'node:events'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, definePlan, event, Get, Produces, Resource, Signal, type App, type PlanInit } from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

interface Log {
  readonly err: Error
}

interface Streaming extends Served {
  readonly app: App
  readonly log: Log[]
}

/** An application of one operation; what it logs is kept. */
async function streaming(call: (signal: AbortSignal) => unknown, plan: Partial<PlanInit> = {}): Promise<Streaming> {
  const log: Log[] = []
  const app = createApp({
    plans: [
      definePlan({
        id: 'it',
        method: 'GET',
        path: '/',
        params: [{ source: 'signal' }],
        ...plan,
        call: call as PlanInit['call'],
      }),
    ],
    logger: { error: (details) => void log.push(details as Log) },
  })
  return { ...(await serve(app)), app, log }
}

/** Waits for a condition that is reached by events, not by time. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 1000) throw new Error('It never came')
    await sleep(2)
  }
}

/** A client that leaves when it likes. */
async function open(
  port: number,
  headers: Record<string, string> = {},
): Promise<{ outgoing: ClientRequest; response: IncomingMessage }> {
  const outgoing = request({ port, host: '127.0.0.1', headers })
  outgoing.on('error', () => undefined)
  outgoing.end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  return { outgoing, response }
}

const sse = { headers: { Accept: 'text/event-stream' } }

async function* three() {
  yield { n: 1 }
  yield 'two'
  yield null
}

describe('an async iterable', () => {
  it('goes out as NDJSON', async () => {
    const { ask } = await streaming(three)
    const answer = await ask('GET', '/')
    expect(answer).toMatchObject({
      status: 200,
      text: '{"n":1}\n"two"\nnull\n',
      headers: { 'content-type': 'application/x-ndjson', vary: 'Accept' },
    })
  })

  it('goes out as events where they are asked for', async () => {
    const { ask } = await streaming(three)
    const answer = await ask('GET', '/', sse)
    expect(answer.text).toBe(':\n\ndata: {"n":1}\n\ndata: two\n\ndata: null\n\n')
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      vary: 'Accept',
    })
  })

  it.each([
    ['text/event-stream;q=0.5, application/x-ndjson', 'application/x-ndjson'],
    ['text/event-stream, application/x-ndjson;q=0.5', 'text/event-stream'],
    ['text/*', 'text/event-stream'],
    ['*/*', 'application/x-ndjson'],
  ])('with Accept: %s it is %s', async (Accept, type) => {
    const { ask } = await streaming(three)
    expect((await ask('GET', '/', { headers: { Accept } })).headers['content-type']).toBe(type)
  })

  it.each(['application/json', 'image/png', 'text/event-stream;q=0'])('with Accept: %s it is 406', async (Accept) => {
    const { ask } = await streaming(three)
    const answer = await ask('GET', '/', { headers: { Accept } })
    expect([answer.status, answer.headers['content-type']]).toEqual([406, 'application/problem+json'])
  })

  it('may also be any object that iterates', async () => {
    const own = { [Symbol.asyncIterator]: () => three() }
    const { ask } = await streaming(() => own)
    expect((await ask('GET', '/')).text).toBe('{"n":1}\n"two"\nnull\n')
  })

  it('of nothing is an empty answer', async () => {
    const { ask } = await streaming(async function* () {})
    expect(await ask('GET', '/')).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-type': 'application/x-ndjson' },
    })
  })

  it('is serialised row by row: dates, sets, big integers, undefined', async () => {
    const { ask } = await streaming(async function* () {
      yield { at: new Date(0), of: new Set([1n]) }
      yield undefined
    })
    expect((await ask('GET', '/')).text).toBe('{"at":"1970-01-01T00:00:00.000Z","of":["1"]}\nnull\n')
  })

  it.each([
    ['application/json', '[{"n":1},"two",null]'],
    ['application/xml', '<item><n>1</n></item><item>two</item><item xsi:nil="true"/>'],
  ])('under @Produces(%j) is one document', async (type, body) => {
    const { ask } = await streaming(three, { reply: { produces: [type] } })
    const answer = await ask('GET', '/')
    expect(answer.headers['content-type']).toBe(`${type}; charset=utf-8`)
    expect(answer.text).toContain(body)
  })

  it('of texts and bytes under @Produces of a type that no codec knows goes out as it is', async () => {
    const { ask } = await streaming(
      async function* () {
        yield 'a,b\n'
        yield Buffer.from('1,2\n')
      },
      { reply: { produces: ['text/csv'] } },
    )
    expect(await ask('GET', '/')).toMatchObject({
      text: 'a,b\n1,2\n',
      headers: { 'content-type': 'text/csv; charset=utf-8' },
    })
  })

  it('HEAD has the headers, and the source is closed', async () => {
    let isClosed = false
    const { ask } = await streaming(() => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 1 }),
        return: async () => {
          isClosed = true
          return { done: true, value: undefined }
        },
      }),
    }))
    for (const Accept of ['application/x-ndjson', 'text/event-stream']) {
      isClosed = false
      const answer = await ask('HEAD', '/', { headers: { Accept } })
      expect([answer.status, answer.headers['content-type'], answer.bytes.length]).toEqual([200, Accept, 0])
      await until(() => isClosed)
    }
  })
})

describe('event(data, fields)', () => {
  it.each([
    [event({ a: 1 }, { event: 'tick', id: '7', retry: 1500.7 }), 'event: tick\nid: 7\nretry: 1500\ndata: {"a":1}\n\n'],
    [event('two\nlines\r\nand\rmore'), 'data: two\ndata: lines\ndata: and\ndata: more\n\n'],
    [event(''), 'data: \n\n'],
    [event(undefined), 'data: null\n\n'],
    [event('x', { event: 'a\ndata: forged', id: 'b\r\nid: c\0' }), 'event: a data: forged\nid: b  id: c \ndata: x\n\n'],
    [event('data\n\nevent: forged'), 'data: data\ndata: \ndata: event: forged\n\n'],
    [event(new Map([['a', 1n]]), { id: '' }), 'id: \ndata: {"a":"1"}\n\n'],
  ])('%#', async (value, block) => {
    const { ask } = await streaming(async function* () {
      yield value
    })
    expect((await ask('GET', '/', sse)).text).toBe(`:\n\n${block}`)
  })
})

describe('GET text/event-stream', () => {
  it('reaches the client before the first event', async () => {
    const { port } = await streaming(async function* (signal: AbortSignal) {
      await once(signal, 'abort')
      yield 'never'
    })
    const { outgoing, response } = await open(port, sse.headers)
    const [first] = (await once(response, 'data')) as [Buffer]
    expect(first.toString()).toBe(':\n\n')
    outgoing.destroy()
  })

  it('has a heartbeat while nothing happens, and none after the client has gone', async () => {
    const fake = jest.spyOn(globalThis, 'setInterval')
    const clear = jest.spyOn(globalThis, 'clearInterval')
    try {
      const { port } = await streaming(async function* (signal: AbortSignal) {
        await once(signal, 'abort')
        yield 'never'
      })
      const { outgoing, response } = await open(port, sse.headers)
      await once(response, 'data')
      const [at, [beat, period]] = [fake.mock.calls.length - 1, fake.mock.calls.at(-1)!]
      expect(period).toBeLessThanOrEqual(30_000)
      const next = once(response, 'data')
      beat()
      expect(String((await next)[0])).toBe(':\n\n')
      outgoing.destroy()
      const timer: unknown = fake.mock.results[at]!.value
      await until(() => clear.mock.calls.some(([cleared]) => cleared === timer))
    } finally {
      fake.mockRestore()
      clear.mockRestore()
    }
  })
})

describe('back-pressure', () => {
  it.each([
    [
      'an async iterable',
      (pulled: () => void) =>
        async function* () {
          for (;;) {
            pulled()
            yield 'x'.repeat(65_536)
          }
        },
    ],
    [
      'a Readable',
      (pulled: () => void) => () =>
        new Readable({
          read() {
            pulled()
            this.push(Buffer.alloc(65_536))
          },
        }),
    ],
    [
      'a web stream',
      (pulled: () => void) => () =>
        new ReadableStream({
          pull(controller) {
            pulled()
            controller.enqueue(new Uint8Array(65_536))
          },
        }),
    ],
  ] as ReadonlyArray<readonly [string, (pulled: () => void) => () => unknown]>)(
    '%s waits for a client that does not read',
    async (_name, make) => {
      let chunks = 0
      const { port, log } = await streaming(make(() => void chunks++))
      const socket = connect({ port, host: '127.0.0.1' })
      socket.on('error', () => undefined).pause()
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      let before = -1
      let still = 0
      for (let turn = 0; turn < 200 && still < 5; turn++) {
        await sleep(10)
        still = chunks > 0 && chunks === before ? still + 1 : 0
        before = chunks
      }
      expect(still).toBe(5)
      socket.destroy()
      expect(log.length).toBeLessThanOrEqual(1)
    },
  )
})

describe('a failing source', () => {
  const isBroken = async (): Promise<boolean> => true
  const failing: ReadonlyArray<readonly [string, () => unknown]> = [
    [
      'an async iterable',
      async function* () {
        if (await isBroken()) throw new Error('hunter2')
        yield 'never'
      },
    ],
    [
      'an async iterable that throws no Error',
      async function* () {
        if (await isBroken()) throw 'hunter2'
        yield 'never'
      },
    ],
    [
      'a Readable',
      () =>
        new Readable({
          read() {
            this.destroy(new Error('hunter2'))
          },
        }),
    ],
    [
      'a Readable that failed before',
      () => new Readable({ read() {} }).on('error', () => undefined).destroy(new Error('hunter2')),
    ],
    ['a web stream', () => new ReadableStream({ pull: (controller) => controller.error(new Error('hunter2')) })],
    ['a stream of objects', () => Readable.from([{ secret: 'hunter2' }])],
    [
      'a web stream of objects',
      () => new ReadableStream({ start: (controller) => controller.enqueue({ secret: 'hunter2' }) }),
    ],
    [
      'an iterable whose iterator fails',
      () => ({
        [Symbol.asyncIterator]() {
          throw new Error('hunter2')
        },
      }),
    ],
  ]

  it.each(failing)('%s: before the first byte it is a 500 problem, logged once', async (_name, make) => {
    const { ask, log } = await streaming(make)
    const answer = await ask('GET', '/')
    expect([answer.status, answer.headers['content-type']]).toEqual([500, 'application/problem+json'])
    expect(answer.text).not.toContain('hunter2')
    expect(log).toHaveLength(1)
  })

  it('a stream that was destroyed before is a 500 problem, not an endless wait', async () => {
    const { ask, log } = await streaming(async () => {
      const stream = new PassThrough()
      stream.destroy()
      await once(stream, 'close')
      return stream
    })
    expect((await ask('GET', '/')).status).toBe(500)
    expect(log).toHaveLength(1)
  })

  const late: ReadonlyArray<readonly [string, () => unknown]> = [
    [
      'an async iterable',
      async function* () {
        yield 'x'.repeat(100_000)
        await sleep(5)
        throw new Error('hunter2')
      },
    ],
    [
      'a Readable',
      () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(100_000)
            await sleep(5)
            throw new Error('hunter2')
          })(),
        ),
    ],
    [
      'a stream of objects',
      () =>
        Readable.from(
          (async function* () {
            yield 'x'.repeat(100_000)
            await sleep(5)
            yield {}
          })(),
        ),
    ],
    [
      'a web stream',
      () => {
        let isFirst = true
        return new ReadableStream({
          async pull(controller) {
            if (isFirst) controller.enqueue(new Uint8Array(100_000))
            else await sleep(5).then(() => controller.error(new Error('hunter2')))
            isFirst = false
          },
        })
      },
    ],
  ]

  it.each(late)('%s: after the first byte the connection is cut, logged once', async (_name, make) => {
    const { ask, log } = await streaming(make)
    await expect(ask('GET', '/')).rejects.toThrow()
    await until(() => log.length > 0)
    expect(log).toHaveLength(1)
    await expect(ask('GET', '/')).rejects.toThrow()
  })
})

describe('the end of the application', () => {
  it.each(['text/event-stream', 'application/x-ndjson'])('ends %s in order', async (Accept) => {
    let isClosed = false
    const { app, port, server, log } = await streaming(async function* (signal: AbortSignal) {
      try {
        yield 'first'
        await once(signal, 'abort')
      } finally {
        isClosed = true
      }
    })
    const { response } = await open(port, { Accept })
    await once(response, 'data')
    const ended = once(response.resume(), 'end')
    await app.close(server)
    await ended
    expect([isClosed, response.complete, log]).toEqual([true, true, []])
  })

  it.each(['text/event-stream', 'application/x-ndjson'])('%s that begins after it ends at once', async (Accept) => {
    let go = (): void => undefined
    const gate = new Promise<void>((resolve) => (go = resolve))
    let isEntered = false
    const { app, ask, server, log } = await streaming(async (signal) => {
      isEntered = true
      await gate
      return (async function* () {
        await once(signal, 'abort')
        yield 'never'
      })()
    })
    const answer = ask('GET', '/', { headers: { Accept } })
    await until(() => isEntered)
    const closed = app.close(server)
    go()
    expect([(await answer).status, log]).toEqual([200, []])
    await closed
  })

  it('takes an iterator whose return fails for what it is: logged, and nothing else', async () => {
    const { app, port, server, log } = await streaming(() => ({
      [Symbol.asyncIterator]: () => {
        let count = 0
        return {
          next: () => (count++ === 0 ? Promise.resolve({ done: false, value: 1 }) : new Promise(() => undefined)),
          return: () => {
            throw new Error('cannot close')
          },
        }
      },
    }))
    const { response } = await open(port)
    const ended = once(response.resume(), 'end')
    await once(response, 'data')
    await app.close(server)
    await ended
    expect(log.map(({ err }) => err.message)).toEqual(['cannot close'])
  })
})

describe('@Produces("text/event-stream")', () => {
  @Resource('/ticks')
  class Ticks {
    @Get()
    @Produces('text/event-stream')
    async *ticks(@Signal() signal: AbortSignal) {
      yield event({ count: 1 }, { event: 'tick' })
      if (!signal.aborted) yield 'end'
    }
  }

  it('needs no Accept, and knows no other type', async () => {
    const { ask } = await serve(createApp({ resources: [Ticks] }))
    expect((await ask('GET', '/ticks')).text).toBe(':\n\nevent: tick\ndata: {"count":1}\n\ndata: end\n\n')
    expect((await ask('GET', '/ticks', { headers: { Accept: 'application/x-ndjson' } })).status).toBe(406)
  })
})
