import { HttpError, type Violation } from '../errors'
import { negotiate } from '../http/accept'
import { unescapePointer } from '../http/pointer'
import {
  escapeMarkup,
  formatProblemHtml,
  formatProblemJson,
  formatProblemText,
  formatProblemXml,
  statusPhrase,
  toProblem,
} from '../http/problem'
import type { Context, ErrorFormat } from './plan'
import { requestIdOf } from './report'

/** An error as one of the formats writes it. */
export interface RenderedError {
  readonly status: number
  readonly type: string
  readonly content: string
  /** Whether it hangs on `Accept`. */
  readonly negotiated: boolean
}

/** A shape of error answers. */
interface ErrorRendering {
  /** The status sent, where it is not the error's own. */
  status?(error: HttpError): number
  /** The content type; where it depends on the request, `Vary` says so. */
  type(ctx: Context): string
  body(error: HttpError, ctx: Context, type: string): string
  readonly negotiated?: true
}

const json = 'application/json'
const text = 'text/plain; charset=utf-8'
const html = 'text/html; charset=utf-8'

/** What a client may ask for, and what it gets. */
const problemTypes = new Map([
  ['application/problem+json', 'application/problem+json'],
  ['application/json', 'application/problem+json'],
  ['application/problem+xml', 'application/problem+xml'],
  ['application/xml', 'application/problem+xml'],
  ['text/html', html],
  ['text/plain', text],
  ['text/xml', 'application/problem+xml'],
])
const problemOffers = [...problemTypes.keys()]
const urestOffers = ['application/json', 'application/xml', 'text/xml']

const renderings: Readonly<Record<ErrorFormat, ErrorRendering>> = {
  problem: {
    negotiated: true,
    type({ req: { headers } }) {
      const { accept } = headers
      if (accept === undefined || accept === '*/*') return 'application/problem+json'
      return problemTypes.get(negotiate(accept, problemOffers) ?? '') ?? 'application/problem+json'
    },
    body(error, ctx, type) {
      const { status, detail, type: uri, code, errors } = error
      const instance = pathOf(ctx)
      const init = { status, detail, type: uri, code, instance, requestId: requestIdOf(ctx), errors }
      if (type === 'application/problem+json') return formatProblemJson(init)
      const problem = toProblem(init)
      if (type === 'application/problem+xml') return formatProblemXml(problem)
      if (type === html) return formatProblemHtml(problem)
      return formatProblemText(problem)
    },
  },
  text: {
    type: () => text,
    body: ({ status, detail }) => `${detail ?? `${status} - ${statusPhrase(status)}`}\n`,
  },
  pyrest: {
    type: () => json,
    body: ({ status }) => JSON.stringify({ error: status, status: statusPhrase(status) }),
  },
  urest: {
    negotiated: true,
    type: (ctx) => negotiate(ctx.get('Accept'), urestOffers) ?? json,
    body(error, _ctx, type) {
      const exception = `${toUrestName(error)}: ${error.detail ?? statusPhrase(error.status)}`
      if (type === json) return JSON.stringify({ success: false, exception })
      const members = `<success>false</success><exception>${escapeMarkup(exception)}</exception>`
      return `<?xml version="1.0" encoding="UTF-8"?>\n<response>${members}</response>`
    },
  },
  docstore: {
    type: () => 'text/html',
    body: ({ status }) => statusPhrase(status).toLowerCase(),
  },
  'rest-tools': {
    status: unprocessableIsBad,
    type: () => json,
    body: (error) => JSON.stringify({ code: unprocessableIsBad(error), error: toRestToolsText(error) }),
  },
  apiphant: {
    status: unprocessableIsBad,
    type: () => json,
    body: (error) => JSON.stringify({ error: toApiphantError(error) }),
  },
}

/**
 * Writes an error in one of the named formats.
 *
 * @param format its name
 * @param error what may be sent of the failure
 * @param ctx the request: its `Accept`, path and id
 */
export function renderAs(format: ErrorFormat, error: HttpError, ctx: Context): RenderedError {
  const rendering = renderings[format]
  const type = rendering.type(ctx)
  const status = rendering.status?.(error) ?? error.status
  return { status, type, content: rendering.body(error, ctx, type), negotiated: rendering.negotiated === true }
}

function unprocessableIsBad({ status }: HttpError): number {
  return status === 422 ? 400 : status
}

// Errors that a status rule or Koa gave their status have no class of ours: they get the name of ours for that status.
const urestNames: Readonly<Record<number, string>> = {
  404: 'NoSuchResource',
  409: 'ResourceExists',
  422: 'ValidationError',
}

function toUrestName({ name, status }: HttpError): string {
  if (status >= 500) return 'Error'
  return name === HttpError.name ? (urestNames[status] ?? statusPhrase(status).replace(/[^A-Za-z]/g, '')) : name
}

function toRestToolsText(error: HttpError): string {
  const violations = error.errors ?? []
  if (violations.length === 0) return error.detail ?? statusPhrase(unprocessableIsBad(error))
  const namesOf = (code: string) => violations.filter((violation) => violation.code === code).map(nameOf)
  const missing = namesOf('required')
  const unknown = namesOf('unknown')
  const lines: string[] = []
  if (missing.length > 0) lines.push(`the following arguments are required: ${missing.join(', ')}`)
  if (unknown.length > 0) lines.push(`unrecognized arguments: ${unknown.join(', ')}`)
  for (const violation of violations) {
    const { code } = violation
    if (code !== 'required' && code !== 'unknown') lines.push(`argument ${nameOf(violation)}: ${toFault(violation)}`)
  }
  return lines.join('; ')
}

/** What is wrong, in rest-tools' words where it has some, and without the name that stands before it already. */
function toFault({ pointer, code, detail }: Violation): string {
  const subject = /^\S+(?= )/.exec(detail)?.[0]
  const said = subject && pointer.split('/').includes(subject) ? detail.slice(subject.length + 1) : detail
  // A converter that threw nothing of its own is to rest-tools a type that does not fit.
  if (code === 'type' || (code === 'convert' && said === 'is not valid')) return 'invalid type'
  return code === 'choices' ? `invalid choice (${said})` : said
}

function toApiphantError(error: HttpError): unknown {
  const violation = error.errors?.[0]
  const status = unprocessableIsBad(error)
  // What is wrong with a body as a whole has no field to name.
  if (!violation || violation.pointer === '') return error.detail ?? `${status} ${statusPhrase(status)}`
  const state = violation.code === 'required' ? 'missing' : 'invalid'
  return { field: nameOf(violation), state, ...(violation.detail && { explain: violation.detail }) }
}

/** `/address/zip` is `address.zip` (RFC 6901 §4 for the escapes); the whole of a body is named by its source. */
function nameOf({ pointer, in: source }: Violation): string {
  const tokens = pointer.split('/').slice(1)
  const name = tokens.map(unescapePointer).join('.')
  return name === '' ? source : name
}

/** The path of the request, of an absolute target too (RFC 9112 §3.2.2); never its query. */
function pathOf({ originalUrl }: Context): string {
  if (/^\/[^?#]*$/.test(originalUrl)) return originalUrl
  const target = originalUrl.replace(/[?#].*$/s, '')
  return target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '') || '/'
}
