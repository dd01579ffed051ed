import createFastify, { type FastifyInstance } from 'fastify'
import { type Application, serve } from '../servers/serve'
import { contentRange, makeItems, type NewUser, roles } from '../work'

// Fastify as its guide has it: JSON schemas for what comes in and for what goes out.

const idSchema = { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] }

const text = { type: 'string' }

const userProperties = {
  name: { type: 'string', minLength: 1, maxLength: 80 },
  email: { type: 'string', format: 'email' },
  age: { type: 'integer', minimum: 0, maximum: 150 },
  tags: { type: 'array', items: text, maxItems: 10 },
  address: {
    type: 'object',
    properties: { street: text, city: text, zip: { type: 'string', pattern: '^\\d{5}$' } },
    required: ['street', 'city', 'zip'],
    additionalProperties: false,
  },
  role: { type: 'string', enum: roles },
}

const userSchema = {
  type: 'object',
  properties: userProperties,
  required: Object.keys(userProperties),
  additionalProperties: false,
}

const itemSchema = {
  type: 'object',
  properties: {
    id: { type: 'integer' },
    name: text,
    price: { type: 'integer' },
    inStock: { type: 'boolean' },
    tags: { type: 'array', items: text },
    note: text,
  },
}

/** All violations are to be listed, and unknown members are some: Fastify's defaults are the first one, and to drop them. */
function create(): FastifyInstance {
  return createFastify({ ajv: { customOptions: { allErrors: true, removeAdditional: false } } })
}

async function ready(app: FastifyInstance): Promise<Application> {
  await app.ready()
  return app.server
}

function w1(): Promise<Application> {
  const app = create()
  const answer = { type: 'object', properties: { id: { type: 'integer' }, hello: text } }
  app.get('/hello/:id', { schema: { params: idSchema, response: { 200: answer } } }, async function hello(request) {
    return { id: (request.params as { id: number }).id, hello: 'world' }
  })
  return ready(app)
}

function w2(): Promise<Application> {
  const app = create()
  let lastId = 0
  const answer = { type: 'object', properties: { id: { type: 'integer' }, ...userProperties } }
  app.post('/users', { schema: { body: userSchema, response: { 201: answer } } }, async function add(request, reply) {
    reply.code(201)
    return { id: ++lastId, ...(request.body as NewUser) }
  })
  return ready(app)
}

function w3(): Promise<Application> {
  const app = create()
  const items = makeItems()
  const querystring = {
    type: 'object',
    properties: {
      offset: { type: 'integer', minimum: 0, default: 0 },
      limit: { type: 'integer', minimum: 0, maximum: 1000, default: 50 },
    },
  }
  const answer = { type: 'array', items: itemSchema }
  app.get('/items', { schema: { querystring, response: { 206: answer } } }, async function list(request, reply) {
    const { offset, limit } = request.query as { offset: number; limit: number }
    const rows = items.slice(offset, offset + limit)
    reply.code(206).header('Content-Range', contentRange(offset, rows.length, items.length))
    return rows
  })
  return ready(app)
}

function w4(routes: number): Promise<Application> {
  const app = create()
  const answer = { type: 'object', properties: { id: { type: 'integer' }, route: { type: 'integer' } } }
  for (let route = 0; route < routes; route++) {
    const schema = { params: idSchema, response: { 200: answer } }
    app.get(`/route-${route}/:id`, { schema }, async function one(request) {
      return { id: (request.params as { id: number }).id, route }
    })
  }
  return ready(app)
}

serve({ w1, w2, w3, w4 })
