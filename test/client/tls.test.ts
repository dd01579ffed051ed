import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'
import { createClient, NetworkError, type Retry } from 'kumu/client'
import { failureOf } from './support/server'

// Made for this test by openssl: an authority, and a server at 127.0.0.1 and a client whose certificates it signed.
const read = (file: string): string => readFileSync(join(__dirname, 'support', 'tls', file), 'utf8')
const ca = read('authority.crt')
const own = { key: read('server.key'), cert: read('server.crt') }
const alice = { key: read('alice.key'), cert: read('alice.crt') }

/** A server that wants to see a certificate of the authority, and answers with its name. */
const server = createServer({ ...own, ca, requestCert: true, rejectUnauthorized: false }, (request, response) => {
  const { authorized } = request.socket as TLSSocket
  const { subject } = (request.socket as TLSSocket).getPeerCertificate()
  response.setHeader('Content-Type', 'application/json').end(JSON.stringify(authorized ? subject.CN : null))
})
let url: string

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

describe('tls', () => {
  it('shows a certificate, and trusts an authority', async () => {
    const api = createClient(url, { tls: { ...alice, ca } })
    expect(await api.get('/')).toBe('alice')
    await api.close()
  })

  it('goes through layers of the application as well', async () => {
    const api = createClient(url, { tls: { ...alice, ca }, wrap: (next) => next })
    expect(await api.post('/', { body: { a: 1 } })).toBe('alice')
    await api.close()
  })

  it('trusts without showing', async () => {
    const api = createClient(url, { tls: { ca } })
    expect(await api.get('/')).toBeNull()
    await api.close()
  })

  it('does not trust everybody, and does not try again', async () => {
    const retries: Retry[] = []
    const api = createClient(url, { tls: {}, onRetry: (retry) => retries.push(retry) })
    const error = await failureOf(api.get('/'))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error['transient']).toBe(false)
    expect(retries).toEqual([])
    await api.close()
  })
})
