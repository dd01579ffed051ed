import { marker } from './hostile'
import type { Hostile } from './hostile'

/** An answer as it is judged. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** As much of the body as was waited for. */
  readonly text: string
}

/** What an application's errors look like: learned from one that every application has. */
export interface Manners {
  readonly errorType: string
}

/** What is wrong with an answer, in words; nothing where it is one to be proud of. */
export function judge(hostile: Hostile, answer: Answered, manners: Manners): string[] {
  return checks.flatMap((check) => check(hostile, answer, manners) ?? [])
}

type Check = (hostile: Hostile, answer: Answered, manners: Manners) => string | undefined

const checks: readonly Check[] = [
  function failure(_, { status, headers }) {
    if (status < 500 || status === 501) return undefined
    if (status === 503) return headers['retry-after'] === undefined ? '503 without Retry-After' : undefined
    return 'an error of the server'
  },
  function accepted({ refused }, { status }) {
    return refused && status >= 200 && status < 400 ? 'accepted what breaks a rule of the route' : undefined
  },
  function leak(_, { text }) {
    if (stack.test(text)) return 'shows a stack or a path of the server'
    return /root:[^:\n]*:0:0:/.test(text) ? 'shows a file of the server' : undefined
  },
  function echo(_, { status, text }) {
    return status >= 400 && withoutPath(text).includes(marker) ? 'echoes the value that was sent' : undefined
  },
  function injected(_, { headers }) {
    return String(headers['set-cookie'] ?? '').includes(marker) ? 'has a header that came from the request' : undefined
  },
  function body({ method, headers }, answer, { errorType }) {
    const { status, text } = answer
    if (status < 400 || method === 'HEAD') return undefined
    if (text === '') return 'an error without a body'
    const type = essenceOf(answer.headers['content-type'])
    // Who asks for another type may get his own.
    return type === errorType || headers['accept'] !== undefined
      ? undefined
      : `an error of ${type || 'no type'}, where others are ${errorType}`
  },
  function allow(_, { status, headers }) {
    return status === 405 && headers['allow'] === undefined ? '405 without Allow (RFC 9110 §15.5.6)' : undefined
  },
  function challenge(_, { status, headers }) {
    const missing = status === 401 && headers['www-authenticate'] === undefined
    return missing ? '401 without WWW-Authenticate (RFC 9110 §15.5.2)' : undefined
  },
  function empty({ method }, { status, text }) {
    const hasNone = method === 'HEAD' || status === 204 || status === 304
    return hasNone && text !== '' ? `content in answer to ${method}, ${status}` : undefined
  },
]

/** A line of a stack, or a place where packages are. */
const stack = /(?:^|\n|\\n)\s*at .{1,200}[:(]\d+:\d+\)?|node_modules[\\/]|file:\/\/\/|node:internal\//

export function essenceOf(type: string | readonly string[] | undefined): string {
  return String(type ?? '')
    .replace(/;.*$/s, '')
    .trim()
    .toLowerCase()
}

/** The path of the request is what a problem is about: RFC 9457 §3.1.5 has it say so. */
function withoutPath(text: string): string {
  return text.replace(/"instance":"[^"]*"/, '').replace(/<instance>[^<]*<\/instance>/, '')
}
