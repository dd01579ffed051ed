import { joinSegments, type Target } from './target'

/** A text that no application knows of: an answer that has it has it from the request. */
export const marker = 'kumu5f1cHostile'

/** A member that no prototype has, unless somebody let it in. */
export const pollution = 'kumu5f1cPolluted'

/** One request that means no good. */
export interface Hostile {
  /** What it tries. */
  readonly input: string
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: Buffer
  /** Whether an answer of success is a finding: the input breaks a rule that the route declares. */
  readonly refused: boolean
  /** Whether the credentials of the options are left out. */
  readonly anonymous?: boolean
}

/** What differs from a request that the route takes. */
export interface Attack {
  readonly method?: string
  /** The path in place of the own one, as it is. */
  readonly path?: string
  /** Added to the query that the route needs. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly refused?: boolean
  readonly anonymous?: boolean
}

/** A request to a route with one thing wrong. */
export function attack(target: Target, input: string, change: Attack = {}): Hostile {
  const { plan, segments, query, headers, body } = target
  const search = [...query, ...(change.query === undefined ? [] : [change.query])].join('&')
  const path = change.path ?? joinSegments(segments.map(({ text }) => text))
  const content = change.body ?? (body && JSON.stringify(body.valid))
  const payload = typeof content === 'string' ? Buffer.from(content) : content
  return {
    input,
    method: change.method ?? plan.method,
    target: search === '' ? path : `${path}?${search}`,
    headers: {
      ...headers,
      ...(payload && { 'content-type': body?.type ?? 'application/json', 'content-length': String(payload.length) }),
      ...change.headers,
    },
    payload,
    refused: change.refused ?? false,
    anonymous: change.anonymous,
  }
}
