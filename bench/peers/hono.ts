import { createAdaptorServer } from '@hono/node-server'
import { zValidator } from '@hono/zod-validator'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { type Application, serve } from '../servers/serve'
import { contentRange, makeItems, roles } from '../work'

// Hono on its node server, zod for what comes in.

const idParam = zValidator('param', z.object({ id: z.coerce.number().int() }))

const userSchema = z.strictObject({
  name: z.string().min(1).max(80),
  email: z.email(),
  age: z.number().int().min(0).max(150),
  tags: z.array(z.string()).max(10),
  address: z.strictObject({ street: z.string(), city: z.string(), zip: z.string().regex(/^\d{5}$/) }),
  role: z.enum(roles as [string, ...string[]]),
})

const pageSchema = z.object({
  offset: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(0).max(1000).default(50),
})

function application(app: Hono): Application {
  return createAdaptorServer({ fetch: app.fetch }) as Application
}

function w1(): Application {
  const app = new Hono()
  app.get('/hello/:id', idParam, (c) => c.json({ id: c.req.valid('param').id, hello: 'world' }))
  return application(app)
}

function w2(): Application {
  const app = new Hono()
  let lastId = 0
  app.post('/users', zValidator('json', userSchema), (c) => c.json({ id: ++lastId, ...c.req.valid('json') }, 201))
  return application(app)
}

function w3(): Application {
  const app = new Hono()
  const items = makeItems()
  app.get('/items', zValidator('query', pageSchema), function list(c) {
    const { offset, limit } = c.req.valid('query')
    const rows = items.slice(offset, offset + limit)
    return (c as Context).json(rows, 206, { 'Content-Range': contentRange(offset, rows.length, items.length) })
  })
  return application(app)
}

function w4(routes: number): Application {
  const app = new Hono()
  for (let route = 0; route < routes; route++) {
    app.get(`/route-${route}/:id`, idParam, (c) => c.json({ id: c.req.valid('param').id, route }))
  }
  return application(app)
}

serve({ w1, w2, w3, w4 })
