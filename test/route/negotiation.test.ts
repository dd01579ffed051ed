import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { createApp, definePlan, file, Get, Post, Produces, reply, Resource, yaml, type PlanInit } from 'kumu'
import { closeAll, serve, type Served } from '../support/serve'

afterEach(closeAll)

type Options = Parameters<typeof createApp>[0]

function answering(call: () => unknown, plan: Partial<PlanInit> = {}, options: Options = {}): Promise<Served> {
  return serve(createApp({ ...options, plans: [definePlan({ id: 'it', method: 'GET', path: '/', ...plan, call })] }))
}

const json = 'application/json; charset=utf-8'
const xml = 'application/xml; charset=utf-8'

/** What plain data goes out as for an `Accept`; `undefined`: 406. */
const choices: ReadonlyArray<readonly [accept: string | undefined, type: string | undefined]> = [
  [undefined, json],
  ['*/*', json],
  ['application/json', json],
  ['APPLICATION/JSON', json],
  ['application/xml', xml],
  ['text/xml', 'text/xml; charset=utf-8'],
  ['application/*', json],
  ['text/json', 'text/json; charset=utf-8'],
  ['application/json;q=0.5, application/xml', xml],
  ['application/json;q=0.5, application/xml;q=0.4', json],
  ['application/json;q=0.5, application/xml;q=0.5', json],
  ['application/xml;q=0.001, */*;q=0', xml],
  ['application/json;q=0, */*', xml],
  ['application/json;q=0, application/*;q=0.5', xml],
  ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', xml],
  ['text/html, */*;q=0.1', json],
  ['application/json; charset=utf-8', json],
  ['application/json;version=1, application/xml;q=0.1', xml],
  [' application/xml ,, ', xml],
  ['application/xml;q=1.000', xml],
  ['image/png', undefined],
  ['text/html', undefined],
  ['application/vnd.api+json', undefined],
  ['*/*;q=0', undefined],
  ['application/json;q=0', undefined],
  ['application/json;q=0.0, application/xml;q=0.000', undefined],
]

describe('GET by Accept', () => {
  it.each(choices)('%s: %s', async (Accept, type) => {
    const { ask } = await answering(() => ({ a: [1, '<&>'] }))
    const answer = await ask('GET', '/', { headers: Accept === undefined ? {} : { Accept } })
    expect([answer.status, answer.headers.vary]).toEqual([type === undefined ? 406 : 200, 'Accept'])
    const problem = Accept === 'text/html' ? 'text/html; charset=utf-8' : 'application/problem+json'
    expect(answer.headers['content-type']).toBe(type ?? problem)
  })

  it.each(choices)("negotiation: 'lenient', %s", async (Accept, type = json) => {
    const { ask } = await answering(() => ({ a: 1 }), {}, { negotiation: 'lenient' })
    const answer = await ask('GET', '/', { headers: Accept === undefined ? {} : { Accept } })
    expect([answer.status, answer.headers['content-type'], answer.headers.vary]).toEqual([200, type, 'Accept'])
  })

  it.each([
    '',
    ';',
    ',',
    '/',
    'a/b/c',
    'json',
    '*/json',
    ';q=1',
    'application/json;q=2',
    'application/json;q=a',
    `a/b;${'x'.repeat(5000)}`,
    '"'.repeat(500),
    'a/b,'.repeat(1000),
  ])('a malformed or huge Accept is no failure of ours: %s', async (Accept) => {
    const { ask } = await answering(() => ({ a: 1 }))
    expect([200, 406]).toContain((await ask('GET', '/', { headers: { Accept } })).status)
  })

  it('the 406 names what there is, and is a problem', async () => {
    const { ask } = await answering(() => ({ a: 1 }))
    const { status, detail } = (await ask('GET', '/', { headers: { Accept: 'image/png' } })).json<{
      status: number
      detail: string
    }>()
    expect(status).toBe(406)
    expect(detail).toContain('application/json')
    expect(detail).toContain('application/xml')
  })

  it('choices are remembered without end to none', async () => {
    const { ask } = await answering(() => ({ a: 1 }))
    for (let n = 0; n < 200; n++) {
      const Accept = n % 2 === 0 ? `application/xml, image/v${n}` : `application/json, image/v${n}`
      expect((await ask('GET', '/', { headers: { Accept } })).headers['content-type']).toBe(n % 2 === 0 ? xml : json)
    }
  })
})

