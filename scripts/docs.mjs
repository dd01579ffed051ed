import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { commandOf, manifest, mustRun, root } from './tools.mjs'

// One entry point a door: what `exports` names, as a source.
const doors = Object.values(manifest.exports)
  .map((entry) => entry.types?.replace(/^\.\/dist\//, 'src/').replace(/\.d\.ts$/, '.ts'))
  .filter((path) => path !== undefined && existsSync(join(root, path)))

mustRun(commandOf('typedoc'), [
  ...doors.flatMap((path) => ['--entryPoints', path]),
  ...['--tsconfig', 'tsconfig.build.json', '--out', 'docs/api', '--excludeInternal', '--excludePrivate'],
  ...process.argv.slice(2),
])
