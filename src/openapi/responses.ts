import type { AnswerDoc, Codec, RoutePlan } from '../route/plan'
import { statusPhrase } from '../http/problem'
import { events } from '../route/negotiation'
import type { ClassSchemas } from './class-schemas'
import { contentOf } from './media-types'
import { headerRefs } from './problems'
import { givesBytes } from './refusals'
import { mergeSchemas } from './schemas'
import { typeSchema } from './type-schemas'
import type { Content, HeaderObject, Reference, ResponseObject, Schema } from './types'

/** What the answers hang on beside the plan. */
export interface AnswerSettings {
  readonly classes: ClassSchemas
  readonly codecs: readonly Codec[]
  readonly envelope: 'none' | 'urest'
}

type Headers = Record<string, HeaderObject | Reference>

const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/**
 * The answers of a route that succeed, with their media types and headers.
 *
 * @param plan the route
 * @param conditional whether it hears conditions
 */
export function answersOf(
  plan: RoutePlan,
  conditional: boolean,
  settings: AnswerSettings,
): ReadonlyMap<number, ResponseObject> {
  const responses = new Map<number, ResponseObject>()
  const { redirect } = plan.reply
  if (redirect) {
    const headers = { ...fixedHeaders(plan), ...headerRefs(['Location']) }
    return responses.set(redirect.status, { description: statusPhrase(redirect.status), headers })
  }
  for (const answer of successes(plan)) {
    const known = responses.get(answer.status)
    const made = responseOf(answer, plan, conditional, settings)
    responses.set(answer.status, known ? joined(known, made) : made)
  }
  if (conditional && plan.method === 'GET') {
    const names = givesBytes(plan) ? ['Content-Security-Policy', 'X-Content-Type-Options'] : []
    const headers = headerRefs(['ETag', 'Last-Modified', 'Vary', ...names].sort())
    responses.set(304, { description: 'Not Modified: the client has the current revision', headers })
  }
  return responses
}

/** Two answers of one status, of different media types say. */
function joined(first: ResponseObject, second: ResponseObject): ResponseObject {
  const content = { ...first.content }
  for (const [type, { schema = {} }] of Object.entries(second.content ?? {})) {
    const known = content[type]?.schema
    content[type] = known ? { schema: { anyOf: [known, schema] } } : { schema }
  }
  return {
    description: `${first.description}; ${second.description}`,
    headers: { ...first.headers, ...second.headers },
    ...(Object.keys(content).length > 0 && { content }),
  }
}

/** What is declared to succeed; where nothing is, what a handler of this method may well return. */
function successes(plan: RoutePlan): readonly AnswerDoc[] {
  const declared = plan.doc.answers.filter(({ status }) => status < 400)
  const { status, explicitStatus } = plan.reply
  const own = declared.length > 0 ? declared : undeclared(plan)
  if (!plan.paging || plan.method !== 'GET') return own
  // A page is all of it or a part of it, whatever was declared.
  const isPage = (answer: AnswerDoc): boolean => (answer.status === 200 || answer.status === 206) && !answer.produces
  const page = own.find(isPage) ?? { status: 200 }
  const others = own.filter((answer) => !isPage(answer))
  return [
    { ...page, status: explicitStatus ? status : 200 },
    { ...page, status: 206, description: 'A part of it' },
    ...others,
  ]
}

function undeclared(plan: RoutePlan): readonly AnswerDoc[] {
  const { method, reply } = plan
  if (reply.explicitStatus || method === 'GET' || method === 'HEAD') {
    const parts: AnswerDoc[] = givesBytes(plan) ? [{ status: 206, description: 'A part of it' }] : []
    return [{ status: reply.status }, ...parts]
  }
  const created: AnswerDoc[] = method === 'POST' || method === 'PUT' ? [{ status: 201 }] : []
  return [{ status: 200 }, ...created, { status: 204 }]
}

function responseOf(
  answer: AnswerDoc,
  plan: RoutePlan,
  conditional: boolean,
  settings: AnswerSettings,
): ResponseObject {
  const { status, description = statusPhrase(status), produces } = answer
  const isEmpty = bodiless.has(status) || (status >= 300 && status < 400) || produces?.length === 0
  const content = isEmpty ? undefined : contentOfAnswer(answer, plan, settings)
  const headers = headersOf(answer, plan, conditional, content)
  return {
    description,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(content && { content }),
  }
}

function contentOfAnswer(answer: AnswerDoc, plan: RoutePlan, settings: AnswerSettings): Content {
  const { codecs } = settings
  const produces = answer.produces ?? plan.reply.produces
  const schema = valueSchema(answer, plan, settings)
  const list = schema.type === 'array' && settings.envelope === 'none'
  return contentOf(schema, produces, codecs, list, answer.example)
}

/** The value that is sent: rows of a page, a member for the key, an envelope around it. */
function valueSchema(
  { type, schema: given, etag: _etag }: AnswerDoc,
  plan: RoutePlan,
  settings: AnswerSettings,
): Schema {
  const { classes, envelope } = settings
  const { key } = plan.doc
  const extra = key && { name: key.name, schema: { type: 'string' } as Schema, required: true }
  const own = given ? { ...given } : typeSchema(type, 'output', classes, extra)
  const paged = plan.paging !== undefined && plan.method === 'GET' && !type?.list
  const value: Schema = paged ? { type: 'array', items: own } : own
  if (envelope === 'none' || value.type === 'string') return value
  return mergeSchemas([
    { type: 'object', properties: { success: { type: 'boolean', const: true }, result: value }, required: ['success'] },
  ])
}

function headersOf(answer: AnswerDoc, plan: RoutePlan, conditional: boolean, content: Content | undefined): Headers {
  const names = new Set<string>()
  const { status } = answer
  if (content) names.add('Vary')
  if (content && events in content) names.add('Cache-Control')
  if (status === 201) names.add('Location')
  if (status === 202) names.add('Location').add('Retry-After')
  if (status >= 300 && status < 400) names.add('Location')
  const writes = plan.method !== 'GET' && status < 300 && status !== 202
  if (answer.etag || (conditional && (plan.method === 'GET' || writes))) names.add('ETag').add('Last-Modified')
  if (plan.paging && plan.method === 'GET') {
    for (const name of ['Accept-Ranges', 'Content-Range', 'Link', 'Preference-Applied', 'Vary']) names.add(name)
  } else if (givesBytes(plan)) {
    for (const name of ['Accept-Ranges', 'Content-Security-Policy', 'X-Content-Type-Options']) names.add(name)
    if (status === 206) names.add('Content-Range')
  }
  const own = Object.entries(answer.headers ?? {}).map(([name, description]): [string, HeaderObject] => {
    return [name, { description, schema: { type: 'string' } }]
  })
  return { ...headerRefs([...names].sort()), ...fixedHeaders(plan), ...Object.fromEntries(own) }
}

/** Headers that every answer of the route has. */
function fixedHeaders({ reply }: RoutePlan): Headers {
  return Object.fromEntries(
    reply.headers.map(([name, value]) => [name, { schema: { type: 'string' }, example: value }]),
  )
}
