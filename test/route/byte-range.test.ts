import fc from 'fast-check'
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, file, Get, Resource } from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

const content = '0123456789'
const modified = new Date('2024-05-06T07:08:09.000Z')
let dir = ''
let served: Served

@Resource('/')
class Files {
  @Get('/ten') ten() {
    return file(join(dir, 'ten.txt'))
  }
  @Get('/empty') empty() {
    return file(join(dir, 'empty.txt'))
  }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kumu-test-'))
  await writeFile(join(dir, 'ten.txt'), content)
  await utimes(join(dir, 'ten.txt'), modified, modified)
  await writeFile(join(dir, 'empty.txt'), '')
  served = await serve(createApp({ resources: [Files] }))
})

afterAll(async () => {
  await closeAll()
  await rm(dir, { recursive: true })
})

describe('Range: bytes (RFC 9110 §14)', () => {
  it.each([
    ['bytes=0-0', '0', '0-0'],
    ['bytes=0-4', '01234', '0-4'],
    ['bytes=5-', '56789', '5-9'],
    ['bytes=9-9', '9', '9-9'],
    ['bytes=5-100', '56789', '5-9'],
    ['bytes=0-99999999999999999999', content, '0-9'],
    ['bytes=-3', '789', '7-9'],
    ['bytes=-100', content, '0-9'],
    ['BYTES=1-2', '12', '1-2'],
    ['bytes= 1-2 ', '12', '1-2'],
  ])('%s is 206 %s', async (Range, body, range) => {
    const answer = await served.ask('GET', '/ten', { headers: { Range } })
    expect([answer.status, answer.text]).toEqual([206, body])
    expect(answer.headers).toMatchObject({
      'content-range': `bytes ${range}/10`,
      'content-length': String(body.length),
      'accept-ranges': 'bytes',
      'content-type': 'text/plain; charset=utf-8',
    })
  })

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=99999999999999999999-'])('%s is 416', async (Range) => {
    const answer = await served.ask('GET', '/ten', { headers: { Range } })
    expect([answer.status, answer.headers['content-range'], answer.headers['content-type']]).toEqual([
      416,
      'bytes */10',
      'application/problem+json',
    ])
    expect(answer.json()).toMatchObject({ status: 416, title: 'Range Not Satisfiable' })
  })

  it.each([
    'bytes=5-4',
    'bytes=',
    'bytes=a-b',
    'bytes=-',
    'bytes',
    'items=0-1',
    'bytes=0-1,3-4',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=--1',
    '0-1',
    'bytes 0-1',
    `bytes=${'0-0,'.repeat(500)}0-0`,
  ])('%s is ignored', async (Range) => {
    const answer = await served.ask('GET', '/ten', { headers: { Range } })
    expect([answer.status, answer.text, answer.headers['content-range']]).toEqual([200, content, undefined])
  })

  it('of an empty file is 416, and the whole of it is 200', async () => {
    const answer = await served.ask('GET', '/empty', { headers: { Range: 'bytes=0-' } })
    expect([answer.status, answer.headers['content-range']]).toEqual([416, 'bytes */0'])
    expect(await served.ask('GET', '/empty')).toMatchObject({ status: 200, text: '' })
  })

  it('HEAD says what GET would', async () => {
    const answer = await served.ask('HEAD', '/ten', { headers: { Range: 'bytes=2-3' } })
    expect(answer.bytes).toHaveLength(0)
    expect([200, 206]).toContain(answer.status)
  })

  it('every part is that part', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(15), fc.nat(15), async (first, length) => {
        const answer = await served.ask('GET', '/ten', { headers: { Range: `bytes=${first}-${first + length}` } })
        const part = content.slice(first, first + length + 1)
        expect([answer.status, answer.text]).toEqual(part === '' ? [416, answer.text] : [206, part])
      }),
      { numRuns: 40 },
    )
  })
})

describe('If-Range', () => {
  it.each([
    ['the tag', (etag: string) => etag, 206],
    ['the weak tag', (etag: string) => `W/${etag}`, 200],
    ['another tag', () => '"x"', 200],
    ['the date', () => modified.toUTCString(), 206],
    ['an earlier date', () => new Date(0).toUTCString(), 200],
    ['a later date', () => new Date('2030-01-01').toUTCString(), 200],
    ['garbage', () => 'garbage', 200],
  ] as ReadonlyArray<readonly [string, (etag: string) => string, number]>)(
    '%s is %#',
    async (_name, condition, status) => {
      const { etag = '' } = (await served.ask('GET', '/ten')).headers
      const answer = await served.ask('GET', '/ten', { headers: { Range: 'bytes=2-3', 'If-Range': condition(etag) } })
      expect([answer.status, answer.text]).toEqual([status, status === 206 ? '23' : content])
    },
  )
})
