import { PreconditionFailed } from '../errors'
import { formatETag } from '../http/conditional'
import type { Context } from '../route/plan'
import type { Meta } from './driver'
import { StoreError } from './errors'

/** The type of what is left of a deleted document where tombstones are kept. */
export const tombstone = 'application/vnd.kumu.tombstone'

/** What a request's conditions are compared with (RFC 9110 §13.1). */
export function validatorsOf({ rev, modified }: Meta): { readonly etag: string; readonly modified: Date } {
  return { etag: formatETag(rev), modified: new Date(modified) }
}

/** Whether a request puts any condition on what it does. */
export function isConditional({ req: { headers } }: Context): boolean {
  return ['if-match', 'if-none-match', 'if-unmodified-since', 'if-modified-since'].some((name) => name in headers)
}

/** The 412 of a document, with the entity tag that it has now. */
export function refused(current: Meta | undefined): PreconditionFailed {
  return new PreconditionFailed('The document has another revision', {
    code: 'precondition-failed',
    headers: current && { ETag: formatETag(current.rev) },
  })
}

/** Whether a store refused a write for its condition. */
export function isConflict(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === 'conflict'
}
