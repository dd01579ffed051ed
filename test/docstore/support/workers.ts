import { transformFileSync } from '@swc/core'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { createDirectory } from './directories'

const root = resolve(__dirname, '../../..')
let compiled: string | undefined

/** A child process that runs a file of this folder, with the sources it imports compiled once. */
export function startWorker(name: string, args: readonly string[]): ChildProcess {
  compiled ??= compile()
  const script = join(compiled, 'test/docstore/support', `${name}.js`)
  return spawn(process.execPath, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** What a child writes, line by line, as it comes. */
export async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of child.stdout!) {
    const lines = (rest + String(piece)).split('\n')
    rest = lines.pop()!
    yield* lines
  }
}

function compile(): string {
  const target = createDirectory()
  const sources = [join(root, 'src/docstore'), join(root, 'test/docstore/support')].flatMap((dir) =>
    (readdirSync(dir, { recursive: true }) as string[])
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(dir, name)),
  )
  for (const source of sources) {
    const path = join(target, relative(root, source)).replace(/\.ts$/, '.js')
    mkdirSync(dirname(path), { recursive: true })
    const { code } = transformFileSync(source, {
      jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
      module: { type: 'commonjs' },
    })
    writeFileSync(path, code)
  }
  symlinkSync(join(root, 'node_modules'), join(target, 'node_modules'))
  return target
}
