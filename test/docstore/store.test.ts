import { Readable } from 'node:stream'
import {
  bytes,
  type Can,
  docstore,
  type Driver,
  isMediaType,
  json,
  StoreError,
  type StoreErrorCode,
  text,
} from 'kumu/docstore'
import { memory } from 'kumu/docstore/memory'

const everything: Can = {
  order: true,
  ttl: 'ms',
  watch: 'resume',
  batch: true,
  stream: true,
  maxBody: 100,
  reach: 'process',
  durable: 'memory',
}

/** A driver that writes down what reaches it. */
function createSpy(can: Partial<Can> = {}): { driver: Driver; calls: unknown[][] } {
  const calls: unknown[][] = []
  const meta = { key: 'a', rev: '1', type: 'a/b', size: 0, modified: 0 }
  const note =
    <T>(name: string, result: T) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args])
      return result
    }
  return {
    calls,
    driver: {
      name: 'spy',
      can: { ...everything, ...can },
      get: note('get', { ...meta, body: new Uint8Array(0) }),
      put: note('put', meta),
      delete: note('delete', true),
      list: note('list', { items: [] }),
      batch: note('batch', []),
      async *watch() {},
      close: note('close', undefined),
    },
  }
}

async function codeOf(work: () => unknown): Promise<unknown> {
  try {
    await work()
    return 'nothing thrown'
  } catch (error) {
    return error instanceof StoreError ? error.code : (error as Error).name
  }
}

describe('docstore(driver)', () => {
  it('calls the driver with nothing that is bad, unsupported or too large', async () => {
    const { driver, calls } = createSpy({ order: false, ttl: false, watch: 'live', batch: false })
    const store = docstore(driver)
    const refused: ReadonlyArray<readonly [StoreErrorCode | 'TypeError' | 'RangeError', () => unknown]> = [
      ['bad-key', () => store.get('a\n')],
      ['bad-key', () => store.put('../a', '')],
      ['bad-key', () => store.delete('')],
      ['bad-key', () => store.list({ prefix: 'a/' })],
      ['bad-key', () => store.list({ after: 'a\n' })],
      ['bad-key', () => store.watch({ prefix: '*' })],
      ['unsupported', () => store.put('a', '', { expires: 1 })],
      ['unsupported', () => store.list({ reverse: true })],
      ['unsupported', () => store.batch([])],
      ['unsupported', () => store.watch({ since: '1' })],
      ['too-large', () => store.put('a', 'x'.repeat(101))],
      ['too-large', () => store.put('a', 'é'.repeat(51))],
      ['TypeError', () => store.put('a', '', { type: 'text/plain\r\nX: y' })],
      ['TypeError', () => store.put('a', 1 as unknown as string)],
      ['TypeError', () => store.delete('a', { if: 1 as unknown as string })],
      ['RangeError', () => store.get('a', { range: [1, 0] })],
      ['RangeError', () => store.list({ limit: 0 })],
    ]
    for (const [code, work] of refused) expect([code, await codeOf(work)]).toEqual([code, code])
    expect(calls).toEqual([])
  })

  it('fills in the defaults', async () => {
    const { driver, calls } = createSpy()
    const store = docstore(driver)
    await store.put('a', 'x')
    await store.list()
    await store.list({ limit: 5000, reverse: true, after: 'b', prefix: 'a' })
    expect(calls).toEqual([
      [
        'put',
        'a',
        new TextEncoder().encode('x'),
        { type: 'application/octet-stream', expires: undefined, if: undefined },
      ],
      ['list', { prefix: '', after: undefined, limit: 100, reverse: false }],
      ['list', { prefix: 'a', after: 'b', limit: 1000, reverse: true }],
    ])
  })

  it('hands a driver without streams the whole body, and stops reading above the bound', async () => {
    const { driver, calls } = createSpy({ stream: false })
    const store = docstore(driver)
    await store.put('a', Readable.from([Buffer.from('ab'), 'cd']))
    expect(Buffer.from(calls[0]![2] as Uint8Array).toString()).toBe('abcd')
    let asked = 0
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked++
        yield new Uint8Array(60)
      }
    }
    expect(await codeOf(() => store.put('a', endless()))).toBe('too-large')
    expect([asked, calls.length]).toEqual([2, 1])
  })

  it('gives the metadata alone without a body', async () => {
    expect(await docstore(createSpy().driver).get('a', { body: false })).toEqual({
      key: 'a',
      rev: '1',
      type: 'a/b',
      size: 0,
      modified: 0,
    })
  })

  it('closes the driver once, after the calls in flight', async () => {
    const { driver, calls } = createSpy()
    let finish = (): void => undefined
    const slow = new Promise<void>((resolve) => (finish = resolve))
    const store = docstore({ ...driver, get: () => slow.then(() => undefined) })
    const reading = store.get('a')
    const closed = [store.close(), store.close()]
    expect(await codeOf(() => store.get('a'))).toBe('closed')
    expect(calls).toEqual([])
    finish()
    await Promise.all([reading, ...closed])
    expect(calls).toEqual([['close']])
  })
})

