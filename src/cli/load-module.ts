import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A module that was loaded. */
export interface LoadedModule {
  readonly file: string
  /** What it exports: a namespace, or whatever `module.exports` is. */
  readonly exports: unknown
}

/**
 * Finds the file of a module, its extension and `index` left out or not.
 *
 * @param name a path, relative to the working directory
 * @throws Error where there is none
 */
export function findModule(name: string): string {
  const path = resolve(name)
  try {
    return require.resolve(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw cause
    const module = ['.mjs', '.mts'].map((extension) => path + extension).find((file) => existsSync(file))
    if (module !== undefined) return module
    throw new Error(`there is no module ${name}`, { cause })
  }
}

/**
 * Loads a module of either kind.
 *
 * @throws whatever the module throws; Error that names the cure where nobody can read its language
 */
export async function loadModule(file: string): Promise<LoadedModule> {
  refuseForeignKumu(file)
  try {
    return { file, exports: isEsModule(file) ? await importFile(file) : await requireFile(file) }
  } catch (error) {
    throw isUnreadable(error, file) ? needsLoader(file, error) : error
  }
}

async function requireFile(file: string): Promise<unknown> {
  try {
    return require(file) as unknown
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_REQUIRE_ESM' || code === 'ERR_REQUIRE_ASYNC_MODULE') return importFile(file)
    throw error
  }
}

/** A path is a URL to `import()`, on Windows above all. */
function importFile(file: string): Promise<unknown> {
  return import(pathToFileURL(file).href)
}

/** As Node decides it: by the extension, else by the nearest package.json. */
function isEsModule(file: string): boolean {
  const extension = extname(file)
  if (extension !== '.js' && extension !== '.ts') return extension.startsWith('.m')
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: string }).type === 'module'
    if (folder === dirname(folder)) return false
  }
}

/** Facts and classes of another copy are strangers to this one. */
function refuseForeignKumu(file: string): void {
  const own = require.resolve('../../package.json')
  let other: string
  try {
    other = createRequire(file).resolve('kumu/package.json')
  } catch {
    return
  }
  if (other === own) return
  throw new Error(
    `${file} uses the Kumu of ${dirname(other)}, and this is that of ${dirname(own)}: run "npx kumu" where the application is`,
  )
}

// --- TypeScript ---------------------------------------------------------------------------------------------------------------

/** Whether Node could not read a file because it is written in TypeScript; decorators it cannot read at all. */
function isUnreadable(error: unknown, file: string): boolean {
  if (!/\.[cm]?ts$/.test(file)) return false
  const { code, stack = '' } = error as NodeJS.ErrnoException
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return true
  // What a module throws while it runs comes from the module, or from the function that it called.
  const [frame = ''] = /^\s+at .*/m.exec(stack) ?? []
  return error instanceof SyntaxError && frame.includes('node:internal/')
}

function needsLoader(file: string, cause: unknown): Error {
  return new Error(
    `${file} is TypeScript, which node reads with a loader: NODE_OPTIONS="-r @swc-node/register" kumu …, or compile it first`,
    { cause },
  )
}