describe('texts, bytes and files obey Accept as well', () => {
  const png = join(__dirname, '../../package.json')
  it('a stream that nobody wants is closed', async () => {
    const stream = new PassThrough()
    const { ask } = await answering(() => stream)
    expect((await ask('GET', '/', { headers: { Accept: 'text/html' } })).status).toBe(406)
    expect(stream.destroyed).toBe(true)
  })

  it.each([
    ['a text', () => 'hello', 'text/plain', 200],
    ['a text', () => 'hello', 'text/*', 200],
    ['a text', () => 'hello', 'application/json', 406],
    ['a text', () => 'hello', 'application/json, */*;q=0.1', 200],
    ['bytes', () => Buffer.from('x'), 'application/octet-stream', 200],
    ['bytes', () => Buffer.from('x'), 'application/json', 406],
    ['bytes with a type', () => reply(200, Buffer.from('x'), { 'Content-Type': 'image/png' }), 'image/*', 200],
    ['bytes with a type', () => reply(200, Buffer.from('x'), { 'Content-Type': 'image/png' }), 'image/png', 200],
    ['bytes with a type', () => reply(200, Buffer.from('x'), { 'content-type': 'image/png; a=b' }), 'image/png', 200],
    ['bytes with a type', () => reply(200, Buffer.from('x'), { 'Content-Type': 'image/png' }), 'image/gif', 406],
    ['a blob', () => new Blob(['x'], { type: 'image/png' }), 'image/png', 200],
    ['a file', () => file(png, { type: 'image/png' }), 'image/avif, image/png', 200],
    ['a file', () => file(png), 'application/json', 200],
    ['a file', () => file(png), 'text/html', 406],
    ['nothing', () => undefined, 'image/png', 204],
    ['null', () => null, 'image/png', 404],
  ] as ReadonlyArray<readonly [string, () => unknown, string, number]>)(
    '%s %#: %s',
    async (_name, call, Accept, status) => {
      const { ask } = await answering(call)
      const answers = [await ask('GET', '/', { headers: { Accept } }), await ask('HEAD', '/', { headers: { Accept } })]
      expect(answers.map((answer) => answer.status)).toEqual([status, status])
      const lenient = await answering(call, {}, { negotiation: 'lenient' })
      expect((await lenient.ask('GET', '/', { headers: { Accept } })).status).toBe(status === 406 ? 200 : status)
    },
  )
})

describe('a write', () => {
  it('is refused before it happens where no type on offer is acceptable', async () => {
    let calls = 0
    const { ask } = await answering(() => ({ calls: ++calls }), { method: 'POST' })
    expect((await ask('POST', '/', { headers: { Accept: 'image/png' } })).status).toBe(406)
    expect(calls).toBe(0)
  })

  it('that has happened is answered whatever is accepted', async () => {
    const { ask } = await answering(() => ({ done: true }), { method: 'POST' })
    const answer = await ask('POST', '/', { headers: { Accept: 'text/plain' } })
    expect([answer.status, answer.text]).toEqual([200, '{"done":true}'])
  })
})

