import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { connect, reset, type Connected } from './connection'
import { loadLightMyRequest } from './library'

/** A request as it would be on the wire: nothing of it is checked or made better. */
export interface RawRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: Buffer | Readable
  readonly secure?: boolean
  readonly port?: number
  /** Ends the exchange as a client does that leaves. */
  readonly signal?: AbortSignal
}

/** An answer whose headers are there. */
export interface RawAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** The content where all of it is there already. */
  readonly content: Buffer | undefined
  /** The content as it comes. */
  readonly stream: Readable
  /** The client leaves before the end. */
  readonly leave: () => void
}

/** What `http.createServer` takes. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown

/** Makes requests of a handler of Node's server, without one. */
export type Exchange = (request: RawRequest) => Promise<RawAnswer>

/**
 * Exchanges in process with what `http.createServer` takes, by the package light-my-request.
 *
 * @param listener `app.callback()`
 * @throws Error where light-my-request is not installed
 */
export function createExchange(listener: Listener): Exchange {
  const { inject } = loadLightMyRequest()
  return function exchange(request) {
    return new Promise((resolve, reject) => {
      const { method, target, headers, payload, secure = false, port = 80, signal } = request
      let connected: Connected | undefined
      let failure: Error | undefined
      const leave = (): void => connected?.hangUp()
      const quit = (): void => {
        failure = signal?.reason as Error | undefined
        leave()
      }
      const isStream = payload instanceof Readable
      if (isStream) {
        payload.once('error', (error) => {
          failure ??= toNetworkFault(error)
          leave()
        })
      }
      function dispatch(req: IncomingMessage, res: ServerResponse): void {
        connected = connect(req, res, { target, secure, port, payload })
        signal?.addEventListener('abort', quit, { once: true })
        res.once('close', () => signal?.removeEventListener('abort', quit))
        listener(req, res)
      }
      const options = {
        method,
        url: '/',
        headers: { ...headers },
        payload: isStream ? payload : undefined,
        payloadAsStream: true,
        validate: false,
      }
      inject(dispatch, options, (error, response) => {
        if (response) resolve(toAnswer(response, leave))
        else reject(failure ?? toNetworkFault(error))
      })
    })
  }
}

interface Injected {
  readonly statusCode: number
  readonly statusMessage: string
  readonly headers: object
  readonly raw: { readonly res: ServerResponse }
  stream(): Readable
}

function toAnswer(response: Injected, leave: () => void): RawAnswer {
  const stream = response.stream()
  const ended = response.raw.res.writableEnded
  return {
    status: response.statusCode,
    statusText: response.statusMessage,
    headers: response.headers as RawAnswer['headers'],
    content: ended ? ((stream.read() as Buffer | null) ?? nothing) : undefined,
    stream,
    leave,
  }
}

const nothing = Buffer.alloc(0)

/** As `fetch` rejects where the server closes the connection before it answers. */
function toNetworkFault(error: unknown): Error {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return new TypeError('fetch failed', { cause: code === 'LIGHT_ECONNRESET' ? reset() : error })
}
