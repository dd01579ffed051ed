import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(__dirname, '../../..')
const compiled = process.env.KUMU_TEST_BUILD === '1'
const bin = join(root, compiled ? 'dist/cli/main.js' : 'src/cli/main.ts')

/** Where the fixtures are: commands run there, so paths in what they print are relative to it. */
export const fixtures = join(__dirname, '../fixtures')

/** What a command did. */
export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** How a command is started. */
export interface Start {
  readonly cwd?: string
  /** The script that lets Node read TypeScript. Default: one that compiles all of it. */
  readonly register?: 'register' | 'register-sources'
  readonly environment?: Readonly<Record<string, string>>
}

/** Runs the real `kumu` in a process of its own until it ends. */
export function kumu(args: readonly string[], { cwd = fixtures, register = 'register', environment }: Start = {}) {
  const { NODE_ENV: _env, NODE_OPTIONS: _options, DEBUG: _debug, FORCE_COLOR: _color, ...inherited } = process.env
  return new Promise<Outcome>((resolve, reject) => {
    const parameters = ['-r', join(__dirname, `${register}.cjs`), bin, ...args]
    execFile(
      process.execPath,
      parameters,
      { cwd, env: { ...inherited, ...environment }, maxBuffer: 16 * 1024 * 1024 },
      (error, out, err) => {
        const code = error ? error.code : 0
        if (typeof code === 'number') resolve({ code, out, err })
        else reject(new Error(`kumu ended by ${String(error?.signal)}`, { cause: error }))
      },
    )
  })
}

/** What was printed, line by line. */
export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

const directories: string[] = []

/** A fresh directory, until {@link removeDirectories}. */
export function createDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kumu-cli-'))
  directories.push(dir)
  return dir
}

/** Removes every directory that was made here: for `afterEach`. */
export function removeDirectories(): void {
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true })
}
