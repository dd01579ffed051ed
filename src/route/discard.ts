/** What can be closed unread: Node's streams and their kin. */
export interface Destroyable {
  destroy(): void
  on?(event: string, listener: () => void): void
}

/** Whether a value can be closed unread. */
export function isDestroyable(value: unknown): value is Destroyable {
  return typeof value === 'object' && value !== null && 'destroy' in value && typeof value.destroy === 'function'
}

/**
 * Closes a stream that nobody will read, and what it holds: files, connections. Any other value is left alone.
 *
 * @param body what was to be an answer's body
 */
export function discard(body: unknown): void {
  if (isDestroyable(body)) {
    body.on?.('error', ignore)
    body.destroy()
  } else if (body instanceof ReadableStream) {
    body.cancel().catch(ignore)
  }
}

function ignore(): void {}