describe('StoreError', () => {
  it.each<[StoreErrorCode, number]>([
    ['conflict', 412],
    ['unsupported', 501],
    ['bad-key', 400],
    ['gone', 410],
    ['closed', 503],
    ['too-large', 413],
  ])('%s says %d to HTTP', (code, status) => {
    const error = new StoreError(code, 'why')
    expect(error).toBeInstanceOf(Error)
    expect({ ...error, message: error.message }).toMatchObject({
      name: 'StoreError',
      code,
      status,
      expose: true,
      message: 'why',
    })
  })
})

describe('isMediaType(type)', () => {
  it.each([
    'text/plain',
    'application/vnd.a+json',
    'text/html; charset=utf-8',
    'a/b;c="d\\"e;f"',
    "multipart/mixed;boundary='x'",
    'A/B ; c=d',
  ])('takes %j', (type) => {
    expect(isMediaType(type)).toBe(true)
  })

  it.each([
    '',
    'text',
    '/',
    'a/',
    '/b',
    'a/b/c',
    'a b/c',
    'a/b;',
    'a/b; c',
    'a/b;c="',
    'a/b;c="\n"',
    'a/b\r\nc: d',
    'a/b\n',
    'ä/b',
    'a/b;c=ä',
    'a/b\0',
    ' a/b',
    `a/${'b'.repeat(300)}`,
    1,
    null,
  ])('refuses %j', (type) => {
    expect(isMediaType(type)).toBe(false)
  })

  it('takes no time over what is made to take time', () => {
    const started = performance.now()
    expect(isMediaType(`a/b${';a="'.repeat(61)}`)).toBe(false)
    expect(isMediaType(`a/b;a="${'\\'.repeat(240)}`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('bytes(doc), text(doc), json(doc)', () => {
  it('read a body of either kind', async () => {
    const body = new TextEncoder().encode('{"a":"ü"}')
    const streamed = (): { body: ReadableStream<Uint8Array> } => ({
      body: ReadableStream.from([body.subarray(0, 7), body.subarray(7)]),
    })
    expect(Buffer.compare(await bytes({ body }), body)).toBe(0)
    expect(Buffer.compare(await bytes(streamed()), body)).toBe(0)
    expect(await text({ body })).toBe('{"a":"ü"}')
    expect(await text(streamed())).toBe('{"a":"ü"}')
    expect(await json<{ a: string }>(streamed())).toEqual({ a: 'ü' })
  })

  it('refuse what is not UTF-8 or JSON', async () => {
    await expect(text({ body: Uint8Array.of(0xff, 0xfe) })).rejects.toMatchObject({ name: 'TypeError' })
    await expect(json({ body: new TextEncoder().encode('{') })).rejects.toThrow(SyntaxError)
  })
})

describe('memory()', () => {
  it('gives other revisions in another life, for ETags outlive a process', async () => {
    const [one, other] = await Promise.all([docstore(memory()).put('a', ''), docstore(memory()).put('a', '')])
    expect(one.rev).not.toBe(other.rev)
  })

  it('frees what has expired without anybody asking for it', async () => {
    let now = 0
    const driver = memory({ now: () => now, log: 1 })
    const store = docstore(driver)
    for (let index = 0; index < 50; index++) await store.put(`a${index}`, '', { expires: 10 })
    const feed = store.watch({ prefix: 'a' })[Symbol.asyncIterator]()
    now = 10
    await store.put('b', '')
    expect((await driver.list({ prefix: 'a', limit: 100, reverse: false })).items).toEqual([])
    await expect(feed.next()).rejects.toMatchObject({ code: 'gone' })
  })
})
