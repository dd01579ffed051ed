import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compile, mustRun, root } from './tools.mjs'

// Kumu's servers import the built package by its name, as users do.
if (!existsSync(join(root, 'dist', 'index.js')) || !process.argv.includes('--check')) await import('./build.mjs')
compile('tsconfig.bench.json')
mustRun(join(root, '.build', 'bench', 'run.js'), process.argv.slice(2))
