import { ServiceUnavailable } from '../errors'
import type { Context, Interceptor } from './plan'

interface Waiter {
  readonly writer: boolean
  readonly enter: () => void
}

interface Lock {
  readers: number
  writing: boolean
  readonly queue: Waiter[]
}

/** The locks of one resource, one a path, kept only while somebody holds or awaits it. */
export type Locks = Map<string, Lock>

/** Options of {@link createAtomic}. */
export interface AtomicPlan {
  /** Milliseconds until a waiting request is answered 503. */
  readonly wait: number
  /** Methods that may run together. */
  readonly readers: readonly string[]
}

/**
 * An interceptor that orders the work on one path: readers together, a writer alone, waiting writers before waiting
 * readers.
 *
 * @param plan how long to wait and who reads
 * @param locks shared by all operations of a resource
 */
export function createAtomic(plan: AtomicPlan, locks: Locks): Interceptor {
  return async function atomic(ctx, next) {
    const writer = !plan.readers.includes(ctx.method)
    const key = lockKey(ctx)
    await enter(locks, key, writer, plan.wait)
    try {
      return await next()
    } finally {
      leave(locks, key, writer)
    }
  }
}

/** The path without its query, decoded, and without a trailing slash: one resource, one key. */
function lockKey(ctx: Context): string {
  const path = decodeURI(ctx.path)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

function enter(locks: Locks, key: string, writer: boolean, wait: number): Promise<void> | undefined {
  let lock = locks.get(key)
  if (!lock) locks.set(key, (lock = { readers: 0, writing: false, queue: [] }))
  if (isFree(lock, writer)) {
    take(lock, writer)
    return undefined
  }
  const { queue } = lock
  return new Promise((resolve, reject) => {
    const timer = setTimeout(giveUp, wait)
    const waiter: Waiter = {
      writer,
      enter() {
        clearTimeout(timer)
        resolve()
      },
    }
    queue.push(waiter)
    function giveUp(): void {
      queue.splice(queue.indexOf(waiter), 1)
      // A writer that gives up may have held back readers.
      if (writer) admit(locks, key)
      reject(
        new ServiceUnavailable('The resource is busy', {
          code: 'busy',
          headers: { 'Retry-After': String(Math.max(1, Math.ceil(wait / 1000))) },
        }),
      )
    }
  })
}

function isFree(lock: Lock, writer: boolean): boolean {
  if (lock.writing) return false
  return writer ? lock.readers === 0 : !lock.queue.some((waiter) => waiter.writer)
}

function take(lock: Lock, writer: boolean): void {
  if (writer) lock.writing = true
  else lock.readers++
}

function leave(locks: Locks, key: string, writer: boolean): void {
  const lock = locks.get(key)
  if (!lock) return
  if (writer) lock.writing = false
  else lock.readers--
  admit(locks, key)
}

/** Lets in whoever may go: the first waiting writer alone, or else every waiting reader. */
function admit(locks: Locks, key: string): void {
  const lock = locks.get(key)
  if (!lock || lock.writing) return
  const writer = lock.queue.findIndex((waiter) => waiter.writer)
  if (writer >= 0) {
    if (lock.readers > 0) return
    lock.writing = true
    lock.queue.splice(writer, 1)[0]?.enter()
    return
  }
  for (const waiter of lock.queue.splice(0)) {
    lock.readers++
    waiter.enter()
  }
  if (lock.readers === 0) locks.delete(key)
}
