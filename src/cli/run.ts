import { check } from './command-check'
import { commonFlags, parse, parseArguments, UsageError, type Command } from './command'
import { formatCommandHelp, formatHelp, formatUsage } from './help'
import { openapi } from './command-openapi'
import { routes } from './command-routes'
import type { Terminal } from './terminal'
import { types } from './command-types'

const commands: readonly Command[] = [routes, check, openapi, types]

const ownFlags = {
  ...commonFlags,
  version: { type: 'boolean', short: 'v', description: 'say the version' },
} as const

/**
 * Runs a command line, and says what fails.
 *
 * @param args what stands behind the name of the program
 * @returns the exit code: 0 done, 1 it failed or something was found, 2 the command line is wrong
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal)
  } catch (error) {
    if (!(error instanceof UsageError)) return report(error, args, terminal)
    const { command, message } = error
    terminal.complain(`kumu${command ? ` ${command.name}` : ''}: ${message}`)
    terminal.complain(`Usage: ${command ? formatUsage(command) : 'kumu COMMAND …, see kumu --help'}`)
    return 2
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const at = args.findIndex((arg) => !arg.startsWith('-'))
  if (at < 0) return answerFlags(args, terminal)
  const name = args[at]
  const command = commands.find((each) => each.name === name)
  if (!command) throw new UsageError(`there is no command "${name}"`)
  const given = parseArguments(command, args.toSpliced(at, 1))
  if (!given.flags.help) return command.run(given, terminal)
  terminal.print(formatCommandHelp(command))
  return 0
}

/** A command line without a command. */
function answerFlags(args: readonly string[], terminal: Terminal): number {
  const { values } = parse(args, ownFlags)
  if (values.version) {
    const { version } = require('../../package.json') as { readonly version: string }
    terminal.print(version)
    return 0
  }
  if (!values.help) throw new UsageError('a command is missing')
  terminal.print(formatHelp(commands))
  return 0
}

/** One line for a failure; all that is known of it for who asks. */
function report(error: unknown, args: readonly string[], terminal: Terminal): number {
  const wantsAll = args.includes('--verbose') || Boolean(process.env.DEBUG)
  const message = error instanceof Error ? error.message : String(error)
  terminal.complain(`kumu: ${message.trim().replace(/\s*\n\s*/g, ' ')}`)
  if (!wantsAll) return 1
  for (let each = error; each instanceof Error; each = each.cause) terminal.complain(each.stack ?? each.message)
  return 1
}
