import { PreconditionFailed } from '../errors'
import { evaluate, formatETag } from '../http/conditional'
import type { Context } from './plan'

/** The conditions of a request, as RFC 9110 §13 has them. */
export function conditionsOf(ctx: Context): Parameters<typeof evaluate>[0] {
  const { headers } = ctx.req
  return {
    method: ctx.method,
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    ifModifiedSince: headers['if-modified-since'],
    ifUnmodifiedSince: headers['if-unmodified-since'],
  }
}

/**
 * Refuses a write whose conditions do not hold. Where others may write at the same time the condition belongs into the
 * write itself, as a docstore's `if` has it; this is for a handler that owns its data, under `@Atomic()` say.
 *
 * @param ctx the request
 * @param rev the current revision, the one that `withETag` is given; none where there is no such resource
 * @param modified when it was changed, for `If-Unmodified-Since`
 * @throws PreconditionFailed with the current entity tag
 *
 * @example
 * ;@Put('/:id') @Atomic() replace(@Param('id') id: string, @Body() body: Note, @Context() ctx: Context) {
 *   assertPrecondition(ctx, this.notes.get(id)?.rev)
 * }
 */
export function assertPrecondition(ctx: Context, rev: string | undefined, modified?: Date): void {
  const etag = rev === undefined ? undefined : formatETag(rev)
  const verdict = evaluate(conditionsOf(ctx), etag === undefined ? undefined : { etag, modified })
  if (verdict === 'proceed') return
  throw new PreconditionFailed('The resource has another revision', {
    code: 'precondition-failed',
    headers: etag === undefined ? undefined : { ETag: etag },
  })
}
