import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createApp, Get, Resource } from 'kumu'
import { createClient, DecodeError, NetworkError, NotFoundError, type ServerEvent } from 'kumu/client'
import { collection, docstore } from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'
import { IsString } from 'class-validator'
import { parseEvents, type EventState } from '../../src/client/event-parser'
import { readLines } from '../../src/client/lines'
import { closeAll, serve } from '../support/serve'
import { failureOf, record } from './support/server'

afterEach(closeAll)

async function parse(
  text: string,
  size: number,
  state: EventState = { lastId: '', retry: undefined },
): Promise<ServerEvent[]> {
  const bytes = Buffer.from(text)
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const events: ServerEvent[] = []
  for await (const event of parseEvents(readLines(chunks(), 'any'), state)) events.push(event)
  return events
}

const message = (data: string, id = ''): ServerEvent => ({ event: 'message', data, id })

// The examples of WHATWG HTML §9.2.6, and what its rules say beyond them.
const streams: ReadonlyArray<readonly [string, string, readonly ServerEvent[]]> = [
  ['several lines of data', 'data: YHOO\ndata: +2\ndata: 10\n\n', [message('YHOO\n+2\n10')]],
  [
    'a comment, ids, a space',
    ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
    [message('first event', '1'), message('second event'), message(' third event')],
  ],
  ['empty data', 'data\n\ndata\ndata\n\ndata:', [message(''), message('\n')]],
  ['one space', 'data:test\n\ndata: test\n\n', [message('test'), message('test')]],
  [
    'types',
    'event: add\ndata: 1\n\ndata: 2\n\nevent: x\n\ndata: 3\n\n',
    [{ event: 'add', data: '1', id: '' }, message('2'), message('3')],
  ],
  ['all line ends', 'data: a\rdata: b\r\ndata: c\n\r\ndata: d\r\r', [message('a\nb\nc'), message('d')]],
  ['an id with NULL', 'id: 1\ndata: a\n\nid: 2\u00003\ndata: b\n\n', [message('a', '1'), message('b', '1')]],
  ['a byte order mark', '\ufeffdata: a\n\n', [message('a')]],
  ['characters of several bytes', 'data: ä😀\nid: ü\n\n', [message('ä😀', 'ü')]],
  ['unknown fields', 'foo: bar\nDATA: x\ndata: y\n\n', [message('y')]],
  ['an event without its end', 'data: a\n\ndata: b\nid: 7\n', [message('a')]],
]

describe('parseEvents(lines)', () => {
  it.each(streams)('%s', async (_, text, expected) => {
    for (const size of [1, 2, 3, 5, 1000]) expect(await parse(text, size)).toEqual(expected)
  })

  it('keeps the last id of whole events, and the time to wait', async () => {
    const state: EventState = { lastId: '0', retry: undefined }
    expect(await parse('data: a\n\nid: 5\n\nid: 6\nretry: 12\nretry: 1x\n', 1, state)).toEqual([message('a', '0')])
    expect(state).toEqual({ lastId: '5', retry: 12 })
  })
})

/** Answers each connection by the next of the given ways, the last one again and again. */
async function serveEvents(...ways: ReadonlyArray<(response: ServerResponse) => unknown>) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    ways[Math.min(seen.length, ways.length) - 1]!(response)
  })
  return { seen, server, url: (await serve(server)).url }
}

const stream = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'Content-Type': 'text/event-stream' })
const over = (response: ServerResponse): unknown => response.writeHead(204).end()

async function collect(events: AsyncIterable<ServerEvent>): Promise<string[]> {
  const all: string[] = []
  for await (const { data } of events) all.push(data)
  return all
}

