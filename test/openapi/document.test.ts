import 'reflect-metadata'
import { Expose } from 'class-transformer'
import { IsInt, IsOptional, IsString } from 'class-validator'
import {
  Body,
  ConfigurationError,
  Get,
  Param,
  Post,
  Resource,
  Returns,
  createApp,
  definePlan,
  type AppOptions,
} from 'kumu'
import { createDocument, type OpenApiDocument, type OperationObject, type Schema } from 'kumu/openapi'
import * as valibot from 'valibot'
import { z } from 'zod'
import { createWide } from './support/wide'

/** The document of these resources. */
function documentOf(resources: AppOptions['resources'], options: AppOptions = {}): OpenApiDocument {
  return createApp({ resources, ...options }).document()
}

function operation(document: OpenApiDocument, method: string, path: string): OperationObject {
  const found = document.paths[path]?.[method]
  if (!found) throw new Error(`No ${method} ${path} among ${Object.keys(document.paths).join(', ')}`)
  return found
}

function schemaOf(document: OpenApiDocument, name: string): Schema {
  const found = document.components?.schemas?.[name]
  if (!found) throw new Error(`No schema ${name}`)
  return found
}

const statuses = ({ responses }: OperationObject): string => Object.keys(responses).join(' ')

describe('createDocument(plans, options)', () => {
  const ping = definePlan({ id: 'ping', method: 'GET', path: '/ping', call: () => 'pong' })

  test('of a plan alone', () => {
    const document = createDocument([ping], { info: { title: 'Ping', version: '1.0.0' }, servers: [{ url: '/v1' }] })
    expect(document).toMatchObject({
      openapi: '3.1.1',
      info: { title: 'Ping', version: '1.0.0' },
      servers: [{ url: '/v1' }],
      paths: { '/ping': { get: { operationId: 'ping' } } },
    })
  })

  test('it is plain data', () => {
    const document = createWide().document()
    expect(JSON.parse(JSON.stringify(document))).toEqual(document)
  })

  test('a scheme that nobody describes is refused', () => {
    const guarded = definePlan({ id: 'a', method: 'GET', path: '/a', access: { roles: [] }, call: () => 1 })
    expect(() => createDocument([guarded], { security: [{ oauth: [] }] })).toThrow(ConfigurationError)
  })

  test('what is hidden stays out', () => {
    const hidden = definePlan({ id: 'b', method: 'GET', path: '/b', call: () => 1, doc: { hidden: true } })
    expect(Object.keys(createDocument([ping, hidden]).paths)).toEqual(['/ping'])
  })
})

describe('paths', () => {
  const plan = (id: string, method: string, path: string | RegExp) => definePlan({ id, method, path, call: () => 1 })

  test.each<[string, string[]]>([
    ['/a/:id', ['/a/{id}']],
    ['/a{/:year}', ['/a/{year}', '/a']],
    ['/files/*path', ['/files/{path}']],
    ['/a/:x.:y', ['/a/{x}.{y}']],
    ['/', ['/']],
    ['/a\\:b', ['/a:b']],
  ])('%s is %j', (path, templates) => {
    expect(Object.keys(createDocument([plan('a', 'GET', path)]).paths)).toEqual(templates)
  })

  test('each template has its parameters, no more and no fewer', () => {
    const { paths } = createDocument([plan('a', 'GET', '/a{/:year{/:month}}'), plan('b', 'GET', '/:x.:y')])
    for (const [path, item] of Object.entries(paths)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(item.get?.parameters?.map(({ name }) => name) ?? []).toEqual(named)
    }
  })

  test('paths of one shape are one, under the first names', () => {
    const { paths } = createDocument([plan('a', 'GET', '/a/:id'), plan('b', 'PUT', '/a/:key')])
    expect(Object.keys(paths)).toEqual(['/a/{id}'])
    expect(paths['/a/{id}']?.put?.parameters?.[0]?.name).toBe('id')
  })

  test('a prefix stands before all', () => {
    expect(
      Object.keys(createDocument([plan('a', 'GET', '/'), plan('b', 'GET', '/b')], { prefix: '/api/' }).paths),
    ).toEqual(['/api', '/api/b'])
  })

  test('what OpenAPI has no words for is listed', () => {
    const document = createDocument([plan('a', 'GET', /\/x\d/), plan('b', 'REPORT', '/b')])
    expect(document['x-kumu-unlisted']).toEqual([
      { id: 'a', method: 'GET', path: '/\\/x\\d/' },
      { id: 'b', method: 'REPORT', path: '/b' },
    ])
    expect(document.paths).toEqual({})
  })

  test('operations have names of their own', () => {
    const same = [
      plan('Users.list', 'GET', '/a'),
      plan('Users.list', 'GET', '/b'),
      plan('collection(/c).list', 'GET', '/c'),
    ]
    const ids = Object.values(createDocument(same).paths).map(({ get }) => get?.operationId)
    expect(ids).toEqual(['Users.list', 'Users.list2', 'collection_c.list'])
  })
})

