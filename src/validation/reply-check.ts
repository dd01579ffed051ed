import { HttpError } from '../errors'
import type { ParamPlan, Pipe, RoutePlan, TypePlan } from '../route/plan'
import { FileReply, Reply, Slice, Tagged } from '../route/replies'

/**
 * The check of replies against the class or schema that `@Returns` declares, as they are sent. What breaks its rules is a
 * failure of ours: an Error, and so a 500 that tells the client nothing, with the violations in the log.
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
    if (!type || !isChecked(body, type)) return
    if (type.list && !Array.isArray(body)) throw new Error(`${plan.id} returned no list, and @Returns declares one`)
    const where = `the reply of ${plan.id}`
    const param: ParamPlan = {
      index: 0,
      source: 'body',
      required: true,
      where,
      // A schema of a list says so itself; rows of a class may come one by one or together.
      type: type.kind === 'schema' ? type : { ...type, list: Array.isArray(body) },
    }
    try {
      await pipe(toPlain(body), param)
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      const violations = error.errors?.map(({ pointer, code }) => `${pointer || '/'} ${code}`).join(', ')
      throw new Error(`${plan.id} returned what ${type.class?.name ?? 'its schema'} refuses: ${violations ?? ''}`, {
        cause: error,
      })
    }
  }
}

/** Whether there is something to check: bytes, streams and what comes one by one is sent as it comes. */
function isChecked(body: unknown, { kind, list }: TypePlan): boolean {
  if (body === undefined || body === null || body instanceof FileReply) return false
  if (kind === 'schema' && typeof body !== 'object') return true
  if ((kind !== 'class' && kind !== 'schema') || typeof body !== 'object') return false
  return list || Array.isArray(body) || !(Symbol.asyncIterator in body || Symbol.iterator in body)
}

/** What is sent of a result: replies that are no success have a shape of their own. */
function contentOf(value: unknown): unknown {
  if (value instanceof Reply) return value.status < 300 ? contentOf(value.body) : undefined
  if (value instanceof Tagged) return contentOf(value.value)
  if (value instanceof Slice) return value.items
  return value
}
