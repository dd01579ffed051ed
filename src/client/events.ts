import { pause } from './abort'
import { backoffPause } from './backoff'
import { readChunks } from './body-chunks'
import type { CallBase } from './call'
import type { Draft } from './draft'
import { DecodeError, NetworkError } from './errors'
import { parseEvents, type EventState, type ServerEvent } from './event-parser'
import { readLines } from './lines'
import { openStream } from './stream'

// WHATWG HTML §9.2.1 leaves it to us: "probably in the region of a few seconds".
const reconnection = 3000

/**
 * The events of a stream, over as many connections as it takes: where one ends, the next resumes behind the last event.
 *
 * @param draft the request; its signal ends the events, without an error
 * @throws ResponseError where the server refuses, DecodeError where it answers with something else, NetworkError where it
 * is not to be reached for all retries
 * @see WHATWG HTML §9.2
 */
export async function* streamEvents(base: CallBase, draft: Draft): AsyncGenerator<ServerEvent, void> {
  const state: EventState = { lastId: draft.headers['last-event-id'] ?? '', retry: undefined }
  const { signal } = draft
  let idle = 0
  try {
    while (!signal?.aborted) {
      const answer = await openStream(base, resume(draft, state.lastId))
      // §9.2.3: this is how a server says that it has no more.
      if (answer.response.status === 204) return
      assertEvents(draft, answer.response)
      idle += 1
      try {
        for await (const event of parseEvents(readLines(readChunks(answer, draft), 'any'), state)) {
          idle = 0
          yield event
        }
      } catch (error) {
        if (!(error instanceof NetworkError)) throw error
      }
      // A server that ends connections without an event is asked later each time.
      await pause((state.retry ?? reconnection) + backoffPause(idle, 300, Math.random()), signal)
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  }
}

function resume(draft: Draft, lastId: string): Draft {
  const headers = { ...draft.headers, accept: 'text/event-stream', 'cache-control': 'no-store' }
  // Header values are bytes, an id is any text: it goes as UTF-8 (§9.2.3).
  return { ...draft, headers: lastId === '' ? headers : { ...headers, 'last-event-id': toBytes(lastId) } }
}

function toBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text))
}

function assertEvents({ method, url }: Draft, { headers, body }: Response): void {
  const type = headers.get('content-type') ?? 'nothing'
  if (/^text\/event-stream\s*(?:;|$)/i.test(type)) return
  void body?.cancel()
  throw new DecodeError({ method, url }, `the answer is ${type} and not text/event-stream`, undefined)
}