describe('schemas of classes', () => {
  const everything = schemaOf(createWide().document(), 'EverythingInput')

  test.each<[string, Schema]>([
    ['name', { type: 'string', minLength: 1, maxLength: 80, description: 'What it is called', example: 'Ada' }],
    ['nickname', { type: ['string', 'null'] }],
    ['age', { type: ['integer', 'null'], minimum: 0, maximum: 150 }],
    ['mixed', { enum: ['a', 1, true] }],
    ['level', { type: ['string', 'null'], enum: ['low', 'high', null] }],
    ['size', { type: 'number', enum: [0, 1] }],
    ['hex', { type: 'string', pattern: '^[a-fA-F]+[xX]$' }],
    ['twice', { type: 'string', pattern: 'z$', allOf: [{ pattern: '^a' }] }],
    ['matrix', { type: 'array', items: { type: 'array' } }],
    ['tags', { type: 'array', items: { type: 'string', maxLength: 5 }, uniqueItems: true, maxItems: 3 }],
    ['squares', { type: ['array', 'null'], items: { $ref: '#/components/schemas/SquareInput2' } }],
    ['flag', { type: 'boolean', default: false }],
    ['born', { type: 'string', format: 'date-time' }],
    ['full-name', { type: 'string' }],
  ])('%s', (name, schema) => {
    expect(everything.properties?.[name]).toEqual(schema)
  })

  test('optional, conditional and preset members are not required', () => {
    const optional = Object.keys(everything.properties ?? {}).filter((name) => !everything.required?.includes(name))
    expect(optional).toEqual(['email', 'age', 'flag', 'born', 'reason'])
    expect(everything.additionalProperties).toBe(false)
  })

  test('a discriminator chooses, and stands in what it chooses', () => {
    const document = createWide().document()
    expect(everything.properties?.shape).toEqual({
      oneOf: [{ $ref: '#/components/schemas/CircleInput' }, { $ref: '#/components/schemas/SquareInput' }],
      discriminator: {
        propertyName: 'kind',
        mapping: { circle: '#/components/schemas/CircleInput', square: '#/components/schemas/SquareInput' },
      },
    })
    expect(schemaOf(document, 'CircleInput')).toMatchObject({
      properties: { kind: { const: 'circle' } },
      required: ['kind', 'radius'],
    })
  })

  test('a class that holds itself is a reference to itself', () => {
    const node = schemaOf(createWide().document(), 'NodeInput')
    expect(node.properties?.children).toEqual({ type: 'array', items: { $ref: '#/components/schemas/NodeInput' } })
  })

  test('what goes in is not what comes out', () => {
    const document = createWide().document()
    expect(Object.keys(schemaOf(document, 'AccountInput').properties ?? {})).toEqual(['login', 'password', 'level'])
    expect(Object.keys(schemaOf(document, 'Account').properties ?? {})).toEqual(['login', 'level', 'initials'])
  })

  test('two classes of one name have two names', () => {
    const document = createWide().document()
    expect(schemaOf(document, 'Note').properties).toEqual({ text: { type: 'string' } })
    expect(schemaOf(document, 'Note2').properties).toEqual({ count: { type: 'integer' } })
  })

  test('@Expose alone declares a member', () => {
    class Out {
      @IsString() @Expose({ name: 'title' }) name!: string
    }
    @Resource('/out')
    class Outs {
      @Get() @Returns(Out) get() {}
    }
    expect(schemaOf(documentOf([Outs]), 'Out').required).toEqual(['title'])
  })

  test.each<[AppOptions['validation'], Schema]>([
    [{}, { type: 'object', properties: { a: { type: 'integer' } }, additionalProperties: false }],
    [{ unknown: 'strip' }, { type: 'object', properties: { a: { type: 'integer' } } }],
    [
      { optionalNull: 'accept' },
      { type: 'object', properties: { a: { type: ['integer', 'null'] } }, additionalProperties: false },
    ],
  ])('validation: %j', (validation, schema) => {
    class In {
      @IsOptional() @IsInt() a?: number
    }
    @Resource('/in')
    class Ins {
      @Post() post(@Body() _body: In) {}
    }
    expect(schemaOf(documentOf([Ins], { validation }), 'In')).toEqual(schema)
  })

  test('schemas of other libraries say themselves, where they can', () => {
    @Resource('/s')
    class Schemas {
      @Post('/zod') zod(@Body(z.object({ a: z.number().nullable() })) _body: unknown) {}
      @Post('/valibot') valibot(@Body(valibot.object({ a: valibot.number() })) _body: unknown) {}
    }
    const document = documentOf([Schemas])
    const body = (path: string) => operation(document, 'post', path).requestBody?.content['application/json']?.schema
    expect(body('/s/zod')).toMatchObject({
      type: 'object',
      properties: { a: { type: ['number', 'null'] } },
      required: ['a'],
    })
    expect(body('/s/valibot')).toEqual({})
  })
})