describe('events(path, args)', () => {
  it('resumes behind the last event, after the time that the server says, until there is no more', async () => {
    const { url, seen } = await serveEvents(
      (response) => stream(response).end('retry: 5\nid: 1\ndata: a\n\nid: ü😀\ndata: b\n\nid: 3\ndata: cut'),
      (response) => {
        stream(response).write('data: c\n\n', () => setImmediate(() => response.destroy()))
      },
      over,
    )
    expect(await collect(createClient(url).events('/feed', { watch: true }))).toEqual(['a', 'b', 'c'])
    expect(seen.map(({ url: target }) => target)).toEqual(['/feed?watch=true', '/feed?watch=true', '/feed?watch=true'])
    const ids = seen.map(({ headers }) => headers['last-event-id'])
    expect(ids[0]).toBeUndefined()
    expect(ids.slice(1).map((id) => Buffer.from(String(id), 'latin1').toString())).toEqual(['ü😀', 'ü😀'])
    expect(seen[0]?.headers.accept).toBe('text/event-stream')
  })

  it('begins behind the id that the caller names', async () => {
    const { url, seen } = await serveEvents(over)
    await collect(createClient(url).events('/feed', undefined, { headers: { 'Last-Event-ID': '41' } }))
    expect(seen[0]?.headers['last-event-id']).toBe('41')
  })

  it('connects again where the server is away for a while', async () => {
    const { url, seen } = await serveEvents(
      (response) => stream(response).end('retry: 1\ndata: a\n\n'),
      (response) => response.destroy(),
      (response) => response.writeHead(503).end(),
      (response) => stream(response).end('data: b\n\n'),
      over,
    )
    expect(await collect(createClient(url, { backoff: 1 }).events('/'))).toEqual(['a', 'b'])
    expect(seen).toHaveLength(5)
  })

  it('ends with its signal, without an error, and the connection with it', async () => {
    const { url, server } = await serveEvents((response) => {
      stream(response).write('data: a\n\n')
      response.once('close', () => server.emit('left'))
    })
    const left = once(server, 'left')
    const controller = new AbortController()
    const all: string[] = []
    for await (const { data } of createClient(url).events('/', undefined, { signal: controller.signal })) {
      all.push(data)
      setImmediate(() => controller.abort())
    }
    expect(all).toEqual(['a'])
    await left
  })

  it('ends with its signal while it waits to connect again', async () => {
    const controller = new AbortController()
    const { url, seen } = await serveEvents((response) => {
      stream(response).end('retry: 1000000\ndata: a\n\n')
      response.once('close', () => setTimeout(() => controller.abort(), 20))
    })
    expect(await collect(createClient(url).events('/', undefined, { signal: controller.signal }))).toEqual(['a'])
    expect(seen).toHaveLength(1)
  })

  it('ends the connection where the reader leaves', async () => {
    const { url, server } = await serveEvents((response) => {
      stream(response).write('data: a\n\n')
      response.once('close', () => server.emit('left'))
    })
    const left = once(server, 'left')
    for await (const event of createClient(url).events('/')) {
      expect(event.data).toBe('a')
      break
    }
    await left
  })

  it('fails where the server refuses, is gone, or says something else', async () => {
    const { url } = await serveEvents((response) => response.writeHead(404).end())
    expect(await failureOf(collect(createClient(url).events('/')))).toBeInstanceOf(NotFoundError)
    const other = await record((_, response) => response.setHeader('Content-Type', 'text/html').end('<p>'))
    const error = await failureOf(collect(createClient(other.url).events('/')))
    expect(error).toBeInstanceOf(DecodeError)
    expect(error.message).toMatch('the answer is text/html and not text/event-stream')
    await closeAll()
    expect(await failureOf(collect(createClient(url, { retries: 1, backoff: 1 }).events('/')))).toBeInstanceOf(
      NetworkError,
    )
  })

  it('reads the events of a Kumu application', async () => {
    @Resource('/ticks')
    class Ticks {
      @Get() async *all() {
        yield { tick: 1 }
        yield { tick: 2 }
      }
    }
    const { url } = await serve(createApp({ resources: [Ticks] }))
    const events = createClient(url).events('/ticks')
    const first = await events.next()
    const second = await events.next()
    await events.return?.()
    expect([first, second].map(({ value }) => JSON.parse((value as ServerEvent).data) as unknown)).toEqual([
      { tick: 1 },
      { tick: 2 },
    ])
  })

  it('follows a feed of changes, over a loss of the connection', async () => {
    class Note {
      @IsString() text!: string
    }
    const store = docstore(memory())
    const served = await serve(createApp({ resources: [collection('/notes', { model: Note, store })] }))
    const posted: string[] = []
    const post = async (): Promise<void> => {
      const text = `note ${posted.length}`
      posted.push(text)
      await served.ask('POST', '/notes', { body: { text }, agent: false })
    }
    const controller = new AbortController()
    const got: string[] = []
    let first: () => void = () => undefined
    const begun = new Promise<void>((resolve) => (first = resolve))
    const watching = (async () => {
      for await (const { data } of createClient(served.url).events('/notes', undefined, {
        signal: controller.signal,
      })) {
        got.push((JSON.parse(data) as { value: Note }).value.text)
        first()
        if (got.at(-1) === 'note last') controller.abort()
      }
    })()
    // A feed begins where it stands: nobody but its first event says when that is.
    const posting = setInterval(() => void post(), 20)
    await begun
    clearInterval(posting)
    served.server.closeAllConnections()
    for (let each = 0; each < 5; each++) await post()
    await served.ask('POST', '/notes', { body: { text: 'note last' }, agent: false })
    await watching
    const from = posted.indexOf(got[0]!)
    expect(got).toEqual([...posted.slice(from), 'note last'])
    expect(got.length).toBeGreaterThan(6)
    await store.close()
  })
})
