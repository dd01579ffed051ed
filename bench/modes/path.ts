import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { isPeer, wrote } from '../contenders'
import { nodeBinary, nodeVersion } from '../harness/node-binary'
import { pinned } from '../harness/pinning'
import type { PathOptions } from '../options'

/** Measures what a server does itself, without sockets: each workload in a process of its own, contenders in turn. */
export function runPath({ workloads, contenders }: PathOptions): void {
  console.log(`node ${nodeVersion()}; wall time in one process, connections in memory`)
  const script = join(__dirname, '..', 'path', 'main.js')
  for (const { id, app } of workloads) {
    const names = contenders.filter((name) => !isPeer(name) && wrote(name, app))
    const [program, parameters] = pinned('server', nodeBinary(), [script, id, ...names])
    const { status, error } = spawnSync(program, parameters, {
      stdio: 'inherit',
      env: { ...process.env, NODE_ENV: 'production' },
    })
    if (error) throw error
    if (status !== 0) process.exitCode = 1
  }
}
