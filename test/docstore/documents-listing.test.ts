import fc from 'fast-check'
import { memory } from 'kumu/docstore/memory'
import { drivers, keysOf, mount, override, unmountAll, type Listed, type Mounted } from '../support/documents'

afterEach(unmountAll)

async function fill(served: Mounted, keys: readonly string[]): Promise<void> {
  for (const key of keys) await served.store.put(key, `<${key}>`, { type: 'text/plain' })
}

const tenKeys = Array.from({ length: 10 }, (_, index) => `k${index}`)

/** The target of a link by its relation. */
function linkOf(header: unknown, rel: string): string | undefined {
  return new RegExp(`<([^>]*)>; rel="?${rel}"?`).exec(String(header))?.[1]
}

describe.each(drivers)('GET / on %s', (_name, createDriver) => {
  it('is an empty list where there is nothing', async () => {
    const served = await mount(createDriver())
    const list = await served.ask('GET', '/docs')
    expect([list.status, list.text, list.headers['content-range']]).toEqual([200, '[]', 'documents */0'])
    const ranged = await served.ask('GET', '/docs', { headers: { Range: 'documents=0-4' } })
    expect([ranged.status, ranged.text]).toEqual([200, '[]'])
  })

  it('tells of each document its key, type, size, time and entity tag, in the order of the keys', async () => {
    const served = await mount(createDriver())
    for (const [key, body, type] of [
      ['b', 'two', 'text/html; charset=utf-8'],
      ['a', '', 'application/json'],
      ['B', 'x'.repeat(70_000), 'image/png'],
    ] as const) {
      await served.ask('PUT', `/docs/${key}`, { body, headers: { 'Content-Type': type } })
    }
    const list = await served.ask('GET', '/docs')
    expect([list.status, list.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8'])
    expect(list.headers.vary).toMatch(/Accept/i)
    const rows = list.json<Listed[]>()
    expect(rows.map(({ key, type, size }) => [key, type, size])).toEqual([
      ['B', 'image/png', 70_000],
      ['a', 'application/json', 0],
      ['b', 'text/html; charset=utf-8', 3],
    ])
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(['key', 'type', 'size', 'modified', 'etag'])
      expect(new Date(row.modified).toISOString()).toBe(row.modified)
      const { headers } = await served.ask('HEAD', `/docs/${row.key}`)
      expect([headers.etag, Date.parse(String(headers['last-modified']))]).toEqual([
        row.etag,
        Math.floor(Date.parse(row.modified) / 1000) * 1000,
      ])
    }
  })

  it.each([
    ['Range: documents=2-4', '/docs', { Range: 'documents=2-4' }, 206, 'documents 2-4/*', [2, 3, 4]],
    ['Range: documents=8-', '/docs', { Range: 'documents=8-' }, 206, 'documents 8-9/10', [8, 9]],
    ['Range: documents=-3', '/docs', { Range: 'documents=-3' }, 206, 'documents 7-9/10', [7, 8, 9]],
    [
      'Range: documents=0-99',
      '/docs',
      { Range: 'documents=0-99' },
      200,
      'documents 0-9/10',
      tenKeys.map(Number.parseInt),
    ],
    ['offset and limit', '/docs?offset=2&limit=3', {}, 206, 'documents 2-4/*', [2, 3, 4]],
    ['the last page', '/docs?offset=8&limit=3', {}, 206, 'documents 8-9/10', [8, 9]],
    ['limit alone', '/docs?limit=2', {}, 206, 'documents 0-1/*', [0, 1]],
    ['range in the query', '/docs?range=1-2', {}, 206, 'documents 1-2/*', [1, 2]],
    ['all of it', '/docs?limit=10', {}, 200, 'documents 0-9/10', tenKeys.map(Number.parseInt)],
    ['a counted page', '/docs?limit=2', { Prefer: 'count=exact' }, 206, 'documents 0-1/10', [0, 1]],
    ['a page not counted', '/docs?offset=8&limit=3', { Prefer: 'count=none' }, 206, 'documents 8-9/*', [8, 9]],
    ['no rows', '/docs?limit=0', {}, 206, 'documents */10', []],
    ['another unit', '/docs', { Range: 'items=0-1' }, 200, 'documents 0-9/10', tenKeys.map(Number.parseInt)],
    ['several ranges', '/docs', { Range: 'documents=0-1,3-4' }, 200, 'documents 0-9/10', tenKeys.map(Number.parseInt)],
  ] as const)('%s', async (_what, path, headers, status, contentRange, expected) => {
    const served = await mount(createDriver())
    await fill(served, tenKeys)
    const list = await served.ask('GET', path, { headers })
    expect([list.status, list.headers['content-range']]).toEqual([status, contentRange])
    const keys = (expected as readonly unknown[]).length === 10 ? tenKeys : expected.map((index) => `k${index}`)
    expect(keysOf(list)).toEqual(keys)
    expect(list.headers['accept-ranges']).toBe('documents')
    const head = await served.ask('HEAD', path, { headers })
    expect([head.status, head.headers['content-range'], head.headers['content-length'], head.bytes.length]).toEqual([
      status,
      contentRange,
      list.headers['content-length'],
      0,
    ])
  })

  it.each([
    ['/docs?offset=10', {}, 416],
    ['/docs?offset=99&limit=1', {}, 416],
    ['/docs', { Range: 'documents=10-' }, 416],
    ['/docs', { Range: 'documents=-0' }, 416],
    ['/docs', { Range: 'documents=x' }, 400],
    ['/docs?limit=-1', {}, 400],
    ['/docs?limit=1.5', {}, 400],
    ['/docs?limit=x', {}, 400],
    ['/docs?offset=1&range=1-2', {}, 400],
    ['/docs?limit=1', { Range: 'documents=0-1' }, 400],
    ['/docs?cursor=a&offset=1', {}, 400],
    ['/docs?cursor=..%2Fetc', {}, 400],
    ['/docs?cursor=a&cursor=b', {}, 400],
    ['/docs?sort=key', {}, 400],
    ['/docs?prefix=a%2Fb', {}, 400],
    ['/docs?prefix=a.b', {}, 400],
    ['/docs?prefix=a&prefix=b', {}, 400],
    [`/docs?prefix=${'x'.repeat(256)}`, {}, 400],
    ['/docs?unknown=1', {}, 400],
    ['/docs?__proto__=1', {}, 400],
    ['/docs?limit=%E0%A4%A', {}, 400],
  ] as const)('%s %j is %i', async (path, headers, status) => {
    const served = await mount(createDriver())
    await fill(served, tenKeys)
    const answer = await served.ask('GET', path, { headers })
    expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/problem+json'])
    if (status === 416) expect(answer.headers['content-range']).toBe('documents */10')
  })

  it.each([
    ['by offset', '/docs?limit=3'],
    ['by cursor', '/docs?cursor=&limit=3'],
    ['with a prefix', '/docs?limit=3&prefix=k'],
    ['with a prefix, by cursor', '/docs?cursor=&prefix=k&limit=3'],
  ])('links lead through all pages: %s', async (_how, first) => {
    const served = await mount(createDriver())
    await fill(served, [...tenKeys, ...(first.includes('prefix') ? ['a', 'z'] : [])])
    const seen: string[] = []
    let target: string | undefined = first
    for (let pages = 0; target !== undefined && pages < 10; pages++) {
      const page = await served.ask('GET', target)
      // A page by cursor does not know its place, and so is no 206 (RFC 9110 §15.3.7.1).
      expect(page.status).toBe(page.headers['content-range'] === undefined ? 200 : 206)
      seen.push(...keysOf(page))
      target = linkOf(page.headers.link, 'next')
      if (first.includes('prefix') && target !== undefined) expect(target).toMatch(/[?&]prefix=k(&|$)/)
    }
    expect(seen).toEqual(tenKeys)
  })

  it('a page by cursor is stable under what is stored and deleted meanwhile', async () => {
    const served = await mount(createDriver())
    await fill(served, tenKeys)
    const first = await served.ask('GET', '/docs?cursor=&limit=3')
    await served.store.put('a', 'before')
    await served.store.delete('k2')
    const next = await served.ask('GET', String(linkOf(first.headers.link, 'next')))
    expect([keysOf(first), keysOf(next)]).toEqual([
      ['k0', 'k1', 'k2'],
      ['k3', 'k4', 'k5'],
    ])
  })

  it('?prefix narrows list and count', async () => {
    const served = await mount(createDriver())
    await fill(served, ['a', 'ab', 'abc', 'b', 'A', 'a-', 'a_'])
    for (const [prefix, keys] of [
      ['a', ['a', 'a-', 'a_', 'ab', 'abc']],
      ['ab', ['ab', 'abc']],
      ['abc', ['abc']],
      ['abcd', []],
      ['B', []],
      ['-', []],
    ] as const) {
      const list = await served.ask('GET', `/docs?prefix=${prefix}`, { headers: { Prefer: 'count=exact' } })
      expect([prefix, keysOf(list)]).toEqual([prefix, keys])
      expect(list.headers['content-range']).toMatch(new RegExp(`/${keys.length}$`))
    }
    expect(keysOf(await served.ask('GET', '/docs?prefix='))).toHaveLength(7)
  })

  it('clamps the page to its bound', async () => {
    const served = await mount(createDriver(), { documents: { limit: 2, max: 3 } })
    await fill(served, tenKeys)
    for (const [path, count] of [
      ['/docs', 2],
      ['/docs?limit=3', 3],
      ['/docs?limit=99', 3],
      ['/docs?range=0-99', 3],
      ['/docs?offset=9&limit=99', 1],
    ] as const) {
      expect([path, keysOf(await served.ask('GET', path)).length]).toEqual([path, count])
    }
  })

  it('?fields chooses what is told', async () => {
    const served = await mount(createDriver())
    await fill(served, ['a'])
    expect((await served.ask('GET', '/docs?fields=key,size')).json()).toEqual([{ key: 'a', size: 3 }])
    expect((await served.ask('GET', '/docs?fields=nothing,__proto__')).json()).toEqual([{}])
    const text = await served.ask('GET', '/docs?fields=key', { headers: { Accept: 'text/plain' } })
    expect(text.text).toBe('a\n')
  })
})

describe('GET / by Accept', () => {
  const hostile = '"><script>alert(1)</script>'

  async function mountHostile(): Promise<Mounted> {
    const driver = memory()
    // No client can store such a key; a page must be safe all the same, for a store may be filled by others.
    const lying = override(driver, {
      async list(options) {
        const { items, next } = await driver.list(options)
        return { items: items.map((item) => ({ ...item, type: `text/html${hostile}&'` })), next }
      },
    })
    const served = await mount(lying)
    await fill(served, ['a-_B9', 'b'])
    return served
  }

  it.each([
    [undefined, 'application/json; charset=utf-8'],
    ['*/*', 'application/json; charset=utf-8'],
    ['application/json', 'application/json; charset=utf-8'],
    ['application/*', 'application/json; charset=utf-8'],
    ['text/html', 'text/html; charset=utf-8'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html; charset=utf-8'],
    ['text/plain', 'text/plain; charset=utf-8'],
    ['text/plain, application/json;q=0.5', 'text/plain; charset=utf-8'],
    ['application/xml', 'application/xml; charset=utf-8'],
    ['application/json;q=0.2, text/plain;q=0.1', 'application/json; charset=utf-8'],
    ['application/json, text/event-stream;q=0', 'application/json; charset=utf-8'],
    ['application/json, text/event-stream;q=0.5', 'application/json; charset=utf-8'],
    ['text/*;q=0.5, application/json', 'application/json; charset=utf-8'],
  ])('%s is %s', async (accept, type) => {
    const served = await mount(memory())
    await fill(served, ['a'])
    for (const method of ['GET', 'HEAD']) {
      const answer = await served.ask(method, '/docs', { headers: accept === undefined ? {} : { Accept: accept } })
      expect([answer.status, answer.headers['content-type']]).toEqual([200, type])
      expect(answer.headers.vary).toMatch(/\bAccept\b/)
      expect(answer.headers['content-range']).toBe('documents 0-0/1')
    }
  })

  it('nothing of it is 406', async () => {
    const served = await mount(memory())
    const answer = await served.ask('GET', '/docs', { headers: { Accept: 'image/png' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([406, 'application/problem+json'])
  })

  it('text: a key a line', async () => {
    const served = await mount(memory())
    await fill(served, ['b', 'a', 'C'])
    const { text } = await served.ask('GET', '/docs', { headers: { Accept: 'text/plain' } })
    expect(text).toBe('C\na\nb\n')
    const page = await served.ask('GET', '/docs?limit=1', { headers: { Accept: 'text/plain' } })
    expect([page.status, page.text, page.headers['content-range']]).toEqual([206, 'C\n', 'documents 0-0/*'])
  })

  it('XML: one root with an item a document', async () => {
    const served = await mountHostile()
    const { text } = await served.ask('GET', '/docs', { headers: { Accept: 'application/xml' } })
    expect(text).toMatch(
      /^<\?xml[^>]*\?>\s*<response[^<>]*><item><key>a-_B9<\/key>.*<\/item><item>.*<\/item><\/response>\s*$/s,
    )
    expect(text).not.toContain('<script>')
  })

  it('HTML: a page whose links lead to the documents, escaped', async () => {
    const served = await mountHostile()
    for (const path of ['/docs', '/docs/', '/docs?limit=5']) {
      const { text } = await served.ask('GET', path, { headers: { Accept: 'text/html' } })
      const links = [...text.matchAll(/<a href="([^"]*)">([^<]*)<\/a>/g)].map(([, href, name]) => [href, name])
      expect(links).toEqual([
        ['/docs/a-_B9', 'a-_B9'],
        ['/docs/b', 'b'],
      ])
      expect((await served.ask('GET', String(links[0]?.[0]))).text).toBe('<a-_B9>')
      expect(text).not.toContain('<script>')
      expect(text).toContain('&#60;script&#62;')
      expect(text).toMatch(/^<!doctype html>/)
    }
  })

  it('HTML under a prefix leads there as well', async () => {
    const served = await mount(memory(), { app: { prefix: '/api/v1' } })
    await fill(served, ['a'])
    const { text } = await served.ask('GET', '/api/v1/docs', { headers: { Accept: 'text/html' } })
    expect(text).toContain('href="/api/v1/docs/a"')
  })

  it('HTML is not to run anything, nor to be taken for something else', async () => {
    const served = await mount(memory())
    const { headers } = await served.ask('GET', '/docs', { headers: { Accept: 'text/html' } })
    expect(headers['content-security-policy']).toMatch(/default-src 'none'/)
    expect(headers['content-security-policy']).not.toMatch(/script-src/)
  })
})

describe('GET / is the list of the store', () => {
  it('whatever the pages: all keys once, in order', async () => {
    const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/)
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), fc.integer({ min: 1, max: 5 }), async (keys, limit) => {
        const served = await mount(memory())
        await fill(served, keys)
        const expected = [...keys].sort((a, b) => (a < b ? -1 : 1))
        for (const start of [`/docs?limit=${limit}`, `/docs?cursor=&limit=${limit}`]) {
          const seen: string[] = []
          let target: string | undefined = start
          while (target !== undefined) {
            const page = await served.ask('GET', target)
            seen.push(...keysOf(page))
            target = linkOf(page.headers.link, 'next')
          }
          expect(seen).toEqual(expected)
        }
        await unmountAll()
      }),
      { numRuns: 15 },
    )
  })

  it('also where the pages of the driver are short or empty', async () => {
    const driver = memory()
    const stingy = override(driver, {
      async list({ limit, ...options }) {
        const { items, next } = await driver.list({ ...options, limit: Math.min(limit, 2) })
        // Every second key is held back, as an index with entries of expired documents does.
        return { items: items.filter((item) => Number(item.key.slice(1)) % 2 === 0), next }
      },
    })
    const served = await mount(stingy)
    await fill(served, tenKeys)
    const even = ['k0', 'k2', 'k4', 'k6', 'k8']
    const counted = await served.ask('GET', '/docs', { headers: { Prefer: 'count=exact' } })
    expect([keysOf(counted), counted.headers['content-range']]).toEqual([even, 'documents 0-4/5'])
    expect(keysOf(await served.ask('GET', '/docs?offset=1&limit=3'))).toEqual(['k2', 'k4', 'k6'])
    expect(keysOf(await served.ask('GET', '/docs?cursor=k2&limit=2'))).toEqual(['k4', 'k6'])
    const last = await served.ask('GET', '/docs', { headers: { Range: 'documents=-2' } })
    expect([keysOf(last), last.headers['content-range']]).toEqual([['k6', 'k8'], 'documents 3-4/5'])
  })

  it('does not read the bodies', async () => {
    const driver = memory()
    let reads = 0
    const served = await mount(
      override(driver, {
        get(key, options) {
          reads++
          return driver.get(key, options)
        },
      }),
    )
    await fill(served, tenKeys)
    await served.ask('GET', '/docs')
    expect(reads).toBe(0)
  })
})
