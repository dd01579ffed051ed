import type { BadRequest } from '../../errors'
import { refusal } from '../../http/refusal'

/**
 * The 400 for a body that cannot be read: it says where and what, never what stood there.
 *
 * @param detail a sentence of ours, free of anything the client sent
 * @param code the rule that broke; default `syntax`
 * @param pointer where in the body; default the whole of it
 */
export function malformed(detail: string, code = 'syntax', pointer = ''): BadRequest {
  return refusal('body', pointer, code, detail)
}

/** Names that would reach a prototype where an object is built from them. */
export function isUnsafeName(name: string): boolean {
  return name === '__proto__' || name === 'constructor' || name === 'prototype'
}
