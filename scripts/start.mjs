import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compile, root } from './tools.mjs'

// Samples import `kumu` as any user does: node finds it through the package's own `exports`, so dist/ comes first. They
// are compiled by tsc because decorators need the types that only it (and swc) emits.
const [sample = 'showcase', ...parameters] = process.argv.slice(2)
if (!existsSync(join(root, 'samples', sample, 'main.ts'))) {
  console.error(`There is no samples/${sample}/main.ts`)
  process.exit(2)
}
await import('./build.mjs')
compile('tsconfig.samples.json')

// In this very process, so that a signal to `npm start` reaches the sample.
process.argv = [process.argv[0], join(root, '.build', 'samples', sample, 'main.js'), ...parameters]
await import(pathToFileURL(process.argv[1]).href)
