import { styleText } from 'node:util'

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan'

/** Where a command writes. */
export interface Terminal {
  /** What was asked for: lines of standard output. */
  print(text: string): void
  /** What is said about it: lines of standard error. */
  complain(text: string): void
  /** The text in a colour, where a person reads it. */
  paint(style: Style, text: string): string
  /** Resolves when all of it is written. */
  flush(): Promise<void>
}

/**
 * The terminal of this process. Standard output is the command's alone from now on: what an application prints while it is
 * loaded goes to standard error, so that a document in a pipe stays one.
 *
 * @param environment `NO_COLOR`, where it is not empty, turns colours off (https://no-color.org)
 */
export function createTerminal(environment: NodeJS.ProcessEnv = process.env): Terminal {
  const { stdout, stderr } = process
  const write = stdout.write.bind(stdout)
  stdout.write = stderr.write.bind(stderr)
  const isColoured = stdout.isTTY && !environment.NO_COLOR
  return {
    print: (text) => void write(`${text}\n`),
    complain: (text) => void stderr.write(`${text}\n`),
    paint: (style, text) => (isColoured ? styleText(style, text) : text),
    flush: () => new Promise((resolve) => write('', () => resolve())),
  }
}
