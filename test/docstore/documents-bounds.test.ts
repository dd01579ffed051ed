import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Driver } from 'kumu/docstore'
import { file } from 'kumu/docstore/file'
import { level } from 'kumu/docstore/level'
import { memory } from 'kumu/docstore/memory'
import { nats } from 'kumu/docstore/nats'
import { postgres } from 'kumu/docstore/postgres'
import { redis } from 'kumu/docstore/redis'
import { sqlite } from 'kumu/docstore/sqlite'
import { createDirectory, keysOf, mount, unmountAll, type Mounted } from '../support/documents'
import { begin, openWire, readBody } from '../support/exchange'
import { createBuckets } from './support/nats'
import { createPrefixes } from './support/redis'
import { describeWithService } from './support/services'
import { createTables } from './support/tables'
import './support/typescript-workers'

afterEach(unmountAll)

/** A driver on a fresh place, with a bound of the test's where it names one. */
type CreateDriver = (options: { readonly maxBody?: number }) => Driver

const app = { limits: { document: '1gb' } }
const bound = 1_200_000

describe('documents on memory', () => {
  holdsItsBound((options) => memory(options))
  takesWhatItDeclares((options) => memory(options))
})

describe('documents on file', () => holdsItsBound((options) => file({ dir: createDirectory(), ...options })))

describe('documents on level', () => holdsItsBound((options) => level({ dir: createDirectory(), ...options })))

describe('documents on sqlite', () =>
  holdsItsBound((options) => sqlite({ file: join(createDirectory(), 'documents.db'), ...options })))

describeWithService('postgres', (url) => {
  const tables = createTables(url)

  describe('documents on postgres', () =>
    holdsItsBound((options) => postgres({ url, table: tables.next(), ...options })))
})

describeWithService('redis', (url) => {
  const createPrefix = createPrefixes(url)

  describe('documents on redis', () => {
    holdsItsBound((options) => redis({ url, prefix: createPrefix(), ...options }))
    takesWhatItDeclares((options) => redis({ url, prefix: createPrefix(), ...options }))
  })
})

describeWithService('nats', (url) => {
  const createBucket = createBuckets(url)
  const create: CreateDriver = (options) => nats({ servers: url, bucket: createBucket(), ...options })

  describe('documents on nats', () => {
    holdsItsBound(create, 100_000)
    takesWhatItDeclares(create)

    it('the bound of its server holds for the first request as well', async () => {
      const served = await mount(create({}), { app })
      expect((await put(served, 'a', Buffer.alloc(3_000_000))).status).toBe(413)
      expect((await put(served, 'a', Buffer.alloc(1000))).status).toBe(201)
    })
  })
})

/** What a driver was told: the last byte is taken, one more is 413. */
function holdsItsBound(create: CreateDriver, maxBody = bound): void {
  it(`maxBody ${maxBody}: so many bytes pass, one more is 413 and changes nothing`, async () => {
    const served = await mount(create({ maxBody }), { app })
    const whole = randomBytes(maxBody)
    expect(await put(served, 'a', whole)).toMatchObject({ status: 201 })
    expect(await putChunked(served, 'b', whole)).toBe(201)
    for (const key of ['a', 'b']) {
      expect(whole.equals((await served.ask('GET', `/docs/${key}`)).bytes)).toBe(true)
    }

    const larger = Buffer.concat([whole, Buffer.alloc(1)])
    for (const key of ['a', 'c']) {
      expect((await put(served, key, larger)).status).toBe(413)
      expect(await putChunked(served, key, larger)).toBe(413)
    }
    expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['a', 'b'])
    expect(whole.equals((await served.ask('GET', '/docs/a')).bytes)).toBe(true)
  })
}

/** What a driver declares, where nobody told it less. */
function takesWhatItDeclares(create: CreateDriver): void {
  it('as many bytes as it declares pass; a length above that is 413 before a byte of the body came', async () => {
    const served = await mount(create({}), { app })
    await served.store.ping()
    const { maxBody } = served.store.can
    expect(maxBody).toBeGreaterThan(500_000)
    const whole = randomBytes(maxBody)
    expect((await put(served, 'a', whole)).status).toBe(201)
    expect(whole.equals((await served.ask('GET', '/docs/a')).bytes)).toBe(true)

    const head = `PUT /docs/b HTTP/1.1\r\nHost: x\r\nContent-Length: ${maxBody + 1}\r\n\r\n`
    const wire = openWire(served.port, head)
    expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 413 /)
    wire.socket.destroy()
    expect(keysOf(await served.ask('GET', '/docs'))).toEqual(['a'])
  })
}

const put = (served: Mounted, key: string, body: Uint8Array) => served.ask('PUT', `/docs/${key}`, { body })

/** The status of a PUT in pieces, without a length. */
async function putChunked(served: Mounted, key: string, body: Buffer): Promise<number | undefined> {
  const { request, response } = begin(served.port, 'PUT', `/docs/${key}`)
  for (let sent = 0; sent < body.length; sent += 65_536) request.write(body.subarray(sent, sent + 65_536))
  request.end()
  const answer = await response
  await readBody(answer)
  return answer.statusCode
}
