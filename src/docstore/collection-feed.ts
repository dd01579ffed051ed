import type { Context, Interceptor } from '../route/plan'
import { queryOf } from '../route/query'
import { signalOf } from '../route/signal'
import type { Form } from './collection-form'
import { reserved, type Shelf } from './collection-shelf'
import { wantsFeed, watchFeed, type ToldChange } from './documents-watch'
import type { Change } from './driver'

/** The changes of a collection, where they are asked for, in place of its list. */
export function feedOf(shelf: Shelf, form: Form): Interceptor {
  /** A `put` is told with the document as it is now; without it where that is gone already. */
  async function tell(change: Change): Promise<ToldChange | undefined> {
    if (change.key.startsWith(reserved)) return undefined
    if (change.op !== 'put') return change
    const found = await shelf.peek(change.key)
    if (!found) return change
    const { seq, key } = change
    const { rev } = found.meta
    if ('value' in found) return { ...change, rev, value: form.revive(key, found.value) }
    return shelf.live(found.meta) ? change : { seq, key, op: 'delete' }
  }

  return async function collectionFeed(ctx: Context, next) {
    const { headers } = ctx.req
    if (!wantsFeed(queryOf(ctx).has('watch'), headers.accept)) return next()
    const since = headers['last-event-id']
    return watchFeed(shelf.store, {
      since: typeof since === 'string' && since !== '' ? since : undefined,
      signal: signalOf(ctx),
      translate: tell,
    })
  }
}
