import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { nodeBinary, nodeVersion } from '../harness/node-binary'
import { pinned } from '../harness/pinning'

const groups = ['routing', 'bodies', 'writing', 'checking']

/** Measures single steps, each group in a process of its own, on the server's core and its node. */
export function runMicro(): void {
  console.log(`node ${nodeVersion()}; medians of wall time in one process`)
  const script = join(__dirname, '..', 'micro', 'main.js')
  for (const group of groups) {
    const [program, parameters] = pinned('server', nodeBinary(), [script, group])
    const { status, error } = spawnSync(program, parameters, {
      stdio: 'inherit',
      env: { ...process.env, NODE_ENV: 'production' },
    })
    if (error) throw error
    if (status !== 0) process.exitCode = 1
  }
}
