import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { koaBody } from 'koa-body'
import { makeUser } from '../workloads/w2'
import { loadStep, missing } from './load'
import { type AsyncRow, timeAsyncRow, timeRow } from './timer'

interface ReadStep {
  readBytes(req: IncomingMessage, limit: number): Promise<Buffer>
}

const text = JSON.stringify(makeUser(1))
const bytes = Buffer.from(text)

/** A request that has its body in one chunk, as small ones come. */
function makeRequest(): IncomingMessage {
  const stream = new Readable({ read() {} })
  stream.push(bytes)
  stream.push(null)
  return Object.assign(stream, {
    headers: { 'content-type': 'application/json', 'content-length': String(bytes.length) },
    method: 'POST',
    url: '/users',
    httpVersionMajor: 1,
  }) as unknown as IncomingMessage
}

function readAll(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    req.on('error', reject)
  })
}

async function readPlainly(): Promise<unknown> {
  return JSON.parse((await readAll(makeRequest())).toString())
}

/** What koa-body looks at of a context. */
function makeContext(req: IncomingMessage): never {
  return {
    req,
    request: { type: 'application/json', length: bytes.length, headers: req.headers },
    method: 'POST',
    headers: req.headers,
    is: (...types: unknown[]) => (types.flat().includes('application/json') ? 'application/json' : false),
  } as never
}

/** From a request to the value of its body, 300 bytes of JSON. */
export async function bodies(): Promise<void> {
  const middleware = koaBody()
  const done = (): Promise<void> => Promise.resolve()
  const candidates: Array<AsyncRow['candidates'][number]> = [
    { name: 'collected by hand, JSON.parse', run: readPlainly },
    { name: 'the request alone', run: () => readAllOf(makeRequest()) },
    { name: 'koa-body', run: () => Promise.resolve(middleware(makeContext(makeRequest()), done)) },
  ]
  const notes: string[] = []
  const { readBytes } = loadStep<ReadStep>('route/body-bytes') ?? {}
  // Other versions hand the bytes to a function.
  if (readBytes?.length === 2) {
    candidates.push({
      name: "Kumu's reader, JSON.parse",
      run: async () => JSON.parse((await readBytes(makeRequest(), 1e6)).toString()) as unknown,
    })
  } else notes.push(missing("Kumu's reader, which is not where it was"))
  await timeAsyncRow({ title: `a body of ${bytes.length} bytes`, candidates, notes })
  timeRow({
    title: 'JSON of that body',
    candidates: [{ name: 'JSON.parse', run: () => JSON.parse(text) as unknown }],
  })
}

/** Its body thrown away: what the mock costs. */
function readAllOf(req: IncomingMessage): Promise<void> {
  return new Promise((resolve) => void req.on('end', resolve).resume())
}
