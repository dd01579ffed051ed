import { statusPhrase } from '../http/problem'
import type { Content, DocumentSettings, HeaderObject, Reference, ResponseObject, Schema } from './types'

/** The shape of an application's errors. */
export type ErrorShape = NonNullable<DocumentSettings['errorFormat']>

const text: Schema = { type: 'string' }

/** What is wrong with one value (`errors` of a problem). */
export const violationSchema: Schema = {
  type: 'object',
  properties: {
    in: { type: 'string', enum: ['body', 'query', 'path', 'header', 'cookie'] },
    pointer: { type: 'string', description: 'A JSON Pointer into that part of the request (RFC 6901).' },
    code: { type: 'string', description: 'The name of the rule.' },
    detail: { type: 'string', description: 'A sentence for people.' },
  },
  required: ['in', 'pointer', 'code', 'detail'],
}

/** A problem document (RFC 9457 §3). */
export const problemSchema: Schema = {
  type: 'object',
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string', description: 'The phrase of the status.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'A sentence for people.' },
    code: { type: 'string', description: 'A stable word for machines.' },
    instance: { type: 'string', description: 'The path of the request.' },
    requestId: { type: 'string', description: 'Under which the failure was logged.' },
    errors: { type: 'array', items: { $ref: '#/components/schemas/Violation' } },
  },
  required: ['type', 'title', 'status'],
}

const shapes: Readonly<Record<ErrorShape, () => Content>> = {
  problem: () => {
    const schema: Schema = { $ref: '#/components/schemas/Problem' }
    return {
      'application/problem+json': { schema },
      'application/problem+xml': { schema },
      'text/html': { schema: text },
      'text/plain': { schema: text },
    }
  },
  text: () => ({ 'text/plain': { schema: text } }),
  pyrest: () => json({ error: { type: 'integer' }, status: text }),
  urest: () => {
    const schema = objectOf({ success: { type: 'boolean', const: false }, exception: text })
    return { 'application/json': { schema }, 'application/xml': { schema }, 'text/xml': { schema } }
  },
  docstore: () => ({ 'text/html': { schema: text } }),
  'rest-tools': () => json({ code: { type: 'integer' }, error: text }),
  apiphant: () => json({ error: {} }),
  own: () => ({ 'application/json': { schema: {} } }),
}

function json(properties: Record<string, Schema>): Content {
  return { 'application/json': { schema: objectOf(properties) } }
}

function objectOf(properties: Record<string, Schema>): Schema {
  return { type: 'object', properties, required: Object.keys(properties) }
}

/** Headers that errors of a status carry, by their names among the components. */
const headersOf: Readonly<Record<number, readonly string[]>> = {
  401: ['WWW-Authenticate'],
  405: ['Allow'],
  412: ['ETag'],
  415: ['Accept', 'Accept-Encoding', 'Accept-Patch', 'Accept-Post'],
  416: ['Accept-Ranges', 'Content-Range'],
  409: ['Retry-After'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

/** All headers that Kumu itself sets, each once. */
export const headerComponents: Readonly<Record<string, HeaderObject>> = {
  'Accept-Encoding': header('Content codings that would have been taken.'),
  Accept: header('Media types that would have been taken.'),
  'Accept-Patch': header('Media types of patches that are taken (RFC 5789 §3.1).'),
  'Accept-Post': header('Media types of bodies that are taken.'),
  'Accept-Ranges': header('The unit in which parts can be asked for (RFC 9110 §14.3).'),
  Allow: header('Methods that the resource takes (RFC 9110 §10.2.1).'),
  'Cache-Control': header('How long the answer may be kept (RFC 9111 §5.2).'),
  'Content-Range': header('Which part of the whole it is (RFC 9110 §14.4).'),
  'Content-Security-Policy': header('What a page of it may do.'),
  ETag: header('The entity tag of the current revision (RFC 9110 §8.8.3).'),
  'Last-Modified': header('When it was changed (RFC 9110 §8.8.2).'),
  Link: header('`first`, `prev`, `next` and `last` page (RFC 8288).'),
  Location: header('A URI reference to the resource (RFC 9110 §10.2.2).'),
  'Preference-Applied': header('The preferences that were honoured (RFC 7240 §3).'),
  'Retry-After': header('Seconds to wait (RFC 9110 §10.2.3).'),
  Vary: header('Request headers that the answer depends on (RFC 9110 §12.5.5).'),
  'WWW-Authenticate': header('How to authenticate, a challenge for each scheme (RFC 9110 §11.6.1).'),
  'X-Content-Type-Options': header('`nosniff`.'),
  'X-Request-Id': header('Under which a failure was logged.'),
}

function header(description: string): HeaderObject {
  return { description, schema: { type: 'string' } }
}

/** References to headers among the components. */
export function headerRefs(names: Iterable<string>): Record<string, Reference> {
  return Object.fromEntries([...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}

/** The answer to an error of a status. */
export function problemResponse(status: number, shape: ErrorShape, description = statusPhrase(status)): ResponseObject {
  const names = ['X-Request-Id', 'Vary', ...(headersOf[status] ?? [])]
  if (status >= 500 || status === 401) names.push('Cache-Control')
  return { description, headers: headerRefs(names.sort()), content: shapes[shape]() }
}

/** `NotFound`, `ContentTooLarge`: the name of a status among the components. */
export function problemName(status: number): string {
  return statusPhrase(status).replace(/[^A-Za-z]/g, '')
}

/** The status under which an older format sends an error. */
export function sentStatus(status: number, shape: ErrorShape): number {
  return status === 422 && (shape === 'rest-tools' || shape === 'apiphant') ? 400 : status
}
