import { request, type Agent } from 'node:http'

/** An answer as it stood on the wire, without the time of day. */
export interface RawAnswer {
  readonly status: number
  readonly message: string
  /** `Name: value` as written, in the order of their names. */
  readonly headers: readonly string[]
  /** The body without its chunks, a character a byte. */
  readonly body: string
  /** The code of what broke the answer off. */
  readonly failure?: string
}

/** What is asked beside method and path. */
export interface RawAsk {
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
  readonly body?: string
}

/** Sends a request over a socket, and gives back all that can be compared of its answer. */
export function askRaw(
  port: number,
  method: string,
  path = '/',
  { headers = {}, agent, body }: RawAsk = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const nothing = { status: 0, message: '', headers: [], body: '' }
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = []
      const finish = (error?: NodeJS.ErrnoException): void =>
        resolve({
          status: response.statusCode ?? 0,
          message: response.statusMessage ?? '',
          headers: toLines(response.rawHeaders),
          body: Buffer.concat(chunks).toString('latin1'),
          ...(error && { failure: error.code }),
        })
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => finish())
      response.once('error', finish)
    })
    outgoing.once('error', (error: NodeJS.ErrnoException) => resolve({ ...nothing, failure: error.code }))
    outgoing.end(body)
  })
}

function toLines(raw: readonly string[]): string[] {
  const lines: Array<readonly [name: string, line: string]> = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at]?.toLowerCase() ?? ''
    // A signature of a cookie and the like stay: they are the same in both.
    if (name !== 'date') lines.push([name, `${raw[at]}: ${raw[at + 1]}`])
  }
  return lines.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, line]) => line)
}

/** The value of a header of a raw answer. */
export function headerOf(answer: RawAnswer, name: string): string | undefined {
  const start = `${name.toLowerCase()}: `
  return answer.headers.find((line) => line.toLowerCase().startsWith(start))?.slice(start.length)
}
