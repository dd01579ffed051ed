import { assertLegacy } from '../errors'
import type { AbstractConstructor } from '../types'

const anyBodies = new WeakSet<object>()

/**
 * Says that a class used as a body or query type has no rules on purpose: its values pass unvalidated, as plain data.
 *
 * Without it a class that has no rules is a mistake found at start.
 *
 * @example
 * @AnyBody()
 * class WebhookPayload {
 *   [name: string]: unknown
 * }
 */
export function AnyBody(): (target: AbstractConstructor, ...rest: readonly unknown[]) => void {
  return (target, ...rest: readonly unknown[]) => {
    assertLegacy('AnyBody', rest[0])
    anyBodies.add(target)
  }
}

/** Whether the class itself, not an ancestor, is decorated with {@link AnyBody}. */
export function isAnyBody(target: object): boolean {
  return anyBodies.has(target)
}
