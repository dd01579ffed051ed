import { Reply } from '../route/replies'
import { event, type StreamEvent } from '../route/stream'
import type { Change, WatchOptions } from './driver'
import { StoreError } from './errors'
import type { Store } from './store'

/** Milliseconds in which a feed says that its start is too old, before the answer begins. */
const patience = 100

/**
 * The changes of a store as events: `put`, `delete`, `expire`, their id the sequence. A start that is too old is 410; one
 * that the store finds out later is an event `gone`, behind which the feed ends.
 */
export async function watchFeed(store: Store, options: WatchOptions): Promise<Reply> {
  const changes = store.watch(options)[Symbol.asyncIterator]()
  const first = changes.next()
  let timer: NodeJS.Timeout | undefined
  const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, patience)))
  try {
    await Promise.race([first, waited])
  } finally {
    clearTimeout(timer)
  }
  return new Reply(200, new Feed(changes, first))
}

/** An iterable that hands its clean-up to the feed even before the first change. */
class Feed implements AsyncIterable<StreamEvent> {
  constructor(
    readonly changes: AsyncIterator<Change>,
    readonly first: Promise<IteratorResult<Change>>,
  ) {}

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    const { changes } = this
    let pending: Promise<IteratorResult<Change>> | undefined = this.first
    let over = false
    return {
      async next() {
        if (over) return { done: true, value: undefined }
        try {
          const result = await (pending ?? changes.next())
          pending = undefined
          return result.done ? { done: true, value: undefined } : { done: false, value: toEvent(result.value) }
        } catch (error) {
          if (!(error instanceof StoreError) || error.code !== 'gone') throw error
          over = true
          return { done: false, value: event({ detail: error.message }, { event: 'gone' }) }
        }
      },
      async return() {
        over = true
        await changes.return?.()
        return { done: true, value: undefined }
      },
    }
  }
}

function toEvent({ op, seq, key, rev }: Change): StreamEvent {
  return event(rev === undefined ? { key } : { key, rev }, { event: op, id: seq })
}
