import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(__dirname, '../../..')
const directories: string[] = []

/** A folder of a consumer: its files, and the packages of the repository. */
export function createWorkspace(files: Readonly<Record<string, string>>, types: readonly string[] = []): string {
  const directory = mkdtempSync(join(tmpdir(), 'kumu-consumer-'))
  directories.push(directory)
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const settings = {
    compilerOptions: {
      target: 'ES2022',
      module: 'ESNext',
      moduleResolution: 'Bundler',
      lib: ['ES2023', 'DOM', 'DOM.Iterable'],
      types,
      strict: true,
      skipLibCheck: true,
      noEmit: true,
    },
    include: ['*.ts'],
  }
  const all = { 'package.json': '{ "type": "module" }', 'tsconfig.json': JSON.stringify(settings), ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(directory, name), text)
  return directory
}

export function removeWorkspaces(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
}

/** Runs the compiler and tells the time that the processor spent on it, whatever else the machine has to do. */
const timedCompiler = `
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write('cpu ' + (user + system) / 1000)
})
process.argv.splice(1, 1)
require(process.argv[1])
`

/** What the compiler says of a workspace, and how long it took it, in milliseconds of the processor. */
export async function compile(directory: string): Promise<{ readonly errors: string; readonly took: number }> {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const starter = join(directory, 'compile.cjs')
  writeFileSync(starter, timedCompiler)
  const { stdout, stderr } = await run(process.execPath, [starter, compiler, '-p', directory], {
    maxBuffer: 1e8,
  }).catch((error: { stdout: string; stderr: string }) => error)
  return { errors: stdout.trim(), took: Number(/cpu ([\d.]+)/.exec(stderr)?.[1]) }
}

/** The typings of an application, as its server sends them. */
export async function declarationsOf(name: 'large' | 'wide' | 'showcase'): Promise<Declared> {
  const child = await run(
    process.execPath,
    ['-r', join(root, 'test/support/swc-register.cjs'), join(__dirname, 'declare.ts'), name],
    { maxBuffer: 1e8, cwd: root },
  )
  return JSON.parse(child.stdout) as Declared
}

/** What `GET /openapi.d.ts` was answered with. */
export interface Declared {
  readonly status: number
  readonly type: string
  /** The status for who has it already. */
  readonly again: number
  readonly text: string
}
