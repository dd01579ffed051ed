import { parseArgs } from 'node:util'
import type { Terminal } from './terminal'

/** A flag of a command. */
export interface Flag {
  readonly type: 'boolean' | 'string'
  /** Whether it may be given again and again. Default false. */
  readonly multiple?: boolean
  readonly short?: string
  /** What a text stands for: `FILE`. */
  readonly placeholder?: string
  readonly description: string
}

/** What a command was given. */
export interface Arguments {
  /** Each name in the usage, in its order. */
  readonly positionals: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
}

/** One command of `kumu`. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** What it must be given, by position: `APP`. */
  readonly operands: readonly string[]
  readonly flags: Readonly<Record<string, Flag>>
  /** More for its help, below the flags. */
  readonly notes?: string
  /** Does it, and gives the exit code. */
  readonly run: (given: Arguments, terminal: Terminal) => Promise<number>
}

/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'

  /**
   * @param message what is wrong
   * @param command the command that it was meant for, where one was named
   */
  constructor(
    message: string,
    readonly command?: Command,
  ) {
    super(message)
  }
}

/** Flags that every command takes. */
export const commonFlags: Readonly<Record<string, Flag>> = {
  help: { type: 'boolean', short: 'h', description: 'say this' },
  verbose: { type: 'boolean', description: 'show the stack of a failure; so does a DEBUG in the environment' },
}

/**
 * Reads what stands behind the name of a command.
 *
 * @throws UsageError for a flag that there is not, a flag without its value, and operands too few or too many
 */
export function parseArguments(command: Command, args: readonly string[]): Arguments {
  const { values, positionals } = parse(args, { ...command.flags, ...commonFlags }, command)
  if (!values.help) checkOperands(command, positionals)
  return { positionals, flags: values }
}

function checkOperands(command: Command, given: readonly string[]): void {
  const missing = command.operands[given.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`, command)
  const extra = given[command.operands.length]
  if (extra !== undefined) throw new UsageError(`nobody asked for "${extra}"`, command)
}

/** Reads flags and operands. @throws UsageError where `parseArgs` refuses them */
export function parse(
  args: readonly string[],
  flags: Readonly<Record<string, Flag>>,
  command?: Command,
): { readonly values: Arguments['flags']; readonly positionals: readonly string[] } {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, multiple = false, short }]) => [
      name,
      { type, multiple, ...(short !== undefined && { short }) },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    return { values: values as Arguments['flags'], positionals }
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string }
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error
    // The sentences behind the first tell how to write operands with a dash.
    throw new UsageError(message.split('. ', 1)[0] ?? message, command)
  }
}
