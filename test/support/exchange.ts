import { request as send, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'

/** A request whose body the test sends piece by piece. */
export interface Exchange {
  readonly request: ClientRequest
  readonly response: Promise<IncomingMessage>
}

/** Begins a request; without a `Content-Length` its body is chunked. */
export function begin(port: number, method: string, path: string, headers: Record<string, string> = {}): Exchange {
  const request = send({ host: '127.0.0.1', port, method, path, headers, agent: false })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  // Who breaks the request off does not wait for its answer.
  response.catch(() => undefined)
  request.flushHeaders()
  return { request, response }
}

/** The whole body of a response. */
export async function readBody(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A connection on which the test writes what it likes, with all that has come back so far. */
export interface Wire {
  readonly socket: Socket
  /** What came back, once it matches. */
  until(pattern: RegExp): Promise<string>
  /** What came back until the server closed the connection. */
  readonly closed: Promise<string>
}

/** Opens a connection and writes to it. */
export function openWire(port: number, text: string | Uint8Array): Wire {
  const socket = connect(port, '127.0.0.1')
  let received = ''
  const wake = new Set<() => void>()
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    for (const each of wake) each()
  })
  socket.on('error', () => undefined)
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(received)))
  socket.write(text)
  return {
    socket,
    closed,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!pattern.test(received)) return
          wake.delete(check)
          resolve(received)
        }
        wake.add(check)
        socket.once('close', () => reject(new Error(`The connection ended before ${pattern}: ${received}`)))
        check()
      }),
  }
}

/** One event of a stream. */
export interface SentEvent {
  readonly event?: string
  readonly id?: string
  readonly data?: string
}

/** An open stream of events. */
export interface EventFeed {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The next event; nothing where the stream has ended properly. */
  next(): Promise<SentEvent | undefined>
  /** Leaves, as a client does that closes its window. */
  leave(): void
}

/** Opens a stream of events (WHATWG HTML §9.2). */
export async function openEvents(port: number, path: string, headers: Record<string, string> = {}): Promise<EventFeed> {
  const exchange = begin(port, 'GET', path, { Accept: 'text/event-stream', ...headers })
  exchange.request.end()
  const response = await exchange.response
  const events = parseEvents(response)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next: async () => {
      const { done, value } = await events.next()
      return done ? undefined : value
    },
    leave: () => void response.destroy(),
  }
}

async function* parseEvents(response: IncomingMessage): AsyncGenerator<SentEvent> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end)
      text = text.slice(end + 2)
      const fields = block.split('\n').filter((line) => !line.startsWith(':'))
      if (fields.length > 0)
        yield Object.fromEntries(fields.map((line) => line.split(/: (.*)/s).slice(0, 2))) as SentEvent
    }
  }
}
