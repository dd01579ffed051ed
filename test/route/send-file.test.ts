import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, definePlan, file, reply, type PlanInit } from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

let dir = ''
const modified = new Date('2024-05-06T07:08:09.000Z')

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kumu-test-'))
  await writeFile(join(dir, 'ten.txt'), '0123456789')
  await utimes(join(dir, 'ten.txt'), modified, modified)
  await writeFile(join(dir, 'empty.bin'), '')
  await writeFile(join(dir, 'page.html'), '<p>')
  await writeFile(join(dir, 'none'), 'x')
  await writeFile(join(dir, 'large.bin'), Buffer.alloc(8 * 1024 * 1024, 'x'))
  await mkdir(join(dir, 'folder'))
  await symlink('loop', join(dir, 'loop'))
})

afterEach(closeAll)
afterAll(() => rm(dir, { recursive: true }))

const log: object[] = []

function sending(name: string, options?: Parameters<typeof file>[1], plan: Partial<PlanInit> = {}): Promise<Served> {
  log.length = 0
  const call = (): unknown => file(join(dir, name), options)
  const plans = [definePlan({ id: 'it', method: 'GET', path: '/', call, ...plan })]
  return serve(createApp({ plans, logger: { error: (details) => void log.push(details) } }))
}

/** Files of the test directory that this process holds open. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(dir) ? [path] : []
    } catch {
      return []
    }
  })
}

async function allClosed(): Promise<void> {
  for (let turn = 0; openFiles().length > 0; turn++) {
    if (turn > 500) throw new Error(`Still open: ${openFiles().join()}`)
    await sleep(2)
  }
}

const onLinux = process.platform === 'linux'

afterEach(async () => {
  if (onLinux) await allClosed()
})

describe('file(path, options)', () => {
  it.each([
    ['ten.txt', undefined, 'text/plain; charset=utf-8', '0123456789'],
    ['page.html', undefined, 'text/html; charset=utf-8', '<p>'],
    ['none', undefined, 'application/octet-stream', 'x'],
    ['empty.bin', undefined, 'application/octet-stream', ''],
    ['ten.txt', { type: 'image/png' }, 'image/png', '0123456789'],
  ])('%s %j', async (name, options, type, body) => {
    const { ask } = await sending(name, options)
    const [get, head] = [await ask('GET', '/'), await ask('HEAD', '/')]
    expect([get.status, get.headers['content-type'], get.text]).toEqual([200, type, body])
    expect(get.headers).toMatchObject({
      'content-length': String(body.length),
      'accept-ranges': 'bytes',
      'last-modified': expect.any(String) as string,
    })
    expect(get.headers.etag).toMatch(/^"[^"]+"$/)
    expect([head.status, head.text]).toEqual([200, ''])
    for (const name of ['content-type', 'content-length', 'accept-ranges', 'etag', 'last-modified'])
      expect(head.headers[name]).toBe(get.headers[name])
  })

  it('offers a name for a download', async () => {
    const { ask } = await sending('ten.txt', { filename: 'grüße "1"\r\n.txt' })
    const disposition = (await ask('GET', '/')).headers['content-disposition']
    expect(disposition).toMatch(/^attachment; filename="[^"\\]*(\\.[^"\\]*)*"; filename\*=UTF-8''gr%C3%BC%C3%9Fe/)
  })

  it('keeps the type and status of a reply', async () => {
    const call = (): unknown => reply(203, file(join(dir, 'ten.txt')), { 'Content-Type': 'text/css', 'X-Own': 'a' })
    const { ask } = await sending('', undefined, { call })
    expect(await ask('GET', '/')).toMatchObject({
      status: 203,
      text: '0123456789',
      headers: { 'content-type': 'text/css', 'x-own': 'a' },
    })
  })

  it.each(['missing.txt', 'folder', 'ten.txt/below', 'folder/../missing', 'loop', 'x'.repeat(300), 'nul\0byte'])(
    '%j is 404',
    async (name) => {
      const { ask } = await sending(name)
      const answer = await ask('GET', '/')
      expect([answer.status, answer.headers['content-type']]).toEqual([404, 'application/problem+json'])
      expect(answer.text).not.toContain(dir)
      expect([answer.headers.etag, answer.headers['accept-ranges'], log]).toEqual([undefined, undefined, []])
    },
  )

  it('changes its tag with its content', async () => {
    await writeFile(join(dir, 'changing'), 'one')
    const { ask } = await sending('changing')
    const before = (await ask('GET', '/')).headers.etag
    expect((await ask('GET', '/')).headers.etag).toBe(before)
    await writeFile(join(dir, 'changing'), 'two')
    expect((await ask('GET', '/')).headers.etag).not.toBe(before)
  })

  it('is closed when the client leaves in the middle', async () => {
    const { port } = await sending('large.bin')
    await new Promise<void>((resolve) => {
      const outgoing = request({ port, host: '127.0.0.1' }, (response) => {
        response.once('data', () => outgoing.destroy())
        response.once('close', resolve)
        response.on('error', () => undefined)
      })
      outgoing.on('error', () => undefined).end()
    })
    if (onLinux) await allClosed()
    expect(log.length).toBeLessThanOrEqual(1)
  })
})

describe('its conditions (RFC 9110 §13)', () => {
  const same = modified.toUTCString()
  const before = new Date(modified.getTime() - 1000).toUTCString()

  it.each([
    [() => ({ 'If-Modified-Since': same }), 304],
    [() => ({ 'If-Modified-Since': before }), 200],
    [() => ({ 'If-Modified-Since': 'garbage' }), 200],
    [() => ({ 'If-Unmodified-Since': before }), 412],
    [() => ({ 'If-Unmodified-Since': same }), 200],
    [(etag: string) => ({ 'If-None-Match': etag }), 304],
    [(etag: string) => ({ 'If-None-Match': `W/${etag}` }), 304],
    [(etag: string) => ({ 'If-None-Match': `"x", ${etag}` }), 304],
    [() => ({ 'If-None-Match': '"x"', 'If-Modified-Since': same }), 200],
    [() => ({ 'If-None-Match': '*' }), 304],
    [(etag: string) => ({ 'If-Match': etag }), 200],
    [(etag: string) => ({ 'If-Match': `W/${etag}` }), 412],
    [() => ({ 'If-Match': '"x"' }), 412],
    [() => ({ 'If-Match': '*' }), 200],
    [(etag: string) => ({ 'If-None-Match': etag, Range: 'bytes=0-1' }), 304],
  ] as ReadonlyArray<readonly [(etag: string) => Record<string, string>, number]>)(
    '%# is %i',
    async (condition, status) => {
      const { ask } = await sending('ten.txt')
      const { etag = '' } = (await ask('GET', '/')).headers
      const headers = condition(etag)
      const [get, head] = [await ask('GET', '/', { headers }), await ask('HEAD', '/', { headers })]
      expect([get.status, head.status]).toEqual([status, status])
      if (status === 304)
        expect([get.text, get.headers.etag, get.headers['content-type'], get.headers['content-length']]).toEqual([
          '',
          etag,
          undefined,
          undefined,
        ])
      if (status === 412) expect(get.json()).toMatchObject({ status: 412 })
    },
  )
})