describe('answers', () => {
  test.each([
    ['post /things', '201 400 406 413 415 422 500'],
    ['get /things', '200 206 400 406 416 500'],
    ['get /things/{id}', '200 304 400 404 406 412 500'],
    ['put /things/{id}', '200 400 404 406 412 413 415 422 428 500'],
    ['patch /things/{id}', '200 204 400 404 406 409 413 415 422 500'],
    ['get /v2/calls/old', '200 406 500'],
    ['get /v2/calls/elsewhere', '303 500'],
    ['post /v2/calls/jobs', '202 406 429 500 507'],
    ['post /v2/calls/upload', '204 400 406 413 415 422 500'],
    ['post /admin/reset', '204 401 403 406 500 503'],
    ['get /admin/who', '200 401 403 406 500'],
  ])('%s: %s', (route, expected) => {
    const [method = '', path = ''] = route.split(' ')
    expect(statuses(operation(createWide().document(), method, path))).toBe(expected)
  })

  test('errors in an older format have its statuses and bodies', () => {
    const document = createWide({ errors: { format: 'rest-tools' } }).document()
    expect(statuses(operation(document, 'post', '/things'))).toBe('201 400 406 413 415 500')
    expect(document.components?.responses?.BadRequest?.content).toEqual({
      'application/json': {
        schema: {
          type: 'object',
          properties: { code: { type: 'integer' }, error: { type: 'string' } },
          required: ['code', 'error'],
        },
      },
    })
    expect(document.components?.schemas).not.toHaveProperty('Problem')
  })

  test('an envelope is around every value', () => {
    const schema = operation(createWide({ envelope: 'urest' }).document(), 'post', '/v2/calls/notes').responses['200']
    expect(schema).toMatchObject({
      content: {
        'application/json': {
          schema: {
            properties: { success: { const: true }, result: { $ref: '#/components/schemas/Note2' } },
            required: ['success'],
          },
        },
      },
    })
  })

  test('a list is offered a value a line as well', () => {
    @Resource('/l')
    class Lists {
      @Get() @Returns([String]) get() {}
    }
    const response = operation(documentOf([Lists]), 'get', '/l').responses['200']
    expect(response).toMatchObject({
      content: {
        'application/json': { schema: { type: 'array', items: { type: 'string' } } },
        'application/x-ndjson': { schema: { type: 'string' } },
      },
    })
  })

  test('reads of what is written under conditions carry the entity tag', () => {
    const document = createWide().document()
    expect(operation(document, 'get', '/things/{id}').responses['200']).toMatchObject({
      headers: { ETag: { $ref: '#/components/headers/ETag' } },
    })
    expect(operation(document, 'put', '/things/{id}').parameters?.map(({ name }) => name)).toContain('If-Match')
  })
})

