import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { commandOf, mustRun, root } from './tools.mjs'

// The whole suite once more, on what tsc built instead of on the sources.
if (!existsSync(join(root, 'dist', 'index.js'))) await import('./build.mjs')
mustRun(commandOf('jest'), process.argv.slice(2), { env: { ...process.env, KUMU_TEST_BUILD: '1' } })
