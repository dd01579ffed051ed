import 'reflect-metadata'
import { Type } from 'class-transformer'
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  Max,
  Min,
  ValidateNested,
} from 'class-validator'
import {
  Body,
  Conflict,
  Get,
  Nullable,
  Paged,
  Param,
  Post,
  Resource,
  Returns,
  Throws,
  createApp,
  slice,
  type AppOptions,
} from 'kumu'
import type { OpenApiDocument, OperationObject, Schema } from 'kumu/openapi'
import { createWide } from '../openapi/support/wide'
import { compile, createWorkspace, declarationsOf, removeWorkspaces } from '../openapi/support/workspace'
import { closeAll, serve } from '../support/serve'

afterEach(closeAll)
afterAll(removeWorkspaces)

const documentOf = (resources: AppOptions['resources']): OpenApiDocument => createApp({ resources }).document()

const schemaOf = (document: OpenApiDocument, name: string): Schema => document.components?.schemas?.[name] ?? {}

const operationOf = (document: OpenApiDocument, method: string, path: string): OperationObject =>
  document.paths[path]?.[method] as OperationObject

describe('B85 types come from emitted declarations, not from inference over the application', () => {
  it('500 routes are interfaces: no conditional, mapped or inferred type in them', async () => {
    const { text } = await declarationsOf('large')
    expect(text.match(/operations\["/g)).toHaveLength(500)
    expect(text).not.toMatch(/\b(?:infer|extends)\b|\bin keyof\b|=>/)
    expect(text).not.toContain('import')
  })

  it('nothing of the application is asked for: a consumer has them alone', async () => {
    const { text } = await declarationsOf('large')
    const consumer = `import type { paths } from './api'
type Made = paths['/resource-7']['post']['responses'][201]['content']['application/json']
export const made: Made = { name: 'a', age: 1, role: 'admin', own7: 'x' }
// @ts-expect-error the role is another
export const wrong: Made = { name: 'a', age: 1, role: 'king', own7: 'x' }
`
    expect((await compile(createWorkspace({ 'api.d.ts': text, 'consumer.ts': consumer }))).errors).toBe('')
  })
})

describe('B86 nullable is a type array; tuples and discriminators survive', () => {
  class Cat {
    @IsInt() lives!: number
  }
  class Dog {
    @IsString() breed!: string
  }
  class Owner {
    @IsString() @Nullable() nickname!: string | null

    @IsArray() @ArrayMinSize(2) @ArrayMaxSize(2) @IsNumber({}, { each: true }) position!: [number, number]

    @ValidateNested()
    @Type(() => Object, {
      discriminator: {
        property: 'kind',
        subTypes: [
          { name: 'cat', value: Cat },
          { name: 'dog', value: Dog },
        ],
      },
    })
    pet!: Cat | Dog
  }
  @Resource('/owners')
  class Owners {
    @Post() create(@Body() body: Owner) {
      return body
    }
  }
  const { properties = {} } = schemaOf(documentOf([Owners]), 'Owner')

  it('null stands in the list of types', () => {
    expect(properties.nickname).toEqual({ type: ['string', 'null'] })
  })

  it('a tuple is a list of its elements', () => {
    expect(properties.position).toEqual({ type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 })
  })

  it('the discriminator names a class for each value', () => {
    expect(properties.pet).toEqual({
      oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }],
      discriminator: {
        propertyName: 'kind',
        mapping: { cat: '#/components/schemas/Cat', dog: '#/components/schemas/Dog' },
      },
    })
  })
})

describe('B87 generic wrappers appear in full', () => {
  class Row {
    @IsInt() id!: number
  }
  @Resource('/rows')
  class Rows {
    @Get() @Paged({ max: 10 }) @Returns(Row) page() {
      return slice([{ id: 1 }], 1)
    }
    @Get('/all') @Returns([Row]) all() {
      return [{ id: 1 }]
    }
  }
  const rows = { type: 'array', items: { $ref: '#/components/schemas/Row' } }

  it('a slice is its rows, with the headers of the page', () => {
    const { responses } = operationOf(documentOf([Rows]), 'get', '/rows')
    for (const status of ['200', '206']) {
      expect(responses[status]).toMatchObject({
        headers: { 'Content-Range': {}, 'Accept-Ranges': {}, Link: {} },
        content: { 'application/json': { schema: rows } },
      })
    }
    expect(schemaOf(documentOf([Rows]), 'Row').properties).toEqual({ id: { type: 'integer' } })
  })

  it('a list is a list', () => {
    const { responses } = operationOf(documentOf([Rows]), 'get', '/rows/all')
    expect(responses['200']).toMatchObject({ content: { 'application/json': { schema: rows } } })
  })
})

describe('B88 one decorator for a property gives validation and schema', () => {
  class Draft {
    @Length(1, 5) title!: string
    @IsIn(['a', 'b']) kind!: string
    @IsOptional() @Min(1) @Max(9) stars?: number
  }
  @Resource('/drafts')
  class Drafts {
    @Post() create(@Body() body: Draft) {
      return body
    }
  }

  it('the schema', () => {
    expect(schemaOf(documentOf([Drafts]), 'Draft')).toEqual({
      type: 'object',
      properties: {
        title: { type: 'string', minLength: 1, maxLength: 5 },
        kind: { type: 'string', enum: ['a', 'b'] },
        stars: { type: 'number', minimum: 1, maximum: 9 },
      },
      required: ['title', 'kind'],
      additionalProperties: false,
    })
  })

  it('the validation', async () => {
    const { ask } = await serve(createApp({ resources: [Drafts] }))
    expect((await ask('POST', '/drafts', { body: { title: 'abcdef', kind: 'c', stars: 0 } })).status).toBe(422)
    expect((await ask('POST', '/drafts', { body: { title: 'abc', kind: 'a', stars: 1 } })).status).toBe(200)
  })
})

describe('B89 error responses are in the document, and typed in the client', () => {
  class Order {
    @IsInt() amount!: number
  }
  @Resource('/orders')
  class Orders {
    @Post('/:id') @Throws(Conflict) place(@Param('id') _id: string, @Body() body: Order) {
      return body
    }
  }

  it('those that can occur, each with its body', () => {
    const document = documentOf([Orders])
    const { responses } = operationOf(document, 'post', '/orders/{id}')
    expect(Object.keys(responses).filter((status) => status >= '400')).toEqual([
      '400',
      '404',
      '406',
      '409',
      '413',
      '415',
      '422',
      '500',
    ])
    expect(responses['409']).toEqual({ $ref: '#/components/responses/Conflict' })
    expect(document.components?.responses?.Conflict?.content?.['application/problem+json']).toEqual({
      schema: { $ref: '#/components/schemas/Problem' },
    })
  })

  it('the client knows the members of a problem, per status', async () => {
    const { text } = await declarationsOf('wide')
    const consumer = `import type { paths } from './api'
type Refused = paths['/things']['post']['responses'][422]['content']['application/problem+json']
export const pointers = ({ errors = [] }: Refused): string[] => errors.map(({ pointer }) => pointer)
// @ts-expect-error nothing of the route is ever 418
export type None = paths['/things']['post']['responses'][418]
`
    expect((await compile(createWorkspace({ 'api.d.ts': text, 'consumer.ts': consumer }))).errors).toBe('')
  })
})

describe('B90 the document cannot be stale', () => {
  it('it is made of the routes that are served, with no step between', async () => {
    const app = createWide()
    const { ask } = await serve(app)
    const { paths } = (await ask('GET', '/openapi.json')).json<OpenApiDocument>()
    const listed = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((verb) => `${verb} ${path}`))
    const served = app.plans
      .filter(({ path, doc }) => typeof path === 'string' && !doc.hidden)
      .flatMap(({ method, path }) => {
        const text = String(path).replace(/[:*](\w+)/g, '{$1}')
        const optional = /\{\/(\{\w+\})\}/
        const all = optional.test(text) ? [text.replace(optional, '/$1'), text.replace(optional, '')] : [text]
        return all.map((each) => `${method.toLowerCase()} ${each}`)
      })
    // Two operations may name the same part of a path differently: the first name holds.
    const nameless = (all: readonly string[]): string[] => all.map((each) => each.replace(/\{\w+\}/g, '{}')).sort()
    expect(nameless(listed)).toEqual(nameless(served))
  })

  it('another declaration is another document, under another entity tag', async () => {
    class Plain {
      list() {
        return []
      }
    }
    Resource('/plain')(Plain)
    Get()(Plain.prototype, 'list')
    const before = await serve(createApp({ resources: [Plain], openapi: { ui: false } }))
    class More extends Plain {
      more() {
        return []
      }
    }
    Resource('/plain')(More)
    Get('/more')(More.prototype, 'more')
    const after = await serve(createApp({ resources: [More], openapi: { ui: false } }))
    const [first, second] = [await before.ask('GET', '/openapi.json'), await after.ask('GET', '/openapi.json')]
    expect(Object.keys(second.json<OpenApiDocument>().paths)).toEqual(['/plain', '/plain/more'])
    expect(second.headers.etag).not.toBe(first.headers.etag)
  })
})
