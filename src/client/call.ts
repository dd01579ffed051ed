import { fillPath, joinUrl } from './address'
import type { AnyInput, RequestOptions } from './calls'
import { decodeContent, encodeBody } from './content'
import type { Answer, CallLimits, Draft, Send } from './draft'
import { DecodeError, toResponseError } from './errors'
import type { FullAnswer } from './paths'

/** What a call stands on. */
export interface CallBase {
  readonly base: string
  readonly headers: Readonly<Record<string, string>>
  readonly send: Send
}

/** A call as a draft. */
export function toDraft({ base, headers }: CallBase, method: string, path: string, input: AnyInput | undefined): Draft {
  const replayable = true
  if (input === undefined) return { method, url: joinUrl(base, path), headers, replayable, whole: true }
  const { signal } = input
  const draft = {
    method,
    url: joinUrl(base, fillPath(path, input.path), input.query),
    headers: input.headers ? mergeHeaders(headers, input.headers) : headers,
    signal,
    limits: toLimits(input),
    replayable,
    whole: true,
  }
  return input.body === undefined ? draft : { ...draft, ...toBody(draft.headers, input) }
}

function mergeHeaders(base: Draft['headers'], own: NonNullable<AnyInput['headers']>): Draft['headers'] {
  const merged = { ...base }
  for (const [name, value] of Object.entries(own)) {
    const key = name.toLowerCase()
    if (value === undefined) delete merged[key]
    else merged[key] = String(value)
  }
  return merged
}

function toLimits({ timeout, deadline, retries, idempotent }: AnyInput): CallLimits | undefined {
  const isSet = (timeout ?? deadline ?? retries ?? idempotent) !== undefined
  return isSet ? { timeout, deadline, retries, idempotent } : undefined
}

function toBody(headers: Draft['headers'], { body, type }: AnyInput): Pick<Draft, 'body' | 'replayable' | 'headers'> {
  const { 'content-type': declared, ...others } = headers
  const encoded = encodeBody(body, type ?? declared)
  return {
    body: encoded.payload,
    replayable: encoded.replayable,
    headers: encoded.type === undefined ? others : { ...others, 'content-type': encoded.type },
  }
}

/** One way to make a call. */
export type MakeCall = (base: CallBase, method: string, path: string, input: AnyInput | undefined) => Promise<unknown>

/**
 * Makes a call for its body.
 *
 * @throws ResponseError where the status is one of an error; a 304 is none, and has no body
 */
export const callBody: MakeCall = async (base, method, path, input) => {
  const draft = toDraft(base, method, path, input)
  return toBodyValue(draft, await base.send(draft))
}

/** As {@link callBody}, with arguments that are the query or the body, as the method has it. */
export async function callArguments(
  base: CallBase,
  method: string,
  path: string,
  args: unknown,
  options: RequestOptions | undefined,
): Promise<unknown> {
  const draft = toDraft(base, method, path, toInput(method, args, options))
  return toBodyValue(draft, await base.send(draft))
}

/**
 * What a call takes, where its arguments are given as `request` takes them.
 *
 * @throws TypeError where they are to be the query and are no names with values
 */
export function toInput(method: string, args: unknown, options: RequestOptions | undefined): AnyInput | undefined {
  if (args === undefined) return options
  if (method !== 'GET' && method !== 'HEAD') return { ...options, body: args }
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    throw new TypeError(`The arguments of ${method} are names with values: they become the query`)
  }
  return { ...options, query: { ...options?.query, ...args } }
}

function toBodyValue(draft: Draft, answer: Answer): unknown {
  if (!answer.response.ok) refuseError(draft, answer)
  return decode(draft, answer)
}

/** Makes a call for the headers of its answer. */
export const callHeaders: MakeCall = async (base, method, path, input) => {
  const draft = toDraft(base, method, path, input)
  const answer = await base.send(draft)
  refuseError(draft, answer)
  return answer.response.headers
}

/** Makes a call for its answer; one of an error is an answer, too. */
export const callFull: MakeCall = async (base, method, path, input) =>
  sendFull(base, toDraft(base, method, path, input))

/** As {@link callFull}, for a draft. */
export async function sendFull(base: CallBase, draft: Draft): Promise<FullAnswer<number, boolean, unknown>> {
  const answer = await base.send(draft)
  const { status, ok, headers } = answer.response
  return { status, ok, headers, body: ok ? decode(draft, answer) : decodeRefusal(answer) }
}

/** Throws the error that an answer is, if it is one. */
export function refuseError({ method, url }: Draft, answer: Answer): void {
  const { ok, status, statusText, headers } = answer.response
  if (ok || status === 304) return
  throw toResponseError({ method, url }, { status, statusText, headers, body: decodeRefusal(answer) })
}

function decode({ method, url }: Draft, { response, content }: Answer): unknown {
  try {
    return decodeContent(content)
  } catch (cause) {
    throw new DecodeError({ method, url }, `the answer of ${response.status} is no JSON`, cause)
  }
}

/** What is wrong with an answer of an error is the error: that its body is no JSON comes second. */
function decodeRefusal({ content }: Answer): unknown {
  try {
    return decodeContent(content)
  } catch {
    return content?.data
  }
}
