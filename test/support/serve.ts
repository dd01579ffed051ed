import { request as send, type IncomingHttpHeaders, type RequestOptions, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server said. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** The body as JSON; throws where it is none. */
  json<T = unknown>(): T
}

/** What is asked: an object is sent as JSON, text and bytes as they are. */
export interface Ask {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: unknown
  readonly agent?: RequestOptions['agent']
}

/** A server of a test. */
export interface Served {
  readonly url: string
  readonly port: number
  readonly server: Server
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
}

const open = new Set<Server>()

/** Anything that listens as Koa does. */
interface Listens {
  listen(port: number, host: string): Server
}

/** Serves an application on a free port of the loopback interface until {@link closeAll}. */
export async function serve(app: Listens): Promise<Served> {
  const server = app.listen(0, '127.0.0.1')
  open.add(server)
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    ask: (method, path, ask) => exchange(port, method, path, ask),
  }
}

/** Ends every server of {@link serve} with its connections: for `afterEach` or `afterAll`. */
export async function closeAll(): Promise<void> {
  const servers = [...open]
  open.clear()
  await Promise.all(
    servers.map((server) => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    }),
  )
}

/** The path goes out as it is written: no normalisation, no encoding. */
export function exchange(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, agent }: Ask = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const payload = body === undefined ? undefined : raw ? body : JSON.stringify(body)
  const typed = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type')
  const all: Record<string, string | readonly string[]> = { ...headers }
  if (payload !== undefined && !raw && !typed) all['Content-Type'] = 'application/json'
  if (payload !== undefined) all['Content-Length'] = String(Buffer.byteLength(payload))
  return new Promise((resolve, reject) => {
    const outgoing = send(
      { host: '127.0.0.1', port, method, path, headers: all as Record<string, string>, agent },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          const json = <T>(): T => JSON.parse(text) as T
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, json })
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(payload)
  })
}
