import type { IncomingMessage, RequestListener } from 'node:http'
import Koa, { type Context } from 'koa'
import { checkUser, contentRange, makeItems, type NewUser, parseId, parsePage, problem, storeUser } from '../work'
import { serve } from './serve'

// Koa with one middleware that answers past it: what Koa's context costs, without `ctx.body` and `respond`.

const json = 'application/json; charset=utf-8'

function send({ res }: Context, status: number, body: object, type = json): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}

function refuse(ctx: Context, status: number, errors?: ReturnType<typeof checkUser>): void {
  send(ctx, status, problem(status, 'Refused', ctx.req.url ?? '', errors), 'application/problem+json')
}

function listener(middleware: (ctx: Context) => void | Promise<void>): RequestListener {
  const app = new Koa().use(function straight(ctx) {
    ctx.respond = false
    return middleware(ctx)
  })
  const handle = app.callback()
  return (req, res) => void handle(req, res)
}

function w1(): RequestListener {
  return listener(function hello(ctx) {
    const url = ctx.req.url ?? ''
    if (ctx.req.method !== 'GET' || !url.startsWith('/hello/')) return refuse(ctx, 404)
    const id = parseId(url.slice(7))
    if (id === undefined) return refuse(ctx, 400)
    send(ctx, 200, { id, hello: 'world' })
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
    if (ctx.req.method !== 'POST' || ctx.req.url !== '/users') return refuse(ctx, 404)
    const text = await readBody(ctx.req)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return refuse(ctx, 400)
    }
    const errors = checkUser(value)
    if (errors.length > 0) return refuse(ctx, 422, errors)
    send(ctx, 201, storeUser(++lastId, value as NewUser))
  })
}

function w3(): RequestListener {
  const items = makeItems()
  return listener(function list(ctx) {
    const [path, query = ''] = (ctx.req.url ?? '').split('?', 2)
    if (ctx.req.method !== 'GET' || path !== '/items') return refuse(ctx, 404)
    const page = parsePage(query)
    if (!page) return refuse(ctx, 400)
    const rows = items.slice(page.offset, page.offset + page.limit)
    ctx.res.setHeader('Content-Range', contentRange(page.offset, rows.length, items.length))
    send(ctx, 206, rows)
  })
}

function w4(routes: number): RequestListener {
  const handlers = new Map<string, (ctx: Context, id: string) => void>()
  for (let route = 0; route < routes; route++) {
    handlers.set(`route-${route}`, function one(ctx, text) {
      const id = parseId(text)
      if (id === undefined) return refuse(ctx, 400)
      send(ctx, 200, { id, route })
    })
  }
  return listener(function dispatch(ctx) {
    const url = ctx.req.url ?? ''
    const slash = url.indexOf('/', 1)
    const handler = ctx.req.method === 'GET' && slash > 0 ? handlers.get(url.slice(1, slash)) : undefined
    if (!handler) return refuse(ctx, 404)
    handler(ctx, url.slice(slash + 1))
  })
}

serve({ w1, w2, w3, w4 })
