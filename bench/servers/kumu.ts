import 'reflect-metadata'
import type { RequestListener } from 'node:http'
import { createApp, Get, Integer, Page, Paged, type PageRequest, Param, Resource, slice } from 'kumu'
import { makeItems } from '../work'
import { serve } from './serve'

// Kumu as its guide says: classes and decorators on a real Koa application.

function listener(resources: readonly object[]): RequestListener {
  const handle = createApp({ resources }).callback()
  return (req, res) => void handle(req, res)
}

@Resource('/hello')
class Hello {
  @Get('/:id')
  one(@Param('id', { type: Integer }) id: number) {
    return { id, hello: 'world' }
  }
}

/** A controller of ten routes: a thousand routes are a hundred controllers. */
function makeController(first: number): object {
  @Resource('/')
  class Routes {
    @Get(`/route-${first + 0}/:id`)
    route0(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 0 }
    }
    @Get(`/route-${first + 1}/:id`)
    route1(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 1 }
    }
    @Get(`/route-${first + 2}/:id`)
    route2(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 2 }
    }
    @Get(`/route-${first + 3}/:id`)
    route3(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 3 }
    }
    @Get(`/route-${first + 4}/:id`)
    route4(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 4 }
    }
    @Get(`/route-${first + 5}/:id`)
    route5(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 5 }
    }
    @Get(`/route-${first + 6}/:id`)
    route6(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 6 }
    }
    @Get(`/route-${first + 7}/:id`)
    route7(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 7 }
    }
    @Get(`/route-${first + 8}/:id`)
    route8(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 8 }
    }
    @Get(`/route-${first + 9}/:id`)
    route9(@Param('id', { type: Integer }) id: number) {
      return { id, route: first + 9 }
    }
  }
  Object.defineProperty(Routes, 'name', { value: `Routes${first}` })
  return new Routes()
}

function makeRoutes(routes: number): object[] {
  return Array.from({ length: Math.ceil(routes / 10) }, (_, index) => makeController(index * 10))
}

function w2(): RequestListener {
  // Loaded here because an application without classes of bodies does not load class-validator.
  const { Users } = require('./kumu-users') as typeof import('./kumu-users')
  return listener([new Users()])
}

function w3(): RequestListener {
  const items = makeItems()

  @Resource('/items')
  class Items {
    @Get()
    @Paged({ limit: 50 })
    list(@Page() page: PageRequest) {
      return slice(items.slice(page.offset, page.offset + page.limit), items.length)
    }
  }
  return listener([new Items()])
}

serve({
  w1: (routes) => listener([new Hello(), ...makeRoutes(routes)]),
  w2,
  w3,
  w4: (routes) => listener(makeRoutes(routes)),
})
