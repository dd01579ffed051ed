import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { appTransport } from 'kumu/testing'

type Handler = (req: IncomingMessage, res: ServerResponse, log: (word: string) => void) => void
type Act = (send: (init?: RequestInit) => Promise<Response>, log: (word: string) => void) => Promise<void>

/** What a handler and a client see of each other, in order of each side. */
async function observe(handler: Handler, act: Act, over: 'socket' | 'process'): Promise<object> {
  const seen: string[] = []
  const told: string[] = []
  let closed: () => void = () => undefined
  const done = new Promise<void>((resolve) => (closed = resolve))
  const listener: RequestListener = (req, res) => {
    const log = (word: string): void => void seen.push(word)
    req.on('end', () => log('req end'))
    req.on('aborted', () => log('req aborted'))
    req.on('close', () => log(`req close, complete ${req.complete}`))
    res.on('finish', () => log('res finish'))
    res.on('close', () => {
      log(`res close, finished ${res.writableFinished}`)
      // The request closes in the same turn or the next.
      setImmediate(() => setImmediate(closed))
    })
    handler(req, res, log)
  }
  const tell = (word: string): void => void told.push(word)
  if (over === 'process') {
    const transport = appTransport(listener)
    await act(async (init) => transport(new Request('http://localhost/', init)), tell)
    await done
  } else {
    const server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await act((init) => fetch(`http://127.0.0.1:${port}/`, init), tell)
    await done
    server.closeAllConnections()
    server.close()
  }
  return { seen: seen.sort(), told }
}

const failing = async (promise: Promise<unknown>): Promise<string> => {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  )
  return `${error?.name}: ${error?.message}`
}

/** A body that sends one chunk, and then what the test decides. */
function createUpload(): { body: ReadableStream<Uint8Array>; control: ReadableStreamDefaultController<Uint8Array> } {
  let control: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      control = controller
      controller.enqueue(Buffer.from('first'))
    },
  })
  return { body, control: control! }
}

const upload = (body: ReadableStream<Uint8Array>): RequestInit => ({ method: 'POST', body, duplex: 'half' })

const cases: ReadonlyArray<readonly [what: string, handler: Handler, act: Act]> = [
  ['an answer that is read', (_req, res) => res.end('whole'), async (send, log) => log(await (await send()).text())],
  [
    'a body that is read',
    (req, res) => void req.resume().on('end', () => res.end('read')),
    async (send, log) => log(await (await send({ method: 'POST', body: 'x'.repeat(100_000) })).text()),
  ],
  [
    'an upload as it comes',
    (req, res) => {
      req.once('data', (chunk: Buffer) => res.write(`got ${chunk.toString()};`))
      req.resume().on('end', () => res.end('end'))
    },
    async (send, log) => {
      const { body, control } = createUpload()
      const response = await send(upload(body))
      const reader = response.body!.getReader()
      log(Buffer.from((await reader.read()).value).toString())
      control.close()
      log(Buffer.from((await reader.read()).value).toString())
      log(String((await reader.read()).done))
    },
  ],
  [
    'a client that leaves before the answer',
    (req) => void req.resume(),
    async (send, log) => {
      const controller = new AbortController()
      const answer = failing(send({ signal: controller.signal }))
      setTimeout(() => controller.abort(), 100)
      log(await answer)
    },
  ],
  [
    'a client that leaves in the middle of the answer',
    (req, res) => {
      req.resume()
      res.write('first')
    },
    async (send, log) => {
      const controller = new AbortController()
      const response = await send({ signal: controller.signal })
      const reader = response.body!.getReader()
      log(Buffer.from((await reader.read()).value).toString())
      controller.abort()
      log(await failing(reader.read()))
    },
  ],
  [
    'a client that cancels what it reads',
    (req, res) => {
      req.resume()
      res.write('first')
    },
    async (send, log) => {
      const reader = (await send()).body!.getReader()
      log(Buffer.from((await reader.read()).value).toString())
      await reader.cancel()
    },
  ],
  [
    'a client that leaves in the middle of an upload',
    (req, _res, log) => {
      req.on('error', (error: Error & { code?: string }) => log(`req error ${error.code}`))
      req.resume()
    },
    async (send, log) => {
      const controller = new AbortController()
      const answer = failing(send({ ...upload(createUpload().body), signal: controller.signal }))
      setTimeout(() => controller.abort(), 100)
      log(await answer)
    },
  ],
  [
    'a server that closes the connection',
    (req, res) => {
      req.resume()
      res.destroy()
    },
    async (send, log) => log(await failing(send())),
  ],
  [
    'an answer that breaks off',
    (req, res) => {
      req.resume()
      res.write('first', () => setImmediate(() => res.destroy()))
    },
    async (send, log) => log(await failing(send().then((response) => response.text()))),
  ],
]

describe('the life of a request is that of one over a socket', () => {
  it.each(cases)('%s', async (_, handler, act) => {
    const process = await observe(handler, act, 'process')
    expect(process).toEqual(await observe(handler, act, 'socket'))
  })
})

it('back-pressure: who writes waits for who reads', async () => {
  let written = 0
  const transport = appTransport(async (_req, res): Promise<void> => {
    const closed = once(res, 'close')
    while (!res.destroyed) {
      written++
      if (res.write(Buffer.alloc(16_384))) continue
      await Promise.race([closed, new Promise((resolve) => res.once('drain', resolve))])
    }
  })
  const response = await transport(new Request('http://localhost/'))
  const reader = response.body!.getReader()
  await reader.read()
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  expect(written).toBeLessThan(20)
  const before = written
  for (let count = 0; count < 20; count++) await reader.read()
  expect(written).toBeGreaterThan(before)
  await reader.cancel()
})
