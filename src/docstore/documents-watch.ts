import { NotAcceptable } from '../errors'
import { negotiate } from '../http/accept'
import { Reply } from '../route/replies'
import { event, type StreamEvent } from '../route/stream'
import type { Awaitable } from '../types'
import type { Change, WatchOptions } from './driver'
import { StoreError } from './errors'
import type { Store } from './store'

/** Milliseconds in which a feed says that its start is too old, before the answer begins. */
const patience = 100

const events = 'text/event-stream'

/**
 * Whether a list is asked for its changes instead: by name, or because nothing else on offer is liked as much.
 *
 * @param named whether the query has `watch`
 * @param accept the `Accept` header
 * @throws NotAcceptable where they are asked for by name and cannot be taken
 */
export function wantsFeed(named: boolean, accept: string | undefined): boolean {
  if (!named)
    return negotiate(accept, ['application/json', 'text/html', 'text/plain', 'application/xml', events]) === events
  if (negotiate(accept, [events])) return true
  throw new NotAcceptable(`Changes can be had as ${events}`, { code: 'not-acceptable', headers: { Vary: 'Accept' } })
}

/** What a feed follows. */
export interface FeedOptions extends WatchOptions {
  readonly signal: AbortSignal
  /** What is told of a change instead; nothing: it is kept back. */
  readonly translate?: (change: Change) => Awaitable<ToldChange | undefined>
}

/** A change with what was written, where the feed tells that. */
export interface ToldChange extends Change {
  readonly value?: unknown
}

/**
 * The changes of a store as events: `put`, `delete`, `expire`, their id the sequence. A start that is too old is 410; one
 * that the store finds out later is an event `gone`, behind which the feed ends.
 */
export async function watchFeed(store: Store, { translate, signal, ...options }: FeedOptions): Promise<Reply> {
  const end = new AbortController()
  const watching = store.watch({ ...options, signal: AbortSignal.any([signal, end.signal]) })
  const changes = watching[Symbol.asyncIterator]()
  const first = changes.next()
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, patience)))
  try {
    await Promise.race([first, waited])
  } finally {
    clearTimeout(timer)
  }
  const toEvent = async (change: Change): Promise<StreamEvent | undefined> => {
    const told = translate ? await translate(change) : change
    return told && formatChange(told)
  }
  return new Reply(200, new Feed(changes, first, toEvent, end), { 'Content-Type': events })
}

/** An iterable that hands its clean-up to the feed even before the first change. */
class Feed implements AsyncIterable<StreamEvent> {
  constructor(
    readonly changes: AsyncIterator<Change>,
    readonly first: Promise<IteratorResult<Change>>,
    readonly toEvent: (change: Change) => Promise<StreamEvent | undefined>,
    readonly end: AbortController,
  ) {}

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    const { changes, toEvent, end } = this
    let pending: Promise<IteratorResult<Change>> | undefined = this.first
    let over = false
    return {
      async next() {
        try {
          while (!over) {
            const result = await (pending ?? changes.next())
            pending = undefined
            if (result.done) break
            const value = await toEvent(result.value)
            if (value) return { done: false, value }
          }
          return { done: true, value: undefined }
        } catch (error) {
          if (!(error instanceof StoreError) || error.code !== 'gone') throw error
          over = true
          return { done: false, value: event({ detail: error.message }, { event: 'gone' }) }
        }
      },
      async return() {
        over = true
        // A feed that waits for a change hears only its signal.
        end.abort()
        await changes.return?.()
        return { done: true, value: undefined }
      },
    }
  }
}

function formatChange({ op, seq, key, rev, value }: ToldChange): StreamEvent {
  return event(
    { key, ...(rev !== undefined && { rev }), ...(value !== undefined && { value }) },
    { event: op, id: seq },
  )
}
