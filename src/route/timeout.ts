import { ServiceUnavailable } from '../errors'
import { discard } from './discard'
import type { Interceptor } from './plan'
import { Reply } from './replies'
import { abortRequest } from './signal'

/**
 * An interceptor that answers 503 when what it surrounds takes too long, and aborts the request's signal. What comes
 * later is dropped.
 *
 * @param milliseconds 1 or more
 */
export function createTimeout(milliseconds: number): Interceptor {
  return function timeout(ctx, next) {
    return new Promise((resolve, reject) => {
      let isOver = false
      const timer = setTimeout(() => {
        isOver = true
        const error = new ServiceUnavailable('The operation took too long', {
          code: 'timeout',
          headers: { 'Retry-After': String(Math.max(1, Math.ceil(milliseconds / 1000))) },
        })
        abortRequest(ctx, error)
        reject(error)
      }, milliseconds)
      next()
        .then((value) => (isOver ? discard(value instanceof Reply ? value.body : value) : resolve(value)), reject)
        .finally(() => clearTimeout(timer))
    })
  }
}
