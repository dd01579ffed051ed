import { assertLegacy } from '../errors'
import { validator } from './lazy'

/** The condition that {@link Nullable} leaves in class-validator's metadata; its identity is what tells it apart. */
export function isNotNull(_object: unknown, value: unknown): boolean {
  return value !== null
}

/**
 * Lets a property be `null`: then its other rules are skipped. Absent is another matter, which is `@IsOptional()`'s.
 *
 * @example
 * class Employee {
 *   @IsString() @Nullable() nickname!: string | null
 * }
 */
export function Nullable(): (target: object, property: string) => void {
  return (target, property) => {
    assertLegacy('Nullable', property)
    validator().ValidateIf(isNotNull)(target, property)
  }
}
