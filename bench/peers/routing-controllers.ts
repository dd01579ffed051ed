import 'reflect-metadata'
import type { RequestListener } from 'node:http'
import Koa from 'koa'
import {
  BadRequestError,
  Body,
  Ctx,
  Get,
  HttpCode,
  JsonController,
  Param,
  Post,
  QueryParam,
  useKoaServer,
} from 'routing-controllers'
import { serve } from '../servers/serve'
import { User } from '../servers/user'
import { contentRange, makeItems } from '../work'
import { makeControllers } from './routes'

// routing-controllers on Koa, as its guide has it: controllers, parameters by type, class-validator.

function listener(controllers: Array<new () => object>): RequestListener {
  const app = new Koa()
  // What a client did wrong is no news.
  app.silent = true
  useKoaServer(app, { controllers, validation: { whitelist: true, forbidNonWhitelisted: true } })
  const handle = app.callback()
  return (req, res) => void handle(req, res)
}

function w1(): RequestListener {
  @JsonController()
  class Hello {
    @Get('/hello/:id')
    one(@Param('id') id: number) {
      return { id, hello: 'world' }
    }
  }
  return listener([Hello])
}

function w2(): RequestListener {
  let lastId = 0

  @JsonController('/users')
  class Users {
    @Post()
    @HttpCode(201)
    create(@Body() user: User) {
      return { id: ++lastId, ...user }
    }
  }
  return listener([Users])
}

function w3(): RequestListener {
  const items = makeItems()

  @JsonController('/items')
  class Items {
    @Get()
    @HttpCode(206)
    list(@QueryParam('offset') offset: number = 0, @QueryParam('limit') limit: number = 50, @Ctx() ctx: Koa.Context) {
      if (offset < 0 || limit < 0) throw new BadRequestError('offset and limit must not be negative')
      const rows = items.slice(offset, offset + Math.min(limit, 1000))
      ctx.set('Content-Range', contentRange(offset, rows.length, items.length))
      return rows
    }
  }
  return listener([Items])
}

function w4(routes: number): RequestListener {
  const route = (path: string): MethodDecorator => Get(path) as MethodDecorator
  return listener(
    makeControllers(routes, { controller: JsonController(), route, id: Param('id') as ParameterDecorator }),
  )
}

serve({ w1, w2, w3, w4 })
