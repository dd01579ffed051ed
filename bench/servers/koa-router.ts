import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import { checkUser, contentRange, makeItems, type NewUser, parseId, parsePage, problem, storeUser } from '../work'
import { serve } from './serve'

// Koa with @koa/router and koa-body, everything else by hand: what a Koa project writes today.

function refuse(ctx: Context, status: number, errors?: ReturnType<typeof checkUser>): void {
  ctx.status = status
  ctx.body = problem(status, 'Refused', ctx.path, errors)
  ctx.type = 'application/problem+json'
}

function listener(router: Router, app = new Koa()): RequestListener {
  const handle = app.use(router.routes()).use(router.allowedMethods()).callback()
  return (req, res) => void handle(req, res)
}

/** `/hello/:id`, and as many routes more as asked for: the start-up cost of each shows. */
function w1(routes: number): RequestListener {
  const router = makeRoutes(routes)
  router.get('/hello/:id', function hello(ctx) {
    const id = parseId(ctx.params.id ?? '')
    if (id === undefined) return refuse(ctx, 400)
    ctx.body = { id, hello: 'world' }
  })
  return listener(router)
}

function w2(): RequestListener {
  // Loaded here because an application without bodies has no reason to.
  const { koaBody } = require('koa-body') as typeof import('koa-body')
  const app = new Koa()
  app.use(async function malformed(ctx, next) {
    try {
      await next()
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      refuse(ctx, 400)
    }
  })
  app.use(koaBody())
  const router = new Router()
  let lastId = 0
  router.post('/users', function create(ctx) {
    const value: unknown = ctx.request.body
    const errors = checkUser(value)
    if (errors.length > 0) return refuse(ctx, 422, errors)
    ctx.status = 201
    ctx.body = storeUser(++lastId, value as NewUser)
  })
  return listener(router, app)
}

function w3(): RequestListener {
  const items = makeItems()
  const router = new Router()
  router.get('/items', function list(ctx) {
    const page = parsePage(ctx.querystring)
    if (!page) return refuse(ctx, 400)
    const rows = items.slice(page.offset, page.offset + page.limit)
    ctx.status = 206
    ctx.set('Content-Range', contentRange(page.offset, rows.length, items.length))
    ctx.body = rows
  })
  return listener(router)
}

function makeRoutes(routes: number): Router {
  const router = new Router()
  for (let route = 0; route < routes; route++) {
    router.get(`/route-${route}/:id`, function one(ctx) {
      const id = parseId(ctx.params.id ?? '')
      if (id === undefined) return refuse(ctx, 400)
      ctx.body = { id, route }
    })
  }
  return router
}

serve({ w1, w2, w3, w4: (routes) => listener(makeRoutes(routes)) })
