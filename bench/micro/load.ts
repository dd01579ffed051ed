import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(__dirname, '..', '..', '..')

/**
 * A module of the built package that no door leads to: single steps are measured where they are.
 *
 * @param path below `dist`, without an ending
 * @returns nothing where this version has none
 */
export function loadStep<T>(path: string): Partial<T> | undefined {
  const file = join(root, 'dist', `${path}.js`)
  return existsSync(file) ? (require(file) as Partial<T>) : undefined
}

/**
 * A package of the peers.
 *
 * @returns nothing where they are not installed
 */
export function loadPeerPackage<T>(name: string): T | undefined {
  try {
    return createRequire(join(root, 'bench', 'peers', 'package.json'))(name) as T
  } catch {
    return undefined
  }
}

/** What is said of a way that could not be timed. */
export function missing(what: string): string {
  return `Not timed: ${what}.`
}
