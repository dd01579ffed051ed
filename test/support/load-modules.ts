import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transformSync } from '@swc/core'

interface Loaded {
  readonly exports: object
}

const loaded = new Map<string, Loaded>()

/**
 * Loads a package that comes as ES modules alone, each compiled on the way: the runtime of the tests takes only CommonJS
 * before Node 24.9. It runs in the realm of the test, as an installed CommonJS package would.
 */
export function loadModules(name: string): unknown {
  return loadFile(require.resolve(name))
}

function loadFile(file: string): object {
  const known = loaded.get(file)
  if (known) return known.exports
  const module: Loaded = { exports: {} }
  // Before it has run: modules may import each other.
  loaded.set(file, module)
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    filename: file,
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'ecmascript' } },
    module: { type: 'commonjs' },
  })
  const folder = dirname(file)
  const load = (specifier: string): object =>
    loadFile(specifier.startsWith('.') ? join(folder, specifier) : require.resolve(specifier, { paths: [folder] }))
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a module is a function of its text
  const run = new Function('exports', 'require', 'module', code) as (...given: unknown[]) => void
  run(module.exports, load, module)
  return module.exports
}
