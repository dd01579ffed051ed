import { inspect, isDeepStrictEqual } from 'node:util'
import type { AnyCalls, AnyInput, RequestOptions } from '../client/calls'
import type { FullAnswer } from '../client/paths'
import { formatDiff } from './diff'
import { fit, toShown } from './fit'

/** What an answer turned out to be. */
export type ExpectedAnswer = FullAnswer<number, boolean, unknown>

/** Makes a request and holds its answer to what is expected. */
export interface Expect {
  /**
   * A request with a body; of GET and HEAD it is the query.
   *
   * @param status what is expected
   * @param expected the body: members that an object must have at least, lists as a whole, a RegExp for text, matchers of
   * jest and vitest, `exactly(value)`; none: any body will do
   * @throws ExpectationError with the difference
   *
   * @example
   * await api.expect('POST', '/employees', { name: 'Ada' }, 201, { id: expect.any(Number), name: 'Ada' })
   */
  (
    method: string,
    path: string,
    body: unknown,
    status: number,
    expected?: unknown,
    options?: RequestOptions,
  ): Promise<ExpectedAnswer>
  /** A request without a body. */
  (method: string, path: string, status: number, expected?: unknown): Promise<ExpectedAnswer>
}

/** An answer is not what was expected; the message shows how they differ. */
export class ExpectationError extends Error {
  constructor(
    message: string,
    /** What came. */
    readonly answer: ExpectedAnswer,
  ) {
    super(message)
    this.name = new.target.name
  }
}

/** Makes the calls of `expect` with those of a client. */
export function createExpect(full: (method: string, path: string, input: AnyInput) => Promise<ExpectedAnswer>): Expect {
  return async function expect(method: string, path: string, ...rest: readonly unknown[]): Promise<ExpectedAnswer> {
    const { body, status, expected, options } = toExpectation(rest)
    const verb = method.toUpperCase()
    const answer = await full(verb, path, toInput(verb, body, options))
    const wanted = expected === undefined ? answer.body : fit(expected, answer.body)
    if (answer.status === status && isDeepStrictEqual(wanted, answer.body)) return answer
    const error = new ExpectationError(explain(`${verb} ${path}`, status, wanted, answer), answer)
    // The line that is shown is the caller's.
    Error.captureStackTrace(error, expect)
    throw error
  }
}

interface Expectation {
  readonly body?: unknown
  readonly status: number
  readonly expected?: unknown
  readonly options?: RequestOptions
}

/** With a status behind it the first argument is a body, without one it is the status. */
function toExpectation(rest: readonly unknown[]): Expectation {
  const [first, second, third, fourth] = rest
  if (isStatus(second)) return { body: first, status: second, expected: third, options: fourth as RequestOptions }
  if (isStatus(first)) return { status: first, expected: second }
  throw new TypeError(`expect needs a status from 100 to 599, not ${inspect(second ?? first)}`)
}

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599
}

function toInput(method: string, args: unknown, options: RequestOptions = {}): AnyInput {
  if (args === undefined) return options
  if (method !== 'GET' && method !== 'HEAD') return { ...options, body: args }
  return { ...options, query: { ...options.query, ...(args as AnyInput['query']) } }
}

function explain(request: string, status: number, wanted: unknown, { status: got, body }: ExpectedAnswer): string {
  const lines = [request, '', `expected status ${status}`, `received status ${got}`, '']
  if (isDeepStrictEqual(wanted, body)) lines.push('received body', inspect(body, { depth: 8 }))
  else lines.push('body: - expected, + received', formatDiff(toShown(wanted), body))
  return lines.join('\n')
}

/** `full` of a client by the name of the method. */
export function fullCalls(calls: AnyCalls['full']) {
  return (method: string, path: string, input: AnyInput): Promise<ExpectedAnswer> => {
    const name = method.toLowerCase()
    if (!Object.hasOwn(calls, name)) throw new TypeError(`A client has no calls for the method ${method}`)
    return calls[name as keyof AnyCalls['full']](path, input)
  }
}
