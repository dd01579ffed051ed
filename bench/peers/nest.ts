import 'reflect-metadata'
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Module,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Res,
  type Type,
  ValidationPipe,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { Application, Contender } from '../servers/serve'
import { User } from '../servers/user'
import { contentRange, makeItems } from '../work'
import { makeControllers } from './routes'

/** Either of the adapters, made anew for each application. */
export type MakeAdapter = () => Parameters<typeof NestFactory.create>[1]

/** What both adapters' responses share. */
interface Response {
  header(name: string, value: string): unknown
}

/**
 * NestJS as its guide has it: controllers in a module, pipes for parameters, a validation pipe for class-validator's classes.
 *
 * @param makeAdapter what it stands on
 */
export function nest(makeAdapter: MakeAdapter): Contender {
  async function application(controllers: Array<Type<object>>): Promise<Application> {
    @Module({ controllers })
    class AppModule {}

    const app = await NestFactory.create(AppModule, makeAdapter(), { logger: false })
    app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }))
    await app.init()
    await (app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> }).ready?.()
    return app.getHttpServer() as Application
  }

  return {
    w1() {
      @Controller('hello')
      class Hello {
        @Get(':id')
        one(@Param('id', ParseIntPipe) id: number) {
          return { id, hello: 'world' }
        }
      }
      return application([Hello])
    },

    w2() {
      @Controller('users')
      class Users {
        private lastId = 0

        @Post()
        create(@Body() user: User) {
          return { id: ++this.lastId, ...user }
        }
      }
      return application([Users])
    },

    w3() {
      const items = makeItems()

      @Controller('items')
      class Items {
        @Get()
        @HttpCode(206)
        list(
          @Query('offset', new ParseIntPipe({ optional: true })) offset: number = 0,
          @Query('limit', new ParseIntPipe({ optional: true })) limit: number = 50,
          @Res({ passthrough: true }) response: Response,
        ) {
          if (offset < 0 || limit < 0) throw new BadRequestException('offset and limit must not be negative')
          const rows = items.slice(offset, offset + Math.min(limit, 1000))
          response.header('Content-Range', contentRange(offset, rows.length, items.length))
          return rows
        }
      }
      return application([Items])
    },

    w4: (routes) =>
      application(makeControllers(routes, { controller: Controller(), route: Get, id: Param('id', ParseIntPipe) })),
  }
}
