/** What Keyv takes as `store`: a storage adapter of its, or a `Map`. */
export interface KeyvStorage {
  namespace?: string | undefined
  get(key: string): unknown
  set(key: string, value: string, ttl?: number): unknown
  delete(key: string): unknown
  iterator?(namespace?: string): AsyncIterable<unknown>
  disconnect?(): unknown
  on?(event: 'error', listener: (error: unknown) => void): unknown
}

/** The names and values of a storage; nothing where it cannot tell them. */
export function entriesOf(
  storage: KeyvStorage,
  namespace: string,
): AsyncIterable<readonly [unknown, unknown]> | Iterable<readonly [unknown, unknown]> | undefined {
  // A copy: what is written meanwhile neither moves nor prolongs it.
  if (storage instanceof Map) return [...(storage as Map<unknown, unknown>)]
  return storage.iterator?.(namespace) as AsyncIterable<readonly [unknown, unknown]> | undefined
}
