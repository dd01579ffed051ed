import type { IncomingMessage, RequestListener } from 'node:http'
import Koa, { type Context } from 'koa'
import { checkUser, contentRange, makeItems, type NewUser, parseId, parsePage, problem, storeUser } from '../work'
import { serve } from './serve'

// Koa with one middleware that does everything and answers by `ctx.body`.

function refuse(ctx: Context, status: number, errors?: ReturnType<typeof checkUser>): void {
  ctx.status = status
  ctx.body = problem(status, 'Refused', ctx.path, errors)
  ctx.type = 'application/problem+json'
}

function listener(middleware: Koa.Middleware): RequestListener {
  const handle = new Koa().use(middleware).callback()
  return (req, res) => void handle(req, res)
}

function w1(): RequestListener {
  return listener(function hello(ctx) {
    if (ctx.method !== 'GET' || !ctx.path.startsWith('/hello/')) return refuse(ctx, 404)
    const id = parseId(ctx.path.slice(7))
    if (id === undefined) return refuse(ctx, 400)
    ctx.body = { id, hello: 'world' }
  })
}

function readBody(req: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => resolve(Buffer.concat(chunks).toString()))
    req.on('error', reject)
  })
}

function w2(): RequestListener {
  let lastId = 0
  return listener(async function users(ctx) {
    if (ctx.method !== 'POST' || ctx.path !== '/users') return refuse(ctx, 404)
    const text = await readBody(ctx.req)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return refuse(ctx, 400)
    }
    const errors = checkUser(value)
    if (errors.length > 0) return refuse(ctx, 422, errors)
    ctx.status = 201
    ctx.body = storeUser(++lastId, value as NewUser)
  })
}

function w3(): RequestListener {
  const items = makeItems()
  return listener(function list(ctx) {
    if (ctx.method !== 'GET' || ctx.path !== '/items') return refuse(ctx, 404)
    const page = parsePage(ctx.querystring)
    if (!page) return refuse(ctx, 400)
    const rows = items.slice(page.offset, page.offset + page.limit)
    ctx.status = 206
    ctx.set('Content-Range', contentRange(page.offset, rows.length, items.length))
    ctx.body = rows
  })
}

function w4(routes: number): RequestListener {
  const handlers = new Map<string, (ctx: Context, id: string) => void>()
  for (let route = 0; route < routes; route++) {
    handlers.set(`route-${route}`, function one(ctx, text) {
      const id = parseId(text)
      if (id === undefined) return refuse(ctx, 400)
      ctx.body = { id, route }
    })
  }
  return listener(function dispatch(ctx) {
    const slash = ctx.path.indexOf('/', 1)
    const handler = ctx.method === 'GET' && slash > 0 ? handlers.get(ctx.path.slice(1, slash)) : undefined
    if (!handler) return refuse(ctx, 404)
    handler(ctx, ctx.path.slice(slash + 1))
  })
}

serve({ w1, w2, w3, w4 })
