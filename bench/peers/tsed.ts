import '@tsed/ajv'
import { BodyParams, Context, Controller, PathParams, type PlatformBuilder, QueryParams } from '@tsed/common'
import { Configuration } from '@tsed/di'
import { PlatformKoa } from '@tsed/platform-koa'
import {
  AdditionalProperties,
  CollectionOf,
  Default,
  Email,
  Enum,
  Get,
  Integer,
  MaxItems,
  Maximum,
  MaxLength,
  Minimum,
  MinLength,
  Pattern,
  Post,
  Property,
  Required,
  Status,
} from '@tsed/schema'
import bodyParser from 'koa-bodyparser'
import type { RequestListener } from 'node:http'
import { serve } from '../servers/serve'
import { contentRange, makeItems, roles } from '../work'
import { makeControllers } from './routes'

// Ts.ED on Koa as its guide has it: models from its decorators, checked by ajv.

async function application(controllers: Array<new () => object>): Promise<RequestListener> {
  @Configuration({
    httpPort: false,
    httpsPort: false,
    mount: { '/': controllers },
    middlewares: [bodyParser()],
    logger: { level: 'off', disableRoutesSummary: true, disableBootstrapLog: true, logRequest: false },
    ajv: { allErrors: true },
  })
  class Server {}

  const platform: PlatformBuilder = await PlatformKoa.bootstrap(Server)
  await platform.listen(false)
  return platform.callback() as RequestListener
}

function w1(): Promise<RequestListener> {
  @Controller('/hello')
  class Hello {
    @Get('/:id')
    one(@PathParams('id') @Integer() id: number) {
      return { id, hello: 'world' }
    }
  }
  return application([Hello])
}

@AdditionalProperties(false)
class Address {
  @Required()
  street!: string

  @Required()
  city!: string

  @Required()
  @Pattern(/^\d{5}$/)
  zip!: string
}

@AdditionalProperties(false)
class User {
  @Required()
  @MinLength(1)
  @MaxLength(80)
  name!: string

  @Required()
  @Email()
  email!: string

  @Required()
  @Integer()
  @Minimum(0)
  @Maximum(150)
  age!: number

  @Required()
  @MaxItems(10)
  @CollectionOf(String)
  tags!: string[]

  @Required()
  @Property(Address)
  address!: Address

  @Required()
  @Enum(...roles)
  role!: string
}

function w2(): Promise<RequestListener> {
  @Controller('/users')
  class Users {
    private lastId = 0

    @Post('/')
    @Status(201)
    create(@BodyParams() user: User) {
      return { id: ++this.lastId, ...user }
    }
  }
  return application([Users])
}

function w3(): Promise<RequestListener> {
  const items = makeItems()

  @Controller('/items')
  class Items {
    @Get('/')
    @Status(206)
    list(
      @QueryParams('offset') @Integer() @Minimum(0) @Default(0) offset: number = 0,
      @QueryParams('limit') @Integer() @Minimum(0) @Default(50) limit: number = 50,
      @Context() ctx: Context,
    ) {
      const rows = items.slice(offset, offset + Math.min(limit, 1000))
      ctx.response.setHeader('Content-Range', contentRange(offset, rows.length, items.length))
      return rows
    }
  }
  return application([Items])
}

function w4(routes: number): Promise<RequestListener> {
  return application(makeControllers(routes, { controller: Controller('/'), route: Get, id: PathParams('id') }))
}

serve({ w1, w2, w3, w4 })
