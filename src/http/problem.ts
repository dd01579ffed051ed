import { STATUS_CODES } from 'node:http'
import type { Violation } from '../errors'

/** What is known of a failure; the rest follows from the status. */
export interface ProblemInit {
  readonly status: number
  readonly title?: string
  readonly detail?: string
  readonly type?: string
  readonly code?: string
  readonly instance?: string
  readonly requestId?: string
  readonly errors?: readonly Violation[]
}

/** The members of a problem document (RFC 9457 §3), in the order they are sent. */
export interface Problem extends ProblemInit {
  readonly type: string
  readonly title: string
}

// RFC 9110 renamed these two; Node keeps the older phrases.
const renamed: Readonly<Record<number, string>> = { 413: 'Content Too Large', 422: 'Unprocessable Content' }

/**
 * The phrase of a status as the registry has it today; of an unknown one that of its class.
 *
 * @param status 100 to 599
 * @see RFC 9110 §15
 */
export function statusPhrase(status: number): string {
  return renamed[status] ?? STATUS_CODES[status] ?? (status < 500 ? 'Client Error' : 'Server Error')
}

/**
 * A problem document, without the members that are absent.
 *
 * @param init `type` defaults to `about:blank`, `title` to the status phrase; of a violation only its four members are taken
 * @see RFC 9457 §3.1, §4.2.1
 *
 * @example
 * toProblem({ status: 404 }) // { type: 'about:blank', title: 'Not Found', status: 404 }
 */
export function toProblem(init: ProblemInit): Problem {
  const { status, detail, code, instance, requestId } = init
  const errors = init.errors?.map(({ in: source, pointer, code: rule, detail: text }) => {
    return { in: source, pointer, code: rule, detail: text }
  })
  return {
    type: init.type ?? 'about:blank',
    title: init.title ?? statusPhrase(status),
    status,
    ...(detail !== undefined && { detail }),
    ...(code !== undefined && { code }),
    ...(instance !== undefined && { instance }),
    ...(requestId !== undefined && { requestId }),
    ...(errors && errors.length > 0 && { errors }),
  }
}

/**
 * A problem as `application/problem+json`: the text of what {@link toProblem} makes, without making it.
 *
 * @param init as of {@link toProblem}
 * @see RFC 9457 §3
 *
 * @example
 * formatProblemJson({ status: 404 }) // '{"type":"about:blank","title":"Not Found","status":404}'
 */
export function formatProblemJson(init: ProblemInit): string {
  const { type = 'about:blank', status, title = statusPhrase(status), detail, code, instance, requestId, errors } = init
  let text = `{"type":${quote(type)},"title":${quote(title)},"status":${status}`
  if (detail !== undefined) text += `,"detail":${quote(detail)}`
  if (code !== undefined) text += `,"code":${quote(code)}`
  if (instance !== undefined) text += `,"instance":${quote(instance)}`
  if (requestId !== undefined) text += `,"requestId":${quote(requestId)}`
  if (errors && errors.length > 0) {
    let list = ''
    for (const violation of errors) list += list === '' ? formatViolation(violation) : `,${formatViolation(violation)}`
    text += `,"errors":[${list}]`
  }
  return `${text}}`
}

const known = new WeakMap<Violation, string>()

/** A violation that cannot change is one that is told again. */
function formatViolation(violation: Violation): string {
  const found = known.get(violation)
  if (found !== undefined) return found
  const { in: source, pointer, code, detail } = violation
  const text = `{"in":${quote(source)},"pointer":${quote(pointer)},"code":${quote(code)},"detail":${quote(detail)}}`
  if (Object.isFrozen(violation)) {
    // Asking for a character makes one piece of what was put together: it will be copied many times.
    text.charCodeAt(0)
    known.set(violation, text)
  }
  return text
}

// Quotes, backslashes, control characters and lone surrogates (RFC 8259 §7).
const escaped = /[^ !#-[\]-\ud7ff\ue000-\uffff]/

function quote(text: unknown): string {
  return typeof text === 'string' && !escaped.test(text) ? `"${text}"` : (JSON.stringify(text) ?? 'null')
}

/**
 * A problem as `application/problem+xml`.
 *
 * @param problem what {@link toProblem} made
 * @see RFC 9457 appendix B
 */
export function formatProblemXml(problem: Problem): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<problem xmlns="urn:ietf:rfc:7807">${toXml(problem)}</problem>`
}

function toXml(value: unknown): string {
  if (Array.isArray(value)) return value.map((item) => `<i>${toXml(item)}</i>`).join('')
  if (typeof value !== 'object' || value === null) return escapeMarkup(String(value))
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]) => `<${name}>${toXml(member)}</${name}>`)
    .join('')
}

/**
 * A problem as a small page for people.
 *
 * @param problem what {@link toProblem} made; all of it is escaped
 */
export function formatProblemHtml(problem: Problem): string {
  const heading = escapeMarkup(`${problem.status} ${problem.title}`)
  const violations = problem.errors?.map((violation) => `<li>${escapeMarkup(toLine(violation))}</li>`).join('')
  return [
    '<!DOCTYPE html>',
    `<html lang="en"><head><meta charset="utf-8"><title>${heading}</title></head>`,
    `<body><h1>${heading}</h1>`,
    ...(problem.detail === undefined ? [] : [`<p>${escapeMarkup(problem.detail)}</p>`]),
    ...(violations ? [`<ul>${violations}</ul>`] : []),
    ...(problem.requestId === undefined ? [] : [`<p>Request <code>${escapeMarkup(problem.requestId)}</code></p>`]),
    '</body></html>\n',
  ].join('\n')
}

/**
 * A problem as lines of text.
 *
 * @param problem what {@link toProblem} made; control characters are replaced, so that a terminal shows it safely
 */
export function formatProblemText(problem: Problem): string {
  const lines = [`${problem.status} ${problem.title}`]
  if (problem.detail !== undefined) lines.push(problem.detail)
  for (const violation of problem.errors ?? []) lines.push(`- ${toLine(violation)}`)
  if (problem.requestId !== undefined) lines.push(`Request ${problem.requestId}`)
  return `${lines.map(withoutControls).join('\n')}\n`
}

function toLine({ in: source, pointer, detail }: Violation): string {
  return `${source} ${pointer}: ${detail}`
}

/**
 * Text as it may stand in XML and HTML, between tags or in an attribute.
 *
 * @param text anything; what XML cannot hold, not even as a reference, becomes U+FFFD (XML 1.0 §2.2)
 */
export function escapeMarkup(text: string): string {
  return withoutControls(text).replace(/[&<>"'\r]/g, (char) => `&#${char.charCodeAt(0)};`)
}

// With the u flag a surrogate matches only where its other half is missing.
// eslint-disable-next-line no-control-regex -- control characters are what it is about
const controls = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]/gu

function withoutControls(text: string): string {
  return text.replace(controls, '\ufffd')
}
