import { spawnSync } from 'node:child_process'

/** The node that servers run on: `KUMU_BENCH_NODE`, or the one that runs the harness. */
export function nodeBinary(): string {
  return process.env.KUMU_BENCH_NODE || process.execPath
}

/**
 * Its version, `v20.20.2`.
 *
 * @throws Error where it cannot be started
 */
export function nodeVersion(): string {
  const binary = nodeBinary()
  if (binary === process.execPath) return process.version
  const { status, stdout, error } = spawnSync(binary, ['--version'], { encoding: 'utf8' })
  if (error || status !== 0) throw new Error(`${binary} is no node that runs here (${String(error ?? status)})`)
  return stdout.trim()
}
