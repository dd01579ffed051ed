import { inspect } from 'node:util'

/** Lines around a difference that are shown. */
const context = 3
/** Texts of more lines than that are shown one after the other: their comparison takes time with the square of it. */
const mostLines = 2_000

/**
 * The difference of two values, line by line: `-` is expected, `+` was received.
 *
 * @param expected what should have been
 * @param received what was
 */
export function formatDiff(expected: unknown, received: unknown): string {
  return diffLines(toLines(expected), toLines(received))
}

function toLines(value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n')
  const shown = {
    depth: 12,
    sorted: true,
    breakLength: 80,
    compact: false,
    maxArrayLength: 200,
    maxStringLength: 2_000,
  }
  return inspect(value, shown).split('\n')
}

function diffLines(left: readonly string[], right: readonly string[]): string {
  if (left.length + right.length > mostLines) return [...mark('-', left), ...mark('+', right)].join('\n')
  const common = commonLengths(left, right)
  const lines: string[] = []
  let [i, j] = [0, 0]
  while (i < left.length || j < right.length) {
    if (i < left.length && left[i] === right[j]) {
      lines.push(`  ${left[i]}`)
      i++
      j++
    } else if (i < left.length && (j === right.length || common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push(`- ${left[i++]}`)
    } else {
      lines.push(`+ ${right[j++]}`)
    }
  }
  return leaveOut(lines).join('\n')
}

function mark(sign: string, lines: readonly string[]): string[] {
  return lines.map((line) => `${sign} ${line}`)
}

/** How many lines the rests from each pair of lines on have in common. */
function commonLengths(left: readonly string[], right: readonly string[]): number[][] {
  const table = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0))
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      const below = table[i + 1]!
      table[i]![j] = left[i] === right[j] ? below[j + 1]! + 1 : Math.max(below[j]!, table[i]![j + 1]!)
    }
  }
  return table
}

function leaveOut(lines: readonly string[]): string[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - context), at + context + 1).some(isChange))
  return lines.flatMap((line, at) => {
    if (near[at]) return [line]
    return at === 0 || near[at - 1] ? ['  …'] : []
  })
}

function isChange(line: string): boolean {
  return !line.startsWith(' ')
}
