import { realpathSync } from 'node:fs'
import type { Finding } from './finding'

/** Libraries that are to be there once: what one copy keeps, the other does not know. */
const single = ['koa', '@koa/router', 'class-validator', 'class-transformer', 'reflect-metadata', 'kumu']

/**
 * Libraries of which this process has loaded two copies by now.
 *
 * @param loaded the files of modules; default those of `require.cache`
 */
export function findCopies(loaded: readonly string[] = Object.keys(require.cache)): Finding[] {
  const folders = new Map<string, Set<string>>()
  for (const file of loaded) {
    const match = /^.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(file)
    const name = match?.[1]?.replace('\\', '/')
    if (!match || name === undefined || !single.includes(name)) continue
    folders.set(name, (folders.get(name) ?? new Set()).add(realOf(match[0])))
  }
  return [...folders]
    .filter(([, copies]) => copies.size > 1)
    .map(([name, copies]) => ({
      code: 'two-copies',
      level: 'warning',
      where: name,
      what: `${copies.size} copies of it are loaded: ${[...copies].sort().join(' and ')}`,
      cure: `Install one: run "npm ls ${name}" and then "npm dedupe"`,
    }))
}

/** A link is no copy. */
function realOf(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return folder
  }
}