describe('@Produces', () => {
  @Resource('/')
  @Produces('application/xml', 'application/json')
  class Both {
    @Get('/both') both() {
      return { a: 1 }
    }
    @Get('/own') @Produces('application/hal+json') own() {
      return { a: 1 }
    }
    @Post('/own') @Produces('application/hal+json') change() {
      return { a: 1 }
    }
    @Get('/plain') @Produces('text/plain') plain() {
      return 'text'
    }
    @Get('/upper') @Produces('Application/JSON') upper() {
      return []
    }
  }

  it.each([
    ['/both', '*/*', 200, xml],
    ['/both', 'application/json', 200, json],
    ['/both', 'text/xml', 406, 'application/problem+xml'],
    ['/own', '*/*', 200, 'application/hal+json; charset=utf-8'],
    ['/own', 'application/hal+json', 200, 'application/hal+json; charset=utf-8'],
    ['/own', 'application/json', 406, 'application/problem+json'],
    ['/plain', 'text/plain', 200, 'text/plain; charset=utf-8'],
    ['/plain', 'application/json', 406, 'application/problem+json'],
    ['/upper', 'application/json', 200, json],
  ])('GET %s with Accept: %s', async (path, Accept, status, type) => {
    const { ask } = await serve(createApp({ resources: [Both] }))
    const answer = await ask('GET', path, { headers: { Accept } })
    expect([answer.status, answer.headers['content-type']]).toEqual([status, type])
  })

  it('what is encoded by no codec is a failure of ours', async () => {
    const { ask } = await answering(
      () => ({ a: 1 }),
      { reply: { produces: ['image/png'] } },
      { logger: { error: () => undefined } },
    )
    expect((await ask('GET', '/')).status).toBe(500)
  })
})

describe('application/xml', () => {
  it.each([
    [
      { a: 1, b: null, c: [true, { d: 'x' }], e: [], f: {} },
      '<a>1</a><b xsi:nil="true"/><c><item>true</item><item><d>x</d></item></c><e/><f/>',
    ],
    [{ 'no name': 1, item: 2 }, '<entry name="no name">1</entry><entry name="item">2</entry>'],
    [
      ['<script>', '&amp;', ']]>', '\u0000\u0001'],
      '<item>&lt;script&gt;</item><item>&amp;amp;</item><item>]]&gt;</item><item>\uFFFD\uFFFD</item>',
    ],
    [{ at: new Date(0), of: new Set([1n]) }, '<at>1970-01-01T00:00:00.000Z</at><of><item>1</item></of>'],
  ])('%# is well-formed, with one root', async (value, content) => {
    const { ask } = await answering(() => value)
    const { text } = await ask('GET', '/', { headers: { Accept: 'application/xml' } })
    expect(XMLValidator.validate(text)).toBe(true)
    expect(Object.keys(new XMLParser().parse(text) as object)).toEqual(['?xml', 'response'])
    expect(text).toContain(`>${content}</response>`)
  })

  it('of an array of a row is a list of one', async () => {
    const { ask } = await answering(() => [{ a: 1 }])
    expect((await ask('GET', '/', { headers: { Accept: 'text/xml' } })).text).toMatch(
      /<response[^>]*><item><a>1<\/a><\/item><\/response>$/,
    )
  })
})

describe('lists as NDJSON', () => {
  it('where a list is returned and lines are asked for', async () => {
    const { ask } = await answering(() => [{ a: 1 }, { b: new Date(0) }])
    const answer = await ask('GET', '/', { headers: { Accept: 'application/x-ndjson' } })
    expect(answer).toMatchObject({ status: 200, text: '{"a":1}\n{"b":"1970-01-01T00:00:00.000Z"}\n' })
    expect(answer.headers['content-type']).toContain('application/x-ndjson')
  })

  it('and 406 where it is no list', async () => {
    const { ask } = await answering(() => ({ a: 1 }))
    expect((await ask('GET', '/', { headers: { Accept: 'application/x-ndjson' } })).status).toBe(406)
  })
})

describe('yaml()', () => {
  it('writes and reads YAML where it is added', async () => {
    const { ask } = await answering(() => ({ a: [1, 'no'], b: null }), {}, { codecs: [yaml()] })
    const answer = await ask('GET', '/', { headers: { Accept: 'application/yaml' } })
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/yaml; charset=utf-8'])
    expect(answer.text).toMatch(/^a:\n {2}- 1\n {2}- "?no"?\nb: null\n$/)
  })

  it('is not there unless it is added', async () => {
    const { ask } = await answering(() => ({ a: 1 }))
    expect((await ask('GET', '/', { headers: { Accept: 'application/yaml' } })).status).toBe(406)
  })
})
