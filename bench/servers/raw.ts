import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { checkUser, contentRange, makeItems, type NewUser, parseId, parsePage, problem, storeUser } from '../work'
import { serve } from './serve'

// node:http alone, as one would write it by hand for these requests and no others: the limit that ratios refer to.

const json = 'application/json; charset=utf-8'

function send(res: ServerResponse, status: number, body: object, type = json): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) })
  res.end(text)
}

function refuse(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  errors?: ReturnType<typeof checkUser>,
): void {
  send(res, status, problem(status, 'Refused', req.url ?? '', errors), 'application/problem+json')
}

function w1(): RequestListener {
  return function hello(req, res) {
    const url = req.url ?? ''
    if (req.method !== 'GET' || !url.startsWith('/hello/')) return refuse(req, res, 404)
    const id = parseId(url.slice(7))
    if (id === undefined) return refuse(req, res, 400)
    send(res, 200, { id, hello: 'world' })
  }
}

function w2(): RequestListener {
  let lastId = 0
  function create(req: IncomingMessage, res: ServerResponse, bytes: Buffer): void {
    let value: unknown
    try {
      value = JSON.parse(bytes.toString())
    } catch {
      return refuse(req, res, 400)
    }
    const errors = checkUser(value)
    if (errors.length > 0) return refuse(req, res, 422, errors)
    send(res, 201, storeUser(++lastId, value as NewUser))
  }
  return function users(req, res) {
    if (req.method !== 'POST' || req.url !== '/users') return refuse(req, res, 404)
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => create(req, res, chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
  }
}

function w3(): RequestListener {
  const items = makeItems()
  return function list(req, res) {
    const url = req.url ?? ''
    const mark = url.indexOf('?')
    if (req.method !== 'GET' || url.slice(0, mark < 0 ? undefined : mark) !== '/items') return refuse(req, res, 404)
    const page = parsePage(mark < 0 ? '' : url.slice(mark + 1))
    if (!page) return refuse(req, res, 400)
    const rows = items.slice(page.offset, page.offset + page.limit)
    const text = JSON.stringify(rows)
    res.writeHead(206, {
      'Content-Type': json,
      'Content-Length': Buffer.byteLength(text),
      'Content-Range': contentRange(page.offset, rows.length, items.length),
    })
    res.end(text)
  }
}

function w4(routes: number): RequestListener {
  const handlers = new Map<string, (req: IncomingMessage, res: ServerResponse, id: string) => void>()
  for (let route = 0; route < routes; route++) {
    handlers.set(`route-${route}`, function one(req, res, text) {
      const id = parseId(text)
      if (id === undefined) return refuse(req, res, 400)
      send(res, 200, { id, route })
    })
  }
  return function dispatch(req, res) {
    const url = req.url ?? ''
    const slash = url.indexOf('/', 1)
    const handler = req.method === 'GET' && slash > 0 ? handlers.get(url.slice(1, slash)) : undefined
    if (!handler) return refuse(req, res, 404)
    handler(req, res, url.slice(slash + 1))
  }
}

serve({ w1, w2, w3, w4 })
