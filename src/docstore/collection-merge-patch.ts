import { isRecord } from './collection-form'

/**
 * Applies a JSON Merge Patch: members of the patch replace those of the target, `null` removes them, and so on downward.
 *
 * @param target left as it is
 * @param patch any JSON value; one that is no object takes the target's place
 * @see RFC 7396 §2
 *
 * @example
 * mergePatch({ a: 1, b: { c: 2, d: 3 } }, { b: { c: null } })   // { a: 1, b: { d: 3 } }
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged = new Map(Object.entries(isRecord(target) ? target : {}))
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  // Unlike an assignment, this makes an ordinary member of `__proto__`.
  return Object.fromEntries(merged)
}
