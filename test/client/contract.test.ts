import { ContractError, createClient, NotFoundError, requestAndValidate } from 'kumu/client'
import { closeAll } from '../support/serve'
import { failureOf, record, sendJson, type Recorder } from './support/server'

afterEach(closeAll)

const json = (schema: object) => ({ content: { 'application/json': { schema } } })

const document = {
  openapi: '3.1.0',
  info: { title: 'Fruits', version: '1' },
  paths: {
    '/fruits': {
      get: { responses: { 200: json({ type: 'array', items: { $ref: '#/components/schemas/Fruit' } }) } },
      post: { responses: { 201: { $ref: '#/components/responses/Created' }, '4XX': { description: 'Refused' } } },
    },
    '/fruits/{name}': {
      get: {
        responses: {
          200: json({ $ref: '#/components/schemas/Fruit' }),
          404: { content: { 'application/problem+json': { schema: { type: 'object', required: ['type'] } } } },
        },
      },
      delete: { responses: { 204: { description: 'Gone' } } },
    },
    '/fruits/best': {
      get: { responses: { 200: { content: { 'text/*': { schema: { type: 'string', maxLength: 5 } } } } } },
    },
    '/fruits/{name}/picture': { get: { responses: { 200: { content: { 'image/x': { schema: {} } } } } } },
    '/any': { get: { responses: { default: { content: { '*/*': {} } } } } },
  },
  components: {
    responses: { Created: json({ $ref: '#/components/schemas/Fruit' }) },
    schemas: {
      Fruit: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          amount: { type: ['integer', 'null'] },
          picked: { type: 'string', format: 'date' },
          like: { $ref: '#/components/schemas/Fruit' },
        },
      },
    },
  },
}

interface Given {
  readonly status?: number
  readonly type?: string
  readonly body?: unknown
}

const answering = ({ status = 200, type = 'application/json', body }: Given): Promise<Recorder> =>
  record((_, response) => {
    if (body === undefined) response.writeHead(status).end()
    else response.writeHead(status, { 'Content-Type': type }).end(type.includes('json') ? JSON.stringify(body) : body)
  })

const good: ReadonlyArray<readonly [string, string, Given]> = [
  ['GET', '/fruits/apple', { body: { name: 'apple', amount: null, picked: '2024-05-06', like: { name: 'pear' } } }],
  ['GET', '/fruits/apple/', { body: { name: 'apple' } }],
  ['GET', '/fruits', { body: [{ name: 'apple' }] }],
  ['GET', '/fruits?a=b', { body: [] }],
  ['HEAD', '/fruits/apple', {}],
  ['POST', '/fruits', { status: 201, body: { name: 'apple' } }],
  ['DELETE', '/fruits/apple', { status: 204 }],
  ['GET', '/fruits/best', { type: 'text/plain', body: 'apple' }],
  ['GET', '/fruits/apple/picture', { type: 'image/x', body: 'x' }],
  ['GET', '/any', { type: 'text/x', body: 'x' }],
]

const bad: ReadonlyArray<readonly [string, string, Given, RegExp]> = [
  ['GET', '/vegetables', { body: 1 }, /the document knows no GET \/vegetables$/],
  ['GET', '/fruits/a/b', { body: 1 }, /the document knows no GET \/fruits\/a\/b$/],
  ['PUT', '/fruits/apple', { body: 1 }, /the document knows no PUT/],
  ['GET', '/fruits', { status: 202, body: [] }, /the document knows no status 202 here/],
  ['GET', '/fruits', { type: 'text/plain', body: 'x' }, /the document knows no text\/plain for the status 200/],
  ['DELETE', '/fruits/apple', { status: 204 + 1, body: undefined }, /no status 205/],
  ['GET', '/fruits/apple', { body: { name: 7 } }, /the body breaks its schema: '\/name' must be string$/],
  ['GET', '/fruits/apple', { body: { name: 'a', picked: 'today' } }, /'\/picked' must match format "date"/],
  ['GET', '/fruits', { body: [{ name: 'a', like: {} }] }, /'\/0\/like' must have required property 'name'/],
  ['POST', '/fruits', { status: 201, body: {} }, /'' must have required property 'name'/],
  ['POST', '/fruits', { status: 400, body: {} }, /the document knows no application\/json for the status 400/],
  [
    'GET',
    '/fruits/apple',
    { status: 404, type: 'application/problem+json', body: {} },
    /must have required property 'type'/,
  ],
  ['GET', '/fruits/best', { type: 'text/plain', body: 'strawberry' }, /'' must NOT have more than 5 characters/],
]

describe('validate: document', () => {
  it.each(good)('lets %s %s %j through', async (method, path, given) => {
    const { url } = await answering(given)
    await createClient(`${url}/api`, { validate: document }).request(method, path)
  })

  it.each(bad)('refuses %s %s %j', async (method, path, given, message) => {
    const { url } = await answering(given)
    const error = await failureOf(createClient(`${url}/api`, { validate: document }).request(method, path))
    expect(error).toBeInstanceOf(ContractError)
    expect(error).toMatchObject({
      code: 'contract',
      status: given.status ?? 200,
      message: expect.stringMatching(message) as string,
    })
  })

  it('never tells the value', async () => {
    const { url } = await answering({ body: { name: 4711 } })
    expect((await failureOf(createClient(url, { validate: document }).get('/fruits/x'))).message).not.toMatch('4711')
  })
})

describe('validate: true', () => {
  it('takes the document at openapi.json, once', async () => {
    const { url, seen } = await record((request, response) => {
      if (request.url === '/api/openapi.json') return sendJson(response, document)
      return sendJson(response, { name: request.url === '/api/fruits/apple' ? 'apple' : 7 })
    })
    const api = createClient(`${url}/api`, { validate: true, token: 't' })
    expect(await api.get('/fruits/apple')).toEqual({ name: 'apple' })
    expect(await failureOf(api.get('/fruits/pear'))).toBeInstanceOf(ContractError)
    expect(seen.filter((each) => each.url === '/api/openapi.json').map(({ headers }) => headers.authorization)).toEqual(
      ['Bearer t'],
    )
  })

  it('fails where there is none', async () => {
    const { url } = await record((_, response) => sendJson(response, {}, 404))
    expect((await failureOf(createClient(url, { validate: true }).get('/x'))).message).toMatch(
      'there is no document to hold answers to',
    )
  })
})

describe('requestAndValidate(api, document, method, path, args)', () => {
  it('gives the body of an answer that is as promised', async () => {
    const { url, seen } = await answering({ status: 201, body: { name: 'apple' } })
    expect(await requestAndValidate(createClient(url), document, 'POST', '/fruits', { name: 'apple' })).toEqual({
      name: 'apple',
    })
    expect(seen[0]?.body).toBe('{"name":"apple"}')
  })

  it('holds an error to the document before it throws it', async () => {
    const told = await answering({ status: 404, type: 'application/problem+json', body: { type: 'about:blank' } })
    expect(
      await failureOf(requestAndValidate(createClient(told.url), document, 'GET', '/fruits/x', { a: 1 })),
    ).toBeInstanceOf(NotFoundError)
    expect(told.seen[0]?.url).toBe('/fruits/x?a=1')
    const other = await answering({ status: 404, body: {} })
    expect(await failureOf(requestAndValidate(createClient(other.url), document, 'get', '/fruits/x'))).toBeInstanceOf(
      ContractError,
    )
  })
})
