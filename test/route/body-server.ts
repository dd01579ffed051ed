import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Http2Server } from 'node:http2'
import { connect, type AddressInfo, type Socket } from 'node:net'
import os from 'node:os'
import { join } from 'node:path'
import Koa, { type Middleware } from 'koa'
import { BadRequest, HttpError } from '../../src/errors'
import { createBodyReader, type BodyReader, type BodyShared, type DecodedBody } from '../../src/route/body'
import { defaultCodecs } from '../../src/route/codecs/defaults'
import type { BodyPlan, Codec, Context, Limits } from '../../src/route/plan'
import { limits } from './codecs/context'

export interface BodyServerOptions {
  readonly plan?: Partial<BodyPlan>
  readonly limits?: Partial<Limits>
  readonly codecs?: readonly Codec[]
  readonly method?: string
  /** Another server than that of HTTP/1.1. */
  readonly create?: (listener: RequestListener) => Server | Http2Server
  /** In front of the reader, as a host application has it. */
  readonly before?: Middleware
  readonly handle?: (reader: BodyReader, ctx: Context) => unknown
}

export interface BodyServer {
  readonly url: string
  readonly port: number
  /** What the handler threw that was no HttpError. */
  readonly failures: unknown[]
  /** What was thrown or returned, one entry a request. */
  readonly outcomes: unknown[]
  send(
    init: RequestInit & { duplex?: 'half' },
  ): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>
  stop(): Promise<void>
}

/** A stand-in for the check of the validation room: nesting alone. */
export const checkShape: BodyShared['checkShape'] = (value, { depth }) => {
  const open: Array<readonly [unknown, number]> = [[value, 1]]
  for (let next = open.pop(); next; next = open.pop()) {
    const [node, level] = next
    if (typeof node !== 'object' || node === null) continue
    if (level > depth) throw new BadRequest('too deep', { code: 'limit' })
    for (const member of Object.values(node)) open.push([member, level + 1])
  }
}

const running: BodyServer[] = []

/** A Koa application whose only route reads its body and answers what it read. */
export async function startBodyServer(options: BodyServerOptions = {}): Promise<BodyServer> {
  const plan: BodyPlan = { consumes: [], required: true, raw: 'no', files: [], stream: false, ...options.plan }
  const reader = createBodyReader(plan, {
    codecs: options.codecs ?? defaultCodecs,
    limits: { ...limits, ...options.limits },
    checkShape,
    method: options.method ?? 'POST',
  })
  const failures: unknown[] = []
  const outcomes: unknown[] = []
  const app = new Koa()
  // Koa reports the sockets that tests break off.
  app.silent = true
  if (options.before) app.use(options.before)
  app.use(async (ctx) => {
    try {
      const result = await (options.handle ?? answerDecoded)(reader, ctx as Context)
      outcomes.push(result)
      ctx.body = result ?? null
      if (result === undefined) ctx.status = 204
    } catch (error) {
      outcomes.push(error)
      if (!(error instanceof HttpError)) failures.push(error)
      const { status, code, detail, errors, headers = {} } = error as HttpError
      ctx.status = status ?? 500
      ctx.set(headers as Record<string, string>)
      ctx.body = { code, detail, errors, message: (error as Error).message }
    }
  })
  const callback = app.callback()
  const server = (options.create ?? createServer)((req, res) => void callback(req, res)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/`
  const started: BodyServer = {
    url,
    port,
    failures,
    outcomes,
    async send(init) {
      const response = await fetch(url, { method: 'POST', ...init })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
    },
    async stop() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  running.push(started)
  return started
}

export async function stopBodyServers(): Promise<void> {
  await Promise.all(running.splice(0).map((server) => server.stop()))
}

/** The decoded body, as a promise whatever it is. */
export async function decodedBy(reader: BodyReader, ctx: Context): Promise<DecodedBody> {
  return reader.decoded(ctx, (body) => body)
}

async function answerDecoded(reader: BodyReader, ctx: Context): Promise<unknown> {
  const { files, ...body } = await decodedBy(reader, ctx)
  if (!files) return body
  const described: Record<string, unknown> = {}
  for (const [name, list] of files) {
    described[name] = await Promise.all(
      list.map(async (file) => ({
        filename: file.filename,
        type: file.type,
        size: file.size,
        content: (await file.bytes()).toString('latin1').slice(0, 100),
      })),
    )
  }
  return { ...body, files: described }
}

/** A connection on which a test writes what it likes. */
export async function openSocket(port: number): Promise<Socket & { answer(): Promise<string> }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const answer = async (): Promise<string> => {
    await until(() => received.includes('\r\n\r\n'))
    return received
  }
  return Object.assign(socket, { answer })
}

/** Waits until something is so. */
export async function until(condition: () => boolean, milliseconds = 10_000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Waited in vain: ${condition.toString()}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A directory of its own for temporary files, while a test runs; jest keeps the real TMPDIR out of reach. */
export function useTemporaryDirectory(): { path: string; list(): string[] } {
  const path = mkdtempSync(join(os.tmpdir(), 'kumu-test-'))
  beforeAll(() => jest.spyOn(os, 'tmpdir').mockReturnValue(path))
  afterAll(() => {
    jest.restoreAllMocks()
    rmSync(path, { recursive: true, force: true })
  })
  return { path, list: () => readdirSync(path) }
}
