import { Readable } from 'node:stream'
import type { Transport } from '../client/transport'
import { decodeAnswer } from './coding'
import { createExchange, type Exchange, type Listener, type RawAnswer, type RawRequest } from './inject'
import { followRedirects } from './redirect'

/**
 * A transport that hands requests to a handler in process: the same middleware, streams and aborts as over a socket, and no
 * socket.
 *
 * @param listener what `http.createServer` takes: `app.callback()`
 */
export function appTransport(listener: Listener): Transport {
  const exchange = createExchange(listener)
  return followRedirects((request) => send(exchange, request))
}

async function send(exchange: Exchange, request: Request): Promise<Response> {
  const { method, signal } = request
  if (signal.aborted) throw signal.reason as Error
  const url = new URL(request.url)
  const secure = url.protocol === 'https:'
  const payload = request.body ? await readPayload(request.body) : undefined
  const answer = await exchange({
    method,
    target: url.pathname + url.search,
    headers: toHeaders(request, url, payload),
    payload,
    secure,
    port: Number(url.port) || (secure ? 443 : 80),
    signal,
  })
  return toResponse(answer, request)
}

// What `fetch` sends by itself, as Node has it.
const own = { accept: '*/*', 'accept-language': '*', 'sec-fetch-mode': 'cors', 'user-agent': 'node' }
const conditions = ['if-modified-since', 'if-none-match', 'if-unmodified-since', 'if-match', 'if-range']

function toHeaders({ headers, method }: Request, url: URL, payload: RawRequest['payload']): RawRequest['headers'] {
  const sent: Record<string, string> = { host: url.host, connection: 'keep-alive' }
  for (const [name, value] of headers) sent[name] = value
  for (const [name, value] of Object.entries(own)) sent[name] ??= value
  // Fetch §4.6: who brings conditions wants no cache on the way, and parts of encoded content are of no use.
  if (conditions.some((name) => name in sent)) {
    sent['cache-control'] ??= 'no-cache'
    sent['pragma'] ??= 'no-cache'
  }
  if ('range' in sent) sent['accept-encoding'] = append(sent['accept-encoding'], 'identity')
  sent['accept-encoding'] ??= url.protocol === 'https:' ? 'br, gzip, deflate' : 'gzip, deflate'
  if (payload && !Buffer.isBuffer(payload)) sent['transfer-encoding'] = 'chunked'
  else if (payload && payload.length > 0) sent['content-length'] = String(payload.length)
  // RFC 9110 §8.6: nothing is worth a word where the method is about content.
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') sent['content-length'] = '0'
  return sent
}

function append(known: string | undefined, value: string): string {
  return known === undefined ? value : `${known}, ${value}`
}

/**
 * A body that is there as a whole is sent with its length, as `fetch` sends text and bytes; one that is still being made is
 * sent as it comes. A `Request` does not tell which it was made of.
 */
async function readPayload(body: NonNullable<Request['body']>): Promise<Buffer | Readable> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  for (;;) {
    const reading = reader.read()
    const read = await Promise.race([reading, turn()])
    if (read === undefined)
      return Readable.from(readRest(reader as BodyReader, chunks, reading as ReturnType<BodyReader['read']>), {
        objectMode: false,
      })
    if (read.done) return chunks.length === 1 ? Buffer.from(chunks[0]!) : Buffer.concat(chunks)
    chunks.push(read.value as Uint8Array)
  }
}

type BodyReader = ReadableStreamDefaultReader<Uint8Array>

async function* readRest(
  reader: BodyReader,
  chunks: readonly Uint8Array[],
  reading: ReturnType<BodyReader['read']>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
    for (let next = await reading; !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

function turn(): Promise<undefined> {
  return new Promise((resolve) => {
    setImmediate(resolve, undefined)
  })
}

// --- The answer -------------------------------------------------------------------------------------------------------

// RFC 9110 §7.6.1: they are about a connection, and there is none.
const hopByHop: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding'])

function toResponse(answer: RawAnswer, request: Request): Response {
  const { status, statusText } = answer
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) {
    if (hopByHop.has(name)) continue
    if (typeof value === 'string') headers.set(name, value)
    else for (const each of value) headers.append(name, each)
  }
  const init = { status, statusText, headers }
  // Fetch §2.2.3: these have no body, and a Response refuses to be made with one.
  const isEmpty = status === 204 || status === 205 || status === 304 || request.method === 'HEAD'
  if (isEmpty) return new Response(null, init)
  const decoded = decodeAnswer(answer, headers.get('content-encoding'))
  return new Response(Buffer.isBuffer(decoded) ? decoded : toBody(decoded, answer, request), init)
}

/** The content as it comes; who cancels it leaves, and who aborts the request gets the reason. */
function toBody(content: Readable, { leave }: RawAnswer, request: Request): ReadableStream<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next()
          if (next.done) controller.close()
          else controller.enqueue(new Uint8Array(next.value))
        } catch (cause) {
          // As `fetch` fails where an answer breaks off.
          throw request.signal.aborted ? (request.signal.reason as Error) : new TypeError('terminated', { cause })
        }
      },
      cancel() {
        leave()
        content.destroy()
      },
    },
    { highWaterMark: 0 },
  )
}
