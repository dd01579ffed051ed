import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Arguments, Flag } from './command'
import type { Terminal } from './terminal'

/** The flag of commands that make a text. */
export const outFlag: Flag = {
  type: 'string',
  placeholder: 'FILE',
  description: 'write to this file, not to standard output',
}

/**
 * Gives the text that a command has made: to standard output, or to the file of `--out`, whole or not at all.
 *
 * @throws Error where the file cannot be written
 */
export function give(text: string, { flags }: Arguments, terminal: Terminal): void {
  const { out } = flags
  if (typeof out !== 'string') return terminal.print(text.trimEnd())
  const part = `${out}.${process.pid}.part`
  try {
    writeFileSync(part, `${text.trimEnd()}\n`)
    renameSync(part, out)
  } catch (cause) {
    rmSync(part, { force: true })
    throw new Error(`${out} cannot be written: ${(cause as Error).message}`, { cause })
  }
}
