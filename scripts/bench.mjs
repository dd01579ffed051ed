import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { compile, mustRun, root } from './tools.mjs'

const given = process.argv.slice(2)
const peers = join(root, 'bench', 'peers')

// Kumu's servers import the built package by its name, as users do. What only compares takes what is built, and so does CI,
// which has just built it.
const built = existsSync(join(root, 'dist', 'index.js'))
const takesBuilt = given.includes('--check') || (given.includes('--guard') && process.env.CI === 'true')
if (!built || !takesBuilt) await import('./build.mjs')
compile('tsconfig.bench.json')
if (given.some((word) => word === '--peers' || existsSync(join(peers, `${word}.ts`)))) {
  const { preparePeers } = await import('../bench/peers/prepare.mjs')
  await preparePeers()
}
mustRun(join(root, '.build', 'bench', 'run.js'), given)
