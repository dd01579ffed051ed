import { randomBytes } from 'node:crypto'

/** A name on a shared server that nobody else uses. */
export function createName(): string {
  return `kumu-test-${randomBytes(6).toString('hex')}`
}
