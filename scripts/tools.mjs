import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the package. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

const require = createRequire(join(root, 'package.json'))

/** The package's manifest. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * The script behind a command of an installed package. Started with node itself, it needs no shell, and so behaves the
 * same on every system.
 *
 * @param {string} name the package
 * @param {string} [command] the command, default the package's name
 */
export function commandOf(name, command = name) {
  // Not every package lets its manifest be resolved, so the folders are walked instead.
  const folder = require.resolve
    .paths(name)
    .map((place) => join(place, name))
    .find((place) => existsSync(join(place, 'package.json')))
  if (!folder) throw new Error(`${name} is not installed: run npm install`)
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof bin === 'string' ? bin : bin[command])
}

/**
 * Runs a program of node and waits for it.
 *
 * @param {string} script the file
 * @param {string[]} parameters
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} its exit code
 */
export function runNode(script, parameters, options = {}) {
  const { status, error } = spawnSync(process.execPath, [script, ...parameters], {
    cwd: root,
    stdio: 'inherit',
    ...options,
  })
  if (error) throw error
  return status ?? 1
}

/**
 * The same, but a failure ends this process with its exit code.
 *
 * @param {string} script
 * @param {string[]} parameters
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 */
export function mustRun(script, parameters, options) {
  const status = runNode(script, parameters, options)
  if (status !== 0) process.exit(status)
}

/**
 * Compiles a project with the TypeScript of this package.
 *
 * @param {string} project the name of the tsconfig
 */
export function compile(project) {
  mustRun(commandOf('typescript', 'tsc'), ['-p', project])
}

/**
 * Runs npm, by its own script where this process was started by npm.
 *
 * @param {string[]} parameters
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string} what it printed
 */
export function npm(parameters, options = {}) {
  const script = process.env.npm_execpath
  const [program, first] = script?.endsWith('.js') ? [process.execPath, [script]] : ['npm', []]
  const { status, error, stdout, stderr } = spawnSync(program, [...first, ...parameters], {
    cwd: root,
    encoding: 'utf8',
    shell: program === 'npm' && process.platform === 'win32',
    ...options,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`npm ${parameters.join(' ')} failed\n${stdout}${stderr}`)
  return String(stdout)
}

/**
 * Packs what was built, as it would be published.
 *
 * @param {string} folder where the tarball goes
 * @returns {string} the tarball
 */
export function pack(folder) {
  if (!existsSync(join(root, 'dist', 'index.js'))) throw new Error('There is no dist/: run npm run build first')
  // Scripts are ignored because `prepack` would build once more.
  const [packed] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder]))
  return join(folder, packed.filename)
}
