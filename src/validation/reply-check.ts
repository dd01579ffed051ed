import { HttpError } from '../errors'
import type { ParamPlan, Pipe, RoutePlan } from '../route/plan'
import { Reply, Slice, Tagged } from '../route/replies'

/**
 * The check of replies against the class that `@Returns` declares. What breaks its rules is a failure of ours: an Error,
 * and so a 500 that tells the client nothing, with the violations in the log.
 *
 * @param pipe the validation pipe
 * @param toPlain what the reply is made into before it is encoded
 */
export function createReplyCheck(
  pipe: Pipe,
  toPlain: (value: unknown) => unknown,
): (value: unknown, plan: RoutePlan) => Promise<void> {
  return async function checkReply(value, plan) {
    const type = plan.reply.type
    const body = contentOf(value)
    if (type?.kind !== 'class' || typeof body !== 'object' || body === null) return
    if (!Array.isArray(body) && (type.list || Symbol.asyncIterator in body || Symbol.iterator in body)) {
      if (!type.list) return
      throw new Error(`${plan.id} returned no list, and @Returns declares one`)
    }
    const where = `the reply of ${plan.id}`
    const param: ParamPlan = {
      index: 0,
      source: 'body',
      required: true,
      where,
      type: { ...type, list: Array.isArray(body) },
    }
    try {
      await pipe(toPlain(body), param)
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      const violations = error.errors?.map(({ pointer, code }) => `${pointer || '/'} ${code}`).join(', ')
      throw new Error(`${plan.id} returned what ${type.class?.name ?? 'its class'} refuses: ${violations ?? ''}`, {
        cause: error,
      })
    }
  }
}

/** What is sent of a result: replies that are no success have a shape of their own. */
function contentOf(value: unknown): unknown {
  if (value instanceof Reply) return value.status < 300 ? contentOf(value.body) : undefined
  if (value instanceof Tagged) return contentOf(value.value)
  if (value instanceof Slice) return value.items
  return value
}
