import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { serve } from '../../support/serve'

/** A request as it came in, with its whole body. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A server of a test, and what it was asked. */
export interface Recorder {
  readonly url: string
  readonly seen: Seen[]
}

/** Answers one request; `count` is 1 for the first that the server got. */
export type Handler = (request: Seen, response: ServerResponse, count: number) => unknown

/** Serves a handler on a free port; ended by `closeAll` of test/support/serve. */
export async function record(handler: Handler): Promise<Recorder> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    void readRequest(request).then(async (each) => {
      seen.push(each)
      await handler(each, response, seen.length)
    })
  })
  const { url } = await serve(server)
  return { url, seen }
}

async function readRequest(request: IncomingMessage): Promise<Seen> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const { method = '', url = '', headers } = request
  return { method, url, headers, body: Buffer.concat(chunks).toString() }
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** What a promise rejects with; fails where it does not. */
export async function failureOf(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await work
  } catch (error) {
    return error as Error & Record<string, unknown>
  }
  throw new Error('It did not fail')
}
