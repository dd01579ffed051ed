import { commonFlags, type Command, type Flag } from './command'
import { alignColumns } from './table'

/** The usage line of a command: `kumu routes APP [--json]`. */
export function formatUsage({ name, operands, flags }: Command): string {
  return [
    'kumu',
    name,
    ...operands,
    ...Object.entries(flags).map(([flag, said]) => `[${formatFlag(flag, said)}]`),
  ].join(' ')
}

function formatFlag(name: string, { placeholder, multiple }: Flag): string {
  return `--${name}${placeholder === undefined ? '' : ` ${placeholder}`}${multiple ? ' …' : ''}`
}

/** The help of one command. */
export function formatCommandHelp(command: Command): string {
  const flags = Object.entries({ ...command.flags, ...commonFlags }).map(([name, flag]) => [
    `  ${flag.short === undefined ? '' : `-${flag.short}, `}${formatFlag(name, flag)}`,
    flag.description,
  ])
  return [
    `Usage: ${formatUsage(command)}`,
    '',
    `${command.summary}.`,
    '',
    ...alignColumns(flags),
    ...(command.operands.includes('APP') ? ['', appNote] : []),
    ...(command.notes === undefined ? [] : ['', command.notes]),
  ].join('\n')
}

const appNote = `APP is a module (.js, .cjs, .mjs; .ts where a loader is registered) whose default export, or whose export
"app", is an application, or a function that makes one; FILE#NAME names another export. It is not started.`

/** The help of all. */
export function formatHelp(commands: readonly Command[]): string {
  return [
    'Usage: kumu COMMAND …',
    '',
    ...alignColumns(commands.map(({ name, operands, summary }) => [`  ${[name, ...operands].join(' ')}`, summary])),
    '',
    'kumu COMMAND --help tells its flags, kumu --version the version.',
    'Exit codes: 0 done, 1 it failed or something was found, 2 the command line is wrong.',
  ].join('\n')
}
