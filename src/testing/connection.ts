import type { IncomingMessage, ServerResponse } from 'node:http'
import { Duplex, Readable } from 'node:stream'

/** The connection of one request in process: what Node's sockets tell, and nothing that goes over a wire. */
class Connection extends Duplex {
  readonly remoteAddress = '127.0.0.1'
  readonly remoteFamily = 'IPv4'
  readonly remotePort = 1
  readonly localAddress = '127.0.0.1'
  readonly bytesRead = 0
  readonly bytesWritten = 0

  constructor(
    readonly encrypted: boolean,
    readonly localPort: number,
  ) {
    super({ autoDestroy: false })
  }

  override _read(): void {}

  // At once: what is written has arrived, so an answer that ends is finished before it is closed.
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done()
  }

  address(): object {
    return { address: this.localAddress, family: this.remoteFamily, port: this.localPort }
  }

  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}

/** What is known of the request before its connection stands. */
export interface ConnectionFacts {
  /** Path and query, as they are. */
  readonly target: string
  readonly secure: boolean
  readonly port: number
  /** What the client sends: bytes, or what it reads them from. */
  readonly payload: Buffer | Readable | undefined
}

/** A request and its answer as Node's server would have them: light-my-request leaves out what a socket brings about. */
export interface Connected {
  /** The client leaves: as after a socket that closes. */
  hangUp(): void
}

/**
 * Gives request and response one connection, and the life of one: `complete`, `aborted` and `close` come as they come
 * from a socket.
 */
export function connect(req: IncomingMessage, res: ServerResponse, facts: ConnectionFacts): Connected {
  const { target, secure, port, payload } = facts
  const connection = new Connection(secure, port)
  const socket = connection as unknown as IncomingMessage['socket']
  const given = res.socket
  if (given) res.detachSocket(given)
  res.assignSocket(socket)
  // The library resolves paths as URLs; the application shall see what was sent.
  Object.assign(req, { url: target, socket, complete: !(payload instanceof Readable), trailers: {}, rawTrailers: [] })
  if (payload instanceof Readable) payload.once('end', () => Object.assign(req, { complete: true }))
  else give(req, payload)
  sendLength(res)
  finishOnce(res)
  // Those of the library and of this file come on top of what an application may have without a warning.
  if (res.getMaxListeners() > 0) res.setMaxListeners(res.getMaxListeners() + 4)
  // What a handler leaves unread is thrown away, and every request closes with its answer.
  res.once('finish', () => req.resume())
  res.once('close', () => process.nextTick(close))

  function close(): void {
    if (payload instanceof Readable) payload.destroy()
    if (!req.destroyed) Readable.prototype.destroy.call(req)
  }

  return {
    hangUp() {
      if (res.writableFinished || connection.destroyed) return
      connection.destroy()
      if (req.destroyed) return
      const unread = !req.complete || !req.readableEnded
      if (unread) {
        Object.assign(req, { aborted: true })
        req.emit('aborted')
      }
      const heard = unread && req.listenerCount('error') > 0
      Readable.prototype.destroy.call(req, heard ? reset() : undefined)
    },
  }
}

/** The body, all of which has arrived. */
function give(req: IncomingMessage, payload: Buffer | undefined): void {
  req._read = () => undefined
  if (payload && payload.length > 0) req.push(payload)
  req.push(null)
}

/** The library tells that an answer is finished, and so does Node, of which it is made. */
function finishOnce(res: ServerResponse): void {
  const emit = res.emit.bind(res) as (event: string, ...args: unknown[]) => boolean
  let isFinished = false
  res.emit = function emitOnce(event: string, ...args: unknown[]) {
    if (event !== 'finish') return emit(event, ...args)
    if (isFinished) return false
    isFinished = true
    return emit(event)
  } as ServerResponse['emit']
}

/** The error of a connection that broke, as Node words it. */
export function reset(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
}

/** Node knows the length of an answer that is given whole; the library writes it as a stream, which has none. */
function sendLength(res: ServerResponse): void {
  const end = res.end.bind(res) as (...args: unknown[]) => ServerResponse
  res.end = function endWhole(...args: unknown[]) {
    if (!res.headersSent && !res.hasHeader('transfer-encoding') && !res.hasHeader('content-length')) {
      const [data, encoding] = args
      const length = lengthOf(data, encoding)
      if (length > 0 || hasContent(res)) res.setHeader('Content-Length', length)
    }
    return end(...args)
  } as ServerResponse['end']
}

function lengthOf(data: unknown, encoding: unknown): number {
  if (typeof data === 'string')
    return Buffer.byteLength(data, typeof encoding === 'string' ? toEncoding(encoding) : 'utf8')
  return ArrayBuffer.isView(data) ? data.byteLength : 0
}

function toEncoding(name: string): BufferEncoding {
  return Buffer.isEncoding(name) ? name : 'utf8'
}

// RFC 9110 §8.6: no length where the status has no content, and none of nothing in answer to HEAD.
function hasContent(res: ServerResponse): boolean {
  return res.statusCode >= 200 && res.statusCode !== 204 && res.statusCode !== 304 && res.req.method !== 'HEAD'
}
