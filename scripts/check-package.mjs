import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { commandOf, pack, runNode } from './tools.mjs'

const folder = mkdtempSync(join(tmpdir(), 'kumu-package-'))
let failures = 0
try {
  const tarball = pack(folder)
  console.log(`publint ${tarball}`)
  failures += runNode(commandOf('publint'), [tarball, '--strict', '--pack', 'npm']) === 0 ? 0 : 1
  console.log(`attw ${tarball}`)
  const profile = [
    '--profile',
    'node16',
    '--format',
    'table-flipped',
    '--no-definitely-typed',
    '--no-emoji',
    '--no-color',
  ]
  failures += runNode(commandOf('@arethetypeswrong/cli', 'attw'), [tarball, ...profile]) === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1
