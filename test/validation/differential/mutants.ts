import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import type { Subject } from './compare'

/** A bug: in one module, one text for another. */
export interface Bug {
  readonly name: string
  readonly module: string
  readonly from: string
  readonly to: string
}

type Exports = Record<string, unknown>

const folder = join(__dirname, '../../../src/validation/exact')
const transpiled = new Map<string, string>()

/** The modules under test with a bug planted into them, which nothing in the sources knows of. */
export function loadWith(bug: Bug | undefined): Subject {
  const loaded = new Map<string, Exports>()

  function load(name: string): Exports {
    const known = loaded.get(name)
    if (known) return known
    const exports: Exports = {}
    loaded.set(name, exports)
    const source = readFileSync(join(folder, `${name}.ts`), 'utf8')
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a module with a bug in it, out of its source
    const run = new Function('exports', 'require', transpile(bug?.module === name ? plant(source, bug) : source))
    ;(run as (exports: Exports, require: (path: string) => unknown) => void)(exports, requireFrom)
    return exports
  }

  function requireFrom(path: string): unknown {
    if (path.startsWith('./')) return load(path.slice(2))
    // All share the libraries with the other tests: there is one storage.
    if (path === '../lazy') return require('../../../src/validation/lazy') as unknown
    throw new Error(`${path} is required by nobody so far`)
  }

  return { ...load('build'), ...load('check') } as unknown as Subject
}

function plant(source: string, { name, from, to }: Bug): string {
  if (source.split(from).length !== 2) throw new Error(`${name}: its text is not there once`)
  return source.replace(from, () => to)
}

function transpile(source: string): string {
  const known = transpiled.get(source)
  if (known !== undefined) return known
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS }
  const { outputText } = ts.transpileModule(source, { compilerOptions })
  transpiled.set(source, outputText)
  return outputText
}