describe('what is said', () => {
  const document = createWide().document()

  test('summary, description, example', () => {
    const one = operation(document, 'get', '/things/{id}')
    expect(one).toMatchObject({ summary: 'One of them', description: 'The whole of it.' })
    expect(one.parameters?.[0]).toEqual({
      name: 'id',
      in: 'path',
      required: true,
      description: 'Its number',
      schema: { type: 'integer', minimum: 1 },
      example: 7,
    })
  })

  test('deprecation', () => {
    const old = operation(document, 'get', '/v2/calls/old')
    expect(old.deprecated).toBe(true)
    expect(old.description).toBe('Deprecated since 2026-01-31. Gone on 2027-01-31. See /docs/new.')
    expect(old.responses['200']).toMatchObject({ headers: { Deprecation: {}, Sunset: {}, Link: {} } })
  })

  test('security: any scheme, any role', () => {
    expect(operation(document, 'post', '/admin/reset').security).toEqual([
      { bearer: ['admin'] },
      { bearer: ['root'] },
      { basic: ['admin'] },
      { basic: ['root'] },
    ])
    expect(document.components?.securitySchemes).toEqual({
      bearer: { type: 'http', scheme: 'bearer' },
      basic: { type: 'http', scheme: 'basic' },
    })
    expect(operation(document, 'post', '/things').security).toBeUndefined()
  })

  test('named parameters with their options', () => {
    const schemas = Object.fromEntries(
      (operation(document, 'get', '/v2/calls/named').parameters ?? []).map(({ name, schema }) => [name, schema]),
    )
    expect(schemas).toEqual({
      ids: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 5 },
      mode: {
        type: 'string',
        anyOf: [
          { type: 'string', enum: ['fast'] },
          { type: 'string', pattern: '^(?:slow-\\d+)$' },
        ],
        default: 'fast',
      },
      word: {
        type: 'string',
        not: { type: 'string', enum: ['no'] },
        pattern: '^(?:[a-zA-Z]+)$',
        minLength: 2,
        maxLength: 9,
      },
      when: { type: 'string', format: 'date-time' },
    })
  })

  test('bodies by media type', () => {
    const upload = operation(document, 'post', '/v2/calls/upload').requestBody
    expect(upload).toMatchObject({
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            properties: {
              one: { format: 'binary' },
              more: { type: 'array', maxItems: 2 },
              title: { type: 'string', maxLength: 40 },
            },
            required: ['one', 'title'],
          },
        },
      },
    })
    expect(operation(document, 'post', '/v2/calls/text').requestBody?.content).toEqual({
      'text/plain': { schema: { type: 'string' } },
    })
  })

  test('a nullable value of a body', () => {
    @Resource('/n')
    class Nulls {
      @Post() post(@Body('a', { type: Number, nullable: true }) _a: number | null) {}
      @Get('/:id') get(@Param('id') _id: string) {}
    }
    expect(operation(documentOf([Nulls]), 'post', '/n').requestBody?.content['application/json']?.schema).toEqual({
      type: 'object',
      properties: { a: { type: ['number', 'null'] } },
      required: ['a'],
      additionalProperties: false,
    })
  })
})
