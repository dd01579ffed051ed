import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const cores = { server: 1, load: 0 } as const

/** Whether the server and the load each have a core of their own here. */
export const canPin = availableParallelism() >= 2 && isInstalled('taskset', ['--version'])

/** Whether a program can be started. */
export function isInstalled(program: string, parameters: readonly string[]): boolean {
  return spawnSync(program, parameters, { stdio: 'ignore' }).error === undefined
}

/**
 * The command that runs a program on its core; the program as it is where cores cannot be chosen.
 *
 * @param part which of the two cores
 */
export function pinned(part: keyof typeof cores, program: string, parameters: string[]): [string, string[]] {
  if (!canPin) return [program, parameters]
  return ['taskset', ['-c', String(cores[part]), program, ...parameters]]
}
