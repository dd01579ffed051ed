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

/** One class a route, as it is in an application of many small resources. */
function makeRoute(route: number): object {
  @Resource(`/route-${route}`)
  class Route {
    @Get('/:id')
    one(@Param('id', { type: Integer }) id: number) {
      return { id, route }
    }
  }
  Object.defineProperty(Route, 'name', { value: `Route${route}` })
  return new Route()
}

function makeRoutes(routes: number): object[] {
  return Array.from({ length: routes }, (_, route) => makeRoute(route))
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
