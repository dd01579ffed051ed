import { node } from '@elysiajs/node'
import { Elysia, t } from 'elysia'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Application, serve } from '../servers/serve'
import { contentRange, makeItems, roles } from '../work'

// Elysia on its node adapter, its own schemas for what comes in.

const idParam = { params: t.Object({ id: t.Integer() }) }

const userSchema = t.Object(
  {
    name: t.String({ minLength: 1, maxLength: 80 }),
    email: t.String({ format: 'email' }),
    age: t.Integer({ minimum: 0, maximum: 150 }),
    tags: t.Array(t.String(), { maxItems: 10 }),
    address: t.Object(
      { street: t.String(), city: t.String(), zip: t.String({ pattern: '^\\d{5}$' }) },
      { additionalProperties: false },
    ),
    role: t.Union(roles.map((role) => t.Literal(role))),
  },
  { additionalProperties: false },
)

/** Unknown members are refused rather than dropped, and every violation is told, as Elysia does not in production. */
function create() {
  return new Elysia({ adapter: node(), normalize: false }).onError(function tellAll({ code, error, status }) {
    if (code !== 'VALIDATION') return undefined
    const errors = error.all.map((each) => ({ path: 'path' in each ? each.path : '', message: each.summary }))
    return status(422, { type: 'validation', errors })
  })
}

/** Elysia's own way to listen; the node server below it is handed to the callback alone. */
async function listen(app: Listens): Promise<Application> {
  const { node: inner } = await new Promise<{ node: { server: Server } }>((resolve) => {
    app.listen({ port: 0, hostname: '127.0.0.1' }, (server) => resolve(server as { node: { server: Server } }))
  })
  if (!inner.server.listening) await new Promise((resolve) => inner.server.once('listening', resolve))
  inner.server.keepAliveTimeout = 60_000
  return { port: (inner.server.address() as AddressInfo).port }
}

interface Listens {
  listen(options: { port: number; hostname: string }, callback: (server: unknown) => void): unknown
}

function w1(): Promise<Application> {
  return listen(create().get('/hello/:id', ({ params: { id } }) => ({ id, hello: 'world' }), idParam))
}

function w2(): Promise<Application> {
  let lastId = 0
  const app = create().post('/users', ({ body, status }) => status(201, { id: ++lastId, ...body }), {
    body: userSchema,
  })
  return listen(app)
}

function w3(): Promise<Application> {
  const items = makeItems()
  const query = t.Object({
    offset: t.Integer({ minimum: 0, default: 0 }),
    limit: t.Integer({ minimum: 0, maximum: 1000, default: 50 }),
  })
  const app = create().get(
    '/items',
    function list({ query: { offset, limit }, set }) {
      const rows = items.slice(offset, offset + limit)
      set.status = 206
      set.headers['content-range'] = contentRange(offset, rows.length, items.length)
      return rows
    },
    { query },
  )
  return listen(app)
}

function w4(routes: number): Promise<Application> {
  const app = create()
  for (let route = 0; route < routes; route++) {
    app.get(`/route-${route}/:id`, ({ params: { id } }) => ({ id, route }), idParam)
  }
  return listen(app)
}

serve({ w1, w2, w3, w4 })
