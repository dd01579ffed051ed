/**
 * Waits, and leaves no timer behind where the signal ends it.
 *
 * @param milliseconds how long
 * @param signal rejects with its reason
 */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const elapsed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  return untilAborted(elapsed, signal).finally(() => clearTimeout(timer))
}

/**
 * Waits for work that knows nothing of the signal, for as long as somebody waits.
 *
 * @param work what goes on by itself
 * @param signal rejects with its reason
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    const leave = (): void => signal.removeEventListener('abort', abort)
    work.then(resolve, reject).finally(leave).catch(leave)
  })
}
