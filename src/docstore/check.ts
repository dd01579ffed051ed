import type { Cond, Meta } from './driver'
import { StoreError } from './errors'

// No `m` flag: `$` is the end of the text then, not the place before a final line feed.
const keyRule = /^[A-Za-z0-9_-]{1,255}$/
const prefixRule = /^[A-Za-z0-9_-]{0,255}$/

// RFC 9110 §8.3.1, §5.6.2, §5.6.4: type "/" subtype, then parameters with a token or a quoted string.
const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const quoted = '"(?:[\\t \\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\\t \\x21-\\x7e])*"'
const mediaTypeRule = new RegExp(`^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|${quoted}))*$`)

/** @throws StoreError bad-key where this is no key; nothing is stripped or rewritten */
export function assertKey(key: unknown): asserts key is string {
  if (typeof key === 'string' && keyRule.test(key)) return
  throw new StoreError('bad-key', 'A key is 1 to 255 of the characters A-Z a-z 0-9 _ -')
}

/** @throws StoreError bad-key where no key can begin so */
export function assertPrefix(prefix: unknown, name: string): asserts prefix is string {
  if (typeof prefix === 'string' && prefixRule.test(prefix)) return
  throw new StoreError('bad-key', `${name} takes at most 255 of the characters A-Z a-z 0-9 _ -`)
}

/**
 * Whether a store takes this as a document's type: a media type in printable ASCII, 255 characters at the most.
 *
 * @param type the text of a `Content-Type`
 *
 * @example
 * isMediaType('text/html; charset=utf-8')   // true
 */
export function isMediaType(type: unknown): type is string {
  return typeof type === 'string' && type.length <= 255 && mediaTypeRule.test(type)
}

/** @throws TypeError where this is no condition */
export function assertCondition(condition: unknown): asserts condition is Cond {
  if (condition === undefined || condition === null || typeof condition === 'string') return
  throw new TypeError("if takes a revision, '*', null or undefined")
}

/**
 * Whether a write with this condition may go on.
 *
 * @param current the live document; nothing where it is absent or expired
 */
export function holds(condition: Cond, current: Pick<Meta, 'rev'> | undefined): boolean {
  if (condition === undefined) return true
  if (condition === null) return current === undefined
  return current !== undefined && (condition === '*' || condition === current.rev)
}

/** The error of a condition that does not hold. */
export function conflict(key: string, current: Meta | undefined): StoreError {
  const state = current ? `is at revision ${current.rev}` : 'is absent'
  return new StoreError('conflict', `The condition does not hold: ${key} ${state}`, { current })
}
