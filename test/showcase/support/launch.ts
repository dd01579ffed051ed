import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exchange, type Answer, type Ask } from '../../support/serve'

const root = join(__dirname, '../../..')

/** A program in a process of its own. */
export interface Launched {
  readonly process: ChildProcess
  /** What it printed so far. */
  readonly out: () => string
  readonly err: () => string
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>
}

/** The showcase, once it listens. */
export interface Running extends Launched {
  readonly url: string
  readonly port: number
  ask(method: string, path: string, ask?: Ask): Promise<Answer>
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>
}

const running = new Set<ChildProcess>()
const directories: string[] = []

/** Ends every process and removes every directory that was made here: for `afterEach` or `afterAll`. */
export async function cleanUp(): Promise<void> {
  for (const child of running) {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }
  running.clear()
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true })
}

/** A fresh directory, until {@link cleanUp}. */
export function createDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'kumu-showcase-'))
  directories.push(dir)
  return dir
}

/** Runs a TypeScript file of the repository until {@link cleanUp}, the showcase where none is named. */
export function launch(environment: Record<string, string>, cwd = root, script = 'samples/showcase/main.ts'): Launched {
  const { NODE_ENV: _tests, NODE_OPTIONS: _options, ...inherited } = process.env
  const child = spawn(process.execPath, ['-r', join(root, 'test/support/swc-register.cjs'), join(root, script)], {
    cwd,
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
  const exit = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    })
  })
  return { process: child, out: () => out, err: () => err, exit }
}

/** Starts the showcase and waits until it says where it is. */
export async function start(environment: Record<string, string> = {}, cwd?: string): Promise<Running> {
  return listening(launch({ PORT: '0', ...environment, DATA_DIR: environment.DATA_DIR ?? createDirectory() }, cwd))
}

/** Waits until a program says where it listens. */
export async function listening(launched: Launched): Promise<Running> {
  const url = await new Promise<string>((resolve, reject) => {
    launched.process.stdout!.on('data', () => {
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(launched.out())?.[0]
      if (found && launched.out().endsWith('\n')) resolve(found)
    })
    void launched.exit.then(() => reject(new Error(`It ended: ${launched.err()}`)))
  })
  const port = Number(new URL(url).port)
  return {
    ...launched,
    url,
    port,
    ask: (method, path, what) => exchange(port, method, path, what),
    kill: async () => {
      launched.process.kill('SIGKILL')
      await launched.exit
    },
  }
}
